"""Trained models in the folders where a run leaves them."""

import shutil

import pytest
from small import made, train

MODELS = {
    "ae-2": ("Code.ae:AE", 2),
    "vae-2": ("Code.vae:VAE", 2),
    "dae-2": ("Code.dae:DAE", 2),
    "ae-16": ("Code.ae:AE", 16),
    "vae-16": ("Code.vae:VAE", 16),
}


@pytest.fixture(scope="session")
def trained(mnist, tmp_path_factory):
    """The folder of some trained models, and the models by name."""
    folder = tmp_path_factory.mktemp("output")
    models = {}
    for name, (path, code_dim) in MODELS.items():
        models[name] = train(made(path, code_dim), mnist, epochs=2)
        (folder / name).mkdir()
        models[name].save(folder / name / "model.keras")
    return folder, models


@pytest.fixture(scope="session")
def pair(trained, tmp_path_factory):
    """A folder with two of the trained models, of which a page is made sooner."""
    folder = tmp_path_factory.mktemp("pair")
    for name in ("ae-2", "vae-16"):
        shutil.copytree(trained[0] / name, folder / name)
    return folder
