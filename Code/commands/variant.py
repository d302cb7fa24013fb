"""Train one variant alone: the command line of ``python -m Code.vae`` and of all variants."""

import argparse
import sys
from pathlib import Path

from Code.commands.options import natural, positive
from Code.commands.status import any_terminal, status_of
from Code.experiments.table import EXPERIMENTS
from Code.foundation.errors import FAILED, OK
from Code.foundation.own_process import prepare
from Code.runs.progress import duration, say
from Code.runs.run import run_one


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
        help="which experiment of the table (default %(default)s)",
    )
    p.add_argument("--epochs", type=positive, help="epochs per stage (default: the experiment's)")
    p.add_argument("--seed", type=natural, default=0, help="(default %(default)s)")
    p.add_argument("--data", default="mnist", help="as for run_all.py (default %(default)s)")
    p.add_argument("--quick", action="store_true", help="2,000 images")
    p.add_argument(
        "--output",
        default="output/alone",
        help="results go into a subfolder named after the experiment (default %(default)s)",
    )
    return p


def _default(variant):
    rows = [row for row in EXPERIMENTS.values() if row.variant == variant]
    return next((row for row in rows if row.kind == "corrected"), rows[0]).name


def main(variant, arguments=None):
    """Train, draw and print the metrics; return 1 if training failed, 2 on wrong input."""
    any_terminal()
    # As run_all.py trains: to the bit the same, and with other work beside it the faster way
    prepare()
    options = parser(variant).parse_args(arguments)
    sys.exit(status_of(lambda: train_one(options)))


def train_one(options):
    """Train the experiment that the options name; return the exit status."""
    row = EXPERIMENTS[options.experiment]
    record, failure = run_one(
        row,
        options.output,
        data=options.data,
        seed=options.seed,
        quick=options.quick,
        epochs=options.epochs,
        verbose=2 if not sys.stderr.isatty() else 1,
    )
    if failure:
        say(f"{row.name} failed: {failure}")
        return FAILED
    for stage, seconds in record["seconds"].items():
        print(f"{stage}: {record['epochs'][stage]} epochs in {duration(seconds)}")
    for metric in record["metrics"]:
        print("{stage:14} {split:6} {metric:24} {value:.6g}".format(**metric))
    print(f"Figures, result.json and the trained model: {Path(options.output, row.name)}")
    return OK
