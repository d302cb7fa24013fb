"""Batch normalisation (Ioffe & Szegedy 2015) in the hidden layers of an autoencoder.

    u = W h        h′ = f(γ (u − μ) / √(σ² + ε) + β)

In training μ and σ² are mean and variance of u over the batch, afterwards their moving averages. A
bias before it would be taken away with μ, so the hidden layers have none. Code and output are as
in the variant.

The classes below are those of the Bake Off (``Code/experiments/bakeoff.py``). To normalise another
variant with dense layers, list `Normalised` before it in the base classes; not one whose loss needs
an image's code to be independent of the other images, as the contractive one.
"""

import keras
from keras import layers

from Code.ae import AE
from Code.base import PACKAGE, BaseAutoencoder
from Code.beta_vae import BetaVAE
from Code.dae import DAE
from Code.sparse import KLSparse
from Code.vae import VAE
from Code.vq_vae import UnitVQVAE

# PyTorch's settings, as in the Bake Off: the averages forget a tenth at each batch
NORMALISATION = {"momentum": 0.9, "epsilon": 1e-5}


class Normalised(BaseAutoencoder):
    """Makes the hidden layers of a dense variant normalise over the batch."""

    def hidden_layers(self, image):
        h = layers.Flatten()(image)
        for units in self.hidden:
            h = self.normalised_layer(h, units)
        return h

    def build_decoder(self):
        code = keras.Input(self.code_shape, name=self.code_name)
        h = code
        for units in reversed(self.hidden):
            h = self.normalised_layer(h, units)
        pixels = layers.Dense(self.n_pixels, self.output_activation, name="pixels")(h)
        return keras.Model(code, layers.Reshape(self.image_shape)(pixels), name="decoder")

    def normalised_layer(self, h, units):
        """``(batch, inputs)`` → ``(batch, units)``: dense without bias, normalised, activated."""
        u = layers.Dense(units, use_bias=False)(h)
        return layers.Activation(self.activation)(layers.BatchNormalization(**NORMALISATION)(u))


@keras.saving.register_keras_serializable(package=PACKAGE)
class NormalisedAE(Normalised, AE):
    """The plain autoencoder, normalised."""


@keras.saving.register_keras_serializable(package=PACKAGE)
class NormalisedDAE(Normalised, DAE):
    """The denoising autoencoder, normalised."""


@keras.saving.register_keras_serializable(package=PACKAGE)
class NormalisedKLSparse(Normalised, KLSparse):
    """The autoencoder with a target for each unit's mean activation, normalised."""


@keras.saving.register_keras_serializable(package=PACKAGE)
class NormalisedVAE(Normalised, VAE):
    """The variational autoencoder, normalised."""


@keras.saving.register_keras_serializable(package=PACKAGE)
class NormalisedBetaVAE(Normalised, BetaVAE):
    """The β-VAE, normalised."""


@keras.saving.register_keras_serializable(package=PACKAGE)
class NormalisedUnitVQVAE(Normalised, UnitVQVAE):
    """The VQ-VAE with a codebook for each unit, normalised."""
