"""Autoencoders that match the distribution of all codes to the prior: InfoVAE and WAE.

    InfoVAE (Zhao, Song & Ermon 2017, eq. 6):
        minimise  −log p(x | z) + (1 − α) KL(q(z | x) ‖ p(z)) + (α + λ − 1) MMD²(q(z), p(z))
    MMD-VAE: α = 1, without a KL term.
    WAE-MMD (Tolstikhin et al. 2018, algorithm 2), with a deterministic encoder z = f(x):
        minimise  c(x, x̂) + λ MMD²(q(z), p(z))

    MMD²(q, p) = E k(z, z') + E k(p, p') − 2 E k(z, p),   p(z) = N(0, I)

Train it alone: ``python -m Code.info_vae --help``.
"""

import keras
import numpy as np
from keras import ops

from Code.base import PACKAGE, BaseAutoencoder
from Code.parts.latent import sampled_codes
from Code.parts.losses import kl_to_standard_normal
from Code.parts.noise import normal
from Code.parts.two_sample import prior_measures
from Code.vae import VAE

MEASURED_CODES = 2000
MEASURE_SEED = 0
# log σ² for σ = 0.14, see `InfoVAE`
INITIAL_LOG_VAR = -4.0


def squared_distances(a, b):
    """``‖a_i − b_j‖²``, ``(n, m)``, for points ``(n, code)`` and ``(m, code)``."""
    products = ops.matmul(a, ops.transpose(b))
    squares = ops.sum(a * a, axis=1)[:, None] + ops.sum(b * b, axis=1)[None, :]
    return ops.maximum(squares - 2.0 * products, 0.0)


def inverse_multiquadric(a, b):
    """``k(a, b) = C / (C + ‖a − b‖²)`` with ``C = 2 d``, where d is the number of units.

    C is the expected squared distance of two draws from the prior (Tolstikhin et al. 2018,
    section 4).
    """
    c = 2.0 * a.shape[-1]
    return c / (c + squared_distances(a, b))


def gaussian_kernel(a, b):
    """``k(a, b) = exp(−‖a − b‖² / 2d)``: scaled like `inverse_multiquadric`, with lighter tails."""
    return ops.exp(-squared_distances(a, b) / (2.0 * a.shape[-1]))


KERNELS = {"inverse multiquadric": inverse_multiquadric, "gaussian": gaussian_kernel}


def mmd(a, b, kernel=inverse_multiquadric):
    """Unbiased estimate of MMD² between the distributions of two samples; it can be negative.

    ``1/n(n−1) Σ_{i≠j} k(a_i, a_j) + 1/m(m−1) Σ_{i≠j} k(b_i, b_j) − 2/nm Σ_ij k(a_i, b_j)``
    Source: Gretton et al. 2012, eq. 3.

    Parameters
    ----------
    a, b : tensors ``(n, code)`` and ``(m, code)``.
    kernel : function of two such tensors that returns values ``(n, m)``.
    """
    return (
        _off_diagonal_mean(kernel(a, a))
        + _off_diagonal_mean(kernel(b, b))
        - 2.0 * ops.mean(kernel(a, b))
    )


def _off_diagonal_mean(k):
    n = ops.shape(k)[0]
    index = ops.arange(n)
    pairs = ops.cast(ops.not_equal(index[:, None], index[None, :]), k.dtype)
    # A batch of one image has no pairs
    return ops.sum(k * pairs) / ops.cast(ops.maximum(n * (n - 1), 1), k.dtype)


def mmd_to_prior(z, kernel, seed):
    """MMD² of codes ``(batch, code)`` to as many draws of N(0, I), repeated for each image."""
    value = mmd(z, normal(ops.shape(z), seed), KERNELS[kernel])
    return ops.broadcast_to(value, (ops.shape(z)[0],))


def measured_mmd(z, kernel):
    """MMD² of at most 2000 codes (an array) to the prior, with the same draws in every call."""
    z = ops.convert_to_tensor(z[:MEASURED_CODES])
    return float(mmd_to_prior(z, kernel, MEASURE_SEED)[0])


def distance_measures(z, kernel):
    """``mmd_to_prior`` of codes ``(n, code)``, and how far they are from as many draws of N(0, I).

    See `Code.parts.two_sample.prior_measures`; the draws are the same in every call.
    """
    # Not the numbers of which `sampled_codes` made the codes
    draws = np.random.default_rng(MEASURE_SEED + 1).standard_normal(z.shape)
    return {"mmd_to_prior": measured_mmd(z, kernel), **prior_measures(z, draws)}


def _check_kernel(kernel):
    if kernel not in KERNELS:
        raise ValueError(f"kernel must be one of {', '.join(map(repr, KERNELS))}, not {kernel!r}")


@keras.saving.register_keras_serializable(package=PACKAGE)
class InfoVAE(VAE):
    """The InfoVAE; with the default α = 1 it is the MMD-VAE. Its loss is per image, as the VAE's.

    σ starts near 0.14. With σ = 1 and means near 0, the samples are draws of the prior whatever the
    image: the MMD has its minimum before anything is learned, and units stay there, dead. From a
    small σ, the means have to spread until they fill the prior.

    Parameters
    ----------
    alpha : α; with 0 the KL term has full weight, with 1 it is left out.
    mmd_weight : λ. MMD² is about 0.01 where the likelihood is about 100 nats; therefore the default
        is large.
    kernel : a name in ``KERNELS``.

    Notes
    -----
    The MMD is that of each batch: where images are in an order, as MNIST's are by writer, a batch
    is less varied than the whole and its MMD higher. Shuffle images for ``evaluate``.

    Raises
    ------
    ValueError
        If ``kernel`` is not known.
    """

    terms = ("reconstruction", "kl", "mmd")
    live = ("alpha", "mmd_weight", "kernel")

    def __init__(self, alpha=1.0, mmd_weight=1000.0, kernel="inverse multiquadric", **kwargs):
        _check_kernel(kernel)
        super().__init__(**kwargs)
        self.alpha = alpha
        self.mmd_weight = mmd_weight
        self.kernel = kernel
        self.prior_seed = keras.random.SeedGenerator()

    def build_encoder(self):
        encoder = super().build_encoder()
        bias = encoder.get_layer("z_log_var").bias
        bias.assign(ops.full(bias.shape, INITIAL_LOG_VAR))
        return encoder

    def loss_terms(self, x, y=None, training=False):
        """The weighted sum; ``kl`` and the other terms are given without their weights."""
        z_mean, z_log_var = self.encoder(x, training=training)
        z = self.sample(z_mean, z_log_var)
        x_hat = self.decoder(z, training=training)
        reconstruction = self.n_pixels * self.reconstruction_error(x, x_hat)
        kl = kl_to_standard_normal(z_mean, z_log_var)
        distance = mmd_to_prior(z, self.kernel, self.prior_seed)
        penalty = (1 - self.alpha) * kl + (self.alpha + self.mmd_weight - 1) * distance
        return {
            "loss": reconstruction + penalty,
            "reconstruction": reconstruction,
            "kl": kl,
            "mmd": distance,
        }

    def diagnostics(self, x, y):
        """How far sampled codes of ``x`` are from N(0, I), see `distance_measures`."""
        found = distance_measures(sampled_codes(self, x), self.kernel)
        return {**super().diagnostics(x, y), **found}

    def get_config(self):
        own = {"alpha": self.alpha, "mmd_weight": self.mmd_weight, "kernel": self.kernel}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package=PACKAGE)
class WAE(BaseAutoencoder):
    """The Wasserstein autoencoder with MMD; its loss is the summed reconstruction error + λ MMD².

    ``reconstruction`` is binary cross-entropy by default.

    Parameters
    ----------
    mmd_weight, kernel : as in `InfoVAE`.
    """

    terms = ("reconstruction", "mmd")
    live = ("mmd_weight", "kernel")
    has_prior = True

    def __init__(
        self,
        mmd_weight=1000.0,
        kernel="inverse multiquadric",
        reconstruction="binary cross-entropy",
        **kwargs,
    ):
        _check_kernel(kernel)
        super().__init__(reconstruction=reconstruction, **kwargs)
        self.mmd_weight = mmd_weight
        self.kernel = kernel
        self.prior_seed = keras.random.SeedGenerator()

    def loss_terms(self, x, y=None, training=False):
        """The weighted sum, and its two terms."""
        z = self.encoder(x, training=training)
        x_hat = self.decoder(z, training=training)
        reconstruction = self.n_pixels * self.reconstruction_error(x, x_hat)
        distance = mmd_to_prior(z, self.kernel, self.prior_seed)
        return {
            "loss": reconstruction + self.mmd_weight * distance,
            "reconstruction": reconstruction,
            "mmd": distance,
        }

    def diagnostics(self, x, y):
        """How far the codes of ``x`` are from N(0, I), see `distance_measures`."""
        return {**super().diagnostics(x, y), **distance_measures(self.encode(x), self.kernel)}

    def get_config(self):
        own = {"mmd_weight": self.mmd_weight, "kernel": self.kernel}
        return {**super().get_config(), **own}


if __name__ == "__main__":
    from Code.commands.variant import main

    main("info_vae")
