"""Means with their uncertainty: differences, equivalence, correction for many, ranks.

    difference   d = m_a − m_b,   SE² = s_a²/n_a + s_b²/n_b,   |d| > t_{0.975, ν} SE    (Welch)
                 ν = SE⁴ / ((s_a²/n_a)² / ν_a + (s_b²/n_b)² / ν_b)          (Satterthwaite)
    same         |d| + t_{0.95, ν} SE < margin                        (two one-sided tests)

Pure functions of numbers; the levels and margins stand in `Code.reporting.rules`.
"""

import functools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from Code.reporting.rules import LEVEL, RANK_DRAWS, SAME_LEVEL

HIGHER, LOWER, SAME, UNDECIDED = "higher", "lower", "same", "undecided"


@dataclass(frozen=True)
class Estimate:
    """A mean of ``n`` values whose standard deviation ``std`` has ``df`` degrees of freedom.

    The standard deviation may come from other runs than the mean: one value can have a known
    spread. ``df`` is infinite where there is no chance.
    """

    mean: float
    std: float
    n: int
    df: float

    @property
    def relative(self) -> "Estimate":
        """The same in units of its mean."""
        return Estimate(1.0, self.std / abs(self.mean), self.n, self.df)

    @property
    def variance(self) -> float:
        """Variance of the mean, ``s² / n``."""
        return self.std**2 / self.n


def estimate_of(
    mean: float, std: float | None, n: int, reference: tuple[float, int] | None
) -> Estimate | None:
    """The mean with its spread by rule 1 of `Code.reporting.rules`; None if that is unknown.

    Parameters
    ----------
    std : standard deviation over the ``n`` seeds here, None with one.
    reference : standard deviation and number of seeds of the same figure in the reference, or None.
    """
    if borrows(n, reference):
        std, n_reference = reference
        return Estimate(mean, std, n, n_reference - 1)
    return None if std is None else Estimate(mean, std, n, n - 1)


def borrows(n: int, reference: tuple[float, int] | None) -> bool:
    """Whether the reference knows the spread from more than ``n`` seeds."""
    return reference is not None and reference[1] > n


def standard_error(a: Estimate, b: Estimate) -> float:
    """Standard error of ``a − b``."""
    return math.sqrt(a.variance + b.variance)


def degrees_of_freedom(a: Estimate, b: Estimate) -> float:
    """Degrees of freedom of that standard error (Satterthwaite 1946; Welch 1947)."""
    parts = [e.variance**2 / e.df for e in (a, b) if e.variance and math.isfinite(e.df)]
    return (a.variance + b.variance) ** 2 / sum(parts) if sum(parts) else math.inf


def quantile(df: float, level: float = LEVEL) -> float:
    """Student's quantile for a two-sided interval at ``level``; ``df`` may be infinite."""
    return float(scipy.special.stdtrit(df, (1 + level) / 2))


def half_width(a: Estimate, b: Estimate, level: float = LEVEL) -> float:
    """Half the width of the interval of ``a − b`` at a two-sided confidence level."""
    error = standard_error(a, b)
    return error and quantile(degrees_of_freedom(a, b), level) * error


def p_value(a: Estimate, b: Estimate) -> float:
    """Two-sided p-value of Welch's test that both means are equal."""
    error, gap = standard_error(a, b), abs(a.mean - b.mean)
    if error == 0:
        return float(gap == 0)
    return float(2 * scipy.special.stdtr(degrees_of_freedom(a, b), -gap / error))


def not_above(a: Estimate, b: Estimate, margin: float) -> bool:
    """Whether ``a − b`` lies below ``margin``, by a one-sided test."""
    return a.mean - b.mean + half_width(a, b, SAME_LEVEL) < margin


def equivalent(a: Estimate, b: Estimate, margin: float) -> bool:
    """Whether ``a − b`` lies within ±``margin``, by two one-sided tests (Schuirmann 1987)."""
    return not_above(a, b, margin) and not_above(b, a, margin)


def relation(a: Estimate, b: Estimate, margin: float, p: float) -> str:
    """``same``, ``higher``, ``lower`` or ``undecided``: ``a`` beside ``b`` (rules 2 and 3).

    ``p`` is the p-value of their difference, corrected for its table.
    """
    if equivalent(a, b, margin):
        return SAME
    if p < 1 - LEVEL:
        return HIGHER if a.mean > b.mean else LOWER
    return UNDECIDED


def exceeds(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether ``a`` exceeds ``b``, both of the same seeds: Student's interval of a − b is above 0.

    With one seed, whether that one is.

    Raises
    ------
    ValueError
        If they are not equally many.
    """
    differences = [x - y for x, y in zip(a, b, strict=True)]
    if len(differences) == 1:
        return differences[0] > 0
    t = quantile(len(differences) - 1)
    error = statistics.stdev(differences) / math.sqrt(len(differences))
    return statistics.fmean(differences) - t * error > 0


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number (Holm 1979), in the same order."""
    order = np.argsort(p_values, kind="stable")
    corrected, largest = [0.0] * len(p_values), 0.0
    for place, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[index]))
        corrected[index] = largest
    return corrected


def pooled(estimates: Sequence[Estimate]) -> tuple[float, float]:
    """Pooled standard deviation of several groups, and its degrees of freedom; 0 without any."""
    known = [e for e in estimates if math.isfinite(e.df) and e.df > 0]
    df = sum(e.df for e in known)
    return (math.sqrt(sum(e.df * e.std**2 for e in known) / df), df) if df else (0.0, 0.0)


def drawn_means(estimates: Sequence[Estimate], draws: int, rng: np.random.Generator) -> np.ndarray:
    """``m + t_ν s / √n`` for every estimate, with the pooled s and ν: array ``(draws, estimates)``.

    An estimate without chance stays as it is.
    """
    std, df = pooled(estimates)
    means = np.array([e.mean for e in estimates])
    errors = np.array([std / math.sqrt(e.n) if math.isfinite(e.df) else 0.0 for e in estimates])
    noise = rng.standard_t(df, (draws, len(means))) if df else np.zeros((draws, len(means)))
    return means + errors * noise


def ranks(values: np.ndarray, higher_is_better: bool) -> np.ndarray:
    """Ranks along the last axis, 1 for the best; equal values share the mean of their ranks.

    As `scipy.stats.rankdata`, of which the import alone takes a third of the time of all pages.
    """
    values = -values if higher_is_better else values
    columns = np.ascontiguousarray(np.moveaxis(values, -1, 0))
    # Those below count twice and equal ones once; column by column is faster than all pairs at once
    below = np.zeros(columns.shape, np.int16)
    for other in columns:
        below += other < columns
        below += other <= columns
    return np.moveaxis((below + 1) / 2, 0, -1)


def mean_rank_intervals(
    tables: Sequence[tuple[dict[str, Estimate], bool]],
    names: Sequence[str],
    level: float = LEVEL,
    draws: int = RANK_DRAWS,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Intervals of the models' mean ranks over several tables, by simulation.

    Chance is in the measured means once and in the drawn ones twice, so that these ranks lie nearer
    to the middle. Each interval is therefore widened, to the side of the measured mean rank, by its
    difference from the mean of the drawn ones.

    Parameters
    ----------
    tables : for each table its estimates by name, and whether more is better. Ranks in a table of
        fewer models are scaled to 1 … len(names).

    Returns
    -------
    ``{name: (low, high)}`` for the names that stand in a table of at least two.
    """
    rng = np.random.default_rng(seed)
    of_name: dict[str, list[np.ndarray]] = {name: [] for name in names}
    measured: dict[str, list[float]] = {name: [] for name in names}
    for estimates, higher_is_better in tables:
        here = [name for name in names if name in estimates]
        if len(here) < 2:
            continue
        found = np.array([[estimates[name].mean for name in here]])
        means = drawn_means([estimates[name] for name in here], draws, rng)
        both = ranks(np.concatenate([found, means]), higher_is_better)
        scaled = 1 + (both - 1) * (len(names) - 1) / (len(here) - 1)
        for name, column in zip(here, scaled.T, strict=True):
            measured[name].append(column[0])
            of_name[name].append(column[1:])
    tail = (1 - level) / 2
    intervals = {}
    for name, columns in of_name.items():
        if columns:
            drawn = np.mean(columns, axis=0)
            low, high = np.quantile(drawn, (tail, 1 - tail))
            shift = np.mean(measured[name]) - drawn.mean()
            intervals[name] = (
                max(1.0, float(low + min(shift, 0))),
                min(float(len(names)), float(high + max(shift, 0))),
            )
    return intervals


def power_to_tell(gap: float, std: float, n: int) -> float:
    """Chance that two means of ``n`` values with a true difference of ``gap`` are told apart.

    By simulation, for equal standard deviations.
    """
    if std == 0 or n < 2:
        return float(std == 0 and gap != 0)
    differences, widths = _simulated(n, LEVEL)
    return float(np.mean(np.abs(differences + gap / std) > widths))


def power_to_equate(margin: float, std: float, n: int) -> float:
    """Chance that two equal means of ``n`` values are called the same within ``margin``.

    By simulation, for equal standard deviations.
    """
    if std == 0 or n < 2:
        return float(std == 0 and margin > 0)
    differences, widths = _simulated(n, SAME_LEVEL)
    return float(np.mean(np.abs(differences) + widths < margin / std))


@functools.cache
def _simulated(n: int, level: float, draws: int = 10_000) -> tuple[np.ndarray, np.ndarray]:
    """Differences of equal means for a std of 1, and half the width of Welch's interval of each."""
    a, b = np.random.default_rng(0).normal(size=(2, draws, n))
    variances = a.var(axis=1, ddof=1) / n, b.var(axis=1, ddof=1) / n
    error = np.sqrt(sum(variances))
    df = error**4 / (sum(v**2 for v in variances) / (n - 1))
    return a.mean(axis=1) - b.mean(axis=1), scipy.special.stdtrit(df, (1 + level) / 2) * error
