"""Trained models in the folders where a run leaves them."""

import pytest
from small import made, train

MODELS = {
    "ae-2": ("Code.ae:AE", 2),
    "vae-2": ("Code.vae:VAE", 2),
    "dae-2": ("Code.dae:DAE", 2),
    "ae-16": ("Code.ae:AE", 16),
    "vae-16": ("Code.vae:VAE", 16),
    "dae": ("Code.dae:DAE", 64),
}


def train_into(folder, names, mnist):
    """Train these models, save each in a folder of its name; the models by name."""
    models = {}
    for name in names:
        path, code_dim = MODELS[name]
        models[name] = train(made(path, code_dim), mnist, epochs=2)
        (folder / name).mkdir()
        models[name].save(folder / name / "model.keras")
    return models


@pytest.fixture(scope="session")
def trained(mnist, tmp_path_factory):
    """The folder of some trained models, and the models by name."""
    folder = tmp_path_factory.mktemp("output")
    return folder, train_into(folder, MODELS, mnist)


@pytest.fixture(scope="session")
def pair(mnist, tmp_path_factory):
    """A folder with two of the models, of which a page is made sooner."""
    folder = tmp_path_factory.mktemp("pair")
    train_into(folder, ("ae-2", "vae-16"), mnist)
    return folder
