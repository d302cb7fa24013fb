"""Greedy training of a deep autoencoder: level by level, always through the levels below.

    x̂ = g_1(… g_k(f_k(… f_1(x))))        level k:  minimise L(x, x̂)  over f_k and g_k

Levels 1 … k − 1 are trained and stay as they are. The target is always the image; in
`Code.training.layerwise` it is what the levels below make of the image.
"""

import keras
from keras import layers

from Code.parts.losses import RECONSTRUCTION_LOSSES
from Code.parts.whole_epoch import WholeEpochModel


class Level(WholeEpochModel):
    """The lowest levels of an autoencoder as an autoencoder, of which only the last one learns.

    Parameters
    ----------
    network : functional model image → reconstruction.
    reconstruction : the loss, as in ``Code.base.BaseAutoencoder``.
    """

    def __init__(self, network, reconstruction):
        super().__init__()
        self.network = network
        self.reconstruction = reconstruction
        self.built = True

    @property
    def input_image_shape(self):
        return self.network.input_shape[1:]

    def call(self, image, training=False):
        return self.network(self.as_unit(image), training=training)

    def loss_terms(self, x, y=None, training=False):
        """The reconstruction error, one value per image."""
        x_hat = self.network(x, training=training)
        return {"loss": RECONSTRUCTION_LOSSES[self.reconstruction](x, x_hat)}

    def get_config(self):
        network = keras.saving.serialize_keras_object(self.network)
        own = {"network": network, "reconstruction": self.reconstruction}
        return {**super().get_config(), **own}


def level_of(model, k):
    """The `Level` that trains the k-th level (1, 2, …) of a dense autoencoder in its place.

    All other layers of ``model`` are frozen, until `free` frees them. A frozen
    batch normalisation uses its moving averages and does not change them.
    """
    up, down = _levels(model.encoder), _levels(model.decoder)[::-1]
    for i, pair in enumerate(zip(up, down, strict=True), start=1):
        for layer in (*pair[0], *pair[1]):
            layer.trainable = i == k
    h = image = keras.Input(model.image_shape, name="image")
    for level in (*up[:k], *reversed(down[:k])):
        for layer in level:
            h = layer(h)
    return Level(keras.Model(image, h), model.reconstruction)


def free(model):
    """Let all layers of an autoencoder learn again."""
    for network in (model.encoder, model.decoder):
        for layer in network.layers:
            layer.trainable = True


def _levels(network):
    """The layers of a chain, each dense layer with what follows it up to the next one."""
    found = [[]]
    for layer in network.layers[1:]:
        if isinstance(layer, layers.Dense) and any(isinstance(o, layers.Dense) for o in found[-1]):
            found.append([])
        found[-1].append(layer)
    return found
