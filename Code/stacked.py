"""Stacked autoencoder (Vincent et al. 2008, 2010): train one layer at a time, then all together.

    h⁽⁰⁾ = x        h⁽ᵏ⁾ = f_k(h⁽ᵏ⁻¹⁾)
    layer k:  minimise L(h⁽ᵏ⁻¹⁾, g_k(f_k(h̃⁽ᵏ⁻¹⁾)))  over f_k and g_k, with f_1 … f_{k−1} held fixed
    then:     minimise −log p(y | h⁽ⁿ⁾)              over f_1 … f_n and the head

Only the inputs of the layer in training are corrupted; later layers are trained on clean features.

Train it alone: ``python -m Code.stacked --help``.
"""

import importlib

import keras
import numpy as np
from keras import layers

from Code.ae import AE
from Code.base import PACKAGE, BaseAutoencoder
from Code.dae import DAE
from Code.parts.images import to_unit

LAYERS = {"plain": AE, "denoising": DAE}
# Corruption in SDAE-3 on MNIST (Vincent et al. 2010, table 3)
VINCENT = {"corruption": "masking", "level": 0.25}


class LayerWise(BaseAutoencoder):
    """An autoencoder whose levels can each be trained as a separate autoencoder.

    A subclass defines the pairs of layers that form the levels (``pairs``), the autoencoder that
    trains a level (``build_layer``) and the tensor of a level's features (``features_of``).
    ``Code.training.layerwise`` does the training.
    """

    @property
    def pairs(self):
        """The pairs (encoder layer, decoder layer), in order from the image to the code."""
        raise NotImplementedError

    def build_layer(self, level):
        """Build the autoencoder of a level (1, 2, …), which reconstructs the features below it."""
        raise NotImplementedError

    def layer(self, level):
        """The untrained autoencoder of a level; beyond the first, its inputs have any range."""
        layer = self.build_layer(level)
        layer.any_range = level > 1
        return layer

    def features_of(self, level):
        """The symbolic tensor h⁽ˡᵉᵛᵉˡ⁾ inside the encoder."""
        return self.pairs[level - 1][0].output

    def features(self, level, x, batch_size=1000):
        """h⁽ˡᵉᵛᵉˡ⁾ of images ``(n, *image_shape)``; level 0 are the images themselves.

        Returns
        -------
        float32 array ``(n, ...)``.
        """
        x = to_unit(self.as_input(x))
        if level == 0:
            return x
        model = keras.Model(self.encoder.input, self.features_of(level))
        return model.predict(x, batch_size=batch_size, verbose=0)

    def adopt(self, level, layer):
        """Copy the weights of a trained ``layer`` into this network's encoder and decoder."""
        for own, weights in zip(self.pairs[level - 1], weights_of(layer), strict=True):
            own.set_weights(weights)


@keras.saving.register_keras_serializable(package=PACKAGE)
class Stacked(LayerWise):
    """Dense levels 784 → ``hidden`` … → ``code_dim``, each pre-trained by a ``layer_kind`` model.

    Parameters
    ----------
    layer_kind : ``"plain"``, ``"denoising"``, or the import path ``"module:Class"`` of any variant
        with one dense layer in its encoder and one in its decoder.
    layer_settings : keyword arguments of that class; by default, a denoising layer masks a quarter
        of its inputs.

    Raises
    ------
    ValueError
        If ``layer_kind`` is unknown, or if noise that is clipped to [0, 1] would be applied to
        hidden features outside [0, 1].
    """

    def __init__(
        self, layer_kind="denoising", layer_settings=None, activation="relu", hidden=(), **kwargs
    ):
        self.layer_kind = layer_kind
        if layer_settings is None:
            layer_settings = VINCENT if layer_kind == "denoising" else {}
        self.layer_settings = dict(layer_settings)
        self._layer_class()
        noise = self.layer_settings.get("corruption", "gaussian")
        if layer_kind == "denoising" and noise != "masking" and hidden and activation != "sigmoid":
            raise ValueError(
                f"{noise} noise is for values in [0, 1]: stack sigmoid layers, or use masking noise"
            )
        super().__init__(activation=activation, hidden=hidden, **kwargs)

    def _layer_class(self):
        if self.layer_kind in LAYERS:
            return LAYERS[self.layer_kind]
        module, colon, name = self.layer_kind.partition(":")
        if not colon:
            kinds = ", ".join(map(repr, LAYERS))
            raise ValueError(f"layer_kind must be {kinds} or 'module:Class', not {module!r}")
        return getattr(importlib.import_module(module), name)

    @property
    def pairs(self):
        up, down = (
            [layer for layer in model.layers if isinstance(layer, layers.Dense)]
            for model in (self.encoder, self.decoder)
        )
        return list(zip(up, reversed(down), strict=True))

    def build_layer(self, level):
        up, down = self.pairs[level - 1]
        probabilities = level == 1 or self.activation == "sigmoid"
        return self._layer_class()(
            image_shape=self.image_shape if level == 1 else down.kernel.shape[1:],
            code_dim=up.units,
            code_activation=keras.activations.serialize(up.activation),
            output_activation=keras.activations.serialize(down.activation),
            # Cross-entropy needs targets that are probabilities
            reconstruction=self.reconstruction if probabilities else "mse",
            **self.layer_settings,
        )

    def diagnostics(self, x, y):
        return {"squared_error": squared_error_of_image(x, self.reconstruct(x))}

    def views(self, x, y):
        """The first level's filters: the pattern to which each of its units responds."""
        kernel = keras.ops.convert_to_numpy(self.pairs[0][0].kernel)
        return {"filters": kernel.T[:64].reshape(-1, *self.image_shape)}

    def get_config(self):
        own = {"layer_kind": self.layer_kind, "layer_settings": dict(self.layer_settings)}
        return {**super().get_config(), **own}


def weights_of(layer):
    """Weights of a one-layer autoencoder: ``[W, b]`` of its encoder, ``[W′, b′]`` of its decoder.

    A decoder with tied weights has no W′ of its own; W′ is then Wᵀ.
    """
    (up,), (down,) = (
        [part for part in model.layers if part.weights] for model in (layer.encoder, layer.decoder)
    )
    kernel, bias = up.get_weights()
    *back, bias_back = down.get_weights()
    return [kernel, bias], [*(back or [kernel.T]), bias_back]


def squared_error_of_image(x, x_hat):
    """Mean over images of ``‖x − x̂‖²``, summed over the pixels: Hinton & Salakhutdinov's error.

    Parameters
    ----------
    x, x_hat : arrays ``(n, *image_shape)`` in [0, 1].
    """
    difference = np.asarray(x, np.float32) - x_hat
    return float(np.sum(np.square(difference), dtype=np.float64) / len(difference))


if __name__ == "__main__":
    from Code.commands.variant import main

    main("stacked")
