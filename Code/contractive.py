"""Contractive autoencoder (Rifai et al. 2011): small changes of the input hardly change the code.

    minimise  L(x, x̂) + λ ‖J_f(x)‖²_F,        J_f(x) = ∂f(x) / ∂x

For one sigmoid layer h = σ(W x + b) the penalty has a closed form,

    ‖J_f(x)‖²_F = Σ_i (h_i (1 − h_i))² Σ_j W_ij²

and for a chain of dense layers J is the product of diag(s) W over the layers, where s are the
slopes of the activations. L is the error summed over the pixels, as in the paper.

Train it alone: ``python -m Code.contractive --help``.
"""

import keras
import numpy as np
from keras import ops

from Code.base import PACKAGE, BaseAutoencoder, in_full_precision
from Code.dae import DAE
from Code.parts.filter_images import filter_images
from Code.parts.jacobian import differentiated_norm, relative_norm
from Code.parts.noise import uniform
from Code.tied import Tied, dense_layers

# The slope (derivative) of each activation as a function of its output
SLOPES = {
    "linear": ops.ones_like,
    "relu": lambda h: ops.cast(h > 0, h.dtype),
    "sigmoid": lambda h: h * (1.0 - h),
    "tanh": lambda h: 1.0 - ops.square(h),
    "softplus": lambda h: 1.0 - ops.exp(-h),
}
WAYS = ("closed form", "stochastic", "automatic differentiation")


def sigmoid_layer_norm(h, kernel):
    """``Σ_j (h_j (1 − h_j))² Σ_i W_ij²``, one value per image (Rifai et al. 2011).

    Parameters
    ----------
    h : tensor ``(batch, units)``, outputs of a sigmoid layer.
    kernel : its W, ``(inputs, units)``.
    """
    return layer_norm(SLOPES["sigmoid"](h), kernel)


def layer_norm(slope, kernel):
    """``‖diag(s) Wᵀ‖²_F`` of one dense layer, ``(batch,)``, from slopes ``(batch, units)``."""
    return ops.matmul(ops.square(slope), ops.sum(ops.square(kernel), axis=0))


def chain_norm(slopes, kernels, directions=None):
    """``‖J‖²_F`` of a chain of dense layers, one value per image.

    J is multiplied from the code backwards. The first kernel, which is the largest, enters only
    through W₁ᵀW₁, which is the same for all images: ‖A W₁ᵀ‖² = tr(A W₁ᵀW₁ Aᵀ).

    Parameters
    ----------
    slopes : slopes of each layer's activation, first layer first, ``(batch, units)`` each.
    kernels : kernel of each layer, ``(inputs, units)``.
    directions : tensor ``(batch, p, code)`` of independent entries with mean 0 and variance 1, or
        None for the exact value. With directions the result is p times the unbiased estimate of
        Hutchinson 1990; it costs p backward passes instead of one per unit of the code.
    """
    if directions is not None:
        rows = directions * slopes[-1][:, None, :]
    elif len(kernels) == 1:
        return layer_norm(slopes[0], kernels[0])
    else:
        rows = slopes[-1][:, :, None] * ops.eye(slopes[-1].shape[-1], dtype=slopes[-1].dtype)
    for kernel, slope in zip(reversed(kernels[1:]), reversed(slopes[:-1]), strict=True):
        rows = ops.matmul(rows, ops.transpose(kernel)) * slope[:, None, :]
    gram = ops.matmul(ops.transpose(kernels[0]), kernels[0])
    return ops.sum(ops.matmul(rows, gram) * rows, axis=(1, 2))


class JacobianMeasured(BaseAutoencoder):
    """A dense autoencoder that measures its encoder's Jacobian and shows its filters."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        outputs = [layer.output for layer in dense_layers(self.encoder)]
        whole = keras.Model(self.encoder.input, outputs, name="encoder_layers")
        self.encoder_layers = in_full_precision(whole)

    def slopes(self, outputs):
        """Slopes of the encoder's dense layers, from their outputs ``(batch, units)``.

        Raises
        ------
        ValueError
            If the slope of an activation cannot be computed from its output.
        """
        names = [layer.activation.__name__ for layer in dense_layers(self.encoder)]
        unknown = sorted(set(names) - set(SLOPES))
        if unknown:
            raise ValueError(
                f"no closed form for the activation {unknown[0]!r}; "
                "choose jacobian='automatic differentiation'"
            )
        return [SLOPES[name](h) for name, h in zip(names, outputs, strict=True)]

    @property
    def kernels(self):
        """Kernels of the encoder's dense layers, in order."""
        return [layer.kernel for layer in dense_layers(self.encoder)]

    def squared_jacobian_norm(self, x, batch_size=500):
        """``‖J_f(x)‖²_F`` for every image in ``x``, array ``(n,)``."""
        norms = []
        for start in range(0, len(x), batch_size):
            outputs = _listed(self.encoder_layers(ops.convert_to_tensor(x[start:][:batch_size])))
            norms.append(ops.convert_to_numpy(chain_norm(self.slopes(outputs), self.kernels)))
        return np.concatenate(norms)

    def diagnostics(self, x, y):
        """``squared_jacobian_norm``: mean of ‖J_f(x)‖²_F over ``x``; ``relative_jacobian_norm``:
        that over the code's variance, see `relative_norm`.
        """
        norms = self.squared_jacobian_norm(x)
        return {
            **super().diagnostics(x, y),
            "squared_jacobian_norm": float(norms.mean()),
            "relative_jacobian_norm": relative_norm(norms, self.encode(x)),
        }

    def views(self, x, y):
        """The first layer's filters."""
        return {**super().views(x, y), "filters": filter_images(self.kernels[0], self.image_shape)}


@keras.saving.register_keras_serializable(package=PACKAGE)
class Contractive(JacobianMeasured):
    """The contractive autoencoder; its reconstruction loss is summed over the pixels.

    Parameters
    ----------
    weight : λ, the weight of ‖J‖² in the loss; with 0 it is the plain autoencoder.
    jacobian : how ‖J‖² is computed in training: ``"closed form"`` (exact; with hidden layers its
        cost grows with ``code_dim``), ``"stochastic"`` (unbiased, with one random direction per
        image; for wide codes after hidden layers) or ``"automatic differentiation"`` (exact, for
        any activation, with ``code_dim`` backward passes).

    Raises
    ------
    ValueError
        If ``jacobian`` is not one of these, or an activation has no closed form.
    """

    terms = ("reconstruction", "contraction")
    live = ("weight", "jacobian")

    def __init__(self, weight=0.1, jacobian="closed form", **kwargs):
        if jacobian not in WAYS:
            raise ValueError(
                f"jacobian must be one of {', '.join(map(repr, WAYS))}, not {jacobian!r}"
            )
        super().__init__(**kwargs)
        self.weight = weight
        self.jacobian = jacobian
        self.direction_seed = keras.random.SeedGenerator()
        if jacobian != "automatic differentiation":
            self.slopes(self.encoder_layers.outputs)

    def loss_terms(self, x, y=None, training=False):
        """Error per image plus λ‖J‖²; ``contraction`` is ‖J‖² without λ."""
        outputs = _listed(self.encoder_layers(x, training=training))
        x_hat = self.decoder(outputs[-1], training=training)
        error = self.n_pixels * self.reconstruction_error(x, x_hat)
        contraction = self.contraction(x, outputs)
        return {
            "loss": error + self.weight * contraction,
            "reconstruction": error,
            "contraction": contraction,
        }

    def contraction(self, x, outputs):
        """``‖J_f(x)‖²_F`` from the dense layers' outputs, by the method named in ``jacobian``."""
        if self.jacobian == "automatic differentiation":
            return differentiated_norm(self.encoder, x)
        directions = None
        if self.jacobian == "stochastic":
            shape = (ops.shape(x)[0], 1, self.code_dim)
            # Random signs instead of normal numbers reduce the variance of the estimate
            directions = ops.sign(uniform(shape, self.direction_seed) - 0.5)
        return chain_norm(self.slopes(outputs), self.kernels, directions)

    def get_config(self):
        return {**super().get_config(), "weight": self.weight, "jacobian": self.jacobian}


@keras.saving.register_keras_serializable(package=PACKAGE)
class TiedContractive(Tied, Contractive):
    """The contractive autoencoder with tied weights, as in its paper."""


@keras.saving.register_keras_serializable(package=PACKAGE)
class TiedDenoising(Tied, JacobianMeasured, DAE):
    """The denoising autoencoder of the paper's comparison: tied weights, Jacobian measured."""


def _listed(outputs):
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]


if __name__ == "__main__":
    from Code.commands.variant import main

    main("contractive")
