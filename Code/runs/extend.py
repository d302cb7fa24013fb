"""Which committed results count as a run's own: for whoever makes the reference, part by part.

Finished runs (arrays and models) are not committed, their results are. With ``--extend`` a row
whose committed result has the code, data, settings and packages of today is not trained again.
"""

import json
from importlib.metadata import version
from pathlib import Path

from Code.foundation.atomic import write_json, write_text
from Code.reporting import reference
from Code.runs.fingerprint import NUMERICAL_PACKAGES, code_version, modules_of
from Code.runs.results import settings_of

TABLES = ("results.csv", "uses.csv")


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
            and found["data"] == json.loads(json.dumps(data))
            and found["code_version"] == code_version(*modules_of(row))
            and found["settings"] == json.loads(json.dumps(settings_of(row)))
            and all(found["versions"].get(name) == version(name) for name in NUMERICAL_PACKAGES)
        )
    except (OSError, ValueError, LookupError, TypeError):
        return False


def make_reference(output):
    """Write the tables of a reference into ``output/reference``, and what tells its files apart.

    They are then to be committed together with the results.
    """
    folder = Path(output, reference.FOLDER.name)
    for name in TABLES:
        if Path(output, name).is_file():
            write_text(folder / name, Path(output, name).read_text(encoding="utf-8"))
    write_json(folder / reference.COMMITTED, reference.digests(output))
