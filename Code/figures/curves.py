"""Curves: a loss, an accuracy or a loss term against the epoch, PSNR against the noise level."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from Code.figures.style import BLUE, DIGIT_COLOURS, GREY, PAGE_WIDTH, RED, new_figure, styled

_SPLITS = {
    "train": {"color": BLUE, "linestyle": "-"},
    "test": {"color": RED, "linestyle": (0, (4, 1.2, 1, 1.2))},
}
# With more points than this, markers would hide the line; a single point has no line.
_MARKED = 10


class Stage(TypedDict):
    """One panel of :func:`loss_curves`: a value for each epoch, on either split."""

    title: str
    ylabel: str
    train: Sequence[float]
    test: Sequence[float]
    published: NotRequired[float | None]


@styled
def loss_curves(stages: Sequence[Stage]) -> Figure:
    """Draw one panel per training stage: train and test against the epoch, published value dashed.

    Either split may be empty; NaN leaves a gap.

    Raises
    ------
    ValueError
        If there is no stage.
    """
    figure, panels = _panels(len(stages))
    for axes, stage in zip(panels, stages, strict=True):
        _epochs(axes, {split: stage[split] for split in _SPLITS})
        axes.set(title=stage["title"], ylabel=stage["ylabel"])
        published = stage.get("published")
        if published is not None:
            axes.axhline(published, color=GREY, linestyle="--", linewidth=1.1, zorder=1.5)
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
        _legend(axes)
    return figure


def term_curves(
    terms: Mapping[str, Mapping[str, Sequence[float]]], ylabel: str | Sequence[str]
) -> Figure:
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
def psnr_curves(levels: Sequence[float], curves: Mapping[str, Sequence[float]]) -> Figure:
    """Draw PSNR in dB against the noise level, one curve per label.

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
    colours = (BLUE, RED, GREY, *DIGIT_COLOURS[4:])
    for i, (label, values) in enumerate(curves.items()):
        decibels = np.asarray(values, dtype=float)
        if decibels.shape != np.shape(levels):
            raise ValueError(f"{label}: {decibels.size} PSNR values for {len(levels)} noise levels")
        decibels = np.where(np.isfinite(decibels), decibels, np.nan)
        axes.plot(
            levels,
            decibels,
            label=label,
            color=colours[i % len(colours)],
            linestyle=styles[i % len(styles)],
            marker="osD^v"[i % 5],
        )
    axes.set(xlabel="noise level (standard deviation)", ylabel="PSNR (dB)")
    if len(levels) <= 8:
        axes.set_xticks(levels, [f"{level:g}" for level in levels])
    _legend(axes)
    return figure


def _panels(number: int) -> tuple[Figure, list[Axes]]:
    if number == 0:
        raise ValueError("no curve to draw: give at least one")
    width = 0.75 * PAGE_WIDTH if number == 1 else PAGE_WIDTH
    columns = min(number, 2)
    rows = -(-number // columns)
    figure = new_figure(width, 350 * rows)
    figure.get_layout_engine().set(wspace=0.06, hspace=0.06)
    return figure, [figure.add_subplot(rows, columns, i + 1) for i in range(number)]


def _epochs(axes: Axes, curves: Mapping[str, Sequence[float]]) -> None:
    last = 1
    for split, style in _SPLITS.items():
        values = np.asarray(curves.get(split, ()), dtype=float)
        if values.size == 0:
            continue
        marker = "o" if values.size <= _MARKED else None
        axes.plot(np.arange(1, values.size + 1), values, label=split, marker=marker, **style)
        last = max(last, values.size)
    axes.set_xlabel("epoch")
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, steps=[1, 2, 5, 10]))
    if last == 1:
        axes.set_xlim(0.5, 1.5)
        axes.set_xticks([1])


def _legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="best", handlelength=2.8)
