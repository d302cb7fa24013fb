import pytest

from Code.experiments.curves import published_curves
from Code.reporting.published_curves import (
    distance,
    distances,
    first_epochs,
    has_curve,
    training_curves,
)
from Code.reporting.published_figures import tanh_plot, tanh_runs
from Code.reporting.results import ResultError, load_results

KEY = "vae-bce", "unsupervised", "loss"
CURVE = published_curves()[KEY]


def written(output, name, stage, metric, by_seed):
    rows = [
        f"{seed},{stage},{epoch},{metric},{split},{value}"
        for seed, values in by_seed.items()
        for split, shift in (("train", 0), ("test", 100))
        for epoch, value in enumerate((v + shift for v in values), 1)
    ]
    text = "\n".join(["seed,stage,epoch,metric,split,value", *rows])
    (output / name / "history.csv").write_text(text + "\n", encoding="utf-8")


def test_the_distance_is_that_of_the_mean_of_the_seeds():
    seeds = {0: [v + 2 for v in CURVE.values], 1: [v - 1 for v in CURVE.values]}
    seeds[0][9] += 4
    found = distance(CURVE, seeds)
    assert found.n_seeds == 2
    assert (found.largest, found.at) == (pytest.approx(2.5), 10)
    assert found.mean == pytest.approx(0.5 + 2 / len(CURVE.values))
    # Two seeds 3 apart tell little: one more run may lie far away
    assert found.inside == len(CURVE.values)


def test_seeds_that_agree_with_each_other_but_not_with_the_curve_are_outside():
    seeds = {seed: [v + 2 + 0.01 * seed for v in CURVE.values] for seed in range(3)}
    assert distance(CURVE, seeds).inside == 0
    assert distance(CURVE, {0: CURVE.values}).inside is None


def test_only_whole_runs_on_mnist_are_compared(write_output):
    output = write_output()
    assert distances(load_results(output)) == []
    written(output, *KEY, {0: CURVE.values, 1: CURVE.values})
    (found,) = distances(load_results(output))
    assert found.curve == CURVE and found.largest == 0
    written(output, *KEY, {0: CURVE.values[:2], 1: CURVE.values[:2]})
    assert distances(load_results(output)) == []


def test_which_results_have_a_published_curve(write_output):
    results = load_results(write_output())
    assert has_curve(results["dae-published"], "accuracy")
    assert not has_curve(results["ae-tanh"], "loss")


def test_a_history_that_is_not_one_is_named(tmp_path):
    path = tmp_path / "history.csv"
    assert training_curves(path, "unsupervised", "loss") == {}
    for text in ("a,b\n1,2\n", "seed,stage,epoch,metric,split,value\n0,u,x,loss,train,1\n"):
        path.write_text(text)
        with pytest.raises(ResultError, match=r"history\.csv"):
            training_curves(path, "u", "loss")


def test_the_plot_captioned_tanh_is_told_by_where_it_starts(write_output):
    output = write_output()
    assert tanh_plot(load_results(output)) is None
    start = published_curves()["ae-relu", "unsupervised", "loss"].values[0]
    relu, tanh = {0: [start + 0.001], 1: [start - 0.001]}, {0: [start - 0.01]}
    for one, other, of_relu in ((relu, tanh, True), (tanh, relu, False)):
        written(output, "ae-relu", "unsupervised", "loss", one)
        written(output, "ae-tanh", "unsupervised", "loss", other)
        results = load_results(output)
        assert tanh_plot(results).of_relu is of_relu
    assert first_epochs(results, "ae-tanh") == tuple(v[0] for v in relu.values())
    assert first_epochs(results, "nothing") == ()


def test_a_run_that_says_the_mean_image_is_told(write_output):
    last = {("unsupervised", "loss_last_epoch", "train"): 0.0673}
    runs = tanh_runs(load_results(write_output({"ae-tanh": {"metrics": last}})))
    assert {run.result.experiment: run.says_mean_image for run in runs} == {
        "ae-tanh": True,
        "ae-relu": False,
    }
    assert [run.correlation for run in runs] == sorted((r.correlation for r in runs), reverse=True)
