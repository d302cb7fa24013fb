"""What three seeds can tell: the power of every margin, at the spread of the results at hand."""

import functools
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from Code.reporting.estimates import Estimate, pooled, power_to_equate, power_to_tell
from Code.reporting.failures import judged_stage
from Code.reporting.results import Results
from Code.reporting.rules import MARGINS, RELATIVE_MARGIN
from Code.reporting.uses import Uses

SEEDS = 3
# The measure that all models share has a row of its own
MSE = "mse"
PSNR = "psnr"
WITHOUT_CHANCE = ("psnr_noisy", "psnr_mean_filter", "psnr_median_filter")
"""Of the noisy images and of filters: no seed has a part in them."""


@dataclass(frozen=True)
class MarginRow:
    """A margin, and its power with three seeds.

    ``metric`` is the beginning of the metrics' names, or None for all that have no margin of their
    own; ``std`` is the pooled standard deviation over all such test figures (relative to the mean
    where the margin is), or over those of the uses where no experiment has such a figure.
    ``equate`` and ``tell`` are the chances that equal models are called the same, and that models
    which differ by the margin are told apart; None without a known spread.
    """

    metric: str | None
    margin: float
    relative: bool
    std: float | None
    equate: float | None
    tell: float | None


def margin_rows(results: Results, uses: Uses | None = None) -> list[MarginRow]:
    """All margins of `Code.reporting.rules`, in its order."""
    known = _of_results(results)
    rows = [
        _row(beginning, margin, known[beginning] or _of_uses(beginning, uses))
        for beginning, margin in MARGINS.items()
    ]
    shares = ((m, [e.relative for e in known[m] if e.mean]) for m in (MSE, None))
    return [*rows, *(_row(m, RELATIVE_MARGIN, estimates, True) for m, estimates in shares)]


def _row(
    beginning: str | None, margin: float, estimates: Sequence[Estimate], relative: bool = False
) -> MarginRow:
    std, df = pooled([e for e in estimates if math.isfinite(e.df)])
    std = std if df else None
    if not std:
        return MarginRow(beginning, margin, relative, std, None, None)
    return MarginRow(
        beginning,
        margin,
        relative,
        std,
        power_to_equate(margin, std, SEEDS),
        power_to_tell(margin, std, SEEDS),
    )


def _of_results(results: Results) -> defaultdict[str | None, list[Estimate]]:
    """What is known of the test images, by the margin that it falls under; None for a relative."""
    found = defaultdict(list)
    for result in results.values():
        stage = judged_stage(result)
        for m in result.measures:
            # What labels do to the reconstructions is no measure that a model is chosen by
            of_mse = m.metric == MSE and m.stage == stage
            later = m.metric.startswith(PSNR) and m.stage != stage
            if later or m.split != "test" or m.metric.startswith(WITHOUT_CHANCE):
                continue
            if m.estimate is not None:
                found[MSE if of_mse else _beginning(m.metric)].append(m.estimate)
    return found


def _of_uses(beginning: str, uses: Uses | None) -> list[Estimate]:
    every = [m for m in uses.metrics if _beginning(m.name) == beginning] if uses else []
    scores = (s for m in every for s in m.scores if s.is_model)
    return [s.estimate for s in scores if s.estimate is not None]


@functools.cache
def _beginning(metric: str) -> str | None:
    return next((key for key in MARGINS if metric.startswith(key)), None)
