"""Masked autoencoder (the idea of BERT; He et al. 2022): the whole from a quarter of the patches.

    m ∈ {0, 1}ᵖ, a random quarter of the patches is visible (m = 1)
    x̂ = g(f(m ⊙ x + (1 − m) ⊙ t, m))
    minimise  Σ_i (1 − m_i) ‖x_i − x̂_i‖² / Σ_i (1 − m_i) d_i

t is the learned mask token, d_i the number of pixels of a patch. Here f and g are dense.

Train it alone: ``python -m Code.masked --help``.
"""

import keras
import numpy as np
from keras import layers, ops

from Code.base import PACKAGE, BaseAutoencoder
from Code.parts.noise import uniform

# No pixel has it, so that an image can carry its own mask
HIDDEN = -1.0


@keras.saving.register_keras_serializable(package=PACKAGE)
class MaskToken(layers.Layer):
    """Puts the learned token where an image is hidden, and tells which pixels were visible.

    Image ``(batch, height, width)``, in which hidden pixels are −1 → ``(batch, height, width, 2)``:
    the pixels with the token, and 1 where visible.

    Parameters
    ----------
    patch : side of a patch; the token has this many pixels each way and is the same in all patches.
    """

    def __init__(self, patch, **kwargs):
        super().__init__(**kwargs)
        self.patch = patch

    def build(self, input_shape):
        self.tiles = [side // self.patch for side in input_shape[1:]]
        self.token = self.add_weight(
            shape=(self.patch, self.patch), initializer="zeros", name="token"
        )

    def call(self, image):
        visible = ops.cast(image >= 0, image.dtype)
        token = ops.tile(self.token, self.tiles)
        return ops.stack([visible * image + (1 - visible) * token, visible], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape, 2)

    def get_config(self):
        return {**super().get_config(), "patch": self.patch}


@keras.saving.register_keras_serializable(package=PACKAGE)
class MaskedAE(BaseAutoencoder):
    """The dense masked autoencoder. Given a whole image it encodes all of it.

    Parameters
    ----------
    patch : side of the square patches, which must divide the image's sides.
    visible : share of the patches that stay visible in training, rounded to whole patches.

    Raises
    ------
    ValueError
        If the patches do not tile the image, or none or all of them would be visible.
    """

    def __init__(self, patch=7, visible=0.25, image_shape=(28, 28), **kwargs):
        if any(side % patch for side in image_shape):
            raise ValueError(f"patches of {patch} do not tile an image of {tuple(image_shape)}")
        self.patch = patch
        self.visible = visible
        self.grid = tuple(side // patch for side in image_shape)
        self.n_patches = self.grid[0] * self.grid[1]
        self.n_visible = round(visible * self.n_patches)
        if not 0 < self.n_visible < self.n_patches:
            raise ValueError(
                f"visible = {visible} leaves {self.n_visible} of {self.n_patches} "
                "patches visible: some must be, and some not"
            )
        super().__init__(image_shape=image_shape, **kwargs)
        self.mask_seed = keras.random.SeedGenerator()

    def hidden_layers(self, image):
        return super().hidden_layers(MaskToken(self.patch, name="mask_token")(image))

    def draw_mask(self, n, seed=None):
        """Masks ``(n, height, width)``: 1 on exactly ``n_visible`` patches of each, else 0.

        The visible patches are those with the smallest of as many random numbers.
        """
        u = uniform((n, self.n_patches), self.mask_seed if seed is None else seed)
        # Ranks by comparing all pairs: XLA sorts slowly, and there are few patches
        rank = ops.sum(ops.cast(u[:, None, :] < u[:, :, None], "int32"), axis=-1)
        mask = ops.cast(ops.reshape(rank < self.n_visible, (n, *self.grid)), "float32")
        return ops.repeat(ops.repeat(mask, self.patch, axis=1), self.patch, axis=2)

    def masked_error(self, x, x_hat, mask):
        """Mean error a pixel of the hidden patches alone, ``(batch,)``."""
        hidden = 1.0 - mask
        share = ops.mean(hidden, axis=(1, 2))
        # Equal pixels cost nothing, whichever the loss
        return self.reconstruction_error(hidden * x, hidden * x_hat) / share

    def loss_terms(self, x, y=None, training=False):
        """Error of the hidden patches, guessed from the visible ones."""
        mask = self.draw_mask(ops.shape(x)[0])
        x_hat = self.autoencoder(hide(x, mask), training=training)
        return {"loss": self.masked_error(x, x_hat, mask)}

    def complete(self, x, mask):
        """Images with their hidden patches filled in by the model, ``(n, height, width)``."""
        return mask * x + (1 - mask) * self.reconstruct(np.asarray(hide(x, mask)))

    def diagnostics(self, x, y):
        """Mean squared error a pixel of the hidden patches, by the model and by the mean image.

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
        """Digits, what the model sees of them, and what it makes of that."""
        x = x[:10]
        mask = np.asarray(self.draw_mask(len(x), seed=0))
        # Hidden patches are drawn as a light grey that no ink is mistaken for
        seen = mask * x + (1 - mask) * 0.25
        return {"completion": np.concatenate([x, seen, self.complete(x, mask)])}

    def get_config(self):
        return {**super().get_config(), "patch": self.patch, "visible": self.visible}


def hide(x, mask):
    """Images in which the pixels with mask 0 are marked as hidden."""
    return mask * x + (1.0 - mask) * HIDDEN


if __name__ == "__main__":
    from Code.commands.variant import main

    main("masked")
