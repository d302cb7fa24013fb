"""Trained networks as the page holds them: chains of dense layers with rounded weights.

    h₀ = x        hₗ = gₗ(hₗ₋₁ Wₗ + bₗ)

A chain is read off a Keras model's graph, whatever variant built it; rounded to as few bits as it
can do with, so that its outputs change as little as possible; and compared with what Keras
computes.
"""

from dataclasses import dataclass, replace

import keras
import numpy as np
from keras import layers

from Code.explorer.text import as_text
from Code.tied import TiedDense

TOLERANCE = 1e-3
# On the images that judge, so that others stay within the tolerance; where one does not, once more
AIMED_AT = (7.5e-4, 2e-4)
DECODERS_SHARE = 0.7  # the rest is left to the codes' own change
N_CHECKED = 100
# Weights are whole multiples of 2^-bits. In a layer of so few numbers, such as those on both sides
# of the code, finer ones cost nothing.
SMALL, FINE = 4096, 20
COARSEST, FINEST, FINER_BY = 10, 18, 0.25
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
    bits : of a rounded layer, not always whole: its numbers are whole multiples of 2^-bits.
    """

    kernel: np.ndarray
    bias: np.ndarray
    activation: str
    bits: float = 0.0


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


def rounded(chain, inputs, bits):
    """The chain with multiples of 2^-bits for weights, as good as can be for ``inputs``.

    Parameters
    ----------
    inputs : array ``(n, ...)`` of what the chain is applied to.
    bits : of the large layers; a `SMALL` one has `FINE` ones.
    """
    h = np.reshape(inputs, (len(inputs), -1)).astype(np.float64)
    result = []
    for d in chain:
        exact = np.vstack([d.kernel, d.bias]).astype(np.float64)
        read = np.column_stack([h, np.ones(len(h))])  # the bias is the weight of a 1
        if exact.size <= SMALL:
            near = Dense(*_apart(multiples(exact, FINE)), d.activation, FINE)
        else:
            near = Dense(*_apart(compensated(exact, read, bits)), d.activation, bits)
        result.append(near)
        h = ACTIVATIONS[d.activation](read @ exact)
    return tuple(result)


def _apart(weights):
    return weights[:-1].astype(np.float32), weights[-1].astype(np.float32)


def multiples(numbers, bits):
    """The whole multiples of 2^-bits that are nearest to numbers."""
    return np.round(numbers * 2.0**bits) * 2.0**-bits


def compensated(weights, x, bits):
    """Weights ``(inputs, units)`` as multiples of 2^-bits such that ``x @ weights`` stays.

    Row after row is rounded, and what that changes in the outputs the rows to come make up for as
    well as they can: with H = xᵀx, the change of row i goes on to the rows behind it in the
    proportions of the i-th row of Cholesky's factor of H⁻¹. The inputs that are large go first.

    Parameters
    ----------
    x : array ``(n, inputs)`` of what the weights are applied to.

    References
    ----------
    Frantar et al. 2022, "GPTQ: accurate post-training quantization for generative pre-trained
    transformers", algorithm 1; Hassibi & Stork 1993.
    """
    h = x.T @ x / len(x)
    order = np.argsort(-h.diagonal(), kind="stable")
    h = h[np.ix_(order, order)]
    # Inputs that hardly vary would be given any weight
    h[np.diag_indices_from(h)] += DAMPING * np.trace(h) / len(h)
    factor = np.linalg.cholesky(np.linalg.inv(h)).T
    left, result = weights[order], np.empty(weights.shape)
    for i, row in enumerate(order):
        result[row] = multiples(left[i], bits)
        change = (left[i] - result[row]) / factor[i, i]
        left[i + 1 :] -= np.outer(factor[i, i + 1 :], change)
    return result


def fewest_bits(chain, inputs, changes, most):
    """The chain `rounded` by ``inputs`` to the fewest bits at which it changes less than ``most``.

    Parameters
    ----------
    changes : function from a rounded chain to how much it changes.
    """
    for bits in np.arange(COARSEST, FINEST, FINER_BY).tolist():
        near = rounded(chain, inputs, bits)
        if changes(near) < most:
            return near
    return rounded(chain, inputs, FINEST)


def run(chain, x):
    """What a chain makes of arrays ``(n, ...)``: ``(n, units)``, in float32 as on the page."""
    h = np.reshape(x, (len(x), -1)).astype(np.float32)
    for d in chain:
        h = ACTIVATIONS[d.activation](h @ d.kernel + d.bias)
    return h


def differences(model, encoder, decoder, images):
    """How far the chains are from Keras on images: ``(image_error, code_error)``, both largest.

    ``image_error`` is in intensity, over the images decoded from Keras's codes and from as many
    places anywhere among them, and those reconstructed from end to end; ``code_error`` is in units
    of the largest code, since codes may be tens of units wide.
    """
    codes, ours = model.encode(images), run(encoder, images)
    decoded_from = np.vstack([codes, places_among(codes, len(codes))])
    pairs = (
        (model.decode(decoded_from), run(decoder, decoded_from)),
        (model.reconstruct(images), run(decoder, ours)),
    )
    image_error = max(float(np.abs(k.reshape(len(k), -1) - o).max()) for k, o in pairs)
    code_error = float(np.abs(codes - ours).max() / max(1.0, np.abs(codes).max()))
    return image_error, code_error


def places_among(codes, n):
    """Random places ``(n, units)`` in the box that holds codes, where the page decodes too."""
    low, high = codes.min(axis=0), codes.max(axis=0)
    return np.random.default_rng(0).uniform(low, high, (n, len(low))).astype(np.float32)


def pack(model, images, known):
    """The chains of an autoencoder, rounded, with their distance from Keras on ``images``.

    Parameters
    ----------
    images : array ``(n, height, width)`` in [0, 1], of which the first hundred are compared.
    known : other such images: the rounding's bits are judged on every fifth, its course goes by the
        rest.

    Raises
    ------
    Unsupported
        If it is no chain of dense layers.
    """
    encoder, decoder = encoder_chain(model), decoder_chain(model)
    for aimed_at in AIMED_AT:
        near = _nearly(encoder, decoder, known, aimed_at)
        errors = differences(model, *near, images[:N_CHECKED])
        if max(errors) < TOLERANCE:
            break
    return Packed(*near, *errors)


def _nearly(encoder, decoder, known, aimed_at):
    """An encoder and a decoder, rounded to the fewest bits at which they change so little."""
    judges = np.arange(len(known)) % 5 == 0
    codes = run(encoder, known)
    places = places_among(codes, len(codes))
    near_decoder = fewest_bits(
        decoder,
        np.vstack([codes[~judges], places[~judges]]),
        _change_of(decoder, np.vstack([codes[judges], places[judges]])),
        DECODERS_SHARE * aimed_at,
    )
    exact, decoded = codes[judges], run(decoder, codes[judges])

    def changes(near):
        ours = run(near, known[judges])
        image_error = np.abs(run(near_decoder, ours) - decoded).max()
        return max(image_error, np.abs(ours - exact).max() / max(1.0, np.abs(exact).max()))

    return fewest_bits(encoder, known[~judges], changes, aimed_at), near_decoder


def _change_of(chain, inputs):
    exact = run(chain, inputs)
    return lambda near: np.abs(run(near, inputs) - exact).max()


def chain_data(chain):
    """A rounded chain as JSON can hold it.

    ``layers`` are [inputs, units, activation, bits], and ``weights`` the multiples of 2^-bits:
    kernel and bias of each layer.
    """
    described, arrays = [], []
    for d in chain:
        described.append([*d.kernel.shape, d.activation, d.bits])
        arrays += [np.round(numbers * 2.0**d.bits) for numbers in (d.kernel, d.bias)]
    return {"layers": described, "weights": as_text(*arrays)}
