"""Measures of a trained VAE's code: active units, dependence between them, traversals.

The functions take arrays, or a model of which they use only ``encoder`` and ``decode``.
"""

import numpy as np

MEASURE_SEED = 0
TRAVERSAL_STEPS, TRAVERSAL_EXTENT = 10, 3.0
TRAVERSED_UNITS = 10


def active_units(z_means, threshold=0.01):
    """Number of code units whose posterior mean varies: Var_x(E_q[z_u]) > 0.01.

    Source: Burda et al. 2016, section 5.2.

    Parameters
    ----------
    z_means : array ``(n, code)``.
    """
    return int((np.var(z_means, axis=0) > threshold).sum())


def gaussian_total_correlation(z):
    """Total correlation in nats of the normal distribution with the covariance of ``z``.

    ``½ (Σ_j log Σ_jj − log det Σ)``: 0 where the units are uncorrelated. It needs no trained
    discriminator, but misses dependence that the covariance does not show.
    Source: Locatello et al. 2019, section 5.2.

    Parameters
    ----------
    z : array ``(n, code)`` of samples.
    """
    covariance = np.atleast_2d(np.cov(z, rowvar=False))
    return float(0.5 * (np.log(np.diag(covariance)).sum() - np.linalg.slogdet(covariance)[1]))


def sampled_codes(model, x, seed=MEASURE_SEED):
    """One sample of q(z | x) per image of ``x`` in [0, 1], array ``(n, code)``.

    ``model`` is a VAE whose encoder returns mean and log-variance alone.
    """
    z_mean, z_log_var = model.encoder.predict(x, batch_size=1000, verbose=0)
    epsilon = np.random.default_rng(seed).standard_normal(z_mean.shape)
    return (z_mean + np.exp(0.5 * z_log_var) * epsilon).astype(np.float32)


def most_used(z_means):
    """The units of codes ``(n, code)`` that vary most, at most ten, as numbers from 0."""
    return np.argsort(-z_means.var(axis=0))[:TRAVERSED_UNITS]


def traversal(model, z_means):
    """Decode codes in which one unit goes from −3 to 3 in ten steps and all other units are 0.

    Parameters
    ----------
    model : an autoencoder whose codes are roughly standard normal.
    z_means : array ``(n, code)``; the units are ordered by their variance in it.

    Returns
    -------
    array ``(10 u, *image_shape)``, ten images for each of the first u units, u at most 10.
    """
    units = most_used(z_means)
    steps = np.linspace(-TRAVERSAL_EXTENT, TRAVERSAL_EXTENT, TRAVERSAL_STEPS)
    codes = np.zeros((len(units), TRAVERSAL_STEPS, z_means.shape[1]), np.float32)
    for row, unit in enumerate(units):
        codes[row, :, unit] = steps
    return model.decode(codes.reshape(-1, z_means.shape[1]))
