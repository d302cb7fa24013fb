"""Trainings that failed: named with their seeds, and left out of what is concluded (rule 4)."""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from Code.reporting.contents import CORE_GROUPS
from Code.reporting.results import Measure, Result, Results
from Code.reporting.rules import CONSTANT_CODE, FAILED_SHARE

ABOVE_MEAN_IMAGE, CONSTANT = "above_mean_image", "constant_code"
# A model that learns to guess hidden pixels is judged by these: whole images it never sees
OWN_TASK = ("mse_hidden", "mse_hidden_mean_image")


@dataclass(frozen=True)
class Failed:
    """One experiment's failed runs: their seeds, and the figure of every seed by which they failed.

    ``mse`` is the test MSE, or that of the hidden pixels; ``limit`` is that of the mean image.
    ``as_published`` marks a row that is named but stays in: it repeats the published experiment, or
    its target is the noisy image, as there.
    """

    experiment: str
    reason: str
    seeds: tuple[int, ...]
    mse: Measure
    limit: float
    as_published: bool

    @property
    def hidden(self) -> bool:
        """Whether it is judged by hidden pixels."""
        return self.mse.metric == OWN_TASK[0]

    @property
    def all_of_them(self) -> bool:
        """Whether no seed is left."""
        return len(self.seeds) == self.mse.n


def mean_image_mse(results: Results, of: Result) -> float | None:
    """Test MSE of the mean training image on the data of a result; None if it was not measured."""

    for result in (of, *results.values()):
        measure = result.measure("mean_image_mse", "test")
        if measure is not None and _images(result) == _images(of):
            return measure.mean
    return None


def _images(result: Result) -> tuple:
    # The Bake Off's have a border
    return result.data["sha256"], result.quick, result.group == "bakeoff"


def last_whole(stages: Iterable[str]) -> str | None:
    """The last stage that trains the whole autoencoder; what labels do later is no failure."""
    whole = [s for s in stages if not s.startswith(("supervised", "layer-"))]
    return whole[-1] if whole else None


def judged_stage(result: Result) -> str | None:
    """The stage by whose reconstructions rule 4 judges a result; None if it has none."""
    return last_whole(s for s in result.own_stages if result.measure("mse", stage=s))


def failed_of(results: Results, result: Result) -> Failed | None:
    """The failed runs of one experiment, None if there is none or it cannot be told.

    A quick run, which trains too little to be better than the mean image, is not judged.
    """
    stage = judged_stage(result)
    hidden, of_mean_image = (result.measure(name, "test", stage) for name in OWN_TASK)
    if hidden and of_mean_image:
        mse, limit = hidden, of_mean_image.mean
    else:
        mse = result.measure("mse", "test", stage) if stage else None
        limit = mean_image_mse(results, result)
    if mse is None or limit is None or result.without_chance or result.quick:
        return None
    if mse.n != len(result.seeds):
        return None
    varies = result.measure("code_variation", "test", stage)
    published, trial = (result.kind == kind for kind in ("published", "trial"))
    noisy_target = bool(result.settings.get("noise_once"))
    as_published = result.group in CORE_GROUPS and (published or (trial and noisy_target))

    def failed(reason: str, seeds: Iterable[int]) -> Failed | None:
        seeds = tuple(seeds)
        if not seeds:
            return None
        return Failed(result.experiment, reason, seeds, mse, limit, as_published)

    above = (
        seed
        for seed, value in zip(result.seeds, mse.values, strict=True)
        if value >= FAILED_SHARE * limit
    )
    constant = (
        seed
        for seed, value in zip(result.seeds, varies.values if varies else (), strict=False)
        if value <= CONSTANT_CODE
    )
    return failed(ABOVE_MEAN_IMAGE, above) or failed(CONSTANT, constant)


def failures(results: Results) -> dict[str, Failed]:
    """Every experiment with failed runs, by name."""
    found = {name: failed_of(results, result) for name, result in results.items()}
    return {name: failed for name, failed in found.items() if failed is not None}


def without_failed(
    results: Results, found: Mapping[str, Failed] | None = None
) -> dict[str, Result]:
    """The results with the values of failed runs taken out, for whatever is concluded.

    An experiment of which no run is left has no measures. A row as published stays as it is.
    ``found`` are the `failures`, where they are known already.
    """
    kept = dict(results)
    for name, failed in (failures(results) if found is None else found).items():
        if not failed.as_published:
            kept[name] = _without(results[name], failed.seeds)
    return kept


def _without(result: Result, seeds: tuple[int, ...]) -> Result:
    left = [i for i, seed in enumerate(result.seeds) if seed not in seeds]
    measures = (_only(m, left, len(result.seeds)) for m in result.measures)
    timed = {
        field: {stage: _picked(values, left) for stage, values in getattr(result, field).items()}
        for field in ("seconds", "epoch_seconds")
    }
    return replace(
        result,
        seeds=tuple(result.seeds[i] for i in left),
        measures=tuple(m for m in measures if m is not None),
        **timed,
    )


def _picked(values: tuple, left: list[int]) -> tuple:
    return tuple(values[i] for i in left if i < len(values))


def _only(measure: Measure, left: list[int], n_seeds: int) -> Measure | None:
    # A figure that some seeds lack cannot be assigned to its seeds
    if measure.n != n_seeds or not left:
        return None
    values = _picked(measure.values, left)
    std = statistics.stdev(values) if len(values) > 1 else None
    return replace(measure, values=values, mean=statistics.fmean(values), std=std)
