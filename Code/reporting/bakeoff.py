"""The table of "The Great Autoencoder Bake Off", its figures beside ours and our own probe."""

from dataclasses import dataclass

from Code.experiments.table import of_group
from Code.reporting.results import Measure, Result, Results

GROUP = "bakeoff"


@dataclass(frozen=True)
class BakeOffRow:
    """One model: its error, its accuracy by the published probe and by ours; None if not run."""

    result: Result
    error: Measure | None
    probe: Measure | None
    own_probe: Measure | None


def bakeoff_rows(results: Results) -> list[BakeOffRow]:
    """The models that have been run, in the order of the published table."""
    # Rows of that name in older results had another protocol
    run = [r.name for r in of_group(GROUP) if r.name in results and results[r.name].group == GROUP]
    return [
        BakeOffRow(
            results[name],
            *(results[name].measure(m) for m in ("summed_bce", "probe_550", "probe_accuracy")),
        )
        for name in run
    ]
