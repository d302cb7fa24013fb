"""The table of all experiments, and the user's own experiments from a TOML file."""

from Code.experiments.row import Experiment, Published, Stage, adam, supervised, unsupervised
from Code.experiments.table import EXPERIMENTS, GROUPS, QUICK, of_group

__all__ = [
    "EXPERIMENTS",
    "GROUPS",
    "QUICK",
    "Experiment",
    "Published",
    "Stage",
    "adam",
    "of_group",
    "supervised",
    "unsupervised",
]
