"""Array files of NumPy, ``.npy`` and ``.npz``, of which nobody has to trust the origin.

Pickled objects are never loaded, and memory is taken only for what a header and the file agree on.
"""

import contextlib
import math
import zipfile
from pathlib import Path

import numpy as np

from Code.foundation.errors import UserError, in_a_line

ARRAY_SUFFIXES = (".npy", ".npz")
NAMES = ("images", "x_test")


def array_header(path) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and dtype of the array that `read_array` would read; the array itself is not read.

    Raises
    ------
    UserError
        As `read_array`.
    """
    with _opened(path) as (stream, size):
        return _header(path, stream, size)[:2]


def read_array(path) -> np.ndarray:
    """Read the array of an ``.npy``; of an ``.npz`` the only one, or ``images``, or ``x_test``.

    Raises
    ------
    UserError
        If the file is damaged, holds no numbers, or several arrays without one of these names.
    """
    with _opened(path) as (stream, size):
        shape, dtype, fortran = _header(path, stream, size)
        data = stream.read(math.prod(shape) * dtype.itemsize)
        array = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
        return array.astype(dtype.newbyteorder("="), copy=False)


def _header(path, stream, size):
    """Shape, dtype and order; the stream is left at the data, whose length has been checked."""
    version = np.lib.format.read_magic(stream)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in read:
        raise ValueError(f"version {version} of the format")
    shape, fortran, dtype = read[version](stream)
    if dtype.hasobject:
        raise UserError(f"{path}: it holds pickled objects, which are never loaded; save numbers")
    if dtype.kind not in "biuf":
        raise UserError(f"{path}: an array of the dtype {in_a_line(dtype, 60)}; numbers are needed")
    if min(shape, default=0) < 0 or stream.tell() + math.prod(shape) * dtype.itemsize != size:
        raise ValueError(f"its header states the shape {in_a_line(shape, 60)}, its size another")
    return shape, dtype, fortran


@contextlib.contextmanager
def _opened(path):
    """The stream of the array and its length in bytes; every failure is one line."""
    path = Path(path)
    try:
        if path.suffix.lower() == ".npy":
            with path.open("rb") as stream:
                yield stream, path.stat().st_size
            return
        with zipfile.ZipFile(path) as archive:
            # zipfile never yields more than the size that is stated here
            member = archive.getinfo(_name(path, archive.namelist()))
            with archive.open(member) as stream:
                yield stream, member.file_size
    except UserError:
        raise
    except Exception as error:  # damage, encryption, memory: zipfile and NumPy raise many types
        raise UserError(
            f"{path}: cannot be read as an {path.suffix.lower()} file ({in_a_line(error, 200)})"
        ) from error


def _name(path, members):
    arrays = [member for member in members if member.endswith(".npy")]
    wanted = [f"{name}.npy" for name in NAMES if f"{name}.npy" in arrays]
    if not wanted and len(arrays) != 1:
        held = in_a_line(", ".join(name.removesuffix(".npy") for name in arrays), 100)
        raise UserError(
            f"{path}: holds {held if arrays else 'no array'}; save one array, named images"
        )
    return (wanted or arrays)[0]
