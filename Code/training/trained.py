"""Find and load trained models on disk."""

import importlib
import json
from pathlib import Path

from Code.experiments.table import EXPERIMENTS
from Code.foundation.errors import UserError, in_a_line
from Code.foundation.keras_import import import_keras


def load_model(path):
    """Load the trained autoencoder of an experiment's folder, or of a ``.keras`` file.

    From a folder it takes ``model.keras``, or otherwise that of the first seed under ``runs``.

    Raises
    ------
    UserError
        If there is no model, or it is not an autoencoder of this project.
    """
    file = _model_file(Path(path))
    keras = import_keras()
    from Code.base import BaseAutoencoder

    # Import all variants, so that their classes are registered and Keras finds them by name
    for row in EXPERIMENTS.values():
        if row.model:
            importlib.import_module(row.model.split(":")[0])
    try:
        model = keras.saving.load_model(file)
    except Exception as error:  # a damaged file raises any of half a dozen types
        raise UserError(
            f"{file}: cannot be loaded as a Keras model ({in_a_line(error, 200)}); a class of your "
            "own needs --module"
        ) from error
    if not isinstance(model, BaseAutoencoder):
        raise UserError(
            f"{file} holds a {type(model).__name__}, not an autoencoder of this project; "
            "train one with run_all.py"
        )
    return model


def data_of(path):
    """What the ``result.json`` beside a trained model says of its data, or None without one.

    Parameters
    ----------
    path : as for `load_model`; the file may also lie deeper in the experiment's folder.

    Returns
    -------
    dict with ``name``, ``sha256``, ``source`` and others, see ``Code.runs.run.facts_of``.
    """
    file = _model_file(Path(path)).resolve()
    for folder in list(file.parents)[:3]:
        try:
            found = json.loads((folder / "result.json").read_text(encoding="utf-8"))["data"]
            return found if isinstance(found["name"], str) else None
        except (OSError, ValueError, LookupError, TypeError):
            continue
    return None


def _model_file(path):
    if path.is_dir():
        files = [path / "model.keras", *sorted(path.glob("runs/seed-*/model.keras"))]
        file = next((file for file in files if file.is_file()), None)
        if file is None:
            raise UserError(
                f"{path} holds no model.keras; train it with run_all.py --only {path.name}"
            )
        return file
    if not path.is_file():
        raise UserError(f"{path}: no such folder or file; give an experiment's folder or a .keras")
    if path.suffix != ".keras":
        raise UserError(f"{path}: a trained model is a folder or a .keras file")
    return path
