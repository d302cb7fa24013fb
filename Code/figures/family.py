"""One picture of a family: its losses on shared axes, its reconstructions, and its maps."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from Code.figures.curves import Values, by_seed, number_epochs, published_dots, spread_curve
from Code.figures.images import show_strip
from Code.figures.scatter import class_legend, draw_map
from Code.figures.style import GREY, INK, PAGE_WIDTH, SERIES, new_figure, styled
from Code.figures.words import WORDS

# Colours of the rows; no row has that of the published curve
_COLOURS = (SERIES[0], SERIES[4], SERIES[2], SERIES[3])
_SPLITS = {"train": "-", "test": (0, (4, 2))}
_FIGURE = {"linestyle": ":", "linewidth": 1.2, "zorder": 1.5}
_LOSSES, _STRIP, _MAPS = 325, 62, 330


class Curve(TypedDict):
    """The loss of one experiment: a value for each epoch, of one seed or several."""

    label: str
    train: Values
    test: Values
    published: NotRequired[float | None]
    published_curve: NotRequired[Sequence[float]]
    reading_error: NotRequired[float]


class Map(TypedDict):
    """The plane of one experiment: codes ``(n, 2)`` and their labels ``(n,)``."""

    title: str
    codes: np.ndarray
    labels: np.ndarray | None
    axis: str


@styled
def composite(
    losses: Mapping[str, Sequence[Curve]],
    rows: Sequence[tuple[str, np.ndarray]],
    maps: Sequence[Map],
    language: str = "en",
    classes: Sequence[str] = tuple("0123456789"),
) -> Figure:
    """Draw losses above rows of images above maps; what is empty is left out.

    Parameters
    ----------
    losses : for each unit the losses that are measured in it, drawn on the same axes. An
        experiment has one colour in the whole picture; its training loss is a line, its test loss
        is dashed, and several seeds are a band. What was published lies behind, as grey dots.
    rows : (label, images) as for `Code.figures.images.image_rows`, all of one shape.
    maps : two or three planes.
    language : ``"en"`` or ``"zh"``.

    Raises
    ------
    ValueError
        If there is nothing to draw.
    """
    words = WORDS[language]
    heights = [
        _LOSSES * bool(losses),
        len(rows) * _STRIP + 8 if rows else 0,
        (_MAPS if len(maps) > 2 else 1.3 * _MAPS) * bool(maps),
    ]
    kept = [height for height in heights if height]
    if not kept:
        raise ValueError("nothing to draw of this family: give losses, images or maps")
    figure = new_figure(PAGE_WIDTH, sum(kept))
    parts = iter(np.atleast_1d(figure.subfigures(len(kept), 1, height_ratios=kept)))
    if losses:
        _losses(next(parts), losses, words)
    if rows:
        _images(next(parts), rows)
    if maps:
        _maps(next(parts), maps, classes, words)
    return figure


def _losses(part: SubFigure, losses: Mapping[str, Sequence[Curve]], words) -> None:
    every = [curve for curves in losses.values() for curve in curves]
    names = list(dict.fromkeys(curve["label"] for curve in every))
    colours = {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(names)}
    panels = part.subplots(1, len(losses), squeeze=False)[0]
    for axes, (unit, curves) in zip(panels, losses.items(), strict=True):
        for curve in curves:
            _loss(axes, curve, colours[curve["label"]])
        longest = max(by_seed(curve["train"]).shape[1] for curve in curves)
        number_epochs(axes, longest, words["epoch"])
        axes.set_ylabel(unit)
        axes.spines[["top", "right"]].set_visible(False)
    _legend_above(part, _legend(every, colours, words))


def _legend_above(part: SubFigure, handles: Sequence) -> None:
    """A legend above the panels, in as many columns as the page is wide enough for."""
    for columns in range(4, 0, -1):
        legend = part.legend(
            handles=handles,
            loc="outside upper center",
            ncols=columns,
            handlelength=2.2,
            columnspacing=1.4,
        )
        if columns == 1 or legend.get_window_extent().width <= part.bbox.width:
            break
        legend.remove()


def _loss(axes: Axes, curve: Curve, colour: str) -> None:
    published = curve.get("published_curve", ())
    if len(published):
        published_dots(axes, published, curve.get("reading_error", 0.0))
    elif curve.get("published") is not None:
        axes.axhline(curve["published"], color=colour, **_FIGURE)
    for split, dashes in _SPLITS.items():
        spread_curve(axes, curve[split], colour, linestyle=dashes, linewidth=1.5, marker=None)


def _legend(every: Sequence[Curve], colours: Mapping[str, str], words) -> list:
    """What colours, dashes, dots and band mean."""
    handles = [Line2D([], [], color=colour, label=name) for name, colour in colours.items()]
    handles += [
        Line2D([], [], color=INK, linestyle=dashes, linewidth=1.5, label=words[split])
        for split, dashes in _SPLITS.items()
    ]
    if any(len(curve.get("published_curve", ())) for curve in every):
        dots = {"linestyle": "", "marker": "o", "markersize": 4.5, "alpha": 0.55}
        handles.append(Line2D([], [], color=GREY, label=words["published"], **dots))
    for curve in every:
        if not len(curve.get("published_curve", ())) and curve.get("published") is not None:
            label = f"{words['published_value']} {curve['published']:.4g}"
            handles.append(Line2D([], [], color=colours[curve["label"]], label=label, **_FIGURE))
    seeds = max(len(by_seed(curve["train"])) for curve in every)
    if seeds > 1:
        label = words["seeds"].format(n=seeds)
        handles.append(Patch(color=GREY, alpha=0.3, linewidth=0, label=label))
    return handles


def _images(part: SubFigure, rows: Sequence[tuple[str, np.ndarray]]) -> None:
    panels = np.atleast_1d(part.subplots(len(rows), 1))
    for axes, (label, images) in zip(panels, rows, strict=True):
        show_strip(axes, images)
        axes.set_ylabel(label, rotation=0, ha="right", va="center", labelpad=6)


def _maps(part: SubFigure, maps: Sequence[Map], classes: Sequence[str], words) -> None:
    panels = part.subplots(1, len(maps), squeeze=False)[0]
    present: set[int] = set()
    for axes, one in zip(panels, maps, strict=True):
        codes, labels = one["codes"], one["labels"]
        title = draw_map(axes, codes, labels, classes, one["title"], words, small=True)
        axes.set_title(title, fontsize=9.5)
        axes.set_xlabel(one["axis"].format(1))
        axes.set_ylabel(one["axis"].format(2), labelpad=1)
        if axes.get_xscale() == "linear":
            axes.locator_params(nbins=6, steps=[1, 2, 5, 10])
        present.update([] if labels is None else np.unique(labels).astype(int).tolist())
    class_legend(part, sorted(present), classes, beside=False)
