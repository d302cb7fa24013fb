"""The command line of ``run_all.py``. TensorFlow is imported only by the workers that train."""

import argparse
import json
import signal
from pathlib import Path

from Code.commands.options import LARGEST_SEED, natural, positive
from Code.commands.status import any_terminal, status_of
from Code.experiments.table import EXPERIMENTS, UNTUNED
from Code.foundation import shipped
from Code.foundation.errors import FAILED, OK, UserError

EPILOG = """\
examples:
  run_all.py --quick                        everything once, on 2,000 images
  run_all.py --only vae-bce dae --seeds 3   two experiments, three seeds
  run_all.py --all --dry-run                what a full run would do, and how long it would take
  run_all.py --config mine.toml             experiments of your own (report/guide.md)
  run_all.py --only ae --json | jq .        results for a program; progress stays on standard error

Finished experiments are kept: stop a run at any time and start it again.
exit status: 0 done, 1 an experiment failed (--verify: a figure differs), 2 wrong input, 130 stopped
by hand.
"""
# So many figures that lie outside the reference are named at the end of a run
TOLD = 10
# What each of the options "instead of training" takes besides itself; the rest would be swallowed
TAKES = {
    "list": {"config", "json"},
    "report_only": {"output", "extend"},
    "compare": {"output", "json"},
    "verify": {"only", "output", "quick", "json"},
    "tune": {"output", "seed", "jobs"},
}
# Folders in `output` that are no data's, besides those of experiments
TAKEN = ("alone", "families", "quick", "reference", "tuning", "uses")
LONGEST_NAME = 100
STOPPED = "\nStopped. What is finished is kept; the same command goes on."  # after Ctrl-C


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
        help="mnist (default, bundled), fashion_mnist, cifar10 or cifar100 (downloaded), or a "
        "path: a folder of pictures or of IDX files, an .npz, .npy or .csv file; with or without "
        "labels",
    )
    what.add_argument(
        "--no-uses",
        dest="uses",
        action="store_false",
        help="do not measure what the models of the group `common` can do",
    )
    what.add_argument(
        "--no-pictures",
        dest="pictures",
        action="store_false",
        help="draw no experiment: of the uses there is one picture each, and nothing else",
    )
    what.add_argument(
        "--longer",
        type=positive,
        default=1,
        metavar="F",
        help="F times as many epochs of every stage, for other data with few images",
    )
    what.add_argument("--force", action="store_true", help="train finished experiments again too")
    what.add_argument(
        "--extend",
        action="store_true",
        help="count committed results of the same code, data and settings as this run's own, and "
        "make all of them the committed reference, with weights (for whoever makes it)",
    )
    how = p.add_argument_group("how")
    how.add_argument(
        "--output",
        metavar="DIR",
        help="folder for the results (default: output; with --quick: "
        "output/quick; with other data: a folder of its name in there)",
    )
    how.add_argument(
        "--jobs",
        type=positive,
        metavar="N",
        help="number of parallel runs, one core each (default: all cores, fewer where memory is "
        "short)",
    )
    how.add_argument(
        "--json",
        action="store_true",
        help="results, list, plan or comparison as JSON on standard output",
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
        help="address of the cluster's scheduler, for example tcp://127.0.0.1:8786",
    )
    instead = p.add_argument_group("instead of training")
    instead.add_argument("--list", action="store_true", help="list the experiments")
    instead.add_argument(
        "--dry-run", action="store_true", help="say what would be run and how long it would take"
    )
    instead.add_argument(
        "--report-only",
        action="store_true",
        help="write the reports again from the results in --output",
    )
    instead.add_argument(
        "--compare",
        action="store_true",
        help="say how nearly the runs of this machine in --output repeat the committed reference",
    )
    instead.add_argument(
        "--verify",
        action="store_true",
        help="compute the committed figures again from the committed weights, without training, "
        "and say which differ; with --only, those of some experiments",
    )
    instead.add_argument(
        "--tune",
        nargs="+",
        metavar="NAME",
        help="choose the rates of these experiments or groups (common, papers) on training images "
        "that are held out (for whoever makes the reference)",
    )
    return p


def main(arguments=None):
    """Run the command line; return the exit status."""
    any_terminal()
    parse = parser()
    options = parse.parse_args(arguments)
    # SIGTERM ends a run, with its workers, just as Ctrl-C does
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    instead = {
        "list": list_experiments,
        "report_only": report_only,
        "compare": compare,
        "verify": verify,
        "tune": choose_rates,
    }
    what = next((do for name, do in instead.items() if getattr(options, name)), train)
    stopped = "\nStopped." if what is verify else STOPPED

    def done():
        refuse_idle(options, parse)
        return what(options)

    return status_of(done, "run_all.py", stopped)


def refuse_idle(options, parse):
    """Refuse options that would have no effect beside one that is given.

    Raises
    ------
    UserError
        In one line, with what to leave out.
    """
    given = [name for name, value in vars(options).items() if value != parse.get_default(name)]
    if options.output == "":
        raise UserError("--output needs the name of a folder")
    for mode in given:
        idle = [name for name in given if name not in {mode, *TAKES.get(mode, given)}]
        if idle:
            named = " and ".join(f"--{name.replace('_', '-')}" for name in idle)
            raise UserError(f"--{mode.replace('_', '-')} does nothing with {named}; leave it out")


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
    """One experiment of the list as a dict that JSON can hold."""
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
    """Print one JSON value to standard output."""
    print(json.dumps(value, indent=1, allow_nan=False))


def table(options, image_shape=(28, 28)):
    """The experiments by name, including those of ``--config``."""
    if options.config is None:
        return EXPERIMENTS
    from Code.experiments.own import load_experiments

    own = load_experiments(options.config, image_shape)
    return {**EXPERIMENTS, **{row.name: row for row in own}}


def report_only(options):
    """Write the reports from the results in the output folder."""
    from Code.runs.reports import write_reports

    output = Path(options.output or "output")
    if not output.is_dir():
        raise UserError(f"{output} is not a folder; train first, or give --output")
    write_reports(output, options.extend)
    return OK


def choose_rates(options):
    """Try learning rates on held-out training images, and write the table of them."""
    from Code.experiments.tuning import TABLE, is_tuned
    from Code.runs.progress import say
    from Code.runs.tune import FOLDER, tune

    rows = _named(options.tune, UNTUNED)
    output = Path(options.output or FOLDER)
    failed = tune(rows, output, seed=options.seed, jobs=options.jobs)
    for name in failed:
        say(f"FAILED {name}: every trial failed; it keeps its rate")
    say(f"Rates of {sum(map(is_tuned, rows)) - len(failed)} experiments: {TABLE}")
    return FAILED if failed else OK


def compare(options):
    """Print every figure that does not agree with the committed reference, and how many do."""
    from Code.reporting.repeated import described
    from Code.runs.reports import compared, own_results

    output = Path(options.output or "output")
    found = compared(output)
    if not found.figures:
        raise UserError(
            f"{output} holds no whole run on MNIST but the committed one; train first, or give "
            "--output"
        )
    tell_agreement(found)
    if options.json:
        print_json(described(found, own_results(output)))
    return OK


def verify(options):
    """Compute the committed figures from the committed weights; return whether all agree."""
    from Code.foundation.own_process import prepare
    from Code.runs import verify as verifying
    from Code.runs.progress import say

    # As the processes of a run, with whose figures these are compared
    prepare()
    names = None if options.only is None else [row.name for row in chosen(options)]
    output = Path(options.output or ("output/quick" if options.quick else "output"))
    told = verifying.models(output, names)
    tell_code(output / "reference")
    say(f"{len(told)} models, one after the other, from {shipped.folder_of(output)}/")
    for name in names or ():
        if name not in told:
            say(f"{name} has no weights there")
    done = []
    for one in verifying.verify(output, told):
        done.append(one)
        tell_verified(one, done, len(told))
    return tell_all_verified(done, options.json)


def tell_code(folder):
    """Print whether the figures of a reference were found by the code that is here."""
    from Code.runs.extend import of_other_code
    from Code.runs.progress import say

    if (found := of_other_code(folder)) is None:
        return
    other, n = found
    named = f"; not: {', '.join(other)}" if other else ""
    say(f"{n - len(other)} of {n} experiments of the reference are of this very code{named}")


def tell_verified(one, done, n):
    """Print a line about a model that was just verified."""
    from Code.runs.progress import duration, say
    from Code.runs.verify import seconds_left

    took = duration(sum(each.seconds for each in done))
    left = f", about {duration(seconds_left(done, n))} left" if len(done) < n else ""
    precision = "" if one.precision == "half" else f", in {one.precision} precision"
    agree = f"{len(one.cells) - len(one.differing)} of {len(one.cells)} cells agree"
    where = f"[{len(done)}/{n}] {one.experiment}, seed {one.seed}{precision}"
    say(f"{where}: {agree} ({took} so far{left})")


def tell_all_verified(done, as_json=False):
    """Print the cells that differ, what was not computed, and how many agree; the exit status."""
    from dataclasses import asdict

    from Code.runs.progress import say

    cells = [cell for one in done for cell in one.cells]
    differing = [cell for one in done for cell in one.differing]
    if as_json:
        print_json([{**asdict(cell), "agrees": cell.agrees} for cell in cells])
    if differing:
        say(f"\n{'cell':56} {'committed':>12} {'computed':>12} {'may differ by':>14}")
    for cell in differing:
        where = f"{cell.experiment}, {cell.stage}, {cell.metric} ({cell.split})"
        numbers = f"{cell.committed:12.6g} {cell.computed:12.6g} {cell.within:14.2g}"
        say(f"{where:56} {numbers}")
    reasons = dict.fromkeys(reason for one in done for reason in one.not_computed)
    for reason in reasons:
        say(f"not computed, {reason}: {sum(one.not_computed.get(reason, 0) for one in done)} cells")
    say(f"{len(cells) - len(differing)} of {len(cells)} cells agree")
    return FAILED if differing else OK


def tell_agreement(found, most=None):
    """Print an `Agreement`: what lies outside, ``most`` of it, and the line that counts."""
    from Code.runs.progress import say

    if not found.figures:
        return
    for figure in found.outside[:most]:
        where = f"{figure.experiment}, {figure.stage}, {figure.metric} ({figure.split})"
        say(f"{where}: {figure.own:.6g}, the reference has {figure.reference:.6g}")
    if most is not None and len(found.outside) > most:
        say(f"… and {len(found.outside) - most} more; run_all.py --compare names all")
    say(f"{found.line}; by chance alone one in twenty lies outside.")


def chosen(options, rows=EXPERIMENTS):
    """The rows of the table that the options name."""
    own = [row for row in rows.values() if row.name not in EXPERIMENTS]
    if options.only is None:
        if options.all:
            return list(rows.values())
        return own or [row for row in rows.values() if row.group == "published"]
    return _named(options.only, rows)


def _named(words, rows):
    """The rows of these names and groups."""
    named = {}
    for row in rows.values():
        named.setdefault(row.group, []).append(row.name)
    names = [name for word in words for name in named.get(word, [word])]
    unknown = [name for name in names if name not in rows]
    if unknown:
        raise UserError(f"no experiment or group named {', '.join(unknown)}; see run_all.py --list")
    return [rows[name] for name in dict.fromkeys(names)]


def holds_other_data(folder, data):
    """Whether a folder holds results of data with another content."""
    for path in folder.glob("*/result.json"):
        try:
            found = json.loads(path.read_text(encoding="utf-8"))["data"]["sha256"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        return found != data.sha256
    return False


def default_output(options, data):
    """The output folder without ``--output``: it never overwrites the committed full results."""
    base = Path("output", "quick") if options.quick else Path("output")
    if data.name == "mnist":
        return base
    name = data.short_name.strip(" .")[:LONGEST_NAME]
    taken = not name or name.lower() in {*TAKEN, *EXPERIMENTS}
    if taken or holds_other_data(base / name, data):
        # Another file of this name has its results there, or the project something of its own
        name = f"{name}-{data.sha256[:8]}".strip("-")
    return base / name


def train(options):
    """Train the chosen experiments that are not finished; with ``--dry-run`` only list them."""
    seeds = seeds_of(options)
    if options.config is None:
        chosen(options)  # reports a wrong name before the data is read
    if options.address and options.backend == "loky":
        raise UserError("--address belongs to a cluster: add --backend dask or --backend ray")
    from Code.runs.progress import duration, say
    from Code.runs.reports import compared
    from Code.runs.run import results_of, run
    from Code.runs.unit import dataset

    data = dataset(options.data, options.quick)
    refuse_longer(options, data)
    rows = chosen(options, table(options, data.image_shape))
    output = Path(options.output or default_output(options, data))
    if options.dry_run:
        return dry_run(rows, output, seeds, data, options)
    done = run(
        rows,
        output,
        data=options.data,
        seeds=seeds,
        quick=options.quick,
        longer=options.longer,
        jobs=options.jobs,
        measure_uses=options.uses,
        pictures=options.pictures,
        force=options.force,
        extend=options.extend,
        backend=options.backend,
        address=options.address,
    )
    say(f"Wall time {duration(done.seconds)} for {done.trained} runs, {done.jobs} at a time.")
    if options.json:
        print_json(results_of(output, rows))
    for name, reasons in done.failures.items():
        for reason in reasons:
            say(f"FAILED {name}, seed {reason['seed']}: {reason['reason']}")
    tell_agreement(compared(output), TOLD)
    return FAILED if any(done.failures.values()) else OK


def refuse_longer(options, data):
    """Refuse ``--longer`` where it does nothing, and on MNIST, whose figures are all of the table.

    Raises
    ------
    UserError
        In one line.
    """
    if options.longer > 1 and options.quick:
        raise UserError("--longer does nothing with --quick; leave one of them out")
    if options.longer > 1 and data.name == "mnist":
        raise UserError("--longer is for other data; on MNIST the epochs are those of the table")


def seeds_of(options):
    """The seeds of a run, from ``--seed`` on.

    Raises
    ------
    UserError
        If the last one is larger than every random generator accepts.
    """
    seeds = range(options.seed, options.seed + options.seeds)
    if seeds[-1] > LARGEST_SEED:
        raise UserError(
            f"--seed {options.seed} --seeds {options.seeds} goes beyond the largest seed,"
            f" {LARGEST_SEED}: choose a smaller --seed"
        )
    return seeds


def dry_run(rows, output, seeds, data, options):
    """Print what would be run; return the exit status."""
    from Code.runs.plan import as_json, steps_of, wall_seconds
    from Code.runs.progress import duration
    from Code.runs.run import facts_of, planned, without_own
    from Code.runs.schedule import default_jobs
    from Code.runs.store import Store

    plan = planned(rows, output, options.data, seeds, options.quick, longer=options.longer)
    if options.extend and not options.force:
        without_own(plan, output, facts_of(data, options.data), seeds, options.uses)
    steps = steps_of(plan.units, plan.prints, data, Store(output), options.force)
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
