"""A trained autoencoder for several uses: trained once a process, not once a file."""

import keras
import pytest

from Code.ae import AE


@pytest.fixture(scope="session")
def ae_16(mnist):
    """The network of the common comparison with 16 units, after a little of MNIST."""
    keras.utils.set_random_seed(0)
    model = AE(hidden=(256, 64), code_dim=16, reconstruction="binary cross-entropy")
    model.compile()
    model.fit(mnist.x_train[:19_200], batch_size=128, epochs=3, verbose=0)
    return model
