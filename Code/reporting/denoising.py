"""Denoising: models compared with the noisy input and with the better of two simple filters."""

from collections.abc import Sequence
from dataclasses import dataclass

from Code.experiments.table import EXPERIMENTS
from Code.reporting.contents import ordered
from Code.reporting.differences import Difference, compare, of_one_table
from Code.reporting.results import Measure, Result, Results

# The noise level as written in the names of the metrics
PUBLISHED_NOISE = f"{EXPERIMENTS['dae-published'].noise_once:g}"


@dataclass(frozen=True)
class PsnrRow:
    """PSNR at one noise level, in dB: the model, the noisy input, and the best simple filter.

    That is the better of a 3×3 mean and a 3×3 median filter.
    """

    experiment: str
    kind: str
    stage: str
    level: str
    model: Measure
    noisy: Measure | None
    best_filter: Measure | None

    @property
    def gain(self) -> Difference | None:
        """PSNR of the model minus that of the noisy input."""
        return compare(self.model, self.noisy)

    @property
    def gain_over_filter(self) -> Difference | None:
        """PSNR of the model minus that of the filter."""
        return compare(self.model, self.best_filter)


def psnr_rows(results: Results, name: str | None = None) -> list[PsnrRow]:
    """Rows for every experiment (or for ``name`` only), by stage and noise level."""
    rows = []
    for result in ordered(results):
        if name not in (None, result.experiment):
            continue
        for m in result.measures:
            level = m.metric.removeprefix("psnr_")
            if m.metric == level or m.split != "test" or not level[:1].isdigit():
                continue
            noisy, best = _rivals(result, level, m.stage)
            rows.append(PsnrRow(result.experiment, result.kind, m.stage, level, m, noisy, best))
    return rows


def of_table(
    results: Results, names: Sequence[str], stage: str
) -> list[tuple[PsnrRow, Difference, Difference]]:
    """The rows of one table, each with its two gains, corrected as one table (rule 2)."""
    rows = [
        row
        for name in names
        for row in psnr_rows(results, name)
        if row.stage == stage and row.gain and row.gain_over_filter
    ]
    gains = iter(of_one_table([d for row in rows for d in (row.gain, row.gain_over_filter)]))
    return [(row, next(gains), next(gains)) for row in rows]


def _rivals(result: Result, level: str, stage: str) -> tuple[Measure | None, Measure | None]:
    """PSNR of the noisy input, and of the better of the mean and the median filter."""

    def psnr(of: str) -> Measure | None:
        return result.measure(f"psnr_{of}_{level}", "test", stage)

    filters = [m for m in map(psnr, ("mean_filter", "median_filter")) if m is not None]
    return psnr("noisy"), max(filters, key=lambda m: m.mean, default=None)


def beats_rivals(results: Results, name: str) -> bool | None:
    """Whether the model, after its first stage, beats noisy input and filter at every level."""
    rows = psnr_rows(results, name)
    rows = [row for row in rows if row.stage == rows[0].stage]
    gains = [d for row in rows for d in (row.gain, row.gain_over_filter)]
    if not gains or None in gains:
        return None
    return all(d.direction == "higher" for d in of_one_table(gains))
