"""Yours, ours, theirs: a run's own results, and those that came with the code."""

import csv
import json
import shutil

import pytest

from Code.experiments.table import EXPERIMENTS
from Code.reporting import reference
from Code.runs import extend
from Code.runs.run import facts_of, run
from Code.runs.store import Store
from Code.runs.unit import dataset
from Code.runs.uses_table import assemble


@pytest.fixture
def committed(tmp_path, root, monkeypatch):
    """A folder with a committed row that is not what today's code would find, and its index."""
    output = tmp_path / "output"
    shutil.copytree(root / "output" / "ae", output / "ae", ignore=shutil.ignore_patterns("runs"))
    (output / "reference").mkdir()
    (output / "reference" / reference.COMMITTED).write_text(json.dumps(reference.digests(output)))
    monkeypatch.setattr(reference, "FOLDER", output / "reference")
    return output


def names_in(output):
    with open(output / "results.csv", newline="", encoding="utf-8") as file:
        return {row["experiment"] for row in csv.DictReader(file)}


def baseline(output, **more):
    rows = [EXPERIMENTS["pca-2"]]
    return run(rows, output, jobs=1, measure_uses=False, quick=True, **more)


def test_a_run_s_table_holds_its_own_rows_only(committed):
    baseline(committed)
    assert names_in(committed) == {"pca-2"}
    assert (committed / "ae" / "result.json").exists()


def test_whoever_makes_the_reference_keeps_all_rows(committed):
    baseline(committed, extend=True)
    assert names_in(committed) == {"pca-2", "ae"}


def as_today(row, output):
    """The committed result of a row, as if today's code had found it."""
    from importlib.metadata import version

    path = output / row.name / "result.json"
    result = json.loads(path.read_text(encoding="utf-8"))
    result["code_version"] = extend.code_version(*extend.modules_of(row))
    result["settings"] = extend.settings_of(row)
    result["data"] = facts_of(dataset("mnist"))
    result["versions"] |= {name: version(name) for name in extend.NUMERICAL_PACKAGES}
    path.write_text(json.dumps(result), encoding="utf-8")
    return path, result


def test_it_counts_where_code_data_and_settings_are_today_s(committed):
    row, facts = EXPERIMENTS["ae"], facts_of(dataset("mnist"))
    path, result = as_today(row, committed)
    assert extend.counts(row, committed, facts, [0, 1])
    assert not extend.counts(row, committed, facts, [*result["seeds"], 99])
    assert not extend.counts(EXPERIMENTS["dae"], committed, facts, [0])
    for change in (
        {"quick": True},
        {"complete": False},
        {"code_version": "0" * 12},
        {"settings": {**result["settings"], "code_dim": 3}},
        {"data": {**result["data"], "n_train": 100}},
        {"versions": {**result["versions"], "keras": "0"}},
    ):
        path.write_text(json.dumps({**result, **change}), encoding="utf-8")
        assert not extend.counts(row, committed, facts, [0]), change


def test_a_row_that_counts_is_not_trained(committed, capsys):
    row = EXPERIMENTS["ae"]
    path, _ = as_today(row, committed)
    before = path.read_bytes()
    done = run([row], committed, jobs=1, measure_uses=False, extend=True)
    assert (done.trained, done.kept) == (0, 1)
    assert path.read_bytes() == before
    assert "1 experiments are committed with this very code: ae" in capsys.readouterr().err
    # What is in the folder is now the reference
    assert reference.own(committed, committed / "reference") == set()
    assert (committed / "reference" / "results.csv").read_bytes() == (
        committed / "results.csv"
    ).read_bytes()


def test_runs_and_uses_that_came_with_the_code_are_begun_anew(committed):
    (committed / "runs.json").write_text("[]")
    table = {"models": ["vae-2"], "uses": {}}
    (committed / "uses.json").write_text(json.dumps(table))
    index = committed / "reference" / reference.COMMITTED
    index.write_text(json.dumps(reference.digests(committed)))
    assert reference.came_with_the_code(committed, "uses.json", committed / "reference")
    assemble([], {}, Store(committed), keep=True)
    assert json.loads((committed / "uses.json").read_text())["models"] == ["vae-2"]
    assert not reference.came_with_the_code(committed, "uses.json", committed / "reference")
    assemble([], {}, Store(committed), keep=False)
    assert json.loads((committed / "uses.json").read_text())["models"] == []
