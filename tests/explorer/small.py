"""Small networks, and their training for seconds."""

import keras

from Code.foundation.names import load

FEW = 1920
SMALL = {"hidden": (64,), "reconstruction": "binary cross-entropy"}


def made(path, code_dim, **settings):
    """A small untrained model of the class at an import path; the same every time."""
    keras.utils.set_random_seed(0)
    return load(path)(**{"code_dim": code_dim, **SMALL, **settings})


def train(model, mnist, epochs=1):
    """Train a model on the first images; return it."""
    model.compile()
    model.fit(mnist.x_train[:FEW], batch_size=64, epochs=epochs, verbose=0)
    return model
