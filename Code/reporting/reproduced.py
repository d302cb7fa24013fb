"""Whether a published figure is reproduced, where ours was got by the same protocol.

A published figure is one run of the same training, read or printed with an error e. Our n seeds
have the mean m and the standard deviation s. One more run of ours lies in

    m ± t · s · √(1 + 1/n),    t: Student's quantile with n − 1 degrees of freedom

(the prediction interval for one further observation, Hahn & Meeker 1991, section 4.3). The
published figure has to lie in it at `LEVEL`, widened by e on both sides, to be reproduced, and
outside that at `OUTSIDE_LEVEL` to be not reproduced. Between the two, or where the range is wider
than `WIDEST` of the figure, or the spread from fewer than three seeds, nothing is decided.
"""

import math
import statistics
from collections.abc import Sequence

from Code.reporting.estimates import Estimate, quantile
from Code.reporting.results import Measure
from Code.reporting.rules import LEAST_DEGREES, LEVEL, OUTSIDE_LEVEL, WIDEST

REPRODUCED, NOT_REPRODUCED = "reproduced", "not_reproduced"
DIFFERENT_PROTOCOL, UNDECIDED = "different_protocol", "undecided"


def half_width(std: float, n: int, degrees: float | None = None, level: float = LEVEL) -> float:
    """Half the width of the prediction interval of one more run: t · s · √(1 + 1/n).

    Parameters
    ----------
    std : standard deviation of a run, in the metric's unit.
    n : number of runs behind our mean.
    degrees : degrees of freedom of ``std``; by default n − 1, more for a pooled one.
    level : probability that one more run lies within.

    Raises
    ------
    ValueError
        If there is no degree of freedom, as with one run whose spread is not known otherwise.
    """
    degrees = n - 1 if degrees is None else degrees
    if n < 1 or degrees <= 0:
        raise ValueError(f"{n} runs with {degrees} degrees of freedom tell no spread")
    return quantile(degrees, level) * std * math.sqrt(1 + 1 / n)


def interval(
    mean: float,
    reading_error: float,
    std: float,
    n: int,
    degrees: float | None = None,
    level: float = LEVEL,
) -> tuple[float, float]:
    """The range around the ``mean`` of our n runs in which a published figure has to lie.

    The reading error is a bound, no standard deviation, and so is added as it is.
    """
    distance = reading_error + half_width(std, n, degrees, level)
    return mean - distance, mean + distance


def range_of(e: Estimate | None, error: float, level: float = LEVEL) -> tuple[float, float] | None:
    """The range in which a published figure of this error has to lie beside our estimate.

    None where the spread is unknown, or known too badly.
    """
    if e is None or e.df < LEAST_DEGREES:
        return None
    return interval(e.mean, error, e.std, e.n, e.df, level)


def verdict_of(e: Estimate | None, published: float, error: float) -> str:
    """``reproduced``, ``not_reproduced`` or ``undecided``: a figure of the same protocol."""
    bounds, outer = range_of(e, error), range_of(e, error, OUTSIDE_LEVEL)
    if bounds is None or outer is None:
        return UNDECIDED
    if not outer[0] <= published <= outer[1]:
        return NOT_REPRODUCED
    low, high = bounds
    narrow = high - low <= 2 * WIDEST * abs(published)
    return REPRODUCED if narrow and low <= published <= high else UNDECIDED


def accepted(m: Measure) -> tuple[float, float] | None:
    """The range in which a published figure counts as reproduced by ``m``.

    None where the protocol is another, or where the spread is unknown or known too badly.
    """
    if m.published is None or m.published_error is None or m.published_departures:
        return None
    return range_of(m.estimate, m.published_error)


def verdict(m: Measure) -> str | None:
    """What our figure says of the published one; None where nothing was published."""
    if m.published is None:
        return None
    if m.published_departures:
        return DIFFERENT_PROTOCOL
    if m.published_error is None:
        return UNDECIDED
    return verdict_of(m.estimate, m.published, m.published_error)


def inside(values: Sequence[float], value: float, reading_error: float) -> bool | None:
    """Whether a published ``value`` lies in the range around the mean of our ``values``.

    None where fewer than two values tell no spread.
    """
    if len(values) < 2:
        return None
    mean, std = statistics.fmean(values), statistics.stdev(values)
    low, high = interval(mean, reading_error, std, len(values))
    return low <= value <= high
