import numpy as np
import pytest

from Code.training.few_labels import COSTS, few_label_errors, machine


def blobs(n, seed, scale=1.0, noisy_units=0):
    """Codes of ten well-separated classes, and units that tell nothing of them."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 10
    codes = 5 * np.eye(10)[labels] + rng.normal(size=(n, 10))
    return scale * np.concatenate([codes, rng.normal(size=(n, noisy_units))], axis=1), labels


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_separate_classes_are_told_apart_on_any_scale(scale):
    train, y_train = blobs(400, 0, scale)
    test, y_test = blobs(200, 1, scale)
    assert few_label_errors(train, y_train, test, y_test)["svm_error_100"] < 0.02


def test_the_constants_are_chosen_among_the_labelled_images_alone():
    codes, labels = blobs(100, 0, noisy_units=30)
    chosen = machine(codes, labels)
    assert chosen.best_params_["C"] in COSTS
    scores = chosen.cv_results_["mean_test_score"]
    assert chosen.best_score_ == scores.max() > scores.min()


def test_classes_of_a_single_image_need_no_folds():
    codes, labels = blobs(10, 0)
    assert machine(codes, labels).score(codes, labels) == 1


def test_too_few_images_leave_a_size_out():
    train, y_train = blobs(400, 0)
    assert set(few_label_errors(train, y_train, train, y_train)) == {"svm_error_100"}
