"""What each unit of a first layer looks for, as images."""

import numpy as np


def filter_images(kernel, image_shape, n=96):
    """The first ``n`` columns of a kernel as images in [0, 1], each scaled by its largest weight.

    A weight of 0 becomes 0.5 (mid-grey); the weight of largest magnitude becomes 1 if it is
    positive, 0 if it is negative. In colour the channels of a unit have one scale, so that a grey
    filter looks at all of them alike.

    Parameters
    ----------
    kernel : array ``(height · width, units)``, in colour ``(height · width · channels, units)``.
    image_shape : ``(height, width)`` or ``(height, width, channels)``.

    Returns
    -------
    float32 array ``(min(n, units), *image_shape)``.
    """
    columns = np.asarray(kernel, np.float32).T[:n]
    largest = np.abs(columns).max(axis=1, keepdims=True)
    scaled = np.divide(columns, largest, out=np.zeros_like(columns), where=largest > 0)
    return (0.5 + 0.5 * scaled).reshape(-1, *image_shape)
