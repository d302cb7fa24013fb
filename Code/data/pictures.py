"""Picture files: read images from a ``.png`` or ``.npz``, and write results to one."""

import math
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from Code.foundation.atomic import write_with
from Code.foundation.errors import UserError
from Code.parts.images import to_unit

SHEET_COLUMNS = 16
# A picture with more pixels is not a digit and would fill the memory
MAX_PIXELS = 2**24
ACCEPTED = "a .png of one grey image, or an .npz of images (n, height, width)"


def load_images(path, shape=None, missing=False, invert=False):
    """Read images ``(n, height, width)``, float32 in [0, 1], from a ``.png`` or ``.npz`` file.

    A PNG is one image; colours become grey. An ``.npz`` holds a single array, or one that is named
    ``images`` or ``x_test``; pickled objects are never loaded.

    Parameters
    ----------
    shape : (height, width) that the images must have, or None for any.
    missing : whether pixels may be missing (NaN in an ``.npz``, transparent in a PNG). If so, they
        are returned as NaN; otherwise they are an error.
    invert : whether to return 1 − x.

    Raises
    ------
    UserError
        If the file cannot be used; the message says what is wrong and what to do.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file; give {ACCEPTED}")
    readers = {".png": _read_png, ".npz": _read_npz}
    if path.suffix.lower() not in readers:
        raise UserError(f"{path}: not a .png or .npz file; give {ACCEPTED}")
    images = _checked(path, readers[path.suffix.lower()](path), missing)
    if shape is not None and images.shape[1:] != tuple(shape):
        found, needed = (f"{h}×{w}" for h, w in (images.shape[1:], shape))
        raise UserError(
            f"{path}: images of {found} pixels, but the model takes {needed}; "
            "crop, pad or scale them"
        )
    return 1 - images if invert else images


def _read_png(path):
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise UserError(f"{path}: {picture.width}×{picture.height} pixels are too many")
            picture.load()
            if picture.mode.startswith("I"):
                return (np.asarray(picture, np.float32) / 65535)[None]
            transparent = "A" in picture.getbands() or "transparency" in picture.info
            rgba = picture.convert("RGBA") if transparent else None
            grey = np.asarray((rgba or picture).convert("L"), np.float32) / 255
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: cannot be read as a PNG ({error})") from error
    if rgba is not None:
        grey = np.where(np.asarray(rgba)[..., 3] < 128, np.nan, grey)
    return grey[None]


def _read_npz(path):
    try:
        with np.load(path, allow_pickle=False) as arrays:
            names = arrays.files
            name = next((n for n in ("images", "x_test") if n in names), names[0] if names else "")
            if name == "" or (len(names) > 1 and name not in ("images", "x_test")):
                raise UserError(
                    f"{path}: holds {', '.join(names) or 'nothing'}; save one array, named images"
                )
            return arrays[name]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        reason = "pickled objects are never loaded" if "pickle" in str(error) else error
        raise UserError(f"{path}: cannot be read as an .npz file ({reason})") from error


def _checked(path, images, missing):
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    images = images[None] if images.ndim == 2 else images
    if images.ndim != 3 or 0 in images.shape:
        raise UserError(f"{path}: an array {images.shape}; images are (n, height, width)")
    if images.dtype != np.uint8 and not np.issubdtype(images.dtype, np.floating):
        raise UserError(f"{path}: dtype {images.dtype}; images are uint8, or floats in [0, 1]")
    images = to_unit(images)
    absent = np.isnan(images)
    if absent.any() and not missing:
        raise UserError(
            f"{path}: some pixels are NaN or transparent; `Code.use fill` fills missing pixels in"
        )
    known = images[~absent]
    if known.size and not (known.min() >= 0 and known.max() <= 1):
        raise UserError(
            f"{path}: values from {known.min():g} to {known.max():g}; floats must lie in [0, 1]"
        )
    return images


def save_images(path, images, invert=False):
    """Write images ``(n, height, width)``, cut to [0, 1], as ``.npz`` (``images``) or ``.png``.

    A PNG shows several images side by side, sixteen per row, without gaps. `load_images` reads a
    saved ``.npz`` back exactly, and a PNG of one image with a precision of 1/255.

    Raises
    ------
    UserError
        If the path ends in neither suffix.
    """
    path = Path(path)
    images = np.clip(np.asarray(images, np.float32), 0, 1)
    images = 1 - images if invert else images
    if path.suffix.lower() == ".npz":
        return write_with(path, lambda part: np.savez_compressed(part, images=images))
    if path.suffix.lower() != ".png":
        raise UserError(f"{path}: images are saved as .png or .npz; give a path that ends so")
    sheet = Image.fromarray(np.round(255 * _sheet(images)).astype(np.uint8))
    return write_with(path, lambda part: sheet.save(part, format="PNG"))


def _sheet(images):
    columns = min(SHEET_COLUMNS, len(images))
    rows = math.ceil(len(images) / columns)
    n, height, width = images.shape
    tiles = np.zeros((rows * columns, height, width), np.float32)
    tiles[:n] = images
    tiles = tiles.reshape(rows, columns, height, width)
    return tiles.transpose(0, 2, 1, 3).reshape(rows * height, columns * width)
