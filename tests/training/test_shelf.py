"""Stages that rows have in common: trained once, and equal to the bit."""

from dataclasses import replace

import numpy as np
import pytest

from Code.experiments.row import Experiment, Stage
from Code.training import procedure, shelf
from Code.training.layerwise import run as run_layers
from Code.training.procedure import Diverged, run

HEADS = ({"n_classes": 10}, {"n_classes": 10, "head_loss": "mse", "head_input": "reconstruction"})
STAGES = (Stage("unsupervised", 2, 100), Stage("supervised", 1, 100))


def row(**settings):
    net = {"hidden": (16,), "code_dim": 2, **settings}
    return Experiment("one", "ae", "own", "One", "Code.ae:AE", net, STAGES)


@pytest.fixture
def few(mnist):
    return mnist.subset(400, 100)


@pytest.fixture
def fits(monkeypatch):
    """The stages that were trained, in their order."""
    trained, fit = [], procedure._fit

    def noted(model, stage, *more):
        trained.append(stage.name)
        fit(model, stage, *more)

    monkeypatch.setattr(procedure, "_fit", noted)
    return trained


def on_shelf(folder, experiment, data, stages=("unsupervised",), seed=0, run=run, code="code"):
    with shelf.at(shelf.Shelf(folder, frozenset(stages), code)):
        return run(experiment, data, seed, lambda epochs: None)


def assert_same(one, other):
    assert one.metrics == other.metrics and one.history == other.history
    assert one.epochs == other.epochs and one.left_out == other.left_out
    assert list(one.views) == list(other.views)
    for name in one.views:
        np.testing.assert_array_equal(one.views[name], other.views[name])
    for a, b in zip(one.model.variables, other.model.variables, strict=True):
        np.testing.assert_array_equal(np.array(a), np.array(b))


def test_another_head_goes_on_from_the_same_stage_to_the_bit(few, fits, tmp_path):
    # Of the first one the whole run is trained as if it were alone
    alone = run(row(**HEADS[1]), few, 0, lambda epochs: None)
    fits.clear()
    together = [on_shelf(tmp_path, row(**head), few) for head in HEADS]
    assert fits == ["unsupervised", "supervised", "supervised"]
    assert_same(alone, together[1])
    assert together[1].seconds["unsupervised"] == together[0].seconds["unsupervised"]
    assert together[1].elsewhere > 0 == together[0].elsewhere


@pytest.mark.slow
def test_its_epochs_count_as_progress(few, tmp_path):
    told = []
    for head in HEADS:
        with shelf.at(shelf.Shelf(tmp_path, frozenset(["unsupervised"]), "code")):
            run(row(**head), few, 0, told.append)
    assert sum(told) == 2 * sum(stage.epochs for stage in STAGES)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"code": "other code"},
        {"experiment": row(n_classes=10, hidden=(17,))},
        {
            "experiment": replace(
                row(n_classes=10), stages=(Stage("unsupervised", 3, 100), STAGES[1])
            )
        },
    ],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.slow
def test_whatever_it_depends_on_makes_it_another(few, fits, tmp_path, change):
    on_shelf(tmp_path, row(n_classes=10), few)
    on_shelf(tmp_path, **{"experiment": row(n_classes=10), "data": few, **change})
    assert fits.count("unsupervised") == 2


@pytest.mark.slow
def test_other_images_make_it_another(few, mnist, fits, tmp_path):
    on_shelf(tmp_path, row(n_classes=10), few)
    changed = few.x_train.copy()
    changed[7, 3, 3] ^= 1
    on_shelf(tmp_path, row(n_classes=10), replace(few, x_train=changed))
    assert fits.count("unsupervised") == 2


@pytest.mark.slow
def test_only_the_measures_are_taken_anew_where_others_are_asked_for(few, fits, tmp_path):
    on_shelf(tmp_path, row(n_classes=10), few)
    asked = replace(row(n_classes=10), measures=("shuffled_error",))
    outcome = on_shelf(tmp_path, asked, few)
    assert fits.count("unsupervised") == 1
    assert "shuffled_error" in {m["metric"] for m in outcome.metrics}
    assert_same(outcome, run(asked, few, 0, lambda epochs: None))


@pytest.mark.slow
def test_what_is_damaged_is_trained_again(few, fits, tmp_path):
    on_shelf(tmp_path, row(n_classes=10), few)
    for path in tmp_path.glob("*.npz"):
        path.write_bytes(path.read_bytes()[:100])
    on_shelf(tmp_path, row(n_classes=10), few)
    assert fits.count("unsupervised") == 2
    on_shelf(tmp_path, row(n_classes=10), few)
    assert fits.count("unsupervised") == 2


@pytest.mark.slow
def test_what_failed_is_not_kept(few, tmp_path):
    broken = replace(
        row(n_classes=10), stages=(replace(STAGES[0], optimizer=exploding()), STAGES[1])
    )
    with pytest.raises(Diverged):
        on_shelf(tmp_path, broken, few)
    assert not list(tmp_path.glob("*.npz"))


def exploding():
    return {"class_name": "sgd", "config": {"learning_rate": 1e30}}


@pytest.mark.parametrize("model", ["Code.stacked:Stacked", "Code.rbm:DeepRBM"])
@pytest.mark.slow
def test_a_level_does_not_depend_on_those_above_it(few, fits, tmp_path, model):
    stages = tuple(Stage(name, 1, 100) for name in ("layer-1", "layer-2", "unsupervised"))
    rows = [
        Experiment("one", "stacked", "own", "One", model, {"hidden": (16,), "code_dim": k}, stages)
        for k in (2, 3)
    ]
    alone = [run_layers(r, few, 0, lambda epochs: None) for r in rows]
    fits.clear()
    together = [on_shelf(tmp_path, r, few, ["layer-1"], run=run_layers) for r in rows]
    assert fits.count("layer-1") == 1 and fits.count("layer-2") == 2
    for one, other in zip(alone, together, strict=True):
        assert_same(one, other)


@pytest.mark.slow
def test_without_a_shelf_or_a_common_stage_nothing_is_kept(few, tmp_path):
    on_shelf(tmp_path, row(n_classes=10), few, stages=())
    assert not list(tmp_path.iterdir())
