"""What all figures share: colours, font sizes, and how a figure is saved."""

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import ParamSpec

import matplotlib
import matplotlib.style
import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.colors import to_hex, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from PIL import Image

from Code.figures.palette import in_greys, in_palette
from Code.foundation.atomic import write_with

DPI = 110
PAGE_WIDTH = 800
"""Width in pixels at which a web page shows a figure; none is drawn much wider."""

DIGIT_COLOURS = (
    "#065e01",
    "#329a05",
    "#68d2e0",
    "#2e51d6",
    "#ff6a77",
    "#efb730",
    "#a573b6",
    "#7c2794",
    "#c10659",
    "#069bfe",
)
"""Ten colours that differ for the colour-blind too, most of all 3, 5 and 8, and 4, 7 and 9.

Found by a search for the largest of the smallest distances (in OKLab) as they are seen normally and
with each of the three dichromacies (Machado et al. 2009), on white and on dark ground.
"""

SERIES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#222222", "#8c8c8c")
"""Colours of curves and bars that are not digits: those of Okabe & Ito 2008, and two greys."""

BLUE, ORANGE, RED, PURPLE = "#3f90da", "#e69f00", "#bd1f01", "#832db6"
GREY = "#6b6b6b"
# With more classes, names and legend would cover the map; so would longer names
MOST_NAMED, LONGEST_NAME = 36, 3
INK = "#222222"

FONTS = Path(__file__).with_name("fonts")
CJK = "Figures CJK"
"""Family of the font that has the Chinese characters of our figures, see `FONTS`."""
font_manager.fontManager.addfont(FONTS / "figures-cjk.otf")
# It has one weight; without a bold one matplotlib would warn that it takes this one
_REGULAR = next(entry for entry in font_manager.fontManager.ttflist if entry.name == CJK)
font_manager.fontManager.ttflist.append(replace(_REGULAR, weight=700))

_SETTINGS = {
    "font.family": ["DejaVu Sans", CJK],
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.labelsize": 9.5,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
}


def class_colours(n: int) -> tuple[str, ...]:
    """A colour for each of ``n`` classes: the ten above, or as many hues as there are classes."""
    if n <= len(DIGIT_COLOURS):
        return DIGIT_COLOURS[:n]
    hues = matplotlib.colormaps["turbo"](np.linspace(0.03, 0.97, n))
    return tuple(map(to_hex, hues))


def named_in_map(labels: np.ndarray | None, classes: Sequence[str]) -> list[int]:
    """The classes among ``labels`` whose names stand in a map, and not only in its legend."""
    if labels is None or len(classes) > MOST_NAMED:
        return []
    return [c for c in np.unique(labels).tolist() if len(classes[c]) <= LONGEST_NAME]


def dot_colours(labels: np.ndarray | None, classes: Sequence[str]) -> str | np.ndarray:
    """The colour of each dot of a map by its class, ``(n, 4)``; without labels one for all."""
    if labels is None:
        return BLUE
    return to_rgba_array(class_colours(len(classes)))[labels]


def house_style() -> AbstractContextManager[None]:
    """The project's settings on top of matplotlib's defaults; the user's own are ignored."""
    return matplotlib.style.context(["default", _SETTINGS])


def new_figure(width: float, height: float, layout: str | None = "constrained") -> Figure:
    """An empty figure of ``width`` × ``height`` pixels that draws with Agg and needs no pyplot."""
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, layout=layout)
    FigureCanvasAgg(figure)
    return figure


P = ParamSpec("P")


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Decorator: run a function that returns a figure in the house style, and fix its layout."""

    @functools.wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with house_style():
            figure = draw(*args, **kwargs)
            # The layout engine moves the axes a little at each drawing. Two saves of one figure
            # are equal only if the layout is fixed here.
            for _ in range(2):
                figure.draw_without_rendering()
            figure.set_layout_engine("none")
        return figure

    return wrapper


def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Width in pixels of one line of ``text`` at ``size`` points."""
    font = FontProperties(family=_SETTINGS["font.family"], size=size, weight=weight)
    return RendererAgg(1, 1, DPI).get_text_width_height_descent(text, font, ismath=False)[0]


def save(figure: Figure, path: str | Path) -> Path:
    """Write ``figure`` as PNG to ``path``, completely or not at all; equal figures, equal bytes.

    Raises
    ------
    ValueError
        If ``path`` does not end in ``.png``.
    OSError
        If the folder cannot be written to.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ValueError(f"figures are saved as PNG: give a path that ends in .png, not {path}")

    def write(part: Path) -> None:
        with house_style():
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
            pixels = np.asarray(canvas.buffer_rgba())
        # The alpha channel is empty and left out; a grey picture needs few greys, a coloured
        # one a palette, unless it shows images in colour: their shades are more than it holds. This
        # makes the file a third as large for the same picture.
        if (pixels[..., 3] == 255).all():
            pixels = np.ascontiguousarray(pixels[..., :3])
            grey = (pixels == pixels[..., :1]).all()
            if grey:
                image = in_greys(pixels[..., 0])
            elif _shows_colours(figure):
                image = Image.fromarray(pixels)
            else:
                image = in_palette(pixels, (*DIGIT_COLOURS, *SERIES))
        else:
            image = Image.fromarray(np.ascontiguousarray(pixels))
        # Not written by matplotlib, which would add its version to the file.
        image.save(part, format="PNG", optimize=True)

    return write_with(path, write)


def _shows_colours(figure: Figure) -> bool:
    return any(image.get_array().ndim == 3 for axes in figure.axes for image in axes.images)
