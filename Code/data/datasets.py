"""Labelled greyscale images, checked before anything is trained on them."""

import dataclasses
import gzip
import hashlib
import os
import socket
import zipfile
import zlib
from pathlib import Path

import numpy as np

from Code.data.idx import MAX_BYTES, read_idx
from Code.foundation.errors import UserError, in_a_line

MNIST_PATH = Path(__file__).with_name("mnist.npz")
MNIST_SHA256 = "06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64"

KEYS = ("x_train", "y_train", "x_test", "y_test")
IDX_STEMS = {
    "x_train": ("train-images", "idx3-ubyte"),
    "y_train": ("train-labels", "idx1-ubyte"),
    "x_test": ("t10k-images", "idx3-ubyte"),
    "y_test": ("t10k-labels", "idx1-ubyte"),
}
N_CLASSES = 10
MIN_SIDE, MAX_SIDE, SIDE_STEP = 8, 64, 4

_DOWNLOAD_TIMEOUT = 30  # seconds without an answer; Keras itself would wait forever
_ACCEPTED = "mnist, fashion_mnist, a path to an .npz file, or a folder of the four IDX files"
_ELSEWHERE = (
    "give it as a path to an .npz file with the arrays "
    + ", ".join(KEYS)
    + (", or to a folder of its four IDX files")
)
_UNSUITABLE = {
    "cifar10": "its images are in colour, and greyscale ones are needed",
    "cifar100": "its images are in colour, and greyscale ones are needed",
    "kmnist": f"Keras does not offer it: {_ELSEWHERE}",
    "emnist": f"Keras does not offer it: {_ELSEWHERE}",
}


class DataError(UserError, ValueError):
    """Data that cannot be used; the message says in one line what is wrong and what to do."""


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test images with their labels.

    Attributes
    ----------
    name : the data set's name, a file's name, or a folder's name followed by a slash.
    x_train, x_test : (n, height, width), uint8 in 0..255 or float32 in [0, 1]; see `to_unit`.
    y_train, y_test : (n,), int64 in 0..9.
    sha256 : hex digest that identifies the source: that of the file for an .npz, otherwise that of
        the arrays.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    sha256: str

    def subset(self, n_train: int, n_test: int) -> "Dataset":
        """Return the first ``n_train`` training and ``n_test`` test images, or all if fewer.

        ``sha256`` remains that of the whole source, so it identifies a subset only together with
        the two counts.

        Raises
        ------
        ValueError
            If a count is below 1.
        """
        if n_train < 1 or n_test < 1:
            raise ValueError(f"a subset needs at least 1 image of each, not {n_train}, {n_test}")
        return dataclasses.replace(
            self,
            x_train=self.x_train[:n_train],
            y_train=self.y_train[:n_train],
            x_test=self.x_test[:n_test],
            y_test=self.y_test[:n_test],
        )


def load_dataset(spec: str | Path) -> Dataset:
    """Load and check the data that ``spec`` names.

    ``spec`` is ``mnist`` (bundled: no network), ``fashion_mnist`` (Keras downloads it once), or a
    path: to an ``.npz`` file in Keras's layout (arrays ``x_train``, ``y_train``, ``x_test``,
    ``y_test``) or to a folder of the four IDX files, gzipped or not. To load a folder that is
    called like a data set, write ``./mnist``.

    Raises
    ------
    DataError
        If there is no such data, or it is not as `Dataset` describes.
    """
    spec = os.path.expanduser(spec)
    name = spec.lower().replace("-", "_")
    if name == "mnist":
        return _bundled_mnist()
    if name == "fashion_mnist":
        return _from_keras(name)
    if os.path.exists(spec):  # unlike Path.exists, no error for a name too long to be a path
        path = Path(spec)
        if path.is_dir():
            return _from_folder(path)
        if path.is_file():
            return _from_npz(path.name, path)
        raise DataError(f"{spec}: neither a file nor a folder")
    reason = _UNSUITABLE.get(name, f"no such path or data set; accepted are {_ACCEPTED}")
    raise DataError(f"{in_a_line(spec)!r}: {reason}")


def _bundled_mnist() -> Dataset:
    if not MNIST_PATH.is_file() or _file_sha256(MNIST_PATH) != MNIST_SHA256:
        raise DataError(
            f"{MNIST_PATH}: the bundled MNIST is missing or damaged (its SHA-256 is not"
            f" {MNIST_SHA256[:8]}…); restore it with: git checkout -- Code/data/mnist.npz"
        )
    return _from_npz("mnist", MNIST_PATH)


def _from_npz(name: str, path: Path) -> Dataset:
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = _npz_arrays(path, archive)
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # a damaged zip directory raises any of half a dozen types
        reason = in_a_line(error)
        raise DataError(f"{path}: not an .npz file, or a damaged one ({reason})") from error
    return _checked(name, str(path), arrays, _file_sha256(path))


def _npz_arrays(path: Path, archive: zipfile.ZipFile) -> dict[str, np.ndarray]:
    present = set(archive.namelist())
    missing = [key for key in KEYS if f"{key}.npy" not in present]
    if missing:
        raise DataError(
            f"{path}: {', '.join(missing)} missing; an .npz file must hold {', '.join(KEYS)}"
        )
    # Checked before unpacking; zipfile never yields more than the size stated here.
    size = sum(archive.getinfo(f"{key}.npy").file_size for key in KEYS)
    if size > MAX_BYTES:
        raise DataError(
            f"{path}: {size / 1e9:.1f} GB when unpacked; at most {MAX_BYTES / 1e9:g} GB are"
            " accepted"
        )
    return {key: _npz_array(path, archive, key) for key in KEYS}


def _npz_array(path: Path, archive: zipfile.ZipFile, key: str) -> np.ndarray:
    try:
        with archive.open(f"{key}.npy") as member:
            array = np.lib.format.read_array(member, allow_pickle=False)
            if member.read(1):
                raise ValueError("more data than its header states")
            return array
    except Exception as error:  # damage, encryption, memory: zipfile and numpy raise many types
        reason = in_a_line(error)
        if "allow_pickle" in reason:
            reason = "it holds pickled objects, which are never loaded"
        raise DataError(
            f"{path}: {key} cannot be read ({reason});"
            " save plain numeric arrays with numpy.savez_compressed"
        ) from error


def _from_folder(path: Path) -> Dataset:
    files = {key: _idx_file(path, *stem) for key, stem in IDX_STEMS.items()}
    missing = ["-".join(IDX_STEMS[key]) for key, file in files.items() if file is None]
    if missing:
        raise DataError(
            f"{path}: {', '.join(missing)} missing; a folder must hold the four IDX files under"
            " their usual names, gzipped (.gz) or not"
        )
    try:
        arrays = {key: read_idx(file) for key, file in files.items()}
    except ValueError as error:
        raise DataError(in_a_line(error)) from error
    return _checked(f"{path.resolve().name}/", str(path), arrays)


def _idx_file(folder: Path, stem: str, kind: str) -> Path | None:
    names = (f"{stem}{dash}{kind}{suffix}" for suffix in ("", ".gz") for dash in "-.")
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _from_keras(name: str) -> Dataset:
    import keras  # imported here: it takes seconds, and MNIST does not need it

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
    name: str, where: str, arrays: dict[str, np.ndarray], sha256: str | None = None
) -> Dataset:
    """Build a `Dataset` from the arrays read, or raise a DataError that begins with ``where``."""
    try:
        checked = {key: _checked_array(key, arrays[key]) for key in KEYS}
        for part in ("train", "test"):
            _check_counts(part, checked[f"x_{part}"], checked[f"y_{part}"])
        _check_sides(checked["x_train"], checked["x_test"])
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
    return Dataset(name=name, **checked, sha256=sha256 or _arrays_sha256(checked))


def _checked_array(key: str, array: np.ndarray) -> np.ndarray:
    return _images(key, array) if key.startswith("x") else _labels(key, array)


def _images(key: str, images: np.ndarray) -> np.ndarray:
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if images.ndim != 3:
        colour = " (colour images?)" if images.ndim == 4 else ""
        raise DataError(
            f"{key} has the shape {images.shape}{colour}; greyscale images of the shape"
            " (n, height, width) or (n, height, width, 1) are needed"
        )
    if not len(images):
        raise DataError(f"{key} holds no images")
    if images.dtype == np.uint8:
        return np.ascontiguousarray(images)
    if not np.issubdtype(images.dtype, np.floating):
        raise DataError(
            f"{key} has the dtype {images.dtype}; uint8 in 0..255 or floats in 0..1 are needed"
        )
    if not images.size:
        return images  # _check_sides will report what is wrong with it
    low, high = images.min(), images.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise DataError(f"{key} holds NaN or infinite values; remove those images")
    if low < 0 or high > 1:
        raise DataError(
            f"{key} lies between {low:g} and {high:g}; floats must lie between 0 and 1"
            " (divide by the largest value), or be saved as uint8"
        )
    return np.ascontiguousarray(images, dtype=np.float32)


def _labels(key: str, labels: np.ndarray) -> np.ndarray:
    if labels.ndim != 1:
        raise DataError(f"{key} has the shape {labels.shape}; one label an image, (n,), is needed")
    if not len(labels):
        raise DataError(f"{key} holds no labels")
    if not np.issubdtype(labels.dtype, np.integer):
        raise DataError(f"{key} has the dtype {labels.dtype}; whole numbers in 0..9 are needed")
    low, high = labels.min(), labels.max()
    if low < 0 or high >= N_CLASSES:
        raise DataError(f"{key} lies between {low} and {high}; labels in 0..9 are needed")
    return np.ascontiguousarray(labels, dtype=np.int64)


def _check_counts(part: str, images: np.ndarray, labels: np.ndarray) -> None:
    if len(images) != len(labels):
        raise DataError(
            f"x_{part} holds {len(images)} images but y_{part} {len(labels)} labels;"
            " one label an image is needed"
        )


def _check_sides(x_train: np.ndarray, x_test: np.ndarray) -> None:
    height, width = x_train.shape[1:]
    if x_test.shape[1:] != (height, width):
        other = "×".join(map(str, x_test.shape[1:]))
        raise DataError(
            f"the training images are {height}×{width} pixels but the test images {other};"
            " all must have the same size"
        )
    if any(side not in range(MIN_SIDE, MAX_SIDE + 1, SIDE_STEP) for side in (height, width)):
        raise DataError(
            f"images of {height}×{width} pixels; each side must be a multiple of {SIDE_STEP}"
            f" between {MIN_SIDE} and {MAX_SIDE}, because the convolutional variants halve it"
            " twice: pad, crop or scale the images"
        )


def _file_sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error


def _arrays_sha256(arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for key in KEYS:
        array = arrays[key]
        digest.update(f"{key} {array.dtype} {array.shape}\n".encode())
        digest.update(array.data)
    return digest.hexdigest()
