"""Reasons to read the report with care."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from Code.reporting.contents import missing, ordered
from Code.reporting.other_data import is_other
from Code.reporting.provenance import data_label, joined
from Code.reporting.results import Result, Results


@dataclass(frozen=True)
class Warn:
    """A reason to read the report with care: its key, and experiments grouped by their value."""

    key: str
    groups: tuple[tuple[str, tuple[str, ...]], ...]


def warnings(results: Results) -> list[Warn]:
    """Missing, failed or quick runs, data other than MNIST, mixtures that prevent comparison.

    Where no result is on MNIST, the report holds nothing of the published comparison, so nothing of
    that is missing.
    """
    all_of = ordered(results)
    published = not is_other(results)
    found = []

    def warn_of(key: str, chosen: Iterable[tuple[str, str]]) -> None:
        groups: dict[str, list[str]] = {}
        for value, name in chosen:
            groups.setdefault(value, []).append(name)
        if groups:
            found.append(Warn(key, tuple((v, tuple(n)) for v, n in groups.items())))

    warn_of("missing", (("", name) for name in missing(results) if published))
    warn_of(
        "failed",
        ((f"{f['seed']}: {f['reason']}", r.experiment) for r in all_of for f in r.failures),
    )
    stopped = (r for r in all_of if not r.complete and not r.failures)
    warn_of("incomplete", (("", r.experiment) for r in stopped))
    warn_of("quick", (("", r.experiment) for r in all_of if r.quick))
    other = (r for r in all_of if published and not r.on_mnist)
    warn_of("other_data", ((r.data["name"], r.experiment) for r in other))
    chance = [r for r in all_of if not r.without_chance]
    mixtures = {
        "data": [(data_label(r), r.experiment) for r in all_of],
        "schedules": [("quick" if r.quick else "full", r.experiment) for r in all_of],
        "versions": [(joined(r.versions), r.experiment) for r in all_of],
        # A row of ratios compares times of one machine only
        "machines": [
            (joined(r.machine), r.experiment)
            for r in all_of
            if not r.measure("epoch_ratio", "train")
        ],
    }
    # A group is run as a whole; another may have fewer seeds, as every figure tells
    uneven = _differing(chance, lambda r: r.group, lambda r: r.seeds)
    warn_of("mixed_seeds", ((", ".join(map(str, r.seeds)), r.experiment) for r in uneven))
    for key, pairs in mixtures.items():
        if len({value for value, _ in pairs}) > 1:
            warn_of(f"mixed_{key}", pairs)
    # Every model has its own code version, so only the runs of one model are compared
    mixed = _differing(
        all_of, lambda r: r.settings.get("model") or r.variant, lambda r: r.code_version
    )
    warn_of("mixed_code", ((r.code_version, r.experiment) for r in mixed))
    return found


def _differing(
    results: Iterable[Result], within: Callable[[Result], str], value: Callable[[Result], object]
) -> list[Result]:
    """The results of each group in which a value differs; ``within`` names the group."""
    groups: dict[str, list[Result]] = {}
    for r in results:
        groups.setdefault(within(r), []).append(r)
    return [r for rs in groups.values() if len(set(map(value, rs))) > 1 for r in rs]
