"""The images that a user gives, from pictures and arrays, and the files that results go into."""

import math
from pathlib import Path

import numpy as np
from PIL import Image

from Code.data.array_file import ARRAY_SUFFIXES, array_header, read_array
from Code.data.fit import as_colours, as_grey, fitted
from Code.data.limits import DARK, MAX_BYTES
from Code.data.picture_file import (
    PICTURE_SUFFIXES,
    decoded,
    frames,
    is_colour,
    picture_size,
    pictures_in,
    read_picture,
)
from Code.foundation.atomic import write_with
from Code.foundation.errors import UserError, in_a_line
from Code.parts.images import standard, to_unit

__all__ = [
    "PICTURE_SUFFIXES",
    "fitted",
    "is_colour",
    "load_images",
    "named",
    "picture_size",
    "pictures_in",
    "read_picture",
    "save_images",
]

SHEET_COLUMNS = 16
ACCEPTED = (
    "pictures (PNG, JPEG, BMP, TIFF, GIF, WebP, PGM), folders of them, or .npy or .npz files of "
    "images (n, height, width)"
)
# A picture with less between its darkest and brightest pixel has no ink to tell the ground by
CONTRAST = 0.25


def load_images(
    paths,
    shape=None,
    missing=False,
    invert=False,
    fit=False,
    colour=None,
    dark_ground=True,
    say=None,
):
    """Read images ``(n, height, width)`` or ``(n, height, width, 3)``, float32 in [0, 1].

    A picture is one image, a folder those of its pictures in natural order. An ``.npy`` or ``.npz``
    holds images by the rule of `Code.parts.images`: ``(n, height, width)``, with or without a last
    axis of 1 or 3, or one image; rows ``(n, height·width)`` are images of ``shape``. Colours become
    grey, and grey fills three channels, as ``colour`` asks.

    Parameters
    ----------
    paths : one path, or several; all images in their order.
    shape : ``(height, width)`` or ``(height, width, 3)`` that images must have, or None for any.
    missing : whether pixels may be missing (NaN in an array, transparent in a picture). If so, they
        are returned as NaN; otherwise they are an error.
    invert : whether to return 1 − x.
    fit : whether images of any size are brought to ``shape``, by `fitted`.
    colour : whether to return colours; by default, if ``shape`` has three entries.
    dark_ground : whether the images should have a dark ground; if grey ones have not, it is said.
    say : called with a line about each thing that is worth knowing, or None.

    Raises
    ------
    UserError
        If the files cannot be used; the message says what is wrong and what to do.
    """
    if fit and shape is None:
        raise ValueError("fit needs the shape that the images are brought to")
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    say = say or (lambda line: None)
    colour = len(shape or ()) == 3 if colour is None else colour
    files = _files(paths, say)
    _check_sizes(files, named(paths), shape, fit, colour)
    parts, bright, n = [], 0, 0
    for file in files:
        images = _images_of(file, shape, missing, colour, say)
        n += len(images)
        bright += np.count_nonzero(_on_bright_ground(images)) if not colour else 0
        images = 1 - images if invert else images
        parts.append(_fitted(file, images, shape, say) if fit else images)
        if shape is not None:
            _check_size(file, parts[-1].shape[1:], shape)
        elif parts[-1].shape[1:] != parts[0].shape[1:]:
            found, first = (_by_sides(part.shape[1:]) for part in (parts[-1], parts[0]))
            raise UserError(
                f"{file}: {found} pixels, but {files[0]} has {first}; all must have one size"
            )
    brightest = max((float(np.nanmax(part, initial=0)) for part in parts), default=0)
    if 0 < brightest < DARK:
        say(
            f"{named(paths)}: the brightest pixel has {brightest:.2g} of the possible 1; if it "
            "should be white, divide the images by the largest possible value"
        )
    if dark_ground and not invert and 2 * bright > n:
        say(f"{named(paths)}: the ground is bright; if this is dark ink on white, add --invert")
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def named(paths):
    """One path, or the first of several and how many more there are, for a message."""
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    return f"{paths[0]}" + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")


def _files(paths, say):
    """The files of all paths, those of a folder in its place."""
    if not paths:
        raise UserError(f"no file is given; give {ACCEPTED}")
    found = []
    for path in map(Path, paths):
        if path.is_dir():
            found += _files_in(path, say)
        elif path.is_file():
            found.append(path)
        else:
            raise UserError(f"{path}: no such file or folder; give {ACCEPTED}")
    return found


def _files_in(folder, say):
    pictures = pictures_in(folder)
    others = sorted({path.name for path in folder.iterdir()} - {path.name for path in pictures})
    ignored = f"{len(others)} ignored ({in_a_line(', '.join(others), 60)})" if others else ""
    if not pictures:
        raise UserError(
            f"{folder}: a folder without pictures ({', '.join(PICTURE_SUFFIXES)})"
            + (f"; {ignored}" if ignored else "")
        )
    say(f"{folder}: {len(pictures)} pictures" + (f", {ignored}" if ignored else ""))
    return pictures


def _is_array(file):
    return file.suffix.lower() in ARRAY_SUFFIXES


def _check_sizes(files, name, shape, fit, colour):
    """Raise an error by the headers alone for what has the wrong size or takes too much memory."""
    total = 0
    for file in files:
        if _is_array(file):
            stated, dtype = array_header(file)
            # Images are held as float32 in the end
            total += math.prod(stated) * max(4, dtype.itemsize)
        else:
            height, width = picture_size(file)
            if shape is not None and not fit:
                _check_size(file, (height, width), shape[:2])
            total += 4 * (math.prod(shape) if fit else height * width * (3 if colour else 1))
        if total > MAX_BYTES:
            raise UserError(
                f"{name}: more than {MAX_BYTES / 1e9:g} GB of images ({total / 1e9:.1f} GB up to "
                f"{file.name}); give fewer at once"
            )


def _check_size(file, found, needed):
    if tuple(found) != tuple(needed):
        raise UserError(
            f"{file}: images of {_by_sides(found)} pixels, but the model takes "
            f"{_by_sides(needed)}; --fit scales them (in Python fit=True)"
        )


def _by_sides(shape):
    return f"{shape[0]}×{shape[1]}"


def _images_of(file, shape, missing, colour, say):
    """The images of a file as float32 by the rule, grey or in colour; NaN where one is missing."""
    if _is_array(file):
        images = _many(file, read_array(file), shape, colour)
        images = _by_the_rule(file, images, missing)
    else:
        if (n := frames(file)) > 1:
            say(f"{file}: the first of {n} frames is taken")
        pixels, alpha = decoded(file, colour)
        images = _by_the_rule(file, pixels[None], missing)
        absent = None if alpha is None else alpha < 128
        if absent is not None and absent.any():
            _check_missing(file, missing)
            images = np.where(absent[..., None] if colour else absent, np.float32(np.nan), images)
    if colour:
        return images if images.ndim == 4 else as_colours(images)
    return as_grey(images) if images.ndim == 4 else images


def _many(file, array, shape, colour):
    """An array as ``(n, height, width)`` or ``(n, height, width, 3)``."""
    found = array.shape
    shape = tuple(shape or ())
    if shape and found in (shape, (*shape, 1)):
        array = array[None]
    elif shape and _flat(found) == math.prod(shape):
        array = array.reshape(-1, *shape)
    elif array.ndim == 2 or (colour and found[-1:] == (3,) and array.ndim == 3):
        array = array[None]
    if array.ndim == 4 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim == 3 or (array.ndim == 4 and array.shape[-1] == 3):
        return array
    move = ": move the channels to the end with np.moveaxis(x, 1, -1)"
    raise UserError(
        f"{file}: an array {found}; images are (n, height, width), or in colour "
        "(n, height, width, 3)" + (move if len(found) == 4 and found[1] in (1, 3) else "")
    )


def _flat(found):
    """The pixels of an image in an array ``(pixels,)``, ``(n, pixels)`` or ``(n, pixels, 1)``."""
    if len(found) == 3 and found[-1] == 1:
        found = found[:-1]
    return found[-1] if len(found) in (1, 2) else None


def _by_the_rule(file, images, missing):
    """Images as float32 by `standard`, which takes no NaN: here they may be missing pixels."""
    absent = np.isnan(images) if images.dtype.kind == "f" else np.False_
    if not absent.any():
        return to_unit(standard(images, f"{file}: the images"))
    _check_missing(file, missing)
    known = standard(np.where(absent, 0, images), f"{file}: the images")
    return np.where(absent, np.float32(np.nan), known)


def _check_missing(file, missing):
    if not missing:
        raise UserError(
            f"{file}: some pixels are NaN or transparent; `Code.use fill` fills missing pixels in"
        )


def _on_bright_ground(images):
    """Which grey images have a border nearer to their brightest pixel than to their darkest.

    Where there is no contrast, a border brighter than 0.5 counts.
    """
    images = np.nan_to_num(images)
    rows, columns = images[:, [0, -1]], images[:, :, [0, -1]]
    border = np.concatenate([x.reshape(len(images), -1) for x in (rows, columns)], axis=1)
    low, high = images.min(axis=(1, 2)), images.max(axis=(1, 2))
    halfway = np.where(high - low < CONTRAST, 0.5, (low + high) / 2)
    return np.median(border, axis=1) > halfway


def _fitted(file, images, shape, say):
    if np.isnan(images).any():
        raise UserError(f"{file}: --fit takes no missing pixels; scale the picture before, or fill")
    results = np.stack([fitted(image, shape, centre_ink=True) for image in images])
    blank = np.count_nonzero(~results.any(axis=tuple(range(1, results.ndim))))
    if blank:
        say(f"{file}: {'no ink' if len(images) == 1 else f'no ink in {blank} images'} was found")
    return results


def save_images(path, images, invert=False):
    """Write images, cut to [0, 1], as ``.npz`` (``images``) or ``.png``.

    A PNG shows several images side by side, sixteen per row, without gaps. `load_images` reads a
    saved ``.npz`` back exactly, and a PNG of one image with a precision of 1/255.

    Parameters
    ----------
    images : ``(n, height, width)``, or in colour ``(n, height, width, 3)``.

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
    n, height, width, *channels = images.shape
    tiles = np.zeros((rows * columns, height, width, *channels), np.float32)
    tiles[:n] = images
    tiles = tiles.reshape(rows, columns, height, width, *channels).swapaxes(1, 2)
    return tiles.reshape(rows * height, columns * width, *channels)
