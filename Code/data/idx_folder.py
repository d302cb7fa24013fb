"""A folder of IDX files: MNIST, Fashion-MNIST, KMNIST, QMNIST, and each set of EMNIST."""

import re
from pathlib import Path

import numpy as np

from Code.data.idx import read_idx
from Code.foundation.errors import UserError, in_a_line

# For example emnist-letters-train-images-idx3-ubyte.gz or qmnist-test-labels-idx2-int
_NAME = re.compile(
    r"(?P<set>.*?)(?P<part>train|t10k|test)-(?P<kind>images|labels)[-.]idx\d-(ubyte|int)(\.gz)?",
    re.IGNORECASE,
)
_KEYS = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


class IdxFolderError(UserError, ValueError):
    """A folder of IDX files that cannot be used; the message is one line."""


def is_idx(path):
    """Whether a file is named as IDX files are."""
    return _NAME.fullmatch(Path(path).name) is not None


def read_idx_folder(folder, chosen=None):
    """Read the training images, and the test images and the labels where there are some.

    EMNIST's images are stored with rows and columns exchanged; where the files or the folder are
    named after it, they are put upright, and the file ``…-mapping.txt``, where there is one, names
    the classes.

    Parameters
    ----------
    chosen : the set to take where the folder holds several, such as ``"emnist-letters"``.

    Returns
    -------
    arrays ``{"x_train", "y_train", "x_test", "y_test"}`` (without the labels if there are none),
    the names of the labels ``{label: name}``, and lines that tell what was done with the images.

    Raises
    ------
    IdxFolderError
        If images are missing, labels are there for one part only, or a file cannot be read.
    """
    folder = Path(folder)
    sets = _sets_of(folder)
    if chosen is not None:
        sets = {name: files for name, files in sets.items() if name.rstrip("-_.") == chosen}
    if len(sets) != 1:
        names = ", ".join(sorted(name.rstrip("-_.") or "without a name" for name in sets))
        raise IdxFolderError(
            f"{folder}: it holds several sets of images ({names}); give one as "
            f"{folder / 'NAME'}, or leave one in the folder"
        )
    ((name, files),) = sets.items()
    missing = [_KEYS["x_train"]] if "x_train" not in files else []
    if "y_test" in files and "x_test" not in files:
        missing.append(_KEYS["x_test"])
    if "x_test" in files and ("y_train" in files) != ("y_test" in files):
        missing += [_KEYS[key] for key in ("y_train", "y_test") if key not in files]
    if missing:
        raise IdxFolderError(
            f"{folder}: {', '.join(missing)} missing; a folder must hold the IDX files of the "
            "images, and of the labels if there are some, gzipped (.gz) or not"
        )
    try:
        arrays = {key: read_idx(files[key]) for key in _KEYS if key in files}
    except ValueError as error:
        raise IdxFolderError(in_a_line(error)) from error
    for key in ("y_train", "y_test"):
        # QMNIST's labels are rows of eight numbers, of which the first is the digit
        if key in arrays and arrays[key].ndim == 2 and "idx2-int" in files[key].name.lower():
            arrays[key] = arrays[key][:, 0]
    names, notes = {}, []
    if "emnist" in f"{folder.resolve().name} {name}".lower():
        for key in ("x_train", "x_test"):
            if key in arrays and arrays[key].ndim == 3:
                arrays[key] = np.ascontiguousarray(arrays[key].transpose(0, 2, 1))
        names = _mapping(folder / f"{name}mapping.txt")
        notes.append("EMNIST stores rows and columns exchanged: its images were put upright")
    return arrays, names, notes


def _sets_of(folder):
    """``{first part of the names: {key: file}}``; unzipped files are preferred."""
    sets = {}
    for file in sorted(folder.iterdir(), reverse=True):
        named = _NAME.fullmatch(file.name)
        if named and file.is_file():
            part = "train" if named["part"].lower() == "train" else "test"
            key = f"{'x' if named['kind'].lower() == 'images' else 'y'}_{part}"
            sets.setdefault(named["set"], {})[key] = file
    return sets


def _mapping(file):
    """The characters of EMNIST's labels from lines such as ``1 65 97``: label, code points."""
    try:
        rows = [
            [int(word) for word in line.split()] for line in file.read_text("ascii").split("\n")
        ]
        return {row[0]: chr(row[1]) for row in rows if len(row) > 1}
    except (OSError, ValueError, OverflowError):
        return {}
