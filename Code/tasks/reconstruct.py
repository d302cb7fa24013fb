"""Reconstruction: how much of an image its code keeps.

MSE    mean over images and pixels of (x − x̂)²
PSNR   10 log₁₀(1 / MSE)
SSIM   see `ssim`
bits   −ELBO(x) / (D ln 2), where the model has a likelihood

python -m Code.use reconstruct --model output/vae-16 --input my.png --output out.png
"""

import math

import numpy as np
from scipy.ndimage import uniform_filter

from Code.data.filters import psnr
from Code.figures.images import image_rows
from Code.parts.images import to_unit
from Code.tasks.principal import principal_components
from Code.tasks.task import Measured, Metric
from Code.training.measures import mean_squared_error

METRICS = (
    Metric("mse", higher_is_better=False, main=True),
    Metric("psnr", "dB"),
    Metric("ssim"),
    Metric("bits_per_pixel", "bits", higher_is_better=False),
)
SSIM_IMAGES = 2000
SSIM_WINDOW = 7
PCA_COMPONENTS = (2, 10, 16, 32)
SHOWN = 10
# Keras clips in the same way; otherwise a certain but wrong pixel would cost infinitely many bits
EPSILON = 1e-7


def measure(model, data, seed=0):
    """Errors of the reconstructed test images; SSIM for the first 2,000 only.

    ``bits_per_pixel`` is measured only for VAEs with binary cross-entropy, see `bits_per_pixel`.
    """
    x_hat = model.reconstruct(data.x_test)
    measured = errors_of(to_unit(data.x_test), x_hat)
    if has_likelihood(model):
        measured.values["bits_per_pixel"] = bits_per_pixel(model, data.x_test, seed)
    return measured


def baselines(data, seed=0):
    """The same for PCA, with as many components as the codes of the comparison have units."""
    x = to_unit(data.x_test)
    return {
        f"pca-{k}": errors_of(x, principal_components(data, k).project(x)) for k in PCA_COMPONENTS
    }


def errors_of(x, x_hat):
    """MSE, PSNR and SSIM of reconstructions ``x_hat`` of images ``x``, both in [0, 1]."""
    few = slice(0, SSIM_IMAGES)
    values = {
        "mse": mean_squared_error(x, x_hat),
        "psnr": psnr(x, x_hat),
        "ssim": float(ssim(x[few], x_hat[few]).mean()),
    }
    return Measured(values, {"images": x[:SHOWN], "reconstructions": x_hat[:SHOWN]})


def figure(measured):
    """Draw ten test images above each model's reconstructions."""
    first = next(iter(measured.values()))
    rows = [(name, m.views["reconstructions"]) for name, m in measured.items()]
    return image_rows([("images", first.views["images"]), *rows])


def ssim(images, others, window=SSIM_WINDOW):
    """Structural similarity of pairs of images, ``(n,)``; 1 where they are equal.

    ``SSIM = (2 μ_x μ_y + C₁)(2 σ_xy + C₂) / ((μ_x² + μ_y² + C₁)(σ_x² + σ_y² + C₂))`` with
    ``C₁ = 0.01²``, ``C₂ = 0.03²``, as the mean over all windows that lie within the image. The
    values equal those of scikit-image's ``structural_similarity``, called for each image, in a
    tenth of the time.

    Parameters
    ----------
    images, others : arrays ``(n, height, width)`` or ``(n, height, width, 3)`` in [0, 1]; of
        colours the mean over the three channels is taken.
    window : side of the square window with equal weights; an odd number, made smaller for images
        with shorter sides.

    References
    ----------
    Wang, Bovik, Sheikh & Simoncelli 2004, "Image quality assessment", equation 13.
    """
    x, y = (np.asarray(a, np.float64) for a in (images, others))
    shortest = min(x.shape[1:3])
    window = min(window, shortest - 1 + shortest % 2)

    def mean(a):
        return uniform_filter(a, (1, window, window, 1)[: a.ndim])

    mean_x, mean_y = mean(x), mean(y)
    # Sample variance, as in the source: divided by the number of pixels minus one
    unbiased = window**2 / (window**2 - 1)
    variances = unbiased * (mean(x * x) + mean(y * y) - mean_x**2 - mean_y**2)
    covariance = unbiased * (mean(x * y) - mean_x * mean_y)
    c1, c2 = 0.01**2, 0.03**2
    similarity = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    similarity /= (mean_x**2 + mean_y**2 + c1) * (variances + c2)
    edge = window // 2
    inner = similarity[:, edge:-edge, edge:-edge]
    return inner.mean(axis=tuple(range(1, inner.ndim)))


def has_likelihood(model):
    """Whether the model's ELBO bounds a probability: true for VAEs with Bernoulli pixels.

    A density, such as that of ``GaussianVAE``, cannot be compared with a number of bits.
    """
    return has_posterior(model) and model.reconstruction == "binary cross-entropy"


def has_posterior(model):
    """Whether the encoder returns q(z | x): true for all kinds of VAE."""
    from Code.vae import VAE

    return isinstance(model, VAE)


def posterior(model, x):
    """``z_mean, z_log_var, rest`` of q(z | x) for images ``x``.

    ``rest`` is the decoder's further input besides z: the labels for ``CVAE``, otherwise an empty
    array ``(n, 0)``.
    """
    from keras import ops

    joined = model.in_batches(
        "posterior", lambda image: ops.concatenate(model.encoder(image), axis=-1), x, 1000
    )
    k = model.code_dim
    return joined[:, :k], joined[:, k : 2 * k], joined[:, 2 * k :]


def drawn(z_mean, z_log_var, rng):
    """Samples z = μ + σ ε, ``(n, code_dim)``, with ε from the generator ``rng``."""
    epsilon = rng.standard_normal(z_mean.shape, np.float32)
    return z_mean + np.exp(0.5 * z_log_var) * epsilon


def bits_per_pixel(model, x, seed=0):
    """Bits per pixel: ``−ELBO / (D ln 2)``, the mean over images, with one draw of z for each.

    ``−ELBO = −log p(x | z) + KL(q(z | x) ‖ N(0, I))`` is an upper bound on the description length
    of an image whose pixels are drawn as 0 or 1, with the intensity as the probability of 1. A
    label that the decoder takes besides z costs the log of the number of labels more, in nats.

    Parameters
    ----------
    model : a VAE with binary cross-entropy.
    x : images ``(n, height, width)``: uint8, or floats in [0, 1].

    References
    ----------
    Kingma & Welling 2013, equation 10; Theis, van den Oord & Bethge 2016, "A note on the evaluation
    of generative models", section 3.1 (bits per dimension).
    """
    z_mean, z_log_var, rest = posterior(model, x)
    z = drawn(z_mean, z_log_var, np.random.default_rng(seed))
    x_hat = model.decode(np.concatenate([z, rest], axis=1))
    kl = 0.5 * np.sum(np.square(z_mean) + np.exp(z_log_var) - 1 - z_log_var, axis=1)
    label = math.log(rest.shape[1]) if rest.shape[1] else 0.0
    nats = _cross_entropy(to_unit(x), x_hat) + kl + label
    return float(np.mean(nats, dtype=np.float64) / (model.n_pixels * math.log(2)))


def _cross_entropy(x, x_hat):
    p = np.clip(x_hat, EPSILON, 1 - EPSILON)
    of_values = x * np.log(p) + (1 - x) * np.log1p(-p)
    return -np.sum(of_values, axis=tuple(range(1, x.ndim)))
