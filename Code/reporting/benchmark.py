"""The speed benchmark, read from ``output/benchmark.json``, and quantities derived from it.

Contenders take turns round by round, so that ratios are taken within a round: a slow minute slows
both. Seconds of different processors are never compared.

Ratios, shares of the limit and whether targets are reached are computed only here, both for the
output of the benchmark and for the report.
"""

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from Code.reporting.results import ResultError

FILE = "benchmark.json"
BARS, GROWTH = "benchmark.png", "benchmark_growth.png"
OURS, PLAIN = "ours", "keras_fit"
BEYOND = 1.1
"""How many times a cost may lie beyond both ends of its curve, as noise does, to have a power."""
# Asked for: level with the fastest other, in training and in computing codes; half of the speed of
# the matrix products alone; one call on one and on ten images within a millisecond
LEVEL_WITH_FASTEST = 1.0
SHARE_OF_PRODUCTS = 0.5
CALL_SECONDS = 1e-3
# Asked for earlier, of a processor that may have been another
AGAINST_PLAIN = {"ae": 10.0, "dae": 6.0, "cae": 3.5, "vae": 2.5}
AGAINST_FASTEST = 1.2
SHARE_OF_LIMIT = {"ae": 0.5, "dae": 0.5, "cae": 0.2, "vae": 0.5}
JOBS_RATIO = 1.4
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Ratio:
    """How many times the seconds of this project another takes: the median over the rounds.

    ``low`` and ``high`` bound the median of such rounds; None with too few of them.
    """

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def level(self) -> bool:
        """Whether this project is level with the other or ahead: not slower beyond the interval."""
        return (self.value if self.high is None else self.high) >= 1

    @property
    def verdict(self) -> str:
        """``"ahead"``, ``"level"`` or ``"behind"``: level where the interval holds 1."""
        if (self.value if self.low is None else self.low) > 1:
            return "ahead"
        return "level" if self.level else "behind"


def median_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Interval of the median at `CONFIDENCE` without any distribution, from order statistics.

    It goes from the k-th smallest to the k-th largest value with the largest k for which
    2 P(B < k) ≤ 1 − `CONFIDENCE`, B ~ Bin(n, ½) (Conover 1999, section 3.2). None for n < 6.
    """
    n = len(values)
    k, below = 0, 1
    while 2 * below / 2**n <= 1 - CONFIDENCE:
        k += 1
        below += math.comb(n, k)
    ordered = sorted(values)
    return (ordered[k - 1], ordered[n - k]) if k else None


def paired(ours: "Row", other: "Row") -> Ratio | None:
    """The ratio of another's seconds to ours, round by round; None where either has no time."""
    if ours.seconds is None or other.seconds is None:
        return None
    if len(ours.all_seconds) != len(other.all_seconds) or not ours.all_seconds:
        return Ratio(other.seconds / ours.seconds)
    ratios = [b / a for a, b in zip(ours.all_seconds, other.all_seconds, strict=True)]
    return Ratio(statistics.median(ratios), *(median_interval(ratios) or ()))


@dataclass(frozen=True)
class Row:
    """One contender on one network.

    ``seconds`` is the median of ``all_seconds``, or None; ``skipped`` then gives the reason.
    ``loss`` is the loss of the last epoch, ``peak_memory_mb`` the peak memory of its process.
    """

    contender: str
    seconds: float | None
    all_seconds: tuple[float, ...] = ()
    loss: float | None = None
    peak_memory_mb: float | None = None
    batch_size: int | None = None
    skipped: str | None = None


@dataclass(frozen=True)
class Target:
    """A target and the measured ``value``; ``value`` and ``reached`` are None if not measured.

    ``kind`` is ``"level"`` or ``"codes"`` (ratios to the fastest other, with their ``interval``),
    ``"products"`` (a share) or ``"call"`` (seconds of one call); of those asked for earlier
    ``"plain"``, ``"fastest"`` (ratios) or ``"limit"`` (a share). ``images`` are those of a batch
    or a call.
    """

    network: str
    title: str
    kind: str
    target: float
    value: float | None = None
    against: str | None = None
    interval: tuple[float, float] | None = None
    images: int | None = None

    @property
    def reached(self) -> bool | None:
        """Whether the value, or the better end of its interval, is at least the target."""
        if self.value is None:
            return None
        if self.kind == "call":
            return self.value <= self.target
        return (self.interval[1] if self.interval else self.value) >= self.target


@dataclass(frozen=True)
class Timed:
    """One network: its contenders, its arithmetic per epoch and the limits of the machine.

    ``gflop`` counts the plain network, forward and backward. ``gbytes`` is the memory traffic where
    that is the limit, else None. ``products_seconds`` is the time of an epoch's matrix products
    alone, None if not measured.
    """

    name: str
    title: str
    gflop: float
    gbytes: float | None
    rows: tuple[Row, ...]
    gflops_limit: float
    gb_per_second: float
    products_seconds: float | None = None

    @property
    def arithmetic_seconds(self) -> float:
        """Seconds per epoch at the speed of the matrix product."""
        return self.gflop / self.gflops_limit

    @property
    def traffic_seconds(self) -> float | None:
        """Seconds per epoch at the speed of copying."""
        return None if self.gbytes is None else self.gbytes / self.gb_per_second

    @property
    def products_share(self) -> float | None:
        """Share of the arithmetic limit that an epoch of matrix products alone reaches."""
        taken = self.products_seconds
        return None if taken is None else self.arithmetic_seconds / taken

    @property
    def limit_seconds(self) -> float:
        """The longer of arithmetic and traffic seconds: no epoch can be shorter."""
        return max(self.arithmetic_seconds, self.traffic_seconds or 0.0)

    def row(self, contender: str) -> Row | None:
        """The row of a contender, None if it was not timed."""
        return next((r for r in self.timed if r.contender == contender), None)

    @property
    def timed(self) -> list[Row]:
        """The rows that have a time."""
        return [r for r in self.rows if r.seconds is not None]

    def paired(self, row: Row) -> Ratio | None:
        """Time of the row divided by the time of this project, round by round."""
        ours = self.row(OURS)
        return None if ours is None else paired(ours, row)

    def ratio(self, row: Row) -> float | None:
        """The same as one number."""
        found = self.paired(row)
        return None if found is None else found.value

    def gflops(self, row: Row) -> float:
        """GFLOP per second: arithmetic of the plain network divided by the row's time."""
        return self.gflop / row.seconds

    def share(self, row: Row) -> float:
        """Share of the limit that the row reaches; 1 is as fast as the machine allows."""
        return self.limit_seconds / row.seconds

    @property
    def fastest_other(self) -> Row | None:
        """The fastest contender other than this project."""
        return fastest_of(self.rows)

    @property
    def share_of_products(self) -> float | None:
        """Seconds of the matrix products alone divided by ours; None where not measured."""
        ours = self.row(OURS)
        return self.products_seconds / ours.seconds if ours and self.products_seconds else None

    def targets(self) -> list[Target]:
        """What is asked of an epoch: level with the fastest other, and a share of the products."""
        fastest = self.fastest_other
        ratio = self.paired(fastest) if fastest else None
        found = [_level("level", self.name, self.title, ratio, fastest)]
        if self.products_seconds is not None:
            found.append(self._target("products", SHARE_OF_PRODUCTS, self.share_of_products))
        return found

    def earlier_targets(self) -> list[Target]:
        """What was asked for earlier, in the order plain, fastest, limit."""
        ours, plain, fastest = self.row(OURS), self.row(PLAIN), self.fastest_other
        found = []
        if self.name in AGAINST_PLAIN:
            ratio = self.ratio(plain) if plain else None
            found.append(self._target("plain", AGAINST_PLAIN[self.name], ratio, PLAIN))
        ratio = self.ratio(fastest) if fastest else None
        against = fastest.contender if fastest else None
        found.append(self._target("fastest", AGAINST_FASTEST, ratio, against))
        if self.name in SHARE_OF_LIMIT:
            share = self.share(ours) if ours else None
            found.append(self._target("limit", SHARE_OF_LIMIT[self.name], share))
        return found

    def _target(
        self, kind: str, target: float, value: float | None, against: str | None = None
    ) -> Target:
        return Target(self.name, self.title, kind, target, value, against)


def _level(
    kind: str, name: str, title: str, ratio: Ratio | None, other: Row | None, images=None
) -> Target:
    """The target to be level with the fastest other."""
    if ratio is None:
        return Target(name, title, kind, LEVEL_WITH_FASTEST, images=images)
    interval = None if ratio.low is None else (ratio.low, ratio.high)
    against = other.contender
    return Target(name, title, kind, LEVEL_WITH_FASTEST, ratio.value, against, interval, images)


@dataclass(frozen=True)
class Point:
    """Seconds per epoch with the setting ``axis`` at ``value`` and all others as published."""

    axis: str
    network: str
    value: int
    seconds: float


@dataclass(frozen=True)
class Jobs:
    """The same experiments, one at a time and ``jobs`` in parallel."""

    experiments: tuple[str, ...]
    quick: bool
    jobs: int
    seconds_one_job: float
    seconds: float
    equal: bool

    @property
    def ratio(self) -> float:
        """Speed-up by running in parallel."""
        return self.seconds_one_job / self.seconds


@dataclass(frozen=True)
class Benchmark:
    """One run of the benchmark. Parts that were not run are empty or None."""

    images: int
    batch_size: int
    repeats: int
    threads: int
    finished: str
    versions: Mapping[str, str]
    machine: Mapping[str, Any]
    gflops_limit: float | None
    gb_per_second: float | None
    networks: tuple[Timed, ...] = ()
    ways: Mapping[str, tuple[Row, ...]] | None = None
    inference: Mapping[str, tuple[Row, ...]] | None = None
    calls: Mapping[str, tuple[Row, ...]] | None = None
    growth: tuple[Point, ...] = ()
    jobs: Jobs | None = None

    def targets(self) -> list[Target]:
        """Every target of every network."""
        found = [target for network in self.networks for target in network.targets()]
        for name, rows in (self.inference or {}).items():
            for images in batch_sizes(rows):
                of_size = [r for r in rows if r.batch_size == images]
                ours, fastest = ours_of(of_size), fastest_of(of_size)
                if ours is not None:
                    ratio = paired(ours, fastest) if fastest else None
                    title = self.title(name)
                    found.append(_level("codes", name, title, ratio, fastest, images))
        for name, rows in (self.calls or {}).items():
            title = self.title(name)
            for images in batch_sizes(rows):
                if ours := ours_of([r for r in rows if r.batch_size == images]):
                    call = Target(name, title, "call", CALL_SECONDS, ours.seconds, images=images)
                    found.append(call)
        return found

    def earlier_targets(self) -> list[Target]:
        """What was asked for earlier of every network."""
        return [target for network in self.networks for target in network.earlier_targets()]

    def title(self, network: str) -> str:
        """A network's title."""
        return next((n.title for n in self.networks if n.name == network), network)

    def growth_axes(self) -> list[str]:
        """The settings that were varied, in order."""
        return list(dict.fromkeys(point.axis for point in self.growth))

    def growth_networks(self, axis: str) -> list[str]:
        """The networks on which a setting was varied."""
        return list(dict.fromkeys(p.network for p in self.growth if p.axis == axis))

    def growth_of(self, axis: str, network: str) -> list[Point]:
        """The points of one curve, by value."""
        found = [p for p in self.growth if (p.axis, p.network) == (axis, network)]
        return sorted(found, key=lambda point: point.value)

    def exponent(self, axis: str, network: str) -> float | None:
        """The power of the setting by which the time grows between the ends of a curve.

        None where it turns on the way by more than `BEYOND`.
        """
        points = self.growth_of(axis, network)
        if len(points) < 2:
            return None
        first, last = points[0], points[-1]
        low, high = sorted((first.seconds, last.seconds))
        seconds = [point.seconds for point in points]
        if min(seconds) < low / BEYOND or max(seconds) > high * BEYOND:
            return None
        return math.log(last.seconds / first.seconds) / math.log(last.value / first.value)


def ours_of(rows: Sequence[Row]) -> Row | None:
    """The row of this project among rows of one batch size."""
    return next((r for r in rows if r.contender == OURS and r.seconds is not None), None)


def fastest_of(rows: Sequence[Row]) -> Row | None:
    """The fastest row of another among rows of one batch size."""
    others = [r for r in rows if r.contender != OURS and r.seconds is not None]
    return min(others, default=None, key=lambda r: r.seconds)


def faster_ways(ways: Mapping[str, Sequence[Row]]) -> list[str]:
    """The ways whose interval lies below 1 on every network that they were tried on."""
    verdicts: dict[str, list[str]] = {}
    for rows in ways.values():
        if (ours := ours_of(rows)) is None:
            continue
        for other in rows:
            if other is not ours and (ratio := paired(ours, other)) is not None:
                verdicts.setdefault(other.contender, []).append(ratio.verdict)
    return [way for way, found in verdicts.items() if set(found) == {"behind"}]


def batch_sizes(rows: Sequence[Row]) -> list[int]:
    """The batch sizes of rows, the smallest first."""
    return sorted({r.batch_size for r in rows if r.batch_size is not None})


def load_benchmark(output_dir: str | Path) -> Benchmark | None:
    """Read and check ``<output_dir>/benchmark.json``; return None if there is no such file.

    Raises
    ------
    ResultError
        If the file is not as the benchmark writes it; the message is one line that says what to do.
    """
    path = Path(output_dir) / FILE
    if not path.exists():
        return None
    try:
        return benchmark_of(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError, AttributeError, OSError, RecursionError) as error:
        problem = " ".join(f"{type(error).__name__}: {error}".split())
        raise ResultError(
            f"{path}: not what the benchmark writes ({problem}); delete it and run"
            " `python -m tests.benchmarks.speed` again"
        ) from None


def benchmark_of(raw: dict) -> Benchmark:
    """Build the benchmark from the content of its JSON file.

    Raises
    ------
    ValueError, TypeError, KeyError, AttributeError
        If a part is missing or has the wrong type or value.
    """
    limit = raw.get("limit")
    gflops = copied = None
    if limit is not None:
        gflops, copied = _positive(limit["gflops"]), _positive(limit["copy_gb_per_second"])
    networks = raw.get("networks", {})
    if networks and limit is None:
        raise ValueError("'networks' without a 'limit'")
    names = [p["axis"] + p["network"] + str(p["value"]) for p in raw.get("growth", [])]
    if len(set(names)) < len(names):
        raise ValueError("'growth' has a point twice")
    return Benchmark(
        images=_count(raw["images"]),
        batch_size=_count(raw["batch_size"]),
        repeats=_count(raw["repeats"]),
        threads=_count(raw["threads"]),
        finished=_text(raw["finished"]),
        versions=dict(raw["versions"]),
        machine=dict(raw["machine"]),
        gflops_limit=gflops,
        gb_per_second=copied,
        networks=tuple(
            Timed(
                name,
                _text(n["title"]),
                _positive(n["gflop"]),
                None if n["gbytes"] is None else _positive(n["gbytes"]),
                _rows(n["rows"]),
                gflops,
                copied,
                _positive(n["products_seconds"]) if "products_seconds" in n else None,
            )
            for name, n in networks.items()
        ),
        ways=_by_network(raw.get("ways")),
        inference=_by_network(raw.get("inference")),
        calls=_by_network(raw.get("calls")),
        growth=tuple(map(_point, raw.get("growth", []))),
        jobs=_jobs(raw["jobs"]) if raw.get("jobs") else None,
    )


def _by_network(raw: dict | None) -> Mapping[str, tuple[Row, ...]] | None:
    return {name: _rows(rows) for name, rows in raw.items()} if raw else None


def _rows(raw: list) -> tuple[Row, ...]:
    rows = tuple(map(_row, raw))
    keys = [(row.contender, row.batch_size) for row in rows]
    if len(set(keys)) < len(keys):
        raise ValueError("a contender stands there twice")
    return rows


def _row(raw: dict) -> Row:
    name, batch_size = _text(raw["contender"]), raw.get("batch_size")
    if batch_size is not None:
        batch_size = _count(batch_size)
    if "skipped" in raw:
        return Row(name, None, batch_size=batch_size, skipped=_text(raw["skipped"]))
    loss = raw.get("loss")
    return Row(
        name,
        _positive(raw["seconds"]),
        tuple(_positive(s) for s in raw["all_seconds"]),
        None if loss is None else _number(loss),
        _positive(raw["peak_memory_mb"]),
        batch_size,
    )


def _point(raw: dict) -> Point:
    axis, network = _text(raw["axis"]), _text(raw["network"])
    return Point(axis, network, _count(raw["value"]), _positive(raw["seconds"]))


def _jobs(raw: dict) -> Jobs:
    if not isinstance(raw["equal"], bool) or not isinstance(raw["quick"], bool):
        raise TypeError("jobs: 'equal' and 'quick' must be true or false")
    return Jobs(
        tuple(_text(name) for name in raw["experiments"]),
        raw["quick"],
        _count(raw["jobs"]),
        _positive(raw["seconds_one_job"]),
        _positive(raw["seconds"]),
        raw["equal"],
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{value!r} is no finite number")
    return value


def _positive(value: Any) -> float:
    if _number(value) <= 0:
        raise ValueError(f"{value!r} is not above 0")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no whole number")
    return int(_positive(value))
