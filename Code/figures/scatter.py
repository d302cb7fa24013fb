"""The two-dimensional map of a data set: one dot per image, coloured by digit."""

from collections.abc import Mapping, Sequence

import matplotlib.patheffects as effects
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from Code.figures.style import (
    MOST_NAMED,
    PAGE_WIDTH,
    class_colours,
    dot_colours,
    named_in_map,
    new_figure,
    styled,
)

# Least distance between two numerals, as a share of the axis.
_APART = 0.055
# So few dots are drawn larger
FEW = 300


@styled
def code_maps(
    panels: Sequence[tuple[str, np.ndarray, np.ndarray | None]],
    xlabel: str,
    ylabel: str,
    classes: Sequence[str] = tuple("0123456789"),
) -> Figure:
    """Draw maps side by side: dots coloured by class, a name at the median of each class.

    Each panel is (title, codes (n, 2), labels (n,) of integers, or None without labels). Both axes
    have the same scale, and the square contains every dot. Names whose medians (nearly) coincide
    are moved apart until they can be read; a line leads back to the median. Names of more than
    three letters stand in the legend only, and more than 36 classes have no names.

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
    palette = class_colours(len(classes))
    width, height = (600, 520) if len(panels) == 1 else (PAGE_WIDTH, 462)
    figure = new_figure(width, height, layout="compressed")
    present: set[int] = set()
    for i, (title, codes, labels) in enumerate(panels):
        codes, labels = _checked(title, codes, labels, len(classes))
        present.update([] if labels is None else np.unique(labels).tolist())
        axes = figure.add_subplot(1, len(panels), i + 1)
        # One call in the order of the data, so that no class covers all the others.
        colours = dot_colours(labels, classes)
        # Opaque and not antialiased: the exact colours of the legend, and a small file.
        size = 2.5 if len(codes) >= FEW else 12
        axes.scatter(*codes.T, s=size, c=colours, linewidths=0, antialiased=False, rasterized=True)
        centre, half = _square(codes)
        axes.set_xlim(centre[0] - half, centre[0] + half)
        axes.set_ylim(centre[1] - half, centre[1] + half)
        axes.set_aspect("equal", adjustable="box")
        axes.ticklabel_format(scilimits=(-2, 4))
        axes.locator_params(nbins=8, steps=[1, 2, 5, 10])
        axes.set(title=title, xlabel=xlabel, ylabel=ylabel if i == 0 else "")
        found = named_in_map(labels, classes)
        medians = [np.median(codes[labels == c], axis=0) for c in found]
        places = spread((np.array(medians).reshape(-1, 2) - centre) / (2 * half)) * 2 * half
        for c, median, place in zip(found, medians, places + centre, strict=True):
            colour = _darker(palette[c])
            if np.linalg.norm(place - median) > _APART * half:
                axes.plot(*np.transpose([median, place]), color=colour, linewidth=0.8)
            axes.text(
                *place,
                classes[c],
                color=colour,
                fontsize=13,
                fontweight="bold",
                ha="center",
                va="center_baseline",
                path_effects=[effects.withStroke(linewidth=3, foreground="white")],
            )
    if len(classes) <= MOST_NAMED:
        _legend(figure, sorted(present), classes, palette, beside=len(panels) == 1)
    return figure


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
    """Centre and half side of a square that holds all codes, with a margin."""
    if len(codes) == 0:
        return np.zeros(2), 1.0
    low, high = codes.min(axis=0), codes.max(axis=0)
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


def _legend(
    figure: Figure, present: list[int], classes: Sequence[str], palette: Sequence[str], beside: bool
) -> None:
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
