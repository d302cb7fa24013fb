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
from matplotlib.ticker import MaxNLocator

from Code.figures.style import PAGE_WIDTH, new_figure, styled, text_width

_FRAME = "#d5d5d5"
_INK = {"cmap": matplotlib.colormaps["gray_r"].with_extremes(bad=_FRAME), "vmin": 0.0, "vmax": 1.0}
_LABEL_SIZE = 9.5
# Largest width of a digit in screen pixels; beyond it a digit does not become clearer.
_LARGEST = 120
# More rows with labels stand in two blocks side by side
_MOST_ROWS = 16
# As `_HIGHEST`, for rows of images
_HIGHEST_ROWS = 900
# Largest height of a grid in screen pixels, if its images need not become too small
_HIGHEST = 660
# Smallest width in screen pixels to which an image is shrunk so that its picture fits the page.
_SMALLEST = 28


@styled
def image_rows(rows: Sequence[tuple[str, np.ndarray]], heads: Sequence[str] = ()) -> Figure:
    """Draw the rows of images below each other, each with its label at the left.

    Each row is (label, images) with images (n, height, width) or (n, height, width, 3); values
    outside the range are drawn as its ends. All rows have the same shape. ``heads`` are labels
    above the columns, of which equal ones beside each other are written once, and empty ones not.

    Raises
    ------
    ValueError
        If there is no image, or the rows differ in shape, or there are more or fewer heads than
        columns.
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
    if len(heads) not in (0, shape[0]):
        raise ValueError(f"{len(heads)} heads for {shape[0]} columns")
    strips = [_strip(row) for row in images]
    height, width = strips[0].shape[:2]

    lines = [line for label in labels for line in label.split("\n")]
    margin, between = 8, 8
    left = 2 * margin + int(np.ceil(max(text_width(line, _LABEL_SIZE) for line in lines)))
    # Many rows are drawn smaller, but not tiny
    down = max(_HIGHEST_ROWS / (len(rows) * height), 2)
    scale = _scale(shape[2], (PAGE_WIDTH - left - margin) / width, down)
    total_width = left + scale * width + margin
    total_height = 2 * margin + len(rows) * scale * height + (len(rows) - 1) * between
    places = _head_places(heads, left, scale * (shape[2] + 1))
    total_height += 16 if places else 0
    figure = new_figure(total_width, total_height, layout=None)
    for head, middle in places:
        at = middle / total_width, 1 - (margin + 10) / total_height
        figure.text(*at, head, ha="center", va="bottom", fontsize=_LABEL_SIZE)
    top = margin + (16 if places else 0)
    for i, (label, strip) in enumerate(zip(labels, strips, strict=True)):
        bottom = total_height - top - (i + 1) * scale * height - i * between
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
def grid(
    tiles: np.ndarray,
    columns: int | None = None,
    rows: Sequence[str] = (),
    heads: Sequence[str] = (),
    xlabel: str = "",
    ylabel: str = "",
) -> Figure:
    """Draw images ``(n, height, width)`` or ``(n, height, width, 3)`` in rows of ``columns``.

    Where any value is negative they are filters: each is scaled by its own largest magnitude, and
    mid-grey is zero. A positive weight is dark, in colour it is bright in its channel. Without
    ``columns`` there are about half as many rows as columns, so that few images are drawn large.

    Parameters
    ----------
    rows, heads : labels at the left of the rows and above the columns.
    xlabel, ylabel : what the labels of the columns and of the rows are.

    The figure is as wide as the page unless it would be much higher than that. More than 16 rows
    with labels stand in two blocks side by side.

    Raises
    ------
    ValueError
        If ``tiles`` has another shape, or is empty, or labels do not fit rows and columns.
    """
    tiles = _to_unit(tiles)
    if not _are_tiles(tiles, 1):
        raise ValueError(
            f"tiles need the shape (n, height, width) or (n, height, width, 3), not {tiles.shape}"
        )
    if (tiles < 0).any():
        largest = np.abs(tiles).max(axis=tuple(range(1, tiles.ndim)), keepdims=True)
        tiles = 0.5 + 0.5 * tiles / np.maximum(largest, 1e-12)
    columns = min(columns or _columns(len(tiles)), len(tiles))
    lines = -(-len(tiles) // columns)
    for what, labels, number in (("rows", rows, lines), ("columns", heads, columns)):
        if len(labels) not in (0, number):
            raise ValueError(f"{len(labels)} labels for {number} {what}")
    lacking = lines * columns - len(tiles)
    tiles = np.concatenate([tiles, np.full((lacking, *tiles.shape[1:]), np.nan, np.float32)])
    strips = [_strip(row)[:-1] for row in tiles.reshape(-1, columns, *tiles.shape[1:])]
    blocks = 2 if rows and lines > _MOST_ROWS else 1
    cut = -(-lines // blocks)
    mosaics = [np.concatenate(strips[i : i + cut]) for i in range(0, lines, cut)]

    left = _label_room(rows) + (18 if ylabel else 0)
    top = (20 if len(heads) else 0) + (20 if xlabel else 0)
    height, width = mosaics[0].shape[:2]
    step, gap = tiles.shape[1] + 1, 16 if blocks > 1 else 0
    across = (PAGE_WIDTH - blocks * left - (blocks - 1) * gap) / (blocks * width)
    scale = _scale(tiles.shape[2], across, _HIGHEST / height)
    full = blocks * (left + scale * width) + (blocks - 1) * gap + (4 if left else 0)
    high = top + scale * height + (4 if top else 0)
    full = max(full, text_width(xlabel, _LABEL_SIZE) + left + 8)
    figure = new_figure(full, high, layout=None)

    def write(x: float, y: float, text: str, **how) -> None:
        figure.text(x / full, 1 - y / high, text, fontsize=_LABEL_SIZE, **how)

    for i, mosaic in enumerate(mosaics):
        x = left + i * (left + scale * width + gap)
        size = scale * mosaic.shape[0]
        axes = figure.add_axes(
            (x / full, 1 - (top + size) / high, scale * width / full, size / high)
        )
        axes.set_axis_off()
        _show(axes, mosaic, scale)
        for k, label in enumerate(rows[i * cut : (i + 1) * cut]):
            y = top + scale * (k + 0.5) * step
            write(x - 6, y, label, ha="right", va="center")
        across = scale * (tiles.shape[2] + 1)
        for k, label in enumerate(heads):
            write(x + (k + 0.5) * across, top - 4, label, ha="center", va="bottom")
        if xlabel:
            write(x + scale * width / 2, 16, xlabel, ha="center", va="bottom")
        if ylabel:
            middle = top + size / 2
            write(x - left + 10, middle, ylabel, ha="center", va="center", rotation=90)
    return figure


@styled
def manifold(
    tiles: np.ndarray, across: Sequence[float], up: Sequence[float], xlabel: str, ylabel: str
) -> Figure:
    """Draw decoded latent points as one mosaic without gaps, with the latent axes around it.

    ``tiles`` is (rows, columns, height, width), in colour with a last axis of 3. ``tiles[i, j]``
    was decoded from the point (x, y) = (across[j], up[-1 - i]): both rise, row 0 is the top row, as
    in any image, and y grows upwards. The points lie at the centres of the tiles; where they are
    not evenly spaced, the numbers at the axes are not either.

    Raises
    ------
    ValueError
        If ``tiles`` has another shape, or is empty, or has more or fewer rows and columns.
    """
    tiles = _to_unit(tiles)
    if not _are_tiles(tiles, 2):
        raise ValueError(
            "tiles need the shape (rows, columns, height, width), in colour with a last axis of 3, "
            f"not {tiles.shape}"
        )
    rows, columns, height, width, *channels = tiles.shape
    if (rows, columns) != (len(up), len(across)):
        raise ValueError(f"{rows}×{columns} tiles for {len(up)}×{len(across)} points")
    mosaic = np.swapaxes(tiles, 1, 2).reshape(rows * height, columns * width, *channels)
    figure = new_figure(720, 700, layout="compressed")
    axes = figure.add_subplot()
    axes.imshow(
        np.clip(mosaic, 0, 1) if channels else mosaic,
        extent=(0, columns, 0, rows),
        aspect=height / width,
        interpolation="antialiased",
        **({} if channels else _INK),
    )
    axes.set(xlabel=xlabel, ylabel=ylabel)
    for axis, points in ((axes.xaxis, across), (axes.yaxis, up)):
        values, places = _ticks(np.asarray(points, dtype=float))
        axis.set_ticks(places + 0.5, [_number(value) for value in values])
    return figure


def _ticks(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers for an axis of points and where they stand: round ones if the points are even."""
    steps = np.diff(points)
    if len(points) > 1 and np.allclose(steps, steps.mean()):
        values = MaxNLocator(8, steps=[1, 2, 5, 10]).tick_values(points[0], points[-1])
        values = values[(values >= points[0] - 1e-9) & (values <= points[-1] + 1e-9)]
        return values, (values - points[0]) / steps.mean()
    places = np.unique(np.linspace(0, len(points) - 1, 9).round().astype(int))
    return points[places], places


def _head_places(heads: Sequence[str], left: float, step: float) -> list[tuple[str, float]]:
    """The heads with the middle of their columns in pixels; equal neighbours are one."""
    places, start = [], 0
    for i, head in enumerate(heads):
        if i + 1 == len(heads) or heads[i + 1] != head:
            if head:
                places.append((head, left + step * (start + i + 1) / 2))
            start = i + 1
    return places


def _number(value: float) -> str:
    return f"{value:.2g}".replace("-", "−") if abs(value) < 100 else f"{value:.0f}"


def _columns(n: int) -> int:
    """Number of columns for ``n`` images: about two to a row, and no gap in the last row."""
    wanted = np.sqrt(2 * n)
    fitting = [c for c in range(1, n + 1) if n % c == 0 and 0.6 * wanted <= c <= 1.7 * wanted]
    return min(fitting, key=lambda c: abs(c - wanted)) if fitting else int(np.ceil(wanted))


def _label_room(labels: Sequence[str]) -> float:
    if not labels:
        return 0.0
    return float(np.ceil(max(text_width(label, _LABEL_SIZE) for label in labels))) + 14


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


def show_strip(axes: Axes, images: np.ndarray) -> None:
    """Fill the axes with images (n, height, width) or (n, height, width, 3) side by side."""
    strip = _strip(_to_unit(images))
    _show(axes, strip, 1, aspect="equal")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _show(axes: Axes, picture: np.ndarray, scale: float, aspect: str = "auto") -> None:
    """Fill the axes with a picture (h, w) or (h, w, 3); NaN has the colour of the frame."""
    how = {"aspect": aspect, "interpolation": "nearest" if scale >= 1 else "antialiased"}
    if picture.ndim == 2:
        axes.imshow(np.ma.masked_invalid(picture), **how, **_INK)
    else:
        axes.imshow(np.where(np.isnan(picture), to_rgb(_FRAME), np.clip(picture, 0, 1)), **how)
