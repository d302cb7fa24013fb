"""Sparse autoencoders: a wide code of which each image uses only a few units.

    L1:         minimise  L(x, x̂) + λ Σ_j |z_j|
    KL:         minimise  L(x, x̂) + β Σ_j KL(ρ ‖ ρ̂_j),   ρ̂_j = mean over the batch of z_j ∈ (0, 1)
    k-sparse:   x̂ = g(W′ supp_k(W x + b) + b′),   supp_k keeps the k largest and drops the rest

L is the error summed over the pixels. Sources: L1, Olshausen & Field 1996 for the penalty; KL,
Ng 2011, "Sparse autoencoder" (CS294A lecture notes), section 3; k-sparse, Makhzani & Frey 2013,
"k-Sparse Autoencoders", algorithm 1.

Train them alone: ``python -m Code.sparse --help``.
"""

import keras
import numpy as np
from keras import layers, ops

from Code.base import PACKAGE, BaseAutoencoder
from Code.parts.filter_images import filter_images
from Code.tied import Tied, dense_layers

ACTIVE = 1e-3
# Tried on held-out training images. With two units, 3 of 20 seeds lost one or both in 60 steps from
# biases of 1, none from 2, 3 or 5. With sixteen, in 250 steps:
#     biases                          1     2     3     5
#     of 6 seeds, lost a unit         5     4     2     1
#     error above that from 1         –   1 %   3 %   5 %
FIRST_BIAS = 3.0


def l1_norm(z):
    """``Σ_j |z_j|``, one value per image.

    Parameters
    ----------
    z : tensor ``(batch, units)``.
    """
    return ops.sum(ops.abs(z), axis=-1)


def kl_to_rate(z, rate):
    """``Σ_j ρ log(ρ / ρ̂_j) + (1 − ρ) log((1 − ρ) / (1 − ρ̂_j))`` in nats, one number per batch.

    Source: Ng 2011, section 3. There ρ̂_j is the mean over all training images, here over a batch.

    Parameters
    ----------
    z : tensor ``(batch, units)`` of activations in [0, 1].
    rate : ρ, the wanted mean activation, in (0, 1); a number or a variable.
    """
    log = ops.log if isinstance(rate, keras.Variable) else np.log
    epsilon = keras.config.epsilon()
    mean = ops.clip(ops.mean(z, axis=0), epsilon, 1.0 - epsilon)
    on = rate * (log(rate) - ops.log(mean))
    off = (1.0 - rate) * (log(1.0 - rate) - ops.log(1.0 - mean))
    return ops.sum(on + off)


def keep_largest(z, k, at_most=None):
    """``supp_k``: keep the k largest units of each code and set all others to 0.

    Of equal units the first ones are kept, so never more than k.

    Parameters
    ----------
    z : tensor ``(batch, units)`` with units >= k.
    k : integer, or a scalar integer tensor of at most ``at_most``.
    """
    at_most = k if at_most is None else at_most
    _, columns = ops.top_k(z, at_most)
    # Using the values of top_k, or a slice, would prevent XLA's fast top-k: fifteen times slower
    kept = ops.broadcast_to(ops.cast(ops.arange(at_most) < k, z.dtype), ops.shape(columns))
    rows = ops.broadcast_to(ops.arange(ops.shape(z)[0])[:, None], ops.shape(columns))
    where = ops.reshape(ops.stack([rows, columns], axis=-1), (-1, 2))
    return z * ops.scatter(where, ops.reshape(kept, (-1,)), ops.shape(z))


class Sparse(BaseAutoencoder):
    """Base class of the three kinds: their measures and pictures."""

    def diagnostics(self, x, y):
        """Measures of the code's activity on ``x``.

        ``units_per_image``: mean number of units with |z| above 0.001 in an image;
        ``mean_activation``: mean of |z|; ``dead_units``: share of units with |z| up to 0.001 for
        every image.
        """
        z = np.abs(self.encode(x))
        active = z > ACTIVE
        return {
            **super().diagnostics(x, y),
            "units_per_image": float(active.sum(axis=1).mean()),
            "mean_activation": float(z.mean()),
            "dead_units": float(1 - active.any(axis=0).mean()),
        }

    def views(self, x, y):
        """The first layer's filters."""
        kernel = dense_layers(self.encoder)[0].kernel
        return {**super().views(x, y), "filters": filter_images(kernel, self.image_shape)}


@keras.saving.register_keras_serializable(package=PACKAGE)
class L1Sparse(Sparse):
    """Sparsity by an L1 penalty on the code; the reconstruction loss is summed over the pixels.

    The penalty could also be reduced by smaller codes with larger decoder weights. In a few epochs
    of Adam this hardly happens, and it would not change ``units_per_image``, because scaling
    creates no zeros.

    The code's biases start at `FIRST_BIAS`, so that every unit is active in every image at first. A
    ReLU unit that is 0 in all images has no gradient. From biases of 0 a narrow code may begin like
    that, and from 1 Adam's first steps, which all point down because digits are mostly dark, may
    take it there.

    Parameters
    ----------
    weight : λ, the weight of Σ|z| in the loss.
    code_activation : ReLU by default.
    """

    terms = ("reconstruction", "sparsity")
    live = ("weight",)

    def __init__(self, weight=0.1, code_activation="relu", **kwargs):
        super().__init__(code_activation=code_activation, **kwargs)
        self.weight = weight

    def build_encoder(self):
        encoder = super().build_encoder()
        bias = encoder.get_layer("code").bias
        bias.assign(ops.full(bias.shape, FIRST_BIAS, bias.dtype))
        return encoder

    def loss_terms(self, x, y=None, training=False):
        """Error per image plus λ Σ|z|; ``sparsity`` is Σ|z| without λ."""
        z = self.encoder(x, training=training)
        error = self.n_pixels * self.reconstruction_error(x, self.decoder(z, training=training))
        sparsity = l1_norm(z)
        return {
            "loss": error + self.weight * sparsity,
            "reconstruction": error,
            "sparsity": sparsity,
        }

    def get_config(self):
        return {**super().get_config(), "weight": self.weight}


@keras.saving.register_keras_serializable(package=PACKAGE)
class KLSparse(Sparse):
    """Sparsity by a target for each unit's mean activation; the loss is summed over the pixels.

    Parameters
    ----------
    rate : ρ, the wanted mean activation of a unit.
    weight : β, the weight of the divergence in the loss.

    Raises
    ------
    ValueError
        If ``rate`` is not strictly between 0 and 1, or the code is not sigmoid.
    """

    terms = ("reconstruction", "sparsity")
    live = ("rate", "weight")

    def __init__(self, rate=0.05, weight=1.0, code_activation="sigmoid", **kwargs):
        if not 0 < rate < 1:
            raise ValueError(f"rate must lie strictly between 0 and 1, not {rate}")
        if code_activation != "sigmoid":
            raise ValueError(f"a rate needs a sigmoid code, not {code_activation!r}")
        super().__init__(code_activation=code_activation, **kwargs)
        self.rate = rate
        self.weight = weight

    def loss_terms(self, x, y=None, training=False):
        """Error per image plus β KL; ``sparsity`` is the KL of the batch without β."""
        z = self.encoder(x, training=training)
        error = self.n_pixels * self.reconstruction_error(x, self.decoder(z, training=training))
        sparsity = ops.broadcast_to(kl_to_rate(z, self.rate), ops.shape(error))
        return {
            "loss": error + self.weight * sparsity,
            "reconstruction": error,
            "sparsity": sparsity,
        }

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "weight": self.weight}


@keras.saving.register_keras_serializable(package=PACKAGE)
class KeepLargest(layers.Layer):
    """`keep_largest` as a layer: it keeps ``k`` units in training, ``k_test`` otherwise.

    Parameters
    ----------
    k_first : units kept in the first training step; their number falls linearly to ``k``.
    falling_steps : number of steps until ``k`` is reached; ``advance`` counts the steps.
    """

    def __init__(self, k, k_test=None, k_first=None, falling_steps=0, **kwargs):
        super().__init__(**kwargs)
        self.k = k
        self.k_test = k if k_test is None else k_test
        self.k_first = k if k_first is None else k_first
        self.falling_steps = falling_steps

    def build(self, input_shape):
        if self.falling_steps:
            self.steps = self.add_weight((), "zeros", name="steps", trainable=False)

    def call(self, z, training=False):
        if not training:
            return keep_largest(z, self.k_test)
        if not self.falling_steps:
            return keep_largest(z, self.k)
        share = ops.minimum(self.steps / self.falling_steps, 1.0)
        k = ops.cast(ops.round(self.k_first + share * (self.k - self.k_first)), "int32")
        return keep_largest(z, k, at_most=self.k_first)

    def advance(self):
        """Count one training step."""
        if self.falling_steps:
            self.steps.assign_add(1.0)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        own = {name: getattr(self, name) for name in ("k", "k_test", "k_first", "falling_steps")}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package=PACKAGE)
class KSparse(Sparse):
    """Sparsity by construction: exactly ``k`` units of a linear code represent each image.

    Parameters
    ----------
    k : units kept in training.
    alpha : ``α k`` units are kept after training (when encoding); in the paper, α slightly above 1
        gives better features.
    k_first : units kept in the first step, or None for k. If only few units are kept from the
        start, always the same ones are chosen and the others die; the paper lets k fall from 100
        over the first half of training (section 4.2.1).
    falling_steps : number of gradient steps in which ``k_first`` falls linearly to k.

    Raises
    ------
    ValueError
        If ``k``, ``α k`` or ``k_first`` is not between 1 and ``code_dim``, or ``k_first`` is below
        k or is given without ``falling_steps``.
    """

    def __init__(self, k=25, alpha=1.0, code_dim=1000, k_first=None, falling_steps=0, **kwargs):
        self._counts = (k, round(alpha * k), k if k_first is None else k_first, falling_steps)
        if not all(1 <= count <= code_dim for count in self._counts[:3]):
            raise ValueError(
                f"of {code_dim} units, k = {k}, alpha · k = {round(alpha * k)} and "
                f"k_first = {self._counts[2]} cannot all be kept"
            )
        if self._counts[2] < k or (self._counts[2] > k) != (falling_steps > 0):
            raise ValueError(
                f"k falls from k_first to k in falling_steps steps; k = {k}, k_first = {k_first} "
                f"and falling_steps = {falling_steps} do not say how"
            )
        super().__init__(code_dim=code_dim, **kwargs)
        self.k = k
        self.alpha = alpha
        self.k_first = k_first
        self.falling_steps = falling_steps

    def build_encoder(self):
        image = keras.Input(self.image_shape, name="image")
        z = layers.Dense(self.code_dim, self.code_activation, name="units")(
            self.hidden_layers(image)
        )
        return keras.Model(image, KeepLargest(*self._counts, name="code")(z), name="encoder")

    def loss_terms(self, x, y=None, training=False):
        """The error with the units that training keeps, in evaluation too, so that both compare."""
        # In training mode the encoder keeps k units, otherwise α k; nothing else in it differs
        z = self.encoder(x, training=True)
        return {"loss": self.reconstruction_error(x, self.decoder(z, training=training))}

    def update(self, x, y=None):
        """Take a gradient step and count it; k may become smaller for the next step."""
        terms = super().update(x, y)
        self.encoder.get_layer("code").advance()
        return terms

    def get_config(self):
        own = {name: getattr(self, name) for name in ("k", "alpha", "k_first", "falling_steps")}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package=PACKAGE)
class TiedKSparse(Tied, KSparse):
    """The k-sparse autoencoder with tied weights, as in its paper."""


if __name__ == "__main__":
    from Code.commands.variant import main

    main("sparse")
