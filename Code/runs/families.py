"""What the pictures of several rows have in common: ranges of axes, and one picture a family."""

import csv
import json
from pathlib import Path

import numpy as np

from Code.experiments.curves import published_curves
from Code.experiments.table import EXPERIMENTS, TABLE
from Code.figures import style
from Code.figures.family import composite
from Code.figures.scatter import classes_of
from Code.figures.words import WORDS
from Code.reporting.contents import FAMILIES, KIND_ORDER, home
from Code.runs.pictures import curve_figures, histories, published_of
from Code.runs.store import Store
from Code.runs.units import loss_unit

FOLDER = "families"
SHARED = ("loss", "accuracy")
# More than the margin that an axis leaves by itself, so that these ranges decide
MARGIN = 0.06


def rows_of(family):
    """The rows of the published comparison that one picture shows: as published, then corrected."""
    rows = [
        row
        for row in TABLE
        if row.group == "published" and row.model and home(row) == family and row.kind != "baseline"
    ]
    return sorted(rows, key=lambda row: KIND_ORDER.index(row.kind))


def compared(experiment):
    """The rows whose losses a reader compares: those of one family and one group."""
    return [
        row
        for row in TABLE
        if (home(row), row.group) == (home(experiment), experiment.group) and row.kind != "trial"
    ]


def history_of(output, name):
    """The stored history of a row, see `histories`; empty without one."""
    try:
        with Path(output, name, "history.csv").open(encoding="utf-8", newline="") as file:
            return histories(csv.DictReader(file))
    except (OSError, ValueError, LookupError):
        return {}


def limits(experiment, of_rows, of_mnist=True):
    """The ranges of loss and accuracy that rows compared with each other share.

    Parameters
    ----------
    of_rows : ``{name: history}`` of the rows with which it is compared, itself included.
    of_mnist : whether the data are MNIST, of which the published curves are.

    Returns
    -------
    ``{(stage, metric): (lowest, highest)}`` of those that another row has too, in the same unit.
    """
    found = {}
    for stage in experiment.stages:
        for metric in SHARED:
            unit = _unit(experiment, stage.name, of_rows.get(experiment.name, {}))
            values, number = [], 0
            for row in compared(experiment):
                history = of_rows.get(row.name, {})
                if metric == "loss" and _unit(row, stage.name, history) != unit:
                    continue
                splits = ("train", "test")
                curves = [c for s in splits for c in history.get((stage.name, metric, s), [])]
                if curves:
                    number += 1
                    values += curves
                    if of_mnist:
                        values.append(_published_values(row, stage.name, metric))
            if number > 1:
                every = np.concatenate(values)
                low, high = np.nanmin(every), np.nanmax(every)
                room = MARGIN * (high - low)
                found[stage.name, metric] = (low - room, high + room)
    return found


def _unit(row, stage, history):
    return loss_unit(row, stage, 0, {metric for of, metric, _ in history if of == stage})


def _published_values(row, stage, metric):
    curve = published_curves().get((row.name, stage, metric))
    ends = [
        figure.value
        for figure in row.published
        if (figure.stage, figure.metric) == (stage, f"{metric}_last_epoch")
    ]
    error = curve.reading_error if curve else 0.0
    read = [value + shift for value in (curve.values if curve else ()) for shift in (-error, error)]
    return read + ends


def redraw(experiment, output, of_rows):
    """Draw the losses of the rows compared with one anew, where its results widen their axes."""
    for row in compared(experiment):
        result = _result(output, row.name)
        if row.name == experiment.name or not result or row.name not in of_rows:
            continue
        folder = Path(output, row.name)
        pixels = int(np.prod(result["data"].get("image_shape", (28, 28))))
        row_limits = limits(row, of_rows, result["data"]["name"] == "mnist")
        figures = curve_figures(_as_run(row, result), of_rows[row.name], pixels, row_limits)
        for name in ("loss.png", "accuracy.png"):
            if name in figures and name in result["figures"]:
                style.save(figures[name], folder / name)


def _as_run(row, result):
    """The row with no published figures if its results are not of MNIST."""
    from dataclasses import replace

    return row if result["data"]["name"] == "mnist" else replace(row, published=())


def _result(output, name):
    try:
        return json.loads(Path(output, name, "result.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def draw(names, output, mine=None):
    """Draw ``families/<family>.png`` and ``.zh.png`` of the families of the rows ``names``.

    The arrays are those of finished runs. A picture that shows a row which has results but no
    arrays is left unchanged, and so is one of which there are no arrays at all.

    Parameters
    ----------
    mine : names of the rows whose results are this run's own; only they are shown. None for all.
    """
    output = Path(output)
    wanted = {home(EXPERIMENTS[name]) for name in names if name in EXPERIMENTS}
    for family in FAMILIES:
        if family not in wanted:
            continue
        rows = [row for row in rows_of(family) if mine is None or row.name in mine]
        stored = {row.name: stored_views(output, row.name) for row in rows}
        has_result = [row.name for row in rows if _result(output, row.name)]
        path = output / FOLDER / f"{family}.png"
        if not any(stored.values()):
            continue
        if path.exists() and not all(stored[name] for name in has_result):
            continue
        shown = [row for row in rows if stored[row.name]]
        of_rows = {row.name: history_of(output, row.name) for row in shown}
        shown = told_apart(shown, of_rows)
        for language in WORDS:
            figure = picture(shown, of_rows, stored, language)
            suffix = "" if language == "en" else f".{language}"
            style.save(figure, path.with_name(f"{family}{suffix}.png"))


def told_apart(rows, of_rows):
    """The rows without those whose first stage is the training of a row before them."""
    found = {}
    for row in rows:
        curves = of_rows[row.name].get((row.stages[0].name, "loss", "train"), [row.name])
        found.setdefault(json.dumps(curves), row)
    return list(found.values())


def stored_views(output, name):
    """The arrays of the first finished seed of a row, or None."""
    store, result = Store(output), _result(output, name)
    if not result:
        return None
    try:
        return store.views(name, result["seeds"][0])
    except (OSError, ValueError, LookupError):
        return None


def picture(rows, of_rows, stored, language="en"):
    """The picture of a family, see `composite`.

    Parameters
    ----------
    rows : the rows that it shows.
    of_rows, stored : their histories and arrays by name.
    """
    words, first = WORDS[language], stored[rows[0].name]
    return composite(
        losses_of(rows, of_rows, words),
        images_of(rows, stored, words),
        maps_of(rows, stored, words),
        language,
        classes_of(first),
    )


def losses_of(rows, of_rows, words):
    """The losses of the stage without labels, by unit."""
    panels = {}
    for row in rows:
        history, stage = of_rows[row.name], row.stages[0].name
        train = history.get((stage, "loss", "train"), [])
        if not train:
            continue
        curve = published_curves().get((row.name, stage, "loss"))
        ends = [p.value for p in row.published if p.metric == "loss_last_epoch"]
        panels.setdefault(words[row.loss_axis], []).append(
            {
                "label": words[row.name],
                "train": train,
                "test": history.get((stage, "loss", "test"), []),
                **published_of(curve, ends[0] if ends else None, max(map(len, train))),
            }
        )
    return panels


def images_of(rows, stored, words):
    """Test images above what each row makes of them; of noisy ones where all rows denoise."""
    first, denoise = stored[rows[0].name], all(row.denoises for row in rows)
    found = [(words["image"], first["digits"])]
    if denoise:
        found.append((words["noisy"], first["noisy"]))
    for row in rows:
        stage = row.stages[0].name
        kind = "denoised" if denoise else "reconstructions"
        found.append((words[row.name], stored[row.name][f"{kind}/{stage}"]))
    return found


def maps_of(rows, stored, words):
    """The plane of each row's code after the stage without labels."""
    found = []
    for row in rows:
        views = stored[row.name]
        codes = views[f"code/{row.stages[0].name}"]
        axis = words["code"] if "code" in row.code_axis else words["z mean"]
        if views["code_is_projected"]:
            axis = words["principal component"]
        found.append(
            {
                "title": words["map"].format(name=words[row.name], n=len(codes)),
                "codes": codes,
                "labels": views.get("labels"),
                "axis": axis,
            }
        )
    return found
