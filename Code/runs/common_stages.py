"""Which rows of a run begin with the same training, and what that saves.

This is known from the table, before anything is trained. Whether two stages really are the same is
decided at their beginning, from the weights themselves (`Code.training.shelf`).
"""

import json
from collections import Counter
from dataclasses import asdict, replace

from Code.experiments.row import HEAD
from Code.runs.last_run import least_seconds, of_last_run

LEVEL = "layer-"


def with_common_stages(units):
    """The units, each with the names of the stages that another unit of its seed has as well.

    The last stage of a row is left out: what is saved there belongs to the row alone.
    """
    of_unit = [dict(beginnings(unit.experiment)) for unit in units]
    count = Counter((u.seed, key) for u, of in zip(units, of_unit, strict=True) for key in of)
    return [
        replace(u, shared=frozenset(name for key, name in of.items() if count[u.seed, key] > 1))
        for u, of in zip(units, of_unit, strict=True)
    ]


def beginnings(row):
    """``(identity, name)`` of each stage of a row but the last, as far as the table tells it.

    Stages with labels are left out. A level of a stack does not depend on the levels above it.
    """
    settings = {k: v for k, v in row.settings.items() if k not in HEAD}
    for i, stage in enumerate(row.stages[:-1]):
        if stage.name.startswith("supervised"):
            return
        own = dict(settings)
        if stage.name.startswith(LEVEL):
            own.pop("n_labels", None)
            if int(stage.name.removeprefix(LEVEL)) <= len(settings.get("hidden", ())):
                own.pop("code_dim", None)
        facts = [
            row.model,
            row.procedure,
            own,
            row.noise_once,
            list(map(asdict, row.stages[: i + 1])),
        ]
        yield json.dumps(facts, sort_keys=True, default=repr), stage.name


def saved_seconds(units):
    """Seconds that each unit need not train, by (name, seed): the first that has a stage trains it.

    They are those of the last run; stages without one count as nothing.
    """
    seen, saved = set(), {}
    for unit in units:
        seconds = 0.0
        for key, name in beginnings(unit.experiment):
            if name in unit.shared and (unit.seed, key) in seen:
                took = of_last_run(unit, lambda result, name=name: least_seconds(result, name))
                seconds += took or 0.0
            seen.add((unit.seed, key))
        saved[unit.name, unit.seed] = seconds
    return saved
