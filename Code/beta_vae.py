"""β-VAE (Higgins et al. 2017): a stronger pull of q(z | x) towards the factorised prior.

    minimise  −log p(x | z) + β KL(q(z | x) ‖ N(0, I))                              (eq. 4)

β > 1 pays for each nat of the code with β nats of likelihood, so that only directions of the data
worth that price are kept, each in a unit of its own.

Train it alone: ``python -m Code.beta_vae --help``.
"""

import keras

from Code.base import PACKAGE
from Code.disentangled import DisentangledVAE


@keras.saving.register_keras_serializable(package=PACKAGE)
class BetaVAE(DisentangledVAE):
    """The VAE with β times the KL term; with ``beta = 1`` it is the VAE.

    Parameters
    ----------
    beta : β, at least 0.

    Raises
    ------
    ValueError
        If ``beta`` is negative.
    """

    def __init__(self, beta=4.0, **kwargs):
        if not beta >= 0:
            raise ValueError(f"beta must be 0 or more, not {beta}")
        super().__init__(**kwargs)
        self.beta = beta

    def loss_terms(self, x, y=None, training=False):
        """The weighted sum and its two terms, unweighted, in nats an image."""
        terms = super().loss_terms(x, y, training)
        return {**terms, "loss": terms["reconstruction"] + self.beta * terms["kl"]}

    def get_config(self):
        return {**super().get_config(), "beta": self.beta}


if __name__ == "__main__":
    from Code.training.alone import main

    main("beta_vae")
