"""Transposed convolutions as adjoints, and the stacked convolutional autoencoder."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from Code.conv import ConvAE, ConvLayer, StackedConvAE
from Code.experiments.row import Experiment, Stage
from Code.training.layerwise import pretrain, run
from Code.training.procedure import Outcome
from tests.support import some, trains_on

MODELS = {
    "transposed": lambda **more: ConvAE(filters=(4, 8), hidden=(16,), code_dim=6, **more),
    "stacked": lambda **more: StackedConvAE(filters=(4, 8), **more),
}


@pytest.fixture(params=some(MODELS, "transposed"), ids=str)
def make(request):
    return MODELS[request.param]


def test_shapes_and_halving(digits, seeded):
    model = ConvAE(filters=(4, 8), hidden=(16,), code_dim=6)
    assert model.encode(digits).shape == (16, 6)
    assert model.reconstruct(digits).shape == digits.shape
    stack = StackedConvAE(filters=(4, 8))
    assert stack.encode(digits).shape == (16, 7, 7, 8)
    assert stack.features(1, digits).shape == (16, 14, 14, 4)
    np.testing.assert_allclose(stack.features(2, digits), stack.encode(digits), atol=1e-6)


def test_deconvolution_is_the_adjoint_of_the_convolution(seeded):
    """⟨W x, y⟩ = ⟨x, Wᵀ y⟩ with one kernel both ways, at stride 2."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 14, 14, 3)).astype(np.float32)
    y = rng.normal(size=(2, 7, 7, 5)).astype(np.float32)
    kernel = rng.normal(size=(3, 3, 3, 5)).astype(np.float32)
    down = keras.ops.conv(x, kernel, strides=2, padding="same")
    up = keras.layers.Conv2DTranspose(3, 3, 2, padding="same", use_bias=False)
    up.build((None, 7, 7, 5))
    up.kernel.assign(kernel)
    np.testing.assert_allclose(np.sum(down * y), np.sum(x * up(y)), rtol=1e-4)


def test_decoder_s_gradient_against_finite_differences(digits, seeded):
    model = ConvAE(filters=(2, 3), code_dim=4, activation="tanh")
    x = tf.constant(digits[:4])
    kernel = model.decoder.get_layer("pixels").kernel
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model.loss_terms(x)["loss"])
    gradient = tape.gradient(loss, kernel.value).numpy()
    start, values = kernel.numpy(), []
    direction = gradient / np.linalg.norm(gradient)
    for step in (1e-2, -1e-2):
        kernel.assign(start + step * direction)
        values.append(float(tf.reduce_mean(model.loss_terms(x)["loss"])))
    np.testing.assert_allclose((values[0] - values[1]) / 2e-2, np.linalg.norm(gradient), rtol=2e-2)


def test_learning_and_saving(make, mnist, digits, seeded, tmp_path):
    few = mnist.subset(640, 200)
    model = make(n_classes=10)
    model.compile()
    before = model.evaluate(few.x_test, verbose=0, return_dict=True)["loss"]
    model.fit(few.x_train, batch_size=32, epochs=4, verbose=0)
    assert model.evaluate(few.x_test, verbose=0, return_dict=True)["loss"] < 0.8 * before
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.reconstruct(digits), model.reconstruct(digits))
    assert loaded.filters == model.filters
    trains_on(loaded, few.x_train[:64])


def test_convolutions_are_kept_from_xla(make, xla_of):
    model = make(n_classes=10)
    for trained in (model, model.classifier):
        assert xla_of(trained, steps=10**6) is False


@pytest.mark.slow
def test_levels_adopt_their_layers(mnist, digits, seeded):
    few = mnist.subset(200, 50)
    model = StackedConvAE(filters=(3, 4))
    before = [[w.copy() for w in layer.get_weights()] for pair in model.pairs for layer in pair]
    pretrain(model, 2, Stage("layer-2", 1, 50), few, Outcome(), lambda n: None)
    after = [layer.get_weights() for pair in model.pairs for layer in pair]
    for i, (old, new) in enumerate(zip(before, after, strict=True)):
        same = all((a == b).all() for a, b in zip(old, new, strict=True))
        assert same == (i // 2 != 1)
    layer = model.layer(1)
    model.adopt(1, layer)
    np.testing.assert_allclose(model.features(1, digits), layer.encode(digits), atol=1e-6)


def test_a_level_masks_its_input(digits, seeded):
    layer = ConvLayer(image_shape=(28, 28), code_dim=2)
    ink = digits > 0
    kept = (np.asarray(layer.corrupt(digits)) > 0)[ink].mean()
    assert abs(kept - 0.7) < 0.05


@pytest.mark.slow
def test_encoder_becomes_the_classifier(mnist, seeded):
    """The course of Masci et al., small, and equal shares for the network from scratch."""
    stages = (
        Stage("layer-1", 2, 32),
        Stage("layer-2", 2, 32),
        Stage("supervised", 15, 20),
        Stage("supervised-from-scratch", 15, 20),
    )
    settings = {
        "filters": (6, 8),
        "n_classes": 10,
        "n_labels": 200,
        "reconstruction": "binary cross-entropy",
    }
    row = Experiment(
        "test",
        "conv",
        "corrected",
        "a test",
        "Code.conv:StackedConvAE",
        settings,
        stages,
        procedure="Code.training.layerwise:run",
    )
    outcome = run(row, mnist.subset(2000, 500), 0, lambda n: None)
    accuracy = {
        m["stage"]: m["value"]
        for m in outcome.metrics
        if (m["metric"], m["split"]) == ("accuracy", "test")
    }
    assert accuracy["supervised"] > 0.6
    assert set(accuracy) == {"supervised", "supervised-from-scratch"}
