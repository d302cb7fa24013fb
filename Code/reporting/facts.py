"""What all pages tell, computed from the results once for both languages."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from Code.reporting import (
    claims,
    contents,
    failures,
    left_out,
    other_data,
    power,
    published_curves,
    second_data,
    tables,
)
from Code.reporting.agreement import Agreement
from Code.reporting.benchmark import Benchmark, load_benchmark
from Code.reporting.results import Result, load_runs
from Code.reporting.uses import Uses, pictured_before


@dataclass(frozen=True)
class Facts:
    """The results with what follows from them.

    ``everything`` are all experiments without their failed runs; ``results`` are those that the
    report is about: the published comparison on MNIST, everything on other data. ``warned`` are
    the same with their failed runs. ``runs`` are the runs that trained the models. ``agreement`` is
    how nearly they repeat the committed reference, where they are not it. ``kept`` are names of the
    pages that came with the code and stay. ``others`` are the uses on other data, beside which
    those on MNIST are put. ``repeated`` are repetitions of the reference, where they are it.
    ``pictured_before`` are models of which the picture of a use shows an earlier training.
    """

    on_mnist: bool
    everything: dict[str, Result]
    results: dict[str, Result]
    warned: dict[str, Result]
    failed: dict[str, failures.Failed]
    uses: Uses | None
    omissions: list[left_out.LeftOut]
    benchmark: Benchmark | None
    runs: list[dict]
    agreement: Agreement | None = None
    kept: frozenset[str] = frozenset()
    others: Sequence[second_data.Other] = ()
    repeated: Sequence[dict] = ()
    pictured_before: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def unmet_priors(self) -> list[str]:
        """The models of which some training has not met its prior."""
        met = {name: result.measure("prior_met") for name, result in self.everything.items()}
        return [name for name, measure in met.items() if measure and measure.mean < 1]

    @classmethod
    def of(
        cls,
        results: dict[str, Result],
        uses: Uses | None,
        output_dir: Path,
        theirs: Collection[str] = (),
    ) -> "Facts":
        """The facts of loaded results; ``output_dir`` holds the other files of the run.

        ``theirs`` are names of such files that came with the code, and tell nothing of this run.
        """
        other = other_data.is_other(results)
        failed = failures.failures(results)
        everything = failures.without_failed(results, failed)
        if uses is not None:
            uses = uses.without({name: found.seeds for name, found in failed.items()})
        reasons = {} if "left_out.json" in theirs else left_out.load_left_out(output_dir)
        return cls(
            on_mnist=not other,
            everything=everything,
            results=everything if other else contents.core(everything),
            warned=results if other else contents.core(results),
            failed=failed,
            uses=uses,
            omissions=left_out.left_out(everything, uses, reasons),
            benchmark=None if "benchmark.json" in theirs else load_benchmark(output_dir),
            runs=[] if "runs.json" in theirs else load_runs(output_dir),
            pictured_before=pictured_before(output_dir, uses),
        )

    @cached_property
    def verdicts(self) -> list[claims.Verdict]:
        """The verdict on each claim."""
        return claims.verdicts(self.everything)

    @cached_property
    def metric_rows(self) -> dict[str, list[tables.MetricRow]]:
        """All metrics by experiment."""
        found: dict[str, list[tables.MetricRow]] = {name: [] for name in self.everything}
        for row in tables.metric_rows(self.everything):
            found[row.experiment].append(row)
        return found

    @cached_property
    def curves(self) -> list[published_curves.Distance]:
        """How far our training curves lie from the published ones."""
        return published_curves.distances(self.results) if self.on_mnist else []

    @cached_property
    def beside(self) -> list[second_data.Beside]:
        """The uses on MNIST beside those on each other data set."""
        known = self.on_mnist and self.uses is not None
        return second_data.compared(self.uses, self.others, self.everything) if known else []

    @cached_property
    def margins(self) -> list[power.MarginRow]:
        """The margins, and what three seeds can tell."""
        return power.margin_rows(self.everything, self.uses)

    def pixels_of(self, name: str) -> int:
        """Numbers in an image of an experiment's data."""
        return math.prod(self.everything[name].data.get("image_shape", (28, 28)))
