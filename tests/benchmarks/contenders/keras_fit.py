"""Plain Keras on TensorFlow as a newcomer writes it: a functional model, ``compile``, ``fit``.

The VAE has a sampling layer and a ``train_step`` of its own, as keras.io's example has.
"""

import keras
from keras import layers, ops

from Code.parts.images import to_unit
from tests.benchmarks.clock import keras_clock
from tests.benchmarks.networks import PIXELS, SIDE

KERAS_LOSS = {"mse": "mse", "binary cross-entropy": "binary_crossentropy"}


def inputs(network, images):
    """Floats in [0, 1]: ``(n, 784)``, or ``(n, 28, 28, 1)`` for convolutions."""
    shape = (SIDE, SIDE, 1) if network.kind == "conv" else (PIXELS,)
    return to_unit(images).reshape(-1, *shape)


def build(network):
    """Return ``(model to train, encoder)``, not compiled."""
    if network.kind == "conv":
        return convolutional(network)
    if network.kind == "vae":
        model = VAE(*vae_parts(network))
        return model, model.encoder
    return dense(network)


def dense(network):
    image = keras.Input((PIXELS,))
    h = image
    for units, activation in network.encoder_layers:
        h = layers.Dense(units, activation)(h)
    encoder = keras.Model(image, h)
    for units, activation in network.decoder_layers:
        h = layers.Dense(units, activation)(h)
    return keras.Model(image, h), encoder


def convolutional(network):
    image = keras.Input((SIDE, SIDE, 1))
    h = image
    for filters in network.filters:
        h = layers.Conv2D(filters, 3, padding="same", activation="relu")(h)
        h = layers.MaxPooling2D(2, padding="same")(h)
    encoder = keras.Model(image, h)
    for filters in reversed(network.filters):
        h = layers.Conv2D(filters, 3, padding="same", activation="relu")(h)
        h = layers.UpSampling2D(2)(h)
    h = layers.Conv2D(1, 3, padding="same", activation=network.output_activation)(h)
    return keras.Model(image, h), encoder


class Sampling(layers.Layer):
    """z = μ + exp(½ log σ²) ε."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, inputs):
        mean, log_var = inputs
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_var) * noise


def vae_parts(network):
    """Encoder ``image → [mean, log variance, z]`` and decoder ``z → image``."""
    image = keras.Input((PIXELS,))
    h = image
    for units, activation in network.encoder_layers:
        h = layers.Dense(units, activation)(h)
    mean = layers.Dense(network.code_dim)(h)
    log_var = layers.Dense(network.code_dim)(h)
    encoder = keras.Model(image, [mean, log_var, Sampling()([mean, log_var])])
    z = keras.Input((network.code_dim,))
    h = z
    for units, activation in network.decoder_layers:
        h = layers.Dense(units, activation)(h)
    return encoder, keras.Model(z, h)


def vae_terms(x, x_hat, mean, log_var):
    """The two terms of the loss, in nats an image, each the mean over the batch."""
    error = keras.losses.binary_crossentropy(x, x_hat)
    kl = -0.5 * ops.sum(1 + log_var - ops.square(mean) - ops.exp(log_var), axis=1)
    return PIXELS * ops.mean(error), ops.mean(kl)


class VAE(keras.Model):
    """Encoder, decoder and a gradient step."""

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.trackers = [keras.metrics.Mean(n) for n in ("loss", "reconstruction", "kl")]

    @property
    def metrics(self):
        return self.trackers

    def train_step(self, x):
        import tensorflow as tf

        with tf.GradientTape() as tape:
            mean, log_var, z = self.encoder(x)
            reconstruction, kl = vae_terms(x, self.decoder(z), mean, log_var)
            loss = reconstruction + kl
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        for tracker, value in zip(self.trackers, (loss, reconstruction, kl), strict=True):
            tracker.update_state(value)
        return {tracker.name: tracker.result() for tracker in self.trackers}


def fitted(model, network, images, batch_size, epochs, clock, shuffle, weights, **compiled):
    """``compile``, and ``fit`` an epoch at a time.

    Between two turns no iterator of ``tf.data`` is left: the longer one waits for its turn, the
    longer TensorFlow's tuner of datasets sleeps, up to a minute, and the next epoch of the same
    ``fit`` begins by waiting for it.
    """
    x = inputs(network, images)
    if network.kind == "vae":
        model.compile(optimizer="adam", **compiled)
        target = ()
    else:
        model.compile(optimizer="adam", loss=KERAS_LOSS[network.loss], **compiled)
        target = (x,)
    if weights is not None:
        for variable, value in zip(model.trainable_variables, weights, strict=True):
            variable.assign(value)
    for _ in range(epochs):
        model.fit(
            x,
            *target,
            batch_size=batch_size,
            shuffle=shuffle,
            verbose=0,
            callbacks=[keras_clock(clock)],
        )


def train(network, images, batch_size, epochs, clock, shuffle=True, weights=None):
    model, _ = build(network)
    fitted(model, network, images, batch_size, epochs, clock, shuffle, weights)


def encoder(network):
    _, network_of_code = build(network)
    return lambda images, batch_size: network_of_code.predict(
        inputs(network, images), batch_size=batch_size, verbose=0
    )
