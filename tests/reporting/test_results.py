import json
import re
import subprocess
import sys

import pytest
from invented import U, result_of
from pages import rendered

from Code.experiments.table import EXPERIMENTS
from Code.reporting.results import ResultError, load_results
from Code.reporting.tables import optimizer_of


def test_results_are_read_by_name_and_stage(write_output):
    results = load_results(write_output())
    assert len(results) == 12
    dae = results["dae-published"]
    assert dae.stages == ["unsupervised", "supervised"]
    assert dae.measure("mse").stage == "unsupervised"
    assert dae.measure("mse", "test", "supervised").mean == pytest.approx(0.091)
    assert dae.measure("mse", "test", "fit") is None
    assert dae.measure("loss").n == 3
    assert dae.seconds_per_epoch().mean == pytest.approx(0.6)
    assert dae.seconds_total().mean == pytest.approx(60)


def test_spread_is_unknown_with_one_seed_but_none_for_a_baseline(write_output):
    results = load_results(write_output(seeds=1))
    assert results["ae"].measure("mse").estimate is None
    assert results["pca-2"].measure("mse").estimate.std == 0


def test_no_output_is_no_results(tmp_path):
    assert load_results(tmp_path / "nowhere") == {}


def without(key):
    def change(raw):
        del raw[key]

    return change


def setting(value, *path):
    def change(raw):
        for key in path[:-1]:
            raw = raw[key]
        raw[path[-1]] = value

    return change


MALFORMED = [
    without("metrics"),
    without("data"),
    without("quick"),
    setting("three", "seeds"),
    setting([True], "seeds"),
    setting("other", "experiment"),
    setting("guess", "kind"),
    setting("many", "parameters"),
    setting("0.07", "metrics", 0, "mean"),
    setting(9.0, "metrics", 0, "mean"),
    setting("epochs", "metrics", 0, "published_departures"),
    setting(["mood"], "metrics", 0, "published_departures"),
    setting("a", "metrics", 0, "published_error"),
    setting(-0.1, "metrics", 0, "published_error"),
    setting([], "metrics", 0, "values"),
    setting([1.0] * 7, "metrics", 0, "values"),
    setting(None, "metrics", 0, "std"),
    setting(float("nan"), "metrics", 0, "mean"),
    setting(["../../secret.png"], "figures"),
    setting([{"reason": "killed"}], "failures"),
    setting({"unsupervised": 3.0}, "seconds"),
    setting({"unsupervised": 2.5}, "epochs"),
    setting(None, "data", "sha256"),
    lambda raw: raw["metrics"].append(raw["metrics"][0]),
]


@pytest.mark.parametrize("change", MALFORMED)
def test_a_malformed_file_is_one_line_with_a_remedy(tmp_path, change):
    raw = result_of("ae")
    change(raw)
    check_refused(tmp_path, json.dumps(raw).encode())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        json.dumps(result_of("ae")).encode()[:-40],
        b'{"experiment": "\xff"}',
        b"[" * 200_000,
    ],
    ids=["empty", "list", "null", "truncated", "not UTF-8", "deep"],
)
def test_a_file_that_is_no_result_is_one_line_with_a_remedy(tmp_path, content):
    check_refused(tmp_path, content)


def check_refused(tmp_path, content):
    path = tmp_path / "ae" / "result.json"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ResultError) as caught:
        load_results(tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(path))
    assert message.endswith("; delete it and run `python run_all.py` again")


def test_reporting_imports_neither_tensorflow_nor_keras():
    code = (
        "import sys; import Code.reporting.render; "
        "print([m for m in ('tensorflow', 'keras', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_accuracy_in_a_map_is_found_by_either_name(write_output):
    """The map of a wide code is a projection and named so; older results call both alike."""
    metrics = {("unsupervised", "knn_accuracy_pca2", "test"): 0.61}
    changes = {"cae-denoising": {"metrics": metrics, "kept": ()}}
    results = load_results(write_output(changes))
    found = results["cae-denoising"].measure("knn_accuracy")
    assert (found.metric, found.mean) == ("knn_accuracy_pca2", pytest.approx(0.61))
    assert results["cae-denoising"].pictured_stages == ["unsupervised"]
    assert results["cae-published"].measure("knn_accuracy").metric == "knn_accuracy"
    assert results["cae-published"].measure("knn_accuracy_pca2") is None


def test_a_projected_map_is_told_in_both_reports(write_output, tmp_path):
    metrics = {("unsupervised", "knn_accuracy_pca2", "test"): 0.6123}
    output = write_output({"cae-denoising": {"metrics": metrics, "kept": ()}})
    for text in rendered(output, tmp_path / "report").both():
        lines = [line for line in text.splitlines() if "0.6123" in line]
        told = ("two principal components of the code", "编码的两个主成分")
        # In a table a mark stands for the words, which a note below it has
        noted = re.search("^‡ .*(?:" + "|".join(told) + ")", text, re.M)
        said = [any(words in line for words in told) or "‡" in line for line in lines]
        assert lines and all(said) and noted


def test_who_learns_from_labels_is_told_or_known_from_the_table(write_output):
    results = load_results(write_output({"dae": {"uses_labels": True}}))
    assert results["dae"].uses_labels and not results["ae"].uses_labels
    output = write_output()
    (output / "ae").rename(output / "cvae-2")
    path = output / "cvae-2" / "result.json"
    raw = {**json.loads(path.read_text("utf-8")), "experiment": "cvae-2"}
    raw.pop("uses_labels", None)
    path.write_text(json.dumps(raw), encoding="utf-8")
    assert load_results(output)["cvae-2"].uses_labels


def test_a_result_from_before_the_trials_is_not_called_tuned(write_output):
    """Today's row has a rate that trials chose; that of an older result was chosen by nobody."""
    output = write_output(seeds=1)
    raw = json.loads((output / "dae-published" / "result.json").read_text(encoding="utf-8"))
    figure = EXPERIMENTS["contractive"].published[0]
    row = {
        "stage": figure.stage,
        "metric": figure.metric,
        "split": "test",
        "values": [0.98],
        "mean": 0.98,
        "std": None,
        "published": figure.value,
        "published_source": figure.source,
    }
    raw.update(experiment="contractive", metrics=[row])
    (output / "contractive").mkdir()
    (output / "contractive" / "result.json").write_text(json.dumps(raw), encoding="utf-8")
    (measure,) = load_results(output)["contractive"].measures
    assert "selection" in measure.published_departures
    assert "selection" not in figure.departures


@pytest.mark.parametrize(
    "stage, told",
    [
        ({"optimizer": {"class_name": "adam", "config": {"learning_rate": 0.001}}}, "Adam, 0.001"),
        (
            {
                "optimizer": {
                    "class_name": "adam",
                    "config": {"learning_rate": {"config": {"initial_learning_rate": 0.004}}},
                }
            },
            "Adam, 0.004 → 0",
        ),
        ({"optimizer": {"class_name": "sgd", "config": {}}}, "SGD"),
        ({"optimizer": "adam"}, None),
        ({}, None),
    ],
)
def test_the_optimiser_of_a_stage(stage, told):
    assert optimizer_of(stage) == told


def test_a_picture_of_draws_says_where_the_prior_is_not_met(write_output):
    """The picture is of the first seed."""
    for met, told in ((0.0, True), (1.0, False)):
        changes = {"metrics": {(U, "prior_met", "test"): met}, "figures": ["draws.png"]}
        output = write_output({"ae": changes})
        result = load_results(output)["ae"]
        assert result.pictures_unmet_prior is told
    assert not load_results(write_output())["ae"].pictures_unmet_prior
