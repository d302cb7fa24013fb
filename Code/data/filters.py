"""Denoising without learning, and PSNR, the measure for all denoising."""

import math

import numpy as np
from scipy import ndimage


def mean_filter(images: np.ndarray, size: int = 3) -> np.ndarray:
    """Replace each pixel by the mean of the ``size`` × ``size`` pixels around it.

    It is the simplest classical denoiser, so any trained one should beat it. Beyond its border an
    image is continued by mirroring (scipy's "reflect": the border pixel is repeated). The channels
    of images in colour are filtered each by itself.

    Parameters
    ----------
    images : (n, height, width) or (n, height, width, channels), floats in [0, 1].
    size : side of the window in pixels.

    Returns
    -------
    An array of the same shape, float32.
    """
    images = np.asarray(images, dtype=np.float32)
    return ndimage.uniform_filter(images, size=(1, size, size, 1)[: images.ndim])


def median_filter(images: np.ndarray, size: int = 3) -> np.ndarray:
    """Replace each pixel by the median of the ``size`` × ``size`` pixels around it.

    Unlike the mean it keeps edges. Arguments and the continuation beyond the border are those of
    `mean_filter`.
    """
    images = np.asarray(images, dtype=np.float32)
    return ndimage.median_filter(images, size=(1, size, size, 1)[: images.ndim])


def psnr(clean: np.ndarray, other: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB, peak 1: 10 log10(1 / MSE), MSE over the whole array.

    It is the ratio for the overall mean squared error, not the mean of the images' own ratios: one
    image that is reconstructed almost exactly would dominate that mean. Equal arrays give infinity.

    Parameters
    ----------
    clean, other : two arrays of one shape, floats in [0, 1]; in colour all channels count alike.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    clean, other = np.asarray(clean), np.asarray(other)
    if clean.shape != other.shape:
        raise ValueError(f"PSNR needs arrays of one shape, not {clean.shape} and {other.shape}")
    mse = float(np.mean(np.square(np.subtract(clean, other, dtype=np.float64))))
    return math.inf if mse == 0 else -10 * math.log10(mse)
