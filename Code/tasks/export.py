"""Export a trained encoder and decoder as files that need neither Keras nor this project.

    python -m Code.use export --model output/dae --format onnx --output exported

writes ``encoder``, ``decoder`` and ``autoencoder`` in that format, runs each file on test images
and compares its output with Keras. Images are float32 ``(n, height, width)`` with intensities in
[0, 1]. ONNX needs ``pip install tf2onnx onnxruntime``.
"""

import shutil
import tempfile
from pathlib import Path

import numpy as np

from Code.foundation.errors import UserError

FORMATS = {"onnx": ".onnx", "tf_saved_model": ""}
TOLERANCE = 1e-5
COMPARED = 100


def parts(model):
    """The Keras models of an autoencoder to export, by name.

    ``encoder`` is image → code (z_mean for a variational model), ``decoder`` code → image,
    ``autoencoder`` image → reconstruction.
    """
    import keras

    image = keras.Input(model.image_shape, name="image")
    return {
        "encoder": keras.Model(image, model.code_of(image), name="encoder"),
        "decoder": model.decoder,
        "autoencoder": model.autoencoder,
    }


def export(model, folder, form, images):
    """Write every part of ``model`` into ``folder`` and compare its output with Keras.

    Parameters
    ----------
    form : ``"onnx"`` or ``"tf_saved_model"``.
    images : float32 array ``(n, height, width)`` in [0, 1] for the comparison.

    Returns
    -------
    dict: path → largest absolute difference from Keras.

    Raises
    ------
    UserError
        If a part cannot be exported, or differs from Keras by more than 1e-5 of its largest value.
    """
    from keras import ops

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    codes = model.encode(images)
    found = {}
    for name, part in parts(model).items():
        x = codes if name == "decoder" else images
        expected = ops.convert_to_numpy(part(x))
        path = folder / f"{name}{FORMATS[form]}"
        with tempfile.TemporaryDirectory(dir=folder, prefix=".export-") as scratch:
            draft = Path(scratch, path.name)
            _write(part, draft, form)
            difference = float(np.abs(_read(draft, form)(x) - expected).max())
            if difference > TOLERANCE * max(1.0, float(np.abs(expected).max())):
                raise UserError(f"{name} as {form} differs from Keras by {difference:.1e}")
            if path.is_dir():
                shutil.rmtree(path)
            draft.rename(path)
        found[path] = difference
    return found


def _write(part, path, form):
    try:
        part.export(str(path), format=form, verbose=False)
    except ImportError as error:
        raise UserError(f"{error}; pip install tf2onnx onnxruntime") from None


def _read(path, form):
    """Load the exported file as a function of an array."""
    if form == "onnx":
        try:
            import onnxruntime
        except ImportError as error:
            raise UserError(f"{error}; pip install tf2onnx onnxruntime") from None
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        (given,) = session.get_inputs()
        return lambda x: session.run(None, {given.name: x})[0]
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    return lambda x: loaded.serve(x).numpy()
