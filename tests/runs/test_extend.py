"""Yours, ours, theirs: a run's own results, and those that came with the code."""

import csv
import json
import shutil
import subprocess

import pytest

from Code.experiments.table import EXPERIMENTS
from Code.reporting import reference
from Code.reporting.results import ResultError
from Code.runs import extend, reports
from Code.runs.run import facts_of, note_run, run
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


def test_the_same_data_count_wherever_their_file_lies(committed):
    row, facts = EXPERIMENTS["ae"], facts_of(dataset("mnist"))
    path, result = as_today(row, committed)
    moved = {**result, "data": {**result["data"], "source": "/elsewhere/digits.npz"}}
    path.write_text(json.dumps(moved), encoding="utf-8")
    assert extend.counts(row, committed, facts, [0])


@pytest.mark.parametrize("text", ["x", "[]", '{"ae/result.json": 1}'])
def test_a_damaged_index_is_no_empty_one(committed, text):
    index = committed / "reference" / reference.COMMITTED
    index.write_text(text, encoding="utf-8")
    with pytest.raises(ResultError, match=r"committed\.json.*restore it from git"):
        reference.own(committed, committed / "reference")
    index.unlink()
    assert reference.own(committed, committed / "reference") == {"ae"}


def test_a_row_without_uses_of_its_own_training_lacks_something(committed):
    assert extend.without_uses(["ae"], committed) == ["ae"]
    path = committed / "ae" / "result.json"
    (mse,) = (
        m["values"]
        for m in json.loads(path.read_text(encoding="utf-8"))["metrics"]
        if (m["metric"], m["split"]) == ("mse", "test")
    )
    head = {"name": "mse", "unit": "", "higher_is_better": False, "main": True}
    for factor, names, lacking in ((1.0, ["ae"], []), (1.1, ["ae"], ["ae"]), (1.0, [], ["ae"])):
        values = {"mse": {"ae": [factor * value for value in mse]}}
        uses = {"reconstruct": {"metrics": [head], "values": values, "seconds": 1.0}}
        table = {"models": names, "seeds": list(range(len(mse))), "uses": uses}
        (committed / "uses.json").write_text(json.dumps(table), encoding="utf-8")
        assert extend.without_uses(["ae"], committed) == lacking, (factor, names)


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


def test_the_reference_tells_of_what_code_and_machine_it_is(committed):
    row = EXPERIMENTS["ae"]
    path, result = as_today(row, committed)
    extend.make_reference(committed)
    folder = committed / "reference"
    with open(folder / extend.ORIGINS, newline="", encoding="utf-8") as file:
        (told,) = csv.DictReader(file)
    assert told["experiment"] == "ae" and told["cpu"] == result["machine"]["cpu"]
    assert told["seeds"].split() == [str(seed) for seed in result["seeds"]]
    assert told["keras"] == result["versions"]["keras"]
    assert extend.of_other_code(folder) == ([], 1)
    path.write_text(json.dumps({**result, "code_version": "0" * 12}), encoding="utf-8")
    assert extend.of_other_code(folder) == ([], 1), "a run's own result is not the reference"
    extend.make_reference(committed)
    assert extend.of_other_code(folder) == (["ae"], 1)
    (folder / extend.ORIGINS).unlink()
    assert extend.of_other_code(folder) is None


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


def with_other_data(output, name="letters", **change):
    """A folder of results on other data inside an output folder, as a run writes them."""
    result = json.loads((output / "ae" / "result.json").read_text(encoding="utf-8"))
    result["data"] |= {"name": f"{name}.npz", "sha256": "0" * 64, "source": None}
    folder = output / name
    (folder / "ae").mkdir(parents=True)
    (folder / "ae" / "result.json").write_text(json.dumps(result | {"figures": []} | change))
    (folder / "uses.json").write_text(json.dumps({"models": ["ae"], "seeds": [0], "uses": {}}))
    note_run(folder, wall_seconds=1.0, jobs=1, trained=1, kept=0, seeds=1)
    return folder


def test_other_data_join_the_reference_by_their_folder_s_name(committed):
    index = reference.FOLDER
    with_other_data(committed)
    with_other_data(committed, "quick", quick=True)
    extend.make_reference(committed)
    known = reference.committed(index)
    told = {"ae/result.json", "uses.json", "runs.json"}
    assert set(known) == {"ae/result.json", *(f"letters/{name}" for name in told)}
    assert reference.own(committed, index) == reference.own(committed / "letters", index) == set()
    assert reference.theirs(committed / "letters", index) == {"uses.json", "runs.json"}
    assert reference.own(committed / "quick", index) == {"ae"}


def test_a_folder_of_other_data_has_no_reference_of_its_own(committed):
    index = reference.FOLDER
    folder = with_other_data(committed)
    before = reference.committed(index)
    extend.make_reference(folder)
    assert not (folder / "reference").exists()
    assert reference.own(folder, index) == set()
    after = reference.committed(index)
    assert after.items() > before.items()
    # What is written later in there is that machine's own, until it joins as well
    (folder / "runs.json").write_text("[]")
    assert reference.theirs(folder, index) == {"uses.json"}
    (folder / "uses.json").unlink()
    extend.make_reference(folder)
    assert "letters/uses.json" not in reference.committed(index)
    assert "ae/result.json" in reference.committed(index)


def test_mine_stands_beside_mine_and_the_committed_beside_the_committed(committed):
    index = reference.FOLDER
    with_other_data(committed)
    extend.make_reference(committed)
    with_other_data(committed, "mine")
    assert reports.other_data_of(committed, False, index) == {"letters"}
    assert reports.other_data_of(committed, True, index) == {"mine"}


def test_other_data_are_no_part_of_mnist_s_results(committed):
    with_other_data(committed)
    baseline(committed, extend=True)
    assert names_in(committed) == {"pca-2", "ae"}
    assert not reports.compared(committed, reference.FOLDER).figures


def test_git_takes_results_of_other_data_and_a_picture_of_each_use(root):
    kept = ["result.json", "uses.json", "uses.csv", "results.csv", "runs.json", "uses/fill.png"]
    left = ["history.csv", "code.png", "model.keras", "runs/seed-0/record.json"]
    paths = {f"output/letters/{'ae/' * (name == 'result.json')}{name}": True for name in kept}
    paths |= {f"output/letters/ae/{name}": False for name in left}
    paths |= {"output/letters/.work/lock": False, "output/letters/report/report.md": False}
    # Of MNIST's there are pictures
    paths |= {"output/ae/code.png": True, "output/ae/history.csv": True}
    paths |= {"output/families/ae.png": True, "output/uses/fill.png": True}
    command = ["git", "check-ignore", "--no-index", *paths]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert set(done.stdout.split()) == {path for path, taken in paths.items() if not taken}
