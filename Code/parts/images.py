"""How arrays become intensities in [0, 1]: the one rule for the whole project."""

import numpy as np


def to_unit(images: np.ndarray) -> np.ndarray:
    """Return images of any shape, uint8 or float in [0, 1], as float32 in [0, 1]."""
    if images.dtype == np.uint8:
        return np.divide(images, np.float32(255), dtype=np.float32)
    return images.astype(np.float32, copy=False)


def check_sides(shape, halvings):
    """Raise an error for images whose sides cannot be halved ``halvings`` times without remainder.

    Raises
    ------
    ValueError
        If a side of ``shape`` is not a multiple of ``2^halvings``.
    """
    step = 2**halvings
    if any(side % step for side in shape):
        raise ValueError(f"image sides {tuple(shape)} must be multiples of {step}")
