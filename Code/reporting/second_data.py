"""Whether advice that was found on MNIST holds on other data (rule 10 of `Code.reporting.rules`).

Results on other data lie in folders of their own inside the folder of results, one a data set. Each
use orders the variants on MNIST and there; the two orders are compared.
"""

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from Code.reporting import failures, other_data
from Code.reporting.other_data import Described
from Code.reporting.results import Result, ResultError, Results, load_results
from Code.reporting.rules import CHANGES_NAMED, LEAST_VARIANTS, LEVEL, ORDER_DRAWS, margin_of
from Code.reporting.uses import Metric, Uses, load_uses

WIDTHS = (16, 2)
"""Units of the codes whose orders are compared; of the first that a use knows, its winner."""

WINS, NEARLY, LOSES, SHARED = "wins", "nearly", "loses", "shared"
"""MNIST's best is the best there too; is behind it by no more than the margin; by more."""


@dataclass(frozen=True)
class Other:
    """The uses as measured on another data set; ``folder`` is its name in that of the results.

    ``code`` is the version of the code by which each variant was trained there, ``settings`` are
    those of each, ``processors`` are the models of processor that trained them, ``failed`` are
    variants of which no training is left, and ``steps`` are those of the last stage of each.
    """

    folder: str
    data: Described
    uses: Uses
    code: Mapping[str, str]
    processors: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    steps: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, Mapping] = field(default_factory=dict)

    def steps_beside(self, results: Results) -> tuple[int, int] | None:
        """Steps of training there and on MNIST, the medians of the variants on both, or None."""
        both = [
            (n, here)
            for of, n in self.steps.items()
            if of in results and (here := _steps(results[of]))
        ]
        if not both:
            return None
        there, here = (int(np.median(each)) for each in zip(*both, strict=True))
        return there, here

    def other_processors(self, results: Results) -> list[str]:
        """The models of processor that trained the variants on MNIST, where they are others."""
        here = {cpu for r in results.values() if r.experiment in self.code and (cpu := _cpu(r))}
        return [] if here == set(self.processors) else sorted(here)

    def by_other_settings(self, results: Results) -> list[str]:
        """The variants that were not trained with the settings of ``results``, epochs apart."""
        return [
            name
            for name, settings in self.settings.items()
            if name in results and _lasting(results[name].settings) != _lasting(settings)
        ]

    def by_other_code(self, results: Results) -> list[str]:
        """The variants that another version of the code has trained than those of ``results``."""
        return [
            name
            for name, version in self.code.items()
            if name in results and results[name].code_version != version
        ]


@dataclass(frozen=True)
class Correlation:
    """Spearman's rank correlation of two orders of ``n`` variants, and its bootstrap interval."""

    rho: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Change:
    """A variant that has another place there than on MNIST, 1 for the best."""

    name: str
    before: int
    after: int


@dataclass(frozen=True)
class Row:
    """One use on MNIST and on other data, over the variants that compete on both.

    Attributes
    ----------
    metric : MNIST's main one of the use; None for the mean rank over all uses.
    units : the width of the codes among which winners, place and changes are.
    leaders : the best variant on MNIST; of the mean rank, all that share the lead there (rule 5).
    firsts_there : the best on the other data; several where they are level to the last digit.
    places : of the leaders on the other data, among ``n``.
    near : how many of the ``n`` are the best there, or behind it by no more than the margin; None
        of the mean rank, which has no margin.
    outcome : one of `WINS`, `NEARLY`, `LOSES`; `SHARED` where nobody leads alone on MNIST.
    orders : the correlation by width; None where too few variants have both.
    changes : the largest changes of place, the largest first.
    """

    metric: Metric | None
    units: int
    leaders: tuple[str, ...]
    firsts_there: tuple[str, ...]
    places: tuple[int, ...]
    n: int
    near: int | None
    outcome: str
    orders: Mapping[int, Correlation | None]
    changes: tuple[Change, ...]

    @property
    def winner(self) -> str:
        """The best on MNIST."""
        return self.leaders[0]

    @property
    def winner_there(self) -> str:
        """The best on the other data, or one of them."""
        return self.firsts_there[0]

    @property
    def place(self) -> int:
        """The place of MNIST's best on the other data."""
        return self.places[0]

    @property
    def best_leader(self) -> tuple[str, int]:
        """The leader that stands first on the other data, and its place there."""
        place, name = min(zip(self.places, self.leaders, strict=True))
        return name, place

    @property
    def holds(self) -> bool:
        """Whether to take MNIST's winner is good advice there too."""
        return self.outcome in (WINS, NEARLY)


@dataclass(frozen=True)
class Beside:
    """All uses on MNIST beside those on one other data set."""

    other: Other
    rows: tuple[Row, ...]
    """A row a use, and last the mean rank where there are several."""

    @functools.cached_property
    def of_uses(self) -> tuple[Row, ...]:
        """The rows of single uses."""
        return tuple(row for row in self.rows if row.metric is not None)

    @functools.cached_property
    def of_ranks(self) -> Row | None:
        """The row of the mean rank."""
        return next((row for row in self.rows if row.metric is None), None)

    def number(self, *outcomes: str) -> int:
        """Number of uses with one of these outcomes."""
        return sum(row.outcome in outcomes for row in self.of_uses)

    @property
    def by_chance(self) -> float:
        """In how many uses a variant taken at random would be good advice, on average."""
        return sum(row.near / row.n for row in self.of_uses if row.near)

    @property
    def kept(self) -> int:
        """Number of uses whose advice holds there."""
        return sum(row.holds for row in self.of_uses)


def folders(output: str | Path) -> list[str]:
    """Names of the folders in ``output`` that hold whole results on one other data set each."""
    return [name for name, _ in _found(output)]


def load(output: str | Path, names: Collection[str] | None = None) -> list[Other]:
    """The uses on other data in the folders of these names, or of all; failed trainings left out.

    A folder that cannot be read counts as none: its own report says what is wrong, and MNIST's does
    not depend on it.
    """
    found = []
    for name, results in _found(output):
        if names is not None and name not in names:
            continue
        try:
            uses = load_uses(Path(output, name))
        except ResultError:
            continue
        if uses is not None:
            failed = failures.failures(results)
            uses = uses.without({of: one.seeds for of, one in failed.items()})
            code = {of: result.code_version for of, result in results.items()}
            cpus = tuple(dict.fromkeys(cpu for r in results.values() if (cpu := _cpu(r))))
            (data,) = other_data.described(results)
            dead = tuple(of for of, one in failed.items() if one.all_of_them)
            steps = {of: n for of, result in results.items() if (n := _steps(result))}
            settings = {of: result.settings for of, result in results.items()}
            found.append(Other(name, data, uses, code, cpus, dead, steps, settings))
    return found


def _steps(result: Result) -> int | None:
    """Steps of the last stage of a training; None where there are none."""
    *_, last = result.settings.get("stages") or [{}]
    if not last.get("batch_size"):
        return None
    return last["epochs"] * -(-result.data["n_train"] // last["batch_size"])


def _lasting(settings: object) -> object:
    """Settings without what follows from the number of images and epochs."""
    if isinstance(settings, Mapping):
        kept = settings.keys() - {"epochs", "decay_steps"}
        return {name: _lasting(settings[name]) for name in kept}
    if isinstance(settings, list | tuple):
        return [_lasting(one) for one in settings]
    return settings


def _cpu(result: Result) -> str | None:
    return result.machine.get("cpu")


def _found(output: str | Path) -> list[tuple[str, dict[str, Result]]]:
    found = []
    for folder in sorted(path for path in Path(output).glob("[!.]*") if path.is_dir()):
        try:
            results = load_results(folder)
        except ResultError:
            continue
        whole = results and not any(result.quick for result in results.values())
        if whole and other_data.is_other(results) and len(other_data.described(results)) == 1:
            found.append((folder.name, results))
    return found


def compared(mnist: Uses, others: Sequence[Other], results: Results) -> list[Beside]:
    """MNIST's uses beside those on each other data set with which they share some.

    Variants that other settings than those of MNIST's ``results`` trained there are left out.
    """
    found = []
    for other in others:
        apart = dict.fromkeys(other.by_other_settings(results), other.uses.seeds)
        found.append(Beside(other, tuple(rows(mnist, other.uses.without(apart)))))
    return [beside for beside in found if beside.rows]


def rows(mnist: Uses, there: Uses) -> list[Row]:
    """A row for each use that two or more variants of one width have on both, and the mean rank."""
    pairs = {units: in_common(mnist, there, units) for units in WIDTHS}
    found = []
    for use in dict.fromkeys(metric.use for metric in mnist.mains):
        of_width = {
            units: (a, b)
            for units, pair in pairs.items()
            for a, b in zip(pair[0].metrics, pair[1].metrics, strict=True)
            if a.use == use
        }
        scores = {units: tuple(map(_means, both)) for units, both in of_width.items()}
        if scores:
            found.append(_row(next(iter(of_width.values()))[0], scores))
    ranks = {
        units: tuple(_mean_ranks(uses, units) for uses in pair)
        for units, pair in pairs.items()
        if len(pair[0].metrics) > 1
    }
    if ranks:
        units = next(iter(ranks))
        found.append(_row(None, ranks, pairs[units][0].sharing_the_lead(units)))
    return found


def in_common(mnist: Uses, there: Uses, units: int) -> tuple[Uses, Uses]:
    """Both without what only one has: the same metrics, and in each the variants of one width.

    They are MNIST's main metrics, as far as two variants or more compete in them on both.
    """
    both = []
    for metric in mnist.mains:
        other = next((m for m in there.of_use(metric.use) if m.name == metric.name), None)
        if other is None:
            continue
        names = {score.name for score in metric.contenders(mnist.of_width(units))}
        names &= {score.name for score in other.contenders(there.of_width(units))}
        if len(names) > 1:
            both.append(tuple(_only(m, names) for m in (metric, other)))
    return (
        replace(mnist, metrics=tuple(a for a, _ in both)),
        replace(there, metrics=tuple(b for _, b in both)),
    )


def _only(metric: Metric, names: Collection[str]) -> Metric:
    return replace(metric, scores=tuple(s for s in metric.scores if s.name in names))


def _means(metric: Metric) -> dict[str, float]:
    return {score.name: score.mean for score in metric.ranked()}


def _mean_ranks(uses: Uses, units: int) -> dict[str, float]:
    here = [n for n in uses.of_width(units) if any(m.score(n) for m in uses.metrics)]
    ranks = {name: uses.mean_rank(name, here) for name in here}
    return dict(sorted(ranks.items(), key=lambda item: (item[1], item[0])))


def _row(
    metric: Metric | None, scores: Mapping[int, tuple[dict, dict]], leaders: Sequence[str] = ()
) -> Row:
    """A row from the figures of every variant by width, on MNIST and there, the best first."""
    units, (here, there) = next(iter(scores.items()))
    leaders, best = leaders or [next(iter(here))], next(iter(there.values()))
    firsts = tuple(name for name, value in there.items() if value == best)
    outcome = SHARED if len(leaders) > 1 else WINS if leaders[0] in firsts else LOSES
    near = None
    if metric is not None:
        level = [n for n, v in there.items() if abs(best - v) <= margin_of(metric.name, best, v)]
        near = len(level)
        if outcome == LOSES and leaders[0] in level:
            outcome = NEARLY
    orders = {width: correlation(*_aligned(*both)) for width, both in scores.items()}
    return Row(
        metric,
        units,
        tuple(leaders),
        firsts,
        tuple(places(there)[name] for name in leaders),
        len(there),
        near,
        outcome,
        {width: orders.get(width) for width in WIDTHS},
        tuple(changes(places(here), places(there))[:CHANGES_NAMED]),
    )


def _aligned(a: Mapping[str, float], b: Mapping[str, float]) -> tuple[list[float], list[float]]:
    return list(a.values()), [b[name] for name in a]


def places(scores: Mapping[str, float]) -> dict[str, int]:
    """The place of each name, 1 for the best, of scores of which the best is the first.

    Equal ones share the better place.
    """
    values = list(scores.values())
    return {name: values.index(value) + 1 for name, value in scores.items()}


def changes(before: Mapping[str, int], after: Mapping[str, int]) -> list[Change]:
    """The names that have another place in the second order, the largest change first.

    Both orders have the same names.
    """
    every = [Change(name, place, after[name]) for name, place in before.items()]
    moved = [change for change in every if change.before != change.after]
    return sorted(moved, key=lambda c: (-abs(c.after - c.before), c.before))


def correlation(a: Sequence[float], b: Sequence[float], seed: int = 0) -> Correlation | None:
    """Spearman's rank correlation of two figures of the same variants, with its interval.

        ρ = Σ (R_i − R̄)(S_i − S̄) / √(Σ (R_i − R̄)² Σ (S_i − S̄)²)      R, S: ranks, ties share theirs

    The interval at `LEVEL` holds the middle of `ORDER_DRAWS` draws of as many variants with
    replacement (Efron 1979), each ranked anew. None where one side has fewer than `LEAST_VARIANTS`
    different figures, of which a draw may hold one alone, which is no order.
    """
    a, b = np.asarray(a, float), np.asarray(b, float)
    n = len(a)
    if min(len(np.unique(a)), len(np.unique(b))) < LEAST_VARIANTS:
        return None
    drawn = spearman(a, b, times_drawn(n, ORDER_DRAWS, seed))
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(drawn, (tail, 1 - tail))
    return Correlation(float(spearman(a, b)), float(low), float(high), n)


@functools.cache
def times_drawn(n: int, draws: int, seed: int) -> np.ndarray:
    """How often each of ``n`` is in each of the ``draws`` of ``n`` with replacement (draws, n)."""
    drawn = np.random.default_rng(seed).integers(0, n, (draws, n))
    return (drawn[..., None] == np.arange(n)).sum(axis=1, dtype=float)


def spearman(a: np.ndarray, b: np.ndarray, times: np.ndarray | None = None) -> np.ndarray:
    """Spearman's rank correlation of two figures of the same n variants (n,).

    Parameters
    ----------
    times : how often each variant is counted, (..., n); once where not told.

    Returns
    -------
    The correlations (...); NaN where one side is all equal.
    """
    times = np.ones(len(a)) if times is None else times
    middle = (times.sum(axis=-1, keepdims=True) + 1) / 2
    r, s = (ranks(x, times) - middle for x in (a, b))
    size = np.sqrt((times * r**2).sum(axis=-1) * (times * s**2).sum(axis=-1))
    together = (times * r * s).sum(axis=-1)
    rho = np.divide(together, size, out=np.full_like(size, np.nan), where=size > 0)
    return np.clip(rho, -1, 1)


def ranks(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Ranks of n values (n,) where each is there ``times`` times (..., n), 1 for the smallest.

    Equal ones share the mean of their ranks: those below, and half of those beside.
    """
    below = (values[:, None] < values) + 0.5 * (values[:, None] == values)
    return times @ below + 0.5
