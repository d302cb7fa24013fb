"""Measured results, read from ``output/*/result.json`` and checked before they are used."""

import json
import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from Code.experiments.row import DEPARTURES
from Code.experiments.table import EXPERIMENTS, UNTUNED
from Code.foundation.errors import UserError
from Code.reporting.estimates import Estimate, borrows, estimate_of, half_width

MNIST = "mnist"
# Asked for the accuracy in the map, a result of a code that is wider than the map gives that of its
# two principal components, which has a name of its own
PROJECTED = {"knn_accuracy": "knn_accuracy_pca2"}
# What these compute from the images depends on no seed
WITHOUT_CHANCE = ("pca",)
KINDS = ("published", "paper", "corrected", "baseline", "trial", "common", "own")
# Older results of these groups are called published
PAPERS = ("papers", "bakeoff")


class ResultError(UserError, ValueError):
    """A result file that cannot be used; the message is one line that says what to do."""


@dataclass(frozen=True)
class Measure:
    """One figure over the seeds: ``mean`` and sample ``std`` of ``values``, in the metric's unit.

    ``std`` is None if there is only one seed. ``published`` is the figure to reproduce,
    ``published_error`` how far the number behind it may lie from it, ``published_departures`` what
    ours does in another way; see ``Code.reporting.reproduced`` for what counts as reproduced.
    ``reference`` is the standard deviation of the same figure in the committed reference, with its
    number of seeds.
    """

    experiment: str
    stage: str
    metric: str
    split: str
    values: tuple[float, ...]
    mean: float
    std: float | None
    published: float | None = None
    published_source: str | None = None
    deterministic: bool = False
    reference: tuple[float, int] | None = None
    published_error: float | None = None
    published_departures: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """Number of seeds."""
        return len(self.values)

    @property
    def borrows(self) -> bool:
        """Whether the reference knows the spread from more seeds than were run here."""
        return not self.deterministic and borrows(self.n, self.reference)

    @cached_property
    def estimate(self) -> Estimate | None:
        """The mean with its spread (rule 1 of `Code.reporting.rules`); None if that is unknown."""
        if self.deterministic:
            return Estimate(self.mean, 0.0, self.n, math.inf)
        return estimate_of(self.mean, self.std, self.n, self.reference)

    @property
    def half_width(self) -> float | None:
        """Half of the 95 % interval of the mean; None if the spread is unknown."""
        nothing = Estimate(0.0, 0.0, 1, math.inf)
        return None if self.estimate is None else half_width(self.estimate, nothing)


@dataclass(frozen=True)
class Result:
    """A measured experiment: its settings, data, machine, training times and metrics.

    ``left_out`` holds ``{what: reason}`` for what could not be measured on its data.
    ``uses_labels`` is whether the autoencoder itself learned from labels.
    """

    experiment: str
    variant: str
    group: str
    kind: str
    title: str
    settings: dict[str, Any]
    seeds: tuple[int, ...]
    complete: bool
    failures: tuple[dict[str, Any], ...]
    data: dict[str, Any]
    quick: bool
    parameters: int | None
    measures: tuple[Measure, ...]
    seconds: dict[str, tuple[float, ...]]
    epoch_seconds: dict[str, tuple[float, ...]]
    epochs: dict[str, int]
    versions: dict[str, str]
    machine: dict[str, Any]
    code_version: str
    finished: str
    figures: tuple[str, ...]
    folder: Path = field(compare=False)
    left_out: dict[str, str] = field(default_factory=dict)
    uses_labels: bool = False

    @property
    def without_chance(self) -> bool:
        """Whether nothing in it depends on a seed."""
        return self.variant in WITHOUT_CHANCE

    @property
    def on_mnist(self) -> bool:
        """Whether the data are MNIST, of which the published figures are."""
        return self.data["name"] == MNIST

    @cached_property
    def stages(self) -> list[str]:
        """Stages in the order in which they were trained and measured."""
        named = [s["name"] for s in self.settings.get("stages", ()) if "name" in s]
        return list(dict.fromkeys([*named, *self.epochs, *(m.stage for m in self.measures)]))

    def measure(self, metric: str, split: str = "test", stage: str | None = None) -> Measure | None:
        """The measure of ``metric``: after ``stage``, or after the first stage that has it.

        Of a code wider than the plane, ``"knn_accuracy"`` gives ``"knn_accuracy_pca2"``.
        """
        names = (metric, PROJECTED[metric]) if metric in PROJECTED else (metric,)
        for stage_name in self.stages if stage is None else [stage]:
            for name in names:
                if found := self._by_key.get((stage_name, name, split)):
                    return found
        return None

    @cached_property
    def _by_key(self) -> dict[tuple[str, str, str], Measure]:
        return {(m.stage, m.metric, m.split): m for m in self.measures}

    @property
    def follows_source(self) -> bool:
        """Whether it repeats the published report or follows a paper, unlike our own contrasts."""
        return self.kind in ("published", "paper")

    @property
    def convolves(self) -> bool:
        """Whether the network has convolutions, that is, whether its settings name filters."""
        return "filters" in self.settings

    @property
    def pictures_unmet_prior(self) -> bool:
        """Whether the first seed, of which the pictures are, has not met its prior."""
        met = self.measure("prior_met")
        return met is not None and not met.values[0]

    @property
    def pictured_stages(self) -> list[str]:
        """Stages after which the codes were mapped and the reconstructions drawn."""
        mapped = [stage for stage in self.stages if self.measure("knn_accuracy", stage=stage)]
        # Without labels no map has an accuracy
        return mapped or [stage for stage in self.own_stages if self.measure("mse", stage=stage)]

    @property
    def own_stages(self) -> list[str]:
        """Stages that train the network of the row itself, not its twin from scratch."""
        return [stage for stage in self.stages if not stage.endswith("-from-scratch")]

    def has_published(self, metric: str) -> bool:
        """Whether a figure was published for ``metric`` in any stage."""
        return any(m.metric == metric and m.published is not None for m in self.measures)

    def seconds_total(self) -> Measure | None:
        """Training wall time of all stages together, in seconds, one value per seed."""
        return self._seconds_total

    @cached_property
    def _seconds_total(self) -> Measure | None:
        stages = [v for v in self.seconds.values() if v]
        if not stages or len({len(v) for v in stages}) > 1:
            return None
        return self._timed("all", "seconds", [sum(v) for v in zip(*stages, strict=True)])

    def seconds_per_epoch(self, stage: str | None = None) -> Measure | None:
        """Median wall time of an epoch of ``stage`` (by default the first), in seconds."""
        stage = stage or next(iter(self.epoch_seconds), None)
        values = self.epoch_seconds.get(stage, ())
        return self._timed(stage, "seconds_per_epoch", list(values)) if values else None

    def _timed(self, stage: str, metric: str, values: list[float]) -> Measure:
        std = statistics.stdev(values) if len(values) > 1 else None
        return Measure(
            self.experiment, stage, metric, "train", tuple(values), statistics.fmean(values), std
        )


Results = Mapping[str, Result]


def load_results(output_dir: str | Path) -> dict[str, Result]:
    """Read every ``<output_dir>/<experiment>/result.json``, keyed and sorted by experiment.

    Raises
    ------
    ResultError
        If a file is truncated or malformed; the message names the file and says what to do.
    """
    paths = sorted(Path(output_dir).glob("[!.]*/result.json"))
    return {result.experiment: result for result in map(load_result, paths)}


def load_result(path: str | Path) -> Result:
    """Read and check one ``result.json``.

    Raises
    ------
    ResultError
        If it cannot be read, is not complete JSON, or a field is missing or has the wrong type.
    """
    path = Path(path)
    try:
        raw = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
        return _checked(raw, path.parent)
    except json.JSONDecodeError as error:
        problem = f"not whole JSON (line {error.lineno}: {error.msg})"
    except UnicodeDecodeError:
        problem = "not UTF-8 text"
    except RecursionError:
        problem = "nested too deeply to be a result"
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
    except _Malformed as error:
        problem = str(error)
    problem = " ".join(problem.split())
    raise ResultError(f"{path}: {problem}; delete it and run `python run_all.py` again") from None


class _Malformed(ValueError):
    pass


def _no_constant(text: str) -> float:
    raise _Malformed(f"holds {text}, which is no measured figure")


def _is_number(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _get(raw: dict, key: str, kind: type | tuple[type, ...], where: str = "") -> Any:
    if key not in raw:
        raise _Malformed(f"{where}'{key}' is missing")
    value = raw[key]
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise _Malformed(f"{where}'{key}' is {type(value).__name__}, not {kinds[0].__name__}")
    return value


def _checked(raw: object, folder: Path) -> Result:
    if not isinstance(raw, dict):
        raise _Malformed("not a JSON object")
    name = _get(raw, "experiment", str)
    if name != folder.name:
        raise _Malformed(f"is the result of {name!r}, not of {folder.name!r}")
    kind, group = (_get(raw, key, str) for key in ("kind", "group"))
    if kind not in KINDS:
        raise _Malformed(f"'kind' is {kind!r}, not one of {', '.join(KINDS)}")
    seeds = _get(raw, "seeds", list)
    if not all(_is_int(s) for s in seeds):
        raise _Malformed("'seeds' holds something that is not a whole number")
    failures = _get(raw, "failures", list)
    if not all(isinstance(f, dict) and "seed" in f and "reason" in f for f in failures):
        raise _Malformed("'failures' holds something without a seed and a reason")
    data = _data(_get(raw, "data", dict))
    left_out = raw.get("left_out", {})
    if not isinstance(left_out, dict):
        raise _Malformed("'left_out' is not an object")
    figures = _get(raw, "figures", list)
    if not all(isinstance(f, str) and f == Path(f).name and "\\" not in f for f in figures):
        raise _Malformed("'figures' holds something that is not a plain file name")
    return Result(
        experiment=name,
        variant=_get(raw, "variant", str),
        group=group,
        kind="paper" if kind == "published" and group in PAPERS else kind,
        title=_get(raw, "title", str),
        settings=_settings(_get(raw, "settings", dict)),
        seeds=tuple(seeds),
        complete=_get(raw, "complete", bool),
        failures=tuple(failures),
        data=data,
        quick=_get(raw, "quick", bool),
        parameters=_get(raw, "parameters", (int, type(None))),
        measures=_measures(
            _get(raw, "metrics", list),
            name,
            len(seeds),
            _get(raw, "variant", str) in WITHOUT_CHANCE,
            published=data["name"] == MNIST,
        ),
        seconds=_seconds(_get(raw, "seconds", dict)),
        epoch_seconds=_seconds(_get(raw, "epoch_seconds", dict)),
        epochs=_epochs(_get(raw, "epochs", dict)),
        versions=_get(raw, "versions", dict),
        machine=_get(raw, "machine", dict),
        code_version=_get(raw, "code_version", str),
        finished=_get(raw, "finished", str),
        figures=tuple(figures),
        folder=folder,
        left_out={str(what): str(reason) for what, reason in left_out.items()},
        uses_labels=_uses_labels(raw, name),
    )


def _as_in_table(name: str, row: dict) -> dict:
    """A metric, with what older results do not tell of its published figure from the table.

    No trials had chosen anything for results as old as that.
    """
    if row.get("published") is None or row.get("published_error") is not None:
        return row
    figures = UNTUNED[name].published if name in UNTUNED else ()
    for figure in figures:
        if (figure.stage, figure.metric) == (row["stage"], row["metric"]):
            told = {"published_departures": list(figure.departures)}
            return {**row, "published_error": figure.reading_error, **told}
    return row


def _uses_labels(raw: dict, name: str) -> bool:
    if "uses_labels" in raw:
        return _get(raw, "uses_labels", bool)
    # Results from before do not tell, but the table of experiments does
    return name in EXPERIMENTS and EXPERIMENTS[name].uses_labels


def _data(data: dict) -> dict:
    for key, of in (("name", str), ("sha256", str), ("n_train", int), ("n_test", int)):
        _get(data, key, of, "data: ")
    # Results from before hold none of these
    for key, of in (("source", (str, type(None))), ("classes", list), ("split", bool)):
        if key in data:
            _get(data, key, of, "data: ")
    return data


def _settings(settings: dict) -> dict:
    stages = settings.get("stages", [])
    if not isinstance(stages, list) or not all(isinstance(s, dict) for s in stages):
        raise _Malformed("settings: 'stages' is not a list of objects")
    return settings


def _measures(
    rows: list, name: str, n_seeds: int, deterministic: bool, published: bool
) -> tuple[Measure, ...]:
    """The metrics of one result; without ``published``, what it holds of published figures is cut.

    That is for other data than MNIST, in whose older results they stand.
    """
    seen: dict[tuple[str, str, str], Measure] = {}
    if not published:
        told = ("published", "published_source", "published_error", "published_departures")
        rows = [
            {k: v for k, v in row.items() if k not in told} if isinstance(row, dict) else row
            for row in rows
        ]
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            raise _Malformed(f"metrics[{index}] is not an object")
        where = f"metrics[{index}]: "
        key = tuple(_get(row, k, str, where) for k in ("stage", "metric", "split"))
        values = _get(row, "values", list, where)
        mean, std, published = (row.get(k) for k in ("mean", "std", "published"))
        if not 1 <= len(values) <= max(n_seeds, 1) or not all(_is_number(v) for v in values):
            raise _Malformed(f"{where}'values' is not one finite number a seed")
        slack = 1e-6 * max(1.0, *(abs(v) for v in values))
        if not _is_number(mean) or not min(values) - slack <= mean <= max(values) + slack:
            raise _Malformed(f"{where}'mean' is not the mean of 'values'")
        if len(values) > 1 and not (_is_number(std) and std >= 0):
            raise _Malformed(f"{where}'std' is not a number although there are several seeds")
        if published is not None and not _is_number(published):
            raise _Malformed(f"{where}'published' is neither a number nor null")
        row = _as_in_table(name, row)
        error = row.get("published_error")
        if error is not None and not (_is_number(error) and error >= 0):
            raise _Malformed(f"{where}'published_error' is no number from 0")
        departures = row.get("published_departures") or []
        if not isinstance(departures, list) or not all(d in DEPARTURES for d in departures):
            raise _Malformed(f"{where}'published_departures' are not among {', '.join(DEPARTURES)}")
        if key in seen:
            raise _Malformed(f"{where}{' '.join(key)} stands there twice")
        seen[key] = Measure(
            name,
            *key,
            values=tuple(values),
            mean=mean,
            std=std if len(values) > 1 else None,
            published=published,
            published_source=row.get("published_source"),
            deterministic=deterministic,
            published_error=error,
            published_departures=tuple(departures),
        )
    return tuple(seen.values())


def _seconds(raw: dict) -> dict[str, tuple[float, ...]]:
    for stage, values in raw.items():
        if not isinstance(values, list) or not all(_is_number(v) and v >= 0 for v in values):
            raise _Malformed(f"seconds: {stage!r} is not a list of times")
    return {stage: tuple(values) for stage, values in raw.items()}


def _epochs(raw: dict) -> dict[str, int]:
    for stage, count in raw.items():
        if not _is_int(count) or count < 0:
            raise _Malformed(f"epochs: {stage!r} is not a count")
    return dict(raw)


def load_runs(output_dir: str | Path) -> list[dict]:
    """The runs that trained models in ``output_dir``, from ``runs.json``, the latest last.

    Each has ``wall_seconds``, ``jobs`` (parallel trainings), ``trained`` and ``kept`` (numbers of
    trainings), ``seeds`` (their number) and ``groups`` (names, none where an older run did not
    note them). The list is empty without the file.

    Raises
    ------
    ResultError
        If the file is malformed.
    """
    path = Path(output_dir) / "runs.json"
    if not path.exists():
        return []
    names = ("wall_seconds", "jobs", "trained", "kept", "seeds")
    try:
        runs = json.loads(path.read_text(encoding="utf-8"))
        return [
            {name: float(run[name]) for name in names}
            | {"groups": [str(name) for name in run.get("groups", ())]}
            for run in runs
        ]
    except (ValueError, TypeError, KeyError) as error:
        raise ResultError(
            f"{path}: not what a run writes ({error}); delete it and run `python run_all.py` again"
        ) from None
