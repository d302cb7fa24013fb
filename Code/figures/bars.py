"""Bars of ratios, with a line at 1: how many times as much or as fast as a reference."""

import textwrap
from collections.abc import Mapping

import matplotlib.patheffects as effects
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from Code.figures.style import INK, PAGE_WIDTH, SERIES, new_figure, styled


@styled
def ratio_bars(rows: Mapping[str, Mapping[str, float]], ylabel: str, log: bool = True) -> Figure:
    """Draw groups of bars, one bar per label, with their values; a line marks the ratio 1.

    On a logarithmic axis the bars start at 1, so that twice and half are equally long; on a linear
    axis they start at 0. A group may lack labels that other groups have.

    Raises
    ------
    ValueError
        If there is nothing to draw, or a ratio is not a positive finite number.
    """
    labels = list(dict.fromkeys(label for group in rows.values() for label in group))
    if not labels:
        raise ValueError("no ratio to draw: give at least one")
    for group, values in rows.items():
        for label, value in values.items():
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{group}, {label}: a ratio must be above 0 and finite: {value}")

    figure = new_figure(PAGE_WIDTH, 400)
    axes = figure.add_subplot()
    width = min(0.8 / len(labels), 0.4)
    base = 1.0 if log else 0.0
    crowded = len(rows) * len(labels) > 18
    for i, label in enumerate(labels):
        places = np.array([k for k, group in enumerate(rows.values()) if label in group])
        values = np.array([group[label] for group in rows.values() if label in group])
        bars = axes.bar(
            places + (i - (len(labels) - 1) / 2) * width,
            values - base,
            0.92 * width,
            bottom=base,
            label=label,
            color=SERIES[i % len(SERIES)],
        )
        for bar, value in zip(bars, values, strict=True):
            below = log and value < 1
            axes.annotate(
                _short(value),
                (bar.get_x() + bar.get_width() / 2, value),
                xytext=(0, -3 if below else 3),
                textcoords="offset points",
                ha="center",
                va="top" if below else "bottom",
                rotation=90 if crowded else 0,
                fontsize=8.5,
                path_effects=[effects.withStroke(linewidth=2.5, foreground="white")],
            )
    axes.axhline(1, color=INK, linewidth=0.8)
    columns = max(1, int((PAGE_WIDTH - 80) / len(rows) / 8))
    axes.set_xticks(
        range(len(rows)), [textwrap.fill(group, columns, break_long_words=False) for group in rows]
    )
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.5, len(rows) - 0.5)
    axes.set_ylabel(ylabel)
    if log:
        axes.set_yscale("log")
        every = [value for group in rows.values() for value in group.values()]
        low, high = min(1.0, *every), max(1.0, *every)
        # Room for the numbers at the ends of the bars, independent of the range.
        room = max((high / low) ** (0.2 if crowded else 0.09), 1.05)
        axes.set_ylim(low / room if low < 1 else low / room**0.3, high * room)
        axes.yaxis.set_major_locator(
            LogLocator(subs=(1, 2, 5)) if high / low > 4 else MaxNLocator(6, steps=[1, 2, 5, 10])
        )
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.tick_params(axis="y", which="minor", length=0)
    else:
        axes.margins(y=0.14 if crowded else 0.08)
    axes.spines[["top", "right"]].set_visible(False)
    if len(labels) > 1:
        figure.legend(loc="outside upper center", ncols=min(len(labels), 4))
    return figure


def _short(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"
