"""The result of an experiment, put together from runs that were kept; nothing is trained."""

import json

import numpy as np
import pytest

from Code.experiments.table import EXPERIMENTS
from Code.runs import pictures, results
from Code.runs.run import keep_failed, tell_left_out
from Code.runs.store import Store
from Code.runs.units import loss_unit

ROW = EXPERIMENTS["vae-bce"]
STAGE, METRIC = ROW.published[0].stage, ROW.published[0].metric


@pytest.fixture
def assembled(tmp_path, monkeypatch):
    """``assembled(data name, left_out by seed)`` → the result.json, and the row that was drawn."""
    drawn = []
    monkeypatch.setattr(pictures, "draw", lambda row, *arguments: drawn.append(row) or [])

    def of(name, *left_out):
        store = Store(tmp_path)
        for seed, what in enumerate(left_out or ({},)):
            record = {
                "fingerprint": "f",
                "metrics": [{"stage": STAGE, "metric": METRIC, "split": "train", "value": 140.0}],
                "history": [],
                "seconds": {STAGE: 1.0},
                "epoch_seconds": {STAGE: 1.0},
                "seconds_in_all": 1.0,
                "epochs": {STAGE: 1},
                "parameters": 1,
                "versions": {},
                "machine": {},
                "code_version": "c",
                "finished": "now",
                **({"left_out": what} if what else {}),
            }
            store.keep(ROW.name, seed, record, {"a": np.zeros(1)}, None)
        results.assemble(ROW, range(len(left_out) or 1), {"name": name}, store, False, [])
        return json.loads((tmp_path / ROW.name / "result.json").read_text()), drawn[-1]

    return of


def test_a_result_on_mnist_holds_the_published_figure(assembled):
    result, drawn = assembled("mnist")
    assert result["metrics"][0]["published"] == ROW.published[0].value
    assert drawn.published == ROW.published
    assert "left_out" not in result


def test_without_pictures_none_is_drawn_and_older_ones_go(assembled, tmp_path, monkeypatch):
    _, drawn = assembled("letters26.npz")
    asked = []
    monkeypatch.setattr(pictures, "draw", lambda *arguments: asked.append(arguments[-1]) or [])
    for wanted in (True, False):
        data = {"name": "letters26.npz"}
        results.assemble(drawn, [0], data, Store(tmp_path), False, [], pictures=wanted)
    assert asked == [pictures.ALL, ()]
    monkeypatch.undo()
    old = tmp_path / ROW.name / "code.png"
    old.write_bytes(b"old")
    results.assemble(drawn, [0], data, Store(tmp_path), False, [], pictures=False)
    found = json.loads((old.parent / "result.json").read_text())
    assert found["figures"] == [] and not old.exists()


def test_a_result_on_other_data_holds_no_published_figure_and_draws_none(assembled):
    result, drawn = assembled("letters26.npz")
    (row,) = result["metrics"]
    assert row["mean"] == 140.0
    assert row["published"] is row["published_source"] is row["published_departures"] is None
    assert drawn.published == ()


def test_the_loss_is_named_by_the_pixels_of_the_images():
    assert loss_unit(ROW, "unsupervised", 64) == "64 × BCE + KL an image"


def test_what_some_seed_could_not_measure_stands_in_the_result(assembled):
    result, _ = assembled("letters26.npz", {}, {"diagnostics": "a single class"})
    assert result["left_out"] == {"diagnostics": "a single class"}


def test_an_experiment_of_which_every_seed_failed_is_told(tmp_path):
    (tmp_path / "ae").mkdir()
    (tmp_path / "ae" / "result.json").write_text("{}")
    tell_left_out(tmp_path, [], {"cvae-2": "no labels"})
    failed = [{"seed": 0, "reason": "loss became nan"}]
    keep_failed(tmp_path, {"ae": failed, "vae-bce": failed, "dae": []})
    told = json.loads((tmp_path / "left_out.json").read_text())
    assert told == {"cvae-2": "no labels", "vae-bce": "loss became nan"}
    tell_left_out(tmp_path, [ROW], {})
    assert json.loads((tmp_path / "left_out.json").read_text()) == {"cvae-2": "no labels"}


def test_a_result_says_whether_the_model_learned_from_labels(assembled):
    assert assembled("mnist")[0]["uses_labels"] is False
    assert EXPERIMENTS["cvae-16"].uses_labels and EXPERIMENTS["aae-100-labels"].uses_labels
    # A head that is trained after the autoencoder makes no difference
    assert not EXPERIMENTS["dae-published"].uses_labels
