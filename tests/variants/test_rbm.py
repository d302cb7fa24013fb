"""The RBM against brute force, contrastive divergence, and the deep autoencoder on top."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from Code.foundation.names import load
from Code.parts.images import to_unit
from Code.rbm import RBM, DeepRBM, free_energy, free_energy_gradient, mean_hidden
from Code.stacked import squared_error_of_image
from Code.training.layerwise import run

VISIBLE, HIDDEN = 5, 3


def all_states(n):
    return np.array(list(itertools.product([0.0, 1.0], repeat=n)), np.float32)


@pytest.fixture
def tiny():
    """W, b, c of an RBM with so few units that every state can be listed."""
    rng = np.random.default_rng(0)
    shapes = ((VISIBLE, HIDDEN), (VISIBLE,), (HIDDEN,))
    return [rng.normal(size=shape).astype(np.float32) for shape in shapes]


def brute_free_energy(v, kernel, b, c):
    """−log Σ_h e^{−E(v, h)} over all h."""
    h = all_states(HIDDEN)
    energy = -(v @ b)[:, None] - h @ c - v @ kernel @ h.T
    return -np.log(np.exp(-energy.astype(np.float64)).sum(axis=1))


def log_likelihood(data, parameters):
    """Mean log p(v) in nats, the partition function summed over all states."""
    z = np.exp(-brute_free_energy(all_states(VISIBLE), *parameters)).sum()
    return -brute_free_energy(data, *parameters).mean() - np.log(z)


def test_free_energy_is_that_of_brute_force(tiny):
    v = all_states(VISIBLE)
    found = free_energy(v, *tiny)
    np.testing.assert_allclose(found, brute_free_energy(v, *tiny), rtol=1e-5, atol=1e-5)


def test_free_energy_of_gaussian_hidden_units_is_the_integral(tiny):
    """One Gaussian unit, integrated on a grid; constants drop out in a difference."""
    kernel, b, c = tiny[0][:, :1], tiny[1], tiny[2][:1]
    v = all_states(VISIBLE)
    h = np.linspace(-20, 20, 8001)
    energy = 0.5 * (h - c) ** 2 - (v @ b)[:, None] - v @ kernel * h
    integral = -np.log(np.exp(-energy).sum(axis=1) * (h[1] - h[0]))
    found = np.asarray(free_energy(v, kernel, b, c, binary=False))
    np.testing.assert_allclose(found - found[0], integral - integral[0], atol=1e-4)


def test_free_energy_gradient_is_that_of_brute_force(tiny):
    """data term − model term = −∂ log p / ∂θ, by differences of the enumerated likelihood."""
    rng = np.random.default_rng(1)
    data = all_states(VISIBLE)[rng.integers(0, 2**VISIBLE, 10)]
    states = all_states(VISIBLE)
    p = np.exp(-brute_free_energy(states, *tiny))
    p = (p / p.sum()).astype(np.float32)

    def gradient(v, weights):
        # The expectation over weighted states, from single-state batches
        parts = [free_energy_gradient(s[None], mean_hidden(s[None], tiny[0], tiny[2])) for s in v]
        return [
            sum(w * np.asarray(part[i]) for w, part in zip(weights, parts, strict=True))
            for i in range(3)
        ]

    whole = free_energy_gradient(data, mean_hidden(data, tiny[0], tiny[2]))
    found = [np.asarray(a) - b for a, b in zip(whole, gradient(states, p), strict=True)]
    step = 1e-3
    for i, parameter in enumerate(tiny):
        for index in np.ndindex(parameter.shape):
            values = []
            for sign in (1, -1):
                moved = [q.astype(np.float64) for q in tiny]
                moved[i][index] += sign * step
                values.append(log_likelihood(data, moved))
            slope = (values[0] - values[1]) / (2 * step)
            np.testing.assert_allclose(-found[i][index], slope, atol=1e-5)


def test_free_energy_gradient_is_that_of_automatic_differentiation(tiny):
    v = tf.constant(np.random.default_rng(2).random((7, VISIBLE)), tf.float32)
    parameters = [tf.constant(q) for q in tiny]
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        mean = tf.reduce_mean(free_energy(v, *parameters))
    hidden = mean_hidden(v, tiny[0], tiny[2])
    for ours, theirs in zip(
        free_energy_gradient(v, hidden), tape.gradient(mean, parameters), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def tiny_model(parameters):
    model = RBM(image_shape=(VISIBLE,), code_dim=HIDDEN, weight_decay=0.0)
    for variable, value in zip(model.trained_variables, parameters, strict=True):
        variable.assign(value)
    return model


def test_hidden_units_are_drawn_from_their_probabilities(tiny, seeded):
    hidden = np.asarray(mean_hidden(all_states(VISIBLE)[:4], tiny[0], tiny[2]))
    often = np.repeat(hidden[None], 3000, axis=0)
    drawn = np.asarray(tiny_model(tiny).sample_hidden(often))
    assert set(np.unique(drawn)) == {0, 1}
    np.testing.assert_allclose(drawn.mean(axis=0), hidden, atol=0.05)
    gaussian = RBM(image_shape=(VISIBLE,), code_dim=HIDDEN, code_activation="linear")
    drawn = np.asarray(gaussian.sample_hidden(often))
    np.testing.assert_allclose(drawn.mean(axis=0), hidden, atol=0.1)
    np.testing.assert_allclose(drawn.std(axis=0), 1, atol=0.1)


def test_contrastive_divergence_raises_the_exact_likelihood(seeded):
    """Training through the compiled epoch, judged by the enumerated likelihood."""
    rng = np.random.default_rng(3)
    first = rng.random((600, 1)) < 0.7
    data = (rng.random((600, VISIBLE)) < np.where(first, 0.9, 0.1)).astype(np.float32)
    model = tiny_model([0.1 * rng.normal(size=s) for s in ((VISIBLE, HIDDEN), VISIBLE, HIDDEN)])
    before = log_likelihood(data, [np.asarray(v) for v in model.trained_variables])
    model.compile(keras.optimizers.SGD(0.1, momentum=0.5))
    model.fit(data, batch_size=50, epochs=30, verbose=0)
    after = log_likelihood(data, [np.asarray(v) for v in model.trained_variables])
    independent = data.mean(axis=0)
    entropy = np.sum(
        independent * np.log(independent) + (1 - independent) * np.log(1 - independent)
    )
    assert after > before + 0.5
    assert after > entropy + 0.2  # it knows more than each pixel's own mean


@pytest.mark.xla
def test_shapes_tied_kernel_and_saving(mnist, digits, seeded, tmp_path):
    model = RBM(code_dim=32)
    assert len(model.trained_variables) == 3
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9))
    history = model.fit(mnist.x_train[:1050], batch_size=100, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert set(history) == {"loss", "free_energy"}
    kernel, visible_bias, hidden_bias = (np.asarray(v) for v in model.trained_variables)
    h = 1 / (1 + np.exp(-(digits.reshape(16, -1) @ kernel + hidden_bias)))
    x_hat = 1 / (1 + np.exp(-(h @ kernel.T + visible_bias)))
    np.testing.assert_allclose(model.encode(digits), h, atol=1e-5)
    np.testing.assert_allclose(model.reconstruct(digits).reshape(16, -1), x_hat, atol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.reconstruct(digits), model.reconstruct(digits))
    loaded.fit(mnist.x_train[:192], epochs=1, verbose=0)


@pytest.mark.parametrize(
    "wrong", [{"code_activation": "relu"}, {"hidden": (3,)}, {"output_activation": "linear"}]
)
def test_what_is_no_rbm_is_refused(wrong):
    with pytest.raises(ValueError, match="RBM"):
        RBM(**wrong)


def test_deep_autoencoder_of_the_paper():
    model = DeepRBM()
    assert [up.units for up, _ in model.pairs] == [1000, 500, 250, 30]
    assert [model.layer(level).binary for level in (1, 2, 3, 4)] == [True, True, True, False]


@pytest.mark.slow
def test_pretrained_deep_autoencoder_beats_pca_with_as_many_components(mnist):
    from sklearn.decomposition import PCA

    from Code.experiments.row import Experiment, Stage, adam

    few = mnist.subset(6000, 1000)
    sgd = {"class_name": "sgd", "config": {"learning_rate": 0.05, "momentum": 0.9}}
    slow = {"class_name": "sgd", "config": {"learning_rate": 0.001, "momentum": 0.9}}
    row = Experiment(
        "test",
        "rbm",
        "corrected",
        "a test",
        "Code.rbm:DeepRBM",
        {"hidden": (256, 128), "code_dim": 10},
        (
            Stage("layer-1", 5, 100, sgd),
            Stage("layer-2", 5, 100, sgd),
            Stage("layer-3", 5, 100, slow),
            Stage("unsupervised", 8, 100, adam(1e-3)),
            Stage("unsupervised-from-scratch", 8, 100, adam(1e-3)),
        ),
        procedure="Code.training.layerwise:run",
    )
    assert load(row.procedure) is run
    outcome = run(row, few, 0, lambda n: None)
    error = {m["stage"]: m["value"] for m in outcome.metrics if m["metric"] == "squared_error"}
    flat, test = (to_unit(x).reshape(len(x), -1) for x in (few.x_train, few.x_test))
    pca = PCA(10).fit(flat)
    of_pca = squared_error_of_image(test, pca.inverse_transform(pca.transform(test)))
    assert error["unsupervised"] < of_pca
    assert error["unsupervised"] < error["layer-3"]
    assert error["unsupervised"] < error["unsupervised-from-scratch"]
