"""This project: a variant and its ``fit``."""

from importlib import import_module

from Code.experiments.table import EXPERIMENTS
from Code.foundation.own_process import set_xla_flags
from tests.benchmarks.clock import keras_clock


def build(network):
    """The variant that the network's experiment trains, compiled as it is trained."""
    row = EXPERIMENTS[network.experiment]
    module, _, name = row.model.partition(":")
    model = getattr(import_module(module), name)(**network.settings)
    # Few epochs are timed, of a training that has many
    model.compile(row.stages[0].optimizer, jit_compile=model.compile_with_xla)
    return model


def train(network, images, batch_size, epochs, clock, shuffle=True, weights=None):
    set_xla_flags()
    model = build(network)
    if weights is not None:
        for variable, value in zip(model.trained_variables, weights, strict=True):
            variable.assign(value)
    fit(model, images, batch_size, epochs, clock, shuffle)


def fit(model, images, batch_size, epochs, clock, shuffle=True):
    """Train a built model by the clock."""
    model.fit(
        images,
        batch_size=batch_size,
        epochs=epochs,
        shuffle=shuffle,
        verbose=0,
        callbacks=[keras_clock(clock)],
    )


def encoder(network):
    """Without the flags of a run: codes are computed in anybody's process."""
    return build(network).encode
