"""The two-dimensional map of a data set: one dot per image, coloured by digit."""

from collections.abc import Mapping, Sequence

import matplotlib.patheffects as effects
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullLocator

from Code.figures.style import (
    GREY,
    MOST_NAMED,
    PAGE_WIDTH,
    class_colours,
    dot_colours,
    named_in_map,
    new_figure,
    styled,
)
from Code.figures.words import EN

# Least distance between two numerals, as a share of the axis.
_APART = 0.055
# Numerals of a small panel are moved apart as if it were this much smaller, and kept inside
_SMALL, _INSIDE = 0.6, 0.94
# The fewer dots, the larger and the less transparent: size and opacity from so many on
_DOTS = (
    (5000, {"s": 5, "alpha": 0.35}),
    (1000, {"s": 6, "alpha": 0.5}),
    (300, {"s": 9, "alpha": 0.6}),
    (0, {"s": 14, "alpha": 0.75}),
)
# Codes of so few places, each taken by many images, as those of a codebook, are drawn as places
_SHARED = 8
_PLACE_DECIMALS = 4
# Share of the dots, at either end of an axis, that it may leave out if it becomes so much shorter
_TAIL, _SHORTER = 0.01, 1.6
# Half an axis is at most so many times the median distance from 0, or its scale becomes logarithmic
_FAR = 8.0


@styled
def code_maps(
    panels: Sequence[tuple[str, np.ndarray, np.ndarray | None]],
    xlabel: str,
    ylabel: str,
    classes: Sequence[str] = tuple("0123456789"),
) -> Figure:
    """Draw maps side by side: dots coloured by class, a name at the median of each class.

    Each panel is (title, codes (n, 2), labels (n,) of integers, or None without labels). Both axes
    have the same scale. Where a few dots lie far from the others, the axes leave them out and a
    note says how many; where most lie in a small part of the axes, these are linear only around 0,
    which a note says too. Where many images share each place, as with the entries of a
    codebook, a place is drawn once, the larger the more images it has, in the colour of most of
    them, and the title says how many places there are. Names whose medians (nearly) coincide are
    moved apart until they can be read; a line leads back to the median. Names of more than three
    letters stand in the legend only, and more than 36 classes have no names.

    Parameters
    ----------
    classes : the name of each label.

    Raises
    ------
    ValueError
        If there is no panel, codes and labels do not fit each other, or a code is not finite.
    """
    if not panels:
        raise ValueError("no map to draw: give at least one panel")
    width, height = (600, 520) if len(panels) == 1 else (PAGE_WIDTH, 462)
    figure = new_figure(width, height, layout="compressed")
    present: set[int] = set()
    for i, (title, codes, labels) in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), i + 1)
        noted = draw_map(axes, codes, labels, classes, title)
        present.update([] if labels is None else np.unique(labels).astype(int).tolist())
        if axes.get_xscale() == "linear":
            axes.ticklabel_format(scilimits=(-2, 4))
            axes.locator_params(nbins=8, steps=[1, 2, 5, 10])
        axes.set(title=noted, xlabel=xlabel, ylabel=ylabel if i == 0 else "")
    if len(classes) <= MOST_NAMED:
        class_legend(figure, sorted(present), classes, beside=len(panels) == 1)
    return figure


def draw_map(
    axes: Axes,
    codes: np.ndarray,
    labels: np.ndarray | None,
    classes: Sequence[str],
    title: str = "",
    words: Mapping[str, str] = EN,
    small: bool = False,
) -> str:
    """Draw one map into ``axes``, see `code_maps`; return its title with the number of places.

    In a ``small`` panel numerals are smaller, and further apart for its size.
    """
    codes, labels = _checked(title, codes, labels, len(classes))
    places, counts, kinds = _places(codes, labels)
    # One call in the order of the data, so that no class covers all the others.
    if counts is None:
        style = next(style for least, style in _DOTS if len(codes) >= least)
    else:
        style = {"s": 6 + 90 * counts / counts.max(), "alpha": 0.6}
        title = words["places"].format(title=title, n=len(places))
    axes.scatter(*places.T, c=dot_colours(kinds, classes), linewidths=0, rasterized=True, **style)
    width = _linear_width(codes)
    if width is not None:
        axes.set_xscale("asinh", linear_width=width)
        axes.set_yscale("asinh", linear_width=width)
    flat = _warp(codes, width)
    centre, half = _square(flat)
    low, high = _unwarp(centre - half, width), _unwarp(centre + half, width)
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_aspect("equal", adjustable="box")
    notes = []
    outside = int((np.abs(flat - centre) > half).any(axis=1).sum())
    if outside:
        notes.append(words["outside"].format(n=outside, total=len(codes)))
    if width is not None:
        notes.append(words["asinh"].format(width=width))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks(_decades(width, float(np.abs([low, high]).max())))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−")))
            axis.set_minor_locator(NullLocator())
    axes.text(
        0.99,
        0.01,
        "\n".join(notes),
        transform=axes.transAxes,
        ha="right",
        va="bottom",
        fontsize=8,
        color=GREY,
        path_effects=[effects.withStroke(linewidth=2.5, foreground="white")],
    )
    _name_classes(axes, flat, labels, classes, (centre, half, width), small)
    return title


def _name_classes(axes, flat, labels, classes, frame, small) -> None:
    centre, half, width = frame
    palette = class_colours(len(classes))
    found = named_in_map(labels, classes)
    # Scaled down before spreading, so that they are moved further apart
    crowded = _SMALL if small else 1.0
    medians = np.reshape([np.median(flat[labels == c], axis=0) for c in found], (-1, 2))
    places = spread((medians - centre) / (2 * half) * crowded) / crowded * 2 * half
    places = np.clip(places, -_INSIDE * half, _INSIDE * half) + centre
    for c, median, place in zip(found, medians, places, strict=True):
        colour = _darker(palette[c])
        if np.linalg.norm(place - median) > _APART * half:
            line = _unwarp(np.array([median, place]), width)
            axes.plot(*line.T, color=colour, linewidth=0.8)
        axes.text(
            *_unwarp(place, width),
            classes[c],
            color=colour,
            fontsize=11 if small else 13,
            fontweight="bold",
            ha="center",
            va="center_baseline",
            path_effects=[effects.withStroke(linewidth=3, foreground="white")],
        )


def _linear_width(codes: np.ndarray) -> float | None:
    """Up to which distance from 0 the axes are linear, if a linear axis would crowd most dots.

    A round number about the median distance; None where a linear axis serves, and for codes that
    are all but one point, which have no crowd to part.
    """
    if len(codes) == 0:
        return None
    typical = float(np.median(np.abs(codes).max(axis=1)))
    _, half = _square(codes)
    collapsed = half > np.ptp(codes, axis=0).max()
    if typical <= 0 or collapsed or half < _FAR * typical:
        return None
    power = 10.0 ** np.floor(np.log10(typical))
    return float(power * max(step for step in (1, 2, 5) if step * power <= typical))


def _warp(values: np.ndarray, width: float | None) -> np.ndarray:
    return values if width is None else width * np.arcsinh(values / width)


def _unwarp(values: np.ndarray, width: float | None) -> np.ndarray:
    return values if width is None else width * np.sinh(values / width)


def _decades(width: float, end: float) -> list[float]:
    """0, and the linear width times the powers of ten, on both sides."""
    powers = range(max(0, int(np.floor(np.log10(end / width)))) + 1)
    steps = [width * 10.0**power for power in powers]
    return [*(-step for step in reversed(steps)), 0.0, *steps]


def _places(codes, labels):
    """The dots: each image, or where many images share each place, the places.

    Returns
    -------
    Places ``(n, 2)``, the number of images of each or None, and the label of each or None.
    """
    # A straight-through estimator gives back its entries but for the last bits
    rounded = np.round(codes, _PLACE_DECIMALS)
    places, which, counts = np.unique(rounded, axis=0, return_inverse=True, return_counts=True)
    if len(places) < 2 or _SHARED * len(places) > len(codes):
        return codes, None, labels
    kinds = None
    if labels is not None:
        votes = np.zeros((len(places), labels.max() + 1))
        np.add.at(votes, (which.ravel(), labels), 1)
        kinds = votes.argmax(axis=1)
    # Small places last, or the large ones would hide them
    order = np.argsort(-counts, kind="stable")
    return places[order], counts[order], None if kinds is None else kinds[order]


def classes_of(views: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    """The names of the classes in stored views; those from before names were stored are digits."""
    return tuple(map(str, views.get("classes", "0123456789")))


def _checked(
    title: str, codes: np.ndarray, labels: np.ndarray | None, n_classes: int
) -> tuple[np.ndarray, np.ndarray | None]:
    codes = np.asarray(codes, dtype=float)
    labels = None if labels is None else np.asarray(labels).astype(int)
    shape = codes.shape[:1] if labels is None else labels.shape
    if codes.ndim != 2 or codes.shape[1] != 2 or shape != codes.shape[:1]:
        raise ValueError(
            f"map {title!r}: codes need the shape (n, 2) and labels (n,), "
            f"not {codes.shape} and {shape}"
        )
    if labels is not None and labels.size and not 0 <= labels.min() <= labels.max() < n_classes:
        raise ValueError(
            f"map {title!r}: labels from {labels.min()} to {labels.max()}, but {n_classes} classes"
        )
    if not np.isfinite(codes).all():
        raise ValueError(f"map {title!r}: some codes are NaN or infinite; the model has diverged")
    return codes, labels


def _square(codes: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre and half side of a square that holds the codes, but for a few far from the others."""
    if len(codes) == 0:
        return np.zeros(2), 1.0
    low, high = codes.min(axis=0), codes.max(axis=0)
    inner = np.quantile(codes, [_TAIL, 1 - _TAIL], axis=0)
    length = (inner[1] - inner[0]).max()
    if length > 0 and (high - low).max() > _SHORTER * length:
        low, high = inner - 0.1 * length * np.array([[1], [-1]])
    centre = (low + high) / 2
    half = 0.54 * float((high - low).max())
    # Collapsed codes: a square just large enough for floating point to separate it from its centre.
    least = 1e-4 * float(np.abs(centre).max())
    return centre, half if half > least else max(half, 0.1 * float(np.abs(centre).max()), 0.5)


def spread(places: np.ndarray) -> np.ndarray:
    """Push points (k, 2) in [-½, ½]² apart until no two are nearer than ``_APART``."""
    turn = 2 * np.pi * np.arange(len(places)) / max(len(places), 1)
    # Equal points have no direction in which to move apart, so each gets its own small shift.
    places = places + 1e-4 * np.column_stack([np.cos(turn), np.sin(turn)])
    edge = 0.5 - _APART / 2
    for _ in range(200):
        difference = places[:, None] - places[None]
        distance = np.linalg.norm(difference, axis=2) + np.eye(len(places))
        overlap = np.maximum(_APART - distance, 0)
        if not overlap.any():
            break
        push = (0.5 * overlap / distance)[:, :, None] * difference
        places = np.clip(places + push.sum(axis=1), -edge, edge)
    return places


def _title(classes: Sequence[str]) -> str:
    return "digit" if set(classes) <= set("0123456789") else "class"


def _darker(colour: str) -> tuple[float, ...]:
    return tuple(0.55 * channel for channel in to_rgb(colour))


def class_legend(
    figure: Figure, present: Sequence[int], classes: Sequence[str], beside: bool
) -> None:
    """Add the colours of the classes, at the right of the figure or below it."""
    palette = class_colours(len(classes))
    handles = [
        Line2D([], [], linestyle="", marker="o", markersize=6, color=palette[c], label=classes[c])
        for c in present
    ]
    if not handles:
        return
    place = {"loc": "outside right center", "ncols": -(-len(handles) // 16)}
    if not beside:
        place = {"loc": "outside lower center", "ncols": min(len(handles), 16)}
    figure.legend(
        handles=handles, title=_title(classes) if beside else None, handletextpad=0.1, **place
    )
