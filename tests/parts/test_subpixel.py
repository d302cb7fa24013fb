"""The fast layer equals the plain ones, forwards and backwards."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from Code.parts.subpixel import UpConv2D


@pytest.fixture(scope="module")
def both(mnist):
    """The fast layer, the plain pair with the same weights, and an input of two channels."""
    keras.utils.set_random_seed(0)
    image = keras.Input((14, 14, 2))
    fast = keras.Model(image, UpConv2D(5, "relu", name="conv")(image))
    up = layers.UpSampling2D(2)(image)
    plain = keras.Model(image, layers.Conv2D(5, 3, padding="same", activation="relu")(up))
    plain.set_weights(fast.get_weights())
    x = mnist.x_test[:8].astype(np.float32) / 255
    return fast, plain, np.stack([x[:, ::2, ::2], x[:, 1::2, 1::2]], axis=-1)


def test_outputs_are_equal(both):
    fast, plain, x = both
    np.testing.assert_allclose(fast(x), plain(x), atol=1e-5)
    assert fast.output_shape == plain.output_shape


def test_gradients_are_equal(both):
    fast, plain, x = both
    gradients = []
    for model in (fast, plain):
        h = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(h)
            loss = tf.reduce_mean(tf.square(model(h) - 0.3))
        gradients.append(tape.gradient(loss, [h, *[v.value for v in model.trainable_variables]]))
    for a, b in zip(*gradients, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_saves_and_loads(both, tmp_path):
    fast, _, x = both
    fast.save(tmp_path / "fast.keras")
    loaded = keras.saving.load_model(tmp_path / "fast.keras")
    np.testing.assert_array_equal(loaded(x), fast(x))
