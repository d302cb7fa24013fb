"""Tied weights (Vincent et al. 2010, section 2.2): encoder and decoder share one kernel.

    z = f(W x + b)        x̂ = g(Wᵀ z + b′)

The kernel receives gradients from both encoder and decoder. With squared error, a linear tied
autoencoder is optimal if the rows of W are an orthonormal basis of the subspace of the first
principal components (Baldi & Hornik 1989, for untied weights).

Train it alone: ``python -m Code.tied --help``.
"""

import keras
import numpy as np
from keras import layers, ops

from Code.base import PACKAGE, BaseAutoencoder
from Code.parts.components import fitted_pca
from Code.parts.filter_images import filter_images
from Code.parts.kernels import coherence


class TiedDense(layers.Layer):
    """``g(x Wᵀ + b)`` with the kernel ``W`` of another dense layer and its own bias.

    Parameters
    ----------
    source : the built ``Dense`` layer whose kernel ``(inputs, units)`` is used transposed.
    activation : Keras activation of the output ``(batch, inputs)``.
    """

    def __init__(self, source, activation=None, **kwargs):
        super().__init__(**kwargs)
        # Keras tracks layers that are attributes. Behind a function, the kernel belongs to the
        # source layer only, so it is counted, trained and saved once
        self._source = lambda: source
        self.units = source.kernel.shape[0]
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def call(self, x):
        return self.activation(ops.matmul(x, ops.transpose(self._source().kernel)) + self.bias)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)


def dense_layers(encoder):
    """The dense layers of a functional model, in order."""
    return [layer for layer in encoder.layers if isinstance(layer, layers.Dense)]


def principal_overlap(kernel, images):
    """How far the columns of a kernel span the subspace of the first principal components.

    It is the mean of cos² of the principal angles between the two subspaces: 1 for equal subspaces,
    about units / pixels for a random one.

    Parameters
    ----------
    kernel : array ``(pixels, units)`` with units <= number of images.
    images : array ``(n, ...)``; further axes are flattened.
    """
    basis, _ = np.linalg.qr(np.asarray(kernel, np.float64))
    flat = np.asarray(images, np.float64).reshape(len(images), -1)
    components = fitted_pca(basis.shape[1], flat).components_
    return float(np.sum(np.square(components @ basis)) / basis.shape[1])


@keras.saving.register_keras_serializable(package=PACKAGE)
class Tied(BaseAutoencoder):
    """The autoencoder whose decoder uses the encoder's kernels, transposed and in reverse order.

    To tie another variant's weights, list this class before that variant in the base classes; the
    variant's encoder must have one output.
    """

    def build_decoder(self):
        code = keras.Input(self.encoder.output_shape[1:], name="code")
        h = code
        dense = dense_layers(self.encoder)
        for layer in reversed(dense[1:]):
            h = TiedDense(layer, self.activation)(h)
        pixels = TiedDense(dense[0], self.output_activation, name="pixels")(h)
        return keras.Model(code, layers.Reshape(self.image_shape)(pixels), name="decoder")

    def diagnostics(self, x, y):
        """``weight_coherence``: mean |cosine| between the units of the first layer.

        For a linear narrow code also the overlap with PCA's subspace of ``x``, and max |W Wᵀ − I|.
        """
        found = super().diagnostics(x, y)
        kernels = [layer.kernel for layer in dense_layers(self.encoder)]
        found["weight_coherence"] = coherence(kernels[0])
        linear = (self.code_activation, self.output_activation) == ("linear", "linear")
        if len(kernels) == 1 and linear and self.code_dim < min(self.n_pixels, len(x)):
            kernel = np.asarray(kernels[0])
            found["pca_overlap"] = principal_overlap(kernel, x)
            gram = kernel.T @ kernel
            found["orthonormality_error"] = float(np.abs(gram - np.eye(len(gram))).max())
        return found

    def views(self, x, y):
        """The first layer's filters."""
        kernel = dense_layers(self.encoder)[0].kernel
        return {**super().views(x, y), "filters": filter_images(kernel, self.image_shape)}


if __name__ == "__main__":
    from Code.commands.variant import main

    main("tied")
