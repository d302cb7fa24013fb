"""Pictures made of images: labelled rows, mosaics, and the decoded latent plane.

Grey images are dark ink on white, images in colour are red, green and blue. Both are floats in
[0, 1] or uint8 in [0, 255], with an axis of three channels at the end if they are in colour.
"""

import textwrap
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from Code.figures.style import PAGE_WIDTH, new_figure, styled, text_width

_FRAME = "#d5d5d5"
_INK = {"cmap": matplotlib.colormaps["gray_r"].with_extremes(bad=_FRAME), "vmin": 0.0, "vmax": 1.0}
_LABEL_SIZE = 9.5
# Largest width of a digit in screen pixels; beyond it a digit does not become clearer.
_LARGEST = 120
# Smallest width in screen pixels to which an image is shrunk so that its picture fits the page.
_SMALLEST = 28


@styled
def image_rows(rows: Sequence[tuple[str, np.ndarray]]) -> Figure:
    """Draw the rows of images below each other, each with its label at the left.

    Each row is (label, images) with images (n, height, width) or (n, height, width, 3); values
    outside the range are drawn as its ends. All rows have the same shape.

    Raises
    ------
    ValueError
        If there is no image, or the rows differ in shape.
    """
    if not rows:
        raise ValueError("no row of images to draw: give at least one")
    labels = [textwrap.fill(label, 16, break_long_words=False) for label, _ in rows]
    images = [_to_unit(row) for _, row in rows]
    shape = images[0].shape
    if any(row.shape != shape for row in images) or not _are_tiles(images[0], 1):
        shapes = ", ".join(str(row.shape) for row in images)
        raise ValueError(
            "rows of images need one shape (n, height, width) or (n, height, width, 3), "
            f"not {shapes}"
        )
    strips = [_strip(row) for row in images]
    height, width = strips[0].shape[:2]

    lines = [line for label in labels for line in label.split("\n")]
    margin, between = 8, 8
    left = 2 * margin + int(np.ceil(max(text_width(line, _LABEL_SIZE) for line in lines)))
    scale = _scale(shape[2], (PAGE_WIDTH - left - margin) / width)
    total_width = left + scale * width + margin
    total_height = 2 * margin + len(rows) * scale * height + (len(rows) - 1) * between
    figure = new_figure(total_width, total_height, layout=None)
    for i, (label, strip) in enumerate(zip(labels, strips, strict=True)):
        bottom = total_height - margin - (i + 1) * scale * height - i * between
        axes = figure.add_axes(
            (
                left / total_width,
                bottom / total_height,
                scale * width / total_width,
                scale * height / total_height,
            )
        )
        axes.set_axis_off()
        _show(axes, strip, scale)
        figure.text(
            (left - margin) / total_width,
            (bottom + scale * height / 2) / total_height,
            label,
            ha="right",
            va="center",
            fontsize=_LABEL_SIZE,
        )
    return figure


@styled
def grid(tiles: np.ndarray, columns: int = 16) -> Figure:
    """Draw images ``(n, height, width)`` or ``(n, height, width, 3)`` in rows of ``columns``.

    Where any value is negative they are filters: each is scaled by its own largest magnitude, and
    mid-grey is zero. A positive weight is dark, in colour it is bright in its channel.

    The figure is about as wide as the page, but narrower if its height would otherwise exceed three
    times that width.

    Raises
    ------
    ValueError
        If ``tiles`` has another shape, or is empty.
    """
    tiles = _to_unit(tiles)
    if not _are_tiles(tiles, 1):
        raise ValueError(
            f"tiles need the shape (n, height, width) or (n, height, width, 3), not {tiles.shape}"
        )
    if (tiles < 0).any():
        largest = np.abs(tiles).max(axis=tuple(range(1, tiles.ndim)), keepdims=True)
        tiles = 0.5 + 0.5 * tiles / np.maximum(largest, 1e-12)
    lacking = -len(tiles) % min(columns, len(tiles))
    tiles = np.concatenate([tiles, np.full((lacking, *tiles.shape[1:]), np.nan, np.float32)])
    rows = tiles.reshape(-1, min(columns, len(tiles)), *tiles.shape[1:])
    mosaic = np.concatenate([_strip(row)[:-1] for row in rows])
    height, width = mosaic.shape[:2]
    scale = _scale(tiles.shape[2], PAGE_WIDTH / width, 3 * PAGE_WIDTH / height)
    figure = new_figure(scale * width, scale * height, layout=None)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    _show(axes, mosaic, scale)
    return figure


@styled
def manifold(tiles: np.ndarray, extent: float, xlabel: str, ylabel: str) -> Figure:
    """Draw decoded latent points as one mosaic without gaps, with the latent axes around it.

    ``tiles`` is (rows, columns, height, width), in colour with a last axis of 3. ``tiles[i, j]``
    was decoded from the point (x, y) = (grid_x[j], grid_y[i]), where grid_x rises evenly from
    -extent to extent and grid_y falls from extent to -extent: row 0 is the top row, as in any
    image, and y grows upwards. The points lie at the centres of the tiles.

    Raises
    ------
    ValueError
        If ``tiles`` has another shape, or is empty.
    """
    tiles = _to_unit(tiles)
    if not _are_tiles(tiles, 2):
        raise ValueError(
            "tiles need the shape (rows, columns, height, width), in colour with a last axis of 3, "
            f"not {tiles.shape}"
        )
    rows, columns, height, width, *channels = tiles.shape
    mosaic = np.swapaxes(tiles, 1, 2).reshape(rows * height, columns * width, *channels)
    edge_x, edge_y = (extent * (1 + 1 / max(n - 1, 1)) for n in (columns, rows))
    figure = new_figure(720, 700, layout="compressed")
    axes = figure.add_subplot()
    axes.imshow(
        np.clip(mosaic, 0, 1) if channels else mosaic,
        extent=(-edge_x, edge_x, -edge_y, edge_y),
        aspect=(edge_x / edge_y) * (rows * height) / (columns * width),
        interpolation="antialiased",
        **({} if channels else _INK),
    )
    axes.set(xlabel=xlabel, ylabel=ylabel)
    ticks = np.linspace(-extent, extent, 9)
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)
    return figure


def _to_unit(images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return images.astype(np.float32) / np.float32(255)
    return images.astype(np.float32)


def _are_tiles(images: np.ndarray, axes: int) -> bool:
    """Whether they are images behind so many axes, grey or in colour, and at least one."""
    colour = images.ndim == axes + 3 and images.shape[-1] == 3
    return (images.ndim == axes + 2 or colour) and 0 not in images.shape


def _scale(width: int, across: float, down: float = np.inf) -> float:
    """Screen pixels for each pixel of images of this width.

    ``across`` and ``down`` are so many that the page's width, or the largest height, is filled.
    """
    if min(across, down) >= 1 or width <= _SMALLEST:
        # A whole number keeps the pixels square and sharp.
        return max(1, int(min(across + 0.3, down, _LARGEST / width)))
    return max(min(across, down), _SMALLEST / width)


def _strip(images: np.ndarray) -> np.ndarray:
    """Images (n, h, w) or (n, h, w, 3) side by side in a frame one pixel wide, marked NaN."""
    channels = [(0, 0)] * (images.ndim - 3)
    framed = np.pad(images, ((0, 0), (1, 1), (0, 1), *channels), constant_values=np.nan)
    strip = np.swapaxes(framed, 0, 1).reshape(framed.shape[1], -1, *images.shape[3:])
    return np.pad(strip, ((0, 0), (1, 0), *channels), constant_values=np.nan)


def _show(axes: Axes, picture: np.ndarray, scale: float) -> None:
    """Fill the axes with a picture (h, w) or (h, w, 3); NaN has the colour of the frame."""
    how = {"aspect": "auto", "interpolation": "nearest" if scale >= 1 else "antialiased"}
    if picture.ndim == 2:
        axes.imshow(np.ma.masked_invalid(picture), **how, **_INK)
    else:
        axes.imshow(np.where(np.isnan(picture), to_rgb(_FRAME), np.clip(picture, 0, 1)), **how)
