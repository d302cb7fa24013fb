"""Where the figures come from (data, code, packages, machines) and how long they took."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from Code.experiments.table import of_group
from Code.reporting.contents import ordered
from Code.reporting.results import Result, Results


def code_versions(results: Results) -> dict[str, list[str]]:
    """Experiments by the version of the code that produced them."""
    return _experiments_by(results, lambda result: result.code_version)


def machines(results: Results) -> list[tuple[str, list[str]]]:
    """The machines, most used first, each with its experiments (the first with an empty list)."""
    found = _most_first(results, lambda result: joined(result.machine))
    return [(machine, names if i else []) for i, (machine, names) in enumerate(found)]


def on_another_processor(
    rows: Iterable[Result], everything: Results | None = None
) -> list[tuple[str, list[str]]]:
    """Processors other than that of most rows with a training time, and their experiments.

    The most are those of ``everything``, as far as one of ``rows`` is among them.
    """
    timed = _by_processor({row.experiment: row for row in rows})
    for main, _ in _by_processor(everything or {}):
        if main in dict(timed):
            return [one for one in timed if one[0] != main]
    return timed[1:]


def _by_processor(results: Results) -> list[tuple[str, list[str]]]:
    timed = {name: r for name, r in results.items() if r.seconds_total() and r.machine.get("cpu")}
    return _most_first(timed, lambda result: result.machine["cpu"])


def _most_first(results: Results, value_of: Callable[[Result], str]) -> list[tuple[str, list[str]]]:
    return sorted(_experiments_by(results, value_of).items(), key=lambda item: -len(item[1]))


def _experiments_by(results: Results, value_of: Callable[[Result], str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for result in ordered(results):
        found.setdefault(value_of(result), []).append(result.experiment)
    return found


def data_label(result: Result) -> str:
    """Name and size of a run's data, and the first digits of its checksum."""
    d = result.data
    return f"{d['name']} {d['n_train']}/{d['n_test']} {d['sha256'][:12]}"


def joined(fields: Mapping[str, object]) -> str:
    """A mapping on one line, sorted by its keys."""
    return ", ".join(f"{key} {fields[key]}" for key in sorted(fields))


def distinct(results: Iterable[Result], field: str) -> list[str]:
    """The different values of a mapping-valued field, each on one line, in the order met."""
    return list(dict.fromkeys(joined(getattr(r, field)) for r in results))


@dataclass(frozen=True)
class ScheduleCost:
    """The cost of one seed of the published comparison, in seconds of one core."""

    seconds: float
    convolutional: float
    """Share of the rows that convolve."""


def schedule_cost(results: Results) -> ScheduleCost | None:
    """Training time of the group ``published``; None unless all of it was trained.

    Of each row it is the least of its seeds: other work on the machine only adds.
    """
    rows = [r for r in results.values() if r.group == "published" and r.seconds_total()]
    total = sum(min(r.seconds_total().values) for r in rows)
    if not total or any(row.name not in results for row in of_group("published")):
        return None
    convolving = sum(min(r.seconds_total().values) for r in rows if r.convolves)
    return ScheduleCost(total, convolving / total)


@dataclass(frozen=True)
class GroupTime:
    """What the trainings of one group took, all seeds together.

    Attributes
    ----------
    group : name of the group.
    experiments, trainings : numbers; a training is an experiment with one seed.
    seconds : training time on one core.
    """

    group: str
    experiments: int
    trainings: int
    seconds: float


def group_times(results: Results) -> list[GroupTime]:
    """The training time of each group that has one, in the order of the pages."""
    found: dict[str, list[tuple[float, ...]]] = {}
    for result in ordered(results):
        total = result.seconds_total()
        if total is not None:
            found.setdefault(result.group, []).append(total.values)
    return [
        GroupTime(group, len(rows), sum(map(len, rows)), sum(map(sum, rows)))
        for group, rows in found.items()
    ]
