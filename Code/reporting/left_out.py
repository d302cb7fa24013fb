"""What the data did not allow, or what went wrong in measuring: told with its reason."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from Code.reporting.results import ResultError, Results
from Code.reporting.uses import Uses

FILE = "left_out.json"
# Where a traceback lies is of no use to a reader, and tells equal reasons apart
TRACEBACK = re.compile(r" \(traceback in [^()]*\)$")


@dataclass(frozen=True)
class LeftOut:
    """Something that was left out for one reason.

    Attributes
    ----------
    kind : ``"row"``, an experiment; ``"part"``, a part of one, such as its head; ``"use"``, uses of
        the models; ``"measure"``, a measure of an experiment.
    names : the experiments concerned, or ``()`` for all models.
    reason : in the words of the program.
    what : the uses, or the measure.
    """

    kind: str
    names: tuple[str, ...]
    reason: str
    what: tuple[str, ...] = ()


def left_out(results: Results, uses: Uses | None, rows: dict[str, str]) -> list[LeftOut]:
    """Everything that was left out, equal reasons together.

    Parameters
    ----------
    rows : ``{experiment: reason}``, see `load_left_out`. One that has a result all the same was
        left out in part.
    """
    found: dict[tuple, list[str]] = {}
    for name, reason in rows.items():
        found.setdefault(("part" if name in results else "row", (), reason), []).append(name)
    of_uses: dict[tuple, list[str]] = {}
    for use, told in (uses.left_out if uses else {}).items():
        reasons = {name: cleaned(reason) for name, reason in told.items()}
        for reason in dict.fromkeys(reasons.values()):
            names = tuple(name for name, why in reasons.items() if why == reason)
            everything = set(names) >= {*uses.models}
            of_uses.setdefault((reason, () if everything else names), []).append(use)
    for result in results.values():
        for what, reason in result.left_out.items():
            found.setdefault(("measure", (what,), reason), []).append(result.experiment)
    rank = ("row", "part", "use", "measure").index
    every = [LeftOut(k, tuple(names), reason, what) for (k, what, reason), names in found.items()]
    every += [LeftOut("use", names, why, tuple(which)) for (why, names), which in of_uses.items()]
    return sorted(every, key=lambda one: rank(one.kind))


def load_left_out(output_dir: str | Path) -> dict[str, str]:
    """``{experiment: reason}`` from ``<output_dir>/left_out.json``; empty without the file.

    Raises
    ------
    ResultError
        If the file is not as a run writes it.
    """
    path = Path(output_dir) / FILE
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return {name: cleaned(reason) for name, reason in raw.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        problem = " ".join(str(error).split())
        raise ResultError(
            f"{path}: not what a run writes ({problem}); delete it and run"
            " `python run_all.py` again"
        ) from None


def cleaned(reason: str) -> str:
    """A reason without the place of its traceback."""
    return TRACEBACK.sub("", reason)
