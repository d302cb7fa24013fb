"""Variational autoencoder (Kingma & Welling 2013): a code whose distribution can be sampled.

    q(z | x) = N(μ(x), σ²(x))        z = μ + σ ε,  ε ~ N(0, I)
    minimise  −log p(x | z) + KL(q(z | x) ‖ N(0, I))

Train it alone: ``python -m Code.vae --help``.
"""

import keras
from keras import layers, ops

from Code.base import PACKAGE, BaseAutoencoder, Piece
from Code.parts.latent import active_units
from Code.parts.losses import kl_to_standard_normal
from Code.parts.noise import normal


@keras.saving.register_keras_serializable(package=PACKAGE)
class VAE(BaseAutoencoder):
    """The VAE with one sample of z per image; ``encoder`` returns ``[z_mean, z_log_var]``.

    The loss of an image is ``D`` times the mean error per pixel, plus the KL term: with binary
    cross-entropy, the default of ``reconstruction``, in nats; with squared error it is, but for a
    constant, that of Gaussian pixels with the variance ½.
    """

    terms = ("reconstruction", "kl")
    has_prior = True
    code_name = "z"

    def __init__(self, reconstruction="binary cross-entropy", **kwargs):
        super().__init__(reconstruction=reconstruction, **kwargs)
        self.sample_seed = keras.random.SeedGenerator()

    def build_encoder(self):
        image = keras.Input(self.image_shape, name="image")
        h = self.hidden_layers(image)
        z_mean = layers.Dense(self.code_dim, name="z_mean")(h)
        z_log_var = layers.Dense(self.code_dim, name="z_log_var")(h)
        return keras.Model(image, [z_mean, z_log_var], name="encoder")

    @property
    def code_shape(self):
        return (self.code_dim,)

    def code_of(self, image):
        z_mean, _ = self.encoder(image)
        return z_mean

    def pieces(self):
        """As of any autoencoder, with the draw of z between encoder and decoder."""
        encoder, *others = super().pieces()
        return [encoder, Piece("sample", "z = μ + σ ε,  ε ~ N(0, I)"), *others]

    def sample(self, z_mean, z_log_var):
        """z = μ + σ ε (the reparameterisation, eq. 10)."""
        epsilon = normal(ops.shape(z_mean), self.sample_seed)
        return z_mean + ops.exp(0.5 * z_log_var) * epsilon

    def loss_terms(self, x, y=None, training=False):
        """−ELBO with its two terms, in nats an image."""
        z_mean, z_log_var = self.encoder(x, training=training)
        x_hat = self.decoder(self.sample(z_mean, z_log_var), training=training)
        reconstruction = self.n_pixels * self.reconstruction_error(x, x_hat)
        kl = kl_to_standard_normal(z_mean, z_log_var)
        return {"loss": reconstruction + kl, "reconstruction": reconstruction, "kl": kl}

    def diagnostics(self, x, y):
        """``active_units``: number of code units whose mean μ varies with the image."""
        # A conditioned code holds its label behind μ
        means = self.encode(x)[:, : self.code_dim]
        return {**super().diagnostics(x, y), "active_units": active_units(means)}


if __name__ == "__main__":
    from Code.commands.variant import main

    main("vae")
