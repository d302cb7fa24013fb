"""Pictures of any size → images of a model's size.

Ink is found on its ground and centred as MNIST's digits are: the ink's bounding box is scaled, its
aspect ratio kept, into a box of 20×20 pixels of an image of 28×28, and its centre of mass is placed
in the middle (LeCun, Bottou, Bengio & Haffner 1998, "Gradient-based learning applied to document
recognition"; http://yann.lecun.com/exdb/mnist). Other pictures are scaled and cropped as a whole.
"""

import numpy as np

# Its parts are imported at their first use, so that images that need none of this start at once
import skimage as ski
from PIL import Image, ImageOps

from Code.parts.images import to_unit

# MNIST's box of 20 pixels in an image of 28
BOX = 20 / 28
# Strokes are found as well in this many pixels, in a hundredth of the time that a photograph takes
LONGEST = 512
# Ink stands out from its ground by this part of the grey scale, and by more than the ground's noise
FAINTEST, DEVIATIONS = 0.08, 4
# A stroke's edge ends at this part of its brightness; noise is smoothed over this part of a side
SOFTEST, SMOOTHED = 0.1, 400
# The faint rim of a stroke, as a part of the longest side
EDGE = 0.01
# Connected ink of less than this share of all is dust
DUST = 0.02
# What varies by less than a grey level of eight bits is of one brightness
LEVEL = 1 / 255
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as Pillow has it


def fitted(image: np.ndarray, shape, centre_ink: bool) -> np.ndarray:
    """Return an image in the given shape, of the kind it came in: uint8, or float32 in [0, 1].

    Parameters
    ----------
    image : ``(h, w)`` or ``(h, w, 3)``, uint8 or floats in [0, 1] without NaN.
    shape : ``(height, width)`` or ``(height, width, 3)``.
    centre_ink : whether the picture is bright ink on a dark ground, to be centred as in MNIST; the
        ground becomes 0 and the brightest ink 1, and what is blank becomes 0. Otherwise, and always
        in colour, the whole picture is scaled, and cropped in the middle to the new aspect ratio.
    """
    unit = to_unit(image)
    if unit.ndim != len(shape):
        unit = as_grey(unit) if unit.ndim == 3 else as_colours(unit)
    centred = centre_ink and len(shape) == 2
    result = _centred(unit, shape) if centred else _cropped(unit, shape)
    return np.round(255 * result).astype(np.uint8) if image.dtype == np.uint8 else result


def otsu_threshold(values) -> float:
    """The brightness that separates two classes best (Otsu 1979); the largest where there is one.

    A picture of one brightness has rounding alone to separate, and bins narrower than that.
    """
    values = np.asarray(values)
    return values.max() if np.ptp(values) < LEVEL else ski.filters.threshold_otsu(values)


def as_grey(images: np.ndarray) -> np.ndarray:
    """Colours ``(…, h, w, 3)``, floats in [0, 1], as grey ``(…, h, w)``."""
    return np.clip(images @ LUMA, 0, 1)


def as_colours(images: np.ndarray) -> np.ndarray:
    """Grey images ``(…, h, w)``, repeated on three channels ``(…, h, w, 3)``."""
    return np.repeat(images[..., None], 3, axis=-1)


def _cropped(unit, shape):
    """The whole picture, scaled and cropped in the middle."""
    height, width = shape[:2]
    channels = np.moveaxis(np.atleast_3d(unit), -1, 0)
    scaled = [ImageOps.fit(Image.fromarray(c), (width, height), Image.LANCZOS) for c in channels]
    return np.clip(np.stack(scaled, axis=-1), 0, 1).reshape(shape)


def _centred(unit, shape):
    """The ink of a picture, scaled into MNIST's box, its centre of mass in the middle."""
    factor = -(-max(unit.shape) // LONGEST)
    unit = np.asarray(Image.fromarray(unit).reduce(factor)) if factor > 1 else unit
    ink = _without_ground(unit)
    strokes = _inked(ink)
    found = np.argwhere(strokes)
    result = np.zeros(shape, np.float32)
    if not len(found):
        return result
    (top, left), (bottom, right) = found.min(axis=0), found.max(axis=0) + 1
    scale = min(BOX * shape[0] / (bottom - top), BOX * shape[1] / (right - left))
    height, width = (max(1, round(scale * side)) for side in (bottom - top, right - left))
    ink = np.where(
        ski.morphology.isotropic_dilation(strokes, max(1, EDGE * max(ink.shape))), ink, 0
    )
    # Areas are averaged where it shrinks; that rings less than a Lanczos filter does
    method = Image.BOX if scale <= 1 else Image.LANCZOS
    scaled = Image.fromarray(ink).resize((width, height), method, box=(left, top, right, bottom))
    digit = np.clip(np.asarray(scaled), 0, None)
    digit = np.clip(digit / digit.max(), 0, 1)
    y, x = (
        _start(digit.sum(axis=1 - axis), side, whole)
        for axis, (side, whole) in enumerate(zip(digit.shape, shape, strict=True))
    )
    result[y : y + height, x : x + width] = digit
    return result


def _start(mass, side, whole):
    """Where a digit of ``side`` pixels begins for its mass to lie in the middle of ``whole``."""
    centre = np.average(np.arange(side), weights=mass)
    return int(np.clip(round(whole / 2 - centre), 0, whole - side))


def _without_ground(unit):
    """The picture above its ground: a surface of degree 2, for light falls unevenly on paper."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, side) for side in unit.shape), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1)
    rest = unit
    # A plane first: a curved surface would follow the ink that is still in it
    for n in (3, 3, 6, 6):
        paper = _paper(rest)
        ground = terms[..., :n] @ np.linalg.lstsq(terms[paper][:, :n], unit[paper], rcond=None)[0]
        rest = unit - ground
    return rest.astype(np.float32)


def _paper(rest):
    """The pixels of the ground: the darker class, without the edges of strokes that are in it."""
    darker = rest <= otsu_threshold(rest)
    middle, deviation = _spread(rest[darker])
    return darker & (np.abs(rest - middle) <= 3 * deviation + 1e-6)


def _spread(values):
    """Median, and the standard deviation by the median of the absolute differences from it."""
    middle = np.median(values)
    return middle, 1.4826 * np.median(np.abs(values - middle))


def _inked(ink):
    """The pixels of the strokes, with their soft edges and without dust; none if it is blank."""
    smooth = ski.filters.gaussian(ink, min(ink.shape) / SMOOTHED)
    high = otsu_threshold(smooth)
    deviation = _spread(smooth[smooth <= high])[1]
    level = np.median(smooth[smooth > high]) if (smooth > high).any() else 0
    if level < max(FAINTEST, 2 * DEVIATIONS * deviation):
        return np.zeros(ink.shape, bool)
    low = min(high, max(SOFTEST * level, DEVIATIONS * deviation))
    strokes = ski.measure.label(
        ski.filters.apply_hysteresis_threshold(smooth, low, high), connectivity=2
    )
    sizes = np.bincount(strokes.ravel(), weights=np.clip(smooth, 0, None).ravel())
    sizes[0] = 0
    return (sizes >= DUST * sizes.sum())[strokes] & (strokes > 0)
