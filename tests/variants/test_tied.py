"""Tied weights: one kernel, used twice, and PCA's subspace where everything is linear."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from Code.parts.images import to_unit
from Code.tied import Tied, dense_layers, principal_overlap

LINEAR = {"code_activation": "linear", "output_activation": "linear"}
COMMON = {"hidden": (256, 64), "code_dim": 16}


def test_one_kernel_is_shared(seeded):
    model = Tied(**COMMON)
    kernels = [v for v in model.trained_variables if v.path.endswith("kernel")]
    assert [k.shape for k in kernels] == [(784, 256), (256, 64), (64, 16)]
    biases = 256 + 64 + 16 + 64 + 256 + 784
    count = sum(int(np.prod(v.shape)) for v in model.trained_variables)
    assert count == 784 * 256 + 256 * 64 + 64 * 16 + biases
    assert len({id(v) for v in model.trained_variables}) == len(model.trained_variables)


def test_the_decoder_is_the_transpose(digits, seeded):
    model = Tied(code_dim=5, **LINEAR)
    kernel = np.asarray(dense_layers(model.encoder)[0].kernel)
    codes = np.eye(5, dtype=np.float32)
    np.testing.assert_allclose(model.decode(codes).reshape(5, -1), kernel.T, atol=1e-6)
    dense_layers(model.encoder)[0].kernel.assign(2 * kernel)
    np.testing.assert_allclose(model.decode(codes).reshape(5, -1), 2 * kernel.T, atol=1e-6)


def test_the_gradient_flows_through_both_uses(digits, seeded):
    """Against the closed form of ‖x − x W Wᵀ‖²: one term from each use, both non-zero."""
    model = Tied(code_dim=3, **LINEAR)
    kernel = dense_layers(model.encoder)[0].kernel
    x = tf.constant(digits)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model.loss_terms(x)["loss"])
    got = tape.gradient(loss, kernel.value).numpy()
    flat, w = digits.reshape(16, -1).astype(np.float64), np.asarray(kernel, np.float64)
    residual = flat - flat @ w @ w.T
    as_encoder = -2 / 784 * flat.T @ residual @ w
    as_decoder = -2 / 784 * residual.T @ flat @ w
    assert min(np.abs(as_encoder).max(), np.abs(as_decoder).max()) > 1e-3
    np.testing.assert_allclose(got, as_encoder + as_decoder, atol=1e-7)


@pytest.mark.slow
def test_a_linear_tied_autoencoder_spans_the_subspace_of_pca(mnist, seeded):
    few = mnist.subset(10_000, 10)
    x = to_unit(few.x_train)
    # The sixth and the seventh variance lie far apart, so that six components are well defined
    model = Tied(code_dim=6, **LINEAR)
    before = model.diagnostics(x, None)["pca_overlap"]
    for learning_rate, epochs in ((3e-3, 20), (1e-3, 10)):
        model.compile(keras.optimizers.Adam(learning_rate))
        model.fit(few.x_train, batch_size=200, epochs=epochs, verbose=0)
    after = model.diagnostics(x, None)
    assert before < 0.3
    assert after["pca_overlap"] > 0.99
    assert after["orthonormality_error"] < 0.05


def test_overlap_of_known_subspaces():
    rng = np.random.default_rng(0)
    images = rng.normal(size=(5000, 6)) * [9, 8, 7, 0.1, 0.1, 0.1]
    axes = np.eye(6)
    assert principal_overlap(axes[:, :3] @ rng.normal(size=(3, 3)), images) == pytest.approx(
        1, 1e-3
    )
    assert principal_overlap(axes[:, 3:], images) == pytest.approx(0, abs=1e-3)


@pytest.mark.xla
def test_learns_and_survives_saving(mnist, digits, seeded, tmp_path):
    model = Tied(**COMMON)
    model.compile()
    few = mnist.subset(1920, 500)
    before = model.evaluate(few.x_test, verbose=0, return_dict=True)["loss"]
    model.fit(few.x_train, batch_size=64, epochs=3, verbose=0)
    assert model.evaluate(few.x_test, verbose=0, return_dict=True)["loss"] < 0.7 * before
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.reconstruct(digits), model.reconstruct(digits))
    dense_layers(loaded.encoder)[-1].kernel.assign(np.zeros((64, 16)))
    assert (loaded.reconstruct(digits) == loaded.decode(np.zeros((16, 16)))).all()
    assert model.reconstruct(digits).shape == (16, 28, 28)
    assert model.views(digits, None)["filters"].shape == (96, 28, 28)
