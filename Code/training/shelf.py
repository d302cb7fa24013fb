"""What several rows of one run have in common is computed once and taken from a shelf after that.

Some rows begin with the same training: the same network from the same first weights, on the same
images, by the same schedule. Before such a stage its identity is written down: every number on
which its outcome depends. The first row that comes to it trains, and puts what it found beside that
identity; each other row that comes to the same identity takes it, and goes on as if it had trained
itself: with the same weights and the same state of every generator, to the bit.

A process uses a shelf within `at`; without one everything is computed.
"""

import contextlib
import dataclasses
import hashlib
import json
import random
import time
import zipfile
from contextvars import ContextVar
from pathlib import Path

import keras
import numpy as np
from filelock import FileLock

# No public name gives the state of Keras's own generator, which orders the images of an epoch
from keras.src.backend.common import global_state
from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR

from Code.experiments.row import HEAD
from Code.foundation.atomic import write_with

LISTS = ("metrics", "history")
DICTS = ("seconds", "epoch_seconds", "epochs", "left_out")
_current = ContextVar("shelf", default=None)


@dataclasses.dataclass(frozen=True)
class Shelf:
    """A folder for shared stages.

    Attributes
    ----------
    folder : where they lie; the workers of a cluster see it under the same path.
    stages : names of the stages that other rows of the run have as well.
    code : identity of the code and the packages that compute them.
    """

    folder: Path
    stages: frozenset
    code: str


@contextlib.contextmanager
def at(shelf):
    """Context in which ``shelf`` is used; None for none."""
    token = _current.set(shelf)
    try:
        yield
    finally:
        _current.reset(token)


@contextlib.contextmanager
def once(what, stage, model, outcome, *facts):
    """Context that tells whether ``outcome`` and ``model`` already have what its body would add.

    with once("training", stage.name, model, outcome, inputs) as already:
        if not already:
            ...

    Parameters
    ----------
    what : what is computed; one stage can have several parts.
    stage : name of the stage; those that no other row has are always computed.
    model : the Keras model; its weights and its generators' states are part of the identity.
    outcome : the `Outcome` to which the body adds.
    facts : further values on which the body depends: arrays, or what JSON can hold.
    """
    shelf = _current.get()
    if shelf is None or stage not in shelf.stages:
        yield False
        return
    state = own_state(model)
    name = identity(what, stage, shelf.code, of_model(model), generators(), state, facts)
    path = Path(shelf.folder, f"{name}.npz")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Of two rows that come to it at the same time, the second waits
    start = time.perf_counter()
    with FileLock(path.with_suffix(".lock")):
        waited = time.perf_counter() - start
        if found := _read(path):
            _take(found, state, outcome)
            outcome.elsewhere += sum(found["told"]["seconds"].values()) - waited
            yield True
            return
        before = _sizes(outcome)
        yield False
        write_with(path, lambda part: _write(part, _added(outcome, before), state))


def own_state(model):
    """The variables of a model that training without labels can read or change."""
    classifier = getattr(model, "classifier", None)
    shared = {id(v) for part in ("encoder", "decoder") for v in _variables(model, part)}
    head = {id(v) for v in _variables(model, "classifier")} - shared if classifier else set()
    return [v for v in model.variables if id(v) not in head]


def _variables(model, part):
    network = getattr(model, part, None)
    return network.variables if network is not None else ()


def of_model(model):
    """Class and settings of a model, without those of a head."""
    config = {k: v for k, v in model.get_config().items() if k not in (*HEAD, "name")}
    return [type(model).__module__, type(model).__qualname__, config]


def generators():
    """State of the generators from which Keras draws: Python's, and its own if there is one yet."""
    own = global_state.get_global_attribute(GLOBAL_SEED_GENERATOR)
    return [random.getstate(), None if own is None else np.array(own.state).tolist()]


def set_generators(told):
    """Put the generators into the state that `generators` told."""
    (version, inner, gauss), own = told
    random.setstate((version, tuple(inner), gauss))
    if own is not None:
        generator = keras.random.SeedGenerator(0)
        generator.state.assign(own)
        global_state.set_global_attribute(GLOBAL_SEED_GENERATOR, generator)


def identity(*facts):
    """A hash of arrays, variables, dataclasses, and what JSON can hold, in any nesting."""
    digest = hashlib.sha256()
    _feed(digest, facts)
    return digest.hexdigest()[:32]


def _feed(digest, fact):
    if dataclasses.is_dataclass(fact):
        fact = dataclasses.asdict(fact)
    if isinstance(fact, list | tuple) and any(not isinstance(f, int | float | str) for f in fact):
        digest.update(b"[")
        for each in fact:
            _feed(digest, each)
        digest.update(b"]")
    elif isinstance(fact, np.ndarray) or hasattr(fact, "shape"):
        array = np.ascontiguousarray(fact)
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.data if array.size else b"")
    else:
        digest.update(json.dumps(fact, sort_keys=True, default=repr).encode())


def _sizes(outcome):
    lists = {name: len(getattr(outcome, name)) for name in LISTS}
    return lists, {name: set(getattr(outcome, name)) for name in (*DICTS, "views")}


def _added(outcome, before):
    lengths, keys = before
    told = {name: getattr(outcome, name)[lengths[name] :] for name in LISTS}
    for name in DICTS:
        told[name] = {k: v for k, v in getattr(outcome, name).items() if k not in keys[name]}
    views = {k: v for k, v in outcome.views.items() if k not in keys["views"]}
    return told, views


def _write(path, added, state):
    told, views = added
    told = {**told, "generators": generators(), "views": list(views)}
    arrays = {f"state/{i}": np.array(v) for i, v in enumerate(state)}
    arrays |= {f"view/{i}": np.asarray(v) for i, v in enumerate(views.values())}
    np.savez(path, told=np.array(json.dumps(told)), **arrays)


def _read(path):
    """What lies at ``path``, or None if nothing whole does."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            found = {name: archive[name] for name in archive.files}
        return {**found, "told": json.loads(str(found["told"]))}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _take(found, state, outcome):
    told = found["told"]
    for i, variable in enumerate(state):
        variable.assign(found[f"state/{i}"])
    for name in LISTS:
        getattr(outcome, name).extend(told[name])
    for name in DICTS:
        getattr(outcome, name).update(told[name])
    for i, name in enumerate(told["views"]):
        outcome.views[name] = found[f"view/{i}"]
    set_generators(told["generators"])
