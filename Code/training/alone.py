"""Train one variant alone: the command line behind ``python -m Code.vae`` and the like."""

import argparse
import sys
from pathlib import Path

from Code.experiments import EXPERIMENTS
from Code.main import UserError, checked_data, facts_of, natural, positive
from Code.training.assemble import assemble
from Code.training.fingerprint import fingerprint
from Code.training.progress import duration, say
from Code.training.schedule import OutputInUse, sole_use
from Code.training.store import Store
from Code.training.unit import Unit, scheduled, work


def parser(variant):
    """The options of a variant's own command line."""
    rows = [row.name for row in EXPERIMENTS.values() if row.variant == variant]
    p = argparse.ArgumentParser(
        prog=f"python -m Code.{variant}",
        description=f"Train one experiment of the variant {variant} and draw its figures.",
    )
    p.add_argument(
        "--experiment",
        choices=rows,
        default=_default(variant),
        help="which row of the table (default %(default)s)",
    )
    p.add_argument("--epochs", type=positive, help="epochs of every stage (default: the row's)")
    p.add_argument("--seed", type=natural, default=0, help="(default %(default)s)")
    p.add_argument("--data", default="mnist", help="as for run_all.py (default %(default)s)")
    p.add_argument("--quick", action="store_true", help="2,000 images")
    p.add_argument(
        "--output",
        default="output/alone",
        help="results go into a folder of the experiment's name in this one (default %(default)s)",
    )
    return p


def _default(variant):
    rows = [row for row in EXPERIMENTS.values() if row.variant == variant]
    return next((row for row in rows if row.kind == "corrected"), rows[0]).name


def main(variant, arguments=None):
    """Train, draw, print the metrics; exit 1 if training failed, 2 on wrong input."""
    options = parser(variant).parse_args(arguments)
    try:
        with sole_use(options.output):
            status = train_one(options)
    except (UserError, OutputInUse) as error:
        say(f"error: {error}")
        status = 2
    except OSError as error:
        say(f"error: cannot write to {error.filename}: {error.strerror}")
        status = 2
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


def train_one(options):
    """Train what the options say; return the exit status."""
    data = checked_data(options)
    row = scheduled(EXPERIMENTS[options.experiment], options.quick, options.epochs)
    unit = Unit(row, options.seed, options.data, options.quick, options.output)
    store = Store(options.output)
    store.clear_progress()
    identity = fingerprint(row, data, options.seed)
    failure = work(unit, identity, verbose=2 if not sys.stderr.isatty() else 1, one_thread=False)
    if failure:
        say(f"{row.name} failed: {failure}")
        return 1
    assemble(row, [options.seed], facts_of(data), store, options.quick, [])
    record = store.record(row.name, options.seed)
    for stage, seconds in record["seconds"].items():
        print(f"{stage}: {record['epochs'][stage]} epochs in {duration(seconds)}")
    for metric in record["metrics"]:
        print("{stage:14} {split:6} {metric:24} {value:.6g}".format(**metric))
    print(f"Figures, result.json and the trained model: {Path(options.output, row.name)}")
    return 0
