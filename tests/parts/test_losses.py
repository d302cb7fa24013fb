"""Each loss against a closed form, and its gradient against finite differences."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import norm

from Code.parts import losses


@pytest.fixture(scope="module")
def pair(mnist):
    """Two digits as targets and, blurred towards one half, as predictions; float64."""
    x = mnist.x_test[:2].astype(np.float64) / 255
    x_hat = 0.25 + 0.5 * mnist.x_test[2:4].astype(np.float64) / 255
    return x, x_hat


def finite_difference(function, at, index, step=1e-6):
    plus, minus = at.copy(), at.copy()
    plus[index] += step
    minus[index] -= step
    return (float(function(plus)) - float(function(minus))) / (2 * step)


def assert_gradient(function, at, indices):
    point = tf.constant(at)
    with tf.GradientTape() as tape:
        tape.watch(point)
        value = function(point)
    gradient = tape.gradient(value, point).numpy()
    for index in indices:
        expected = finite_difference(function, at, index)
        assert gradient[index] == pytest.approx(expected, rel=1e-5, abs=1e-9)


PIXELS = [(0, 14, 14), (0, 3, 5), (1, 10, 18)]


@pytest.mark.parametrize("loss", [losses.squared_error, losses.binary_cross_entropy])
def test_reconstruction_gradient(pair, loss):
    x, x_hat = pair
    assert_gradient(lambda p: tf.reduce_sum(loss(tf.constant(x), p)), x_hat, PIXELS)


def test_the_mean_over_pixels_trains_as_a_mean_to_the_bit(mnist):
    images = tf.constant(mnist.x_test[:100] / np.float32(255))

    def gradient(mean):
        with tf.GradientTape() as tape:
            tape.watch(images)
            value = tf.reduce_mean(mean(tf.square(images)))
        return tape.gradient(value, images)

    of_pixel_mean, of_mean = (
        tf.function(gradient, jit_compile=True)(mean).numpy()
        for mean in (losses.pixel_mean, lambda values: tf.reduce_mean(values, axis=(1, 2)))
    )
    assert np.ptp(of_mean) > 0
    assert np.array_equal(of_pixel_mean, of_mean)


def test_squared_error_is_the_mean_over_pixels(pair):
    x, x_hat = pair
    expected = ((x - x_hat) ** 2).mean(axis=(1, 2))
    np.testing.assert_allclose(losses.squared_error(x, x_hat), expected, rtol=1e-10)


def test_cross_entropy_is_the_mean_over_pixels_in_nats(pair):
    x, x_hat = pair
    expected = -(x * np.log(x_hat) + (1 - x) * np.log(1 - x_hat)).mean(axis=(1, 2))
    np.testing.assert_allclose(losses.binary_cross_entropy(x, x_hat), expected, rtol=1e-6)


def test_cross_entropy_is_finite_for_certain_predictions(pair):
    x, _ = pair
    certain = (x < 0.5).astype(np.float64)
    assert np.isfinite(np.asarray(losses.binary_cross_entropy(x, certain))).all()


def test_kl_equals_the_integral():
    mean, log_var = np.array([[0.7]]), np.array([[-0.9]])
    z = np.linspace(-12, 12, 200_001)
    q, p = norm(0.7, np.exp(-0.45)), norm()
    integral = np.trapezoid(q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), z)
    assert float(losses.kl_to_standard_normal(mean, log_var)[0]) == pytest.approx(
        integral, rel=1e-6
    )


def test_kl_gradient():
    mean = np.array([[0.3, -1.2]])
    log_var = np.array([[0.4, -0.6]])
    where = [(0, 0), (0, 1)]
    assert_gradient(lambda m: tf.reduce_sum(losses.kl_to_standard_normal(m, log_var)), mean, where)
    assert_gradient(lambda v: tf.reduce_sum(losses.kl_to_standard_normal(mean, v)), log_var, where)


def test_kl_of_the_prior_is_zero():
    zeros = np.zeros((3, 2))
    np.testing.assert_allclose(losses.kl_to_standard_normal(zeros, zeros), 0, atol=1e-12)


def test_label_losses_against_their_formulas():
    labels = np.array([2, 0])
    p = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
    one_hot = np.eye(3)[labels]
    np.testing.assert_allclose(
        losses.squared_error_on_labels(labels, p), ((one_hot - p) ** 2).mean(axis=1), rtol=1e-6
    )
    np.testing.assert_allclose(
        losses.cross_entropy_on_labels(labels, p), -np.log([0.5, 0.6]), rtol=1e-6
    )


@pytest.mark.parametrize("loss", [losses.squared_error_on_labels, losses.cross_entropy_on_labels])
def test_label_gradient(loss):
    # As a function of the logits: a change of one probability alone would leave the simplex
    labels = tf.constant([2, 0])
    logits = np.array([[0.1, -0.4, 0.8], [1.0, 0.2, -0.7]])
    assert_gradient(
        lambda v: tf.reduce_sum(loss(labels, tf.nn.softmax(v))), logits, [(0, 0), (0, 2), (1, 1)]
    )
