"""Convolutional autoencoders with transposed convolutions (Zeiler 2010; Masci et al. 2011).

    h_k = f(x ∗ W_k + b_k)        x̂ = g(Σ_k h_k ∗ᵀ W̃_k + c)

``∗ᵀ`` is the transposed convolution ("deconvolution"), the adjoint of a convolution. Where a
convolution of stride 2 halves the sides of the maps, it doubles them. So the enlargement is
learned, while ``Code.cae`` uses fixed up-sampling.

Train it alone: ``python -m Code.conv --help``.
"""

import keras
from keras import layers

from Code.base import PACKAGE, BaseAutoencoder
from Code.dae import Denoising
from Code.parts.maps import halved, n_channels, to_image, to_maps
from Code.stacked import LayerWise, squared_error_of_image


@keras.saving.register_keras_serializable(package=PACKAGE)
class ConvAE(BaseAutoencoder):
    """Convolutions of stride 2 down to a dense code, transposed convolutions of stride 2 back.

    Parameters
    ----------
    filters : filters of the encoder's convolutions, each of which halves the sides, see
        `Code.parts.maps`; the decoder has them in reverse order. The dense layers ``hidden`` lie
        between them and the code.
    kernel_size : side of every kernel in pixels.
    """

    compile_with_xla = False

    def __init__(self, filters=(16, 32), kernel_size=3, **kwargs):
        self.filters = tuple(filters)
        self.kernel_size = kernel_size
        super().__init__(**kwargs)

    def hidden_layers(self, image):
        h = to_maps(image, len(self.filters))
        for filters in self.filters:
            h = layers.Conv2D(
                filters, self.kernel_size, 2, padding="same", activation=self.activation
            )(h)
        return super().hidden_layers(h)

    def build_decoder(self):
        code = keras.Input(self.encoder.output_shape[1:], name="code")
        maps = (*halved(self.image_shape, len(self.filters)), self.filters[-1])
        h = code
        for units in reversed(self.hidden):
            h = layers.Dense(units, self.activation)(h)
        h = layers.Dense(maps[0] * maps[1] * maps[2], self.activation)(h)
        h = layers.Reshape(maps)(h)
        for filters in reversed(self.filters[:-1]):
            h = layers.Conv2DTranspose(
                filters, self.kernel_size, 2, padding="same", activation=self.activation
            )(h)
        pixels = layers.Conv2DTranspose(
            n_channels(self.image_shape),
            self.kernel_size,
            2,
            padding="same",
            activation=self.output_activation,
            name="pixels",
        )(h)
        return keras.Model(code, to_image(pixels, self.image_shape), name="decoder")

    def get_config(self):
        own = {"filters": self.filters, "kernel_size": self.kernel_size}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package=PACKAGE)
class ConvLayer(Denoising):
    """One level of a stack: convolution with 2×2 max-pooling, then one transposed convolution.

    Masci et al. keep the positions of the maxima for the decoder and tie W̃ to W. Here the decoder
    sees only the code, and W̃ is a separate kernel.

    Parameters
    ----------
    image_shape : ``(height, width)``, or ``(height, width, channels)`` for images in colour and
        for maps of the level below.
    code_dim : number of filters.
    kernel_size : side of a filter.
    corruption, level : as in `Code.dae.DAE`.
    """

    compile_with_xla = False

    def __init__(self, kernel_size=5, corruption="masking", level=0.3, **kwargs):
        self.kernel_size = kernel_size
        super().__init__(corruption=corruption, level=level, **kwargs)

    def build_encoder(self):
        image = keras.Input(self.image_shape, name="image")
        h = to_maps(image, 1)
        convolution = layers.Conv2D(
            self.code_dim,
            self.kernel_size,
            padding="same",
            activation=self.code_activation,
            name="code",
        )
        return keras.Model(image, layers.MaxPooling2D(2)(convolution(h)), name="encoder")

    def build_decoder(self):
        code = keras.Input(self.encoder.output_shape[1:], name="code")
        pixels = layers.Conv2DTranspose(
            n_channels(self.image_shape),
            self.kernel_size,
            2,
            padding="same",
            activation=self.output_activation,
            name="pixels",
        )(code)
        return keras.Model(code, to_image(pixels, self.image_shape), name="decoder")

    def get_config(self):
        return {**super().get_config(), "kernel_size": self.kernel_size}


@keras.saving.register_keras_serializable(package=PACKAGE)
class StackedConvAE(LayerWise):
    """The stacked convolutional autoencoder, whose encoder becomes a convolutional classifier.

    Where the sides do not halve, the zeros around the image (`Code.parts.maps`) have features too,
    and a level beyond the first is trained to reconstruct those as well.

    Source: Masci, Meier, Cireşan & Schmidhuber 2011, sections 3 and 4.

    Parameters
    ----------
    filters : filters of each level; each level halves the sides.
    kernel_size : side of every kernel in pixels.
    level : share of a level's inputs that are masked during pre-training; 0.3 in the paper.
    """

    compile_with_xla = False

    def __init__(self, filters=(16, 32), kernel_size=5, level=0.3, **kwargs):
        self.filters = tuple(filters)
        self.kernel_size = kernel_size
        self.level = level
        super().__init__(**{**kwargs, "code_dim": None})

    def build_encoder(self):
        image = keras.Input(self.image_shape, name="image")
        h = to_maps(image, len(self.filters))
        for filters in self.filters:
            h = layers.Conv2D(
                filters, self.kernel_size, padding="same", activation=self.activation
            )(h)
            h = layers.MaxPooling2D(2)(h)
        return keras.Model(image, h, name="encoder")

    def build_decoder(self):
        code = keras.Input(self.encoder.output_shape[1:], name="code")
        h = code
        for filters in reversed(self.filters[:-1]):
            h = layers.Conv2DTranspose(
                filters, self.kernel_size, 2, padding="same", activation=self.activation
            )(h)
        pixels = layers.Conv2DTranspose(
            n_channels(self.image_shape),
            self.kernel_size,
            2,
            padding="same",
            activation=self.output_activation,
        )(h)
        return keras.Model(code, to_image(pixels, self.image_shape), name="decoder")

    @property
    def pairs(self):
        up = [layer for layer in self.encoder.layers if type(layer) is layers.Conv2D]
        down = [layer for layer in self.decoder.layers if type(layer) is layers.Conv2DTranspose]
        return list(zip(up, reversed(down), strict=True))

    def features_of(self, level):
        pools = [p for p in self.encoder.layers if isinstance(p, layers.MaxPooling2D)]
        return pools[level - 1].output

    def build_layer(self, level):
        shape = self.image_shape if level == 1 else self.features_of(level - 1).shape[1:]
        first = level == 1
        return ConvLayer(
            image_shape=shape,
            code_dim=self.filters[level - 1],
            kernel_size=self.kernel_size,
            code_activation=self.activation,
            output_activation=self.output_activation if first else self.activation,
            reconstruction=self.reconstruction if first else "mse",
            level=self.level,
        )

    def diagnostics(self, x, y):
        return {"squared_error": squared_error_of_image(x, self.reconstruct(x))}

    def views(self, x, y):
        """The first level's kernels."""
        kernel = keras.ops.convert_to_numpy(self.pairs[0][0].kernel)
        tiles = kernel.transpose(3, 0, 1, 2)
        return {"filters": tiles[..., 0] if len(self.image_shape) == 2 else tiles}

    def get_config(self):
        own = {"filters": self.filters, "kernel_size": self.kernel_size, "level": self.level}
        return {**super().get_config(), **own}


if __name__ == "__main__":
    from Code.commands.variant import main

    main("conv")
