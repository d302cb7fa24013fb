"""Array files of NumPy, ``.npy`` and ``.npz``, of which nobody has to trust the origin.

Pickled objects are never loaded, and memory is taken only for what a header and the file agree on.
"""

import contextlib
import math
import zipfile
from pathlib import Path

import numpy as np

from Code.data.limits import MAX_BYTES
from Code.foundation.errors import UserError, in_a_line

ARRAY_SUFFIXES = (".npy", ".npz")
NAMES = ("images", "x_test")
NUMBERS, NUMBERS_OR_TEXT = "biuf", "biufUS"


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
        return _array(path, stream, size)


def read_arrays(path, choose) -> dict[str, np.ndarray]:
    """Read some arrays of an ``.npz`` file, of numbers or text.

    Parameters
    ----------
    choose : function of the names in the file that returns those to read; what it raises is passed
        on.

    Raises
    ------
    UserError
        If the file is damaged, holds neither numbers nor text, or more than 1 GB of them; the sizes
        are looked at before anything is unpacked.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if name.endswith(".npy")]
            names = list(choose([name.removesuffix(".npy") for name in members]))
            check_size(path, sum(archive.getinfo(f"{name}.npy").file_size for name in names))
            return {name: _member(path, archive, name) for name in names}
    except UserError:
        raise
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # a damaged zip directory raises any of half a dozen types
        reason = in_a_line(error)
        raise UserError(f"{path}: not an .npz file, or a damaged one ({reason})") from error


def check_size(path, size, what="when unpacked"):
    """Raise a UserError if ``size`` bytes are more than are accepted."""
    if size > MAX_BYTES:
        raise UserError(
            f"{path}: {size / 1e9:.1f} GB {what}; at most {MAX_BYTES / 1e9:g} GB are accepted: "
            "give fewer images, or bytes (uint8) instead of floats"
        )


def _member(path, archive, name):
    try:
        member = archive.getinfo(f"{name}.npy")
        with archive.open(member) as stream:
            return _array(f"{path}: {name}", stream, member.file_size, NUMBERS_OR_TEXT)
    except UserError:
        raise
    except Exception as error:  # damage, encryption, memory: zipfile and NumPy raise many types
        raise UserError(
            f"{path}: {name} cannot be read ({in_a_line(error, 200)});"
            " save plain numeric arrays with numpy.savez_compressed"
        ) from error


def _array(path, stream, size, kinds=NUMBERS):
    """The array of an open file of ``size`` bytes."""
    shape, dtype, fortran = _header(path, stream, size, kinds)
    data = stream.read(math.prod(shape) * dtype.itemsize)
    array = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
    return array.astype(dtype.newbyteorder("="), copy=False)


def _header(path, stream, size, kinds=NUMBERS):
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
    if dtype.kind not in kinds:
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
