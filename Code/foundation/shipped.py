"""The trained models that are committed beside the results: where they lie, what is told of them.

``<output>/reference/weights/<experiment>.keras`` stands for an experiment's folder in which nothing
was trained here, so that a fresh clone has models to use. ``weights.json`` beside them tells of
each its seed, its precision, its data and the figures that the reference has of that seed.
"""

import hashlib
import json
from pathlib import Path

FOLDER = Path("reference", "weights")
INDEX = "weights.json"
OWN = ("model.keras", "runs/seed-*/model.keras")
"""Where an experiment's folder holds what was trained here."""


def folder_of(output: str | Path) -> Path:
    """The folder of the committed models in a folder of results."""
    return Path(output) / FOLDER


def file_of(output: str | Path, name: str) -> Path:
    """Where the committed model of an experiment lies, if there is one."""
    return folder_of(output) / f"{name}.keras"


def trained_in(folder: Path) -> bool:
    """Whether an experiment's folder holds a model that was trained there."""
    return any(file.is_file() for where in OWN for file in folder.glob(where))


def stands_in(path: str | Path) -> Path | None:
    """The committed model in place of an experiment's folder; None if there is none, or no need.

    Parameters
    ----------
    path : what ``--model`` takes: an experiment's folder, such as ``output/dae``, or a file.
    """
    path = Path(path)
    if path.is_file() or trained_in(path):
        return None
    # Of "." and the like the path tells neither the name nor the folder of the results
    whole = path.resolve()
    file = file_of(whole.parent, whole.name)
    return file if file.is_file() else None


def told(folder: str | Path) -> dict[str, dict]:
    """What is told of each committed model in a folder, by experiment; empty where nothing is."""
    try:
        found = json.loads(Path(folder, INDEX).read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError):
        return {}


def told_of(file: str | Path) -> dict:
    """What is told of one committed model, by its file; empty where nothing is."""
    return told(Path(file).parent).get(Path(file).stem, {})


def digest(file: str | Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()
