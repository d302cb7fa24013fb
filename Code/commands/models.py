"""The model that a person names: what was trained here, or else the one committed with the code."""

import sys
from pathlib import Path

from Code.experiments.table import EXPERIMENTS
from Code.foundation import shipped
from Code.foundation.errors import UserError
from Code.training import trained


def load_model(path):
    """Load the trained autoencoder of an experiment's folder, or of a ``.keras`` file.

    Where nothing was trained in the folder it is the one that is committed for it, if there is one;
    a line on standard error says so.

    Raises
    ------
    UserError
        If there is no model, or it is not an autoencoder of this project.
    """
    file = shipped.stands_in(path)
    if file is None:
        _check_folder(Path(path))
        return trained.load_model(path)
    seed = shipped.told_of(file).get("seed", 0)
    print(f"note: {path} is the committed reference's model, seed {seed}", file=sys.stderr)
    return trained.load_model(file)


def _check_folder(path):
    """Raise a `UserError` for a folder that is no experiment's and holds no model."""
    named = path.resolve().name in EXPERIMENTS
    if path.is_dir() and not named and not shipped.trained_in(path):
        raise UserError(
            f"{path} holds no model: give an experiment's folder, such as output/dae, or a .keras "
            "file; run_all.py --list names the experiments"
        )


def data_of(path):
    """What is known of the data on which a model was trained, see `Code.training.trained.data_of`.

    Of a committed model it is told beside it.
    """
    file = shipped.stands_in(path)
    found = shipped.told_of(file or path).get("data")
    if file is None and found is None:
        return trained.data_of(path)
    return found if isinstance(found, dict) and isinstance(found.get("name"), str) else None
