"""Denoising autoencoder (Vincent et al. 2008): reconstruct the clean input from a corrupted one.

    x̃ ~ q(x̃ | x)        x̂ = g(f(x̃))        minimise L(x, x̂)

Train it alone: ``python -m Code.dae --help``.
"""

import keras

from Code.base import PACKAGE, BaseAutoencoder, Piece
from Code.data.corruption import CORRUPTIONS


class Denoising(BaseAutoencoder):
    """Base class that makes an autoencoder a denoising one: it corrupts its inputs in training.

    The noise is drawn anew for every batch.

    Parameters
    ----------
    corruption : a name in ``Code.data.corruption.CORRUPTIONS``.
    level : its strength: the standard deviation in units of intensity for ``"gaussian"``, otherwise
        the share of corrupted pixels. In colour each value of a pixel is corrupted by itself.
    """

    live = ("corruption", "level")

    def __init__(self, corruption="gaussian", level=0.5, **kwargs):
        super().__init__(**kwargs)
        self.corruption = corruption
        self.level = level
        self.noise_seed = keras.random.SeedGenerator()

    def pieces(self):
        """As of any autoencoder, behind the corruption."""
        what = self.corruption.replace("_", " ")
        noise = Piece("in training", f"{what} noise, {self.level:g}")
        return [noise, *super().pieces()]

    def corrupt(self, x):
        """Draw x̃ ~ q(x̃ | x), with the shape of ``x``."""
        return CORRUPTIONS[self.corruption](x, self.level, self.noise_seed)

    def loss_terms(self, x, y=None, training=False):
        """Error between the reconstruction from x̃ and the clean x."""
        x_hat = self.autoencoder(self.corrupt(x), training=training)
        return {"loss": self.reconstruction_error(x, x_hat)}

    def get_config(self):
        return {**super().get_config(), "corruption": self.corruption, "level": self.level}


@keras.saving.register_keras_serializable(package=PACKAGE)
class DAE(Denoising):
    """The denoising autoencoder with dense layers."""


if __name__ == "__main__":
    from Code.commands.variant import main

    main("dae")
