"""Overcomplete autoencoder: a code wider than the input; a regulariser prevents copying.

    z = f(W x + b) ∈ ℝᵏ, k > D        minimise  L(x, x̂) + λ R

    R = 0                     the code has room for a copy of the image
    R = Σ_j |z_j|             few active units per image
    R = ‖W‖² + ‖W′‖²          small weights

L is the error summed over the pixels. Source: Bengio 2009, "Learning deep architectures for AI",
section 4.6, on why a code with more units than inputs may learn only the identity.

Train it alone: ``python -m Code.overcomplete --help``.
"""

import math

import keras
import numpy as np
from keras import ops

from Code.base import PACKAGE, BaseAutoencoder
from Code.parts.filter_images import filter_images
from Code.sparse import l1_norm
from Code.tied import dense_layers

REGULARISERS = ("none", "l1", "weight decay")


def weight_decay(kernels):
    """``Σ ‖W‖²`` over all kernels, one number."""
    return sum(ops.sum(ops.square(kernel)) for kernel in kernels)


@keras.saving.register_keras_serializable(package=PACKAGE)
class Overcomplete(BaseAutoencoder):
    """The autoencoder with more code units than pixels.

    Parameters
    ----------
    code_dim : number of units; by default 1,024 for the 784 pixels of a digit, and in this
        proportion for other images.
    regulariser : ``"none"``, ``"l1"`` (of the code) or ``"weight decay"``.
    weight : λ, the weight of R in the loss per image.
    code_activation : ReLU by default.

    Raises
    ------
    ValueError
        If the code is not wider than the image, or the regulariser unknown.
    """

    terms = ("reconstruction", "penalty")
    live = ("regulariser", "weight")

    def __init__(
        self,
        code_dim=None,
        code_activation="relu",
        regulariser="none",
        weight=0.1,
        image_shape=(28, 28),
        **kwargs,
    ):
        if regulariser not in REGULARISERS:
            raise ValueError(
                f"regulariser must be one of {', '.join(map(repr, REGULARISERS))}, "
                f"not {regulariser!r}"
            )
        if code_dim is None:
            code_dim = math.ceil(math.prod(image_shape) * 1024 / 784)
        super().__init__(
            code_dim=code_dim, code_activation=code_activation, image_shape=image_shape, **kwargs
        )
        if code_dim <= self.n_pixels:
            raise ValueError(
                f"an overcomplete code needs more than {self.n_pixels} units, not {code_dim}"
            )
        self.regulariser = regulariser
        self.weight = weight

    def loss_terms(self, x, y=None, training=False):
        """Error per image plus λ R; ``penalty`` is R without λ."""
        z = self.encoder(x, training=training)
        error = self.n_pixels * self.reconstruction_error(x, self.decoder(z, training=training))
        penalty = ops.broadcast_to(self.penalty(z), ops.shape(error))
        return {"loss": error + self.weight * penalty, "reconstruction": error, "penalty": penalty}

    def penalty(self, z):
        """R for codes ``(batch, units)``: one value per image, or one for the whole batch."""
        if self.regulariser == "l1":
            return l1_norm(z)
        if self.regulariser == "weight decay":
            kernels = dense_layers(self.encoder) + dense_layers(self.decoder)
            return weight_decay([layer.kernel for layer in kernels])
        return ops.zeros((), dtype=z.dtype)

    def diagnostics(self, x, y):
        """``active_share``: share of the code values on ``x`` that are not 0."""
        share = float(np.mean(self.encode(x) != 0))
        return {**super().diagnostics(x, y), "active_share": share}

    def views(self, x, y):
        """The first layer's filters."""
        kernel = dense_layers(self.encoder)[0].kernel
        return {**super().views(x, y), "filters": filter_images(kernel, self.image_shape)}

    def get_config(self):
        return {**super().get_config(), "regulariser": self.regulariser, "weight": self.weight}


if __name__ == "__main__":
    from Code.commands.variant import main

    main("overcomplete")
