"""Which committed results count as a run's own: for whoever makes the reference, part by part.

Finished runs (arrays and models) are not committed, their results are. With ``--extend`` a row
whose committed result has the code, data, settings and packages of today is not trained again.
"""

import csv
import json
from importlib.metadata import version
from pathlib import Path

from Code.experiments.table import EXPERIMENTS
from Code.foundation.atomic import write_json, write_text
from Code.reporting import reference, second_data
from Code.reporting.contents import ordered
from Code.reporting.results import load_results
from Code.reporting.uses import load_uses
from Code.runs.fingerprint import NUMERICAL_PACKAGES, code_version, modules_of
from Code.runs.results import settings_of
from Code.runs.store import csv_text

TABLES = ("results.csv", "uses.csv")

ORIGINS = "experiments.csv"
"""Where the figures of each experiment come from."""

MACHINE = ("cpu", "cores", "memory_gb", "system", "device")
COLUMNS = ("experiment", "group", "seeds", "code_version", "finished", *MACHINE)


def counts(row, output, data, seeds):
    """Whether the committed result of a row in ``output`` is what a run would find today.

    Parameters
    ----------
    row : the experiment as it would be run.
    data : description of the data, see `Code.runs.run.facts_of`.
    seeds : all of them must be in the result.
    """
    try:
        path = Path(output, row.name, "result.json")
        found = json.loads(path.read_text(encoding="utf-8"))
        return (
            found["complete"]
            and not found["quick"]
            and set(seeds) <= set(found["seeds"])
            and _content(found["data"]) == _content(json.loads(json.dumps(data)))
            and found["code_version"] == code_version(*modules_of(row))
            and found["settings"] == json.loads(json.dumps(settings_of(row)))
            and all(found["versions"].get(name) == version(name) for name in NUMERICAL_PACKAGES)
        )
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _content(data):
    """What tells the data, whatever their file is called and wherever it lies."""
    return {key: value for key, value in data.items() if key != "source"}


def without_uses(names, output):
    """Those of the models that have no uses in ``output``, or only of another training.

    Their results alone are not all that a run would find today.
    """
    output, uses = Path(output), load_uses(output)
    if uses is None:
        return list(names)
    older = set(uses.of_other_trainings(load_results(output)))
    return [name for name in names if name not in uses.models or name in older]


def make_reference(output):
    """Write the tables of a reference into ``output/reference``, and what tells its files apart.

    They are then to be committed together with the results. The files of other data, each in a
    folder of its own in there, are told apart as well. Of such a folder itself nothing is written
    but that: it joins the reference beside it.
    """
    output = Path(output).resolve()
    beside = output.parent / reference.FOLDER.name
    if (beside / reference.COMMITTED).is_file() and output.name in second_data.folders(
        beside.parent
    ):
        known = reference.committed(beside)
        others = {k: v for k, v in known.items() if not k.startswith(f"{output.name}/")}
        write_json(beside / reference.COMMITTED, others | _within(output))
        return
    folder = output / reference.FOLDER.name
    for name in TABLES:
        if Path(output, name).is_file():
            write_text(folder / name, Path(output, name).read_text(encoding="utf-8"))
    rows = [_origin(result) for result in ordered(load_results(output))]
    write_text(folder / ORIGINS, csv_text((*COLUMNS, *NUMERICAL_PACKAGES), rows))
    found = reference.digests(output)
    for name in second_data.folders(output):
        found |= _within(output / name)
    write_json(folder / reference.COMMITTED, found)


def _origin(result):
    """The code, the machine and the packages of a result, as a row of a table."""
    return {
        "experiment": result.experiment,
        "group": result.group,
        "seeds": " ".join(map(str, result.seeds)),
        "code_version": result.code_version,
        "finished": result.finished,
        **{name: result.machine.get(name) for name in MACHINE},
        **{name: result.versions.get(name) for name in NUMERICAL_PACKAGES},
    }


def of_other_code(folder):
    """Of which experiments a reference has figures of other code than today's.

    Parameters
    ----------
    folder : ``<output>/reference``.

    Returns
    -------
    Their names, and how many experiments there are in all; None if nothing is told of them.
    """
    try:
        with open(Path(folder, ORIGINS), newline="", encoding="utf-8") as file:
            told = {row["experiment"]: row["code_version"] for row in csv.DictReader(file)}
    except (OSError, UnicodeDecodeError, csv.Error, KeyError):
        return None
    return [
        name
        for name, version in told.items()
        if name not in EXPERIMENTS or code_version(*modules_of(EXPERIMENTS[name])) != version
    ], len(told)


def _within(folder):
    """The digests of a folder of other data, by names that begin with its own."""
    return {f"{folder.name}/{k}": v for k, v in reference.digests(folder).items()}
