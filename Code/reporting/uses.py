"""Variants × uses, read from ``output/uses.json``, and rankings derived from the figures."""

import json
import math
import statistics
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from Code.experiments.table import EXPERIMENTS
from Code.reporting import estimates
from Code.reporting.estimates import Estimate
from Code.reporting.failures import judged_stage
from Code.reporting.results import ResultError, Results
from Code.reporting.rules import SAME_ROUNDING, margin_of

FILE = "uses.json"
PICTURES = "uses"
DRAWN = "drawn.json"
"""Beside the pictures: which trainings they show."""
# The main metrics of today in place of which older results have others
TODAY = {"reduce": "knn_accuracy", "generate": "frechet_mixture", "disentangle": "dci"}
# So many autoencoders, and so many baselines without one, stand in the table of a use
MODELS_SHOWN, RIVALS_SHOWN = 5, 3
# What a model is given stands there, too, wherever it is ranked
GIVEN = ("noisy",)


@dataclass(frozen=True)
class Score:
    """Values by seed of one model, or of one baseline without an autoencoder, in one metric.

    A bound is the best that can be expected, such as the training images. ``reference`` is the
    standard deviation in the committed reference, with its number of seeds. ``conditioned`` says
    that the model learned from labels, which the others did not; ``counts`` is False where the
    model lacks what the metric needs. Neither competes.
    """

    name: str
    values: tuple[float, ...]
    is_model: bool
    is_bound: bool = False
    reference: tuple[float, int] | None = None
    conditioned: bool = False
    counts: bool = True

    @cached_property
    def mean(self) -> float:
        """Mean over the seeds."""
        return statistics.fmean(self.values)

    @cached_property
    def std(self) -> float | None:
        """Sample standard deviation over the seeds; None with a single seed."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    @property
    def borrows(self) -> bool:
        """Whether the reference knows the spread from more seeds than were run here."""
        return estimates.borrows(len(self.values), self.reference)

    @cached_property
    def estimate(self) -> Estimate | None:
        """The mean with its spread (rule 1 of `Code.reporting.rules`); None if that is unknown."""
        return estimates.estimate_of(self.mean, self.std, len(self.values), self.reference)


@dataclass(frozen=True)
class Metric:
    """One metric of one use, with all its scores."""

    use: str
    name: str
    unit: str
    higher_is_better: bool
    main: bool
    scores: tuple[Score, ...]
    within_width: bool = False
    """Whether only models with equally many code units can be compared."""
    own_column: bool = False
    """Whether it stands beside the main metric, ranked by itself and not part of the mean rank."""

    def ranked(self, names=None) -> list[Score]:
        """Scores, best first; only those of ``names`` if given."""
        return _of(self._ranked, names)

    @cached_property
    def _ranked(self) -> list[Score]:
        sign = -1 if self.higher_is_better else 1
        return sorted(self.scores, key=lambda s: (sign * s.mean, s.name))

    def score(self, name: str) -> Score | None:
        """The score of a model or baseline, None if it has none."""
        return self._by_name.get(name)

    @cached_property
    def _by_name(self) -> dict[str, Score]:
        return {s.name: s for s in self.scores}

    @cached_property
    def of_models(self) -> bool:
        """Whether autoencoders that are not told labels have it, even if none of them counts."""
        return any(s.is_model and not s.conditioned for s in self.scores)

    @cached_property
    def best_model(self) -> Score | None:
        """The best of the autoencoders; one that is told labels does not compete."""
        return next(iter(self.contenders()), None)

    def contenders(self, names=None) -> list[Score]:
        """The autoencoders that compete, best first."""
        return _of(self._contenders, names)

    def unranked(self, names=None) -> list[Score]:
        """The autoencoders without labels that lack what the metric needs, best first."""
        return [s for s in _of(self._without_labels, names) if not s.counts]

    @cached_property
    def _contenders(self) -> list[Score]:
        return [s for s in self._without_labels if s.counts]

    @cached_property
    def _without_labels(self) -> list[Score]:
        return [s for s in self._ranked if s.is_model and not s.conditioned]

    @cached_property
    def rivals(self) -> list[Score]:
        """The baselines, best first: neither autoencoders nor bounds."""
        return [s for s in self.ranked() if not (s.is_model or s.is_bound)]

    @property
    def best_rival(self) -> Score | None:
        """The best baseline."""
        return next(iter(self.rivals), None)

    def best_rival_of(self, units: int) -> Score | None:
        """The best baseline of no more principal components than ``units``, beside such codes."""

        def wider(name: str) -> bool:
            return name.startswith("pca-") and int(name.removeprefix("pca-")) > units

        return next((s for s in self.rivals if not wider(s.name)), None)

    def relation(self, a: Score, b: Score, p_value: float | None = None) -> str:
        """``better``, ``worse``, ``same`` or ``undecided``: ``a`` beside ``b`` (rules 2 and 3).

        ``p_value`` is Welch's, corrected for its table, by default that of the two alone.
        """
        if a.estimate is None or b.estimate is None:
            return "undecided"
        p_value = estimates.p_value(a.estimate, b.estimate) if p_value is None else p_value
        margin = margin_of(self.name, a.mean, b.mean)
        found = estimates.relation(a.estimate, b.estimate, margin, p_value)
        better = estimates.HIGHER if self.higher_is_better else estimates.LOWER
        if found in (estimates.HIGHER, estimates.LOWER):
            return "better" if found == better else "worse"
        return found

    def beside_the_others(self, score: Score, others: Collection[Score]) -> dict[str, str]:
        """`relation` of a score to each of the others, corrected for their number by Holm."""
        key = score.name, *(other.name for other in others)
        if key not in self._beside:
            self._beside[key] = self._compared(score, others)
        return self._beside[key]

    @cached_property
    def _beside(self) -> dict[tuple[str, ...], dict[str, str]]:
        return {}

    def _compared(self, score: Score, others: Collection[Score]) -> dict[str, str]:
        known = [o for o in others if score.estimate is not None and o.estimate is not None]
        p_values = estimates.holm([estimates.p_value(score.estimate, o.estimate) for o in known])
        corrected = dict(zip((o.name for o in known), p_values, strict=True))
        return {o.name: self.relation(score, o, corrected.get(o.name)) for o in others}

    def stands_out(self, score: Score, names=None) -> bool:
        """Whether a score is better than that of every other contender among ``names``.

        Where widths can be compared, and it is the best of all, it is corrected for all of them, as
        in the table of its use.
        """
        first, *others = self.contenders(names) or [None]
        if score != first or not others:
            return False
        everyone = names if self.within_width else None
        best, *rest = self.contenders(everyone)
        beside = self.beside_the_others(first, rest if first == best else others)
        return {beside[other.name] for other in others} == {"better"}


@dataclass(frozen=True)
class Answer:
    """The best autoencoder for a use, the next one, and the best without an autoencoder.

    ``units`` is the width among whose models the best was found, or None for all widths. The
    relations say how the best stands to the others, see `Metric.relation`.
    """

    metric: Metric
    units: int | None
    best: Score
    second: Score | None
    to_second: str
    rival: Score | None
    to_rival: str


@dataclass(frozen=True)
class Place:
    """A line in the table of a use.

    ``beside`` says how the best autoencoder of its width stands to it, see `Metric.relation`; None
    for the best itself, and for what does not compete.
    """

    score: Score
    beside: str | None = None


@dataclass(frozen=True)
class Standing:
    """The place of a model among ``n`` in one use; 1 is the best."""

    metric: Metric
    place: int
    n: int


@dataclass(frozen=True)
class Uses:
    """Everything that was measured of the uses."""

    models: tuple[str, ...]
    seeds: tuple[int, ...]
    metrics: tuple[Metric, ...]
    seconds: Mapping[str, float | None]
    left_out: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Why a use was not measured: ``{use: {model or "baselines": reason}}``."""

    @cached_property
    def mains(self) -> list[Metric]:
        """The main metric of each use that has scores of models.

        Where the data do not allow it, as an accuracy without labels, it is the use's first metric
        that was measured.
        """
        found: dict[str, Metric] = {}
        for metric in self.metrics:
            if metric.of_models and (metric.main or metric.use not in found):
                found[metric.use] = metric
        return list(found.values())

    @cached_property
    def seeds_of(self) -> dict[str, int]:
        """With how many seeds each model was measured."""
        of_model: dict[str, int] = {}
        for score in (s for m in self.metrics for s in m.scores if s.is_model):
            of_model[score.name] = max(of_model.get(score.name, 0), len(score.values))
        return of_model

    @property
    def n_seeds(self) -> int:
        """The number of seeds that most models have."""
        return statistics.mode(self.seeds_of.values()) if self.seeds_of else len(self.seeds)

    @property
    def of_other_seeds(self) -> dict[str, int]:
        """The models that were measured with another number of seeds than most."""
        return {name: n for name, n in self.seeds_of.items() if n != self.n_seeds}

    @cached_property
    def told_labels(self) -> set[str]:
        """The models that learned from labels: marked, and not ranked."""
        return {s.name for m in self.metrics for s in m.scores if s.conditioned and s.is_model}

    @cached_property
    def columns(self) -> list[Metric]:
        """The columns of the tables: the main metrics, and those with a column of their own."""
        main = {m.use: m for m in self.mains}
        return [m for m in self.metrics if main.get(m.use) is m or (m.own_column and m.best_model)]

    def of_use(self, use: str) -> list[Metric]:
        """Every metric of a use that has scores."""
        return [m for m in self.metrics if m.use == use and m.scores]

    def of_width(self, units: int) -> list[str]:
        """The models with ``units`` code units, recognised by the ending of their names."""
        return [name for name in self.models if name.endswith(f"-{units}")]

    def answers(self, widths: Collection[int]) -> list[Answer]:
        """The answer of each use; where widths cannot be compared, one for each of ``widths``."""
        found = []
        for metric in self.mains:
            for units in widths if metric.within_width else [None]:
                names = None if units is None else self.of_width(units)
                contenders = metric.contenders(names)
                if contenders:
                    found.append(_answer(metric, units, contenders))
        return found

    def own_answers(self, use: str, without: Collection[str] = ()) -> list[Answer]:
        """The answers of the metrics of a use that are ranked by themselves.

        ``without`` are models whose draws from their own prior tell nothing, as it is not met.
        """
        found = []
        for metric in self.own_columns(use):
            contenders = [s for s in metric.contenders() if s.name not in without]
            if contenders:
                found.append(_answer(metric, None, contenders))
        return found

    def own_columns(self, use: str) -> list[Metric]:
        """The metrics of a use that have a column of their own beside the main one."""
        return [m for m in self.columns if m.use == use and m.own_column]

    def unanswered(self) -> list[Metric]:
        """The main metrics in which no model has what the metric needs."""
        mains = {m.name: m for m in self.metrics if m.main}.values()
        return [
            m
            for m in mains
            if not m.contenders() and any(s.is_model and not s.counts for s in m.scores)
        ]

    def competed_in(self, units: int) -> int:
        """In how many uses models of one width compete with each other."""
        names = self.of_width(units)
        return sum(len(metric.contenders(names)) > 1 for metric in self.mains)

    def of_other_trainings(self, results: Results) -> list[str]:
        """The models whose uses were measured on another training than their result.

        Their reconstructions of the test images then have another error.
        """
        found = []
        for score in (s for m in self.of_use("reconstruct") if m.name == "mse" for s in m.scores):
            result = results.get(score.name) if score.is_model else None
            own = result.measure("mse", "test", judged_stage(result)) if result else None
            if own is None or own.n != len(score.values):
                continue
            if not math.isclose(score.mean, own.mean, rel_tol=SAME_ROUNDING):
                found.append(score.name)
        return found

    @cached_property
    def older(self) -> list[str]:
        """The uses whose main metric is one that results of today no longer have."""
        return [m.use for m in self.mains if m.use in TODAY and m.name != TODAY[m.use]]

    def table_of(
        self, metric: Metric, widths: Collection[int], without: Collection[str] = ()
    ) -> list[Place]:
        """The table of a use: the best autoencoders, the best one told labels, baselines, bounds.

        Among them is the best of each column of its own, of which ``without`` is as for
        `own_answers`.

        Where widths cannot be compared, the best of each of ``widths``. Where no autoencoder has
        what the metric needs, those with the highest scores stand there, compared with nobody.
        """
        places: list[Place] = []
        for names in [self.of_width(k) for k in widths] if metric.within_width else [None]:
            best, *others = metric.contenders(names)[:MODELS_SHOWN] or [None]
            if best is None:
                # Nobody counts: the highest are shown all the same, and compared with nobody
                places += map(Place, metric.unranked(names)[:MODELS_SHOWN])
                continue
            beside = metric.beside_the_others(best, metric.contenders(names)[1:])
            places += [Place(best), *(Place(score, beside[score.name]) for score in others)]
        best = metric.best_model
        own = {answer.best.name for answer in self.own_answers(metric.use, without)}
        missing = own - {place.score.name for place in places}
        if best and missing:
            contenders = metric.contenders()
            beside = metric.beside_the_others(best, contenders[1:])
            places += [Place(s, beside.get(s.name)) for s in contenders if s.name in missing]
        told = [s for s in metric.ranked() if s.is_model and s.conditioned][:1]
        given = [s for s in metric.rivals[RIVALS_SHOWN:] if s.name in GIVEN]
        rivals = metric.rivals[:RIVALS_SHOWN] + given
        bounds = [s for s in metric.ranked() if s.is_bound]
        beside = metric.beside_the_others(best, rivals) if best else {}
        return [
            *places,
            *map(Place, told),
            *(Place(score, beside.get(score.name)) for score in rivals),
            *map(Place, bounds),
        ]

    def leaders(self, units: int, number: int, without: Collection[str] = ()) -> list[str]:
        """The models of one width that lead by mean rank, and the best of each column.

        ``without`` is as for `own_answers`.
        """
        names = self.of_width(units)
        met = [name for name in names if name not in without]
        first = [name for name, rank, _ in self.by_rank(units) if rank is not None][:number]
        best = {
            score.name
            for m in self.columns
            for score in m.contenders(met if m.own_column else names)[:1]
        }
        return [name for name, _, _ in self.by_rank(units) if name in first or name in best]

    def worst_place(self, name: str, units: int) -> Standing | None:
        """The use in which a model stands furthest behind those of its width; None without one."""
        found = []
        for metric in self.mains:
            names = [score.name for score in metric.contenders(self.of_width(units))]
            if name in names and len(names) > 1:
                found.append(Standing(metric, names.index(name) + 1, len(names)))
        return max(found, key=lambda one: one.place / one.n, default=None)

    def mean_rank(self, name: str, names: list[str]) -> float | None:
        """Mean rank of a model among ``names`` over the uses in which it has a score; 1 is best.

        A model that is told labels has no rank.
        """
        ranks = []
        for metric in self.mains:
            ranked = [score.name for score in metric.contenders(names)]
            if name in ranked and len(ranked) > 1:
                # Ranks are scaled to 1 … len(names), because not every use has every model
                ranks.append(1 + ranked.index(name) * (len(names) - 1) / (len(ranked) - 1))
        return statistics.fmean(ranks) if ranks else None

    def by_rank(self, units: int) -> list[tuple[str, float | None, tuple[float, float] | None]]:
        """Models of one width with their mean rank and its interval (rule 5), the best first.

        A model that competes with none has no rank; where a spread is unknown, no interval.
        """
        if units not in self._ranks:
            self._ranks[units] = self._ranked(units)
        return self._ranks[units]

    def sharing_the_lead(self, units: int) -> list[str]:
        """The models of one width that share the lead by mean rank (rule 5), the first first.

        Without intervals nothing is known of the others, and the first stands alone.
        """
        first, *others = [(n, of) for n, rank, of in self.by_rank(units) if rank is not None] or [
            None
        ]
        if first is None:
            return []
        name, interval = first
        return [name, *(n for n, of in others if of and interval and of[0] <= interval[1])]

    def best_of(self, names: list[str]) -> str | None:
        """The one of these models that is best in the first use, reconstructing."""
        found = self.mains[0].contenders(names) if self.mains else []
        return found[0].name if found else next(iter(names), None)

    @cached_property
    def _ranks(self) -> dict[int, list[tuple[str, float | None, tuple[float, float] | None]]]:
        return {}

    def _ranked(self, units: int) -> list[tuple[str, float | None, tuple[float, float] | None]]:
        names = self.of_width(units)
        competing = [n for n in names if self.mean_rank(n, names) is not None]
        intervals = self._rank_intervals(competing)
        rows = [
            (n, self.mean_rank(n, competing), intervals.get(n))
            for n in names
            if any(m.score(n) for m in self.mains)
        ]
        return sorted(rows, key=lambda r: (math.inf if r[1] is None else r[1], r[0]))

    def _rank_intervals(self, names: list[str]) -> dict[str, tuple[float, float]]:
        tables = []
        for metric in self.mains:
            scores = metric.contenders(names)
            if any(score.estimate is None for score in scores):
                return {}
            tables.append(({s.name: s.estimate for s in scores}, metric.higher_is_better))
        return estimates.mean_rank_intervals(tables, names)

    @cached_property
    def borrows(self) -> bool:
        """Whether some spread comes from the committed reference."""
        return any(s.borrows for m in self.metrics for s in m.scores)

    def without(self, failed: Mapping[str, Collection[int]]) -> "Uses":
        """The uses without the values of failed runs, ``{model: seeds}`` (rule 4).

        Values that cannot be assigned to seeds are left out with the failed ones.
        """

        def kept(score: Score) -> Score | None:
            seeds = failed.get(score.name)
            if not seeds:
                return score
            if len(score.values) != len(self.seeds):
                return None
            pairs = zip(self.seeds, score.values, strict=True)
            values = tuple(value for seed, value in pairs if seed not in seeds)
            return replace(score, values=values) if values else None

        metrics = tuple(
            replace(m, scores=tuple(s for s in map(kept, m.scores) if s is not None))
            for m in self.metrics
        )
        return replace(self, metrics=metrics)


def _answer(metric: Metric, units: int | None, contenders: list[Score]) -> Answer:
    best, *others = contenders
    rival, beside = metric.best_rival, metric.beside_the_others(best, others)
    return Answer(
        metric,
        units,
        best,
        others[0] if others else None,
        _known(best, others[0], beside[others[0].name]) if others else "undecided",
        rival,
        _known(best, rival, metric.relation(best, rival)) if rival else "undecided",
    )


def _known(best: Score, other: Score, relation: str) -> str:
    """The relation; ``unknown`` where one seed has no spread, so that nothing is said of it."""
    return relation if best.estimate is not None and other.estimate is not None else "unknown"


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


def pictured_before(output_dir: str | Path, uses: Uses | None) -> dict[str, list[str]]:
    """The models of which the picture of a use shows an earlier training, by use.

    Their reconstructions of the test images had another error. Pictures that do not tell count as
    of today.
    """
    try:
        drawn = json.loads(Path(output_dir, PICTURES, DRAWN).read_text("utf-8"))
        now = {
            score.name: score.values[0]
            for metric in (uses.of_use("reconstruct") if uses else ())
            if metric.name == "mse"
            for score in metric.scores
        }
        return {
            use: [
                name
                for name, then in models.items()
                if name in now and then is not None
                if not math.isclose(now[name], then, rel_tol=SAME_ROUNDING)
            ]
            for use, models in drawn.items()
        }
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def uses_of(raw: dict) -> Uses:
    """Build the measures from the content of the JSON file."""
    models = tuple(map(str, raw["models"]))
    # Files from before do not tell, but the table of experiments does
    conditioned = raw.get("uses_labels", [n for n, row in EXPERIMENTS.items() if row.uses_labels])
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
                    conditioned=name in conditioned,
                    counts=_counts(metric, found["values"], name),
                )
                for name, values in found["values"].get(metric["name"], {}).items()
            ),
            bool(metric.get("within_width", False)),
            bool(metric.get("own_column", False)),
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


def _of(scores: list[Score], names: Collection[str] | None) -> list[Score]:
    """Those of ``names``, all if it is None, in a list of its own."""
    if names is None:
        return [*scores]
    wanted = {*names}
    return [s for s in scores if s.name in wanted]


def _counts(metric: dict, values: dict, name: str) -> bool:
    """Whether a model has what the metric needs: enough of one other, and more than another."""

    def of(metric_name: str) -> list[float]:
        return [_finite(value) for value in values.get(metric_name, {}).get(name, ())]

    needed, below = metric.get("needs"), metric.get("above")
    if needed is not None and not (of(needed) and statistics.fmean(of(needed)) >= metric["least"]):
        return False
    return below is None or not of(below) or estimates.exceeds(of(metric["name"]), of(below))


def _finite(value) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{value!r} is no finite number")
    return float(value)
