"""Trained autoencoders for several uses: trained once a run, not once a file."""

import keras
import pytest

from Code.ae import AE
from Code.tasks import generate
from Code.vae import VAE
from tests.trained import once

NET = {"hidden": (256, 64), "code_dim": 16, "reconstruction": "binary cross-entropy"}


@pytest.fixture(scope="session")
def ae_16(mnist, tmp_path_factory):
    """The network of the common comparison with 16 units, after a little of MNIST."""

    def make():
        model = AE(**NET)
        model.compile()
        return model

    return once(tmp_path_factory, "ae-16", make, x=mnist.x_train[:19_200], batch_size=128, epochs=3)


@pytest.fixture(scope="session")
def vae_16(mnist, tmp_path_factory):
    """A VAE, trained until it fills halves better than the mean image does, by a clear margin."""

    def make():
        model = VAE(**{**NET, "hidden": (128, 64)})
        model.compile(keras.optimizers.Adam(4e-3))
        return model

    return once(
        tmp_path_factory, "vae-16", make, x=mnist.x_train[:19_200], batch_size=128, epochs=5
    )


@pytest.fixture(scope="module")
def brief_reader():
    """Of 6,000 images the reader of digits learns what it can in fewer steps than of 60,000."""

    def forget():
        generate._reader.cache_clear()
        generate._real.cache_clear()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generate, "READER_STEPS", 250)
        forget()
        yield
    forget()
