"""Importance-weighted autoencoder (Burda, Grosse & Salakhutdinov 2016): a tighter bound.

    L_k = E [ log 1/k Σ_i w_i ],   w_i = p(x, z_i) / q(z_i | x),   z_1 … z_k ~ q(z | x)   (eq. 8)
    ELBO = L_1 ≤ L_k ≤ L_{k+1} ≤ log p(x)                                          (theorem 1)

With thousands of samples, the same expression estimates log p(x) for any VAE.

Train it alone: ``python -m Code.iwae --help``.
"""

import math

import keras
import numpy as np
from keras import ops

from Code.base import PACKAGE, Piece
from Code.parts.noise import normal, uniform
from Code.vae import VAE

TEST_SAMPLES = 5000
CONTROL_SAMPLES = 50
TEST_STEP = 50  # one image in fifty is measured with TEST_SAMPLES samples


def log_normal(z, mean, log_var):
    """``log N(z; μ, diag σ²)`` in nats, summed over the last axis."""
    nats = math.log(2 * math.pi) + log_var + ops.square(z - mean) * ops.exp(-log_var)
    return -0.5 * ops.sum(nats, axis=-1)


def log_weights(model, x, z, z_mean, z_log_var, training=False):
    """Return ``log w = log p(x | z) + log p(z) − log q(z | x)`` and ``log p(x | z)``.

    Both have the shape ``(k, batch)``.

    Source: Burda et al. 2016, section 3.

    Parameters
    ----------
    model : a VAE; D times its ``reconstruction_error`` must be −log p(x | z) including constants,
        as for binary cross-entropy and in ``GaussianVAE``.
    x : tensor ``(batch, *image_shape)``.
    z : tensor ``(k, batch, code)``, samples of q(z | x).
    z_mean, z_log_var : tensors ``(batch, code)``.
    """
    k, batch, units = ops.shape(z)
    x_hat = model.decoder(ops.reshape(z, (k * batch, units)), training=training)
    repeated = ops.tile(x, (k, *[1] * (len(x.shape) - 1)))
    error = model.n_pixels * model.reconstruction_error(repeated, x_hat)
    log_likelihood = -ops.reshape(error, (k, batch))
    zero = ops.zeros_like(z_mean)
    log_ratio = log_normal(z, zero, zero) - log_normal(z, z_mean, z_log_var)
    return log_likelihood + log_ratio, log_likelihood


def bound(log_w):
    """``log 1/k Σ_i w_i``, ``(batch,)``, from log weights ``(k, batch)`` (Burda 2016, eq. 8)."""
    return ops.logsumexp(log_w, axis=0) - math.log(log_w.shape[0])


def binarise(x, seed):
    """Draw every pixel as 0 or 1; its intensity is the probability of 1.

    Source: Salakhutdinov & Murray 2008, as used in Burda et al. 2016, section 5.

    Parameters
    ----------
    x : tensor or array of any shape in [0, 1].
    seed : an int, or a generator for new draws in every call.
    """
    x = ops.convert_to_tensor(x)
    return ops.cast(ops.cast(uniform(ops.shape(x), seed), x.dtype) < x, x.dtype)


@keras.saving.register_keras_serializable(package=PACKAGE)
class IWAE(VAE):
    """The VAE trained on L_k; with ``k = 1`` its loss is −ELBO with a sampled KL term.

    ``reconstruction`` and ``kl`` are the terms of −ELBO for the same samples. Their sum minus
    ``loss`` shows how much tighter the bound is.

    Parameters
    ----------
    k : number of samples of z per image in training.
    binary : whether each pixel is drawn anew as 0 or 1 in every step, see `binarise`.
    activation : of the hidden layers, tanh by default as in the paper.

    Raises
    ------
    ValueError
        If ``k`` is below 1.
    """

    def __init__(self, k=5, binary=False, activation="tanh", **kwargs):
        if k < 1:
            raise ValueError(f"k, the number of samples, must be at least 1, not {k}")
        super().__init__(activation=activation, **kwargs)
        self.k = k
        self.binary = binary
        self.binary_seed = keras.random.SeedGenerator()

    def pieces(self):
        """As of the VAE, with k draws of z."""
        encoder, _, *others = super().pieces()
        return [encoder, Piece("sample", f"z = μ + σ ε, {self.k} draws"), *others]

    def loss_terms(self, x, y=None, training=False):
        """−L_k and the terms of −ELBO, in nats per image."""
        x = binarise(x, self.binary_seed) if self.binary else x
        z_mean, z_log_var = self.encoder(x, training=training)
        z = self.samples_of(z_mean, z_log_var)
        log_w, log_likelihood = log_weights(self, x, z, z_mean, z_log_var, training)
        reconstruction = -ops.mean(log_likelihood, axis=0)
        return {
            "loss": -bound(log_w),
            "reconstruction": reconstruction,
            "kl": -ops.mean(log_w, axis=0) - reconstruction,
        }

    def samples_of(self, z_mean, z_log_var):
        """k samples of q(z | x), ``(k, batch, code)``."""
        epsilon = normal((self.k, *ops.shape(z_mean)), self.sample_seed)
        return z_mean + ops.exp(0.5 * z_log_var) * epsilon

    def diagnostics(self, x, y):
        """``nll``: −log p(x) of the test images in nats; ``active_units`` as in the VAE."""
        x = ops.convert_to_numpy(binarise(x, seed=0)) if self.binary else x
        nll = test_negative_log_likelihood(self, x)
        return {**super().diagnostics(x, y), "nll": nll}

    def get_config(self):
        return {**super().get_config(), "k": self.k, "binary": self.binary}


def negative_log_likelihood(model, x, samples=TEST_SAMPLES, seed=0):
    """``−log p(x)`` in nats by importance sampling from q(z | x), ``(n,)``.

    Its expectation is an upper bound that decreases to −log p(x) as ``samples`` grows (Burda et al.
    2016, theorem 1). Its cost is proportional to ``len(x) · samples``.

    Parameters
    ----------
    model : any VAE, see `log_weights`.
    x : array ``(n, *image_shape)`` in [0, 1].
    seed : int; the same seed gives the same result.
    """
    chunk = math.gcd(samples, 50)
    sampler = ImportanceSampler(model, samples, chunk, seed)
    # Not on PyTorch, where compiling needs a C++ compiler
    sampler.compile(jit_compile=keras.backend.backend() != "torch")
    x = np.asarray(x, np.float32)
    # One chunk of decoded images should fit into the processor's cache
    batch = max(1, min(len(x), 1000 // chunk))
    padded = np.concatenate([x, np.repeat(x[-1:], -len(x) % batch, axis=0)])
    return -sampler.predict(padded, batch_size=batch, verbose=0)[: len(x)]


def test_negative_log_likelihood(model, x, seed=0, samples=TEST_SAMPLES, step=TEST_STEP):
    """Mean ``−log p(x)`` over all images, with 5000 samples for one image in fifty.

    Every image gets the bound with 50 samples. The few images with both bounds give the mean gap
    between them, which is added (a control variate). The gap varies little between images, the
    likelihood varies much. So the error is like that of measuring the whole test set with 5000
    samples, at a fraction of the cost.

    Parameters
    ----------
    model, x, seed : as in `negative_log_likelihood`.
    """
    of_all = negative_log_likelihood(model, x, CONTROL_SAMPLES, seed)
    few = negative_log_likelihood(model, x[::step], samples, seed + 1)
    return float(of_all.mean() + (few - of_all[::step]).mean())


test_negative_log_likelihood.__test__ = False  # pytest would take it for a test by its name


class ImportanceSampler(keras.Model):
    """Images → log 1/k Σ w_i, summed in chunks, so that any number of samples fits in memory."""

    def __init__(self, model, samples, chunk, seed):
        super().__init__(dtype=model.variable_dtype)
        self.model = model
        self.chunk, self.chunks = chunk, samples // chunk
        self.noise_seed = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, x):
        z_mean, z_log_var = self.model.encoder(x)
        sigma = ops.exp(0.5 * z_log_var)

        # Drawn outside the loop, because JAX cannot update a generator's state inside a loop
        epsilon = normal((self.chunks, self.chunk, *ops.shape(z_mean)), self.noise_seed)

        def add(i, total):
            z = z_mean + sigma * epsilon[i]
            log_w, _ = log_weights(self.model, x, z, z_mean, z_log_var)
            return ops.logaddexp(total, ops.logsumexp(log_w, axis=0))

        start = ops.full_like(z_mean[:, 0], -1e30)
        total = ops.fori_loop(0, self.chunks, add, start)
        return total - math.log(self.chunk * self.chunks)


if __name__ == "__main__":
    from Code.commands.variant import main

    main("iwae")
