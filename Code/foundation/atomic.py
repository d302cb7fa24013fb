"""Files that are either whole or not there."""

import contextlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def write_with(path: str | Path, write: Callable[[Path], None]) -> Path:
    """Let ``write`` fill a temporary file beside ``path``, then move it into place.

    A reader, or a run that was killed meanwhile, sees the old file or the new one, never half of
    either. The temporary name keeps the suffix of ``path``, from which some writers choose their
    format.

    Raises
    ------
    OSError
        If the folder cannot be written to; the temporary file is gone by then.
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
    """Write ``text`` as UTF-8 to ``path``, whole or not at all."""
    return write_with(path, lambda part: part.write_text(text, encoding="utf-8"))


def write_json(path: str | Path, value: object) -> Path:
    """Write ``value`` as indented JSON to ``path``, whole or not at all."""
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    return write_text(path, text + "\n")
