"""Restricted Boltzmann machine (Hinton 2002), and the deep autoencoder built from a stack of them
(Hinton & Salakhutdinov 2006).

    E(v, h) = −bᵀv − cᵀh − vᵀW h        p(v) = Σ_h e^{−E(v, h)} / Z = e^{−F(v)} / Z
    p(h_j = 1 | v) = σ(c_j + vᵀW_j)     p(v_i = 1 | h) = σ(b_i + W_i h)
    CD-1:  ΔW ∝ ⟨v hᵀ⟩_data − ⟨v hᵀ⟩_one step of Gibbs sampling

Train it alone: ``python -m Code.rbm --help``.
"""

import keras
from keras import layers, ops

from Code.base import PACKAGE, BaseAutoencoder
from Code.parts.noise import normal, uniform
from Code.stacked import Stacked
from Code.tied import TiedDense


def mean_hidden(v, kernel, hidden_bias, binary=True):
    """E[h | v]: ``σ(c + vᵀW)`` for binary hidden units, ``c + vᵀW`` for Gaussian ones.

    Parameters
    ----------
    v : tensor ``(batch, visible)`` in [0, 1].
    kernel, hidden_bias : W ``(visible, hidden)`` and c ``(hidden,)``.
    binary : False for Gaussian units of unit variance.
    """
    a = hidden_bias + ops.matmul(v, kernel)
    return ops.sigmoid(a) if binary else a


def free_energy(v, kernel, visible_bias, hidden_bias, binary=True):
    """``F(v) = −log Σ_h e^{−E(v, h)}``, ``(batch,)``, in nats.

    Binary hidden units: ``−bᵀv − Σ_j log(1 + e^{a_j})`` with ``a = c + vᵀW``. Gaussian hidden units
    have the energy ``½‖h − c‖² − bᵀv − vᵀW h`` and ``F = −bᵀv − ½ Σ_j (a_j² − c_j²)`` up to a
    constant.

    Source: Hinton 2010, "A practical guide to training RBMs", section 16.1.
    """
    a = hidden_bias + ops.matmul(v, kernel)
    if binary:
        hidden = ops.sum(ops.softplus(a), axis=-1)
    else:
        hidden = 0.5 * ops.sum(ops.square(a) - ops.square(hidden_bias), axis=-1)
    return -ops.matmul(v, ops.reshape(visible_bias, (-1, 1)))[:, 0] - hidden


def free_energy_gradient(v, hidden):
    """``∂/∂(W, b, c)`` of the mean free energy of a batch, given ``hidden`` = E[h | v].

    The gradient of the log-likelihood is this gradient for v sampled from the model, minus this
    gradient for the data. (For Gaussian units ``½ Σ c²`` also depends on c, but cancels in that
    difference.)

    Returns
    -------
    ``(−⟨v hᵀ⟩, −⟨v⟩, −⟨h⟩)``.
    """
    n = ops.cast(ops.shape(v)[0], v.dtype)
    correlation = ops.matmul(ops.transpose(v), hidden) / n
    return -correlation, -ops.mean(v, axis=0), -ops.mean(hidden, axis=0)


@keras.saving.register_keras_serializable(package=PACKAGE)
class RBM(BaseAutoencoder):
    """An RBM as an autoencoder with tied weights: encoder E[h | v], decoder E[v | h].

    Each value of an image is a visible unit: a pixel in colour is as many units as it has channels.
    An epoch of ``fit`` is an epoch of CD-1 (contrastive divergence). Use SGD with momentum.

    Parameters
    ----------
    code_activation : ``"sigmoid"`` for binary hidden units, ``"linear"`` for Gaussian ones.
    weight_decay : λ of the penalty ``λ/2 ‖W‖²``.

    Raises
    ------
    ValueError
        If there is no RBM with these activations, or there are hidden layers.
    """

    terms = ("free_energy",)
    measures = ("free_energy",)
    live = ("weight_decay",)

    def __init__(self, code_activation="sigmoid", weight_decay=2e-4, **kwargs):
        if code_activation not in ("sigmoid", "linear"):
            raise ValueError(
                f"an RBM's code_activation is 'sigmoid' or 'linear', not {code_activation!r}"
            )
        if kwargs.get("hidden"):
            raise ValueError("an RBM has no hidden layers but its code: pile RBMs up for that")
        if kwargs.get("output_activation", "sigmoid") != "sigmoid":
            raise ValueError(
                "an RBM's visible units are binary: its output_activation is 'sigmoid'"
            )
        super().__init__(code_activation=code_activation, **kwargs)
        self.weight_decay = weight_decay
        self.gibbs_seed = keras.random.SeedGenerator()

    def build_encoder(self):
        image = keras.Input(self.image_shape, name="image")
        small = keras.initializers.RandomNormal(stddev=0.01)
        code = layers.Dense(
            self.code_dim, self.code_activation, kernel_initializer=small, name="code"
        )
        return keras.Model(image, code(layers.Flatten()(image)), name="encoder")

    def build_decoder(self):
        code = keras.Input((self.code_dim,), name="code")
        tied = TiedDense(self.encoder.get_layer("code"), "sigmoid", name="pixels")
        return keras.Model(code, layers.Reshape(self.image_shape)(tied(code)), name="decoder")

    @property
    def binary(self):
        """Whether the hidden units are binary."""
        return self.code_activation == "sigmoid"

    @property
    def trained_variables(self):
        """W, b, c."""
        dense = self.encoder.get_layer("code")
        return [dense.kernel, self.decoder.get_layer("pixels").bias, dense.bias]

    def free_energy(self, x):
        """F of images, ``(batch,)``, in nats."""
        kernel, visible_bias, hidden_bias = self.trained_variables
        v = ops.reshape(x, (-1, self.n_pixels))
        return free_energy(v, kernel, visible_bias, hidden_bias, self.binary)

    def sample_hidden(self, hidden):
        """Draw h ~ p(h | v), given E[h | v]."""
        if self.binary:
            draw = uniform(ops.shape(hidden), self.gibbs_seed)
            return ops.cast(draw < hidden, hidden.dtype)
        return hidden + normal(ops.shape(hidden), self.gibbs_seed)

    def contrastive_divergence(self, x):
        """The CD-1 gradient for (W, b, c), and the one-step v: E[v | h] for the sampled h.

        Source: Hinton & Salakhutdinov 2006, supporting online material.
        """
        kernel, visible_bias, hidden_bias = self.trained_variables
        v0 = ops.reshape(x, (-1, self.n_pixels))
        h0 = mean_hidden(v0, kernel, hidden_bias, self.binary)
        h = self.sample_hidden(h0)
        v1 = ops.sigmoid(ops.matmul(h, ops.transpose(kernel)) + visible_bias)
        h1 = mean_hidden(v1, kernel, hidden_bias, self.binary)
        pairs = zip(free_energy_gradient(v0, h0), free_energy_gradient(v1, h1), strict=True)
        return [data - model for data, model in pairs], v1

    def update(self, x, y=None):
        """One step of CD-1 on a batch."""
        variables = self.trained_variables
        gradients, v1 = self.contrastive_divergence(x)
        terms = {
            "loss": self.reconstruction_error(x, ops.reshape(v1, ops.shape(x))),
            "free_energy": self.free_energy(x),
        }
        gradients[0] = gradients[0] + self.weight_decay * variables[0]
        self.optimizer.apply(gradients, variables)
        return terms

    def loss_terms(self, x, y=None, training=False):
        """Error of the mean-field reconstruction as the loss, and the free energy of the image."""
        return {**super().loss_terms(x, y, training), "free_energy": self.free_energy(x)}

    def get_config(self):
        return {**super().get_config(), "weight_decay": self.weight_decay}


@keras.saving.register_keras_serializable(package=PACKAGE)
class DeepRBM(Stacked):
    """The deep autoencoder whose levels are pre-trained as RBMs, then unrolled and fine-tuned.

    The defaults are the paper's network for MNIST: 784-1000-500-250-30, with logistic units, a
    linear code and cross-entropy.
    """

    def __init__(
        self,
        hidden=(1000, 500, 250),
        code_dim=30,
        activation="sigmoid",
        reconstruction="binary cross-entropy",
        layer_kind="Code.rbm:RBM",
        **kwargs,
    ):
        super().__init__(
            hidden=hidden,
            code_dim=code_dim,
            activation=activation,
            layer_kind=layer_kind,
            reconstruction=reconstruction,
            **kwargs,
        )

    def _layer_class(self):
        return RBM


if __name__ == "__main__":
    from Code.commands.variant import main

    main("rbm")
