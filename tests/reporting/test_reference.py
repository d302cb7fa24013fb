"""The committed reference lends its spread to runs with fewer seeds, and to no others."""

import json
import re

import pytest
from pages import rendered

from Code.reporting import reference
from Code.reporting.reference import MEASURE, USE, spreads, uses_with_spreads, with_spreads
from Code.reporting.results import ResultError, load_results
from Code.reporting.uses import uses_of

TABLE = """experiment,variant,stage,metric,split,mean,std,n_seeds,published
ae,ae,unsupervised,mse,test,0.046,0.002,6,
ae,ae,unsupervised,knn_accuracy,test,0.55,,1,
"""

# A figure, or an interval, whose spread comes from the reference
STAR = re.compile(r"\d\*[ )）]")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "results.csv").write_text(TABLE, encoding="utf-8")
    return tmp_path / "reference"


def test_the_committed_tables_are_there_and_read():
    found = spreads(reference.FOLDER / "results.csv", MEASURE)
    std, n = found["vae-bce", "unsupervised", "mse", "test"]
    assert 0 < std < 0.01 and n >= 3
    assert spreads(reference.FOLDER / "uses.csv", USE)


def test_a_run_of_one_seed_borrows_the_spread(folder, write_output):
    known = spreads(folder / "results.csv", MEASURE)
    assert known == {("ae", "unsupervised", "mse", "test"): (0.002, 6)}
    one = with_spreads(load_results(write_output(seeds=1)), known)
    assert one["ae"].measure("mse").estimate.df == 5
    assert one["ae"].measure("knn_accuracy").estimate is None
    assert one["dae"].measure("mse").estimate is None


@pytest.mark.parametrize("changed", [{"quick": True}, {"data": "other"}])
def test_quick_runs_and_other_data_borrow_nothing(folder, write_output, changed):
    if "data" in changed:
        data = load_results(write_output())["ae"].data
        changed = {"data": {**data, "name": "mine"}}
    results = load_results(write_output({"ae": changed}, seeds=1))
    known = spreads(folder / "results.csv", MEASURE)
    assert with_spreads(results, known)["ae"].measure("mse").estimate is None


def test_without_a_table_nothing_is_borrowed(tmp_path, write_output):
    assert spreads(tmp_path / "none.csv", MEASURE) == {}
    site = rendered(write_output(seeds=1), tmp_path / "report", tmp_path)
    assert not any(STAR.search(text) for text in site.both())


@pytest.mark.parametrize("text", ["a,b\n1,2\n", TABLE.replace("0.002", "much"), "\x00"])
def test_a_broken_table_is_one_line(folder, text):
    (folder / "results.csv").write_text(text, encoding="utf-8")
    try:
        assert spreads(folder / "results.csv", MEASURE) == {} and text == "\x00"
    except ResultError as error:
        assert "restore it from git" in str(error) and "\n" not in str(error)


def test_a_report_marks_what_it_borrows(folder, write_output, tmp_path):
    output = write_output(seeds=1)
    for text in rendered(output, tmp_path / "report", folder).both():
        assert STAR.search(text)


def test_scores_of_uses_borrow_too():
    metric = {"name": "mse", "unit": "", "higher_is_better": False, "main": True}
    values = {"ae-16": [0.01], "vae-16": [0.02]}
    raw = {
        "models": list(values),
        "seeds": [0],
        "uses": {"reconstruct": {"metrics": [metric], "values": {"mse": values}, "seconds": 1.0}},
    }
    uses = uses_of(raw)
    assert not uses.mains[0].stands_out(uses.mains[0].best_model)
    known = {("reconstruct", "mse", name): (1e-4, 3) for name in values}
    borrowed = uses_with_spreads(uses, known)
    assert borrowed.borrows and borrowed.mains[0].stands_out(borrowed.mains[0].best_model)


def test_the_committed_pictures_are_those_that_the_results_list():
    for file in sorted(reference.FOLDER.parent.glob("*/result.json")):
        listed = json.loads(file.read_text("utf-8"))["figures"]
        drawn = sorted(path.name for path in file.parent.glob("*.png"))
        assert drawn == sorted(listed), file
