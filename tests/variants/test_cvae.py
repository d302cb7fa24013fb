"""The label-conditioned VAE: content from the label, style from z."""

import keras
import numpy as np
import pytest

from Code.cvae import CVAE
from Code.parts.images import to_unit
from tests.support import trains_on

NET = {"hidden": (128,), "code_dim": 2}


@pytest.fixture(scope="module")
def begun(mnist):
    """After a few steps: labels already matter."""
    keras.utils.set_random_seed(0)
    model = CVAE(**NET)
    model.compile(optimizer=keras.optimizers.Adam(5e-3))
    model.fit(mnist.x_train[:960], mnist.y_train[:960], batch_size=32, epochs=3, verbose=0)
    return model


@pytest.fixture(scope="module")
def trained(mnist):
    keras.utils.set_random_seed(0)
    few = mnist.subset(19_200, 2000)
    model = CVAE(**NET)
    model.compile(optimizer=keras.optimizers.Adam(2e-3))
    before = model.evaluate(few.x_test, few.y_test, verbose=0, return_dict=True)["loss"]
    model.fit(few.x_train, few.y_train, batch_size=64, epochs=6, verbose=0)
    after = model.evaluate(few.x_test, few.y_test, verbose=0, return_dict=True)["loss"]
    assert after < 0.5 * before
    return model


@pytest.fixture(scope="module")
def test_set(mnist):
    return to_unit(mnist.x_test[:2000]), mnist.y_test[:2000]


@pytest.mark.slow
def test_the_same_style_with_ten_labels_is_ten_digits(trained, test_set):
    found = trained.diagnostics(*test_set)
    assert found["content_accuracy"] > 0.8
    assert found["transfer_accuracy"] > 0.8
    assert found["label_accuracy"] > 0.9


@pytest.mark.slow
def test_the_style_says_less_about_the_digit_than_a_code_without_labels(trained, test_set, mnist):
    from sklearn.linear_model import LogisticRegression

    from Code.vae import VAE

    keras.utils.set_random_seed(0)
    vae = VAE(**NET)
    vae.compile()
    vae.fit(mnist.x_train[:9600], batch_size=64, epochs=6, verbose=0)
    x, y = test_set
    codes = vae.encode(x)
    plain = LogisticRegression(max_iter=1000).fit(codes[::2], y[::2]).score(codes[1::2], y[1::2])
    assert trained.diagnostics(x, y)["style_label_accuracy"] < 0.7 * plain


@pytest.mark.slow
def test_transfer_keeps_the_style(trained, test_set):
    x, y = test_set
    styles = trained.style(x[:200], y[:200])
    other = (y[:200] + 3) % 10
    again = trained.style(trained.transfer(x[:200], other, y[:200]), other)
    # nearer to the style asked for than to another digit's
    own = np.linalg.norm(again - styles, axis=1)
    another = np.linalg.norm(again - np.roll(styles, 1, axis=0), axis=1)
    assert (own < another).mean() > 0.9


@pytest.mark.slow
def test_it_works_without_labels_as_any_autoencoder_does(begun, digits, mnist):
    codes = begun.encode(digits)
    assert codes.shape == (16, 12)
    assert (codes[:, 2:].sum(axis=1) == 1).all()
    assert begun.reconstruct(digits).shape == digits.shape
    np.testing.assert_allclose(begun.decode(codes), begun.reconstruct(digits), atol=1e-6)
    inferred = codes[:, 2:].argmax(axis=1)
    np.testing.assert_allclose(
        begun.reconstruct(digits, inferred), begun.reconstruct(digits), atol=1e-5
    )
    terms = begun.evaluate(mnist.x_test[:100], verbose=0, return_dict=True)
    assert terms["label_loss"] == 0 and np.isfinite(terms["loss"])


def test_given_labels_replace_the_inferred_ones(begun, digits):
    zeros, ones = begun.reconstruct(digits, 0), begun.reconstruct(digits, 1)
    assert np.abs(zeros - ones).mean() > 0.02
    codes = begun.encode(digits, np.arange(16) % 10)
    np.testing.assert_array_equal(codes[:, 2:].argmax(axis=1), np.arange(16) % 10)
    np.testing.assert_array_equal(begun.decode(codes[:, :2], 3), begun.decode(codes, 3))


def test_a_style_alone_cannot_be_decoded(begun):
    with pytest.raises(ValueError, match="give labels"):
        begun.decode(np.zeros((2, 2)))


def test_views(begun, test_set):
    views = begun.views(*test_set)
    assert views["styles"].shape == (100, 28, 28)
    assert views["transfer"].shape == (110, 28, 28)
    np.testing.assert_array_equal(views["transfer"][::11], test_set[0][:10])


@pytest.mark.xla
def test_saved_and_loaded_is_the_same_model(mnist, digits, seeded, tmp_path):
    model = CVAE(n_classes=10, label_hidden=(16,), **NET)
    model.compile()
    model.fit(mnist.x_train[:192], mnist.y_train[:192], epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.encode(digits), model.encode(digits))
    np.testing.assert_array_equal(loaded.reconstruct(digits), model.reconstruct(digits))
    np.testing.assert_array_equal(loaded.transfer(digits, 4), model.transfer(digits, 4))
    trains_on(loaded, mnist.x_train[:192], mnist.y_train[:192])
