"""The published training curves beside ours, epoch by epoch."""

import csv
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from Code.experiments.curves import Curve, published_curves
from Code.reporting import reproduced
from Code.reporting.results import Result, ResultError, Results

HISTORY = "history.csv"


@dataclass(frozen=True)
class Distance:
    """How far the mean of our seeds lies from a published curve, in the metric's unit.

    ``largest`` is at the epoch ``at``, ``mean`` is over all epochs. ``inside`` counts the epochs in
    which we lie within the range of one more run (`Code.reporting.reproduced`); None with one seed.
    """

    curve: Curve
    n_seeds: int
    largest: float
    at: int
    mean: float
    inside: int | None


def distances(results: Results) -> list[Distance]:
    """The distance to each published curve of which there is a run of as many epochs."""
    found = []
    for curve in published_curves().values():
        ours = of_seeds(results.get(curve.experiment), curve)
        if ours:
            found.append(distance(curve, ours))
    return found


def distance(curve: Curve, ours: Mapping[int, tuple[float, ...]]) -> Distance:
    """The distance between a published curve and our seeds, ``{seed: values by epoch}``."""
    epochs = list(zip(*ours.values(), strict=True))
    apart = [
        abs(statistics.fmean(values) - published)
        for values, published in zip(epochs, curve.values, strict=True)
    ]
    inside = [
        reproduced.inside(values, published, curve.reading_error)
        for values, published in zip(epochs, curve.values, strict=True)
    ]
    return Distance(
        curve,
        len(ours),
        max(apart),
        apart.index(max(apart)) + 1,
        statistics.fmean(apart),
        None if None in inside else sum(inside),
    )


def has_curve(result: Result, metric: str) -> bool:
    """Whether a training curve of ``metric`` was published for the experiment, on its data."""
    known = {(curve.experiment, curve.metric) for curve in published_curves().values()}
    return result.on_mnist and (result.experiment, metric) in known


def of_seeds(result: Result | None, curve: Curve) -> dict[int, tuple[float, ...]]:
    """Our curves on the training images, ``{seed: values by epoch}``.

    Empty without a result on MNIST that has trained as many epochs as were published.
    """
    if result is None or not result.on_mnist:
        return {}
    found = training_curves(result.folder / HISTORY, curve.stage, curve.metric)
    whole = all(len(values) == len(curve.values) for values in found.values())
    return found if whole else {}


def first_epochs(results: Results, name: str) -> tuple[float, ...]:
    """The training loss of each seed in the first epoch; empty without a result."""
    if name not in results:
        return ()
    found = training_curves(results[name].folder / HISTORY, "unsupervised", "loss")
    return tuple(values[0] for values in found.values())


def training_curves(path: Path, stage: str, metric: str) -> dict[int, tuple[float, ...]]:
    """``{seed: values by epoch}`` of a ``history.csv``; empty without the file.

    Raises
    ------
    ResultError
        If the file is not what a run writes.
    """
    if not path.is_file():
        return {}
    wanted, found = (stage, metric, "train"), {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if (row["stage"], row["metric"], row["split"]) == wanted:
                    by_epoch = found.setdefault(int(row["seed"]), {})
                    by_epoch[int(row["epoch"])] = float(row["value"])
    except (KeyError, TypeError, ValueError) as error:
        raise ResultError(
            f"{path}: not what a run writes ({error}); delete it and run `python run_all.py` again"
        ) from None
    return {
        seed: tuple(value for _, value in sorted(by_epoch.items()))
        for seed, by_epoch in found.items()
    }
