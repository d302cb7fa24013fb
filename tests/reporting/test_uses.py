"""The table of variants × uses, from invented figures."""

import json
import re

import pytest

from Code.reporting.published_uses import comparisons
from Code.reporting.render import render_reports
from Code.reporting.results import ResultError
from Code.reporting.uses import FILE, load_uses, uses_of


def metric(name, higher=True, main=False):
    return {"name": name, "unit": "", "higher_is_better": higher, "main": main}


RAW = {
    "models": ["ae-16", "vae-16", "ae-2"],
    "seeds": [0, 1, 2],
    "uses": {
        "reconstruct": {
            "metrics": [metric("mse", higher=False, main=True), metric("psnr")],
            "values": {
                "mse": {
                    "ae-16": [0.010, 0.011, 0.012],
                    "vae-16": [0.020, 0.021, 0.022],
                    "ae-2": [0.040, 0.041, 0.042],
                    "pca-16": [0.027, 0.027, 0.027],
                }
            },
            "seconds": 1.5,
        },
        "cluster": {
            "metrics": [metric("accuracy_kmeans", main=True)],
            "values": {
                "accuracy_kmeans": {
                    "ae-16": [0.50, 0.70, 0.60],
                    "vae-16": [0.61, 0.62, 0.60],
                    "pixels": [0.71, 0.72, 0.70],
                }
            },
            "seconds": 1.0,
        },
    },
}


def test_the_best_is_the_best_in_its_direction():
    mse, accuracy = uses_of(RAW).mains
    assert mse.best_model.name == "ae-16"
    assert mse.best_rival.name == "pca-16"
    assert accuracy.best_rival.name == "pixels"
    assert accuracy.ranked()[0].name == "pixels"


def test_what_bounds_the_models_is_no_rival_of_theirs():
    raw = json.loads(json.dumps(RAW))
    raw["uses"]["cluster"]["bounds"] = ["pixels"]
    _, accuracy = uses_of(raw).mains
    assert accuracy.best_rival is None
    assert accuracy.ranked()[0].name == "pixels"


def test_bold_only_where_the_lead_exceeds_the_spread():
    uses = uses_of(RAW)
    mse, accuracy = uses.mains
    names = uses.of_width(16)
    assert names == ["ae-16", "vae-16"]
    assert mse.stands_out(mse.score("ae-16"), names)
    assert not mse.stands_out(mse.score("vae-16"), names)
    assert not any(accuracy.stands_out(s, names) for s in accuracy.scores)


def test_one_seed_never_stands_out():
    raw = json.loads(json.dumps(RAW))
    values = raw["uses"]["reconstruct"]["values"]["mse"]
    raw["uses"]["reconstruct"]["values"]["mse"] = {k: v[:1] for k, v in values.items()}
    mse = uses_of(raw).mains[0]
    assert not mse.stands_out(mse.best_model)
    assert mse.clear(mse.scores[0], mse.scores[1]) is None


def test_ranks_are_means_over_the_uses():
    assert uses_of(RAW).by_rank(16) == [("ae-16", 1.5), ("vae-16", 1.5)]


def test_a_model_without_a_use_is_not_ranked_in_it():
    raw = json.loads(json.dumps(RAW))
    del raw["uses"]["cluster"]["values"]["accuracy_kmeans"]["vae-16"]
    assert dict(uses_of(raw).by_rank(16)) == {"ae-16": 1.0, "vae-16": 2.0}


def test_both_reports_hold_the_table_and_the_answers(write_output, tmp_path):
    output = write_output()
    (output / FILE).write_text(json.dumps(RAW), encoding="utf-8")
    for path in render_reports(output, tmp_path / "report"):
        text = path.read_text(encoding="utf-8")
        assert "**0.011 ± 0.001**" in text
        answers = [line for line in text.splitlines() if re.match(r"- \*\*.*\*\* `ae-16`", line)]
        assert len(answers) == 1 and "0.011 ± 0.001" in answers[0]
        worse = [line for line in text.splitlines() if "`pixels`" in line and "**" in line]
        assert worse and "`pixels` 0.710 ± 0.010" in text


def test_without_the_file_there_is_no_table(write_output, tmp_path):
    for path in render_reports(write_output(), tmp_path / "report"):
        assert "accuracy_kmeans" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["{", "[]", '{"models": [], "seeds": [], "uses": {"a": {}}}'])
def test_a_broken_file_is_one_line(tmp_path, text):
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(ResultError, match=r"uses\.json.*delete it"):
        load_uses(tmp_path)


def test_one_model_and_no_rival_make_an_answer_without_a_comparison(write_output, tmp_path):
    raw = json.loads(json.dumps(RAW))
    raw["models"] = ["ae-16"]
    del raw["uses"]["cluster"]
    values = raw["uses"]["reconstruct"]["values"]
    values["mse"] = {"ae-16": values["mse"]["ae-16"]}
    output = write_output()
    (output / FILE).write_text(json.dumps(raw), encoding="utf-8")
    for path in render_reports(output, tmp_path / "report"):
        answer = re.search(r"- \*\*.*\*\* `ae-16`.*", path.read_text(encoding="utf-8"))
        assert answer and answer.group().count("`") == 2


def test_published_figures_stand_beside_ours(write_output, tmp_path):
    raw = json.loads(json.dumps(RAW))
    raw["uses"]["cluster"]["values"]["accuracy_kmeans"]["pixels"] = [0.53, 0.54, 0.53]
    rows = {row.published.method: row for row in comparisons(uses_of(raw))}
    assert not rows["k-means on pixels"].better
    assert rows["k-means on pixels"].ours.name == "pixels"
    assert rows["deep embedded clustering"].ours.name == "vae-16"
    assert "PCA, 2 components" not in rows
    output = write_output()
    (output / FILE).write_text(json.dumps(raw), encoding="utf-8")
    for path in render_reports(output, tmp_path / "report"):
        text = path.read_text(encoding="utf-8")
        assert re.search(r"\| 0\.535 \| k-means on pixels; .*\| `pixels` \| 0\.533 ± 0\.006", text)


def test_the_better_of_two_errors_is_the_smaller():
    raw = json.loads(json.dumps(RAW))
    values = raw["uses"]["reconstruct"]["values"]["mse"]
    values["pca-2"] = [0.05, 0.05, 0.05]
    (row, *_) = comparisons(uses_of(raw))
    assert row.better and row.published.exact


@pytest.mark.parametrize(
    ("values", "agrees"),
    [([0.05574] * 3, True), ([0.0558] * 3, False), ([0.0550, 0.0558, 0.0566], True)],
    ids=["to the digits printed", "beyond them", "within the spread"],
)
def test_figures_agree_to_what_was_printed_or_to_the_spread(values, agrees):
    raw = json.loads(json.dumps(RAW))
    raw["uses"]["reconstruct"]["values"]["mse"]["pca-2"] = values
    (row, *_) = comparisons(uses_of(raw))
    assert row.published.value == 0.0557
    assert row.agrees is agrees
