"""How arrays become intensities in [0, 1]: the one rule for the whole project.

The type of an array decides, never the largest value of a batch:

    bool                0 and 1
    uint8               divided by 255
    uint16              divided by 65,535
    other integers      divided by 255, if all lie in 0 to 255 and some exceed 1
    floats              as they are, and they must lie in [0, 1]

A last axis of length 1 is dropped. Whatever else is given is an error of one line.
"""

import numpy as np

from Code.foundation.errors import UserError


class ImageError(UserError, ValueError):
    """Images that cannot be used; the message says in one line what is wrong and what to do."""


def to_unit(images: np.ndarray) -> np.ndarray:
    """Return images of any shape by the rule above, as float32 in [0, 1]; floats are not checked.

    Raises
    ------
    ImageError
        If they are integers other than the rule has them, or no numbers.
    """
    if images.dtype.kind == "f":
        return images.astype(np.float32, copy=False)
    images = _bytes_or_floats(images, "the images")
    if images.dtype == np.uint8:
        return np.divide(images, np.float32(255), dtype=np.float32)
    return images


def standard(images: np.ndarray, what: str = "the images") -> np.ndarray:
    """Return images of any shape by the rule above, checked: uint8 as they are, else float32.

    Bytes stay bytes because they take a quarter of the memory; `to_unit` scales them.

    Parameters
    ----------
    what : the name of the images in a message.

    Raises
    ------
    ImageError
        If there are none, or they are not as the rule has them.
    """
    if not images.size:
        raise ImageError(f"{what}: there are none (an array of the shape {images.shape})")
    if images.dtype.kind != "f":
        return _bytes_or_floats(images, what)
    low, high = images.min(), images.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ImageError(f"{what} hold NaN or infinite values; remove or replace those pixels")
    if low < 0 or high > 1:
        raise ImageError(
            f"{what} lie between {low:.8g} and {high:.8g}; floats must lie between 0 and 1: divide "
            "by the largest possible value, or give bytes (uint8)"
        )
    return images.astype(np.float32, copy=False)


def _bytes_or_floats(images, what):
    """uint8 as it is, other types but floats as float32 in [0, 1]."""
    if images.dtype == np.uint8:
        return images
    if images.dtype == bool:
        return images.astype(np.float32)
    if images.dtype.kind == "u" and images.dtype.itemsize == 2:  # of either byte order
        return np.divide(images, np.float32(65535), dtype=np.float32)
    if images.dtype.kind not in "iu":
        raise ImageError(f"{what} have the dtype {images.dtype}; numbers are needed")
    low, high = (images.min(), images.max()) if images.size else (0, 255)
    if low < 0 or high > 255:
        raise ImageError(
            f"{what} are integers from {low} to {high}; integers must lie between 0 and 255 (as "
            "uint16, between 0 and 65,535): divide by the largest possible value"
        )
    if high <= 1:
        raise ImageError(
            f"{what} are integers (dtype {images.dtype}) of 0 and 1 only, which may be bits or "
            "very dark bytes: give bits as bool, bytes as uint8"
        )
    return images.astype(np.uint8)


def shaped(images, shape, what: str = "the images") -> np.ndarray:
    """Return an array or a list of images as an array ``(n, *shape)``; values are not looked at.

    Parameters
    ----------
    images : array or list of equally large images; a last axis of length 1 is dropped where
        ``shape`` has none.
    shape : ``(height, width)`` or ``(height, width, channels)``.

    Raises
    ------
    ImageError
        If they have another shape; the message says which, and what to do.
    """
    shape = tuple(shape)
    try:
        images = np.asarray(images)
    except ValueError as error:
        raise ImageError(f"{what} are not all of one size; give an array") from error
    if images.shape[-1:] == (1,) and images.ndim == len(shape) + 2:
        images = images[..., 0]
    if images.shape[1:] == shape:
        return images
    raise ImageError(f"{what} have the shape {images.shape}, {_what_to_do(images.shape, shape)}")


def _what_to_do(found, shape):
    needed = f"(n, {', '.join(map(str, shape))})"
    if found in (shape, (*shape, 1)):
        return f"but {needed} is needed: give a single image as x[None]"
    pixels = int(np.prod(shape))
    if found[1:] == (pixels,):
        return f"but {needed} is needed: reshape them with x.reshape(-1, {needed[4:]}"
    if found[1:] == shape[:2] and len(shape) == 3:
        channels = f"np.repeat(x[..., None], {shape[2]}, axis=-1)"
        return f"but {needed} is needed: repeat the grey values with {channels}"
    if found[1:3] == shape and len(found) == 4:
        return f"but {needed} is needed: make them grey, as x.mean(axis=-1) / 255 does with bytes"
    if len(found) == len(shape) + 1 and sorted(found[1:]) == sorted(shape):
        return f"but {needed} is needed: change the order of the axes with np.moveaxis"
    return f"but {needed} is needed: crop, pad or scale them, or make a model with this image_shape"


def as_images(images, shape, what: str = "the images") -> np.ndarray:
    """Images for a network: `shaped`, then `standard`."""
    return standard(shaped(images, shape, what), what)
