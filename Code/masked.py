"""Masked autoencoder (He et al. 2022, after BERT): complete an image from a quarter of its patches.

    m ∈ {0, 1}ᵖ, a random quarter of the patches is visible (m = 1)
    x̂ = g(f(m ⊙ x + (1 − m) ⊙ t, m))
    minimise  Σ_i (1 − m_i) ‖x_i − x̂_i‖² / Σ_i (1 − m_i) d_i

t is the learned mask token and d_i the number of pixels of a patch. Here f and g are dense.

Train it alone: ``python -m Code.masked --help``.
"""

import keras
import numpy as np
from keras import layers, ops

from Code.base import PACKAGE, BaseAutoencoder, Piece
from Code.parts.maps import border, n_channels
from Code.parts.noise import uniform

# No real pixel has this value, so an image can contain its own mask
HIDDEN = -1.0
# So many patches are ranked by comparing all pairs; more of them would not fit into memory
MOST_COMPARED = 256


def grid_of(shape, patch):
    """Rows and columns of the patches that cover an image; those at its edges may be smaller."""
    return tuple(-(-side // patch) for side in shape[:2])


def cover(patches, patch, shape):
    """Patches beside each other as an image: the middle of what they cover.

    Parameters
    ----------
    patches : tensor ``(n, rows · patch, columns · patch, ...)``.
    patch : side of a patch in pixels.
    shape : ``(height, width)`` of the image, further axes are left alone.

    Returns
    -------
    Tensor ``(n, height, width, ...)``.
    """
    (above, _), (left, _) = border(shape, [n * patch for n in grid_of(shape, patch)])
    return patches[:, above : above + shape[0], left : left + shape[1]]


@keras.saving.register_keras_serializable(package=PACKAGE)
class MaskToken(layers.Layer):
    """Replaces hidden pixels by the learned token, and adds a channel of the visible pixels.

    Image ``(batch, height, width)``, in which hidden pixels are −1 → ``(batch, height, width, 2)``:
    the pixels with the token inserted, and a mask that is 1 where visible. An image with an axis of
    channels gets one channel more.

    Parameters
    ----------
    patch : side of a patch in pixels; the token has this size and is the same in all patches.
    """

    def __init__(self, patch, **kwargs):
        super().__init__(**kwargs)
        self.patch = patch

    def build(self, input_shape):
        channels = input_shape[3:]
        self.tiles = [*grid_of(input_shape[1:], self.patch), *(1 for _ in channels)]
        self.token = self.add_weight(
            shape=(self.patch, self.patch, *channels), initializer="zeros", name="token"
        )

    def call(self, image):
        visible = ops.cast(image >= 0, image.dtype)
        token = ops.tile(self.token, self.tiles)
        token = cover(token[None], self.patch, image.shape[1:])[0]
        filled = visible * image + (1 - visible) * token
        if len(image.shape) == 3:
            return ops.stack([filled, visible], axis=-1)
        return ops.concatenate([filled, visible[..., :1]], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:3], n_channels(input_shape[1:]) + 1)

    def get_config(self):
        return {**super().get_config(), "patch": self.patch}


@keras.saving.register_keras_serializable(package=PACKAGE)
class MaskedAE(BaseAutoencoder):
    """The dense masked autoencoder. After training it encodes whole images.

    A pixel in colour is hidden with all of its channels.

    Parameters
    ----------
    patch : side of the square patches in pixels, at most half of the image's shorter side, rounded
        up: a larger one becomes that small. Where patches do not tile the image, those at its edges
        are smaller.
    visible : share of the patches that stay visible in training, rounded to whole patches.

    Raises
    ------
    ValueError
        If there are no such patches, or none or all of them would be visible.
    """

    def __init__(self, patch=7, visible=0.25, image_shape=(28, 28), **kwargs):
        if patch < 1:
            raise ValueError(f"patches have a side of 1 pixel or more, not {patch}")
        self.patch = patch = min(patch, *(-(-side // 2) for side in image_shape[:2]))
        self.visible = visible
        self.grid = grid_of(image_shape, patch)
        self.n_patches = self.grid[0] * self.grid[1]
        self.n_visible = round(visible * self.n_patches)
        if not 0 < self.n_visible < self.n_patches:
            raise ValueError(
                f"visible = {visible} leaves {self.n_visible} of {self.n_patches} "
                "patches visible: some must be, and some not"
            )
        super().__init__(image_shape=image_shape, **kwargs)
        self.mask_seed = keras.random.SeedGenerator()

    def pieces(self):
        """As of any autoencoder, behind the mask."""
        hidden = self.n_patches - self.n_visible
        mask = Piece("in training", f"{hidden} of {self.n_patches} patches are hidden")
        return [mask, *super().pieces()]

    def hidden_layers(self, image):
        return super().hidden_layers(MaskToken(self.patch, name="mask_token")(image))

    def draw_mask(self, n, seed=None):
        """Draw masks ``(n, *image_shape)``: 1 on exactly ``n_visible`` patches of each, else 0.

        Each patch gets a random number; those with the smallest numbers are visible.
        """
        u = uniform((n, self.n_patches), self.mask_seed if seed is None else seed)
        rank = ranks(u)
        mask = ops.cast(ops.reshape(rank < self.n_visible, (n, *self.grid)), self.variable_dtype)
        mask = ops.repeat(ops.repeat(mask, self.patch, axis=1), self.patch, axis=2)
        mask = cover(mask, self.patch, self.image_shape)
        if len(self.image_shape) == 2:
            return mask
        return ops.repeat(mask[..., None], self.image_shape[2], axis=3)

    def masked_error(self, x, x_hat, mask):
        """Mean error per pixel over the hidden patches only, ``(batch,)``."""
        hidden = 1.0 - mask
        share = ops.mean(hidden, axis=list(range(1, len(x.shape))))
        # Where both pixels are set to 0 the error is 0, for every loss
        return self.reconstruction_error(hidden * x, hidden * x_hat) / share

    def loss_terms(self, x, y=None, training=False):
        """Error on the hidden patches, predicted from the visible ones."""
        mask = self.draw_mask(ops.shape(x)[0])
        x_hat = self.autoencoder(hide(x, mask), training=training)
        return {"loss": self.masked_error(x, x_hat, mask)}

    def complete(self, x, mask):
        """Images with their hidden patches filled in by the model, in the shape of ``x``."""
        # Not `reconstruct`: the mark of a hidden pixel is no intensity
        seen = np.asarray(hide(x, mask))
        return mask * x + (1 - mask) * self.in_batches(
            "reconstruction", self.autoencoder, seen, 1000
        )

    def diagnostics(self, x, y):
        """Mean squared error per pixel on the hidden patches, of the model and of the mean image.

        The masks are the same for every model and seed.
        """
        mask = np.asarray(self.draw_mask(len(x), seed=0))
        guesses = {"mse_hidden": self.complete(x, mask), "mse_hidden_mean_image": x.mean(axis=0)}
        hidden = 1 - mask
        return {
            name: np.sum(hidden * np.square(x - guess), dtype=np.float64) / hidden.sum()
            for name, guess in guesses.items()
        }

    def views(self, x, y):
        """Rows of digits, of their visible patches, and of the completed images."""
        x = x[:10]
        mask = np.asarray(self.draw_mask(len(x), seed=0))
        # Hidden patches are drawn in light grey, which cannot be mistaken for ink; in colour 1 is
        # white
        light = 0.25 if len(self.image_shape) == 2 else 0.75
        seen = mask * x + (1 - mask) * light
        return {"completion": np.concatenate([x, seen, self.complete(x, mask)])}

    def get_config(self):
        return {**super().get_config(), "patch": self.patch, "visible": self.visible}


def ranks(u):
    """The rank of each number among those of its row: 0 for the smallest, ``(n, numbers)``."""
    if u.shape[1] > MOST_COMPARED:
        return ops.argsort(ops.argsort(u, axis=1), axis=1)
    # XLA sorts slowly
    return ops.sum(ops.cast(u[:, None, :] < u[:, :, None], "int32"), axis=-1)


def hide(x, mask):
    """Images in which the pixels with mask 0 are marked as hidden."""
    return mask * x + (1.0 - mask) * HIDDEN


if __name__ == "__main__":
    from Code.commands.variant import main

    main("masked")
