"""Trained networks as the page holds them: chains of dense layers with weights in float16.

    h₀ = x        hₗ = gₗ(hₗ₋₁ Wₗ + bₗ)

A chain is read off a Keras model's graph, whatever variant built it, rounded so that its outputs
change as little as possible, and compared with what Keras computes.
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
# A layer of so few numbers, such as those on both sides of the code, takes two float16s for each
SMALL = 4096
DAMPING = 1e-2


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
    """The two chains of an autoencoder, rounded, and what the rounding changed.

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


def rounded(chain, inputs):
    """The chain in numbers that float16 holds, as good as can be for inputs like ``(n, ...)``.

    The numbers of a `SMALL` layer become sums of two float16s each, those of a larger one are
    float16s.
    """
    h = np.reshape(inputs, (len(inputs), -1)).astype(np.float64)
    result = []
    for d in chain:
        exact = np.vstack([d.kernel, d.bias]).astype(np.float64)
        read = np.column_stack([h, np.ones(len(h))])  # the bias is the weight of a 1
        near = sum(two_halves(exact)) if exact.size <= SMALL else compensated(exact, read)
        result.append(Dense(near[:-1], near[-1], d.activation))
        h = ACTIVATIONS[d.activation](read @ exact)
    return tuple(result)


def two_halves(numbers):
    """Numbers as float16 and what that leaves of them, as float16 too; both come as float32."""
    first = numbers.astype("<f2").astype(np.float32)
    return first, (numbers - first).astype("<f2").astype(np.float32)


def compensated(weights, x):
    """Weights ``(inputs, units)`` in float16 (given as float32) such that ``x @ weights`` stays.

    Row after row is rounded, and what that changes in the outputs the rows to come make up for as
    well as they can: with H = xᵀx, the change of row i goes on to the rows behind it in the
    proportions of the i-th row of Cholesky's factor of H⁻¹.

    Parameters
    ----------
    x : array ``(n, inputs)`` of what the weights are applied to.

    References
    ----------
    Frantar et al. 2022, "GPTQ: accurate post-training quantization for generative pre-trained
    transformers", algorithm 1; Hassibi & Stork 1993.
    """
    h = x.T @ x / len(x)
    # Inputs that hardly vary would be given any weight
    h[np.diag_indices_from(h)] += DAMPING * np.trace(h) / len(h)
    factor = np.linalg.cholesky(np.linalg.inv(h)).T
    weights, result = weights.copy(), np.empty(weights.shape, np.float32)
    for i in range(len(weights)):
        result[i] = weights[i].astype("<f2")
        change = (weights[i] - result[i]) / factor[i, i]
        weights[i + 1 :] -= np.outer(factor[i, i + 1 :], change)
    return result


def run(chain, x):
    """What a chain makes of arrays ``(n, ...)``: ``(n, units)``, in float32 as on the page."""
    h = np.reshape(x, (len(x), -1)).astype(np.float32)
    for d in chain:
        h = ACTIVATIONS[d.activation](h @ d.kernel + d.bias)
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


def pack(model, images, known):
    """The chains of an autoencoder in float16, with their distance from Keras on ``images``.

    Parameters
    ----------
    images : array ``(n, height, width)`` in [0, 1], of which the first hundred are compared.
    known : other such images, by which the rounding goes.

    Raises
    ------
    Unsupported
        If it is no chain of dense layers.
    """
    encoder = rounded(encoder_chain(model), known)
    decoder = rounded(decoder_chain(model), model.encode(known))
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
    """A rounded chain as JSON can hold it.

    ``layers`` are [inputs, units, activation, float16s a number], and ``weights`` the numbers:
    kernel and bias of each layer, or the kernel's first parts, its second, and so the bias's.
    """
    described, arrays = [], []
    for d in chain:
        kernel, bias = two_halves(d.kernel), two_halves(d.bias)
        parts = 2 if kernel[1].any() or bias[1].any() else 1
        described.append([*d.kernel.shape, d.activation, parts])
        arrays += [*kernel[:parts], *bias[:parts]]
    return {"layers": described, "weights": as_text(*arrays)}
