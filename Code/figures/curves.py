"""Curves: a loss, an accuracy or a loss term against the epoch, PSNR against the noise level."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from Code.figures.style import BLUE, GREY, PAGE_WIDTH, RED, SERIES, new_figure, styled

_SPLITS = {
    "train": {"color": BLUE, "linestyle": "-"},
    "test": {"color": RED, "linestyle": (0, (4, 1.2, 1, 1.2))},
}
# With more points than this, markers would hide the line; a single point has no line.
_MARKED = 10
# More panels stand in rows of three
_ABREAST = 2

Values = Sequence[float] | Sequence[Sequence[float]]
"""A value for each epoch, or one such sequence for each seed."""


class Stage(TypedDict):
    """One panel of :func:`loss_curves`: a value for each epoch, of one seed or several, by split.

    ``published`` is the published value after the last epoch, ``published_curve`` the published
    values from the first epoch on, each known up to ``reading_error``. ``limits`` is the range of
    the vertical axis, for panels that are compared with others; they may only widen it.
    """

    title: str
    ylabel: str
    train: Values
    test: Values
    published: NotRequired[float | None]
    published_curve: NotRequired[Sequence[float]]
    reading_error: NotRequired[float]
    limits: NotRequired[tuple[float, float] | None]


@styled
def loss_curves(stages: Sequence[Stage]) -> Figure:
    """Draw one panel per training stage: train and test against the epoch, published ones in grey.

    Of several seeds the line is the mean and a band goes from the lowest to the highest. A
    published curve is drawn as dots with bars of its reading error, a published value without a
    curve as a dashed line.

    Either split may be empty; NaN leaves a gap.

    Raises
    ------
    ValueError
        If there is no stage.
    """
    figure, panels, spare = _panels(len(stages))
    for axes, stage in zip(panels, stages, strict=True):
        epoch_curves(axes, {split: stage[split] for split in _SPLITS})
        axes.set(title=_fitted(stage["title"], len(panels)), ylabel=stage["ylabel"])
        published, curve = stage.get("published"), stage.get("published_curve", ())
        if len(curve):
            published_dots(axes, curve, stage.get("reading_error", 0.0))
        elif published is not None:
            axes.axhline(published, color=GREY, linestyle="--", linewidth=1.1, zorder=1.5)
        _widen(axes, stage.get("limits"))
        if published is not None:
            # Outside the frame, where no curve can cross the number.
            axes.annotate(
                f"{published:.4g}\npublished",
                (1, published),
                xycoords=axes.get_yaxis_transform(),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                color=GREY,
                fontsize=8.5,
            )
        if spare is None and len(panels) <= _ABREAST:
            _legend(axes)
    if spare is not None:
        found = _handles(panels)
        spare.legend(found.values(), found.keys(), loc="center", handlelength=2.8, fontsize=10)
    elif len(panels) > _ABREAST and (found := _handles(panels)):
        place = {"loc": "outside upper center", "ncols": len(found), "handlelength": 2.8}
        figure.legend(found.values(), found.keys(), **place)
    return figure


def term_curves(terms: Mapping[str, Mapping[str, Values]], ylabel: str | Sequence[str]) -> Figure:
    """Draw one panel per term of a loss: its ``"train"`` and ``"test"`` values against the epoch.

    The terms differ by orders of magnitude (VAE: reconstruction and KL), so each has its own axis,
    with one ``ylabel`` for all or one for each.

    Raises
    ------
    ValueError
        If there is no term.
    """
    labels = [ylabel] * len(terms) if isinstance(ylabel, str) else ylabel
    return loss_curves(
        [
            {"title": title, "ylabel": label, **{split: curves.get(split, ()) for split in _SPLITS}}
            for (title, curves), label in zip(terms.items(), labels, strict=True)
        ]
    )


@styled
def psnr_curves(levels: Sequence[float], curves: Mapping[str, Values]) -> Figure:
    """Draw PSNR in dB against the noise level, one curve per label, of several seeds with a band.

    ``levels`` are standard deviations of the noise on pixels in [0, 1]; every curve has one value
    per level. An infinite PSNR (two equal images) has no place on the axis and is left out.

    Raises
    ------
    ValueError
        If a curve has more or fewer values than there are levels.
    """
    figure = new_figure(0.75 * PAGE_WIDTH, 380)
    axes = figure.add_subplot()
    styles = ("-", "--", "-.", ":")
    colours = (BLUE, RED, GREY, *SERIES)
    seeds = 1
    for i, (label, values) in enumerate(curves.items()):
        decibels = by_seed(values)
        if decibels.shape[1] != len(levels):
            found = decibels.shape[1]
            raise ValueError(f"{label}: {found} PSNR values for {len(levels)} noise levels")
        spread_curve(
            axes,
            decibels,
            colours[i % len(colours)],
            at=levels,
            label=label,
            linestyle=styles[i % len(styles)],
            marker="osD^v"[i % 5],
        )
        seeds = max(seeds, len(decibels))
    _name_the_band(axes, seeds)
    axes.set(xlabel="noise level (standard deviation)", ylabel="PSNR (dB)")
    if len(levels) <= 8:
        axes.set_xticks(levels, [f"{level:g}" for level in levels])
    # Outside: the curves fall from one corner to the other, and leave none free
    figure.legend(loc="outside upper center", ncols=3, handlelength=2.8)
    return figure


def by_seed(values: Values) -> np.ndarray:
    """Curves as an array ``(seeds, epochs)``; shorter ones end in NaN."""
    several = len(values) > 0 and np.ndim(values[0]) > 0
    rows = [np.asarray(row, dtype=float) for row in (values if several else [values])]
    found = np.full((len(rows), max((row.size for row in rows), default=0)), np.nan)
    for place, row in zip(found, rows, strict=True):
        place[: row.size] = row
    return found


def spread_curve(
    axes: Axes, values: Values, colour: str, at: Sequence[float] | None = None, **style
) -> None:
    """Draw the mean over the seeds as a line, and from the lowest to the highest as a band.

    ``at`` are the places on the horizontal axis; without them values are those of epochs.
    """
    curves = by_seed(values)
    if curves.size == 0:
        return
    epochs = np.arange(1, curves.shape[1] + 1) if at is None else np.asarray(at)
    style.setdefault("marker", "o" if len(epochs) <= _MARKED else None)
    # An epoch of which no seed has a value leaves a gap, and no warning
    known = np.isfinite(curves)
    total = np.where(known, curves, 0.0).sum(axis=0)
    mean = np.divide(total, known.sum(axis=0), out=np.full(len(epochs), np.nan), where=known.any(0))
    axes.plot(epochs, mean, color=colour, **style)
    if len(curves) > 1:
        low = np.where(known, curves, np.inf).min(axis=0)
        high = np.where(known, curves, -np.inf).max(axis=0)
        axes.fill_between(epochs, low, high, where=known.any(0), color=colour, alpha=0.2, lw=0)


def epoch_curves(axes: Axes, curves: Mapping[str, Values]) -> None:
    """Draw train and test curves, and number the epochs."""
    last, seeds = 1, 1
    for split, style in _SPLITS.items():
        values = by_seed(curves.get(split, ()))
        if values.size == 0:
            continue
        colour, dashes = style["color"], style["linestyle"]
        spread_curve(axes, values, colour, label=split, linestyle=dashes)
        last, seeds = max(last, values.shape[1]), max(seeds, len(values))
    _name_the_band(axes, seeds)
    number_epochs(axes, last)


def _name_the_band(axes: Axes, seeds: int) -> None:
    """Give the band a place in the legend: an area of no size, where there are several seeds."""
    if seeds > 1:
        nothing: list[float] = []
        label = f"range of {seeds} seeds"
        axes.fill_between(nothing, nothing, color=GREY, alpha=0.3, lw=0, label=label)


def number_epochs(axes: Axes, last: int, label: str = "epoch") -> None:
    """Name the horizontal axis and give it whole numbers up to ``last``."""
    axes.set_xlabel(label)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, steps=[1, 2, 5, 10]))
    if last == 1:
        axes.set_xlim(0.5, 1.5)
        axes.set_xticks([1])


def published_dots(
    axes: Axes, values: Sequence[float], error: float, label: str = "published", colour: str = GREY
) -> None:
    """Published values behind all curves: dots that stay visible beside a line through them."""
    epochs = np.arange(1, len(values) + 1)
    style = {"fmt": "o", "markersize": 4.5, "color": colour, "alpha": 0.55, "markeredgewidth": 0}
    axes.errorbar(epochs, values, yerr=error, label=label, zorder=1.5, elinewidth=1, **style)


def _panels(number: int) -> tuple[Figure, list[Axes], Axes | None]:
    """The panels, and an empty place beside them, if there is one, for the legend."""
    if number == 0:
        raise ValueError("no curve to draw: give at least one")
    width = 0.75 * PAGE_WIDTH if number == 1 else PAGE_WIDTH
    columns = number if number <= _ABREAST else 2 if number == 4 else 3
    rows = -(-number // columns)
    figure = new_figure(width, (350 if columns < 3 else 290) * rows)
    figure.get_layout_engine().set(wspace=0.06, hspace=0.06)
    panels = [figure.add_subplot(rows, columns, i + 1) for i in range(number)]
    if number == rows * columns:
        return figure, panels, None
    spare = figure.add_subplot(rows, columns, number + 1)
    spare.set_axis_off()
    return figure, panels, spare


def _fitted(title: str, panels: int) -> str:
    """A panel's title in lines that its share of the page is wide enough for."""
    letters = 36 if panels <= _ABREAST else 26
    lines = (textwrap.fill(line, letters, break_long_words=False) for line in title.split("\n"))
    return "\n".join(lines)


def _widen(axes: Axes, limits: tuple[float, float] | None) -> None:
    if limits is not None:
        low, high = axes.get_ylim()
        axes.set_ylim(min(low, limits[0]), max(high, limits[1]))


def _legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="best", handlelength=2.8)


def _handles(panels: Sequence[Axes]) -> dict:
    """The lines of all panels, by their names."""
    return {
        label: handle
        for axes in panels
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
