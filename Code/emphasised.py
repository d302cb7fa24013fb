"""Denoising with an emphasised loss (Vincent et al. 2010, section 3.4): more weight on corruption.

    L_α,β(x, x̂) = α Σ_{j corrupted} L(x_j, x̂_j) + β Σ_{j clean} L(x_j, x̂_j)

α = β = 1 is the plain denoising autoencoder; β = 0, full emphasis, ignores the clean pixels. In
colour each value counts by itself: a pixel may be corrupted in one channel and clean in another.

Train it alone: ``python -m Code.emphasised --help``.
"""

import keras
import numpy as np
from keras import ops

from Code.base import PACKAGE
from Code.dae import DAE
from Code.data.corruption import CORRUPTIONS
from Code.parts.losses import pixel_mean

MARK = 0.5


def emphasised(errors, corrupted, alpha, beta):
    """``1/D (α Σ_{corrupted} e_j + β Σ_{others} e_j)``, one value per image.

    Parameters
    ----------
    errors : tensor ``(batch, *image_shape)``, error of each pixel, in colour of each of its values.
    corrupted : boolean tensor of the same shape.
    """
    weights = ops.where(corrupted, alpha, beta)
    return pixel_mean(ops.cast(weights, errors.dtype) * errors)


@keras.saving.register_keras_serializable(package=PACKAGE)
class EmphasisedDAE(DAE):
    """The denoising autoencoder with different weights for corrupted and clean pixels.

    Parameters
    ----------
    alpha, beta : weights of corrupted and of clean pixels.
    corruption : one that leaves some pixels unchanged: ``"masking"`` or ``"salt_and_pepper"``.

    Raises
    ------
    ValueError
        If the corruption is Gaussian: it leaves no pixel clean.
    """

    terms = ("error_corrupted", "error_clean")
    live = ("alpha", "beta")

    def __init__(self, alpha=1.0, beta=0.5, corruption="masking", level=0.25, **kwargs):
        if corruption == "gaussian":
            raise ValueError(
                "Gaussian noise leaves no pixel clean; choose masking or salt_and_pepper"
            )
        super().__init__(corruption=corruption, level=level, **kwargs)
        self.alpha = alpha
        self.beta = beta

    def corrupt_and_tell(self, x, seed=None):
        """Draw x̃ ~ q(x̃ | x); also return which pixels were overwritten, a boolean tensor.

        A pixel counts as overwritten even if it already had its new value.

        Parameters
        ----------
        seed : an int for the same noise in every call; None for new noise.
        """
        seed = self.noise_seed if seed is None else seed
        # Which pixels are overwritten does not depend on the image. So a grey image shows them all,
        # even those where the image itself already has the new value
        marked = CORRUPTIONS[self.corruption](ops.full_like(x, MARK), self.level, seed)
        corrupted = ops.not_equal(marked, MARK)
        return ops.where(corrupted, marked, x), corrupted

    def pixel_errors(self, x, x_hat):
        """The loss named in ``reconstruction`` for every pixel, with the shape of ``x``."""
        each = (ops.reshape(image, (-1, 1)) for image in (x, x_hat))
        return ops.reshape(self.reconstruction_error(*each), ops.shape(x))

    def loss_terms(self, x, y=None, training=False):
        """The emphasised loss; the terms are the two sums divided by D, without their weights."""
        x_tilde, corrupted = self.corrupt_and_tell(x)
        errors = self.pixel_errors(x, self.autoencoder(x_tilde, training=training))
        return {
            "loss": emphasised(errors, corrupted, self.alpha, self.beta),
            "error_corrupted": emphasised(errors, corrupted, 1.0, 0.0),
            "error_clean": emphasised(errors, corrupted, 0.0, 1.0),
        }

    def diagnostics(self, x, y):
        """MSE of the corrupted pixels and of the other pixels, with fixed noise.

        ``mse_unmended`` is the MSE of the corrupted pixels before denoising.
        """
        x_tilde, corrupted = (np.asarray(a) for a in self.corrupt_and_tell(x, seed=1000))
        squares = np.square(self.reconstruct(x_tilde) - x)
        return {
            **super().diagnostics(x, y),
            "mse_corrupted": float(squares[corrupted].mean()),
            "mse_clean": float(squares[~corrupted].mean()),
            "mse_unmended": float(np.square(x_tilde - x)[corrupted].mean()),
        }

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha, "beta": self.beta}


if __name__ == "__main__":
    from Code.commands.variant import main

    main("emphasised")
