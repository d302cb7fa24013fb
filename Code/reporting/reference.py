"""The committed reference: the spread of its figures, for runs with fewer seeds.

``output/reference/results.csv`` and ``uses.csv`` are the tables of the run that is committed with
the code; no other run writes over them.
"""

import csv
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from Code.reporting.results import Result, ResultError, Results
from Code.reporting.uses import Uses

FOLDER = Path(__file__).resolve().parents[2] / "output" / "reference"
"""Where the tables lie in a checkout; an installed copy of the code has none."""

COMMITTED = "committed.json"
"""SHA-256 of each ``result.json`` and of each of `BESIDE` that is committed with the code.

Those of results on other data, which lie in a folder of their own, stand there with its name.
"""

BESIDE = ("uses.json", "runs.json", "left_out.json", "benchmark.json")

Spread = tuple[float, int]
"""Standard deviation of a figure over the seeds of the reference, and their number."""

MEASURE = ("experiment", "stage", "metric", "split")
USE = ("use", "metric", "name")


@dataclass(frozen=True)
class Figure:
    """A figure of the reference: its mean over ``n`` seeds, and ``std``, None for a single seed."""

    mean: float
    std: float | None
    n: int


def figures(path: str | Path, key: tuple[str, ...]) -> dict[tuple[str, ...], Figure]:
    """The figures in one table, by the columns of ``key``; empty if there is no such table.

    Raises
    ------
    ResultError
        If the table is not what a run writes.
    """
    path = Path(path)
    if not path.is_file():
        return {}
    try:
        with open(path, newline="", encoding="utf-8") as file:
            found = {
                tuple(row[k] for k in key): Figure(
                    float(row["mean"]),
                    float(row["std"]) if row["std"] else None,
                    int(row["n_seeds"]),
                )
                for row in csv.DictReader(file)
            }
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError, ValueError) as error:
        raise ResultError(
            f"{path}: not the table of a run ({error}); restore it from git"
        ) from None
    if not all(math.isfinite(f.std or 0) and math.isfinite(f.mean) for f in found.values()):
        raise ResultError(f"{path}: holds a figure that is no number; restore it from git")
    return found


def spreads(path: str | Path, key: tuple[str, ...]) -> dict[tuple[str, ...], Spread]:
    """The spreads in one table, by the columns of ``key``; figures of one seed are left out."""
    found = figures(path, key)
    return {k: (f.std, f.n) for k, f in found.items() if f.std is not None and f.n > 1}


def digests(output: str | Path) -> dict[str, str]:
    """``{"ae/result.json": SHA-256, …, "uses.json": SHA-256}`` of the results in a folder."""
    output = Path(output)
    files = [*sorted(output.glob("[!.]*/result.json")), *(output / name for name in BESIDE)]
    return {
        file.relative_to(output).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.is_file()
    }


def committed(folder: str | Path = FOLDER) -> dict[str, str]:
    """The `digests` of the committed results; empty where there are none.

    Raises
    ------
    ResultError
        If the file is not what ``--extend`` writes: then nothing tells own results from others'.
    """
    path = Path(folder, COMMITTED)
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not all(isinstance(digest, str) for digest in found.values()):
            raise TypeError("a digest is no text")
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ResultError(
            f"{path}: not the index of the committed results ({error}); restore it from git"
        ) from None
    return found


def own(output: str | Path, folder: str | Path = FOLDER) -> set[str]:
    """The experiments in ``output`` that were trained here: all but what came with the code."""
    return {
        name.removesuffix("/result.json")
        for name, came in _came(output, folder).items()
        if not came and name not in BESIDE
    }


def theirs(output: str | Path, folder: str | Path = FOLDER) -> set[str]:
    """Those of `BESIDE` in ``output`` that came with the code."""
    return {name for name, came in _came(output, folder).items() if came and name in BESIDE}


def came_with_the_code(output: str | Path, name: str, folder: str | Path = FOLDER) -> bool:
    """Whether one of `BESIDE` in ``output`` is the committed one, to which no run adds."""
    return _came(output, folder).get(name, False)


def _came(output: str | Path, folder: str | Path) -> dict[str, bool]:
    """Of every file in the `digests` of a folder, be it of other data, whether it is committed."""
    known, data = committed(folder), Path(output).resolve().name
    return {
        name: digest in (known.get(name), known.get(f"{data}/{name}"))
        for name, digest in digests(output).items()
    }


def with_spreads(results: Results, known: Mapping[tuple[str, ...], Spread]) -> dict[str, Result]:
    """The results with the reference's spreads beside their own.

    The reference is of whole schedules on MNIST, so quick runs and other data get none.
    """
    return {
        name: result
        if result.quick or not result.on_mnist
        else replace(
            result,
            measures=tuple(
                replace(m, reference=known.get((name, m.stage, m.metric, m.split)))
                for m in result.measures
            ),
        )
        for name, result in results.items()
    }


def uses_with_spreads(uses: Uses, known: Mapping[tuple[str, ...], Spread]) -> Uses:
    """The scores of the uses with the reference's spreads beside their own."""
    metrics = tuple(
        replace(
            metric,
            scores=tuple(
                replace(score, reference=known.get((metric.use, metric.name, score.name)))
                for score in metric.scores
            ),
        )
        for metric in uses.metrics
    )
    return replace(uses, metrics=metrics)
