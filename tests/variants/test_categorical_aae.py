"""The AAE with categories: what it is told, what it is not, and that it classifies."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from Code.categorical_aae import CategoricalAAE, labelled_sample, names_of_clusters
from Code.parts.images import to_unit

SMALL = {"hidden": (64,), "code_dim": 4, "discriminator_hidden": (16,)}


def made(**settings):
    keras.utils.set_random_seed(0)
    model = CategoricalAAE(**SMALL, **settings)
    model.compile()
    return model


def test_a_code_is_a_distribution_over_categories_and_a_style(digits):
    code = made().encode(digits)
    assert code.shape == (16, 10 + 4)
    np.testing.assert_allclose(code[:, :10].sum(axis=1), 1, rtol=1e-5)
    draws = np.asarray(made().prior_draws(5000))
    assert set(np.unique(draws[:, :10])) == {0, 1}
    np.testing.assert_array_equal(draws[:, :10].sum(axis=1), 1)
    np.testing.assert_allclose(draws[:, 10:].std(axis=0), 1, atol=0.05)


def test_labels_are_drawn_equally_from_every_class(mnist):
    chosen = labelled_sample(mnist.y_train, 100, seed=1)
    np.testing.assert_array_equal(np.bincount(mnist.y_train[chosen]), 10)
    assert len(set(chosen)) == 100
    assert set(chosen) != set(labelled_sample(mnist.y_train, 100, seed=2))
    with pytest.raises(ValueError, match="cannot be drawn equally"):
        labelled_sample(mnist.y_train, 105, seed=1)


@pytest.mark.slow
def test_a_step_does_not_look_at_the_labels_of_its_batch(mnist):
    x, y = to_unit(mnist.x_train[:200]), mnist.y_train[:200]
    codes = []
    for told in (y[:64], (y[:64] + 1) % 10):
        model = made()
        model.labelled_images.assign(x[100:])
        model.labels.assign(y[100:])
        model.build_optimizers()
        model.update(ops.convert_to_tensor(x[:64]), ops.convert_to_tensor(told))
        codes.append(model.encode(x))
    np.testing.assert_array_equal(*codes)


@pytest.mark.slow
@pytest.mark.xla
def test_it_learns_the_labels_that_it_has_and_beats_chance_elsewhere(mnist, tmp_path):
    few = mnist.subset(3000, 1000)
    model = made()
    model.fit(few.x_train, few.y_train, batch_size=100, epochs=5, verbose=0)
    x_test = to_unit(few.x_test)
    measured = model.diagnostics(x_test, few.y_test)
    assert measured["classification_error"] < 0.45
    seen = model.classification_loss(
        ops.convert_to_tensor(model.labelled_images), ops.convert_to_tensor(model.labels)
    )
    assert float(ops.mean(seen)) < 0.5
    assert model.views(x_test, few.y_test)["draws"].shape == (100, 28, 28)
    # Labelled images are saved with the model
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.labels, model.labels)
    np.testing.assert_array_equal(loaded.labelled_images, model.labelled_images)


def test_clusters_are_named_by_their_surest_image():
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    np.testing.assert_array_equal(names_of_clusters(probabilities, np.array([7, 1, 3])), [7, 3])


def test_clustering_needs_no_labels_and_saves(mnist, digits, tmp_path):
    model = made(n_labels=0, n_categories=16)
    model.fit(mnist.x_train[:300], batch_size=100, epochs=1, verbose=0)
    error = model.diagnostics(to_unit(mnist.x_test[:400]), mnist.y_test[:400])
    assert 0 <= error["classification_error"] <= 1
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.encode(digits), model.encode(digits))


def test_gradient_of_the_label_loss_by_differences(digits, mnist):
    model = made()
    y = ops.convert_to_tensor(mnist.y_test[:16], "int32")
    kernel = model.encoder.get_layer("category").kernel

    def loss():
        return ops.mean(model.classification_loss(digits, y))

    with tf.GradientTape() as tape:
        tape.watch(kernel.value)
        value = loss()
    gradient = np.asarray(tape.gradient(value, kernel.value))
    start, direction = np.array(kernel), gradient / np.linalg.norm(gradient)
    ends = []
    for sign in (1, -1):
        kernel.assign(start + sign * 1e-2 * direction)
        ends.append(float(loss()))
    assert (ends[0] - ends[1]) / 2e-2 == pytest.approx(np.linalg.norm(gradient), rel=1e-2)


def test_what_does_not_go_together_is_refused():
    few = CategoricalAAE(**{**SMALL, "n_labels": 4}, n_categories=4)
    few.compile()
    with pytest.raises(ValueError, match=r"labels .*4"):
        few.fit(np.zeros((20, 28, 28), "uint8"), np.full(20, 4))
    with pytest.raises(ValueError, match="fit needs labels"):
        made().fit(np.zeros((20, 28, 28), "uint8"))
