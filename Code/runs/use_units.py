"""The uses of every trained model, measured after training and kept like finished runs."""

import importlib
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from Code.experiments.table import EXPERIMENTS
from Code.foundation.atomic import write_json, write_with
from Code.foundation.keras_import import import_keras
from Code.runs.fingerprint import code_version
from Code.runs.store import Store
from Code.runs.unit import dataset, told
from Code.tasks import USES
from Code.tasks.task import not_for

BASELINES = "baselines"
# These take twenty trainings each, so only one AE and one VAE are measured, and the baselines
DIGIT_BY_DIGIT = ("ae-16", "vae-16")


@dataclass(frozen=True)
class UseUnit:
    """All uses of one trained run, or of the baselines without an autoencoder (``BASELINES``).

    It is scheduled like a ``Code.runs.unit.Unit``.
    """

    name: str
    seed: int
    data: str
    quick: bool
    output: str


def module_of(use):
    """The module of a use; imported late, because some of them import TensorFlow."""
    return importlib.import_module(f"Code.tasks.{use}")


def identity(unit, store):
    """Hash of everything that a unit's measures depend on: its run, the data and the uses' code."""
    code = code_version(*(f"Code.tasks.{use}" for use in USES))
    if unit.name == BASELINES:
        return f"{code} {unit.data} {unit.quick}"
    record = store.record(unit.name, unit.seed)
    return f"{code} {record['fingerprint']}"


def kept(unit, fingerprint=None):
    """The stored record of a unit: fingerprint, values and seconds by use.

    None if there is no record, or none with that fingerprint.
    """
    try:
        found = json.loads((folder_of(unit) / "uses.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if fingerprint is not None and found.get("fingerprint") != fingerprint:
        return None
    return found


def folder_of(unit):
    """The folder of a unit's measures, beside the run that they belong to."""
    return Store(unit.output).folder(unit.name, unit.seed)


def work(unit, fingerprint):
    """Measure all uses of one unit and keep them; return why it failed, or None."""
    store = Store(unit.output)
    try:
        store.tell(unit.name, unit.seed, 0.0)
        measure(unit, fingerprint, store)
    except Exception as error:  # whatever it is, the other units continue
        return told(error, store.scratch / f"uses-{unit.name}.seed-{unit.seed}.error.txt")
    return None


def measure(unit, fingerprint, store):
    """Measure all uses of one unit and keep them."""
    from threadpoolctl import threadpool_limits

    keras = import_keras()
    keras.backend.clear_session()
    data = dataset(unit.data, unit.quick)
    if unit.name != BASELINES:
        # Keras finds a class only after the module that registers it has been imported
        importlib.import_module(EXPERIMENTS[unit.name].model.split(":")[0])
    model = (
        None if unit.name == BASELINES else keras.saving.load_model(folder_of(unit) / "model.keras")
    )
    values, seconds, views, left_out = {}, {}, {}, {}
    with threadpool_limits(1):
        for i, use in enumerate(USES):
            start = time.perf_counter()
            reason = not_for(module_of(use), data)
            if model is None and len(data.x_train) < 2:
                reason = reason or "it needs more images than there are"
            if reason:
                left_out[use] = reason
                continue
            try:
                measured = measured_of(use, unit, model, data)
            except Exception as error:  # whatever it is, the other uses are measured
                trace = store.scratch / f"uses-{unit.name}.seed-{unit.seed}.{use}.error.txt"
                left_out[use] = told(error, trace)
                continue
            finally:
                store.tell(unit.name, unit.seed, (i + 1) / (len(USES) + 1))
            seconds[use] = time.perf_counter() - start
            of_names = {name: finite(one.values) for name, one in measured.items()}
            values[use] = of_names if model is None else of_names[""]
            for name, one in measured.items():
                views |= {f"{use}/{name}/{view}": array for view, array in one.views.items()}
    folder = folder_of(unit)
    folder.mkdir(parents=True, exist_ok=True)
    write_with(folder / "uses.npz", lambda part: np.savez_compressed(part, **views))
    record = {
        "fingerprint": fingerprint,
        "values": values,
        "seconds": seconds,
        "left_out": left_out,
    }
    write_json(folder / "uses.json", record)


def measured_of(use, unit, model, data):
    """``{name: Measured}`` of one use: of all baselines, or of the model under the name ``""``."""
    if model is None:
        measured = module_of(use).baselines(data, unit.seed)
    else:
        measured = {"": module_of(use).measure(model, data, unit.seed)}
    if use == "anomaly":
        for name, more in digit_by_digit(unit, data).items():
            measured[name].values.update(more)
    return measured


def finite(values):
    """The values that are numbers, as Python's own, which a file of JSON can hold.

    What is measured on images all alike may be none.
    """
    return {n: np.asarray(value).item() for n, value in values.items() if math.isfinite(value)}


def digit_by_digit(unit, data):
    """Anomaly measures with one training per digit: ``{name of baseline, or "": values}``.

    Measured only for a few models, and not in a quick run.
    """
    from Code.tasks.anomaly import autoencoder_trainer, protocols, rivals

    if unit.quick or not data.labelled:
        return {}
    if unit.name == BASELINES:
        found = rivals(unit.seed)
    elif unit.name in DIGIT_BY_DIGIT:
        row = EXPERIMENTS[unit.name]
        found = {"": autoencoder_trainer(row.model, row.settings, unit.seed)}
    else:
        return {}
    return {name: protocols(train, data).values for name, train in found.items()}


def units_of(rows, seeds, store, data, quick):
    """A unit for every finished run of ``rows``, and one per seed for the baselines."""
    output = str(Path(store.output).resolve())
    found = [
        UseUnit(row.name, seed, data, quick, output)
        for seed in seeds
        for row in rows
        if (store.folder(row.name, seed) / "model.keras").is_file()
    ]
    rivals = [UseUnit(BASELINES, seed, data, quick, output) for seed in seeds]
    return rivals + found if found else []
