"""The IDX format, in which MNIST and its successors are published."""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from Code.data.limits import MAX_BYTES

_GZIP_MAGIC = b"\x1f\x8b"
_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MAX_AXES = 4


def read_idx(path: str | Path) -> np.ndarray:
    """Read one IDX file, gzipped or not (recognised by its first bytes, not by its name).

    A header that states more than ``MAX_BYTES`` is rejected, so neither a forged header nor a gzip
    bomb is unpacked.

    Returns
    -------
    array of the shape and dtype that the header states, in native byte order.

    Raises
    ------
    ValueError
        If the file cannot be opened, is not an IDX file, is damaged or truncated, or does not hold
        exactly as many bytes as its header states. The message is one line that names the file.

    References
    ----------
    "The IDX file format", at the end of http://yann.lecun.com/exdb/mnist/
    """
    try:
        with Path(path).open("rb") as raw:
            zipped = raw.read(2) == _GZIP_MAGIC
            raw.seek(0)
            if not zipped:
                return _parse(raw)
            with gzip.open(raw, "rb") as unzipped:
                return _parse(unzipped)
    except EOFError as error:
        raise ValueError(f"{path}: the gzip data is truncated; fetch the file again") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path}: the gzip data is damaged; fetch the file again") from error
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror or error})") from error
    except MemoryError as error:
        raise ValueError(f"{path}: does not fit into memory") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _parse(file: BinaryIO) -> np.ndarray:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _DTYPES:
        raise ValueError("not an IDX file (its first four bytes are not an IDX magic number)")
    axes = magic[3]
    if not 1 <= axes <= _MAX_AXES:
        raise ValueError(f"its header states {axes} axes; 1 to {_MAX_AXES} are accepted")
    header = file.read(4 * axes)
    if len(header) < 4 * axes:
        raise ValueError("truncated within its header; fetch the file again")
    shape = struct.unpack(f">{axes}I", header)
    dtype = np.dtype(_DTYPES[magic[2]])
    size = math.prod(shape) * dtype.itemsize
    if size > MAX_BYTES:
        raise ValueError(
            f"its header states {size / 1e9:.1f} GB; at most {MAX_BYTES / 1e9:g} GB are accepted"
        )
    # Read one byte more than stated: this detects a surplus and makes gzip verify its checksum.
    data = file.read(size + 1)
    if len(data) != size:
        surplus = "more" if len(data) > size else f"only {len(data)}"
        raise ValueError(f"its header states {size} bytes of data, it holds {surplus}")
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="))
