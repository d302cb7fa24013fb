"""Images with or without labels, checked before anything is trained on them."""

import dataclasses
import gzip
import hashlib
import math
import os
import re
import socket
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from Code.data import csv_images, idx_folder, picture_folder
from Code.data.array_file import read_array, read_arrays
from Code.data.labels import class_numbers
from Code.data.limits import DARK, MAX_SIDE, MIN_SIDE
from Code.data.pictures import PICTURE_SUFFIXES
from Code.foundation.errors import UserError, in_a_line, printable
from Code.foundation.keras_import import import_keras
from Code.parts.images import standard, to_unit

# `to_unit` had its place here, and many import it from here
__all__ = ["DataError", "Dataset", "from_anywhere", "load_dataset", "to_unit"]

MNIST_PATH = Path(__file__).with_name("mnist.npz")
MNIST_SHA256 = "06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64"

KEYS = ("x_train", "y_train", "x_test", "y_test")
# Names that others give to images and labels, in lower case, and to those of a test part
IMAGE_NAMES = ("x_train", "train_x", "train_images", "images", "image", "x", "data")
LABEL_NAMES = (
    *("y_train", "train_y", "train_labels", "labels", "label", "y", "targets", "target"),
    *("classes", "class"),
)
TEST_PARTS = ("test", "val", "valid", "validation")
# One image in so many is a test image, as in MNIST, where the data have no test part of their own
TEST_SHARE, SPLIT_SEED = 7, 0

_DOWNLOAD_TIMEOUT = 30  # seconds without an answer; Keras itself would wait forever
_OF_KERAS = ("fashion_mnist", "cifar10", "cifar100")
_ACCEPTED = (
    f"mnist, {', '.join(_OF_KERAS)}, a path to an .npz, .npy or .csv file, or to a folder of IDX "
    "files or of pictures"
)
_ELSEWHERE = "give it as a path to an .npz file, or to a folder of its IDX files"
_NOT_OFFERED = ("kmnist", "emnist", "qmnist", "svhn", "omniglot", "imagenet", "celeba")


class DataError(UserError, ValueError):
    """Data that cannot be used; the message says in one line what is wrong and what to do."""


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test images, with their labels where there are some.

    Attributes
    ----------
    name : the data set's name, a file's name, or a folder's name followed by a slash.
    x_train, x_test : (n, height, width) or, in colour, (n, height, width, 3); uint8 in 0..255 or
        float32 in [0, 1], see ``Code.parts.images``.
    y_train, y_test : (n,), int64 in 0 … k − 1, or None without labels.
    sha256 : hex digest that identifies the source: that of the file if it is a single one,
        otherwise that of the arrays.
    classes : the names of the k classes; empty without labels.
    split : whether the source had no test part, and one image in seven was drawn for it.
    notes : lines that tell what was done with the images when they were read.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray | None
    x_test: np.ndarray
    y_test: np.ndarray | None
    sha256: str
    classes: tuple[str, ...] = tuple("0123456789")
    split: bool = False
    notes: tuple[str, ...] = ()

    @property
    def labelled(self) -> bool:
        return self.y_train is not None

    @property
    def has_classes(self) -> bool:
        """Whether there are training images of at least two classes to tell apart."""
        return self.labelled and bool((self.y_train != self.y_train[0]).any())

    @property
    def class_names(self) -> np.ndarray:
        """The names of the classes, ``(k,)``: whole numbers if all are, otherwise text."""
        names = np.array(self.classes)
        return names.astype(int) if all(map(str.isdecimal, self.classes)) else names

    @property
    def short_name(self) -> str:
        """The name without the ending of a file or the slash of a folder."""
        return re.sub(r"(\.npz|\.npy|\.[ct]sv|\.[ct]sv\.gz|/)$", "", self.name)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(height, width), or (height, width, 3) in colour."""
        return self.x_train.shape[1:]

    def subset(self, n_train: int, n_test: int) -> "Dataset":
        """Return the first ``n_train`` training and ``n_test`` test images, or all if fewer.

        Where the labels are sorted, as many are drawn instead, always the same, so that no class is
        left out. ``sha256`` remains that of the whole source, so it identifies a subset only
        together with the two counts.

        Raises
        ------
        ValueError
            If a count is below 1.
        """
        if n_train < 1 or n_test < 1:
            raise ValueError(f"a subset needs at least 1 image of each, not {n_train}, {n_test}")
        train = _first(self.x_train, self.y_train, n_train)
        test = _first(self.x_test, self.y_test, n_test)
        return dataclasses.replace(
            self, x_train=train[0], y_train=train[1], x_test=test[0], y_test=test[1]
        )

    def without_test(self, n: int) -> "Dataset":
        """Return the training images in two parts, of which the last ``n`` serve for testing.

        Raises
        ------
        ValueError
            If fewer than one image would be left to train on, or to test on.
        """
        if not 1 <= n < len(self.x_train):
            raise ValueError(f"{n} of {len(self.x_train)} training images cannot be held out")
        y = self.y_train
        return dataclasses.replace(
            self,
            x_train=self.x_train[:-n],
            y_train=None if y is None else y[:-n],
            x_test=self.x_train[-n:],
            y_test=None if y is None else y[-n:],
        )


def _first(images, labels, n):
    """The first ``n`` images and labels, or ``n`` drawn ones where the labels are sorted."""
    if labels is None:
        return images[:n], None
    if n < len(labels) and labels[0] < labels[-1] and (np.diff(labels) >= 0).all():
        drawn = np.random.default_rng(SPLIT_SEED).permutation(len(labels))[:n]
        return images[drawn], labels[drawn]
    return images[:n], labels[:n]


def load_dataset(spec: str | Path) -> Dataset:
    """Load and check the data that ``spec`` names.

    ``spec`` is ``mnist`` (bundled: no network), ``fashion_mnist``, ``cifar10`` or ``cifar100``
    (Keras downloads it once), or a path. To load a folder that is called like a data set, write
    ``./mnist``.

    ``.npz`` : arrays ``x_train``, ``x_test`` and, with labels, ``y_train``, ``y_test``; or
        ``images`` alone, or with ``labels``.
    ``.npy`` : images alone.
    ``.csv``, ``.csv.gz`` : a row an image, a label and the pixels or the pixels alone.
    folder of IDX files : MNIST and its successors, gzipped or not.
    folder of pictures : see `picture_folder.read_pictures`; ``photos@64`` scales them to 64×64.

    Images are grey or in colour, with sides of 4 to 128 pixels, of the types in
    ``Code.parts.images``; flat rows of as many pixels as a square has are squares. Labels are of
    any kind, see `class_numbers`. Where there is no test part, one image in seven is drawn for it,
    always the same.

    Raises
    ------
    DataError
        If there is no such data, or it is not as described.
    """
    spec = os.path.expanduser(spec)
    name = spec.lower().replace("-", "_")
    if name == "mnist":
        return _bundled_mnist()
    if name in _OF_KERAS:
        return _from_keras(name)
    try:
        return _from_path(spec)
    except DataError:
        raise
    except UserError as error:
        raise DataError(in_a_line(error)) from error
    except OSError as error:  # a folder in it that may not be read
        where = error.filename or spec
        raise DataError(f"{where}: cannot be read ({error.strerror or error})") from error


def from_anywhere(spec: str | Path) -> str:
    """What `load_dataset` takes for the same data in whatever folder it is called."""
    spec = os.path.expanduser(spec)
    if spec.lower().replace("-", "_") in ("mnist", *_OF_KERAS):
        return spec
    is_path = os.path.exists(spec) or "@" in spec or os.path.dirname(spec)
    return os.path.abspath(spec) if is_path else spec


def _from_path(spec: str) -> Dataset:
    """The data in the file or folder ``spec``, which may end in ``@64`` or ``@64x48``."""
    size = None
    sized = re.fullmatch(r"(.+)@(\d{1,4})(?:[x×](\d{1,4}))?", spec)
    if sized and not os.path.exists(spec):
        spec, size = sized[1], (int(sized[2]), int(sized[3] or sized[2]))
        if not all(MIN_SIDE <= side <= MAX_SIDE for side in size):
            raise DataError(f"{spec}@…: each side must have {MIN_SIDE} to {MAX_SIDE} pixels")
    path = Path(spec)
    if not os.path.exists(spec):  # unlike Path.exists, no error for a name too long to be a path
        if "\0" not in spec and os.path.isdir(path.parent) and path.name:
            return _one_of_several(path, spec)
        raise _no_such(spec)
    if path.is_dir():
        return _from_folder(path, spec, size)
    if not path.is_file():
        raise DataError(f"{spec}: neither a file nor a folder")
    if size is not None:
        raise DataError(f"{spec}: only a folder of pictures is scaled, not a file")
    suffix, notes, unread = path.suffix.lower(), (), []
    if path.name.lower().endswith(csv_images.SUFFIXES):
        arrays, notes = csv_images.read_csv(path)
    elif suffix == ".npy":
        arrays = {"images": read_array(path)}
    elif suffix in PICTURE_SUFFIXES:
        raise DataError(f"{spec}: one picture is no data set; give a folder of pictures")
    elif idx_folder.is_idx(path):
        raise DataError(f"{spec}: one IDX file; give the folder that holds it and its labels")
    elif suffix != ".npz" and not zipfile.is_zipfile(path):
        raise DataError(f"{spec}: not a kind of file that is read; accepted are {_ACCEPTED}")
    else:
        arrays = read_arrays(path, lambda names: _chosen(spec, names, unread))
        notes = [f"not read: {in_a_line(', '.join(unread), 100)}"] if unread else ()
    arrays = {key: arrays[name] for key, name in _keys_of(arrays).items()}
    return _checked(path.name, spec, arrays, _file_sha256(path), notes=notes)


def _no_such(spec):
    if spec.lower() in _NOT_OFFERED:
        return DataError(f"{in_a_line(spec)!r}: Keras does not offer it: {_ELSEWHERE}")
    return DataError(f"{in_a_line(spec)!r}: no such path or data set; accepted are {_ACCEPTED}")


def _bundled_mnist() -> Dataset:
    if not MNIST_PATH.is_file() or _file_sha256(MNIST_PATH) != MNIST_SHA256:
        raise DataError(
            f"{MNIST_PATH}: the bundled MNIST is missing or damaged (its SHA-256 is not"
            f" {MNIST_SHA256[:8]}…); restore it with: git checkout -- Code/data/mnist.npz"
        )
    return _checked("mnist", str(MNIST_PATH), read_arrays(MNIST_PATH, lambda _: KEYS), MNIST_SHA256)


def _chosen(where: str, names: list[str], unread: list[str]) -> list[str]:
    """The names of those arrays of an ``.npz`` that are images and labels; others are ``unread``.

    Raises
    ------
    DataError
        If images, or the labels of one part, are missing.
    """
    if not names:
        raise DataError(
            f"{where}: no arrays in it; of an archive of pictures, unpack it and give the folder"
        )
    found = _keys_of(names)
    unread += [name for name in names if name not in found.values()]
    holds = f"it holds {in_a_line(', '.join(names), 200)}"
    if "x_train" not in found:
        missing = ", ".join(key for key in ("x_train", "y_train") if key not in found)
        raise DataError(
            f"{where}: {missing} missing ({holds}); give arrays their names, as in"
            " numpy.savez(file, images=x, labels=y)"
        )
    missing = [
        f"y_{part}"
        for part, other in (("train", "test"), ("test", "train"))
        if f"y_{other}" in found and f"x_{part}" in found and f"y_{part}" not in found
    ]
    if missing or ("y_test" in found and "x_test" not in found):
        missing = ", ".join(missing) or "x_test"
        raise DataError(
            f"{where}: {missing} missing ({holds}); give both parts their labels, or none"
        )
    return list(found.values())


def _keys_of(names: Iterable[str]) -> dict[str, str]:
    """``{key: name}`` for the arrays among ``names`` that are images and labels.

    A single array is images, whatever it is called.
    """
    lower = {name.lower(): name for name in names}
    lower |= {name: name for name in names if name in lower}
    of_images = {p: (f"x_{p}", f"{p}_x", f"{p}_images") for p in TEST_PARTS}
    # Labels of the same part, so that a validation part is not mistaken for the other one
    part = next((p for p in TEST_PARTS if lower.keys() & set(of_images[p])), TEST_PARTS[0])
    aliases = {
        "x_train": IMAGE_NAMES,
        "y_train": LABEL_NAMES,
        "x_test": of_images[part],
        "y_test": (f"y_{part}", f"{part}_y", f"{part}_labels"),
    }
    found = {}
    for key, known in aliases.items():
        name = next((lower[alias] for alias in known if alias in lower), None)
        if name is not None:
            found[key] = name
    if not found and len(lower) == 1:
        (found["x_train"],) = lower.values()
    return found


def _from_folder(path: Path, spec: str, size=None) -> Dataset:
    name = f"{path.resolve().name or 'root'}/"
    if any(idx_folder.is_idx(file) for file in path.iterdir()):
        if size is not None:
            raise DataError(f"{spec}: only a folder of pictures is scaled, not IDX files")
        return _idx(path, spec)
    arrays, notes = picture_folder.read_pictures(path, size)
    return _checked(name, spec, arrays, notes=notes)


def _idx(path: Path, spec: str, chosen: str | None = None) -> Dataset:
    arrays, names, notes = idx_folder.read_idx_folder(path, chosen)
    return _checked(f"{chosen or path.resolve().name}/", spec, arrays, names=names, notes=notes)


def _one_of_several(path: Path, spec: str) -> Dataset:
    """One of the sets of IDX files in a folder, as ``emnist/emnist-letters``."""
    if not any(
        idx_folder.is_idx(file) and file.name.startswith(f"{path.name}-")
        for file in path.parent.iterdir()
    ):
        raise _no_such(spec)
    return _idx(path.parent, spec, path.name)


def _from_keras(name: str) -> Dataset:
    keras = import_keras()  # imported here: it takes seconds, and MNIST does not need it
    previous = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_DOWNLOAD_TIMEOUT)
    try:
        (x_train, y_train), (x_test, y_test) = getattr(keras.datasets, name).load_data()
    except (EOFError, ValueError, gzip.BadGzipFile, zlib.error) as error:
        home = os.environ.get("KERAS_HOME", os.path.join("~", ".keras"))
        raise DataError(
            f"{name}: the copy that Keras keeps is damaged; delete"
            f" {os.path.join(home, 'datasets', name.replace('_', '-'))} and try again"
        ) from error
    except Exception as error:  # Keras raises a bare Exception when a download fails
        raise DataError(
            f"{name}: cannot be downloaded ({in_a_line(error)}); check the network, or {_ELSEWHERE}"
        ) from error
    finally:
        socket.setdefaulttimeout(previous)
    arrays = dict(zip(KEYS, (x_train, y_train, x_test, y_test), strict=True))
    return _checked(name, name, arrays)


def _checked(
    name: str,
    where: str,
    arrays: dict[str, np.ndarray],
    sha256: str | None = None,
    names: dict | None = None,
    notes: Sequence[str] = (),
) -> Dataset:
    """Build a `Dataset` from the arrays read, or raise a DataError that begins with ``where``."""
    try:
        arrays = {key: np.asarray(arrays[key]) for key in KEYS if key in arrays}
        found = _images({key: array for key, array in arrays.items() if key.startswith("x")})
        given = {key: array for key, array in arrays.items() if key.startswith("y")}
        classes = ()
        if given:
            given, classes = class_numbers(given, names)
            for key, labels in given.items():
                _check_counts(key[2:], found[f"x_{key[2:]}"], labels)
        found |= given
        split = "x_test" not in found
        if split:
            found = _split_off(found)
    except UserError as error:
        raise DataError(f"{where}: {in_a_line(error)}") from error
    found = {key: found.get(key) for key in KEYS}
    classes = tuple(map(printable, classes))
    digest = sha256 or _arrays_sha256(found, classes)
    notes = [*map(printable, notes), *_dark(found["x_train"], found["x_test"])]
    if split:
        notes.append(f"no test images: one image in {TEST_SHARE} was drawn for them")
    return Dataset(
        printable(name), **found, sha256=digest, classes=classes, split=split, notes=tuple(notes)
    )


def _dark(*parts: np.ndarray) -> list[str]:
    """A line about images that are nowhere bright: bits or small numbers in a wide type."""
    brightest = max(float(to_unit(np.array([x.max()], x.dtype))[0]) for x in parts)
    if not 0 < brightest < DARK:
        return []
    return [
        f"the brightest pixel of all has {brightest:.2g} of the possible 1: if it should be white, "
        "divide the images by the largest possible value and save them as floats"
    ]


def _images(parts: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Images of each part as `Dataset` has them, ``{key: array}``."""
    shaped = {key: _shaped(key, images) for key, images in parts.items()}
    _check_sides(*shaped.values())
    kinds = {key: str(images.dtype.newbyteorder("=")) for key, images in shaped.items()}
    if len(set(kinds.values())) > 1 and all(x.dtype.kind in "biu" for x in shaped.values()):
        told = " but ".join(f"{key} is {kind}" for key, kind in kinds.items())
        raise DataError(f"{told}: give both parts the same type, which says how bright 1 is")
    integers = [x for x in shaped.values() if x.dtype.kind in "iu" and x.dtype.itemsize > 2]
    if len(integers) == len(shaped):
        # Bytes in a wider type: whether some exceed 1 is seen in both parts, as one may be dark
        standard(np.array([[x.min(), x.max()] for x in integers]), "the images")
        shaped = {key: images.astype(np.uint8) for key, images in shaped.items()}
    return {
        key: np.ascontiguousarray(standard(images, f"the images of {key}"))
        for key, images in shaped.items()
    }


def _shaped(key: str, images: np.ndarray) -> np.ndarray:
    """Images ``(n, height, width)`` or ``(n, height, width, 3)``; a last axis of 1 is dropped."""
    found = images.shape
    # Pictures of one column end in a 1 too
    if images.shape[-1:] == (1,) and (images.ndim == 4 or _are_rows(images[..., 0])):
        images = images[..., 0]
    if _are_rows(images):
        side = math.isqrt(images.shape[1])
        images = images.reshape(-1, side, side)
    if images.ndim == 3 or (images.ndim == 4 and images.shape[-1] == 3):
        if not len(images):
            raise DataError(f"{key} holds no images")
        return images
    if images.ndim == 4 and images.shape[1] in (1, 3):
        raise DataError(
            f"{key} has the shape {found}: move the channels to the end with np.moveaxis(x, 1, -1)"
        )
    raise DataError(
        f"{key} has the shape {found}; (n, height, width), in colour (n, height, width, 3), or "
        "flat rows of a square, (n, side · side), are needed"
    )


def _are_rows(images: np.ndarray) -> bool:
    """Whether an array holds flat rows of a square."""
    if images.ndim != 2:
        return False
    side = math.isqrt(images.shape[1])
    return side**2 == images.shape[1] and side >= MIN_SIDE


def _check_counts(part: str, images: np.ndarray, labels: np.ndarray) -> None:
    if len(images) != len(labels):
        raise DataError(
            f"x_{part} holds {len(images)} images but y_{part} {len(labels)} labels;"
            " one label an image is needed"
        )


def _split_off(found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Draw one image in seven as test images, and mix the others."""
    n = len(found["x_train"])
    if n < 2:
        raise DataError("one image cannot be split into training and test images: give more")
    order = np.random.default_rng(SPLIT_SEED).permutation(n)
    n_test = max(1, n // TEST_SHARE)
    parts = {"test": order[:n_test], "train": order[n_test:]}
    return {
        f"{axis}_{part}": found[f"{axis}_train"][rows]
        for axis in "xy"
        for part, rows in parts.items()
        if f"{axis}_train" in found
    }


def _check_sides(x_train: np.ndarray, x_test: np.ndarray | None = None) -> None:
    sizes = ["×".join(map(str, x.shape[1:])) for x in (x_train, x_test) if x is not None]
    if len(set(sizes)) > 1:
        raise DataError(
            f"the training images are {sizes[0]} pixels but the test images {sizes[1]};"
            " all must have the same size"
        )
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in x_train.shape[1:3]):
        raise DataError(
            f"images of {sizes[0]} pixels; each side must have {MIN_SIDE} to {MAX_SIDE}: pad, crop "
            "or scale them"
        )


def _file_sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error


def _arrays_sha256(arrays: dict[str, np.ndarray | None], classes: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    if classes and classes != Dataset.classes:
        digest.update(repr(classes).encode())
    for key in KEYS:
        array = arrays[key]
        if array is None:
            continue
        digest.update(f"{key} {array.dtype} {array.shape}\n".encode())
        digest.update(array.data)
    return digest.hexdigest()
