"""Combine the measures of all uses: a table of all models and a picture of each use."""

import json
from pathlib import Path

import numpy as np

from Code.experiments.table import EXPERIMENTS
from Code.foundation.atomic import write_json, write_text
from Code.reporting.results import ResultError
from Code.reporting.uses import DRAWN, load_uses
from Code.runs import use_units
from Code.runs.store import csv_text
from Code.tasks.task import Measured

# Models in the pictures, in addition to the baselines: one of each kind
SHOWN = ("ae-16", "dae-16", "vae-16", "aae-16")
# A map of the plane shows codes of two units; draws from the own prior ask for models that have one
SHOWN_OF = {
    "reduce": ("ae-2", "dae-2", "vae-2", "aae-2"),
    "generate": ("vae-16", "aae-16", "ae-16", "dae-16"),
}
COLUMNS = ("use", "metric", "unit", "higher_is_better", "name", "mean", "std", "n_seeds")


def assemble(units, prints, store, keep=True):
    """Write ``uses.json``, ``uses.csv`` and the pictures from the stored measures.

    Parameters
    ----------
    units : list of ``Code.runs.use_units.UseUnit``.
    prints : their identities, by (name, seed); measures with another identity are left out.
    keep : whether models that are not among the units stay in the table unchanged, so that a run of
        one experiment removes nothing from it. A table that came with the code is begun anew.
    """
    before = _earlier(store) if keep else {"models": [], "uses": {}}
    asked = {unit.name for unit in units}
    kept = {unit: use_units.kept(unit, prints[unit.name, unit.seed]) for unit in units}
    kept = {unit: found for unit, found in kept.items() if found is not None}
    others = [name for name in before["models"] if name not in asked]
    table = {use: _only(before["uses"].get(use), others) for use in use_units.USES}
    seconds = {use: [] for use in use_units.USES}
    for unit, found in kept.items():
        for use, values in found["values"].items():
            if unit.name != use_units.BASELINES:
                seconds[use].append(found["seconds"][use])
            of_names = values if unit.name == use_units.BASELINES else {unit.name: values}
            for name, metrics in of_names.items():
                for metric, value in metrics.items():
                    table[use].setdefault(metric, {}).setdefault(name, []).append(value)
    uses = {
        use: {
            "metrics": [vars(metric) for metric in use_units.module_of(use).METRICS],
            "bounds": list(getattr(use_units.module_of(use), "BOUNDS", ())),
            "values": table[use],
            "seconds": float(np.mean(seconds[use])) if seconds[use] else _seconds(before, use),
            "left_out": {
                **_reasons(before["uses"].get(use), others),
                **{
                    unit.name: found["left_out"][use]
                    for unit, found in kept.items()
                    if use in found.get("left_out", {})
                },
            },
        }
        for use in use_units.USES
    }
    names = [unit.name for unit in kept if unit.name != use_units.BASELINES]
    summary = {
        "models": in_order([*names, *others]),
        "seeds": sorted({unit.seed for unit in kept}),
        "uses_labels": [name for name in in_order([*names, *others]) if _uses_labels(name)],
        "uses": uses,
    }
    write_json(Path(store.output, "uses.json"), summary)
    write_text(Path(store.output, "uses.csv"), csv_text(COLUMNS, list(tidy(uses))))
    draw(kept, store, others)


def _uses_labels(name):
    return name in EXPERIMENTS and EXPERIMENTS[name].uses_labels


def in_order(names):
    """The names without repetition, in the order of the table of experiments."""
    order = {name: i for i, name in enumerate(EXPERIMENTS)}
    return sorted(dict.fromkeys(names), key=lambda name: order.get(name, len(order)))


def _earlier(store):
    """The content of the existing ``uses.json``, or an empty table."""
    try:
        found = json.loads(Path(store.output, "uses.json").read_text(encoding="utf-8"))
        return {"models": list(found["models"]), "uses": dict(found["uses"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {"models": [], "uses": {}}


def _only(found, names):
    """The values ``{metric: {name: values}}`` of one use, for ``names`` only."""
    if found is None:
        return {}
    of_metrics = {
        metric: {name: values[name] for name in names if name in values}
        for metric, values in found["values"].items()
    }
    return {metric: values for metric, values in of_metrics.items() if values}


def _seconds(before, use):
    """The seconds that one use took on average before: where only baselines are measured anew."""
    return (before["uses"].get(use) or {}).get("seconds")


def _reasons(found, names):
    """Why one use was not measured, ``{name: reason}``, for ``names`` only."""
    left_out = {} if found is None else found.get("left_out", {})
    return {name: left_out[name] for name in names if name in left_out}


def draw(kept, store, others=()):
    """Draw one picture per use, ``uses/<use>.png``: some models and the baselines, first seed only.

    The best model by the use's main metric is the first of them.

    Where none of `SHOWN` was trained, the first ones of the table are drawn.

    Parameters
    ----------
    kept : the measures, by unit.
    others : models without a unit; a picture that shows one of them is left unchanged.
    """
    from Code.figures.style import save

    best = winners(store.output)
    first = {unit.name: unit for unit in reversed(kept)}
    if use_units.BASELINES not in first:
        return
    trained = [name for name in in_order(first) if name != use_units.BASELINES]
    for use in use_units.USES:
        picture = Path(store.output, "uses", f"{use}.png")
        wanted = with_winner(SHOWN_OF.get(use, SHOWN), best.get(use))
        shown = [name for name in wanted if name in first] or trained[: len(wanted)]
        if not shown or (picture.exists() and set(others) & set(wanted)):
            continue
        measured = {}
        for name in (*shown, use_units.BASELINES):
            if use in kept[first[name]]["values"]:
                measured |= measured_of(first[name], kept[first[name]], use)
        if not set(shown) & set(measured):
            continue
        figure = use_units.module_of(use).figure(measured)
        if figure is not None:
            save(figure, picture)
            _note(picture, [(name, kept[first[name]]) for name in shown])


def _note(picture, models):
    """Keep in ``uses/drawn.json`` which trainings a picture shows, by their error.

    So the report can say whose training is another today.
    """
    path = picture.with_name(DRAWN)
    try:
        drawn = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        drawn = {}
    errors = {name: found["values"].get("reconstruct", {}).get("mse") for name, found in models}
    write_json(path, {**drawn, picture.stem: errors})


def winners(output):
    """``{use: name}`` of the best model of each use, by the use's main metric."""
    try:
        uses = load_uses(output)
    except ResultError:
        return {}
    best = {} if uses is None else {main.use: main.best_model for main in uses.mains}
    return {use: score.name for use, score in best.items() if score is not None}


def with_winner(names, winner):
    """The names with the winner in front, and no more than before."""
    if winner is None:
        return tuple(names)
    return (winner, *(name for name in names if name != winner))[: len(names)]


def measured_of(unit, found, use):
    """A unit's stored measures of one use: ``{name of model or baseline: Measured}``."""
    values, start = found["values"][use], f"{use}/"
    of_names = values if unit.name == use_units.BASELINES else {unit.name: values}
    views = {name: {} for name in of_names}
    with np.load(use_units.folder_of(unit) / "uses.npz", allow_pickle=False) as archive:
        for key in archive.files:
            if key.startswith(start):
                name, view = key.removeprefix(start).split("/", 1)
                views[name or unit.name][view] = archive[key]
    return {name: Measured(of_names[name], views[name]) for name in of_names}


def tidy(uses):
    """Yield one row for each use, metric and model or baseline."""
    for use, found in uses.items():
        for metric in found["metrics"]:
            for name, values in found["values"].get(metric["name"], {}).items():
                yield {
                    "use": use,
                    "metric": metric["name"],
                    "unit": metric["unit"],
                    "higher_is_better": metric["higher_is_better"],
                    "name": name,
                    "mean": float(np.mean(values)),
                    "std": float(np.std(values, ddof=1)) if len(values) > 1 else None,
                    "n_seeds": len(values),
                }
