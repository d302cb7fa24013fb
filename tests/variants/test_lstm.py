"""The recurrent autoencoder: rows are read one after the other, and their order matters."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from Code.ae import AE
from Code.lstm import DARKEST, RecurrentAE


def small(cell="lstm", **more):
    return RecurrentAE(cell=cell, units=12, code_dim=6, **more)


def shuffled_rows(x):
    return x[:, np.random.default_rng(0).permutation(x.shape[1])]


@pytest.mark.parametrize(
    ("cell", "hidden"),
    [
        ("lstm", (16, 8)),
        *(
            pytest.param(*kind, marks=pytest.mark.slow)
            for kind in (("gru", ()), ("lstm", ()), ("gru", (16, 8)))
        ),
    ],
)
def test_shapes_saving(cell, hidden, digits, seeded, tmp_path):
    model = small(cell, hidden=hidden, n_classes=10)
    assert model.encode(digits).shape == (16, 6)
    assert model.reconstruct(digits).shape == digits.shape
    assert model.classifier.predict(digits, verbose=0).shape == (16, 10)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.reconstruct(digits), model.reconstruct(digits))


def test_reader_is_causal(digits, seeded):
    """The state after t rows knows nothing of the rows that follow."""
    reader = small().encoder.get_layer("reader")
    other = digits.copy()
    other[:, 20:] = 1.0
    np.testing.assert_allclose(reader(digits[:, :20]), reader(other[:, :20]), atol=1e-6)
    assert np.abs(reader(digits) - reader(other)).max() > 1e-3


def test_one_step_of_the_lstm_is_the_textbook_s(seeded):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 1, 5)).astype(np.float32)
    reader = RecurrentAE(image_shape=(1, 5), units=4).encoder.get_layer("reader")
    kernel, _, bias = (w.numpy() for w in reader.trainable_variables)
    i, _, g, o = np.split(x[:, 0] @ kernel + bias, 4, axis=1)

    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    np.testing.assert_allclose(reader(x), sigmoid(o) * np.tanh(sigmoid(i) * np.tanh(g)), atol=1e-5)


@pytest.mark.slow
@pytest.mark.xla
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_order_of_rows_matters(cell, mnist, seeded):
    few = mnist.subset(3000, 300)
    model = RecurrentAE(cell=cell, units=32, code_dim=12)
    model.compile(keras.optimizers.Adam(1e-2))
    before = model.evaluate(few.x_test, verbose=0, return_dict=True)["loss"]
    model.fit(few.x_train, batch_size=50, epochs=10, verbose=0)
    after = model.evaluate(few.x_test, verbose=0, return_dict=True)["loss"]
    assert after < 0.6 * before
    x = few.x_test / np.float32(255)
    found = model.diagnostics(x, few.y_test)
    assert found["mse_rows_shuffled"] > 1.1 * after
    assert found["code_shift_rows_shuffled"] > 0.3
    error = np.square(shuffled_rows(x) - model.reconstruct(shuffled_rows(x))).mean()
    np.testing.assert_allclose(found["mse_rows_shuffled"], error, rtol=1e-4)


def test_a_dense_network_can_be_told_of_the_order_but_a_recurrent_one_cannot(digits, seeded):
    """Shuffling a dense encoder's weights with the rows gives the old codes: to it, rows are a set
    of inputs. The reader has one kernel for all rows, so nothing in it can be shuffled along."""
    order = np.random.default_rng(0).permutation(28)
    dense = AE(code_dim=6)
    codes = dense.encode(digits)
    layer = dense.encoder.get_layer("code")
    kernel, bias = layer.get_weights()
    layer.set_weights([kernel.reshape(28, 28, 6)[order].reshape(784, 6), bias])
    np.testing.assert_allclose(dense.encode(digits[:, order]), codes, atol=1e-5)
    reader = small().encoder.get_layer("reader")
    assert all(28 * 28 not in w.shape for w in reader.trainable_variables)


def test_gradient_through_all_rows_against_finite_differences(digits, seeded):
    model = small()
    x = tf.constant(digits[:4])
    kernel = model.encoder.get_layer("reader").trainable_variables[0]
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model.loss_terms(x)["loss"])
    gradient = tape.gradient(loss, kernel.value).numpy()
    direction, start, values = gradient / np.linalg.norm(gradient), kernel.numpy(), []
    for step in (0.05, -0.05):
        kernel.assign(start + step * direction)
        values.append(float(tf.reduce_mean(model.loss_terms(x)["loss"])))
    np.testing.assert_allclose((values[0] - values[1]) / 0.1, np.linalg.norm(gradient), rtol=5e-2)


@pytest.mark.slow
def test_training_starts_at_the_mean_row_and_goes_on_from_where_it_was(mnist, seeded):
    """From a bias of 0 the gates of the writer saturate before anything is learned."""
    few = mnist.subset(200, 10)
    model = small()
    model.compile(keras.optimizers.SGD(0.0))
    pixels = model.decoder.get_layer("pixels")
    assert not np.any(pixels.bias)
    model.fit(few.x_train, batch_size=100, verbose=0)
    row = few.x_train.mean(axis=(0, 1)) / 255
    started = 1 / (1 + np.exp(-np.asarray(pixels.bias)))
    np.testing.assert_allclose(started, np.clip(row, DARKEST, 1 - DARKEST), rtol=1e-4)
    pixels.bias.assign(np.full(28, 0.5))
    model.fit(few.x_train, batch_size=100, verbose=0)
    np.testing.assert_array_equal(pixels.bias, np.full(28, 0.5, np.float32))


@pytest.mark.slow
@pytest.mark.xla
def test_the_common_network_s_gates_stay_open(mnist):
    """Seed 0 failed when the bias started at 0: its code held nothing, and its gates were shut."""
    keras.utils.set_random_seed(0)
    few = mnist.subset(20_000, 1000)
    model = RecurrentAE(
        hidden=(256, 64), code_dim=16, units=64, reconstruction="binary cross-entropy"
    )
    model.compile(keras.optimizers.Adam(2e-3))
    model.fit(few.x_train, batch_size=200, epochs=1, verbose=0)
    codes = model.encode(few.x_test)
    assert codes.std(axis=0).mean() > 0.1
    writer = model.decoder.get_layer("writer")
    step = keras.Model(model.decoder.input, writer.input)(codes)[:, 0]
    before = np.abs(np.asarray(step) @ np.asarray(writer.trainable_variables[0])).mean()
    assert before < 10


def test_unknown_cells_are_refused():
    with pytest.raises(ValueError, match="cell must be one of"):
        RecurrentAE(cell="no such thing")
