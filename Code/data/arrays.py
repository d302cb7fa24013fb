"""Arrays from ``.npz`` and ``.npy`` files: without pickle, and never more than fits."""

import math
import zipfile
from pathlib import Path

import numpy as np

from Code.data.idx import MAX_BYTES
from Code.foundation.errors import UserError, in_a_line

HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class ArrayFileError(UserError, ValueError):
    """A file of arrays that cannot be used; the message says in one line what is wrong."""


def read_npz(path, choose):
    """Read some arrays of an ``.npz`` file.

    Parameters
    ----------
    choose : function of the names in the file that returns those to read; what it raises is passed
        on.

    Returns
    -------
    ``{name: array}``.

    Raises
    ------
    ArrayFileError
        If the file cannot be read, is damaged, holds pickled objects, or would take more than
        1 GB; the sizes are looked at before anything is unpacked.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            # Outside, because `choose` raises errors of its own
            present = [name for name in archive.namelist() if name.endswith(".npy")]
    except OSError as error:
        raise ArrayFileError(f"{path}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # a damaged zip directory raises any of half a dozen types
        reason = in_a_line(error)
        raise ArrayFileError(f"{path}: not an .npz file, or a damaged one ({reason})") from error
    names = choose([name.removesuffix(".npy") for name in present])
    with zipfile.ZipFile(path) as archive:
        # zipfile never yields more than the size stated here
        check_size(path, sum(archive.getinfo(f"{name}.npy").file_size for name in names))
        return {name: _member(path, archive, name) for name in names}


def read_npy(path):
    """Read the array of an ``.npy`` file; errors as in `read_npz`."""
    path = Path(path)
    try:
        check_size(path, path.stat().st_size)
        with path.open("rb") as file:
            return _array(file, path.stat().st_size)
    except UserError:
        raise
    except OSError as error:
        raise ArrayFileError(f"{path}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # damage and memory: numpy raises many types
        raise ArrayFileError(f"{path}: cannot be read ({_reason(error)})") from error


def check_size(path, size, what="when unpacked"):
    """Raise an error if ``size`` bytes are more than are accepted."""
    if size > MAX_BYTES:
        raise ArrayFileError(
            f"{path}: {size / 1e9:.1f} GB {what}; at most {MAX_BYTES / 1e9:g} GB are accepted: "
            "give fewer images, or bytes (uint8) instead of floats"
        )


def _member(path, archive, name):
    try:
        with archive.open(f"{name}.npy") as member:
            return _array(member, archive.getinfo(f"{name}.npy").file_size)
    except Exception as error:  # damage, encryption, memory: zipfile and numpy raise many types
        raise ArrayFileError(
            f"{path}: {name} cannot be read ({_reason(error)});"
            " save plain numeric arrays with numpy.savez_compressed"
        ) from error


def _array(file, size):
    """The array of an open file of ``size`` bytes; no memory is taken for more than it holds."""
    read_header = HEADERS.get(np.lib.format.read_magic(file))
    if read_header is not None:
        shape, _, dtype = read_header(file)
        if math.prod(shape) * dtype.itemsize > size and not dtype.hasobject:
            raise ValueError("its header states more data than it holds")
    file.seek(0)
    array = np.lib.format.read_array(file, allow_pickle=False)
    if file.read(1):
        raise ValueError("more data than its header states")
    return array


def _reason(error):
    reason = in_a_line(error)
    if "allow_pickle" in reason:
        return "it holds pickled objects, which are never loaded"
    return reason
