"""Files that are either written completely or not at all."""

import contextlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from Code.foundation.errors import printable


def write_with(path: str | Path, write: Callable[[Path], None]) -> Path:
    """Let ``write`` fill a temporary file beside ``path``, then move it into place.

    A reader sees the complete old file or the complete new one, never a part, even if this process
    is killed meanwhile. The temporary name keeps the suffix of ``path``, because some writers
    choose their format by it.

    Raises
    ------
    OSError
        If the folder cannot be written to; the temporary file has been removed by then.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".part-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        write(part)
        part.chmod(0o644)
        part.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
    return path


def write_text(path: str | Path, text: str) -> Path:
    """Write ``text`` as UTF-8 to ``path``, completely or not at all."""
    return write_with(path, lambda part: part.write_text(text, encoding="utf-8"))


def write_json(path: str | Path, value: object) -> Path:
    """Write ``value`` as indented JSON to ``path``, completely or not at all."""
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    if text != printable(text):
        # The name of a file may hold bytes that are no letters: escaped, it is read back as it was
        text = json.dumps(value, indent=1, allow_nan=False)
    return write_text(path, text + "\n")
