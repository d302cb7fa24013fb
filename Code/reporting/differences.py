"""Differences between measures, judged by the rules of `Code.reporting.rules`."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from Code.reporting import estimates
from Code.reporting.estimates import HIGHER, LOWER, UNDECIDED
from Code.reporting.results import Measure, Results
from Code.reporting.rules import margin_of


@dataclass(frozen=True)
class Difference:
    """``a − b`` of two measures.

    ``corrected`` is the p-value in its table, by Holm's method; None for a difference that stands
    alone.
    """

    a: Measure
    b: Measure
    corrected: float | None = None

    @property
    def value(self) -> float:
        """Difference of the means, in the metric's unit."""
        return self.a.mean - self.b.mean

    @property
    def known(self) -> bool:
        """Whether the spread of both is known, so that something can be concluded."""
        return self.a.estimate is not None and self.b.estimate is not None

    @property
    def borrows(self) -> bool:
        """Whether the spread of either comes from the committed reference."""
        return self.a.borrows or self.b.borrows

    @property
    def half_width(self) -> float | None:
        """Half of Welch's 95 % interval of the difference; None if a spread is unknown."""
        return estimates.half_width(self.a.estimate, self.b.estimate) if self.known else None

    @property
    def margin(self) -> float:
        """The margin within which both count as the same, in the metric's unit."""
        return margin_of(self.a.metric, self.a.mean, self.b.mean)

    @property
    def p_value(self) -> float | None:
        """Welch's two-sided p-value, corrected; None if a spread is unknown."""
        if not self.known or self.corrected is not None:
            return self.corrected
        return estimates.p_value(self.a.estimate, self.b.estimate)

    @property
    def direction(self) -> str:
        """``same``, ``higher``, ``lower`` or ``undecided`` (rules 2 and 3)."""
        if not self.known:
            return UNDECIDED
        return estimates.relation(self.a.estimate, self.b.estimate, self.margin, self.p_value)


@dataclass(frozen=True)
class Ratio:
    """``a / b`` of two measures."""

    a: Measure
    b: Measure

    @property
    def value(self) -> float:
        """Quotient of the means; infinite if the mean of ``b`` is zero."""
        return self.a.mean / self.b.mean if self.b.mean else math.inf


def of_one_table(differences: Sequence[Difference]) -> list[Difference]:
    """The differences of one table, their p-values corrected for their number by Holm's method.

    One whose spread is unknown is not judged, and does not count.
    """
    alone = [replace(d, corrected=None) for d in differences]
    corrected = iter(estimates.holm([d.p_value for d in alone if d.known]))
    return [replace(d, corrected=next(corrected)) if d.known else d for d in alone]


def compare(a: Measure | None, b: Measure | None) -> Difference | None:
    """Difference of two measures, None where one of them was not measured."""
    return None if a is None or b is None else Difference(a, b)


def order(measures: Sequence[Measure]) -> str:
    """Whether each of several measures lies above the next.

    ``as_given``; ``other``; ``same`` where all neighbours are the same within the margin;
    ``undecided``. The differences of neighbours are one table (Holm).
    """
    pairs = [Difference(a, b) for a, b in itertools.pairwise(measures)]
    directions = {d.direction for d in of_one_table(pairs)}
    if LOWER in directions:
        return "other"
    if len(directions) > 1:
        return UNDECIDED
    (only,) = directions
    return "as_given" if only == HIGHER else only


def measure(
    results: Results, name: str, metric: str, split: str = "test", stage: str | None = None
) -> Measure | None:
    """A measure of an experiment, None where the experiment or the measure is missing."""
    return results[name].measure(metric, split, stage) if name in results else None


def alike(results: Results, a: str, b: str, *but: str) -> bool:
    """Whether two experiments exist and have the same settings, except those named in ``but``.

    Only then is a difference between them caused by the settings in ``but``.
    """
    if a not in results or b not in results:
        return False
    one, other = results[a].settings, results[b].settings
    return all(one.get(key) == other.get(key) for key in (one.keys() | other.keys()) - set(but))


def before_after(results: Results, name: str, metric: str) -> Difference | None:
    """A test metric after the supervised stage minus the same metric before it."""
    after = measure(results, name, metric, "test", "supervised")
    return compare(after, measure(results, name, metric, "test", "unsupervised"))
