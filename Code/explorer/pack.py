"""Trained networks in the form that the page stores: chains of dense layers, rounded weights.

    h₀ = x        hₗ = gₗ(hₗ₋₁ Wₗ + bₗ)

A chain is read from the graph of a Keras model, whichever variant built it. Its weights are rounded
to as few bits as the tolerance allows, in a way that changes its outputs as little as possible, and
its outputs are compared with those of Keras.
"""

from dataclasses import dataclass, replace

import keras
import numpy as np
from keras import layers

from Code.explorer.text import as_text
from Code.tied import TiedDense

TOLERANCE = 1e-3
# Allowed change on the judging images, below TOLERANCE so that other images stay within it too; the
# second, smaller value is used if one of those does not
AIMED_AT = (7.5e-4, 2e-4)
DECODERS_SHARE = 0.7  # the decoder's share of the allowed change; the rest is for the codes
N_CHECKED = 100
# Weights are whole multiples of 2^-bits. A layer of at most SMALL numbers, such as those on both
# sides of the code, uses FINE bits, which costs hardly any space.
SMALL, FINE = 4096, 20
COARSEST, FINEST, FINER_BY = 10, 18, 0.25
DAMPING = 1e-2


class Unsupported(Exception):
    """The model is not a chain of dense layers; the message says which part is not supported."""


@dataclass(frozen=True)
class Dense:
    """One layer ``g(x W + b)``.

    Attributes
    ----------
    kernel : array ``(inputs, units)``.
    bias : array ``(units,)``.
    activation : a name in `ACTIVATIONS`.
    bits : of a rounded layer: its numbers are whole multiples of 2^-bits; may be a fraction.
    """

    kernel: np.ndarray
    bias: np.ndarray
    activation: str
    bits: float = 0.0


@dataclass(frozen=True)
class Packed:
    """The two rounded chains of an autoencoder, and how much the rounding changed.

    Attributes
    ----------
    encoder, decoder : tuples of `Dense`.
    image_error, code_error : as `differences` returns them.
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
    """The chain image → code of an autoencoder; for a VAE, the chain to z_mean.

    Raises
    ------
    Unsupported
        If the path contains a layer that is not dense.
    """
    return chain_to(model.code_of(keras.Input(model.image_shape)))


def decoder_chain(model):
    """The chain code → image of an autoencoder; raises the same error as `encoder_chain`."""
    if len(model.decoder.inputs) != 1:
        raise Unsupported("its decoder reads more than a code")
    return chain_to(model.decoder.outputs[0])


def chain_to(output):
    """The dense layers that compute a symbolic tensor from its single input."""
    chain = []
    for layer, rank in reversed(list(_steps_back(output))):
        if isinstance(layer, layers.Flatten | layers.Reshape):
            continue  # these keep the row order, and the page's vectors are flat in that order
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
        # The kernel belongs to another layer; ``_source()`` returns that layer
        kernel = np.asarray(layer._source().kernel).T
        return Dense(kernel, np.asarray(layer.bias), _activation(layer))
    kernel = np.asarray(layer.kernel)
    bias = np.asarray(layer.bias) if layer.use_bias else np.zeros(layer.units, np.float32)
    return Dense(kernel, bias, _activation(layer))


def _steps_back(tensor):
    """Yield ``(layer, rank of its input)`` from a tensor back to the input, through nested models.

    Keras stores with each symbolic tensor which call of which layer produced it.
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
    """The chain with weights rounded to multiples of 2^-bits, as well as possible for ``inputs``.

    Parameters
    ----------
    inputs : array ``(n, ...)`` of typical inputs of the chain.
    bits : bits of the large layers; a layer of at most `SMALL` numbers gets `FINE` bits.
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
    """The whole multiples of 2^-bits that are nearest to ``numbers``."""
    return np.round(numbers * 2.0**bits) * 2.0**-bits


def compensated(weights, x, bits):
    """Round weights ``(inputs, units)`` to multiples of 2^-bits; ``x @ weights`` hardly changes.

    The rows are rounded one after the other, and the later rows are adjusted to cancel the change
    of the outputs as well as they can: with H = xᵀx, the change of row i is passed to the rows
    after it in proportion to the i-th row of the Cholesky factor of H⁻¹. Large inputs come first.

    Parameters
    ----------
    x : array ``(n, inputs)`` of typical inputs.

    References
    ----------
    Frantar et al. 2022, "GPTQ: accurate post-training quantization for generative pre-trained
    transformers", algorithm 1; Hassibi & Stork 1993.
    """
    h = x.T @ x / len(x)
    order = np.argsort(-h.diagonal(), kind="stable")
    h = h[np.ix_(order, order)]
    # Damping: inputs that hardly vary could otherwise get arbitrary weights
    h[np.diag_indices_from(h)] += DAMPING * np.trace(h) / len(h)
    factor = np.linalg.cholesky(np.linalg.inv(h)).T
    left, result = weights[order], np.empty(weights.shape)
    for i, row in enumerate(order):
        result[row] = multiples(left[i], bits)
        change = (left[i] - result[row]) / factor[i, i]
        left[i + 1 :] -= np.outer(factor[i, i + 1 :], change)
    return result


def fewest_bits(chain, inputs, changes, most):
    """The chain `rounded` on ``inputs`` to the fewest bits with a change of less than ``most``.

    Parameters
    ----------
    changes : function of a rounded chain that returns the size of its change.
    """
    for bits in np.arange(COARSEST, FINEST, FINER_BY).tolist():
        near = rounded(chain, inputs, bits)
        if changes(near) < most:
            return near
    return rounded(chain, inputs, FINEST)


def run(chain, x):
    """The output ``(n, units)`` of a chain for arrays ``(n, ...)``, in float32 as on the page."""
    h = np.reshape(x, (len(x), -1)).astype(np.float32)
    for d in chain:
        h = ACTIVATIONS[d.activation](h @ d.kernel + d.bias)
    return h


def differences(model, encoder, decoder, images):
    """Largest differences of the chains from Keras on images: ``(image_error, code_error)``.

    ``image_error`` is in units of intensity, over images decoded from Keras's codes, images decoded
    from equally many random places among them, and complete reconstructions. ``code_error`` is a
    share of the largest code value, because codes may be as large as tens.
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
    """Random places ``(n, units)`` in the box around the codes; the page decodes there too."""
    low, high = codes.min(axis=0), codes.max(axis=0)
    return np.random.default_rng(0).uniform(low, high, (n, len(low))).astype(np.float32)


def pack(model, images, known):
    """The rounded chains of an autoencoder, with their difference from Keras on ``images``.

    Parameters
    ----------
    images : array ``(n, height, width)`` in [0, 1]; the first hundred are compared with Keras.
    known : other such images: every fifth decides on the number of bits, the others serve as
        typical inputs for the rounding.

    Raises
    ------
    Unsupported
        If the model is not a chain of dense layers.
    """
    encoder, decoder = encoder_chain(model), decoder_chain(model)
    for aimed_at in AIMED_AT:
        near = _nearly(encoder, decoder, known, aimed_at)
        errors = differences(model, *near, images[:N_CHECKED])
        if max(errors) < TOLERANCE:
            break
    return Packed(*near, *errors)


def _nearly(encoder, decoder, known, aimed_at):
    """Encoder and decoder, rounded to the fewest bits with changes of less than ``aimed_at``."""
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
    """A rounded chain as values that JSON can hold.

    ``layers`` is a list of [inputs, units, activation, bits]; ``weights`` holds kernel and bias of
    each layer as multiples of 2^-bits.
    """
    described, arrays = [], []
    for d in chain:
        described.append([*d.kernel.shape, d.activation, d.bits])
        arrays += [np.round(numbers * 2.0**d.bits) for numbers in (d.kernel, d.bias)]
    return {"layers": described, "weights": as_text(*arrays)}
