"""Pictures in few colours or greys: less than half the file size, with no visible difference."""

from collections.abc import Sequence

import numpy as np
from PIL import Image
from scipy.spatial import KDTree

COLOURS = 256
# The most frequent colours (paper, ink) fill whole areas, so they are kept exactly
EXACT = 64
# They fit into four bits, and the middle one stands for 0 in a filter
GREYS = 15


def in_greys(pixels: np.ndarray) -> Image.Image:
    """The picture in `GREYS` equally spaced greys, black and white among them.

    Parameters
    ----------
    pixels : uint8 array ``(height, width)``.
    """
    steps = GREYS - 1
    image = Image.fromarray(np.round(pixels / 255 * steps).astype(np.uint8), mode="P")
    image.putpalette(np.repeat(np.round(np.linspace(0, 255, GREYS)), 3).astype(np.uint8).tolist())
    return image


def in_palette(pixels: np.ndarray, kept: Sequence[str] = ()) -> Image.Image:
    """The picture with a palette; it is exact if the picture has at most 256 colours.

    Parameters
    ----------
    pixels : uint8 array ``(height, width, 3)``.
    kept : colours as ``#rrggbb`` that stay exact however few pixels have them: a legend's marks
        are small, and two of them must never become one colour.
    """
    # One number per colour sorts ten times as fast as three
    red, green, blue = np.moveaxis(pixels.astype(np.uint32), -1, 0)
    packed, where, counts = np.unique(
        red << 16 | green << 8 | blue, return_inverse=True, return_counts=True
    )
    colours = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=-1).astype(np.uint8)
    palette = colours
    if len(colours) > COLOURS:
        exact = np.isin(packed, [int(colour[1:], 16) for colour in kept])
        frequent = np.argsort(np.where(exact, -np.inf, -counts), kind="stable")[:EXACT]
        rest = np.ones(len(colours), dtype=bool)
        rest[frequent] = False
        palette = np.concatenate([colours[frequent], _typical(colours[rest], counts[rest])])
    _, nearest = KDTree(palette.astype(float)).query(colours.astype(float))
    index = nearest[where.ravel()].astype(np.uint8).reshape(pixels.shape[:2])
    image = Image.fromarray(index, mode="P")
    image.putpalette(palette.ravel().tolist())
    return image


def _typical(colours, counts):
    """The palette of the other colours: by k-means that starts from median cut."""
    # Weighted by the root of their number: a colour of few dots matters too
    drawn = np.repeat(colours, np.ceil(np.sqrt(counts)).astype(int), axis=0)
    cut = Image.fromarray(drawn[None]).quantize(COLOURS - EXACT, Image.Quantize.MEDIANCUT, kmeans=1)
    return np.array(cut.getpalette(), dtype=np.uint8).reshape(-1, 3)
