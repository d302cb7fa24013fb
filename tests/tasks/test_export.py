"""Exported encoders and decoders give what Keras gives."""

import keras
import numpy as np
import pytest

from Code.cae import CAE
from Code.commands import use
from Code.dae import DAE
from Code.parts.images import to_unit
from Code.tasks.export import export
from Code.vae import VAE
from tests.support import called

FORMS = ["tf_saved_model", pytest.param("onnx", marks=pytest.mark.needs("onnx"))]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "make", [VAE, *(pytest.param(c, marks=pytest.mark.slow) for c in (DAE, CAE))]
)
def test_every_part_equals_keras(make, form, mnist, tmp_path):
    keras.utils.set_random_seed(3)
    model = make()
    images = to_unit(mnist.x_test[:20])
    found = export(model, tmp_path, form, images)
    assert {path.stem for path in found} == {"encoder", "decoder", "autoencoder"}
    assert all(path.exists() for path in found)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in found)
    scale = np.abs(model.encode(images)).max()
    assert max(found.values()) <= 1e-5 * max(1.0, scale)


@pytest.mark.slow
def test_the_command_line_on_a_saved_model(tmp_path):
    DAE().save(tmp_path / "model.keras")
    done = called(use.main, "export", "--model", tmp_path, "--output", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("equals Keras to") == 3


def test_no_model_is_one_line(tmp_path):
    done = called(use.main, "export", "--model", tmp_path / "none")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
