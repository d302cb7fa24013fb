"""This project with one of its levers taken away, or with one that it does not use.

They show what each lever is worth, and what was tried where a target is missed.
"""

import os
from dataclasses import dataclass

from Code.foundation.own_process import set_xla_flags
from tests.benchmarks.contenders import ours

ALL, DENSE, CONV = ("ae", "dae", "cae", "vae"), ("ae", "dae", "vae"), ("cae",)


def as_it_is(network):
    """Nothing is changed."""
    return ours.build(network)


def memory_returned(network):
    """Freed memory goes back to the kernel, as the C library has it by default."""
    from Code.parts import whole_epoch

    whole_epoch.keep_freed_memory = lambda: None
    return ours.build(network)


def without_ynnpack(network):
    """XLA computes small matrix products itself, as by its defaults."""
    os.environ.pop("XLA_FLAGS", None)
    return ours.build(network)


def without_xla(network):
    """The epoch is one call, but nothing in it is compiled by XLA."""
    model = ours.build(network)
    model.jit_compile = False
    return model


def with_xla(network):
    """XLA compiles the convolutions too."""
    model = ours.build(network)
    model.jit_compile = True
    return model


def with_flag(flag):
    """XLA compiles with a flag beside those of a run."""

    def build(network):
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flag}".strip()
        return ours.build(network)

    return build


# Its default is 256 bits
WIDE_VECTORS = "--xla_cpu_prefer_vector_width=512"
CONCURRENT = "--xla_cpu_enable_concurrency_optimized_scheduler=true"
BY_ONEDNN = "--xla_cpu_experimental_onednn_fusion_type=LIBRARY_FUSION_TYPE_DOT"


def plain_layers(network):
    """``UpSampling2D`` and ``Conv2D`` instead of the sub-pixel convolution."""
    from keras import layers, ops

    from Code.parts.subpixel import UpConv2D

    grow = layers.UpSampling2D(2)

    def call(self, inputs):
        h = ops.conv(grow(inputs), self.kernel, padding="same") + self.bias
        return self.activation(h)

    UpConv2D.call = call
    return ours.build(network)


def compiled_loss(network):
    """XLA compiles the loss alone, inside a graph that it does not compile."""
    import tensorflow as tf

    from Code.parts.losses import RECONSTRUCTION_LOSSES

    loss = RECONSTRUCTION_LOSSES[network.loss]
    RECONSTRUCTION_LOSSES[network.loss] = tf.function(loss, jit_compile=True)
    return ours.build(network)


@dataclass(frozen=True)
class Way:
    """One way of training with this project.

    ``threads`` is how many it may use, None for as many as the others.
    """

    name: str
    networks: tuple[str, ...]
    build: callable
    threads: int | None = None


WAYS = {
    way.name: way
    for way in (
        Way("ours", ALL, as_it_is),
        Way("one_thread", ALL, as_it_is, threads=1),
        Way("memory_returned", ALL, memory_returned),
        Way("without_ynnpack", DENSE, without_ynnpack),
        Way("without_xla", DENSE, without_xla),
        Way("wide_vectors", DENSE, with_flag(WIDE_VECTORS)),
        Way("concurrent_scheduler", DENSE, with_flag(CONCURRENT)),
        Way("products_by_onednn", DENSE, with_flag(BY_ONEDNN)),
        Way("with_xla", CONV, with_xla),
        Way("plain_layers", CONV, plain_layers),
        Way("compiled_loss", CONV, compiled_loss),
    )
}


def train(way, network, images, batch_size, epochs, clock):
    """Train ``network`` in one of the ``WAYS``; as for any contender."""
    set_xla_flags()
    ours.fit(WAYS[way].build(network), images, batch_size, epochs, clock)
