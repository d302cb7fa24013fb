"""The training curves of the published comparison, one value an epoch.

``published_curves.csv`` beside this module holds them. They were read off the plots of Zang 2019 in
November 2026; ``reading_error`` is half a pixel of the plot.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("published_curves.csv")


@dataclass(frozen=True)
class Curve:
    """A published curve on the training images: ``values`` from the first epoch to the last.

    ``reading_error`` is the largest distance between a point of the plot and the value read there.
    """

    experiment: str
    stage: str
    metric: str
    values: tuple[float, ...]
    reading_error: float


@cache
def published_curves():
    """``{(experiment, stage, metric): Curve}``; metrics are ``"loss"`` and ``"accuracy"``.

    Raises
    ------
    ValueError
        If the epochs of a curve are not 1, 2, 3, …, or its points differ in their reading error.
    """
    with FILE.open(encoding="utf-8", newline="") as file:
        points = list(csv.DictReader(file))
    found = {}
    for point in points:
        found.setdefault((point["experiment"], point["stage"], point["metric"]), []).append(point)
    return {key: _curve(key, points) for key, points in found.items()}


def _curve(key, points):
    errors = {float(point["reading_error"]) for point in points}
    if [int(point["epoch"]) for point in points] != list(range(1, len(points) + 1)):
        raise ValueError(f"{FILE.name}: the epochs of {' '.join(key)} do not count from 1")
    if len(errors) != 1:
        raise ValueError(f"{FILE.name}: the points of {' '.join(key)} differ in reading error")
    return Curve(*key, tuple(float(point["value"]) for point in points), errors.pop())
