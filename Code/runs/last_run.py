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


def least_seconds(result, stage=None):
    """Seconds of the quickest seed of a result: in all, or those of one of its stages.

    Other work on the machine only adds. A stage is that of the same seed, so that it is never more
    than the whole.
    """
    in_all = result["seconds_in_all"]
    quickest = min(range(len(in_all)), key=in_all.__getitem__)
    return (in_all if stage is None else result["seconds"][stage])[quickest]
