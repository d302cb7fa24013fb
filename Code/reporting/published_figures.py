"""Published figures, each compared with ours."""

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path

from Code.experiments.curves import published_curves
from Code.reporting import reproduced
from Code.reporting.contents import CORE_GROUPS, EXPECTED, place
from Code.reporting.differences import measure
from Code.reporting.published_curves import first_epochs
from Code.reporting.results import Measure, Result, Results
from Code.reporting.rules import SAME_LOSS, SAME_PICTURE

TANH_FILE = Path(__file__).with_name("published_tanh.toml")
# Experiment, stage and metric of each figure in the published report
EXPECTED_FIGURES = tuple(
    (row.name, figure.stage, figure.metric) for row in EXPECTED for figure in row.published
)


@dataclass(frozen=True)
class Comparison:
    """A published figure and ours; ``measure`` is None where the experiment is missing."""

    experiment: str
    stage: str
    metric: str
    measure: Measure | None

    @property
    def published(self) -> float | None:
        """The published figure, as stored in the result file."""
        return self.measure.published if self.measure else None

    @property
    def difference(self) -> float | None:
        """Reproduced mean minus published figure."""
        return None if self.published is None else self.measure.mean - self.published

    @property
    def accepted(self) -> tuple[float, float] | None:
        """The range in which the figure counts as reproduced, see `Code.reporting.reproduced`."""
        return reproduced.accepted(self.measure) if self.measure else None

    @property
    def verdict(self) -> str | None:
        """Reproduced, not reproduced, another protocol, or undecided; None without a measure."""
        return reproduced.verdict(self.measure) if self.measure else None


def comparisons(results: Results) -> list[Comparison]:
    """The figures of the published report, run or not, then all others with a published value."""
    rows = []
    for name, stage, metric in EXPECTED_FIGURES:
        found = measure(results, name, metric, "train", stage)
        if found is not None and found.published is None:
            found = None
        rows.append(Comparison(name, stage, metric, found))
    for result in results.values():
        for m in result.measures:
            key = (m.experiment, m.stage, m.metric)
            if m.published is not None and not (key in EXPECTED_FIGURES and m.split == "train"):
                rows.append(Comparison(*key, m))
    return rows


def paper_comparisons(results: Results) -> list[Comparison]:
    """Figures of other papers and ours, by family; on test images where both splits have one."""
    others = [r for r in results.values() if r.group not in CORE_GROUPS]
    others.sort(key=lambda r: (place(r), r.experiment))
    return [
        Comparison(r.experiment, m.stage, m.metric, m)
        for r in others
        for m in r.measures
        if m.published is not None
        and (m.split == "test" or r.measure(m.metric, "test", m.stage) is None)
    ]


@functools.cache
def tanh_picture() -> dict:
    """What the published report shows of its tanh autoencoder: quoted, not recomputed."""
    return tomllib.loads(TANH_FILE.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class TanhRun:
    """A run beside the published picture of tanh reconstructions.

    ``correlation`` with the picture is quoted. ``says_mean_image`` is whether the training loss is
    that of always predicting the mean training image, to one percent; None where that is missing.
    """

    result: Result
    measure: Measure
    correlation: float
    says_mean_image: bool | None

    @property
    def same_picture(self) -> bool:
        """Whether the run gives the published picture."""
        return self.correlation >= SAME_PICTURE


def tanh_runs(results: Results) -> list[TanhRun]:
    """The runs of which a correlation with the published picture is quoted, the nearest first."""
    mean_image = measure(results, "pca-2", "mean_image_mse", "train")
    found = []
    for name, correlation in tanh_picture()["correlation"].items():
        loss = measure(results, name, "loss_last_epoch", "train")
        if loss is not None:
            level = mean_image and abs(loss.mean / mean_image.mean - 1) <= SAME_LOSS
            found.append(TanhRun(results[name], loss, correlation, level))
    return sorted(found, key=lambda run: -run.correlation)


@dataclass(frozen=True)
class TanhPlot:
    """Which run the plot captioned "tanh" shows: its first value, and our seeds' first epochs."""

    first: float
    last: float
    relu: tuple[float, ...]
    tanh: tuple[float, ...]

    @property
    def of_relu(self) -> bool:
        """Whether every ReLU seed starts nearer to the plot than any tanh seed."""
        return max(abs(v - self.first) for v in self.relu) < min(
            abs(v - self.first) for v in self.tanh
        )


def tanh_plot(results: Results) -> TanhPlot | None:
    """The plot captioned "tanh" beside our runs; None without their curves."""
    values = published_curves()["ae-relu", "unsupervised", "loss"].values
    relu, tanh = (first_epochs(results, name) for name in ("ae-relu", "ae-tanh"))
    return TanhPlot(values[0], values[-1], relu, tanh) if relu and tanh else None
