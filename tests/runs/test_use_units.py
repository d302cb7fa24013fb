"""The stage of the uses: it loads every kind of model, and puts together what was measured."""

import json
import subprocess
import sys

import numpy as np
import pytest

from Code.experiments.table import EXPERIMENTS
from Code.runs import use_units, uses_table
from Code.runs.store import Store
from Code.tasks import USES

MEASURE = """
import sys
from Code.runs import use_units
from Code.runs.store import Store

use_units.USES = ("reconstruct",)
for name in sys.argv[2:]:
    unit = use_units.UseUnit(name, 0, "mnist", True, sys.argv[1])
    failure = use_units.work(unit, "identity")
    if failure:
        sys.exit(failure)
"""


@pytest.mark.slow
def test_one_process_loads_models_of_different_modules(root, tmp_path, mnist, seeded):
    """A class is known to Keras only once its module was imported, and none is imported here."""
    from Code.training.procedure import build

    names = ("vae-2", "cvae-2", "contractive-2", "masked-2")
    for name in names:
        folder = Store(tmp_path).folder(name, 0)
        folder.mkdir(parents=True)
        build(EXPERIMENTS[name], mnist).save(folder / "model.keras")
    finished = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path), *names],
        capture_output=True,
        text=True,
        cwd=root,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    for name in names:
        measured = use_units.kept(
            use_units.UseUnit(name, 0, "mnist", True, str(tmp_path)), "identity"
        )
        assert 0 < measured["values"]["reconstruct"]["mse"] < 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ae-2", "vae-2", "baselines"])
def test_what_every_use_measures_is_kept(name, tmp_path, mnist, seeded, monkeypatch):
    """Whatever type of number a use gives, the record of all of them can be written and read."""
    from Code.training.procedure import build

    few = mnist.subset(400, 300)
    monkeypatch.setattr(use_units, "dataset", lambda *_: few)
    unit = use_units.UseUnit(name, 0, "mnist", True, str(tmp_path))
    if name != use_units.BASELINES:
        folder = Store(tmp_path).folder(name, 0)
        folder.mkdir(parents=True)
        build(EXPERIMENTS[name], few).save(folder / "model.keras")
    assert use_units.work(unit, "identity") is None
    kept = use_units.kept(unit, "identity")
    assert set(kept["values"]) | set(kept["left_out"]) == set(USES)
    assert not [reason for reason in kept["left_out"].values() if "Error" in reason]


def test_numbers_of_every_kind_become_python_s_own():
    measured = {"a": np.float32(0.5), "b": np.int64(3), "c": 2.0, "d": np.float32("nan"), "e": 7}
    kept = use_units.finite(measured)
    assert kept == {"a": 0.5, "b": 3, "c": 2.0, "e": 7}
    assert {type(value) for value in kept.values()} == {float, int}


@pytest.fixture
def units(tmp_path):
    """Two models and the rivals, as the stage leaves them; without pictures."""
    found = [
        use_units.UseUnit(name, 0, "mnist", False, str(tmp_path))
        for name in ("ae-16", "dae-16", use_units.BASELINES)
    ]
    for i, unit in enumerate(found):
        keep(unit, 0.5 + 0.1 * i, "new")
    return found


def keep(unit, value, fingerprint):
    values = {}
    for use in use_units.USES:
        main = next(m.name for m in use_units.module_of(use).METRICS if m.main)
        values[use] = {main: value}
        if unit.name == use_units.BASELINES:
            values[use] = {"pca-16": values[use]}
    folder = use_units.folder_of(unit)
    folder.mkdir(parents=True, exist_ok=True)
    record = {
        "fingerprint": fingerprint,
        "values": values,
        "seconds": dict.fromkeys(use_units.USES, 1.0),
    }
    (folder / "uses.json").write_text(json.dumps(record))


def assembled(units, monkeypatch):
    monkeypatch.setattr(uses_table, "draw", lambda *arguments: None)
    store = Store(units[0].output)
    uses_table.assemble(units, {(u.name, u.seed): "new" for u in units}, store)
    found = json.loads((store.output / "uses.json").read_text())
    return found["models"], found["uses"]["cluster"]["values"]["accuracy_kmeans"]


def test_models_and_rivals_stand_in_one_table(units, monkeypatch):
    models, table = assembled(units, monkeypatch)
    assert models == ["ae-16", "dae-16"]
    assert table == {"ae-16": [0.5], "dae-16": [0.6], "pca-16": [0.7]}


def test_a_picture_notes_the_trainings_that_it_shows(units, tmp_path):
    kept = {u: {"values": {"reconstruct": {"mse": 0.25}}} for u in units}
    for name, models in (("fill", units[:1]), ("cluster", units[1:])):
        uses_table._note(tmp_path / f"{name}.png", [(u.name, kept[u]) for u in models])
    drawn = json.loads((tmp_path / uses_table.DRAWN).read_text())
    assert drawn["fill"] == {units[0].name: 0.25}
    assert drawn["cluster"] == dict.fromkeys((u.name for u in units[1:]), 0.25)


def test_a_run_of_one_model_takes_nothing_from_the_table(units, monkeypatch):
    assembled(units, monkeypatch)
    keep(units[0], 0.9, "new")
    models, table = assembled([units[0], units[2]], monkeypatch)
    assert models == ["ae-16", "dae-16"]
    assert table == {"ae-16": [0.9], "dae-16": [0.6], "pca-16": [0.7]}


def test_a_run_of_one_model_keeps_why_others_lack_a_use(units, monkeypatch):
    path = use_units.folder_of(units[1]) / "uses.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"left_out": {"cluster": "odd"}}))
    for among in (units, [units[0], units[2]]):
        assembled(among, monkeypatch)
        found = json.loads((Store(units[0].output).output / "uses.json").read_text())
        assert found["uses"]["cluster"]["left_out"] == {"dae-16": "odd"}


def test_what_was_measured_by_other_code_is_left_out(units, monkeypatch):
    keep(units[1], 0.6, "old")
    models, table = assembled(units, monkeypatch)
    assert models == ["ae-16"]
    assert table == {"ae-16": [0.5], "pca-16": [0.7]}


def test_models_that_learned_from_labels_are_named(units, monkeypatch):
    def told():
        assembled(units, monkeypatch)
        return json.loads((Store(units[0].output).output / "uses.json").read_text())["uses_labels"]

    assert told() == []
    rows = {**EXPERIMENTS, "dae-16": EXPERIMENTS["cvae-16"]}
    monkeypatch.setattr(uses_table, "EXPERIMENTS", rows)
    assert told() == ["dae-16"]
