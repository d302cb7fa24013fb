"""Trained networks as the page holds them: chains of dense layers with weights in float16.

    h₀ = x        hₗ = gₗ(hₗ₋₁ Wₗ + bₗ)

A chain is read off a Keras model's graph, whatever variant built it, rounded, and compared with
what Keras computes.
"""

import base64
import zlib
from dataclasses import dataclass, replace

import keras
import numpy as np
from keras import layers

from Code.tied import TiedDense

TOLERANCE = 1e-3
N_CHECKED = 100


class Unsupported(Exception):
    """A model that is no chain of dense layers; the message says what stands in the way."""


@dataclass(frozen=True)
class Dense:
    """One layer ``g(x W + b)``.

    Attributes
    ----------
    kernel : array ``(inputs, units)``.
    bias : array ``(units,)``.
    activation : a name in `ACTIVATIONS`.
    """

    kernel: np.ndarray
    bias: np.ndarray
    activation: str


@dataclass(frozen=True)
class Packed:
    """The two chains of an autoencoder, in float16, and what the rounding changed.

    Attributes
    ----------
    encoder, decoder : tuples of `Dense`.
    image_error, code_error : as `differences` gives them.
    """

    encoder: tuple
    decoder: tuple
    image_error: float
    code_error: float


def _sigmoid(x):
    return 0.5 + 0.5 * np.tanh(0.5 * x)  # no overflow, whatever x


def _softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "softmax": _softmax,
}


# From Keras's graph to a chain --------------------------------------------------------------------


def encoder_chain(model):
    """The chain image → code of an autoencoder; of a VAE the one to the mean.

    Raises
    ------
    Unsupported
        If there is another layer than a dense one on the way.
    """
    return chain_to(model.code_of(keras.Input(model.image_shape)))


def decoder_chain(model):
    """The chain code → image of an autoencoder (raises as `encoder_chain` does)."""
    if len(model.decoder.inputs) != 1:
        raise Unsupported("its decoder reads more than a code")
    return chain_to(model.decoder.outputs[0])


def chain_to(output):
    """The dense layers by which a symbolic tensor follows from the one input behind it."""
    chain = []
    for layer, rank in reversed(list(_steps_back(output))):
        if isinstance(layer, layers.Flatten | layers.Reshape):
            continue  # the page's vectors are flat, in the order of the rows, as these leave them
        if type(layer) not in (layers.Dense, layers.Activation, TiedDense):
            raise Unsupported(
                f"it has a layer {type(layer).__name__}, and the page knows dense ones"
            )
        if rank != 2:
            raise Unsupported(f"its layer {layer.name} reads no vector")
        if type(layer) is not layers.Activation:
            chain.append(_dense(layer))
        elif chain and chain[-1].activation == "linear":
            chain.append(replace(chain.pop(), activation=_activation(layer)))
        else:
            raise Unsupported(f"its layer {layer.name} follows another activation")
    return tuple(chain)


def _dense(layer):
    if isinstance(layer, TiedDense):
        # The kernel is another layer's: this one holds a function that returns that layer
        kernel = np.asarray(layer._source().kernel).T
        return Dense(kernel, np.asarray(layer.bias), _activation(layer))
    kernel = np.asarray(layer.kernel)
    bias = np.asarray(layer.bias) if layer.use_bias else np.zeros(layer.units, np.float32)
    return Dense(kernel, bias, _activation(layer))


def _steps_back(tensor):
    """``(layer, rank of its input)`` from a tensor back to the input, through nested models.

    Keras keeps with each symbolic tensor which call of which layer it came from.
    """
    while True:
        operation, call, index = tensor._keras_history
        if isinstance(operation, layers.InputLayer):
            return
        sources = operation._inbound_nodes[call].input_tensors
        if len(sources) != 1:
            raise Unsupported(f"its {operation.name} joins {len(sources)} inputs")
        if isinstance(operation, keras.Model):
            yield from _steps_back(operation.outputs[index])
        else:
            yield operation, len(sources[0].shape)
        tensor = sources[0]


def _activation(layer):
    name = keras.activations.serialize(layer.activation)
    if name not in ACTIVATIONS:
        raise Unsupported(f"it has the activation {name}; the page knows {', '.join(ACTIVATIONS)}")
    return name


# Rounding and its check ---------------------------------------------------------------------------


def halved(chain):
    """The chain with all numbers rounded to float16."""
    return tuple(Dense(d.kernel.astype("<f2"), d.bias.astype("<f2"), d.activation) for d in chain)


def run(chain, x):
    """What a chain makes of arrays ``(n, ...)``: ``(n, units)``, in float32 as on the page."""
    h = np.reshape(x, (len(x), -1)).astype(np.float32)
    for d in chain:
        h = ACTIVATIONS[d.activation](h @ d.kernel.astype(np.float32) + d.bias.astype(np.float32))
    return h


def differences(model, encoder, decoder, images):
    """How far the chains are from Keras on images: ``(image_error, code_error)``, both largest.

    ``image_error`` is in intensity, over the images decoded from Keras's codes and those
    reconstructed from end to end; ``code_error`` is in units of the largest code, since codes may
    be tens of units wide.
    """
    codes, ours = model.encode(images), run(encoder, images)
    pairs = (
        (model.decode(codes), run(decoder, codes)),
        (model.reconstruct(images), run(decoder, ours)),
    )
    image_error = max(float(np.abs(k.reshape(len(k), -1) - o).max()) for k, o in pairs)
    code_error = float(np.abs(codes - ours).max() / max(1.0, np.abs(codes).max()))
    return image_error, code_error


def pack(model, images):
    """The chains of an autoencoder in float16, with their distance from Keras on ``images``.

    Raises
    ------
    Unsupported
        If it is no chain of dense layers.
    """
    encoder, decoder = halved(encoder_chain(model)), halved(decoder_chain(model))
    return Packed(encoder, decoder, *differences(model, encoder, decoder, images[:N_CHECKED]))


# Text ---------------------------------------------------------------------------------------------


def as_text(*arrays):
    """Numbers as text: float16, first their low bytes and then their high ones, deflated, base64.

    The high bytes, sign and exponent, are much alike; apart from the low ones they deflate well.
    """
    numbers = np.concatenate([np.ravel(array) for array in arrays]).astype("<f2")
    planes = numbers.view(np.uint8).reshape(-1, 2).T
    return base64.b64encode(zlib.compress(planes.tobytes(), 9)).decode("ascii")


def chain_data(chain):
    """A chain as JSON can hold it: ``layers`` as [inputs, units, activation], and ``weights``."""
    return {
        "layers": [[*d.kernel.shape, d.activation] for d in chain],
        "weights": as_text(*(array for d in chain for array in (d.kernel, d.bias))),
    }
