"""The ways of training that are compared. Each module has the same two functions:

``train(network, images, batch_size, epochs, clock, shuffle=True, weights=None)``
    trains a fresh network and calls ``clock.start()`` and ``clock.stop(mean loss)`` around each
    epoch; ``weights`` are ``Network.initial_weights()``.
``encoder(network)``
    a function ``(images, batch size) -> codes``: from bytes (or floats in [0, 1]) to NumPy arrays,
    as this project's `encode` has it, so that everybody does the same work.

This table can be read without importing any of the libraries.
"""

import importlib
from dataclasses import dataclass
from importlib.util import find_spec

ALL = ("ae", "dae", "cae", "vae")


@dataclass(frozen=True)
class Contender:
    """One way of training.

    Attributes
    ----------
    module : where ``train`` and ``encode`` are.
    needs : packages beside the core requirements.
    backend : Keras's backend, for those that use Keras.
    networks : names of the networks that it can train.
    inference : whether its ``encoder`` is timed.
    """

    name: str
    module: str
    needs: tuple[str, ...] = ()
    backend: str = "tensorflow"
    networks: tuple[str, ...] = ALL
    inference: bool = False

    def missing(self):
        """Packages that it needs and that are not installed."""
        return [package for package in self.needs if find_spec(package) is None]

    def load(self):
        """The module."""
        return importlib.import_module(f"tests.benchmarks.contenders.{self.module}")


CONTENDERS = {
    contender.name: contender
    for contender in (
        Contender("ours", "ours", inference=True),
        Contender("keras_fit", "keras_fit", inference=True),
        Contender("keras_tuned", "keras_tuned"),
        Contender("keras_jax", "keras_jax", ("jax",), "jax", inference=True),
        Contender("jax_epoch", "jax_epoch", ("jax",), "jax", inference=True),
        Contender("torch_eager", "torch_eager", ("torch",), inference=True),
        Contender("torch_compile", "torch_compile", ("torch",), inference=True),
        Contender("sklearn_mlp", "sklearn_mlp", networks=("ae", "dae")),
    )
}
