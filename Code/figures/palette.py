"""A picture in 256 colours: a third of the file size, with no visible difference."""

import numpy as np
from PIL import Image
from scipy.spatial import KDTree

COLOURS = 256
# The most frequent colours (paper, ink, legends) fill whole areas, so they are kept exactly
EXACT = 64


def in_palette(pixels: np.ndarray) -> Image.Image:
    """The picture with a palette; it is exact if the picture has at most 256 colours.

    Parameters
    ----------
    pixels : uint8 array ``(height, width, 3)``.
    """
    # One number per colour sorts ten times as fast as three
    red, green, blue = np.moveaxis(pixels.astype(np.uint32), -1, 0)
    packed, where, counts = np.unique(
        red << 16 | green << 8 | blue, return_inverse=True, return_counts=True
    )
    colours = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=-1).astype(np.uint8)
    palette = colours
    if len(colours) > COLOURS:
        frequent = np.argsort(-counts, kind="stable")[:EXACT]
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
