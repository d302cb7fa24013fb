"""The trials by which learning rates were chosen, as the report shows them."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from Code.experiments.tuning import RATES, TABLE


@dataclass(frozen=True)
class Tried:
    """One rate of one row.

    Attributes
    ----------
    value : the objective on the held-out training images; infinite if the training diverged.
    prior_accuracy : accuracy of the two-sample test between codes and prior; None where no
        adversary plays.
    failed : whether it diverged or ended at or above the mean image.
    chosen : whether the row has this rate.
    """

    rate: float
    value: float
    prior_accuracy: float | None
    failed: bool
    chosen: bool


@dataclass(frozen=True)
class Search:
    """The trials of one row, the lowest rate first; ``objective`` is a metric's name."""

    experiment: str
    objective: str
    trials: tuple[Tried, ...]

    @property
    def on_equal_terms(self) -> bool:
        """Whether its rates are those of every common row, not multiples of one of its own."""
        return tuple(one.rate for one in self.trials) == RATES

    @property
    def at_the_top(self) -> bool:
        """Whether the highest rate was chosen, beyond which there may be a better one."""
        return self.trials[-1].chosen

    @property
    def at_an_end(self) -> bool:
        """Whether the lowest or the highest rate was chosen."""
        return self.trials[0].chosen or self.at_the_top


def searches(path: Path | None = None) -> list[Search]:
    """The trials of every row of the committed table, in its order; none without a table."""
    path = path or TABLE
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        _search(name, [row for row in rows if row["experiment"] == name])
        for name in dict.fromkeys(row["experiment"] for row in rows)
    ]


def _search(name: str, rows: Sequence[dict[str, str]]) -> Search:
    objective = rows[0]["objective"]
    trials = [
        Tried(
            float(row["rate"]),
            float(row["value"]),
            float(row["prior_accuracy"]) if objective == "mse" and row["prior_accuracy"] else None,
            row["failed"] == "True" or not math.isfinite(float(row["value"])),
            bool(row["chosen"]),
        )
        for row in rows
    ]
    return Search(name, objective, tuple(sorted(trials, key=lambda one: one.rate)))
