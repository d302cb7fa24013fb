"""An ``output`` folder of invented results."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from invented import FURTHER, TABLE, result_of, tiny_png

Writer = Callable[..., Path]


@pytest.fixture
def write_output(tmp_path: Path) -> Writer:
    """``write_output(changes={name: dict | None}, seeds=3, **all_of)`` → an ``output`` folder.

    A dict goes to ``result_of``, ``all_of`` with every one; None leaves the experiment out. With
    ``further``, what the claims 4 and 8 to 15 are judged by is there as well.
    """

    def write(
        changes: dict | None = None,
        seeds: int = 3,
        folder: str = "output",
        further: bool = False,
        **all_of,
    ) -> Path:
        output = tmp_path / folder
        shutil.rmtree(output, ignore_errors=True)
        for name in (*TABLE, *(FURTHER if further else ())):
            change = (changes or {}).get(name, {})
            if change is None:
                continue
            result = result_of(name, **{"seeds": seeds, **all_of, **change})
            place = output / name
            place.mkdir(parents=True, exist_ok=True)
            (place / "result.json").write_text(json.dumps(result), encoding="utf-8")
            for figure in result["figures"]:
                (place / figure).write_bytes(tiny_png())
        output.mkdir(exist_ok=True)
        return output

    return write
