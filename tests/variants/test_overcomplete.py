"""A code wider than the input: with room to copy, it copies."""

import keras
import numpy as np
import pytest

from Code.overcomplete import Overcomplete, weight_decay
from Code.parts.images import to_unit
from Code.training.probe import probe_accuracy

SIZES = {"code_dim": 1024, "code_activation": "sigmoid"}


@pytest.fixture(scope="module")
def few(mnist):
    return mnist.subset(10_000, 2000)


def trained_pair(images, epochs):
    """Trained without and with a regulariser."""
    models = []
    for settings in ({"regulariser": "none"}, {"regulariser": "l1", "weight": 0.1}):
        keras.utils.set_random_seed(0)
        model = Overcomplete(**SIZES, **settings)
        model.compile()
        model.fit(images, batch_size=100, epochs=epochs, verbose=0)
        models.append(model)
    return models


@pytest.fixture(scope="module")
def pair(few):
    """Trained for long enough to tell what each has learned."""
    return trained_pair(few.x_train, 8)


@pytest.fixture(scope="module")
def begun(few):
    """After a few steps."""
    return trained_pair(few.x_train[:500], 1)


def mse(model, few):
    return np.square(model.reconstruct(few.x_test) - to_unit(few.x_test)).mean()


def probed(model, few):
    codes = model.encode(few.x_train), model.encode(few.x_test)
    return probe_accuracy(codes[0], few.y_train, codes[1], few.y_test)


@pytest.mark.slow
@pytest.mark.xla
def test_without_a_regulariser_it_copies_and_its_features_are_worse(pair, few):
    free, regularised = pair
    variance = to_unit(few.x_test).var(axis=0).mean()
    assert mse(free, few) < 0.12 * variance
    assert mse(free, few) < 0.6 * mse(regularised, few)
    assert probed(regularised, few) > probed(free, few) + 0.01


def test_terms(begun, few):
    for model, weight in zip(begun, (0, 0.1), strict=True):
        terms = model.evaluate(few.x_test, verbose=0, return_dict=True)
        total = terms["reconstruction"] + weight * terms["penalty"]
        assert terms["loss"] == pytest.approx(total, rel=1e-4)
        assert terms["reconstruction"] == pytest.approx(784 * mse(model, few), rel=1e-4)


@pytest.mark.slow
def test_weight_decay_is_the_sum_of_squares_and_shrinks_the_weights(few, seeded):
    assert float(weight_decay([np.array([[1.0, 2.0]]), np.array([[3.0]])])) == 14
    norms = []
    for regulariser in ("none", "weight decay"):
        keras.utils.set_random_seed(0)
        model = Overcomplete(regulariser=regulariser, weight=0.05)
        model.compile()
        model.fit(few.x_train[:1000], batch_size=100, epochs=4, verbose=0)
        norms.append(sum(np.square(w).sum() for w in model.get_weights() if w.ndim == 2))
    assert norms[1] < 0.7 * norms[0]


def test_survives_saving(begun, digits, tmp_path):
    model = begun[1]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.reconstruct(digits), model.reconstruct(digits))
    assert loaded.get_config() == model.get_config()
    assert model.encode(digits).shape == (16, 1024)
    assert model.views(digits, None)["filters"].shape == (96, 28, 28)
    assert 0 <= model.diagnostics(digits, None)["active_share"] <= 1


def test_a_narrow_code_is_refused():
    with pytest.raises(ValueError, match="more than 784 units, not 784"):
        Overcomplete(code_dim=784)


def test_the_default_code_is_wider_than_any_image():
    assert Overcomplete().code_dim == 1024
    model = Overcomplete(image_shape=(5, 4, 3))
    assert model.code_dim == 79
    assert Overcomplete.from_config(model.get_config()).code_dim == 79


def test_an_unknown_regulariser_is_refused():
    with pytest.raises(ValueError, match="regulariser must be one of"):
        Overcomplete(regulariser="prayer")
