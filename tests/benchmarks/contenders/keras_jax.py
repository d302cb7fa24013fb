"""The plain Keras model on the JAX backend.

Only the VAE differs: a ``train_step`` is written for one backend, ``compute_loss`` for all.
"""

import keras

from tests.benchmarks.contenders import keras_fit


class VAE(keras.Model):
    """Encoder and decoder under Keras's own gradient step."""

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.built = True

    def call(self, x, training=False):
        mean, log_var, z = self.encoder(x)
        return self.decoder(z), mean, log_var

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return sum(keras_fit.vae_terms(x, *y_pred))


def build(network):
    """Return ``(model to train, encoder)``, not compiled."""
    if network.kind != "vae":
        return keras_fit.build(network)
    model = VAE(*keras_fit.vae_parts(network))
    return model, model.encoder


def train(network, images, batch_size, epochs, clock, shuffle=True, weights=None):
    model, _ = build(network)
    keras_fit.fitted(model, network, images, batch_size, epochs, clock, shuffle, weights)


encoder = keras_fit.encoder
