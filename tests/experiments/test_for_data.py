"""Rows for data of other classes and sizes."""

import pytest

from Code.experiments.for_data import for_data
from Code.experiments.table import EXPERIMENTS

ROWS = list(EXPERIMENTS.values())


def adapted(n_classes, image_shape=(28, 28)):
    rows, left_out = for_data(ROWS, n_classes, image_shape)
    return {row.name: row for row in rows}, left_out


def test_ten_classes_of_digits_change_nothing():
    assert for_data(ROWS, 10) == (ROWS, {})


def test_without_labels_only_what_is_told_them_is_left_out():
    rows, left_out = adapted(0)
    told = {row.name for row in ROWS if row.told is not None}
    # A row that trains its head alone has nothing left to train
    heads = {row.name for row in ROWS if all(s.name.startswith("supervised") for s in row.stages)}
    assert heads == {"dae-published-from-scratch"}
    assert set(rows) == set(EXPERIMENTS) - told - heads
    assert {"cvae-2", "cvae-16", "aae-labels", "aae-100-labels", "keras-times"} == told
    for name, row in rows.items():
        headless = [s for s in EXPERIMENTS[name].stages if not s.name.startswith("supervised")]
        assert list(row.stages) == headless and "n_classes" not in row.settings
        assert (name in left_out) == (row.stages != EXPERIMENTS[name].stages)


@pytest.mark.parametrize("n_classes", [1, 3, 26, 47])
def test_heads_and_told_models_have_as_many_classes_as_the_data(n_classes):
    rows, left_out = adapted(n_classes)
    for name, row in rows.items():
        if EXPERIMENTS[name].settings.get("n_classes") is not None:
            assert row.settings["n_classes"] == n_classes
    assert rows["cvae-2"].settings["n_labels"] == n_classes
    semi = rows["aae-100-labels"].settings
    assert semi["n_categories"] == n_classes and semi["n_labels"] % n_classes == 0
    assert set(left_out) == ({"aae-labels"} if n_classes > 10 else set())


def test_the_class_chooses_what_suits_digits_only():
    rows, _ = adapted(10, (32, 32, 3))
    assert "code_dim" not in rows["overcomplete-l1"].settings
    assert rows["ae"] is EXPERIMENTS["ae"]
