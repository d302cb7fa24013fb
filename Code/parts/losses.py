"""Losses as in the papers, with one value per image so that any mean can be taken later.

Every function takes tensors of any Keras backend and returns a tensor of shape ``(batch,)``.
"""

import math

import keras
from keras import ops


def pixel_mean(values):
    """Mean over an image's pixels, ``1/D Σ_j v_j``.

    The sum is written as a product with ones: XLA would add the pixels of a sum one after the
    other, which takes a quarter of an epoch of the smallest network. Compiled by XLA, the gradient
    equals that of the mean to the bit.

    Parameters
    ----------
    values : tensor ``(batch, ...)`` whose shape is known except for the batch.
    """
    size = math.prod(values.shape[1:])
    ones = ops.ones((size,), dtype=values.dtype)
    return ops.matmul(ops.reshape(values, (-1, size)), ones) / size


def squared_error(x, x_hat):
    """Mean squared error per pixel, ``1/D ‖x − x̂‖²``.

    Parameters
    ----------
    x, x_hat : tensors ``(batch, ...)`` of equal shape; x_hat may lie outside [0, 1].
    """
    return pixel_mean(ops.square(x - x_hat))


def binary_cross_entropy(x, x_hat):
    """Mean cross-entropy a pixel in nats, ``−1/D Σ x log x̂ + (1 − x) log(1 − x̂)``.

    The predictions are clipped to [ε, 1 − ε] with Keras's ε = 1e-7, as Keras's own loss does, so
    that the published figures can be compared.

    Parameters
    ----------
    x : tensor ``(batch, ...)``, targets in [0, 1].
    x_hat : tensor of the same shape, probabilities in [0, 1].
    """
    epsilon = keras.config.epsilon()
    x_hat = ops.clip(x_hat, epsilon, 1.0 - epsilon)
    return pixel_mean(-(x * ops.log(x_hat) + (1.0 - x) * ops.log(1.0 - x_hat)))


def kl_to_standard_normal(z_mean, z_log_var):
    """``KL(N(μ, σ²) ‖ N(0, 1)) = −½ Σ_j (1 + log σ_j² − μ_j² − σ_j²)`` in nats.

    Source: Kingma & Welling 2013, appendix B.

    Parameters
    ----------
    z_mean, z_log_var : tensors ``(batch, code)``.
    """
    return -0.5 * ops.sum(1.0 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var), axis=-1)


def squared_error_on_labels(labels, probabilities):
    """Mean squared error of softmax outputs against one-hot labels (the published head's loss).

    Parameters
    ----------
    labels : integer tensor ``(batch,)``.
    probabilities : tensor ``(batch, classes)``.
    """
    one_hot = ops.one_hot(labels, ops.shape(probabilities)[-1], dtype=probabilities.dtype)
    return pixel_mean(ops.square(one_hot - probabilities))


def cross_entropy_on_labels(labels, probabilities):
    """``−log p(label)`` in nats.

    Parameters
    ----------
    labels : integer tensor ``(batch,)``.
    probabilities : tensor ``(batch, classes)``.
    """
    return ops.sparse_categorical_crossentropy(labels, probabilities)


RECONSTRUCTION_LOSSES = {"mse": squared_error, "binary cross-entropy": binary_cross_entropy}
LABEL_LOSSES = {"mse": squared_error_on_labels, "cross-entropy": cross_entropy_on_labels}
