"""The Jacobian's norm: closed forms against automatic differentiation, and that it falls."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from Code.contractive import (
    SLOPES,
    Contractive,
    TiedContractive,
    TiedDenoising,
    chain_norm,
    differentiated_norm,
    sigmoid_layer_norm,
)
from Code.tied import dense_layers

COMMON = {"hidden": (256, 64), "code_dim": 16}
PAPER = {"code_dim": 200, "code_activation": "sigmoid", "reconstruction": "binary cross-entropy"}


def test_closed_form_of_a_sigmoid_layer_is_the_jacobian_s_norm(digits, seeded):
    model = TiedContractive(**{**PAPER, "code_dim": 30})
    kernel = dense_layers(model.encoder)[0].kernel
    closed = sigmoid_layer_norm(model.encoder(digits), kernel)
    np.testing.assert_allclose(closed, differentiated_norm(model.encoder, digits), rtol=1e-5)
    with tf.GradientTape() as tape:
        x = tf.constant(digits)
        tape.watch(x)
        codes = model.encoder(x)
    jacobian = tape.batch_jacobian(codes, x).numpy()
    np.testing.assert_allclose(closed, np.square(jacobian).sum(axis=(1, 2, 3)), rtol=1e-5)


@pytest.mark.parametrize("activation", SLOPES)
@pytest.mark.parametrize("hidden", [(), (20,), (30, 12)], ids=str)
def test_closed_form_of_a_chain_is_automatic_differentiation(activation, hidden, digits, seeded):
    model = Contractive(
        hidden=hidden, code_dim=7, activation=activation, code_activation=activation
    )
    np.testing.assert_allclose(
        model.squared_jacobian_norm(digits), differentiated_norm(model.encoder, digits), rtol=1e-5
    )


def test_gradient_of_the_closed_form_against_differentiation_and_finite_differences(digits, seeded):
    model = Contractive(hidden=(30, 12), code_dim=3, activation="tanh", code_activation="sigmoid")
    kernel, x = model.kernels[0], tf.constant(digits)

    def closed():
        return tf.reduce_sum(model.contraction(x, model.encoder_layers(x)))

    gradients = []
    for norm in (closed, lambda: tf.reduce_sum(differentiated_norm(model.encoder, x))):
        with tf.GradientTape() as tape:
            value = norm()
        gradients.append(tape.gradient(value, kernel.value).numpy())
    np.testing.assert_allclose(*gradients, rtol=1e-3, atol=1e-5)

    weights = np.asarray(kernel)
    direction = np.random.default_rng(0).normal(size=weights.shape).astype(np.float32)
    values = []
    for step in (1e-3, -1e-3):
        kernel.assign(weights + step * direction)
        values.append(float(closed()))
    slope = (values[0] - values[1]) / 2e-3
    assert slope == pytest.approx(float((gradients[0] * direction).sum()), rel=1e-2)


def test_random_directions_estimate_the_norm_without_bias(digits, seeded):
    model = Contractive(**COMMON)
    outputs = model.encoder_layers(digits)
    exact = chain_norm(model.slopes(outputs), model.kernels)
    signs = np.sign(np.random.default_rng(0).normal(size=(16, 4000, 16))).astype(np.float32)
    each = chain_norm(model.slopes(outputs), model.kernels, signs) / 4000
    np.testing.assert_allclose(each, exact, rtol=0.1)


@pytest.mark.slow
def test_the_norm_is_lower_at_equal_reconstruction(mnist, seeded):
    few = mnist.subset(10_000, 1000)
    measured = []
    for weight, epochs in ((0.0, 6), (0.5, 12)):
        keras.utils.set_random_seed(0)
        model = TiedContractive(weight=weight, **PAPER)
        model.compile(keras.optimizers.Adam(3e-3))
        model.fit(few.x_train, batch_size=100, epochs=epochs, verbose=0)
        measured.append(model.evaluate(few.x_test, verbose=0, return_dict=True))
    plain, contractive = measured
    assert contractive["reconstruction"] <= plain["reconstruction"]
    assert contractive["contraction"] < 0.75 * plain["contraction"]


KINDS = {
    "common": lambda: Contractive(**COMMON),
    "tied": lambda: TiedContractive(**PAPER),
    "denoising": lambda: TiedDenoising(**PAPER),
    "stochastic": lambda: Contractive(jacobian="stochastic", **COMMON),
    "automatic": lambda: Contractive(
        jacobian="automatic differentiation", hidden=(32,), code_dim=2
    ),
}
AGAIN = [
    pytest.param(kind, marks=pytest.mark.slow)
    for kind in ("tied", "denoising", "stochastic", "automatic")
]


@pytest.mark.xla
@pytest.mark.parametrize("kind", ["common", *AGAIN])
def test_learns_in_the_compiled_epoch_and_survives_saving(kind, mnist, digits, seeded, tmp_path):
    few = mnist.subset(1000, 300)
    model = KINDS[kind]()
    model.compile()
    before = model.evaluate(few.x_test, verbose=0, return_dict=True)["loss"]
    model.fit(few.x_train, batch_size=50, epochs=3, verbose=0)
    assert model.evaluate(few.x_test, verbose=0, return_dict=True)["loss"] < 0.9 * before
    assert model.reconstruct(digits).shape == digits.shape
    assert model.diagnostics(digits, None)["squared_jacobian_norm"] > 0
    assert model.views(digits, None)["filters"].shape == (
        min(96, dense_layers(model.encoder)[0].units),
        28,
        28,
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.reconstruct(digits), model.reconstruct(digits))
    assert loaded.get_config() == model.get_config()


def test_the_terms_add_up(digits, seeded):
    model = Contractive(weight=0.3, **COMMON)
    terms = {name: np.asarray(value) for name, value in model.loss_terms(digits).items()}
    total = terms["reconstruction"] + 0.3 * terms["contraction"]
    np.testing.assert_allclose(terms["loss"], total, rtol=1e-6)
    np.testing.assert_allclose(terms["contraction"], model.squared_jacobian_norm(digits), rtol=1e-5)


def test_an_activation_without_closed_form_is_refused_unless_differentiated():
    with pytest.raises(ValueError, match="no closed form for the activation 'gelu'"):
        Contractive(activation="gelu", **COMMON)
    Contractive(activation="gelu", jacobian="automatic differentiation", **COMMON)
    with pytest.raises(ValueError, match="jacobian must be one of"):
        Contractive(jacobian="guess")
