"""Autoencoder (Rumelhart, Hinton & Williams 1986): learn to reproduce the input.

    z = f(W x + b)        x̂ = g(W′ z + b′)        minimise ‖x − x̂‖²

Train it alone: ``python -m Code.ae --help``.
"""

import keras

from Code.base import PACKAGE, BaseAutoencoder


@keras.saving.register_keras_serializable(package=PACKAGE)
class AE(BaseAutoencoder):
    """The plain autoencoder: everything is in the base class."""


if __name__ == "__main__":
    from Code.commands.variant import main

    main("ae")
