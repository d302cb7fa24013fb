"""One unit of work: one experiment with one seed, in its own process."""

import copy
import os
import time
import traceback
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

from Code.data.datasets import load_dataset
from Code.experiments.row import Experiment
from Code.experiments.table import QUICK
from Code.foundation.atomic import write_text
from Code.foundation.keras_import import import_keras
from Code.foundation.names import load
from Code.foundation.own_process import prepare
from Code.runs.fingerprint import code_version, modules_of
from Code.runs.machine import machine, versions
from Code.runs.store import Store

# Parent process of the worker that imports this module
PARENT = os.getppid()


@dataclass(frozen=True)
class Unit:
    """An experiment, a seed and the data: everything that a worker needs to know."""

    experiment: Experiment
    seed: int
    data: str
    quick: bool
    output: str
    shared: frozenset = frozenset()
    """Names of its stages that other units of the run have as well."""
    held_out: int = 0
    """Number of training images that stand in the place of the test images."""

    @property
    def name(self):
        return self.experiment.name


def scheduled(experiment, quick=False, epochs=None, longer=1):
    """The experiment with fewer epochs for a quick run, or with ``epochs`` epochs per stage.

    Else every stage has ``longer`` times its epochs, for data with few images.
    """

    def of(stage):
        return epochs or (min(stage.epochs, QUICK["epochs"]) if quick else longer * stage.epochs)

    stages = tuple(replace(stage, epochs=of(stage)) for stage in experiment.stages)
    return replace(experiment, stages=stages)


@lru_cache(maxsize=2)
def dataset(spec, quick=False, held_out=0):
    """The data of a run, loaded once per process.

    With ``held_out``, so many training images stand in the place of the test images.
    """
    data = load_dataset(spec)
    if held_out:
        data = data.without_test(held_out)
    return data.subset(QUICK["n_train"], QUICK["n_test"]) if quick else data


def work(unit, fingerprint, verbose=0):
    """Train and measure one unit and keep it; return why it failed, or None.

    Only errors inside the run are caught; if the process is killed, nothing is returned.
    """
    prepare()
    from threadpoolctl import threadpool_limits

    store = Store(unit.output)
    try:
        store.tell(unit.name, unit.seed, 0.0)
        # NumPy may have been loaded before the environment was set
        with threadpool_limits(1):
            perform(unit, fingerprint, store, verbose)
    except Exception as error:  # whatever it is, the other experiments continue
        line = str(error).strip().split("\n")[0]
        if type(error).__name__ == "Diverged":
            return line
        return told(error, store.scratch / f"{unit.name}.seed-{unit.seed}.error.txt")
    return None


def told(error, trace):
    """One line about an error; its traceback goes into the file ``trace`` if there is room."""
    line = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"
    try:
        write_text(trace, "".join(traceback.format_exception(error)))
    except OSError:
        return line
    return f"{line} (traceback in {trace})"


def perform(unit, fingerprint, store, verbose=0):
    """Train and measure one unit and keep it in ``store``."""
    keras = import_keras()
    from Code.training import shelf

    keras.backend.clear_session()
    # Keras changes a config in place when it deserialises it
    experiment = copy.deepcopy(unit.experiment)
    total, done = sum(stage.epochs for stage in experiment.stages), 0

    def tell(epochs):
        nonlocal done
        if os.getppid() != PARENT:
            # The parent process was killed: nobody waits for the result, and a resumed run may
            # already be training the same unit
            os._exit(1)
        done += epochs
        # The last percent is for the measurements after the last epoch
        store.tell(unit.name, unit.seed, 0.99 * done / total)

    start, version = time.perf_counter(), code_version(*modules_of(experiment))
    procedure, data = load(experiment.procedure), dataset(unit.data, unit.quick, unit.held_out)
    packages = versions()
    code = f"{version} {packages} {keras.backend.backend()}"
    with shelf.at(shelf.Shelf(store.shelf, unit.shared, code)):
        outcome = procedure(experiment, data, unit.seed, tell, verbose)
    record = {
        "fingerprint": fingerprint,
        "seed": unit.seed,
        "metrics": outcome.metrics,
        "history": outcome.history,
        "seconds": outcome.seconds,
        "epoch_seconds": outcome.epoch_seconds,
        "seconds_in_all": time.perf_counter() - start + outcome.elsewhere,
        "epochs": outcome.epochs,
        "parameters": outcome.parameters,
        **({"left_out": outcome.left_out} if outcome.left_out else {}),
        "structure": outcome.structure,
        "versions": packages,
        "machine": machine(),
        "code_version": version,
        "finished": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    store.keep(unit.name, unit.seed, record, outcome.views, outcome.model)
    store.tell(unit.name, unit.seed, 1.0)
