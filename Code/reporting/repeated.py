"""Repetitions of the committed reference, on other machines or with other seeds.

Each is what ``run_all.py --compare --json`` printed there, as a file in ``reference/repeated``.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from Code.reporting.agreement import Agreement
from Code.reporting.results import Result, ResultError

FOLDER = "repeated"
NEEDED = {"processors": list, "seeds": list, "experiments": list, "known": int, "agree": int}


def described(found: Agreement, results: Mapping[str, Result]) -> dict:
    """An agreement with the reference as JSON can hold it, and of which results it is.

    Returns
    -------
    dict: ``processors``, ``seeds`` and ``experiments`` of the results, the number of ``known``
    figures and of those that ``agree``, and the figures ``outside``.
    """
    names = {figure.experiment for figure in found.known if figure.experiment in results}
    rows = [results[name] for name in sorted(names)]
    return {
        "processors": sorted({r.machine["cpu"] for r in rows if r.machine.get("cpu")}),
        "seeds": sorted({seed for r in rows for seed in r.seeds}),
        "experiments": [r.experiment for r in rows],
        "known": len(found.known),
        "agree": len(found.known) - len(found.outside),
        "outside": [vars(figure) for figure in found.outside],
    }


def load(folder: str | Path) -> list[dict]:
    """The repetitions in the ``reference`` folder, by the names of their files.

    Raises
    ------
    ResultError
        If a file is no repetition.
    """
    found = []
    for path in sorted(Path(folder, FOLDER).glob("*.json")):
        try:
            one = json.loads(path.read_text("utf-8"))
            good = all(isinstance(one[name], kind) for name, kind in NEEDED.items())
        except (OSError, ValueError, KeyError, TypeError):
            good = False
        if not good:
            raise ResultError(f"{path}: not what `run_all.py --compare --json` prints; delete it")
        found.append(one)
    return found
