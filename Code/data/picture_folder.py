"""A folder of pictures: one folder for each class, or all together without labels."""

from pathlib import Path

import numpy as np

from Code.data.array_file import check_size
from Code.data.idx_folder import is_idx
from Code.data.limits import MAX_SIDE
from Code.data.pictures import (
    PICTURE_SUFFIXES,
    fitted,
    is_colour,
    picture_size,
    pictures_in,
    read_picture,
)
from Code.foundation.errors import UserError, in_a_line

PARTS = {"train": ("train", "training"), "test": ("test", "testing", "val", "valid", "validation")}
# Pictures of mixed sizes, or larger than this, are brought to MNIST's size
USUAL = (28, 28)
ORDER_SEED = 0
# How many floors below a folder images are looked for, to say where they are
DEEPEST, MANY = 4, 100
OF_SYSTEMS = ("thumbs.db", "desktop.ini")


class PictureFolderError(UserError, ValueError):
    """A folder of pictures that cannot be used; the message is one line."""


def read_pictures(folder, size=None):
    """Read the pictures of a folder, as ``folder/class/1.png`` or ``folder/1.png``.

    Two folders ``train`` and ``test`` (or ``val``) hold the two parts, each in either way, and a
    folder ``train`` alone the whole. Other folders' names are the labels. If one picture has
    colours, all are read in colour. Pictures of different sizes, or with a side above 128, are
    scaled to 28×28, and cropped in the middle where their aspect ratio is another. The pictures of
    each part are mixed, always in the same order.

    Parameters
    ----------
    size : ``(height, width)`` to which all pictures are scaled, or None for their own.

    Returns
    -------
    arrays, notes : ``{"x_train", "y_train", "x_test", "y_test"}``, without labels or test part
        where there are none; images are uint8 ``(n, height, width)`` or ``(n, height, width, 3)``.
        And lines that tell what was done with the pictures.

    Raises
    ------
    PictureFolderError
        If there are no pictures, or it is not clear which are the labels.
    UserError
        If a picture cannot be read, or all of them would take more than 1 GB.
    """
    folder = Path(folder)
    parts = _parts(folder)
    files = {part: _by_class(where) for part, where in parts.items()}
    if len({labels is None for _, labels in files.values()}) > 1:
        raise PictureFolderError(
            f"{folder}: one of train and test is sorted into classes and the other is not"
        )
    every = [file for found, _ in files.values() for file in found]
    notes = [line for line in (_left_out(folder, every), _unread(every)) if line]
    if len(parts) == 2:
        names = " and ".join(path.name for path in parts.values())
        notes.append(f"the folders {names} are its training and test part")
    sizes = {picture_size(file) for file in every}
    colour = any(map(is_colour, every))
    wanted = size
    if size is None and (len(sizes) > 1 or max(map(max, sizes)) > MAX_SIDE):
        wanted = USUAL
        height, width = USUAL
        notes.append(
            f"pictures of {_told(sizes)} pixels were scaled to {height}×{width}; "
            f"{folder.name or folder}@64 scales them to 64×64"
        )
    shape = (*(wanted or next(iter(sizes))), *([3] if colour else []))
    check_size(folder, len(every) * int(np.prod(shape)), "of pixels")
    arrays = {}
    for part, (found, labels) in files.items():
        order = np.random.default_rng(ORDER_SEED).permutation(len(found))
        arrays[f"x_{part}"] = np.stack([_image(found[i], shape, wanted) for i in order])
        if labels is not None:
            arrays[f"y_{part}"] = np.array(labels)[order]
    return arrays, notes


def _image(file, shape, wanted):
    image = read_picture(file, colour=len(shape) == 3)
    return image if wanted is None else fitted(image, shape, centre_ink=False)


def _told(sizes):
    """The smallest and the largest of some sizes, for a message."""
    low, high = (f"{height}×{width}" for height, width in (min(sizes), max(sizes)))
    return low if low == high else f"{low} to {high}"


def _parts(folder):
    """``{"train": folder, "test": folder}``, or the whole as ``{"train": folder}``.

    Beside a folder of another name with pictures in it, ``train`` is a class as well.
    """
    inside = {path.name.lower(): path for path in _folders(folder)}
    names = {name for part in PARTS.values() for name in part}
    others = [path for name, path in inside.items() if name not in names and pictures_in(path)]
    if others or pictures_in(folder):
        return {"train": folder}
    found = {}
    for part, of_part in PARTS.items():
        here = [inside[name] for name in of_part if name in inside]
        if here:
            found[part] = here[0]
    return found if "train" in found else {"train": folder}


def _by_class(folder):
    """The pictures of a folder, and the label of each or None."""
    own = pictures_in(folder)
    classes = [(path.name, pictures_in(path)) for path in _folders(folder)]
    classes = [(name, files) for name, files in classes if files]
    if own and classes:
        raise PictureFolderError(
            f"{folder}: {len(own)} pictures beside folders of pictures ({classes[0][0]}, …); give "
            "either pictures alone, or a folder for each class"
        )
    if not own and not classes:
        deeper = _deeper(folder)
        raise PictureFolderError(
            f"{folder}: neither IDX files nor pictures in it"
            + (f", but in {deeper}: give {_around(deeper)}" if deeper else "")
            + "; a data set is a folder of pictures, or of a folder for each class"
        )
    if own:
        return own, None
    files = [file for _, found in classes for file in found]
    return files, [name for name, found in classes for _ in found]


def _deeper(folder, floors=DEEPEST):
    """The nearest folder below this one that holds pictures or IDX files, or None."""
    level = [folder]
    for _ in range(floors):
        level = [inner for path in level for inner in _folders(path)][:MANY]
        for path in level:
            if pictures_in(path) or any(map(is_idx, path.iterdir())):
                return path
    return None


def _around(deeper):
    """In words: the folder to give where the images lie in ``deeper``."""
    return "that folder" if any(map(is_idx, deeper.iterdir())) else "the folder around that one"


def _unread(files):
    """A line about the files beside pictures that are of no kind that is read; None without any."""
    others = sorted(
        path.name
        for folder in {file.parent for file in files}
        for path in folder.iterdir()
        if not path.name.startswith(".")
        and path.suffix.lower() not in PICTURE_SUFFIXES
        and path.name.lower() not in OF_SYSTEMS
        and path.is_file()
    )
    if not others:
        return None
    n = f"{len(others):,} file{'s' if len(others) > 1 else ''}"
    return f"{n} of other kinds left out ({in_a_line(', '.join(others), 100)})"


def _left_out(folder, files):
    """A line about the pictures in a folder that are not among ``files``; None without any."""
    every = [p for p in Path(folder).rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES]
    every = [p for p in every if p.is_file() and not p.name.startswith(".")]
    lost = sorted({p.parent for p in every} - {p.parent for p in files})
    if not lost:
        return None
    names = in_a_line(", ".join(str(p.relative_to(folder)) for p in lost), 100)
    return f"{len(every) - len(files)} pictures in other places were left out ({names})"


def _folders(folder):
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
