"""Which rows begin with the same training, and a run that trains it once."""

import json
from dataclasses import replace

import numpy as np
import pytest

from Code.experiments.table import EXPERIMENTS
from Code.runs.common_stages import saved_seconds, with_common_stages
from Code.runs.plan import steps_of
from Code.runs.store import Store
from Code.runs.unit import Unit
from tests.support import run_here


def units(*names, seeds=(0,), output="output"):
    rows = [EXPERIMENTS[name] for name in names]
    return with_common_stages(
        [Unit(row, seed, "mnist", False, str(output)) for seed in seeds for row in rows]
    )


def shared(found):
    return {(u.name, u.seed): set(u.shared) for u in found if u.shared}


def test_the_common_stages_of_the_whole_table():
    levels = {"layer-1", "layer-2"}
    assert shared(units(*EXPERIMENTS)) == {
        ("cae-published", 0): {"unsupervised"},
        ("cae-classifier", 0): {"unsupervised"},
        **{(f"{name}-{k}", 0): levels for name in ("stacked", "rbm") for k in (2, 16)},
    }


def test_a_seed_or_a_row_alone_has_nothing_in_common():
    assert not shared(units("cae-published"))
    one, other = units("cae-published", "cae-classifier")
    assert not shared(with_common_stages([one, replace(other, seed=1)]))
    assert len(shared(units("cae-published", "cae-classifier", seeds=(0, 1)))) == 4


def test_another_schedule_or_noise_is_another_stage():
    one, other = units("cae-published", "cae-classifier")
    stages = (replace(other.experiment.stages[0], epochs=3), other.experiment.stages[1])
    for change in ({"stages": stages}, {"noise_once": 0.5}):
        changed = replace(other, experiment=replace(other.experiment, **change))
        assert not shared(with_common_stages([one, changed]))


def test_the_second_row_is_expected_to_take_less(tmp_path):
    """What is saved is taken from the same seed as the whole, so that something always is left."""
    for name in ("cae-published", "cae-classifier"):
        folder = tmp_path / name
        folder.mkdir()
        told = {
            "seconds": {"unsupervised": [90.0, 300.0], "supervised": [70.0, 90.0]},
            "seconds_in_all": [170.0, 400.0],
        }
        (folder / "result.json").write_text(json.dumps(told), encoding="utf-8")
    saved = saved_seconds(units("cae-published", "cae-classifier", output=tmp_path))
    assert saved == {("cae-published", 0): 0.0, ("cae-classifier", 0): 90.0}
    assert saved_seconds(units("ae", output=tmp_path)) == {("ae", 0): 0.0}


def test_a_plan_scales_what_is_saved_with_the_run(tmp_path, mnist):
    """A run on a tenth of the images saves a tenth of the seconds, and nothing once all is done."""
    for name in ("cae-published", "cae-classifier"):
        (tmp_path / name).mkdir()
        told = {
            "seconds": {"unsupervised": [100.0]},
            "seconds_in_all": [150.0],
            "data": {"n_train": 4000},
            "epochs": {"unsupervised": 20, "supervised": 20},
        }
        (tmp_path / name / "result.json").write_text(json.dumps(told), encoding="utf-8")
    both = units("cae-published", "cae-classifier", output=tmp_path)
    prints, store = {(u.name, u.seed): "same" for u in both}, Store(tmp_path)
    few = mnist.subset(400, 50)
    assert [s.seconds for s in steps_of(both, prints, few, store)] == pytest.approx([15, 5])
    store.keep("cae-published", 0, {"fingerprint": "same"}, {}, None)
    steps = steps_of(both, prints, few, store)
    assert [s.finished for s in steps] == [True, False]
    assert [s.seconds for s in steps] == pytest.approx([15, 15])


def test_a_plan_does_not_scale_what_is_compiled(tmp_path, mnist):
    """A hundredth of the images: a hundredth of the epochs' seconds, and compiling as before."""
    (tmp_path / "ae").mkdir()
    told = {
        "seconds": {"unsupervised": [104.0, 110.0]},
        "epoch_seconds": {"unsupervised": [1.0, 1.1]},
        "seconds_in_all": [204.0, 230.0],
        "data": {"n_train": 40_000},
        "epochs": {"unsupervised": 100},
    }
    (tmp_path / "ae" / "result.json").write_text(json.dumps(told), encoding="utf-8")
    (unit,) = units("ae", output=tmp_path)
    steps = steps_of([unit], {("ae", 0): "same"}, mnist.subset(400, 50), Store(tmp_path))
    assert [s.seconds for s in steps] == pytest.approx([4 + (204 - 4) / 100])


@pytest.mark.slow
@pytest.mark.parametrize(
    "names", [("cae-published", "cae-classifier"), ("stacked-2", "stacked-16"), ("rbm-2", "rbm-16")]
)
def test_rows_trained_together_equal_rows_trained_alone(names, tmp_path, monkeypatch):
    arguments = ("--quick", "--jobs", "1", "--no-uses", "--no-pictures", "--output")
    done = run_here("--only", *names, *arguments, tmp_path / "together")
    assert done.returncode == 0, done.stderr
    assert not Store(tmp_path / "together").shelf.exists()
    for name in names:
        done = run_here("--only", name, *arguments, tmp_path / name)
        assert done.returncode == 0, done.stderr
        one, other = (Store(tmp_path / folder) for folder in ("together", name))
        a, b = one.record(name, 0), other.record(name, 0)
        for what in ("metrics", "history", "epochs", "fingerprint", "parameters"):
            assert a[what] == b[what]
        a, b = one.views(name, 0), other.views(name, 0)
        assert a.keys() == b.keys()
        for key in a:
            np.testing.assert_array_equal(a[key], b[key])


@pytest.mark.slow
def test_a_stopped_run_goes_on_from_the_stage_that_was_trained(tmp_path, monkeypatch):
    from Code.training import procedure

    trained, fit = [], procedure._fit

    def fit_or_stop(model, stage, *more):
        if stage.name == "supervised":
            raise KeyboardInterrupt
        trained.append(stage.name)
        fit(model, stage, *more)

    rows = ("cae-published", "cae-classifier")
    arguments = ("--quick", "--jobs", "1", "--no-uses", "--no-pictures", "--only", *rows)
    with monkeypatch.context() as patch:
        patch.setattr(procedure, "_fit", fit_or_stop)
        assert run_here(*arguments, "--output", tmp_path).returncode != 0
        assert trained == ["unsupervised"]
        assert run_here(*arguments, "--output", tmp_path).returncode != 0
        assert trained == ["unsupervised"]
    assert run_here(*arguments, "--output", tmp_path).returncode == 0
