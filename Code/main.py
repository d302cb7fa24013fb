"""The command line of ``run_all.py``. TensorFlow is imported only by the workers that train."""

import argparse
import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from Code.experiments import EXPERIMENTS

OK, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130
EPILOG = """\
examples:
  run_all.py --quick                        everything once, on 2,000 images
  run_all.py --only vae-bce dae --seeds 3   two experiments, three seeds
  run_all.py --all --dry-run                what a full run would do, and how long it would take
  run_all.py --config mine.toml             experiments of your own (README, "Your own experiments")
  run_all.py --only ae --json | jq .        results for a program; progress stays on standard error

Finished experiments are kept: stop a run at any time and start it again.
exit status: 0 done, 1 an experiment failed, 2 wrong input, 130 stopped by hand.
"""


class UserError(Exception):
    """Something that the person can put right; the message is one line."""


def parser():
    """The options of ``run_all.py``."""
    p = argparse.ArgumentParser(
        prog="run_all.py",
        description="Train autoencoders on MNIST, draw the figures and write the reports.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = p.add_argument_group("what to run")
    what.add_argument(
        "--only", nargs="+", metavar="NAME", help="these experiments or groups (see --list)"
    )
    what.add_argument(
        "--config",
        metavar="FILE",
        help="experiments of your own, from a TOML file; without --only, these alone",
    )
    what.add_argument("--all", action="store_true", help="every group, not only `published`")
    what.add_argument(
        "--quick", action="store_true", help="the whole pipeline on 2,000 images, 2 epochs each"
    )
    what.add_argument(
        "--seeds",
        type=positive,
        default=1,
        metavar="N",
        help="seeds for each experiment (default 1)",
    )
    what.add_argument(
        "--seed", type=natural, default=0, metavar="S", help="the first seed (default 0)"
    )
    what.add_argument(
        "--data",
        default="mnist",
        metavar="DATA",
        help="mnist (default, bundled), fashion_mnist (downloaded), a path to an "
        ".npz file, or a folder of the four IDX files",
    )
    what.add_argument(
        "--no-uses",
        dest="uses",
        action="store_false",
        help="leave out what the models of the group common can do",
    )
    what.add_argument("--force", action="store_true", help="train again what is finished")
    how = p.add_argument_group("how")
    how.add_argument(
        "--output",
        metavar="DIR",
        help="where results go (default output; with "
        "--quick output/quick, with other data output/<its name>)",
    )
    how.add_argument(
        "--jobs",
        type=positive,
        metavar="N",
        help="runs side by side, one core each (default: all cores)",
    )
    how.add_argument(
        "--json", action="store_true", help="results, list or plan as JSON on standard output"
    )
    how.add_argument(
        "--backend",
        choices=("loky", "dask", "ray"),
        default="loky",
        help="this machine's cores (loky, the default), or a cluster",
    )
    how.add_argument(
        "--address",
        metavar="URL",
        help="of the cluster's scheduler, for example tcp://127.0.0.1:8786",
    )
    instead = p.add_argument_group("instead of training")
    instead.add_argument("--list", action="store_true", help="list the experiments")
    instead.add_argument(
        "--dry-run", action="store_true", help="say what would be run and how long it would take"
    )
    instead.add_argument(
        "--report-only",
        action="store_true",
        help="write the reports anew from the results in --output",
    )
    return p


def main(arguments=None):
    """Run the command line; return the exit status."""
    options = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        what = list_experiments if options.list else report_only if options.report_only else train
        status = what(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        return without_a_reader()
    except UserError as error:
        print(f"run_all.py: {error}", file=sys.stderr)
        return WRONG_INPUT
    except KeyboardInterrupt:
        print("\nStopped. What is finished is kept; the same command goes on.", file=sys.stderr)
        return INTERRUPTED


def without_a_reader():
    """The exit status when whoever reads standard output has gone, as ``head`` does.

    What the reader wanted it has. Nor may Python's exit write to it what is left.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK


def _interrupt(*_):
    """Let a polite kill end a run as Ctrl-C does, workers and all."""
    raise KeyboardInterrupt


def list_experiments(options):
    """Print the table of experiments, and those of the user's own file."""
    rows = table(options)
    if options.json:
        print_json([listed(row) for row in rows.values()])
        return OK
    for group in dict.fromkeys(row.group for row in rows.values()):
        print(f"{group}:")
        for row in rows.values():
            if row.group == group:
                stages = ", ".join(f"{s.name} {s.epochs}" for s in row.stages if s.batch_size)
                end = f"  [{stages}]" * bool(stages)
                print(f"  {row.name:16} {row.kind:10} {row.title}{end}")
    return OK


def listed(row):
    """What the list says of an experiment, for a program."""
    stages = [{"name": s.name, "epochs": s.epochs} for s in row.stages if s.batch_size]
    return {
        "name": row.name,
        "group": row.group,
        "kind": row.kind,
        "title": row.title,
        "model": row.model,
        "stages": stages,
    }


def print_json(value):
    """One JSON value on standard output."""
    print(json.dumps(value, indent=1, allow_nan=False))


def table(options, image_shape=(28, 28)):
    """The experiments by name, with those of ``--config``."""
    if options.config is None:
        return EXPERIMENTS
    from Code.own_experiments import ConfigError, load_experiments

    try:
        own = load_experiments(options.config, image_shape)
    except ConfigError as error:
        raise UserError(error) from None
    return {**EXPERIMENTS, **{row.name: row for row in own}}


def report_only(options):
    """Write the reports from what is in the output folder."""
    output = Path(options.output or "output")
    if not output.is_dir():
        raise UserError(f"{output} is not a folder; train first, or give --output")
    return write_reports(output)


def write_reports(output):
    """Render both reports; say where they are."""
    from Code.reporting.render import render_reports
    from Code.reporting.results import ResultError

    try:
        paths = render_reports(output, report_folder(output))
    except ResultError as error:
        raise UserError(error) from None
    print("Reports: " + ", ".join(map(str, paths)), file=sys.stderr)
    return OK


def write_explorer(output, rows, trained):
    """Put models that a page can show into ``explorer.html``, and say in a line how that went.

    In a process of its own: TensorFlow stays out of this one, and no failure reaches the run.

    Parameters
    ----------
    rows : the experiments of this run.
    trained : how many runs were trained; without one, a page that is there is left as it is.
    """
    from Code.explorer import page
    from Code.training.progress import say

    path = report_folder(output) / "explorer.html"
    concerned = any(row.name in page.WISHED for row in rows) and page.has_models(output)
    if not concerned or (path.exists() and not trained):
        return
    command = [
        sys.executable,
        "-m",
        "Code.explorer",
        "--output",
        str(output.resolve()),
        "--page",
        str(path.resolve()),
    ]
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        say(f"warning: {path} was not made: {reason[-1]}")
    else:
        say(f"Explorer: {path}")


def report_folder(output):
    """``report`` for the default output folder, else a folder inside the output folder."""
    return Path("report") if Path(output) == Path("output") else Path(output, "report")


def train(options):
    """Train what was asked for and is not finished, then write everything that is shown."""
    if options.config is None:
        chosen(options)  # a wrong name is told before the data is read
    data = checked_data(options)
    rows = chosen(options, table(options, data.x_train.shape[1:]))
    output = Path(options.output or default_output(options, data))
    from Code.training.schedule import BackendError, OutputInUse, sole_use

    if options.address and options.backend == "loky":
        raise UserError("--address is of a cluster: say --backend dask or --backend ray with it")
    if options.dry_run:
        return dry_run(output, rows, data, options)
    try:
        with sole_use(output):
            return train_into(output, rows, data, options)
    except (OutputInUse, BackendError) as error:
        raise UserError(error) from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(
                f"{output}: {error.strerror}; make room, and the same command goes on"
                " from what is finished"
            ) from None
        if error.filename is None or not str(error.filename).startswith(str(output)):
            raise
        raise UserError(f"cannot write to {error.filename}: {error.strerror}") from None


def chosen(options, rows=EXPERIMENTS):
    """The rows of the table that the options name."""
    own = [row for row in rows.values() if row.name not in EXPERIMENTS]
    if options.only is None:
        if options.all:
            return list(rows.values())
        return own or [row for row in rows.values() if row.group == "published"]
    named = {}
    for row in rows.values():
        named.setdefault(row.group, []).append(row.name)
    names = [name for word in options.only for name in named.get(word, [word])]
    unknown = [name for name in names if name not in rows]
    if unknown:
        raise UserError(f"no experiment or group named {', '.join(unknown)}; see run_all.py --list")
    return [rows[name] for name in dict.fromkeys(names)]


def dry_run(output, rows, data, options):
    """Say what would be run; return the exit status."""
    from Code.plan import as_json, plan, wall_seconds
    from Code.training.progress import duration
    from Code.training.schedule import default_jobs
    from Code.training.store import Store

    store = Store(output)
    units, prints = units_of(rows, seeds_of(options), data, store, options)
    steps = plan(units, prints, data, store, options.force)
    jobs = options.jobs or default_jobs()
    if options.json:
        print_json(as_json(steps, jobs, output))
        return OK
    for step in steps:
        time_left = "finished" if step.finished else duration(step.seconds)
        guess = "" if step.measured or step.finished else " (a guess: never run here)"
        print(f"{step.experiment:24} seed {step.seed}   {time_left}{guess}")
    left = sum(not step.finished for step in steps)
    print(
        f"{left} of {len(steps)} runs to do, {jobs} at a time, into {output}/:"
        f" about {duration(wall_seconds(steps, jobs))}"
    )
    return OK


def seeds_of(options):
    """The seeds that the options ask for."""
    return range(options.seed, options.seed + options.seeds)


def units_of(rows, seeds, data, store, options):
    """Every experiment with every seed, and the identity of each by (name, seed)."""
    from Code.training.fingerprint import fingerprint
    from Code.training.unit import Unit, scheduled

    rows = [scheduled(row, options.quick) for row in rows]
    # Absolute, since the workers of a cluster start in a folder of their own
    folder = str(store.output.resolve())
    units = [Unit(row, seed, options.data, options.quick, folder) for seed in seeds for row in rows]
    return units, {(u.name, u.seed): fingerprint(u.experiment, data, u.seed) for u in units}


def checked_data(options):
    """The data set, loaded once to be checked before anything is trained."""
    from Code.data.datasets import DataError
    from Code.training.unit import dataset

    try:
        return dataset(options.data, options.quick)
    except DataError as error:
        raise UserError(error) from None


def default_output(options, data):
    """Where results go if nothing is said: never on top of the committed full results."""
    if options.quick:
        return Path("output", "quick")
    if data.name != "mnist":
        return Path("output", data.name.rstrip("/").replace(".npz", ""))
    return Path("output")


def train_into(output, rows, data, options):
    """Train into a folder that this process holds."""
    from Code.training.assemble import write_results_csv
    from Code.training.progress import duration, say
    from Code.training.schedule import backend, default_jobs
    from Code.training.store import Store

    start = time.monotonic()
    store = Store(output)
    store.clear_progress()
    seeds = seeds_of(options)
    jobs = options.jobs or default_jobs()
    with backend(options.backend, options.address, jobs):
        trained, kept, failures = train_rows(rows, seeds, data, store, jobs, options)
        write_results_csv(output)
        used = 0
        if options.uses:
            used, failed = use_rows(rows, seeds, store, jobs, options)
            for name, reasons in failed.items():
                failures.setdefault(name, []).extend(reasons)
    if trained or used:
        note_run(
            output,
            wall_seconds=time.monotonic() - start,
            jobs=jobs,
            trained=trained,
            kept=kept,
            used=used,
            seeds=len(seeds),
        )
    if not options.quick and data.name == "mnist":
        write_explorer(output, rows, trained)
    write_reports(output)
    say(f"Wall time {duration(time.monotonic() - start)} for {trained} runs, {jobs} at a time.")
    if options.json:
        print_json(results_of(output, rows))
    for name, reasons in failures.items():
        for reason in reasons:
            say(f"FAILED {name}, seed {reason['seed']}: {reason['reason']}")
    return FAILED if any(failures.values()) else OK


def results_of(output, rows):
    """The ``result.json`` of each experiment that has one, as one JSON value."""
    paths = [Path(output, row.name, "result.json") for row in rows]
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]


def train_rows(rows, seeds, data, store, jobs, options):
    """Train what is not finished and assemble each experiment when its last seed is done.

    Returns
    -------
    how many runs were trained, how many were kept, and ``{experiment: failures}``.
    """
    from Code.training.assemble import assemble
    from Code.training.progress import say
    from Code.training.schedule import expected_seconds
    from Code.training.unit import scheduled, work

    units, prints = units_of(rows, seeds, data, store, options)
    rows = [scheduled(row, options.quick) for row in rows]
    todo = [
        u
        for u in units
        if options.force or not store.record(u.name, u.seed, prints[u.name, u.seed])
    ]
    weights = {(u.name, u.seed): expected_seconds(u) for u in todo}
    todo.sort(key=lambda u: -weights[u.name, u.seed])
    if len(todo) < len(units):
        say(f"{len(units) - len(todo)} of {len(units)} runs are finished and kept (--force: again)")
    facts = facts_of(data)
    failures = {row.name: [] for row in rows}
    open_runs = {row.name: sum(u.name == row.name for u in todo) for row in rows}

    def show(row):
        assemble(row, list(seeds), facts, store, options.quick, failures[row.name])

    def ended(unit, failure):
        if failure:
            failures[unit.name].append({"seed": unit.seed, "reason": failure})
        open_runs[unit.name] -= 1
        if not open_runs[unit.name]:
            show(unit.experiment)

    for row in rows:
        if not open_runs[row.name]:
            show(row)
    side_by_side(todo, prints, weights, store, jobs, ended, work, "runs")
    return len(todo), len(units) - len(todo), failures


def use_rows(rows, seeds, store, jobs, options):
    """Measure the uses of the trained models of the group ``common``, where that is not done.

    Returns
    -------
    how many models and rivals were measured, and ``{name: failures}``.
    """
    from Code.tasks import stage, summary
    from Code.training.progress import DEFAULT_WEIGHT

    rows = [row for row in rows if row.group == "common"]
    units = stage.units_of(rows, seeds, store, options.data, options.quick)
    if not units:
        return 0, {}
    prints = {(u.name, u.seed): stage.identity(u, store) for u in units}
    todo = [u for u in units if options.force or not stage.kept(u, prints[u.name, u.seed])]
    weights = dict.fromkeys(((u.name, u.seed) for u in todo), DEFAULT_WEIGHT)
    failures = {}

    def ended(unit, failure):
        if failure:
            reason = {"seed": unit.seed, "reason": f"uses: {failure}"}
            failures.setdefault(unit.name, []).append(reason)

    side_by_side(todo, prints, weights, store, jobs, ended, stage.work, "models are used")
    summary.assemble(units, prints, store)
    return len(todo), failures


def side_by_side(todo, prints, weights, store, jobs, ended, work, what):
    """Do ``work`` on the units of ``todo``, show how far it is, and call ``ended`` for each."""
    from Code.training.progress import Display, say
    from Code.training.schedule import run_units

    if todo:
        say(f"{len(todo)} {what}, {min(jobs, len(todo))} at a time, into {store.output}/")
    with Display(todo, weights, store, jobs) as display:

        def on_done(unit, failure):
            display.done(unit, failure)
            ended(unit, failure)

        run_units(todo, prints, on_done, work)


def note_run(output, **facts):
    """Add a run that trained something to ``runs.json``, the latest last."""
    from Code.atomic import write_json
    from Code.reporting.results import ResultError, load_runs

    try:
        runs = load_runs(output)
    except ResultError:
        runs = []
    write_json(output / "runs.json", [*runs, facts])


def facts_of(data):
    """What result.json says of the data."""
    return {
        "name": data.name,
        "sha256": data.sha256,
        "n_train": len(data.x_train),
        "n_test": len(data.x_test),
        "image_shape": list(data.x_train.shape[1:]),
    }


def positive(text):
    """A whole number above 0, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def natural(text):
    """A seed: a whole number that every random generator takes, for argparse."""
    if not text.isdecimal() or int(text) > 2**31 - 2:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 2147483646")
    return int(text)
