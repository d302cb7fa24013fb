"""The scikit-learn transformer, by scikit-learn's own rules and on MNIST."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import estimator_checks_generator

from Code.transformer import AutoencoderTransformer

SMALL = AutoencoderTransformer(hidden=(), epochs=2, random_state=0)


# They train it again and again; with the slow tests they are all run
LONG = {
    "check_dont_overwrite_parameters",
    "check_dtype_object",
    "check_estimators_dtypes",
    "check_estimators_fit_returns_self",
    "check_estimators_nan_inf",
    "check_estimators_pickle",
    "check_f_contiguous_array_estimator",
    "check_fit2d_1sample",
    "check_fit_check_is_fitted",
    "check_fit_idempotent",
    "check_fit_score_takes_y",
    "check_methods_subset_invariance",
    "check_n_features_in",
    "check_n_features_in_after_fitting",
    "check_positive_only_tag_during_fit",
    "check_pipeline_consistency",
    "check_readonly_memmap_input",
    "check_transformer_data_not_an_array",
    "check_transformer_general",
    "check_transformer_preserve_dtypes",
}


def own_checks():
    """scikit-learn's checks of an estimator, as parameters with their names."""
    for estimator, check in estimator_checks_generator(SMALL):
        name = getattr(check, "func", check).__name__
        marks = [pytest.mark.slow] if name in LONG else []
        yield pytest.param(estimator, check, marks=marks, id=name)


@pytest.mark.parametrize(("estimator", "check"), own_checks())
def test_scikit_learn_s_own_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def table(mnist):
    x, y = mnist.x_train[:3000], mnist.y_train[:3000]
    return x.reshape(len(x), -1), y


@pytest.fixture(scope="module")
def fitted(table):
    return AutoencoderTransformer(
        code_dim=8, hidden=(128,), image_shape=(28, 28), epochs=15, random_state=0
    ).fit(table[0])


def test_a_pipeline_beats_chance_by_far(fitted, table):
    x, y = table
    codes = fitted.transform(x)
    probe = LogisticRegression(max_iter=500).fit(codes[:2000], y[:2000])
    assert probe.score(codes[2000:], y[2000:]) > 0.7


def test_the_score_is_minus_the_error_and_beats_pca_of_as_many_units(fitted, table):
    x = table[0]
    restored = fitted.inverse_transform(fitted.transform(x))
    assert restored.shape == x.shape
    assert fitted.score(x) == pytest.approx(-np.mean((x - restored) ** 2.0))
    pca = PCA(8).fit(x)
    linear = pca.inverse_transform(pca.transform(x))
    assert -fitted.score(x) < np.mean((x - linear) ** 2.0)


def test_a_pickle_gives_the_same_codes(fitted, table):
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.transform(table[0]), fitted.transform(table[0]))


def test_the_same_seed_gives_the_same_codes_and_leaves_numpy_alone(table):
    x = table[0][:500]
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = clone(SMALL).fit_transform(x)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    np.testing.assert_array_equal(first, clone(SMALL).fit_transform(x))


@pytest.mark.slow
def test_a_grid_search_over_the_width_of_the_code(table):
    x, y = table[0][:600], table[1][:600]
    pipeline = make_pipeline(clone(SMALL), LogisticRegression(max_iter=200))
    search = GridSearchCV(pipeline, {"autoencodertransformer__code_dim": [1, 16]}, cv=2)
    search.fit(x, y)
    assert search.best_params_ == {"autoencodertransformer__code_dim": 16}


@pytest.mark.slow
def test_any_variant_with_its_settings(table):
    x = table[0][:500]
    vae = AutoencoderTransformer("Code.vae:VAE", code_dim=3, epochs=1, random_state=1)
    assert vae.fit_transform(x).shape == (500, 3)
    assert list(vae.get_feature_names_out()) == [f"autoencodertransformer{i}" for i in range(3)]


def test_columns_are_named_where_a_label_stands_in_the_code(table):
    x, y = table
    cvae = AutoencoderTransformer("Code.cvae:CVAE", code_dim=3, hidden=(), epochs=1, random_state=0)
    codes = cvae.fit(x[:300], y[:300]).transform(x[:5])
    assert codes.shape == (5, 3 + 10)
    assert len(cvae.get_feature_names_out()) == 3 + 10


def test_pixels_that_do_not_make_the_image(table):
    with pytest.raises(ValueError, match="784 features"):
        AutoencoderTransformer(image_shape=(10, 10)).fit(table[0][:20])
