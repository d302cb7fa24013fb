"""Measures of the kernel of a first layer, whose columns are the filters of its units."""

import numpy as np

# The share of images in which a pixel has to carry ink to count as inked
INKED = 0.01


def first_kernel(encoder):
    """The kernel ``(inputs, units)`` of the first dense layer of a Keras model.

    Raises
    ------
    ValueError
        If the model has no dense layer, whose kernel is a matrix.
    """
    for layer in encoder.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is not None and len(kernel.shape) == 2:
            return np.asarray(kernel)
    raise ValueError("no dense layer, so no kernel whose columns are filters")


def inked(images):
    """Which pixels carry ink in at least 1 % of ``images (n, height, width)``: a boolean image."""
    return (images > 0).mean(axis=0) >= INKED


def roughness(kernel, image_shape, where=None):
    """How noisy the filters are: 1 on average for independent weights, near 0 for smooth ones.

    For a filter w it is Σ (w_i − w_j)² / Σ (w_i² + w_j²) over all pairs of neighbouring pixels:
    Geary's contiguity ratio about 0. The result is the mean over the filters that are not 0.

    Parameters
    ----------
    kernel : array ``(height · width, units)``, in colour ``(height · width · channels, units)``.
    image_shape : ``(height, width)`` or ``(height, width, channels)``.
    where : boolean array of ``image_shape``; only pairs of which both pixels are marked count. By
        default all do.

    Returns
    -------
    float; NaN if no pair counts or all filters are 0.

    References
    ----------
    Geary 1954, "The contiguity ratio and statistical mapping".
    """
    filters = np.asarray(kernel, np.float64).T.reshape(-1, *image_shape)
    where = np.ones(image_shape, bool) if where is None else where
    difference, size = np.zeros(len(filters)), np.zeros(len(filters))
    for axis in (0, 1):
        n = image_shape[axis]
        one, other = (np.take(filters, np.arange(k, n - 1 + k), axis + 1) for k in (0, 1))
        both = np.take(where, np.arange(n - 1), axis) & np.take(where, np.arange(1, n), axis)
        difference += np.square(one - other)[:, both].sum(axis=1)
        size += (np.square(one) + np.square(other))[:, both].sum(axis=1)
    some = size > 0
    return float(np.mean(difference[some] / size[some])) if some.any() else float("nan")


def coherence(kernel):
    """The mean |cosine| of the angles between the filters of different units; 0 if orthogonal.

    Independent Gaussian filters of d weights have about √(2 / πd): 0.028 for the pixels of a digit.

    Parameters
    ----------
    kernel : array ``(inputs, units)``. Units whose weights are all 0 have no direction and are
        left out.

    Returns
    -------
    float; NaN if fewer than two units have a direction.
    """
    filters = np.asarray(kernel, np.float64).T
    lengths = np.linalg.norm(filters, axis=1)
    directions = filters[lengths > 0] / lengths[lengths > 0, None]
    n = len(directions)
    if n < 2:
        return float("nan")
    return float((np.abs(directions @ directions.T).sum() - n) / (n * (n - 1)))


def shuffled(images, where, seed=0):
    """Images whose pixels have changed places at random, in each image in another way.

    Only the pixels in ``where``, a boolean image, change places; all others become 0. The
    intensities of an image are kept, whatever else there is to learn is gone.
    """
    rng = np.random.default_rng(seed)
    mixed = np.zeros_like(images)
    mixed[:, where] = rng.permuted(images[:, where], axis=1)
    return mixed


def unexplained(images, reconstructions):
    """Squared error of reconstructions, as a share of the images' variance about their mean.

    0 for a perfect copy, 1 for the mean image in place of every image; NaN if they do not vary.
    """
    error = np.square(images - reconstructions).sum(dtype=np.float64)
    variance = np.square(images - images.mean(axis=0)).sum(dtype=np.float64)
    return float(error / variance) if variance > 0 else float("nan")
