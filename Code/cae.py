"""Convolutional autoencoder (Masci et al. 2011): weights shared over the image.

    h_k = f(x ∗ W_k + b_k), max-pooled        x̂ = g(Σ_k up(h_k) ∗ W̃_k + c)

Train it alone: ``python -m Code.cae --help``.
"""

import keras
from keras import layers

from Code.base import PACKAGE, BaseAutoencoder
from Code.dae import Denoising
from Code.parts.maps import n_channels, to_image, to_maps
from Code.parts.subpixel import UpConv2D


@keras.saving.register_keras_serializable(package=PACKAGE)
class CAE(BaseAutoencoder):
    """Convolutions and max-pooling down to a code of maps, convolutions and up-sampling back.

    Parameters
    ----------
    filters : filters of the encoder's 3×3 convolutions, each followed by 2×2 pooling; the decoder
        has them in reverse order. The code has the shape
        ``(height / 2^len(filters), width / 2^len(filters), filters[-1])``, the sides rounded up;
        see `Code.parts.maps` for sides that do not halve.
    reconstruction : binary cross-entropy by default.
    """

    compile_with_xla = False

    def __init__(self, filters=(16, 8), reconstruction="binary cross-entropy", **kwargs):
        self.filters = tuple(filters)
        super().__init__(reconstruction=reconstruction, **{**kwargs, "code_dim": None})

    def build_encoder(self):
        image = keras.Input(self.image_shape, name="image")
        h = to_maps(image, len(self.filters))
        for filters in self.filters:
            h = layers.Conv2D(filters, 3, padding="same", activation=self.activation)(h)
            h = layers.MaxPooling2D(2, padding="same")(h)
        return keras.Model(image, h, name="encoder")

    def build_decoder(self):
        code = keras.Input(self.encoder.output_shape[1:], name="code")
        first, *others = reversed(self.filters)
        h = layers.Conv2D(first, 3, padding="same", activation=self.activation)(code)
        for filters in others:
            h = UpConv2D(filters, self.activation)(h)
        h = UpConv2D(n_channels(self.image_shape), self.output_activation)(h)
        return keras.Model(code, to_image(h, self.image_shape), name="decoder")

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}


@keras.saving.register_keras_serializable(package=PACKAGE)
class DenoisingCAE(Denoising, CAE):
    """The convolutional autoencoder trained to map noisy images to clean ones."""


if __name__ == "__main__":
    from Code.commands.variant import main

    main("cae")
