"""A folder of pictures: one folder for each class, or all together without labels."""

from pathlib import Path

import numpy as np

from Code.data.array_file import check_size
from Code.data.pictures import fitted, is_colour, picture_size, pictures_in, read_picture
from Code.foundation.errors import UserError

PARTS = {"train": ("train", "training"), "test": ("test", "testing")}
# Pictures of mixed sizes, or larger than this, are brought to MNIST's size
LARGEST_SIDE, USUAL = 128, (28, 28)
ORDER_SEED = 0


class PictureFolderError(UserError, ValueError):
    """A folder of pictures that cannot be used; the message is one line."""


def read_pictures(folder, size=None):
    """Read the pictures of a folder, as ``folder/class/1.png`` or ``folder/1.png``.

    Two folders ``train`` and ``test`` hold the two parts, each in either way. The folders' names
    are the labels. If one picture has colours, all are read in colour. Pictures of different sizes,
    or with a side above 128, are scaled to 28×28, and cropped in the middle where their aspect
    ratio is another. The pictures of each part are mixed, always in the same order.

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
    sizes = {picture_size(file) for file in every}
    colour = any(map(is_colour, every))
    notes = []
    wanted = size
    if size is None and (len(sizes) > 1 or max(map(max, sizes)) > LARGEST_SIDE):
        wanted = USUAL
        height, width = USUAL
        notes.append(
            f"pictures of {_told(sizes)} pixels were scaled to {height}×{width}; "
            f"{folder.name}@64 scales them to 64×64"
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
    """``{"train": folder, "test": folder}``, or the whole as ``{"train": folder}``."""
    inside = {path.name.lower(): path for path in _folders(folder)}
    found = {
        part: inside[name] for part, names in PARTS.items() for name in names if name in inside
    }
    return found if len(found) == 2 else {"train": folder}


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
        raise PictureFolderError(
            f"{folder}: neither IDX files nor pictures in it; a data set is a folder of pictures, "
            "with a folder for each class if there are labels"
        )
    if own:
        return own, None
    files = [file for _, found in classes for file in found]
    return files, [name for name, found in classes for _ in found]


def _folders(folder):
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
