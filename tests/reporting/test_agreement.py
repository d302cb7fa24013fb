"""How nearly a run repeats the reference: counted, named, and right as often as it says."""

import json
import math
import shutil

import numpy as np
import pytest

from Code.reporting import reference, second_data
from Code.reporting.agreement import agreement
from Code.reporting.reference import MEASURE, Figure
from Code.reporting.render import render_reports
from Code.reporting.results import ResultError, load_results
from Code.runs.reports import compared
from tests.support import run_here

KEY = ("ae", "unsupervised", "mse", "test")


def own(write_output, values):
    """The result of a run whose test MSE has these values."""
    results = load_results(write_output(seeds=len(values)))
    ae = results["ae"]
    (at,) = (i for i, m in enumerate(ae.measures) if (m.stage, m.metric, m.split) == KEY[1:])
    from dataclasses import replace

    std = float(np.std(values, ddof=1)) if len(values) > 1 else None
    measure = replace(
        ae.measures[at], values=tuple(values), mean=float(np.mean(values)), std=std, reference=None
    )
    return {"ae": replace(ae, measures=(measure,))}


@pytest.mark.parametrize(
    ("values", "figure", "agrees"),
    [
        ([0.046], Figure(0.045, 0.002, 3), True),
        ([0.046], Figure(0.035, 0.002, 3), False),
        ([0.046, 0.047, 0.048], Figure(0.047, 0.001, 3), True),
        ([0.046, 0.047, 0.048], Figure(0.060, 0.001, 3), False),
        # The spread may come from either side
        ([0.046, 0.047, 0.048], Figure(0.047, None, 1), True),
        ([0.046, 0.047, 0.048], Figure(0.060, None, 1), False),
        # Nothing is known of one value beside another
        ([0.046], Figure(0.046, None, 1), None),
    ],
)
def test_a_figure_agrees_within_both_spreads(write_output, values, figure, agrees):
    found = agreement(own(write_output, values), {KEY: figure})
    assert len(found.figures) == 1
    assert [f.agrees for f in found.known] == ([] if agrees is None else [agrees])
    assert len(found.outside) == (agrees is False)


def test_what_has_no_chance_may_be_rounded_otherwise(write_output):
    one = own(write_output, [0.05])
    assert agreement(one, {KEY: Figure(0.05002, 0.0, 3)}).known[0].agrees
    assert not agreement(one, {KEY: Figure(0.0502, 0.0, 3)}).known[0].agrees


def test_quick_runs_and_other_data_are_not_compared(write_output):
    from dataclasses import replace

    one = own(write_output, [0.05])["ae"]
    table = {KEY: Figure(0.05, 0.001, 3)}
    for other in (replace(one, quick=True), replace(one, data={**one.data, "name": "mine"})):
        assert not agreement({"ae": other}, table).figures


@pytest.mark.parametrize("n", [1, 3])
def test_of_equal_models_one_figure_in_twenty_lies_outside(write_output, n):
    """By simulation: Welch's interval holds what it says, within what 2,000 draws tell."""
    rng = np.random.default_rng(n)
    draws, outside = 2000, 0
    for _ in range(draws):
        mine, theirs = rng.normal(1.0, 0.1, n), rng.normal(1.0, 0.1, 3)
        figure = Figure(float(theirs.mean()), float(theirs.std(ddof=1)), 3)
        found = _measure_within(mine, figure)
        outside += abs(mine.mean() - theirs.mean()) > found
    # Three standard errors; of three values beside three Welch's interval is a little wide
    assert (0.035 if n == 1 else 0.02) < outside / draws < 0.065


def _measure_within(values, figure):
    from Code.reporting.agreement import _within

    std = float(values.std(ddof=1)) if len(values) > 1 else None
    return _within(Figure(float(values.mean()), std, len(values)), figure)


def scores(*values):
    """Uses with one metric, measured for one model and one baseline."""
    from Code.reporting.uses import Metric, Score, Uses

    found = (Score("ae", tuple(values), True), Score("pca-2", (2.0,) * len(values), False))
    metric = Metric("reconstruct", "mse", "", False, True, found)
    return Uses(("ae",), tuple(range(len(values))), (metric,), {})


def test_figures_of_uses_count_too(write_output):
    of_uses = {
        ("reconstruct", "mse", "ae"): Figure(1.0, 0.1, 3),
        ("reconstruct", "mse", "pca-2"): Figure(2.0, 0.0, 3),
        ("reconstruct", "mse", "not run"): Figure(2.0, 0.1, 3),
    }
    one = own(write_output, [0.05])
    found = agreement(one, {}, scores(1.1), of_uses)
    assert [(f.experiment, f.stage, f.split, f.agrees) for f in found.figures] == [
        ("ae", "reconstruct", "use", True),
        ("pca-2", "reconstruct", "use", True),
    ]
    assert [f.experiment for f in agreement(one, {}, scores(3.0), of_uses).outside] == ["ae"]
    # Uses of a model that is no result of this run, such as a quick one's, are not compared
    assert not agreement({}, {}, scores(1.1), of_uses).figures


@pytest.fixture
def checkout(tmp_path, root):
    """Committed results of two rows, their table, and what tells them from others."""
    output, folder = tmp_path / "output", tmp_path / "output" / "reference"
    for name in ("ae", "vae-bce"):
        shutil.copytree(root / "output" / name, output / name)
    folder.mkdir()
    shutil.copy(root / "output" / "reference" / "results.csv", folder)
    (folder / reference.COMMITTED).write_text(json.dumps(reference.digests(output)))
    return output, folder


def test_committed_results_are_nobody_s_own(checkout):
    output, folder = checkout
    assert reference.own(output, folder) == set()
    assert not compared(output, folder).figures


def test_a_row_that_was_trained_again_is_its_trainer_s(checkout):
    output, folder = checkout
    path = output / "ae" / "result.json"
    result = json.loads(path.read_text(encoding="utf-8"))
    for metric in result["metrics"]:
        metric["values"] = [1.5 * value for value in metric["values"]]
        metric["mean"] *= 1.5
        metric["std"] = 1.5 * metric["std"]
    path.write_text(json.dumps(result), encoding="utf-8")
    assert reference.own(output, folder) == {"ae"}
    found = compared(output, folder)
    assert {f.experiment for f in found.figures} == {"ae"}
    assert any(f.metric == "mse" for f in found.outside)
    assert found.line.startswith(f"{len(found.known) - len(found.outside)} of {len(found.known)} ")


def test_the_index_is_that_of_the_committed_results(root):
    """Whoever commits results commits what tells them apart."""
    known, found = reference.committed(), reference.digests(root / "output")
    for name in second_data.folders(root / "output"):
        of_data = reference.digests(root / "output" / name)
        found |= {f"{name}/{file}": digest for file, digest in of_data.items()}
    trained_here = {path.parent.name for path in (root / "output").glob("*/runs")}
    if trained_here:
        theirs = {name for name in known if name.split("/")[0] not in trained_here}
        theirs -= set(reference.BESIDE)
        known, found = ({name: of[name] for name in theirs} for of in (known, found))
    assert known == found and len(known) > 50


def test_the_command_says_it_in_lines(root, tmp_path):
    none = run_here("--compare", "--output", tmp_path)
    assert none.returncode == 2 and none.stderr.count("\n") == 1
    shutil.copytree(root / "output" / "ae", tmp_path / "ae")
    path = tmp_path / "ae" / "result.json"
    result = json.loads(path.read_text(encoding="utf-8"))
    result["finished"] = "2026-01-01T00:00:00Z"
    path.write_text(json.dumps(result), encoding="utf-8")
    done = run_here("--compare", "--output", tmp_path)
    assert done.returncode == 0
    # The very numbers of the reference
    n = sum(key[0] == "ae" for key in reference.figures(reference.FOLDER / "results.csv", MEASURE))
    assert done.stderr.startswith(f"{n} of {n} figures agree with the reference;")
    assert math.isfinite(n) and n > 5 and not done.stdout
    told = json.loads(run_here("--compare", "--json", "--output", tmp_path).stdout)
    assert (told["known"], told["agree"], told["outside"]) == (n, n, [])
    assert told["experiments"] == ["ae"] and told["seeds"] == result["seeds"]
    assert told["processors"] == [result["machine"]["cpu"]]


def test_repetitions_are_told_on_the_page_of_runs_of_the_reference_alone(write_output, tmp_path):
    output, folder = write_output(), tmp_path / "reference"
    (folder / "repeated").mkdir(parents=True)
    for name in ("results.csv", "uses.csv"):
        shutil.copy(reference.FOLDER / name, folder)
    outside = {"experiment": "dae", "stage": "unsupervised", "metric": "mse", "split": "test"}
    outside |= {"own": 0.0123, "reference": 0.0456, "within": 0.001}
    one = {"processors": ["AMD EPYC"], "seeds": [7], "experiments": ["ae", "dae"]}
    file = folder / "repeated" / "epyc.json"
    file.write_text(json.dumps({**one, "known": 30, "agree": 29, "outside": [outside]}))
    render_reports(output, tmp_path / "report", folder)
    english, chinese = (
        (tmp_path / "report" / language / "runs.md").read_text("utf-8") for language in ("en", "zh")
    )
    assert "AMD EPYC, seed 7, 2 experiments: 29 of 30 figures agree" in english
    assert "`dae` `mse`, 0.0123 in place of 0.0456." in english
    assert "30 个数值中有 29 个与此处一致" in chinese and "0.0123" in chinese
    # Of a published figure the main report tells it, too
    for name, said in (("report.md", "ended at 0.0681"), ("report.zh.md", "末轮损失为 0.0681")):
        assert said not in (tmp_path / "report" / name).read_text("utf-8")
    published = outside | {"experiment": "ae-relu", "metric": "loss_last_epoch", "own": 0.06814}
    file.write_text(json.dumps({**one, "known": 30, "agree": 29, "outside": [published]}))
    render_reports(output, tmp_path / "report", folder)
    for name, said in (("report.md", "ended at 0.0681"), ("report.zh.md", "末轮损失为 0.0681")):
        assert said in (tmp_path / "report" / name).read_text("utf-8")
    render_reports(output, tmp_path / "own", folder, own={"ae"})
    assert "AMD EPYC, seed 7" not in (tmp_path / "own" / "en" / "runs.md").read_text("utf-8")
    file.write_text("{}")
    with pytest.raises(ResultError, match=r"epyc\.json"):
        render_reports(output, tmp_path / "report", folder)
