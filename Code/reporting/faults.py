"""What the faults of the published report changed: each figure before and after, as one table."""

from dataclasses import dataclass

from Code.reporting.denoising import PUBLISHED_NOISE
from Code.reporting.differences import Difference, compare, measure, of_one_table
from Code.reporting.results import Measure, Results

# experiment, metric, split, stage (None: the only or the first one)
Cell = tuple[str, str, str, str | None]

_FIRST, _SECOND = "unsupervised", "supervised"
_PSNR = f"psnr_{PUBLISHED_NOISE}"

# As published, and corrected. Where it is not that, the table's own words say what is joined.
PAIRS: dict[str, tuple[Cell, Cell]] = {
    "noisy_target": (("dae-published", _PSNR, "test", _FIRST), ("dae", _PSNR, "test", None)),
    "dead_units": (("ae-relu", "mse", "train", None), ("ae", "mse", "train", None)),
    "no_noise": (("cae-published", _PSNR, "test", _FIRST), ("cae-denoising", _PSNR, "test", None)),
    "head_on_pixels": (
        ("cae-published", "accuracy", "test", _SECOND),
        ("cae-classifier", "accuracy", "test", _SECOND),
    ),
    "training_only": (
        ("dae-published", "accuracy", "train", _SECOND),
        ("dae-published", "accuracy", "test", _SECOND),
    ),
    "squared_error": (
        ("dae-published", "accuracy", "test", _SECOND),
        ("dae-classifier", "accuracy", "test", _SECOND),
    ),
    "two_losses": (
        ("dae-published", "mse", "test", _FIRST),
        ("cae-published", "mse", "test", _FIRST),
    ),
}


@dataclass(frozen=True)
class Change:
    """A figure before and after, and ``difference`` (after − before) where both were measured."""

    before: Measure | None
    after: Measure | None
    difference: Difference | None


def of_table(results: Results) -> dict[str, Change]:
    """The change of each fault by its key in ``PAIRS``, their differences one table (rule 2)."""
    cells = {key: tuple(measure(results, *cell) for cell in pair) for key, pair in PAIRS.items()}
    differences = {key: compare(after, before) for key, (before, after) in cells.items()}
    known = {key: d for key, d in differences.items() if d is not None}
    corrected = dict(zip(known, of_one_table(list(known.values())), strict=True))
    return {key: Change(*pair, corrected.get(key)) for key, pair in cells.items()}
