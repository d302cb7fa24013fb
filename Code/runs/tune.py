"""The search for learning rates: trials side by side, kept like any run, and the table of them."""

import csv
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from Code.experiments.table import EXPERIMENTS
from Code.experiments.tuning import ADVERSARIAL, HELD_OUT, TABLE, is_tuned, rate_of, rates, trial
from Code.foundation.atomic import write_text
from Code.foundation.errors import UserError
from Code.reporting.failures import OWN_TASK, last_whole
from Code.reporting.rules import FAILED_SHARE
from Code.runs import schedule
from Code.runs.fingerprint import fingerprint
from Code.runs.progress import say
from Code.runs.side_by_side import side_by_side
from Code.runs.store import Store, csv_text
from Code.runs.unit import Unit, dataset, work

FOLDER = Path("output", "tuning")
"""Where finished trials are kept; git ignores it, the table is what is committed."""


@dataclass(frozen=True)
class Trial:
    """What a trial came to; the fields are the columns of the table.

    Attributes
    ----------
    objective : ``"loss"``, or ``"mse"`` where an adversary is part of the loss.
    value : the objective on the held-out images; infinite if the training diverged.
    prior_accuracy : accuracy of the two-sample test between codes and prior, where it is measured.
    failed : whether it diverged or ended at or above the mean image.
    chosen : whether its rate is the row's.
    """

    experiment: str
    rate: float
    objective: str
    value: float
    prior_accuracy: float | None
    failed: bool
    seconds: float
    chosen: bool = False


COLUMNS = tuple(Trial.__dataclass_fields__)


def tune(rows, output=FOLDER, table=TABLE, *, seed=0, jobs=None, held_out=HELD_OUT):
    """Try the rates of every row that has some and write the table; finished trials are kept.

    A row that stands in the table is not tried again: its lines are to be deleted first.

    Parameters
    ----------
    rows : list of ``Experiment`` without rates that were chosen before; those that have no trials
        are left out.
    output : folder for the trials.
    table : the table, to which rows are added or in which they are replaced.
    held_out : number of training images on which the trials are judged.

    Returns
    -------
    Names of the experiments of which every trial failed; they keep their rate.

    Raises
    ------
    UserError
        If no row has trials, or another process uses the folder.
    """
    rows = [row for row in rows if is_tuned(row)]
    if not rows:
        raise UserError("--tune: none of these experiments has a rate that is chosen by trials")
    known = {row["experiment"] for row in read(table)}
    if told := [row.name for row in rows if row.name in known]:
        say(
            f"{len(told)} of {len(rows)} experiments stand in {table} (to try again: delete theirs)"
        )
    rows = [row for row in rows if row.name not in known]
    store, jobs = Store(output), jobs or schedule.default_jobs()
    images = dataset("mnist", held_out=held_out)
    limit = FAILED_SHARE * mean_image_mse(images)
    trials = {row.name: [trial(row, r, len(images.x_train)) for r in rates(row)] for row in rows}
    units = [
        Unit(one, seed, "mnist", False, str(store.output.resolve()), held_out=held_out)
        for found in trials.values()
        for one in found
    ]
    prints = {(u.name, u.seed): fingerprint(u.experiment, images, u.seed) for u in units}
    todo = [u for u in units if not store.record(u.name, u.seed, prints[u.name, u.seed])]
    if len(todo) < len(units):
        say(f"{len(units) - len(todo)} of {len(units)} trials are finished and kept")
    left = {name: {one.name for one in found} for name, found in trials.items()}
    lost = set()

    def ended(unit, failure):
        if failure:
            lost.add(unit.name)
        name = unit.name.partition("@")[0]
        left[name].discard(unit.name)
        if not left[name]:
            records = [
                None if one.name in lost else store.record(one.name, seed) for one in trials[name]
            ]
            found = map(outcome, trials[name], records, [limit] * len(records))
            write(table, name, list(found))

    with schedule.sole_use(store.output), schedule.backend("loky", None, jobs):
        store.clear_progress()
        waiting = {unit.name for unit in todo}
        for unit in units:
            if unit.name not in waiting:
                ended(unit, None)
        weights = {(u.name, u.seed): schedule.expected_seconds(_of_row(u)) for u in todo}
        side_by_side(todo, prints, weights, store, jobs, ended, work, "trials")
    picked = {row["experiment"] for row in read(table) if row["chosen"]}
    return [row.name for row in rows if row.name not in picked]


def _of_row(unit):
    """The unit with the name of its row, of which an earlier run may tell the time."""
    return replace(unit, experiment=replace(unit.experiment, name=unit.name.partition("@")[0]))


def outcome(row, record, limit):
    """The `Trial` of a row; without a record its training diverged.

    ``limit`` is the MSE from which a training has failed, of one that guesses hidden pixels the
    mean image's error on these (rule 4). It is judged after the last stage that trains the whole
    autoencoder: labels may spoil its reconstructions later.
    """
    name = row.name.partition("@")[0]
    objective = "mse" if row.variant in ADVERSARIAL else "loss"
    rate = rate_of(row.stages[-1])
    if record is None:
        return Trial(name, rate, objective, math.inf, None, True, 0.0)
    names = [stage.name for stage in row.stages]
    held, reconstructing = (
        {
            m["metric"]: m["value"]
            for m in record["metrics"]
            if (m["stage"], m["split"]) == (stage, "test")
        }
        for stage in (names[-1], last_whole(names))
    )
    error = reconstructing.get("mse", 0.0)
    if all(name in reconstructing for name in OWN_TASK):
        error, of_mean_image = (reconstructing[name] for name in OWN_TASK)
        limit = FAILED_SHARE * of_mean_image
    failed = error >= limit or objective not in held
    value, accuracy = held.get(objective, math.inf), held.get("prior_accuracy")
    return Trial(name, rate, objective, value, accuracy, failed, record["seconds_in_all"])


def best(trials: Iterable[Trial]):
    """The trial with the lowest objective; None if all failed.

    Of those with an adversary only such whose codes meet the prior count; where none does, the one
    that comes nearest.
    """
    from Code.parts.two_sample import PRIOR_MET

    trained = [one for one in trials if not one.failed]
    playing = [one for one in trained if one.prior_accuracy is not None and one.objective == "mse"]
    if playing:
        meeting = [one for one in playing if one.prior_accuracy <= PRIOR_MET]
        if not meeting:
            return min(playing, key=lambda one: one.prior_accuracy)
        trained = meeting
    return min(trained, key=lambda one: one.value, default=None)


def mean_image_mse(images):
    """MSE of the mean training image on the held-out images."""
    x, held = images.x_train / 255.0, images.x_test / 255.0
    return float(((held - x.mean(axis=0)) ** 2).mean())


def write(table, name, trials):
    """Replace the rows of one experiment in the table, with the mark of the chosen one.

    Experiments stand in their own order, whichever was tried first.
    """
    pick = best(trials)
    kept = [row for row in read(table) if row["experiment"] != name]
    new = [{**asdict(one), "chosen": "yes" if one is pick else None} for one in trials]
    place = {known: i for i, known in enumerate(EXPERIMENTS)}
    rows = sorted([*kept, *new], key=lambda row: place.get(row["experiment"], len(place)))
    write_text(table, csv_text(COLUMNS, rows))


def read(table):
    """The rows of the table as text; none without a table."""
    if not Path(table).is_file():
        return []
    with Path(table).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
