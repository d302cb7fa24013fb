"""Hand-written JAX: the whole epoch is one compiled call, a scan over its batches; Adam by hand."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from Code.parts.images import to_unit
from tests.benchmarks.networks import PIXELS, SIDE

RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-7
ACTIVATIONS = {
    "linear": lambda h: h,
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
}


def parameters(weights):
    """``[(kernel, bias)]`` of ``[kernel, bias, ...]``."""
    return [(jnp.asarray(a), jnp.asarray(b)) for a, b in zip(*[iter(weights)] * 2, strict=True)]


def dense(h, layers, weights):
    for (_, activation), (kernel, bias) in zip(layers, weights, strict=True):
        h = ACTIVATIONS[activation](h @ kernel + bias)
    return h


def convolution(h, weights, activation):
    kernel, bias = weights
    h = lax.conv_general_dilated(
        h, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    return ACTIVATIONS[activation](h + bias)


def pool(h):
    return lax.reduce_window(h, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def up(h):
    return jnp.repeat(jnp.repeat(h, 2, axis=1), 2, axis=2)


def code(network, weights, x):
    """Codes of images ``(batch, 784)``; for a VAE ``(mean, log variance)``."""
    if network.kind == "conv":
        h = x.reshape(-1, SIDE, SIDE, 1)
        for layer in weights[: len(network.filters)]:
            h = pool(convolution(h, layer, "relu"))
        return h
    depth = len(network.encoder_layers)
    h = dense(x, network.encoder_layers, weights[:depth])
    if network.kind == "vae":
        return tuple(h @ kernel + bias for kernel, bias in weights[depth : depth + 2])
    return h


def reconstruction(network, weights, z):
    """Images ``(batch, 784)`` of codes."""
    if network.kind == "conv":
        *inner, last = weights[len(network.filters) :]
        for layer in inner:
            z = up(convolution(z, layer, "relu"))
        return convolution(z, last, network.output_activation).reshape(-1, PIXELS)
    return dense(z, network.decoder_layers, weights[-len(network.decoder_layers) :])


def error(network, x, x_hat):
    if network.loss == "mse":
        return jnp.mean(jnp.square(x - x_hat))
    x_hat = jnp.clip(x_hat, EPSILON, 1 - EPSILON)
    return -jnp.mean(x * jnp.log(x_hat) + (1 - x) * jnp.log(1 - x_hat))


def loss(weights, network, x, key):
    z = code(network, weights, x)
    if network.kind != "vae":
        return error(network, x, reconstruction(network, weights, z))
    mean, log_var = z
    z = mean + jnp.exp(0.5 * log_var) * jax.random.normal(key, mean.shape)
    kl = -0.5 * jnp.sum(1 + log_var - jnp.square(mean) - jnp.exp(log_var), axis=1)
    return PIXELS * error(network, x, reconstruction(network, weights, z)) + jnp.mean(kl)


def adam(state, gradients):
    weights, first, second, step = state
    step = step + 1
    first = jax.tree.map(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, first, gradients)
    second = jax.tree.map(lambda v, g: BETA_2 * v + (1 - BETA_2) * g * g, second, gradients)
    rate = RATE * jnp.sqrt(1 - BETA_2**step) / (1 - BETA_1**step)
    weights = jax.tree.map(
        lambda w, m, v: w - rate * m / (jnp.sqrt(v) + EPSILON), weights, first, second
    )
    return weights, first, second, step


@functools.partial(jax.jit, static_argnums=0, static_argnames="batch_size", donate_argnums=1)
def epoch(network, state, images, order, key, batch_size):
    """One pass over ``images`` in ``order``: the new state and the mean loss."""

    def step(state, batch):
        indices, key = batch
        value, gradients = jax.value_and_grad(loss)(state[0], network, images[indices], key)
        return adam(state, gradients), value * indices.shape[0]

    whole = len(order) // batch_size
    last = order[whole * batch_size :]
    keys = jax.random.split(key, whole + 1)
    state, sums = lax.scan(
        step, state, (order[: whole * batch_size].reshape(-1, batch_size), keys[:-1])
    )
    total = jnp.sum(sums)
    if last.shape[0]:
        state, value = step(state, (last, keys[-1]))
        total = total + value
    return state, total / len(order)


def train(network, images, batch_size, epochs, clock, shuffle=True, weights=None):
    x = jnp.asarray(to_unit(images).reshape(-1, PIXELS))
    start = parameters(network.initial_weights() if weights is None else weights)
    zeros = [jax.tree.map(jnp.zeros_like, start) for _ in range(2)]
    state = (start, *zeros, jnp.zeros((), jnp.int32))
    rng = np.random.default_rng(0)
    for i in range(epochs):
        clock.start()
        order = rng.permutation(len(x)) if shuffle else np.arange(len(x))
        state, mean = epoch(
            network,
            state,
            x,
            jnp.asarray(order, jnp.int32),
            jax.random.key(i),
            batch_size=min(batch_size, len(x)),
        )
        clock.stop(float(mean))


def encoder(network):
    weights = parameters(network.initial_weights())

    @jax.jit
    def run(weights, x):
        x = x.astype(jnp.float32) / 255 if x.dtype == jnp.uint8 else x
        found = code(network, weights, x.reshape(-1, PIXELS))
        # A VAE's code is its mean
        return found[0] if isinstance(found, tuple) else found

    def encode(images, batch_size):
        batches = [images[i : i + batch_size] for i in range(0, len(images), batch_size)]
        return np.concatenate([np.asarray(part) for part in [run(weights, b) for b in batches]])

    return encode
