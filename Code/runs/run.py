"""Train rows of the table, measure the uses of the models and write all results, in one call.

from Code.experiments.table import EXPERIMENTS
from Code.runs.run import run

done = run([EXPERIMENTS["ae"], EXPERIMENTS["vae-bce"]], "output/mine", quick=True)
"""

import errno
import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from Code.data.datasets import from_anywhere
from Code.experiments.for_data import for_data
from Code.experiments.row import over_own_steps
from Code.foundation.atomic import write_json
from Code.foundation.errors import UserError
from Code.reporting import reference
from Code.reporting.results import ResultError, load_runs
from Code.runs import schedule, use_units, uses_table
from Code.runs.common_stages import saved_seconds, with_common_stages
from Code.runs.extend import counts, without_uses
from Code.runs.fingerprint import fingerprint
from Code.runs.progress import DEFAULT_WEIGHT, say
from Code.runs.reports import report_folder, write_reports
from Code.runs.results import assemble, write_results_csv
from Code.runs.side_by_side import side_by_side
from Code.runs.store import Store
from Code.runs.unit import Unit, dataset, scheduled, work
from Code.runs.weights import ship

ROOT = Path(__file__).resolve().parents[2]
MNIST_IMAGES = 60_000
FEW = 4
"""Data with so many times fewer training images than MNIST are said to be few."""


@dataclass
class Done:
    """The outcome of a run.

    Attributes
    ----------
    output : the folder of its results.
    trained, kept, used : number of runs that were trained, number of earlier runs that were kept,
        and number of models and baselines whose uses were measured.
    failures : ``{experiment: [{"seed", "reason"}, ...]}``.
    left_out : ``{experiment: reason}`` for what the data do not allow.
    seconds : wall time.
    jobs : number of parallel runs.
    """

    output: Path
    trained: int = 0
    kept: int = 0
    used: int = 0
    failures: dict = field(default_factory=dict)
    left_out: dict = field(default_factory=dict)
    seconds: float = 0.0
    jobs: int = 1


@dataclass(frozen=True)
class Plan:
    """The runs to do: every experiment with every seed, and the identity of each run.

    Attributes
    ----------
    rows : the experiments, with the epochs of this run and as the data allow them.
    units : a ``Unit`` for each experiment and seed.
    prints : the identity of each unit, by (name, seed).
    left_out : ``{experiment: reason}`` for what the data do not allow.
    """

    rows: list
    units: list
    prints: dict
    left_out: dict


def planned(rows, output, data="mnist", seeds=(0,), quick=False, epochs=None, longer=1):
    """The ``Plan`` for these rows and seeds on a data set.

    ``epochs`` as for `run_one`, ``longer`` as for `run`.
    """
    images = dataset(str(data), quick)
    rows = [scheduled(row, quick, epochs, longer) for row in rows]
    rows = [over_own_steps(row, len(images.x_train)) for row in rows]
    rows, left_out = for_data(rows, len(images.classes), images.image_shape)
    # Absolute, because the workers of a cluster start in another folder
    folder = str(Path(output).resolve())
    units = [Unit(row, seed, str(data), quick, folder) for seed in seeds for row in rows]
    units = with_common_stages(units)
    prints = {(u.name, u.seed): fingerprint(u.experiment, images, u.seed) for u in units}
    return Plan(rows, units, prints, left_out)


def run(
    rows,
    output,
    *,
    data="mnist",
    seeds=(0,),
    quick=False,
    longer=1,
    jobs=None,
    measure_uses=True,
    pictures=True,
    force=False,
    extend=False,
    backend="loky",
    address=None,
):
    """Train unfinished runs, measure the uses of the group ``common``, write the reports.

    Parameters
    ----------
    rows : list of ``Experiment``.
    output : folder for the results; finished runs in it are kept, so a stopped run continues.
    data : what ``Code.data.datasets.load_dataset`` takes.
    seeds : whole numbers from 0.
    quick : whether to train on 2,000 images for 2 epochs per stage.
    longer : how many times the epochs of the table every stage has, unless ``quick``: few images
        make few steps of training.
    jobs : number of parallel runs, one core each; None for `default_jobs`.
    measure_uses : whether the uses are measured too.
    pictures : whether experiments are drawn; of the uses there is a picture each in any case.
    force : whether finished runs are trained again.
    extend : whether committed results count as this run's own where code, data and settings are
        the same, and all results become the committed reference: for whoever makes it.
    backend, address : where the runs are executed, see ``Code.runs.schedule.backend``.

    Returns
    -------
    Done

    Raises
    ------
    UserError
        If the data cannot be used, the folder cannot be written to, or another run uses it.
    """
    output, seeds = Path(output), list(seeds)
    images = dataset(str(data), quick)
    facts = facts_of(images, data)
    plan = planned(rows, output, data, seeds, quick, longer=longer)
    jobs = jobs or schedule.default_jobs()
    try:
        with schedule.sole_use(output):
            start = time.monotonic()
            store = Store(output)
            store.clear_progress()
            done = Done(output, jobs=jobs, left_out=plan.left_out)
            tell_data(output, images, plan)
            if longer == 1 and not quick:
                tell_few(images)
            with schedule.backend(backend, address, jobs):
                had = []
                if extend and not force:
                    had = without_own(plan, output, facts, seeds, measure_uses)
                done.kept += len(had)
                _train(plan, seeds, facts, store, quick, pictures, force, extend, done)
                mine = None if extend else reference.own(output)
                if images.name == "mnist" and pictures:
                    from Code.runs import families

                    families.draw([row.name for row in plan.rows], output, mine)
                keep_failed(output, done.failures)
                write_results_csv(output, mine)
                if measure_uses:
                    _use(plan.rows, seeds, store, str(data), quick, force, extend, done)
                if extend and images.name == "mnist":
                    ship(output, str(data), quick, jobs)
            if done.trained or done.used:
                note_run(
                    output,
                    extend,
                    wall_seconds=time.monotonic() - start,
                    jobs=jobs,
                    trained=done.trained,
                    kept=done.kept,
                    used=done.used,
                    seeds=len(seeds),
                    groups=sorted({row.group for row in plan.rows}),
                )
            if not quick and images.name == "mnist":
                write_explorer(output, plan.rows, done.trained)
            write_reports(output, extend and not quick)
            done.seconds = time.monotonic() - start
            return done
    except OSError as error:
        raise _told(error, output) from None


def _told(error, output):
    """Turn a file-system error about the output folder into a `UserError` that says what to do.

    Any other error is returned unchanged.
    """
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UserError(
            f"{output}: {error.strerror}; make room, and the same command goes on"
            " from what is finished"
        )
    if error.filename is None or not str(error.filename).startswith(str(output)):
        return error
    return UserError(f"cannot write to {error.filename}: {error.strerror}")


def without_own(plan, output, facts, seeds, measure_uses):
    """Take the rows whose committed results count as this run's own out of the plan."""
    had = [row.name for row in plan.rows if counts(row, output, facts, seeds)]
    if measure_uses:
        used = [r.name for r in plan.rows if r.name in had and r.group == "common" and r.model]
        lacking = without_uses(used, output) if used else ()
        had = [name for name in had if name not in lacking]
    if had:
        say(f"{len(had)} experiments are committed with this very code: {', '.join(had)}")
    plan.rows[:] = [row for row in plan.rows if row.name not in had]
    plan.units[:] = [unit for unit in plan.units if unit.name not in had]
    return had


def _train(plan, seeds, facts, store, quick, pictures, force, extend, done):
    """Train unfinished runs, and write each experiment's results when its last seed is done."""
    units, prints = plan.units, plan.prints
    todo = [u for u in units if force or not store.record(u.name, u.seed, prints[u.name, u.seed])]
    saved = saved_seconds(todo)
    weights = {
        (u.name, u.seed): max(1.0, schedule.expected_seconds(u) - saved[u.name, u.seed])
        for u in todo
    }
    todo.sort(key=lambda u: -weights[u.name, u.seed])
    if len(todo) < len(units):
        say(f"{len(units) - len(todo)} of {len(units)} runs are finished and kept (--force: again)")
    failures = {row.name: [] for row in plan.rows}
    open_runs = {row.name: sum(u.name == row.name for u in todo) for row in plan.rows}

    def show(row):
        told = failures[row.name]
        assemble(row, seeds, facts, store, quick, told, pictures=pictures, extend=extend)

    def ended(unit, failure):
        if failure:
            failures[unit.name].append({"seed": unit.seed, "reason": failure})
        open_runs[unit.name] -= 1
        if not open_runs[unit.name]:
            show(unit.experiment)

    for row in plan.rows:
        if not open_runs[row.name]:
            show(row)
    side_by_side(todo, prints, weights, store, done.jobs, ended, work, "runs")
    done.trained, done.failures = len(todo), failures
    done.kept += len(units) - len(todo)
    if not any(failures.values()):
        store.clear_shelf()


def _use(rows, seeds, store, data, quick, force, extend, done):
    """Measure the uses of the trained models of the group ``common``, unless already measured."""
    rows = [row for row in rows if row.group == "common"]
    units = use_units.units_of(rows, seeds, store, data, quick)
    if not units:
        return
    prints = {(u.name, u.seed): use_units.identity(u, store) for u in units}
    todo = [u for u in units if force or not use_units.kept(u, prints[u.name, u.seed])]
    weights = dict.fromkeys(((u.name, u.seed) for u in todo), DEFAULT_WEIGHT)

    def ended(unit, failure):
        if failure:
            reason = {"seed": unit.seed, "reason": f"uses: {failure}"}
            done.failures.setdefault(unit.name, []).append(reason)

    side_by_side(todo, prints, weights, store, done.jobs, ended, use_units.work, "models are used")
    keep = extend or not reference.came_with_the_code(store.output, "uses.json")
    uses_table.assemble(units, prints, store, keep)
    done.used = len(todo)
    for unit in todo:
        found = use_units.kept(unit, prints[unit.name, unit.seed]) or {}
        for use, why in found.get("left_out", {}).items():
            say(f"{use} was not measured for {unit.name}, seed {unit.seed}: {why}")


def run_one(row, output, *, data="mnist", seed=0, quick=False, epochs=None, verbose=0):
    """Train one row with one seed in this process and draw its figures.

    It takes one thread, as in `run`, where this is the first work of TensorFlow in the process.

    Parameters
    ----------
    epochs : number of epochs of every stage, or None for those of the row.
    verbose : Keras's progress display, 0 for none.

    Returns
    -------
    record, failure : the stored record of the run and None, or None and the reason of the failure.

    Raises
    ------
    UserError
        In the same cases as `run`.
    """
    images = dataset(str(data), quick)
    plan = planned([row], output, data, [seed], quick, epochs)
    if not plan.units:
        return None, plan.left_out[row.name]
    (unit,) = plan.units
    try:
        with schedule.sole_use(output):
            store = Store(output)
            store.clear_progress()
            tell_data(output, images, plan)
            if verbose:
                say(f"{row.name}, seed {seed}: training on one thread, into {output}/{row.name}/")
            failure = work(unit, plan.prints[unit.name, seed], verbose=verbose)
            if failure:
                return None, failure
            facts = facts_of(images, data)
            assemble(unit.experiment, [seed], facts, store, quick, [], every_picture=True)
            return store.record(row.name, seed), None
    except OSError as error:
        raise _told(error, output) from None


def note_run(output, extend=False, **facts):
    """Append a run that trained something to ``runs.json``; that of the code is begun anew."""
    try:
        theirs = not extend and reference.came_with_the_code(output, "runs.json")
        runs = [] if theirs else load_runs(output)
    except ResultError:
        runs = []
    write_json(Path(output) / "runs.json", [*runs, facts])


def tell_data(output, images, plan):
    """Say what was done with the images when they were read, and what they do not allow."""
    for note in images.notes:
        say(f"{images.name}: {note}")
    tell_left_out(output, plan.rows, plan.left_out)


def tell_few(images):
    """Say how many times fewer steps of training there are than on MNIST, where these are few."""
    fewer = MNIST_IMAGES // len(images.x_train)
    if fewer >= FEW:
        say(
            f"{images.name}: {len(images.x_train):,} training images make {fewer} times fewer steps"
            f" of training than MNIST's, and slow learners may fail; --longer {fewer} makes as many"
        )


def tell_left_out(output, rows, left_out):
    """Say what the data do not allow, and keep it in ``left_out.json`` for the report."""
    _keep_left_out(output, {row.name for row in rows}, left_out)
    for reason in dict.fromkeys(left_out.values()):
        names = [name for name, why in left_out.items() if why == reason]
        say(f"Left out ({', '.join(names)}): {reason}")


def keep_failed(output, failures):
    """Keep in ``left_out.json`` which experiments have no result because every seed failed."""
    failed = {
        name: found[0]["reason"]
        for name, found in failures.items()
        if found and not Path(output, name, "result.json").exists()
    }
    if failed:
        _keep_left_out(output, set(), failed)


def _keep_left_out(output, names, left_out):
    """Replace what ``left_out.json`` tells of ``names``, and add ``{experiment: reason}``."""
    path = Path(output, "left_out.json")
    try:
        earlier = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        earlier = {}
    kept = {name: why for name, why in earlier.items() if name not in names} | left_out
    if kept != earlier:
        write_json(path, kept)


def facts_of(data, source=None):
    """Description of the data for result.json; ``source`` is what `load_dataset` took."""
    facts = {
        "name": data.name,
        "sha256": data.sha256,
        "n_train": len(data.x_train),
        "n_test": len(data.x_test),
        "image_shape": list(data.image_shape),
    }
    if data.name == "mnist":
        return facts
    return {
        **facts,
        "source": None if source is None else from_anywhere(source),
        "classes": list(data.classes),
        "split": data.split,
        "notes": list(data.notes),
    }


def results_of(output, rows):
    """The ``result.json`` of each experiment that has one, as one JSON value."""
    paths = [Path(output, row.name, "result.json") for row in rows]
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]


def write_explorer(output, rows, trained):
    """Build ``explorer.html`` from the models that it can show, and print one line about it.

    This runs in a separate process, so that this one does not load TensorFlow and a failure does
    not stop the run.

    Parameters
    ----------
    rows : the experiments of this run.
    trained : number of trained runs; if it is 0, an existing page is left unchanged.
    """
    # It imports Matplotlib, for which a run that begins does not wait
    from Code.explorer import page

    path = report_folder(output) / "explorer.html"
    concerned = any(row.name in page.WISHED for row in rows) and page.has_models(output)
    if not concerned or (path.exists() and not trained):
        return
    folders = ["--output", str(output.resolve()), "--page", str(path.resolve())]
    command = [sys.executable, "-m", "Code.use", "explorer", *folders]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        reason = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        say(f"warning: {path} was not made: {reason[-1]}")
    else:
        say(f"Explorer: {path}")
