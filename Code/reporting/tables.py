"""Rows of the tables of metrics: of every experiment, and of the common comparison."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from Code.experiments.common import CODE_DIMS
from Code.reporting.contents import ordered
from Code.reporting.differences import Difference, of_one_table
from Code.reporting.results import Measure, Result, Results


@dataclass(frozen=True)
class MetricRow:
    """One metric of one stage on both splits."""

    experiment: str
    kind: str
    stage: str
    metric: str
    train: Measure | None
    test: Measure | None


def metric_rows(results: Results) -> list[MetricRow]:
    """All metrics of all experiments, except the denoising metrics, which have their own table."""
    rows = []
    for result in ordered(results):
        keys = dict.fromkeys((m.stage, m.metric) for m in result.measures)
        for stage, metric in keys:
            if not metric.startswith("psnr_"):
                pair = (result.measure(metric, split, stage) for split in ("train", "test"))
                rows.append(MetricRow(result.experiment, result.kind, stage, metric, *pair))
    return rows


def optimizer_of(stage: Mapping[str, Any]) -> str | None:
    """A stage's optimiser and learning rate, as ``Adam, 0.004 → 0`` where the rate falls to zero.

    None where the stored settings do not tell.
    """
    given = stage.get("optimizer")
    if not isinstance(given, Mapping) or "class_name" not in given:
        return None
    rate = given.get("config", {}).get("learning_rate")
    falls = isinstance(rate, Mapping)
    if falls:
        rate = rate.get("config", {}).get("initial_learning_rate")
    told = f", {rate:g}" if isinstance(rate, int | float) else ""
    name = given["class_name"]
    return (
        f"{'SGD' if name == 'sgd' else name.capitalize()}{told}{' → 0' if falls and told else ''}"
    )


@dataclass(frozen=True)
class CommonRow:
    """One variant in the common architecture, with a code of ``units`` units."""

    result: Result
    units: int
    mse: Measure | None
    knn: Measure | None
    seconds: Measure | None


def common_tables(results: Results) -> dict[int, list[CommonRow]]:
    """The rows of the common comparison, by the number of code units."""
    return {units: common_rows(results, units) for units in CODE_DIMS}


def common_rows(results: Results, units: int) -> list[CommonRow]:
    """The common comparison for one number of code units, best reconstruction first.

    As many principal components stand among them. The measures are those after the last stage in
    which the whole autoencoder is trained.
    """
    rows = []
    for r in results.values():
        width = r.settings.get("n_components" if r.variant == "pca" else "code_dim")
        if width == units and (r.group == "common" or r.variant == "pca"):
            stage = "fit" if "fit" in r.stages else "unsupervised"
            mse, knn = (r.measure(metric, "test", stage) for metric in ("mse", "knn_accuracy"))
            rows.append(CommonRow(r, units, mse, knn, r.seconds_total()))
    return sorted(rows, key=lambda row: row.mse.mean if row.mse else math.inf)


def leads(best: Measure, others: Iterable[Measure | None], better: str) -> bool:
    """Whether a measure is ``better`` (``higher`` or ``lower``) than all others by the rules."""
    rivals = [Difference(best, m) for m in others if m is not None and m is not best]
    return all(d.direction == better for d in of_one_table(rivals))


@dataclass(frozen=True)
class OverviewRow:
    """One experiment in a line; what it does not measure is None."""

    result: Result
    mse: Measure | None
    knn: Measure | None
    accuracy: Measure | None
    seconds: Measure | None


def overview(results: Iterable[Result]) -> list[OverviewRow]:
    """Experiments in a line each, best reconstruction first.

    Reconstruction and map are those after the last stage before labels train a head; the accuracy
    is that of the head on test images.
    """
    rows = []
    for r in results:
        whole = [s for s in r.own_stages if r.measure("mse", stage=s)]
        unlabelled = [s for s in whole if not s.startswith("supervised")]
        stage = (unlabelled or whole or [None])[-1]
        mse, knn = (r.measure(metric, "test", stage) for metric in ("mse", "knn_accuracy"))
        accuracy = r.measure("accuracy", stage="supervised")
        rows.append(OverviewRow(r, mse, knn, accuracy, r.seconds_total()))
    return sorted(rows, key=lambda row: row.mse.mean if row.mse else math.inf)
