"""Rows of the tables of metrics: of every experiment, and of the common comparison."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from Code.experiments.common import CODE_DIMS
from Code.reporting.contents import ordered
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

    The measures are those after the last stage in which the whole autoencoder is trained.
    """
    rows = []
    for r in results.values():
        if r.group == "common" and units in (
            r.settings.get("code_dim"),
            r.settings.get("n_components"),
        ):
            stage = "fit" if "fit" in r.stages else "unsupervised"
            mse, knn = (r.measure(metric, "test", stage) for metric in ("mse", "knn_accuracy"))
            rows.append(CommonRow(r, units, mse, knn, r.seconds_total()))
    return sorted(rows, key=lambda row: row.mse.mean if row.mse else math.inf)


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
