"""How nearly a run repeats the committed reference, figure by figure."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from Code.reporting.estimates import Estimate, half_width, quantile
from Code.reporting.reference import MEASURE, USE, Figure
from Code.reporting.results import Result
from Code.reporting.rules import SAME_ROUNDING
from Code.reporting.uses import Uses

OF_A_USE = "use"
"""Stands for the images of a figure of a use, which has its own."""


@dataclass(frozen=True)
class Compared:
    """A figure of a run beside the same one of the reference.

    Attributes
    ----------
    stage : the stage of its training; of a figure of a use, the use.
    split : the images; of a figure of a use `OF_A_USE`.
    own, reference : the means.
    within : how far apart they may lie (rule 8 of `Code.reporting.rules`); None where neither knows
        a spread, so that nothing can be said.
    """

    experiment: str
    stage: str
    metric: str
    split: str
    own: float
    reference: float
    within: float | None

    @property
    def agrees(self) -> bool:
        """Whether both lie no farther apart than chance takes them; False where that is unknown."""
        return self.within is not None and abs(self.own - self.reference) <= self.within


@dataclass(frozen=True)
class Agreement:
    """All figures that a run and the reference have in common."""

    figures: tuple[Compared, ...]

    @property
    def known(self) -> tuple[Compared, ...]:
        """Those of which the spread is known."""
        return tuple(figure for figure in self.figures if figure.within is not None)

    @property
    def outside(self) -> tuple[Compared, ...]:
        """Those that do not agree."""
        return tuple(figure for figure in self.known if not figure.agrees)

    @property
    def line(self) -> str:
        """``N of M figures agree with the reference``, with what was not compared."""
        n = len(self.known)
        unknown = len(self.figures) - n
        line = f"{n - len(self.outside)} of {n} figures agree with the reference"
        return f"{line} ({unknown} without a known spread)" if unknown else line


def agreement(
    results: Mapping[str, Result],
    table: Mapping[tuple[str, ...], Figure],
    uses: Uses | None = None,
    table_of_uses: Mapping[tuple[str, ...], Figure] | None = None,
) -> Agreement:
    """Hold results of whole schedules on MNIST against the tables of the reference.

    Parameters
    ----------
    results : the run's own results, without what it found on disk.
    table : the reference by `MEASURE`, see `Code.reporting.reference.figures`.
    uses : the run's own, or None.
    table_of_uses : the reference by `USE`.
    """
    whole = [result for result in results.values() if result.on_mnist and not result.quick]
    names = {result.experiment for result in whole}
    found = list(_compared(whole, table))
    if uses is not None and names.issuperset(uses.models):
        found += _compared_uses(uses, table_of_uses or {})
    return Agreement(tuple(found))


def _compared(
    results: Iterable[Result], table: Mapping[tuple[str, ...], Figure]
) -> Iterable[Compared]:
    for result in results:
        for measure in result.measures:
            key = tuple(getattr(measure, name) for name in MEASURE)
            if key in table:
                own = Figure(measure.mean, measure.std, measure.n)
                within = _within(own, table[key], measure.deterministic)
                yield Compared(*key, measure.mean, table[key].mean, within)


def _compared_uses(uses: Uses, table: Mapping[tuple[str, ...], Figure]) -> Iterable[Compared]:
    for metric in uses.metrics:
        for score in metric.scores:
            values = {"use": metric.use, "metric": metric.name, "name": score.name}
            known = table.get(tuple(values[name] for name in USE))
            if known is not None:
                own = Figure(score.mean, score.std, len(score.values))
                where = (score.name, metric.use, metric.name, OF_A_USE)
                yield Compared(*where, score.mean, known.mean, _within(own, known))


def _within(own: Figure, figure: Figure, deterministic: bool = False) -> float | None:
    if deterministic or not (figure.std or own.std):
        # Without chance another processor rounds otherwise; without a spread nothing is known
        known = deterministic or figure.std == 0 or own.std == 0
        return SAME_ROUNDING * abs(figure.mean) if known else None
    if own.std is None or figure.std is None:
        std, n = (figure.std, figure.n) if own.std is None else (own.std, own.n)
        # One spread for both: it has the degrees of freedom of its own seeds, not of both
        return quantile(n - 1) * std * math.sqrt(1 / own.n + 1 / figure.n)
    return half_width(
        Estimate(own.mean, own.std, own.n, own.n - 1),
        Estimate(figure.mean, figure.std, figure.n, figure.n - 1),
    )
