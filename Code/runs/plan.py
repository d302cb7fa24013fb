"""What a run would do and how long it would take (for ``--dry-run``)."""

from dataclasses import asdict, dataclass

from Code.runs.common_stages import saved_seconds
from Code.runs.last_run import least_seconds, of_last_run
from Code.runs.progress import DEFAULT_WEIGHT
from Code.runs.schedule import expected_seconds

COMPILING = 5.0
"""Seconds for which a stage compiles, at most."""


@dataclass(frozen=True)
class Step:
    """One experiment with one seed.

    Attributes
    ----------
    finished : whether its result exists and would be kept.
    seconds : expected time on one core: the time of an earlier run, scaled to the numbers of images
        and epochs but for what its stages took to compile.
    measured : whether there was an earlier run; if not, ``seconds`` is a guess.
    """

    experiment: str
    seed: int
    finished: bool
    seconds: float
    measured: bool


def steps_of(units, prints, data, store, force=False):
    """A ``Step`` for each unit.

    Parameters
    ----------
    units : list of ``Unit`` to run.
    prints : the identity of each unit, by (name, seed).
    data : the data set of the run.
    store : the store that may hold finished runs.
    force : whether finished runs are repeated.
    """
    todo = [u for u in units if force or not store.record(u.name, u.seed, prints[u.name, u.seed])]
    saved, steps = saved_seconds(todo), []
    for unit in units:
        key = unit.name, unit.seed
        seconds = earlier_seconds(unit, len(data.x_train))
        known = seconds is not None
        if known and key in saved:
            # The same share of this run's time as of the earlier one's
            seconds *= max(0.0, 1 - saved[key] / expected_seconds(unit))
        steps.append(Step(*key, key not in saved, seconds if known else DEFAULT_WEIGHT, known))
    return steps


def earlier_seconds(unit, n_train):
    """Seconds expected for a unit from the experiment's last run, or None without such a run.

    Of several seeds it is the least, since other work on the machine only adds.
    """
    epochs = sum(stage.epochs for stage in unit.experiment.stages)

    def scaled(result):
        then = result["data"]["n_train"] * max(1, sum(result["epochs"].values()))
        compiling = compiling_seconds(result)
        share = n_train * max(1, epochs) / then
        return compiling + (least_seconds(result) - compiling) * share

    return of_last_run(unit, scaled)


def compiling_seconds(result):
    """Seconds of a result that its stages took beyond their epochs, whatever the images and epochs.

    A stage counts with `COMPILING` at most: in a long one, other work on the machine adds more.
    """
    paces = {stage: min(each) for stage, each in result.get("epoch_seconds", {}).items() if each}
    beyond = (
        min(result["seconds"][stage]) - result["epochs"][stage] * pace
        for stage, pace in paces.items()
    )
    return sum(min(COMPILING, max(0.0, seconds)) for seconds in beyond)


def wall_seconds(steps, jobs):
    """Expected seconds of the whole run: the total over the jobs, at least the longest step.

    The time for starting the workers and drawing the figures is not included.
    """
    left = [step.seconds for step in steps if not step.finished]
    return max(sum(left) / jobs, max(left)) if left else 0.0


def as_json(steps, jobs, output):
    """The plan as one JSON object."""
    return {
        "output": str(output),
        "jobs": jobs,
        "seconds": wall_seconds(steps, jobs),
        "runs": [asdict(step) for step in steps],
    }
