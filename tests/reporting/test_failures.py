"""Failed trainings are named with their seeds and left out of what is concluded."""

from dataclasses import replace

import pytest
from invented import S, U
from pages import rendered

from Code.reporting.failures import failed_of, failures, without_failed
from Code.reporting.results import load_results

MEAN_IMAGE = 0.0674  # of the fixture


def with_values(write_output, name, values, metric="mse", **more):
    """Results in which one experiment has these test values, seed by seed."""
    results = load_results(write_output(further=True, **more))
    result = results[name]
    measures = tuple(
        m.__class__(**{**vars(m), "values": tuple(values), "mean": sum(values) / len(values)})
        if (m.metric, m.split, m.stage) == (metric, "test", U)
        else m
        for m in result.measures
    )
    return {**results, name: result.__class__(**{**vars(result), "measures": measures})}


def test_no_better_than_the_mean_image_is_failed(write_output):
    results = with_values(write_output, "ae-16", (0.02, MEAN_IMAGE, 0.081))
    failed = failed_of(results, results["ae-16"])
    assert failed.seeds == (1, 2)
    assert failed.limit == pytest.approx(MEAN_IMAGE)
    assert not failed.all_of_them and not failed.as_published
    kept = without_failed(results)["ae-16"]
    assert kept.seeds == (0,)
    assert kept.measure("mse").values == (0.02,)
    assert kept.measure("mse").std is None
    assert len(kept.measure("knn_accuracy").values) == 1
    assert all(len(values) == 1 for values in kept.seconds.values())


def test_a_dead_network_just_below_the_mean_image_is_failed_and_a_poor_one_is_not(write_output):
    results = with_values(write_output, "ae-16", (0.0672, 0.0651, 0.0650))
    assert failed_of(results, results["ae-16"]).seeds == (0,)


def test_where_every_seed_failed_nothing_is_left(write_output):
    results = with_values(write_output, "ae-16", (0.07, 0.08, 0.09))
    assert failures(results)["ae-16"].all_of_them
    assert without_failed(results)["ae-16"].measures == ()


def test_what_labels_do_to_a_reconstruction_is_no_failure(write_output):
    results = load_results(write_output())
    assert results["dae-classifier"].measure("mse", stage=S).mean > MEAN_IMAGE
    assert all(failed.as_published for failed in failures(results).values())
    assert "dae-classifier" not in failures(results)


def test_the_published_experiment_is_named_and_judged_all_the_same(write_output):
    results = load_results(write_output({"dae-published": {"metrics": {(U, "mse", "test"): 0.08}}}))
    failed = failures(results)["dae-published"]
    assert failed.as_published and failed.all_of_them
    assert without_failed(results)["dae-published"] == results["dae-published"]


def test_a_trial_with_the_published_noisy_target_is_judged_and_one_without_is_not(write_output):
    high = {(U, "mse", "test"): 0.08}
    settings = {"noise_once": 0.5, "stages": [{"name": U, "epochs": 100}]}
    for name, more, stays in (
        ("dae-published-100", {"settings": settings}, True),
        ("dae-published-clean", {}, False),
    ):
        results = load_results(write_output({name: {"metrics": high, **more}}, further=True))
        assert failures(results)[name].as_published is stays
        assert (without_failed(results)[name] == results[name]) is stays


def test_a_baseline_that_is_trained_can_fail_and_has_a_spread(write_output):
    change = {"overcomplete-free": {"metrics": {(U, "mse", "test"): 0.08}, "kind": "baseline"}}
    results = load_results(write_output(change, further=True))
    assert failures(results)["overcomplete-free"].all_of_them
    assert results["overcomplete-free"].measure("mse").estimate.std > 0


def test_without_the_mean_image_s_error_nothing_can_be_told(write_output):
    results = load_results(
        write_output({"pca-2": None, "dae": {"metrics": {(U, "mse", "test"): 1}}})
    )
    assert failures(results) == {}


def test_the_mean_image_is_that_of_the_same_images(write_output):
    """The Bake Off's have a border, so that their mean image is nearer to them."""
    results = with_values(write_output, "ae-16", (0.06, 0.06, 0.06))
    bordered = replace(results["ae-16"], group="bakeoff")
    assert failed_of({**results, "ae-16": bordered}, bordered) is None
    (limit,) = (
        m for m in results["pca-2"].measures if m.metric == "mean_image_mse" and m.split == "test"
    )
    own = replace(limit, mean=784 / 1024 * limit.mean)
    bordered = replace(bordered, measures=(*bordered.measures, own))
    assert failed_of({**results, "ae-16": bordered}, bordered).seeds == (0, 1, 2)


def of_hidden_pixels(results, name, ours, of_mean_image):
    """Results in which one experiment learns to guess hidden pixels, with these errors of them."""
    result = results[name]
    like = result.measure("mse", "test", U)
    own = tuple(
        replace(like, metric=metric, values=values, mean=sum(values) / len(values))
        for metric, values in (
            ("mse_hidden", ours),
            ("mse_hidden_mean_image", (of_mean_image,) * len(ours)),
        )
    )
    return {**results, name: replace(result, measures=(*result.measures, *own))}


def test_a_model_that_guesses_hidden_pixels_is_judged_by_these(write_output):
    """Whole images, which it never sees, it may give back worse than the mean image."""
    results = with_values(write_output, "ae-16", (0.07, 0.08, 0.02))
    results = of_hidden_pixels(results, "ae-16", (0.052, 0.053, 0.068), 0.0675)
    failed = failed_of(results, results["ae-16"])
    assert failed.seeds == (2,) and failed.hidden
    assert failed.limit == pytest.approx(0.0675)
    assert failed.mse.values == (0.052, 0.053, 0.068)


def test_a_quick_run_is_not_judged(write_output):
    poor = {"quick": True, "metrics": {(U, "mse", "test"): 0.09}}
    quick = {"pca-2": {"quick": True}, "ae": poor}
    assert "ae" not in failures(load_results(write_output(quick)))


def test_a_constant_code_is_failed(write_output):
    changed = {"ae": {"metrics": {(U, "code_variation", "test"): 0.0}}}
    assert failures(load_results(write_output(changed)))["ae"].reason == "constant_code"


def test_both_reports_name_the_seeds_and_their_values(write_output, tmp_path):
    output = write_output({"ae": {"metrics": {(U, "mse", "test"): 0.08}}}, further=True)
    for text in rendered(output, tmp_path / "report").both("methods"):
        (row,) = (
            [line for line in text.splitlines() if line.startswith("| `ae` | 0, 1, 2 ")]
            or [line for line in text.splitlines() if line.startswith("| `ae` | 0、1、2 ")]
            or [line for line in text.splitlines() if line.startswith("| `ae` | 0、1、2 ")]
        )
        assert row.count("0.08") + row.count("0.07") == 3 and "0.0674" in row


def test_the_page_of_runs_says_which_seeds_are_missing(write_output, tmp_path):
    output = write_output({"ae": {"metrics": {(U, "mse", "test"): 0.08}}}, further=True)
    english, chinese = rendered(output, tmp_path / "report").both("runs")
    assert "`ae` (0, 1, 2)" in english and "`ae`（0、1、2）" in chinese
