"""Published figures, each compared with ours."""

from dataclasses import dataclass

from Code.reporting.contents import CORE_GROUPS, EXPECTED, place
from Code.reporting.differences import measure
from Code.reporting.results import Measure, Result, Results

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
    def within(self) -> bool | None:
        """Whether the mean lies in the accepted range; None without a measure or a range."""
        if self.difference is None or self.measure.published_range is None:
            return None
        low, high = self.measure.published_range
        return low <= self.measure.mean <= high


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


@dataclass(frozen=True)
class Nearest:
    """Which of the two published AE figures is nearer to a run's result."""

    measure: Measure
    own: float
    other: float
    within: bool

    @property
    def supports_own(self) -> bool:
        """Whether the result is nearer to its own published figure than to the other one."""
        return abs(self.measure.mean - self.own) < abs(self.measure.mean - self.other)


def nearest_ae_figures(results: Results) -> list[Nearest]:
    """For ``ae-tanh`` and ``ae-relu``: which is nearer, the published tanh or ReLU figure."""
    runs = [measure(results, n, "loss_last_epoch", "train") for n in ("ae-tanh", "ae-relu")]
    if any(m is None or m.published is None for m in runs):
        return []
    tanh, relu = runs
    within = {c.experiment: bool(c.within) for c in comparisons(results)}
    return [
        Nearest(run, run.published, other.published, within[run.experiment])
        for run, other in ((tanh, relu), (relu, tanh))
    ]


@dataclass(frozen=True)
class Trial:
    """An attempt to explain a published figure: its final loss, and whether that is near."""

    result: Result
    measure: Measure
    difference: float
    within: bool


def trials(results: Results) -> list[Trial]:
    """The trials for the tanh figure, sorted by their distance from the published value.

    A trial is ``within`` if its last training loss lies in the range accepted for ``ae-tanh``. The
    list is empty if ``ae-tanh`` or the trials have not been run, or if ``ae-tanh`` is within.
    """
    target = measure(results, "ae-tanh", "loss_last_epoch", "train")
    if target is None or target.published is None or target.published_range is None:
        return []
    low, high = target.published_range
    found = []
    for result in results.values():
        own = result.measure("loss_last_epoch", "train")
        if result.kind == "trial" and own is not None:
            difference = own.mean - target.published
            found.append(Trial(result, own, difference, low <= own.mean <= high))
    return sorted(found, key=lambda trial: abs(trial.difference))
