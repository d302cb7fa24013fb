"""Denoising: models compared with the noisy input and with a mean filter."""

from dataclasses import dataclass

from Code.experiments.table import EXPERIMENTS
from Code.reporting.contents import ordered
from Code.reporting.differences import Difference, compare
from Code.reporting.results import Measure, Results

# The noise level as written in the names of the metrics
PUBLISHED_NOISE = f"{EXPERIMENTS['dae-published'].noise_once:g}"


@dataclass(frozen=True)
class PsnrRow:
    """PSNR at one noise level, in dB: the model, the noisy input, and a 3×3 mean filter."""

    experiment: str
    kind: str
    stage: str
    level: str
    model: Measure
    noisy: Measure | None
    mean_filter: Measure | None

    @property
    def gain(self) -> Difference | None:
        """PSNR of the model minus that of the noisy input."""
        return compare(self.model, self.noisy)

    @property
    def gain_over_filter(self) -> Difference | None:
        """PSNR of the model minus that of the mean filter."""
        return compare(self.model, self.mean_filter)


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
            rivals = (
                result.measure(f"psnr_{rival}_{level}", "test", m.stage)
                for rival in ("noisy", "mean_filter")
            )
            rows.append(PsnrRow(result.experiment, result.kind, m.stage, level, m, *rivals))
    return rows


def beats_rivals(results: Results, name: str) -> bool | None:
    """Whether the model, after its first stage, beats noisy input and filter at every level."""
    rows = psnr_rows(results, name)
    rows = [row for row in rows if row.stage == rows[0].stage]
    gains = [d for row in rows for d in (row.gain, row.gain_over_filter)]
    if not gains or None in gains:
        return None
    return all(d.direction == "higher" for d in gains)
