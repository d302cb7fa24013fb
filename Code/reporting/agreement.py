"""How nearly a run repeats the committed reference, figure by figure."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from Code.reporting.estimates import Estimate, half_width, quantile
from Code.reporting.reference import MEASURE, Figure
from Code.reporting.results import Measure, Result
from Code.reporting.rules import SAME_ROUNDING


@dataclass(frozen=True)
class Compared:
    """A figure of a run beside the same one of the reference.

    Attributes
    ----------
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


def agreement(results: Mapping[str, Result], table: Mapping[tuple[str, ...], Figure]) -> Agreement:
    """Hold results of whole schedules on MNIST against a table of the reference.

    Parameters
    ----------
    results : the run's own results, without what it found on disk.
    table : the reference by `MEASURE`, see `Code.reporting.reference.figures`.
    """
    whole = [result for result in results.values() if result.on_mnist and not result.quick]
    return Agreement(tuple(_compared(whole, table)))


def _compared(
    results: Iterable[Result], table: Mapping[tuple[str, ...], Figure]
) -> Iterable[Compared]:
    for result in results:
        for measure in result.measures:
            key = tuple(getattr(measure, name) for name in MEASURE)
            if key in table:
                yield Compared(*key, measure.mean, table[key].mean, _within(measure, table[key]))


def _within(measure: Measure, figure: Figure) -> float | None:
    if measure.deterministic or not (figure.std or measure.std):
        # Without chance another processor rounds otherwise; without a spread nothing is known
        known = measure.deterministic or figure.std == 0 or measure.std == 0
        return SAME_ROUNDING * abs(figure.mean) if known else None
    if measure.std is None or figure.std is None:
        std, n = (figure.std, figure.n) if measure.std is None else (measure.std, measure.n)
        # One spread for both: it has the degrees of freedom of its own seeds, not of both
        return quantile(n - 1) * std * math.sqrt(1 / measure.n + 1 / figure.n)
    return half_width(
        Estimate(measure.mean, measure.std, measure.n, measure.n - 1),
        Estimate(figure.mean, figure.std, figure.n, figure.n - 1),
    )
