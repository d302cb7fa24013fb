"""One picture file → an array, by Pillow: PNG, JPEG, BMP, TIFF, GIF, WebP or PGM.

The content of a file decides its format. Its header is looked at before memory is taken.
"""

import contextlib
import re
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from Code.foundation.errors import UserError, in_a_line
from Code.parts.images import standard, to_unit

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "PPM")
PICTURE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".tif", ".tiff", ".gif", ".webp"),
    *(".pgm", ".ppm", ".pbm", ".pnm"),
)
# A grey picture comes back from JPEG or WebP with channels so far apart, of 255
NOT_GREY = 8
# A telephone's photographs have up to 50 million
MAX_PIXELS = 64_000_000
_ORIENTATION = 0x0112  # of EXIF, 1 to 8
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def pictures_in(folder) -> list[Path]:
    """The picture files that lie in a folder, in natural order: 2.png comes before 10.png.

    Hidden files, subfolders and files of other kinds are left out.
    """
    files = (path for path in Path(folder).iterdir() if not path.name.startswith("."))
    found = [p for p in files if p.suffix.lower() in PICTURE_SUFFIXES and p.is_file()]
    return sorted(found, key=_natural)


def _natural(path):
    words = re.split(r"([0-9]+)", path.name.lower())
    return [int(w) if i % 2 else w for i, w in enumerate(words)], path.name


def picture_size(path) -> tuple[int, int]:
    """``(height, width)`` of a picture that stands upright; only its header is read.

    Raises
    ------
    UserError
        If the file is no picture, or has more than 64 million pixels.
    """
    with _opened(path) as picture:
        width, height = picture.size
        return (width, height) if _orientation(picture) >= 5 else (height, width)


def frames(path) -> int:
    """How many pictures a file holds, as an animation does; `decoded` reads the first.

    Raises
    ------
    UserError
        If the file is no picture.
    """
    with _opened(path) as picture:
        # A photograph's second frame is a preview of it
        return 1 if picture.format == "MPO" else getattr(picture, "n_frames", 1)


def is_colour(path) -> bool:
    """Whether a picture has a pixel that is not grey; what compression does to grey is not counted.

    Raises
    ------
    UserError
        If the file cannot be read as a picture.
    """
    with _opened(path) as picture:
        if picture.mode in ("1", "L", "LA", "La", "F") or picture.mode.startswith("I"):
            return False
    pixels = read_picture(path, colour=True)
    return bool((pixels.max(axis=-1) - pixels.min(axis=-1) > NOT_GREY).any())


def read_picture(path, colour=False) -> np.ndarray:
    """Read a picture, upright, as uint8: ``(h, w)``, or in colour ``(h, w, 3)``.

    Colours become grey where ``colour`` is false, and grey fills three channels where it is true.
    Transparent parts lie over black. 16 bits a pixel become 8.

    Raises
    ------
    UserError
        If the file cannot be read as a picture, has more than 64 million pixels, or pixels that are
        not as the rule of `Code.parts.images` has them.
    """
    pixels, alpha = decoded(path, colour)
    if pixels.dtype != np.uint8:
        pixels = to_unit(standard(pixels, f"{path}: the pixels"))
        pixels = np.round(255 * pixels).astype(np.uint8)
    if alpha is None:
        return pixels
    alpha = alpha[..., None] if colour else alpha
    return np.round(pixels * (alpha / np.float32(255))).astype(np.uint8)


def decoded(path, colour=False):
    """A picture's pixels as they are stored, upright, and its opacity.

    Returns
    -------
    pixels : ``(h, w)``, or in colour ``(h, w, 3)``: uint8, or what a file of more bits holds.
    alpha : uint8 ``(h, w)``, 255 where it is opaque; None for a picture without transparency.

    Raises
    ------
    UserError
        If the file cannot be read as a picture, or has more than 64 million pixels.
    """
    with _opened(path) as picture:
        turn = _UPRIGHT.get(_orientation(picture))
        picture.load()
        upright = picture if turn is None else picture.transpose(turn)
        if upright.mode == "F" or upright.mode.startswith("I"):
            pixels = np.asarray(upright)
            pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
            return (np.repeat(pixels[..., None], 3, axis=-1) if colour else pixels), None
        alpha = None
        if picture.has_transparency_data:
            upright = upright.convert("RGBA")
            alpha = np.asarray(upright)[..., 3]
        return np.asarray(upright.convert("RGB" if colour else "L")), alpha


@contextlib.contextmanager
def _opened(path):
    """Pillow's picture of a file, of which only the header is read; every failure is one line."""
    most = f"at most {MAX_PIXELS // 10**6} million pixels are read: shrink it first"
    try:
        # A stream: where Pillow 13 opens the file itself, it garbles a TIFF that lies on its side
        with Path(path).open("rb") as stream, warnings.catch_warnings():
            # It warns of what it reads nevertheless, and of the sizes that are looked at here
            warnings.simplefilter("ignore")
            with Image.open(stream, formats=FORMATS) as picture:
                width, height = picture.size
                if width * height > MAX_PIXELS:
                    raise UserError(f"{path}: {height}×{width} pixels; {most}")
                yield picture
    except UserError:
        raise
    except Image.DecompressionBombError as error:
        raise UserError(f"{path}: too large; {most}") from error
    except UnidentifiedImageError as error:
        raise UserError(
            f"{path}: not a picture that can be read; give PNG, JPEG, BMP, TIFF, GIF, WebP or PGM"
        ) from error
    except Exception as error:  # a damaged file raises any of a dozen types
        raise UserError(f"{path}: cannot be read as a picture ({in_a_line(error, 200)})") from error


def _orientation(picture):
    """How a photograph was held, by EXIF: 1 is upright, and from 5 on height and width change."""
    if picture.format == "TIFF":
        return 1  # Pillow itself turns these
    try:
        # Of a PNG its own getexif would decode the whole picture
        return int(Image.Image.getexif(picture).get(_ORIENTATION, 1))
    except Exception:  # damaged EXIF data, of which the picture has no need
        return 1
