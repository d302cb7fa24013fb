"""The measures against figures that anyone can check by hand, and against published ones."""

import numpy as np
import pytest

from Code.parts import components
from Code.parts.images import to_unit
from Code.training.measures import axis_fraction, dead_pixels, in_plane, mean_squared_error, plane


def test_axis_fraction():
    assert axis_fraction(np.array([[0.0, 1], [1, 1], [0, 0], [2, 0]])) == 0.75


def test_dead_pixels(digits):
    alive = digits.copy()
    assert dead_pixels(digits, alive) == 0
    dead = digits.copy()
    dead[:, :14] = 0
    inked = (digits > 0).any(axis=0)
    assert dead_pixels(digits, dead) == pytest.approx(inked[:14].sum() / inked.sum())


def test_a_plane_keeps_two_units_and_projects_more(digits):
    codes = digits[:, 10:12, 10]
    assert plane(codes, codes)[0] is codes or np.array_equal(plane(codes, codes)[0], codes)
    train, test = plane(digits, digits[:4])
    assert train.shape == (16, 2)
    np.testing.assert_allclose(train[:4], test, atol=1e-4)


def test_the_name_of_a_measure_says_that_the_plane_is_not_the_code():
    assert in_plane("knn_accuracy", 1) == in_plane("knn_accuracy", 2) == "knn_accuracy"
    assert in_plane("knn_accuracy", 16) == "knn_accuracy_pca2"


def test_the_leading_components_are_the_same_by_either_way(digits, monkeypatch):
    wide = plane(digits, digits)[0]
    monkeypatch.setattr(components, "WIDEST_COVARIANCE", 100)
    narrow = plane(digits, digits)[0]
    np.testing.assert_allclose(np.abs(narrow), np.abs(wide), atol=1e-4)


def test_pca_s_published_figures(mnist):
    """PCA-2: test MSE 0.0557 and 42.4 % by five neighbours; the mean image: train MSE 0.0673."""
    from Code.experiments.table import EXPERIMENTS
    from Code.training.pca import run

    outcome = run(EXPERIMENTS["pca-2"], mnist, 0, lambda epochs: None)
    found = {(m["metric"], m["split"]): m["value"] for m in outcome.metrics}
    assert found["mse", "test"] == pytest.approx(0.0557, abs=5e-5)
    assert found["knn_accuracy", "test"] == pytest.approx(0.424, abs=1e-3)
    assert found["mean_image_mse", "train"] == pytest.approx(0.0673, abs=5e-5)


def test_mean_squared_error(digits):
    assert mean_squared_error(digits, np.zeros_like(digits)) == pytest.approx(
        np.square(to_unit(digits)).mean()
    )


def test_what_is_no_number_is_left_out_and_told():
    from Code.training.procedure import NOT_FINITE, Outcome

    outcome = Outcome()
    outcome.add("fit", "test", mse=0.5, ratio=float("nan"), psnr=float("inf"))
    assert [(row["metric"], row["value"]) for row in outcome.metrics] == [("mse", 0.5)]
    assert outcome.left_out == {"ratio": NOT_FINITE, "psnr": NOT_FINITE}
    black = np.zeros((3, 4, 4))
    assert np.isnan(dead_pixels(black, black))
