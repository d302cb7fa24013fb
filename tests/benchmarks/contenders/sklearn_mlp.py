"""scikit-learn's ``MLPRegressor``, one pass of ``partial_fit`` an epoch.

It differs: all hidden layers share one activation (here ReLU, or none where the code is all there
is), the output is linear, and the loss is half the squared error.
"""

import warnings

import numpy as np
from sklearn.neural_network import MLPRegressor

from Code.parts.images import to_unit
from tests.benchmarks.networks import PIXELS


def train(network, images, batch_size, epochs, clock, shuffle=True, weights=None):
    if weights is not None:
        raise ValueError("MLPRegressor draws its weights itself")
    x = np.ascontiguousarray(to_unit(images).reshape(-1, PIXELS))
    units = [units for units, _ in network.encoder_layers + network.decoder_layers[:-1]]
    model = MLPRegressor(
        hidden_layer_sizes=units,
        activation="relu" if network.hidden else "identity",
        solver="adam",
        alpha=0.0,
        batch_size=min(batch_size, len(x)),
        shuffle=shuffle,
        epsilon=1e-7,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(epochs):
            clock.start()
            model.partial_fit(x, x)
            clock.stop(2 * float(model.loss_))
