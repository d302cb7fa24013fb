"""VAE with a Gaussian likelihood whose variance is learned (Rybkin, Daniilidis & Levine 2021).

    p(x | z) = N(x; x̂(z), σ²)
    −log p(x | z) = Σ_d ½ [ log 2π σ_d² + (x_d − x̂_d)² / σ_d² ]

A fixed σ is a manual weight between reconstruction and KL term. A learned σ² converges to the mean
squared error, so the balance follows from the likelihood alone.

Train it alone: ``python -m Code.gaussian_vae --help``.
"""

import math

import keras
import numpy as np
from keras import ops

from Code.base import PACKAGE
from Code.parts.losses import pixel_mean
from Code.vae import VAE

VARIANCES = ("global", "pixel")
# About the error of the mean image on MNIST; starting from 1, the KL term would dominate at first
INITIAL_SIGMA = 0.3


def gaussian_negative_log_likelihood(x, x_hat, log_var):
    """``−log N(x; x̂, σ²)`` in nats, the mean over the dimensions of x, ``(batch,)``.

    Source: Rybkin, Daniilidis & Levine 2021, eq. 2. It can be negative, because it is a density.

    Parameters
    ----------
    x, x_hat : tensors ``(batch, ...)``.
    log_var : log σ², a scalar or a tensor ``(...)`` in the shape of one image.
    """
    nats = 0.5 * (math.log(2 * math.pi) + log_var + ops.square(x - x_hat) * ops.exp(-log_var))
    return pixel_mean(nats)


@keras.saving.register_keras_serializable(package=PACKAGE)
class GaussianVAE(VAE):
    """The VAE with p(x | z) = N(x̂, σ²) and learned σ; the loss is −ELBO in nats per image.

    Parameters
    ----------
    variance : ``"global"``, one σ for all pixels, or ``"pixel"``, one for each (the same in every
        image).
    min_sigma : lower bound of σ in units of intensity. Without it, the density at a pixel that
        never changes would grow without limit, although grey values are only known to 1/255.

    Raises
    ------
    ValueError
        If ``variance`` is neither of these or ``min_sigma`` is not positive.
    """

    def __init__(self, variance="global", min_sigma=0.01, reconstruction="mse", **kwargs):
        if variance not in VARIANCES:
            raise ValueError(f"variance must be 'global' or 'pixel', not {variance!r}")
        if not min_sigma > 0:
            raise ValueError(f"min_sigma must be above 0, not {min_sigma}")
        super().__init__(reconstruction=reconstruction, **kwargs)
        self.variance = variance
        self.min_sigma = min_sigma
        self.raw_log_var = self.add_weight(
            shape=self.image_shape if variance == "pixel" else (),
            initializer=keras.initializers.Constant(2 * math.log(INITIAL_SIGMA)),
            name="log_var",
        )

    @property
    def log_var(self):
        """log σ², kept above its bound by a soft maximum, whose gradient does not vanish there."""
        floor = 2 * math.log(self.min_sigma)
        return floor + ops.softplus(self.raw_log_var - floor)

    @property
    def trained_variables(self):
        return [*super().trained_variables, self.raw_log_var]

    def set_sigma(self, sigma):
        """Set σ to a number or an array of shape ``image_shape``; σ must exceed ``min_sigma``."""
        above = 2 * np.log(sigma) - 2 * math.log(self.min_sigma)
        raw = np.log(np.expm1(above)) + 2 * math.log(self.min_sigma)
        self.raw_log_var.assign(np.broadcast_to(raw, self.raw_log_var.shape))

    def reconstruction_error(self, x, x_hat):
        """−log p(x | z) per pixel, ``(batch,)``; the VAE's loss multiplies it by D."""
        return gaussian_negative_log_likelihood(x, x_hat, self.log_var)

    def diagnostics(self, x, y):
        """``sigma``: the learned σ (root mean square over the pixels), in units of intensity."""
        variance = np.exp(ops.convert_to_numpy(self.log_var))
        return {**super().diagnostics(x, y), "sigma": np.sqrt(variance.mean())}

    def views(self, x, y):
        """``sigma``: the learned σ of each pixel, only for ``variance="pixel"``."""
        if self.variance == "global":
            return {}
        return {"sigma": np.exp(0.5 * ops.convert_to_numpy(self.log_var))[None]}

    def get_config(self):
        return {**super().get_config(), "variance": self.variance, "min_sigma": self.min_sigma}


if __name__ == "__main__":
    from Code.commands.variant import main

    main("gaussian_vae")
