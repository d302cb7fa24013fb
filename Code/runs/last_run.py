"""What an experiment's last run tells of its time."""

import json
from pathlib import Path


def of_last_run(unit, read):
    """What ``read`` finds in the result of a unit's experiment; None if nowhere.

    The unit's own folder goes before the committed results in ``output``.

    Parameters
    ----------
    read : a function of the content of ``result.json``.
    """
    for output in (unit.output, "output"):
        try:
            path = Path(output, unit.name, "result.json")
            return read(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, LookupError, TypeError, AttributeError, ZeroDivisionError):
            continue
    return None
