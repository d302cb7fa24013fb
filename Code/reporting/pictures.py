"""Which pictures of a family a page shows at once, and which it folds away."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from Code.reporting.contents import FAMILIES, Family
from Code.reporting.results import Result

WIDTH, LEADERS = 16, 8
"""Units of the codes among which the main report says which to use, and how many it shows."""

OPEN = 3
"""Pictures of a variant that are seen without unfolding anything."""

# Of these the first that a family has stands beside reconstructions and map
OWN = (
    "denoising.png",
    "manifold.png",
    "draws.png",
    "traversal.png",
    "codebook.png",
    "completion.png",
    "transfer.png",
    "filters.png",
    "loss.png",
)
# What shows best what a variant is about, where neither the first of `OWN` nor the row of sixteen
# units does
TELLING = {
    "aae": ("aae-petals", "code.png"),
    "beta_vae": ("beta-vae-16", "traversal.png"),
    "contractive": ("contractive", "filters.png"),
    "factor_vae": ("factor-vae-16", "traversal.png"),
    "overcomplete": ("overcomplete-l1", "filters.png"),
    "sparse": ("sparse-k10", "filters.png"),
}
ORDER = (
    "structure.png",
    "loss.png",
    "loss_terms.png",
    "accuracy.png",
    "reconstructions.png",
    "denoising.png",
    "psnr.png",
    "code.png",
    "code_noisy.png",
    "manifold.png",
)
# The main report's where a family has no composite: experiment and picture
SUMMARY = {
    "ae": (("ae-relu", "loss.png"), ("ae", "reconstructions.png"), ("ae", "code.png")),
    "dae": (("dae-published", "loss.png"), ("dae", "denoising.png"), ("dae-published", "code.png")),
    "cae": (
        ("cae-published", "loss.png"),
        ("cae-denoising", "denoising.png"),
        ("cae-published", "code.png"),
    ),
    "vae": (
        ("vae-bce", "loss.png"),
        ("vae-bce", "reconstructions.png"),
        ("vae-bce", "manifold.png"),
    ),
}
# The most telling first: of a published family, and of any other
CORRECTED_FIRST = ("corrected", "published", "paper", "common", "own", "baseline")
COMMON_FIRST = ("common", "paper", "corrected", "own", "published", "baseline")


FIRST_USES = ("reconstruct", "denoise", "fill")
"""Of these uses the first with a picture is seen at once of other data, the others folded."""


@dataclass(frozen=True)
class OfAUse:
    """The picture of a use, and the link to it."""

    use: str
    link: str


def of_uses(
    folder: str, uses: Sequence[str], link: Callable[[str, str], str | None]
) -> list[OfAUse]:
    """The pictures of other data, whose results lie in ``folder``: the one to see, and ``uses``."""
    found = {use: link("output", f"{folder}/uses/{use}.png") for use in (*FIRST_USES, *uses)}
    first = next((use for use in FIRST_USES if found[use]), None)
    return [OfAUse(use, to) for use in dict.fromkeys((first, *uses)) if (to := found.get(use))]


FILTERS = {
    "stacked": 64,
    "rbm": 64,
    "sparse": 96,
    "overcomplete": 96,
    "tied": 96,
    "contractive": 96,
}
"""Of how many units of its first layer, at most, a variant draws the weights."""
UNITS, ENTRIES = 10, 100
"""As many units of a code are traversed, and as many entries of a codebook decoded, at most."""


def counted(result: Result, file: str) -> tuple[int, int] | None:
    """How many filters, units or entries a picture shows, and of how many.

    None where the settings do not tell it, and for any other picture.
    """
    units = result.settings.get("code_dim")
    if file == "traversal.png":
        of, most = units, UNITS
    elif file == "codebook.png":
        of, most = result.settings.get("n_entries"), ENTRIES
    elif file == "filters.png" and result.variant == "conv":
        of = most = next(iter(result.settings.get("filters", ())), None)
    elif file == "filters.png" and result.variant in FILTERS:
        of = next(iter(result.settings.get("hidden", ())), units)
        most = FILTERS[result.variant]
    else:
        of = most = None
    return (min(of, most), of) if of and most else None


Linked = Callable[[Result, str], str | None]
"""`Code.reporting.links.Places.picture`: the link to a picture that exists, else None."""


@dataclass(frozen=True)
class Picture:
    """One picture of an experiment."""

    result: Result
    file: str


def composite(variant: str, language: str) -> str:
    """The one picture of a published family, below the folder of results."""
    return f"families/{variant}{'.zh' if language == 'zh' else ''}.png"


def experiments(family: Family) -> list[Result]:
    """A family's experiments, the most telling first: corrected, or of sixteen units."""
    kinds = CORRECTED_FIRST if family.variant in FAMILIES else COMMON_FIRST
    ranks = {kind: rank for rank, kind in enumerate(kinds)}
    every = [*family.corrected, *family.published]
    return sorted(every, key=lambda r: (ranks[r.kind], not r.experiment.endswith("-16")))


def seen(family: Family, picture: Linked) -> list[Picture]:
    """The pictures to be seen at once: one of the variant's own, reconstructions, map."""
    ranked = experiments(family)
    telling = TELLING.get(family.variant)
    own = [Picture(r, telling[1]) for r in ranked if telling and r.experiment == telling[0]]
    choices = (
        [*own, *(Picture(r, file) for file in OWN for r in ranked)],
        [Picture(r, "reconstructions.png") for r in ranked],
        [Picture(r, "code.png") for r in ranked],
    )
    found = (next((p for p in of if picture(p.result, p.file)), None) for of in choices)
    return [p for p in found if p][:OPEN]


def folded(family: Family, picture: Linked) -> list[tuple[Result, list[str]]]:
    """All other pictures, by experiment."""
    shown = {(p.result.experiment, p.file) for p in seen(family, picture)}
    found = []
    for result in (*family.published, *family.corrected):
        files = [f for f in _ordered(result.figures) if (result.experiment, f) not in shown]
        files = [f for f in files if picture(result, f)]
        if files:
            found.append((result, files))
    return found


def _ordered(files: Sequence[str]) -> list[str]:
    return sorted(files, key=lambda f: ORDER.index(f) if f in ORDER else len(ORDER))
