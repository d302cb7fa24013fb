"""FactorVAE (Kim & Mnih 2018): penalise dependence between code units, not their information.

    minimise  −log p(x | z) + KL(q(z | x) ‖ N(0, I)) + γ TC(z)                      (eq. 2)
    TC(z) = KL(q(z) ‖ Π_j q(z_j)) ≈ E_q(z) [ log D(z) / (1 − D(z)) ]                (eq. 3)

The discriminator D separates codes from codes whose units were shuffled over the batch, each unit
independently.

Train it alone: ``python -m Code.factor_vae --help``.
"""

import keras
from keras import layers, ops

from Code.base import PACKAGE, Piece, in_full_precision
from Code.beta_vae import DisentangledVAE
from Code.parts.gradients import build, descend_each
from Code.parts.living import Rate
from Code.parts.losses import kl_to_standard_normal
from Code.parts.noise import uniform
from Code.parts.schedules import in_proportion


def permute_units(z, seed):
    """Shuffle every unit independently over the batch: samples of Π_j q(z_j) (algorithm 1).

    Parameters
    ----------
    z : tensor ``(batch, code)``.
    seed : an int, or a generator for a new order in every call.
    """
    order = ops.argsort(uniform(ops.shape(z), seed), axis=0)
    return ops.take_along_axis(z, order, axis=0)


def discriminator_loss(logit_of_code, logit_of_permuted):
    """``−½ [ log D(z) + log (1 − D(z')) ]``, ``(batch,)``, from the logits of D (algorithm 2)."""
    return 0.5 * (ops.softplus(-logit_of_code) + ops.softplus(logit_of_permuted))


@keras.saving.register_keras_serializable(package=PACKAGE)
class FactorVAE(DisentangledVAE):
    """The VAE plus γ times the total correlation, estimated by ``discriminator`` (code → logit).

    Every step updates encoder and decoder with the optimiser given to ``compile`` and the
    discriminator with its own, both by gradients from before the step; in the paper the
    discriminator sees codes of the updated encoder. The paper draws a second batch of images for
    it; here the same images get a second draw of z.

    Parameters
    ----------
    gamma : γ, at least 0.
    discriminator_hidden : units of the discriminator's hidden layers (leaky ReLU).
    discriminator_rate : learning rate of its Adam, with β₁ = 0.5 and β₂ = 0.9 as in the paper.

    Raises
    ------
    ValueError
        If ``gamma`` is negative.
    """

    terms = ("reconstruction", "kl", "total_correlation", "discriminator_loss")
    live = ("gamma",)
    discriminator_rate = Rate("discriminator_optimizer")

    def __init__(
        self, gamma=10.0, discriminator_hidden=(256, 256, 256), discriminator_rate=1e-4, **kwargs
    ):
        if not gamma >= 0:
            raise ValueError(f"gamma must be 0 or more, not {gamma}")
        super().__init__(**kwargs)
        self.gamma = gamma
        self.discriminator_hidden = tuple(discriminator_hidden)
        self.discriminator_rate = discriminator_rate
        self.permutation_seed = keras.random.SeedGenerator()
        self.discriminator = in_full_precision(self.build_discriminator())
        self.make_discriminator_optimizer(discriminator_rate)

    def build_discriminator(self):
        """Code ``(code_dim,)`` → logit of the probability that the code was not permuted."""
        z = keras.Input((self.code_dim,), name="z")
        h = z
        for units in self.discriminator_hidden:
            h = layers.LeakyReLU(negative_slope=0.2)(layers.Dense(units)(h))
        return keras.Model(z, layers.Dense(1, name="logit")(h), name="discriminator")

    def compile(self, optimizer="adam", **kwargs):
        """As in the base class; with a schedule, the discriminator's rate falls along."""
        super().compile(optimizer, **kwargs)
        self.make_discriminator_optimizer(in_proportion(self.discriminator_rate, self.optimizer))

    def make_discriminator_optimizer(self, rate):
        """Its Adam, with this rate or schedule, from its first step on."""
        self.discriminator_optimizer = keras.optimizers.Adam(rate, 0.5, 0.9)
        self.build_discriminator_optimizer()

    def build_discriminator_optimizer(self):
        build(self.discriminator_optimizer, self.discriminator.trainable_variables)

    def build_optimizers(self):
        super().build_optimizers()
        self.build_discriminator_optimizer()

    def pieces(self):
        """As of the VAE, and the discriminator of z from z with permuted units."""
        given = "z, or its units permuted over the batch"
        return [*super().pieces(), Piece("discriminator", self.discriminator, "sample", given)]

    def loss_terms(self, x, y=None, training=False):
        """The loss of encoder and decoder, its terms, and the discriminator's loss, in nats."""
        z_mean, z_log_var = self.encoder(x, training=training)
        z = self.sample(z_mean, z_log_var)
        reconstruction = self.n_pixels * self.reconstruction_error(x, self.decoder(z))
        kl = kl_to_standard_normal(z_mean, z_log_var)
        # log D / (1 − D) is the logit itself
        total_correlation = self.discriminator(z)[:, 0]
        return {
            "loss": reconstruction + kl + self.gamma * total_correlation,
            "reconstruction": reconstruction,
            "kl": kl,
            "total_correlation": total_correlation,
            "discriminator_loss": self.discriminator_terms(z, z_mean, z_log_var),
        }

    def discriminator_terms(self, z, z_mean, z_log_var):
        """The discriminator's loss, ``(batch,)``; no gradient reaches the encoder."""
        again = self.sample(z_mean, z_log_var)
        permuted = permute_units(ops.stop_gradient(again), self.permutation_seed)
        return discriminator_loss(
            self.discriminator(ops.stop_gradient(z))[:, 0], self.discriminator(permuted)[:, 0]
        )

    def update(self, x, y=None):
        """One step of encoder and decoder and one of the discriminator (algorithm 2)."""
        its = self.discriminator.trainable_variables
        steps = [
            (self.optimizer, self.trained_variables, "loss"),
            (self.discriminator_optimizer, its, "discriminator_loss"),
        ]
        return descend_each(steps, lambda: self.all_terms(x, y, training=True))

    def get_config(self):
        return {
            **super().get_config(),
            "gamma": self.gamma,
            "discriminator_hidden": self.discriminator_hidden,
            "discriminator_rate": self.discriminator_rate,
        }


if __name__ == "__main__":
    from Code.commands.variant import main

    main("factor_vae")
