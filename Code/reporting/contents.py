"""The contents of the report: its experiments, their order, and what is missing."""

from dataclasses import dataclass

from Code.experiments.row import Experiment
from Code.experiments.table import EXPERIMENTS, of_group
from Code.reporting.results import Result, Results

# The groups from which the published comparison and its claims are judged; all other groups have
# sections of their own.
CORE_GROUPS = ("published", "causes")
# Order within a family: as published, then its baseline, then corrected
KIND_ORDER = ("published", "baseline", "corrected")
# Rows without a network, such as principal components, belong to the plain autoencoder's section
PLAIN = "ae"
NO_NETWORK = {row.variant for row in EXPERIMENTS.values() if not row.model}
# These families come before the rest, which keeps the order of the common comparison: that order
# lacks an overcomplete row, and in it the emphasised DAE comes before tied and sparse
FIRST = ("overcomplete", "tied", "sparse")


def home(row: Result | Experiment) -> str:
    """The family in whose section an experiment is described."""
    return PLAIN if row.variant in NO_NETWORK else row.variant


FAMILIES = tuple(dict.fromkeys(map(home, of_group("published"))))
VARIANTS = tuple(
    dict.fromkeys(
        (*FAMILIES, *FIRST, *map(home, of_group("common")), *map(home, EXPERIMENTS.values()))
    )
)


def place(row: Result | Experiment) -> int:
    """Place of an experiment's family in the report; unknown families come last."""
    family = home(row)
    return VARIANTS.index(family) if family in VARIANTS else len(VARIANTS)


# The experiments of the published comparison; the report names those that are missing
EXPECTED = tuple(
    sorted(of_group("published"), key=lambda row: (place(row), KIND_ORDER.index(row.kind)))
)


def core(results: Results) -> dict[str, Result]:
    """The experiments of the published comparison and the trials that explain its figures."""
    return {name: result for name, result in results.items() if result.group in CORE_GROUPS}


def ordered(results: Results) -> list[Result]:
    """Results in the report's order: the expected ones first, then the others by name."""
    rank = {row.name: i for i, row in enumerate(EXPECTED)}
    return sorted(results.values(), key=lambda r: (rank.get(r.experiment, len(rank)), r.experiment))


def missing(results: Results) -> list[str]:
    """Expected experiments that have no result."""
    return [row.name for row in EXPECTED if row.name not in results]


@dataclass(frozen=True)
class Family:
    """A variant's experiments: those that follow a source, then our own, and missing ones."""

    variant: str
    published: tuple[Result, ...]
    corrected: tuple[Result, ...]
    missing: tuple[Experiment, ...]

    def missing_of(self, *kinds: str) -> list[str]:
        """Names of the missing experiments of these kinds."""
        return [row.name for row in self.missing if row.kind in kinds]


def family(results: Results, variant: str) -> Family:
    """The experiments of one variant, all of them where nothing of it was published."""
    mine = [r for r in ordered(results) if home(r) == variant and r.kind != "trial"]
    if variant in FAMILIES:
        mine = [r for r in mine if r.group in CORE_GROUPS]
    return Family(
        variant,
        tuple(r for r in mine if r.follows_source),
        tuple(r for r in mine if not r.follows_source),
        tuple(r for r in EXPECTED if home(r) == variant and r.name not in results),
    )


def families(results: Results) -> list[Family]:
    """The four published families, then any other variant that has results."""
    others = sorted(results.values(), key=lambda r: (place(r), home(r)))
    variants = dict.fromkeys((*FAMILIES, *map(home, others)))
    return [family(results, variant) for variant in variants]


def rows_of(variant: str) -> list[Experiment]:
    """The rows of the table that belong to a variant."""
    return [row for row in EXPERIMENTS.values() if home(row) == variant]


def experiments_of(results: Results, variant: str) -> list[Result]:
    """Every result of a variant, trials included."""
    return [r for r in results.values() if home(r) == variant]


def beyond_the_table(results: Results) -> list[str]:
    """Variants that have results and no row in the table, such as the user's own."""
    return [one.variant for one in families(results) if one.variant not in VARIANTS]


def without_result(results: Results, group: str) -> list[str]:
    """The rows of a group that have no result here."""
    return [row.name for row in of_group(group) if row.name not in results]


def model_of(variant: str) -> str | None:
    """The class of a variant, ``"module:Class"``: that of the common comparison, if it has one."""
    rows = [row for row in rows_of(variant) if row.model]
    common = [row for row in rows if row.group == "common"]
    return next((row.model for row in common + rows), None)
