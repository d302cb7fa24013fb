"""Pictures made of digits, as dark ink on white: labelled rows and the decoded latent plane."""

import textwrap
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from Code.figures.style import PAGE_WIDTH, new_figure, styled, text_width

_INK = {
    "cmap": matplotlib.colormaps["gray_r"].with_extremes(bad="#d5d5d5"),
    "vmin": 0.0,
    "vmax": 1.0,
}
_LABEL_SIZE = 9.5
# Largest width of a digit in screen pixels; beyond it a digit does not become clearer.
_LARGEST = 120


@styled
def image_rows(rows: Sequence[tuple[str, np.ndarray]]) -> Figure:
    """Draw the rows of images below each other, each with its label at the left.

    Each row is (label, images) with images (n, height, width), floats in [0, 1] or uint8 in
    [0, 255]; values outside are drawn as white or black. All rows have the same shape.

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
    if any(row.shape != shape for row in images) or len(shape) != 3 or 0 in shape:
        shapes = ", ".join(str(row.shape) for row in images)
        raise ValueError(f"rows of images need one shape (n, height, width), not {shapes}")
    strips = [_strip(row) for row in images]
    height, width = strips[0].shape

    lines = [line for label in labels for line in label.split("\n")]
    margin, between = 8, 8
    left = 2 * margin + int(np.ceil(max(text_width(line, _LABEL_SIZE) for line in lines)))
    # A whole number of screen pixels for each image pixel keeps the pixels square and sharp.
    widest = min((PAGE_WIDTH - left - margin) / width + 0.3, _LARGEST / images[0].shape[2])
    scale = max(1, int(widest))
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
        axes.imshow(np.ma.masked_invalid(strip), aspect="auto", interpolation="nearest", **_INK)
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
    """Draw images ``(n, height, width)`` in rows of ``columns``.

    Images in [0, 1] are ink on white. Where any value is negative they are filters: each is scaled
    by its own largest magnitude, grey is zero, dark is positive. The figure is about as wide as
    the page, but narrower if its height would otherwise exceed three times that width.

    Raises
    ------
    ValueError
        If ``tiles`` is not three-dimensional, or empty.
    """
    tiles = _to_unit(tiles)
    if tiles.ndim != 3 or 0 in tiles.shape:
        raise ValueError(f"tiles need the shape (n, height, width), not {tiles.shape}")
    if (tiles < 0).any():
        largest = np.abs(tiles).max(axis=(1, 2), keepdims=True)
        tiles = 0.5 + 0.5 * tiles / np.maximum(largest, 1e-12)
    lacking = -len(tiles) % min(columns, len(tiles))
    tiles = np.concatenate([tiles, np.full((lacking, *tiles.shape[1:]), np.nan, np.float32)])
    rows = tiles.reshape(-1, min(columns, len(tiles)), *tiles.shape[1:])
    mosaic = np.concatenate([_strip(row)[:-1] for row in rows])
    height, width = mosaic.shape
    fitting = min(PAGE_WIDTH / width + 0.3, 3 * PAGE_WIDTH / height, _LARGEST / tiles.shape[2])
    scale = max(1, int(fitting))
    figure = new_figure(scale * width, scale * height, layout=None)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.imshow(np.ma.masked_invalid(mosaic), aspect="auto", interpolation="nearest", **_INK)
    return figure


@styled
def manifold(tiles: np.ndarray, extent: float, xlabel: str, ylabel: str) -> Figure:
    """Draw decoded latent points as one mosaic without gaps, with the latent axes around it.

    ``tiles`` is (rows, columns, height, width) in [0, 1]; ``tiles[i, j]`` was decoded from the
    point (x, y) = (grid_x[j], grid_y[i]), where grid_x rises evenly from -extent to extent and
    grid_y falls from extent to -extent: row 0 is the top row, as in any image, and y grows
    upwards. The points lie at the centres of the tiles.

    Raises
    ------
    ValueError
        If ``tiles`` is not four-dimensional, or empty.
    """
    tiles = _to_unit(tiles)
    if tiles.ndim != 4 or 0 in tiles.shape:
        raise ValueError(f"tiles need the shape (rows, columns, height, width), not {tiles.shape}")
    rows, columns, height, width = tiles.shape
    mosaic = tiles.transpose(0, 2, 1, 3).reshape(rows * height, columns * width)
    edge_x, edge_y = (extent * (1 + 1 / max(n - 1, 1)) for n in (columns, rows))
    figure = new_figure(720, 700, layout="compressed")
    axes = figure.add_subplot()
    axes.imshow(
        mosaic,
        extent=(-edge_x, edge_x, -edge_y, edge_y),
        aspect=(edge_x / edge_y) * (rows * height) / (columns * width),
        interpolation="antialiased",
        **_INK,
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


def _strip(images: np.ndarray) -> np.ndarray:
    """Images (n, h, w) side by side in a frame one pixel wide, marked NaN."""
    framed = np.pad(images, ((0, 0), (1, 1), (0, 1)), constant_values=np.nan)
    strip = framed.transpose(1, 0, 2).reshape(framed.shape[1], -1)
    return np.pad(strip, ((0, 0), (1, 0)), constant_values=np.nan)
