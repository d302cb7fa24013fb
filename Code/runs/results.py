"""Combine finished runs into result.json, history.csv and results.csv."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from Code.experiments.table import EXPERIMENTS
from Code.foundation.atomic import write_json, write_text, write_with
from Code.reporting import reference
from Code.runs.store import HISTORY_COLUMNS, csv_text

RESULT_COLUMNS = (
    "experiment",
    "variant",
    "stage",
    "metric",
    "split",
    "mean",
    "std",
    "n_seeds",
    "published",
)


def assemble(
    experiment,
    seeds,
    data,
    store,
    quick,
    failures,
    every_picture=False,
    pictures=True,
    extend=False,
):
    """Write one experiment's result.json, history.csv and figures from its finished runs.

    Figures show the first seed that finished. Nothing is written if no seed finished.

    Parameters
    ----------
    experiment : the row as it was run (with the epochs of this run).
    seeds : the requested seeds.
    data : description of the data set, as stored in result.json.
    failures : list of ``{"seed", "reason"}``.
    every_picture : draw also what no page of the report on MNIST shows.
    pictures : False draws none, and removes those of earlier results.
    extend : whether curves of committed results share axes with these, and are drawn anew for them.
    """
    # It imports Matplotlib, for which a run that begins does not wait
    from Code.runs.families import compared, history_of, limits, redraw
    from Code.runs.pictures import ALL, draw, histories, on_a_page

    records = {seed: store.record(experiment.name, seed) for seed in seeds}
    failed = {failure["seed"] for failure in failures}
    records = {s: record for s, record in records.items() if record and s not in failed}
    folder = store.output / experiment.name
    if not records:
        return
    of_mnist = data["name"] == "mnist"
    if not of_mnist:
        # Published figures are of MNIST; nothing on other data is held against them
        experiment = replace(experiment, published=())
    done = list(records)
    first = records[done[0]]
    metrics = summary(experiment, list(records.values()))
    views = store.views(experiment.name, done[0])
    thing = "digit" if of_mnist else "image"
    beside = [row.name for row in compared(experiment)]
    if not extend:
        mine = reference.own(store.output)
        beside = [name for name in beside if name in mine]
    earlier = {name: history_of(store.output, name) for name in beside}
    own = histories(_seeded(records))
    of_rows = {**earlier, experiment.name: own}
    only = ALL if every_picture or not of_mnist else on_a_page(experiment)
    only = only if pictures else ()
    axes = limits(experiment, of_rows, of_mnist)
    names = draw(experiment, list(records.values()), metrics, views, folder, thing, axes, only)
    keep_model(store.folder(experiment.name, done[0]) / "model.keras", folder / "model.keras")
    rows = _seeded(records)
    write_text(folder / "history.csv", csv_text(("seed", *HISTORY_COLUMNS), rows))
    result = {
        "experiment": experiment.name,
        "variant": experiment.variant,
        "group": experiment.group,
        "kind": experiment.kind,
        "title": experiment.title,
        "uses_labels": experiment.uses_labels,
        "settings": settings_of(experiment),
        "seeds": done,
        "complete": len(done) == len(seeds),
        "failures": failures,
        "data": data,
        "quick": quick,
        "parameters": first["parameters"],
        **_left_out(records.values()),
        "metrics": metrics,
        **{
            times: {
                stage: [record[times][stage] for record in records.values()]
                for stage in first[times]
            }
            for times in ("seconds", "epoch_seconds")
        },
        "seconds_in_all": [record["seconds_in_all"] for record in records.values()],
        "epochs": first["epochs"],
        **{name: first[name] for name in ("versions", "machine", "code_version", "finished")},
        "figures": names,
    }
    write_json(folder / "result.json", result)
    redraw(experiment, store.output, of_rows)


def _seeded(records):
    """The rows of the histories of all records, each with its seed."""
    return [{"seed": seed, **row} for seed, record in records.items() for row in record["history"]]


def _left_out(records):
    """``{"left_out": {what: reason}}``, what some seed could not measure; empty if all could."""
    found = {}
    for record in records:
        found |= record.get("left_out", {})
    return {"left_out": found} if found else {}


def keep_model(source, target):
    """Copy the first seed's trained model to its figures, or remove an old copy if it has none."""
    if source.exists():
        write_with(target, lambda part: shutil.copyfile(source, part))
    else:
        target.unlink(missing_ok=True)


def settings_of(experiment):
    """The hyperparameters of a row, as stored in result.json."""
    row = experiment.fingerprinted
    return {
        **row["settings"],
        "model": row["model"],
        "noise_once": row["noise_once"],
        "stages": list(row["stages"]),
    }


def summary(experiment, records):
    """Every metric with its values by seed, mean, sample standard deviation, published figure."""
    published = {(p.stage, p.metric): p for p in experiment.published}
    rows = []
    for row in records[0]["metrics"]:
        key = {name: row[name] for name in ("stage", "metric", "split")}
        values = [
            other["value"]
            for record in records
            for other in record["metrics"]
            if all(other[name] == key[name] for name in key)
        ]
        target = published.get((row["stage"], row["metric"]))
        rows.append(
            {
                **key,
                "values": values,
                "mean": float(np.mean(values)),
                "std": float(np.std(values, ddof=1)) if len(values) > 1 else None,
                "published": target.value if target else None,
                "published_source": target.source if target else None,
                "published_error": target.reading_error if target else None,
                "published_departures": list(target.departures) if target else None,
            }
        )
    return rows


def write_results_csv(output, names=None):
    """Combine the result.json in ``output`` into one tidy table, ``results.csv``.

    ``names`` are the experiments in it; None stands for all.
    """
    rank = {name: i for i, name in enumerate(EXPERIMENTS)}

    def place(result):
        name = result["experiment"]
        return rank.get(name, len(rank)), name

    rows = []
    found = (r for r in _results(output) if names is None or r["experiment"] in names)
    for result in sorted(found, key=place):
        for metric in result["metrics"]:
            rows.append({**result, **metric, "n_seeds": len(metric["values"])})
    return write_text(Path(output) / "results.csv", csv_text(RESULT_COLUMNS, rows))


def _results(output):
    for path in Path(output).glob("*/result.json"):
        yield json.loads(path.read_text(encoding="utf-8"))
