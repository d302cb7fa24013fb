"""Variants × uses, read from ``output/uses.json``, and rankings derived from the figures."""

import json
import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from Code.reporting.results import ResultError

FILE = "uses.json"
PICTURES = "uses"


@dataclass(frozen=True)
class Score:
    """Values by seed of one model, or of one baseline without an autoencoder, in one metric."""

    name: str
    values: tuple[float, ...]
    is_model: bool
    is_bound: bool = False
    """Whether this is a bound (the best that can be expected), such as the training images."""

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return statistics.fmean(self.values)

    @property
    def std(self) -> float | None:
        """Sample standard deviation over the seeds; None with a single seed."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None


@dataclass(frozen=True)
class Metric:
    """One metric of one use, with all its scores."""

    use: str
    name: str
    unit: str
    higher_is_better: bool
    main: bool
    scores: tuple[Score, ...]

    def ranked(self, names=None) -> list[Score]:
        """Scores, best first; only those of ``names`` if given."""
        chosen = [s for s in self.scores if names is None or s.name in names]
        sign = -1 if self.higher_is_better else 1
        return sorted(chosen, key=lambda s: (sign * s.mean, s.name))

    def score(self, name: str) -> Score | None:
        """The score of a model or baseline, None if it has none."""
        return next((s for s in self.scores if s.name == name), None)

    @property
    def best_model(self) -> Score | None:
        """The best of the autoencoders."""
        return next((s for s in self.ranked() if s.is_model), None)

    @property
    def best_rival(self) -> Score | None:
        """The best baseline: neither an autoencoder nor a bound."""
        return next((s for s in self.ranked() if not (s.is_model or s.is_bound)), None)

    def clear(self, a: Score, b: Score) -> bool | None:
        """Whether two scores differ by more than their spread; None if the spread is unknown."""
        if a.std is None or b.std is None:
            return None
        margin = 2 * math.sqrt(a.std**2 / len(a.values) + b.std**2 / len(b.values))
        return abs(a.mean - b.mean) > margin

    def stands_out(self, score: Score, names=None) -> bool:
        """Whether a score is the best, and better than the next one by more than the spread."""
        first, *others = self.ranked(names)
        return score == first and bool(others) and self.clear(first, others[0]) is True


@dataclass(frozen=True)
class Uses:
    """Everything that was measured of the uses."""

    models: tuple[str, ...]
    seeds: tuple[int, ...]
    metrics: tuple[Metric, ...]
    seconds: Mapping[str, float | None]
    left_out: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Why a use was not measured: ``{use: {model or "baselines": reason}}``."""

    @property
    def mains(self) -> list[Metric]:
        """The main metric of each use that has scores of models.

        Where the data do not allow it, as an accuracy without labels, it is the use's first metric
        that was measured.
        """
        found: dict[str, Metric] = {}
        for metric in self.metrics:
            if metric.best_model and (metric.main or metric.use not in found):
                found[metric.use] = metric
        return list(found.values())

    def of_use(self, use: str) -> list[Metric]:
        """Every metric of a use that has scores."""
        return [m for m in self.metrics if m.use == use and m.scores]

    def of_width(self, units: int) -> list[str]:
        """The models with ``units`` code units, recognised by the ending of their names."""
        return [name for name in self.models if name.endswith(f"-{units}")]

    def mean_rank(self, name: str, names: list[str]) -> float | None:
        """Mean rank of a model among ``names`` over the uses in which it has a score; 1 is best."""
        ranks = []
        for metric in self.mains:
            ranked = [score.name for score in metric.ranked(names)]
            if name in ranked and len(ranked) > 1:
                # Ranks are scaled to 1 … len(names), because not every use has every model
                ranks.append(1 + ranked.index(name) * (len(names) - 1) / (len(ranked) - 1))
        return statistics.fmean(ranks) if ranks else None

    def by_rank(self, units: int) -> list[tuple[str, float | None]]:
        """Models of one width with their mean rank, the best first; a single one has no rank."""
        names = self.of_width(units)
        ranks = [
            (n, self.mean_rank(n, names)) for n in names if any(m.score(n) for m in self.mains)
        ]
        return sorted(ranks, key=lambda r: (math.inf if r[1] is None else r[1], r[0]))


def load_uses(output_dir: str | Path) -> Uses | None:
    """Read and check ``<output_dir>/uses.json``; return None if there is no such file.

    Raises
    ------
    ResultError
        If the file is not as ``run_all.py`` writes it; the message is one line with what to do.
    """
    path = Path(output_dir) / FILE
    if not path.exists():
        return None
    try:
        return uses_of(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError, AttributeError, OSError, RecursionError) as error:
        problem = " ".join(f"{type(error).__name__}: {error}".split())
        raise ResultError(
            f"{path}: not what run_all.py writes ({problem}); delete it and run"
            " `python run_all.py --only common` again"
        ) from None


def uses_of(raw: dict) -> Uses:
    """Build the measures from the content of the JSON file."""
    models = tuple(map(str, raw["models"]))
    metrics = tuple(
        Metric(
            use,
            str(metric["name"]),
            str(metric["unit"]),
            bool(metric["higher_is_better"]),
            bool(metric["main"]),
            tuple(
                Score(
                    name,
                    tuple(map(_finite, values)),
                    name in models,
                    name in found.get("bounds", ()),
                )
                for name, values in found["values"].get(metric["name"], {}).items()
            ),
        )
        for use, found in raw["uses"].items()
        for metric in found["metrics"]
    )
    seconds = {use: found["seconds"] for use, found in raw["uses"].items()}
    left_out = {
        use: {name: str(reason) for name, reason in found["left_out"].items()}
        for use, found in raw["uses"].items()
        if found.get("left_out")
    }
    return Uses(models, tuple(raw["seeds"]), metrics, seconds, left_out)


def _finite(value) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{value!r} is no finite number")
    return float(value)
