"""IDX files, whole and broken."""

import gzip
import struct

import numpy as np
import pytest

from Code.data import idx
from Code.data.idx import read_idx


def header(code: int, *shape: int) -> bytes:
    return bytes([0, 0, code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)


def refusal(path) -> str:
    with pytest.raises(ValueError) as caught:
        read_idx(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("code", "dtype"),
    [(0x08, "u1"), (0x09, "i1"), (0x0B, ">i2"), (0x0C, ">i4"), (0x0D, ">f4"), (0x0E, ">f8")],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_round_trip(tmp_path, code, dtype, zipped):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    data = header(code, 2, 3, 4) + array.tobytes()
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(data) if zipped else data)
    read = read_idx(path)
    assert read.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(read, array)
    assert read.flags.writeable


def test_no_rows(tmp_path):
    (tmp_path / "a").write_bytes(header(0x08, 0, 28, 28))
    assert read_idx(tmp_path / "a").shape == (0, 28, 28)


GOOD = header(0x08, 3, 4, 4) + bytes(48)
BROKEN = {
    "empty": (b"", "not an IDX file"),
    "text": (b"hello, world", "not an IDX file"),
    "unknown type": (header(0x0A, 1) + b"\0", "not an IDX file"),
    "no axes": (b"\0\0\x08\0", "0 axes"),
    "many axes": (header(0x08, 1, 1, 1, 1, 1) + b"\0", "5 axes"),
    "header cut": (GOOD[:9], "truncated within its header"),
    "data cut": (GOOD[:-1], "48 bytes of data, it holds only 47"),
    "surplus": (GOOD + b"\0", "48 bytes of data, it holds more"),
    "huge": (header(0x08, 2**32 - 1, 28, 28), "at most 1 GB"),
    "gzip cut": (gzip.compress(GOOD)[:-9], "gzip data is truncated"),
    "gzip header cut": (gzip.compress(GOOD)[:5], "gzip data is truncated"),
    "gzip checksum": (gzip.compress(GOOD)[:-8] + bytes(8), "gzip data is damaged"),
    "gzip garbage": (gzip.compress(GOOD)[:10] + b"\xff" * 40, "gzip data is damaged"),
    "gzip of text": (gzip.compress(b"hello, world"), "not an IDX file"),
    "gzip of more": (gzip.compress(GOOD + bytes(10**6)), "it holds more"),
}


@pytest.mark.parametrize(("content", "reason"), BROKEN.values(), ids=BROKEN)
def test_broken(tmp_path, content, reason):
    path = tmp_path / "a"
    path.write_bytes(content)
    assert reason in refusal(path)


def test_unreadable(tmp_path):
    assert "No such file" in refusal(tmp_path / "missing")
    assert "Is a directory" in refusal(tmp_path)


def test_memory_that_does_not_suffice(tmp_path, monkeypatch):
    def exhausted(_file):
        raise MemoryError

    path = tmp_path / "a"
    path.write_bytes(GOOD)
    monkeypatch.setattr(idx, "_parse", exhausted)
    assert "does not fit into memory" in refusal(path)
