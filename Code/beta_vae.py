"""β-VAE (Higgins et al. 2017): q(z | x) is pulled more strongly towards the factorised prior.

    minimise  −log p(x | z) + β KL(q(z | x) ‖ N(0, I))                              (eq. 4)

With β > 1, each nat of information in the code costs β nats of likelihood. So only directions of
the data that are worth this cost are kept, each in its own unit.

Train it alone: ``python -m Code.beta_vae --help``.
"""

import keras

from Code.base import PACKAGE
from Code.parts.latent import gaussian_total_correlation, most_used, sampled_codes, traversal
from Code.vae import VAE


class DisentangledVAE(VAE):
    """A VAE whose loss makes the units of its code independent; the subclass defines how."""

    def diagnostics(self, x, y):
        """``gaussian_tc``: total correlation of the code in nats; ``active_units`` as in VAE."""
        tc = gaussian_total_correlation(sampled_codes(self, x))
        return {**super().diagnostics(x, y), "gaussian_tc": tc}

    def views(self, x, y):
        """``traversal``: one row of ten images per unit, the most active units first.

        ``traversal_units`` are their numbers, from 0.
        """
        means = self.encode(x[:1000])
        return {"traversal": traversal(self, means), "traversal_units": most_used(means)}


@keras.saving.register_keras_serializable(package=PACKAGE)
class BetaVAE(DisentangledVAE):
    """The VAE with β times the KL term; with ``beta = 1`` it is the plain VAE.

    Parameters
    ----------
    beta : β, at least 0.

    Raises
    ------
    ValueError
        If ``beta`` is negative.
    """

    live = ("beta",)

    def __init__(self, beta=4.0, **kwargs):
        if not beta >= 0:
            raise ValueError(f"beta must be 0 or more, not {beta}")
        super().__init__(**kwargs)
        self.beta = beta

    def loss_terms(self, x, y=None, training=False):
        """The weighted sum, and its two terms without weights, in nats per image."""
        terms = super().loss_terms(x, y, training)
        return {**terms, "loss": terms["reconstruction"] + self.beta * terms["kl"]}

    def get_config(self):
        return {**super().get_config(), "beta": self.beta}


if __name__ == "__main__":
    from Code.commands.variant import main

    main("beta_vae")
