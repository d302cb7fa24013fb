"""The search for learning rates: the same budget for all, judged on held-out training images."""

import csv
import math
from dataclasses import replace

import pytest

from Code.experiments import tuning
from Code.experiments.table import UNTUNED, of_group
from Code.runs import tune
from Code.runs.tune import Trial, best

AE, AAE, RBM = UNTUNED["ae-2"], UNTUNED["aae-2"], UNTUNED["rbm-2"]


def of(value, prior=None, failed=False):
    return Trial("row", 1e-3, "loss", value, prior, failed, 1.0)


def playing(value, prior):
    """Of a row with an adversary."""
    return replace(of(value, prior), objective="mse")


def test_every_common_row_gets_the_same_budget():
    for row in of_group("common"):
        if not row.model:
            assert not tuning.is_tuned(row)
            continue
        assert tuning.is_tuned(row) and tuning.rates(UNTUNED[row.name]) == tuning.RATES
        for rate in tuning.RATES:
            one = tuning.trial(UNTUNED[row.name], rate, 50_000)
            assert one.stages[-1].epochs == tuning.EPOCHS
            assert tuning.rate_of(one.stages[-1]) == rate
            schedule = one.stages[-1].optimizer["config"]["learning_rate"]["config"]
            assert schedule["decay_steps"] == tuning.EPOCHS * 50_000 // one.stages[-1].batch_size
            assert one.stages[:-1] == UNTUNED[row.name].stages[:-1]
            assert one.settings.keys() >= row.settings.keys() and not one.published


def test_a_paper_s_row_gets_three_tries_and_keeps_its_epochs():
    rows = [row for row in UNTUNED.values() if row.group == "papers" and tuning.is_tuned(row)]
    assert len(rows) > 5
    for row in rows:
        repeated = [s.name for s in row.stages if s.name.endswith("from-scratch")]
        stages = [s for s in row.stages if s.name not in repeated]
        own = tuning.rate_of(stages[-1])
        assert tuning.rates(row) == (own / 2, own, own * 2)
        one = tuning.trial(row, own / 2, 50_000)
        assert [(s.name, s.epochs) for s in one.stages] == [(s.name, s.epochs) for s in stages]
        figures = {p.stage for p in row.published}
        assert figures <= {one.stages[-1].name}


def test_a_stage_that_is_repeated_from_scratch_gets_the_rate_of_the_one_it_repeats():
    row = UNTUNED["sdae-3-10k"]
    *before, tuned, scratch = tuning.with_rate(row, 0.004).stages
    assert (tuned.name, scratch.name) == ("supervised", "supervised-from-scratch")
    assert tuning.rate_of(tuned) == tuning.rate_of(scratch) == 0.004
    assert tuple(before) == row.stages[:-2]


def test_further_rates_move_in_proportion_and_strengths_do_not():
    fast = tuning.with_rate(AAE, 2 * tuning.rate_of(AAE.stages[-1]))
    assert fast.settings["adversarial_rate"] == 2 * AAE.settings["adversarial_rate"]
    same = {k: v for k, v in fast.settings.items() if k != "adversarial_rate"}
    assert same == {k: v for k, v in AAE.settings.items() if k != "adversarial_rate"}
    factor = UNTUNED["factor-vae-2"]
    slow = tuning.with_rate(factor, tuning.rate_of(factor.stages[-1]) / 2)
    assert slow.settings["discriminator_rate"] == 0.5e-4
    assert tuning.with_rate(AE, 1e-3).settings == AE.settings


def test_a_rate_within_a_schedule_is_replaced_and_nothing_else():
    row = tuning.trial(AE, 1e-3, 50_000)
    again = tuning.with_rate(row, 4e-3)
    assert tuning.rate_of(again.stages[-1]) == 4e-3
    steps = [
        r.stages[-1].optimizer["config"]["learning_rate"]["config"]["decay_steps"]
        for r in (row, again)
    ]
    assert steps[0] == steps[1]


@pytest.mark.parametrize(
    ("trials", "at"),
    [
        ([of(3.0), of(1.0), of(2.0)], 1),
        ([of(math.inf, failed=True), of(2.0), of(1.0, failed=True)], 1),
        ([of(1.0, failed=True)], None),
        # Of those that meet the prior the best reconstruction
        ([playing(1, 0.7), playing(3, 0.6), playing(2, 0.5)], 2),
        # None meets it: the nearest
        ([playing(1, 0.9), playing(3, 0.7)], 1),
        # A prior that is measured beside a loss of one's own decides nothing
        ([of(1.0, prior=0.9), of(2.0, prior=0.5)], 0),
    ],
)
def test_the_rule(trials, at):
    assert best(trials) is (None if at is None else trials[at])


def test_the_held_out_images_are_the_last_training_ones(mnist):
    data = mnist.without_test(100)
    assert (data.x_test == mnist.x_train[-100:]).all() and (
        data.y_test == mnist.y_train[-100:]
    ).all()
    assert (data.x_train == mnist.x_train[:-100]).all()
    for n in (0, len(mnist.x_train)):
        with pytest.raises(ValueError, match="cannot be held out"):
            mnist.without_test(n)


@pytest.fixture
def few(monkeypatch, mnist):
    """Trials of two rates and 120 steps on 400 images."""
    from Code.runs import unit

    data = mnist.subset(500, 100)
    monkeypatch.setattr(tuning, "RATES", (5e-3, 1e30))
    monkeypatch.setattr(tuning, "EPOCHS", 60)
    unit.dataset.cache_clear()
    monkeypatch.setattr(unit, "load_dataset", lambda _: data)
    yield
    unit.dataset.cache_clear()


def test_a_search_is_kept_and_its_table_read_by_the_rows(few, tmp_path, monkeypatch, capsys):
    table = tmp_path / "tuning.csv"
    monkeypatch.setattr(tune.schedule, "backend", in_this_process)
    rows = [replace(AE, settings={**AE.settings, "hidden": (16,)}), UNTUNED["pca-16"]]
    assert tune.tune(rows, tmp_path / "trials", table, jobs=1, held_out=100) == []
    with table.open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [(r["experiment"], float(r["rate"])) for r in found] == [("ae-2", 5e-3), ("ae-2", 1e30)]
    assert [r["chosen"] for r in found] == ["yes", ""]
    assert [r["failed"] for r in found] == ["False", "True"]
    assert float(found[0]["value"]) < float(found[1]["value"]) == math.inf
    assert tuning.chosen(table) == {"ae-2": 5e-3}
    before = table.read_bytes()
    assert tune.tune(rows, tmp_path / "trials", table, jobs=1, held_out=100) == []
    assert "1 of 1 experiments stand in" in capsys.readouterr().err
    assert table.read_bytes() == before


def test_a_trial_is_not_failed_by_what_labels_do_to_its_reconstructions():
    row = UNTUNED["contractive"]
    stages = [stage.name for stage in row.stages]
    assert stages[-1].startswith("supervised")

    def failed(own, after_labels):
        errors = {**dict.fromkeys(stages, own), stages[-1]: after_labels}
        record = {
            "metrics": [
                {"stage": stage, "split": "test", "metric": name, "value": value}
                for stage, error in errors.items()
                for name, value in (("mse", error), ("loss", 0.06))
            ],
            "seconds_in_all": 1.0,
        }
        return tune.outcome(row, record, limit=0.067).failed

    assert not failed(0.02, after_labels=0.2)
    assert failed(0.07, after_labels=0.07)


def test_a_trial_that_guesses_hidden_pixels_is_judged_by_these():
    row = UNTUNED["masked-2"]
    (stage,) = row.stages

    def failed(hidden):
        errors = {"mse": 0.07, "loss": 0.2, "mse_hidden": hidden, "mse_hidden_mean_image": 0.067}
        metrics = [
            {"stage": stage.name, "split": "test", "metric": name, "value": value}
            for name, value in errors.items()
        ]
        return tune.outcome(row, {"metrics": metrics, "seconds_in_all": 1.0}, limit=0.066).failed

    assert not failed(0.053)
    assert failed(0.067)


def test_the_table_has_the_order_of_the_experiments(tmp_path):
    table, names = tmp_path / "tuning.csv", ("ae-16", "aae-2", "ae-2", "dae-2", "aae-2")
    for name in names:
        tune.write(table, name, [replace(of(v), experiment=name) for v in (2.0, 1.0)])
    rows = tune.read(table)
    assert [r["experiment"] for r in rows[::2]] == ["ae-2", "dae-2", "aae-2", "ae-16"]
    assert [r["value"] for r in rows if r["chosen"]] == ["1.0"] * 4


def in_this_process(*_):
    from joblib import parallel_config

    return parallel_config(backend="sequential")


def test_a_chosen_rate_is_the_row_s(monkeypatch):
    paper = next(r for r in UNTUNED.values() if r.group == "papers" and tuning.is_tuned(r))
    monkeypatch.setattr(tuning, "_committed", lambda: {"ae-2": 4e-3, paper.name: 5e-4, "ae": 1.0})
    assert tuning.rate_of(tuning.tuned(AE).stages[-1]) == 4e-3
    assert tuning.tuned(AAE) is AAE
    # What is not chosen by trials stays, even if a table names it
    assert tuning.tuned(UNTUNED["ae"]) is UNTUNED["ae"]
    tuned = tuning.tuned(paper)
    assert tuning.rate_of(tuned.stages[-1]) == 5e-4
    assert not any("selection" in p.departures for p in tuned.published)
