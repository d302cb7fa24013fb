"""Differences between measures, and whether they exceed the spread over the seeds."""

import math
from dataclasses import dataclass

from Code.reporting.results import Measure, Results


@dataclass(frozen=True)
class Difference:
    """``a − b`` of two measures; it exceeds the spread if it is larger than ``margin``."""

    a: Measure
    b: Measure

    @property
    def value(self) -> float:
        """Difference of the means, in the metric's unit."""
        return self.a.mean - self.b.mean

    @property
    def margin(self) -> float | None:
        """2·√(s_a²/n_a + s_b²/n_b); None if either spread is unknown (one seed)."""
        if self.a.spread is None or self.b.spread is None:
            return None
        return 2 * math.sqrt(self.a.spread**2 / self.a.n + self.b.spread**2 / self.b.n)

    @property
    def direction(self) -> str:
        """``higher``, ``lower`` or ``same``; by the sign alone where the spread is unknown."""
        if self.value == 0 or (self.margin is not None and abs(self.value) <= self.margin):
            return "same"
        return "higher" if self.value > 0 else "lower"


@dataclass(frozen=True)
class Ratio:
    """``a / b`` of two measures."""

    a: Measure
    b: Measure

    @property
    def value(self) -> float:
        """Quotient of the means; infinite if the mean of ``b`` is zero."""
        return self.a.mean / self.b.mean if self.b.mean else math.inf


def compare(a: Measure | None, b: Measure | None) -> Difference | None:
    """Difference of two measures, None where one of them was not measured."""
    return None if a is None or b is None else Difference(a, b)


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
