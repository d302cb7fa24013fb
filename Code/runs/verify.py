"""The committed figures held against those that the committed weights give on this machine."""

import statistics
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from Code.experiments.table import EXPERIMENTS
from Code.foundation import shipped
from Code.foundation.errors import UserError
from Code.foundation.keras_import import import_keras
from Code.reporting import reference
from Code.reporting.rules import HALF_PRECISION, SAME_ROUNDING
from Code.runs.unit import dataset

WHOLE = ("quick", "sha256", "data", "seed", "figures", "precision")
"""What has to be told of a model for its figures to be computed."""


@dataclass(frozen=True)
class Cell:
    """A committed figure of one seed, and the same computed from the weights.

    ``within`` is how far apart they may lie (rule 9 of `Code.reporting.rules`).
    """

    experiment: str
    stage: str
    metric: str
    split: str
    committed: float
    computed: float
    within: float

    @property
    def agrees(self) -> bool:
        return abs(self.computed - self.committed) <= self.within


@dataclass(frozen=True)
class Verified:
    """What came of one model: its cells, and how many others cannot be computed, by reason."""

    experiment: str
    seed: int
    precision: str
    cells: tuple[Cell, ...]
    not_computed: dict[str, int]
    seconds: float

    @property
    def differing(self) -> list[Cell]:
        """The cells that do not agree."""
        return [cell for cell in self.cells if not cell.agrees]


def models(output, names=None):
    """What is told of the committed models in a folder of results, by experiment.

    Parameters
    ----------
    names : the experiments asked for; None for all.

    Raises
    ------
    UserError
        If there are none, or a file is not the one that is told of.
    """
    folder = shipped.folder_of(output)
    told = shipped.told(folder)
    if not told:
        raise UserError(
            f"{folder} holds no weights; they come with the code (git checkout {folder}), and a "
            "run with --extend writes them"
        )
    chosen = {n: e for n, e in told.items() if names is None or n in names}
    if not chosen:
        raise UserError(
            f"{folder} holds no weights of {', '.join(names)}; it has those of {', '.join(told)}"
        )
    for name, entry in chosen.items():
        file = shipped.file_of(output, name)
        if name not in EXPERIMENTS or not isinstance(entry, dict) or not set(WHOLE) <= set(entry):
            raise UserError(f"{folder / shipped.INDEX}: nothing that a run writes of {name}")
        if not file.is_file() or shipped.digest(file) != entry["sha256"]:
            raise UserError(
                f"{file} is not the file that {shipped.INDEX} tells of; restore both from git"
            )
    return chosen


def verify(output, told) -> Iterator[Verified]:
    """Compute the figures of one model after the other.

    Parameters
    ----------
    told : what `models` gives.

    Raises
    ------
    UserError
        If the data are no longer those that a model was trained on, or it cannot be loaded.
    """
    import_keras()
    from threadpoolctl import threadpool_limits

    from Code.runs.recompute import figures, why_not

    table = reference.figures(Path(output, "reference", "results.csv"), reference.MEASURE)
    for name, entry in told.items():
        start, row = time.monotonic(), EXPERIMENTS[name]
        data = dataset(entry["data"]["name"], entry["quick"])
        if data.sha256 != entry["data"]["sha256"]:
            raise UserError(f"{name} was trained on other data than {entry['data']['name']} now is")
        with threadpool_limits(1):
            values, chance = figures(row, shipped.file_of(output, name), data, entry["seed"])
        cells, lacking = [], Counter()
        for *key, committed in entry["figures"]:
            key = tuple(key)
            if key not in values:
                lacking[why_not(row, *key[:2])] += 1
                continue
            figure = table.get((name, *key))
            reach = tolerance(committed, figure and figure.std) + chance.get(key, 0.0)
            cells.append(Cell(name, *key, committed, values[key], reach))
        took = time.monotonic() - start
        yield Verified(name, entry["seed"], entry["precision"], tuple(cells), dict(lacking), took)


def tolerance(committed, std):
    """How far a figure may lie from the committed one by rule 9, without chance.

    ``std`` is the standard deviation over the seeds, or None.
    """
    return max(SAME_ROUNDING * abs(committed), HALF_PRECISION * (std or 0.0))


def seconds_left(done, n):
    """Expected seconds for the other models of ``n``, from those that are done."""
    return statistics.fmean(one.seconds for one in done) * (n - len(done))
