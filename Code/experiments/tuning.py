"""Learning rates chosen on equal terms, on training images that were held out.

Every row of the group ``common`` gets the same budget: the same four rates, one seed, `EPOCHS`
epochs. A row of ``papers`` whose rate would otherwise have been tried on test images gets its own
rate, half of it and double. Each trial learns from the training images without the last `HELD_OUT`
and is judged on these; the test images have no part in it. ``run_all.py --tune`` makes the table.
"""

import csv
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from Code.experiments.row import Experiment, Stage, decaying

TABLE = Path(__file__).with_name("tuning.csv")
RATES = (5e-4, 1e-3, 2e-3, 4e-3)
FACTORS = (0.5, 1.0, 2.0)
EPOCHS = 10
HELD_OUT = 10_000
# The rates of further optimisers in settings, with the class's default: moved in proportion
FURTHER_RATES = {
    "aae": {"adversarial_rate": 5e-4},
    "categorical_aae": {"adversarial_rate": 5e-4, "label_rate": 1e-3},
    "factor_vae": {"discriminator_rate": 1e-4},
}
# Set beside a tuned row of which only the pre-training is missing: the same tries for both
CONTROLS = ("rbm-deep-from-scratch",)
# A stage of this name repeats the one before from the first random weights, for comparison
FROM_SCRATCH = "-from-scratch"
# They are judged by their reconstruction: their whole loss is no measure while an adversary plays
ADVERSARIAL = ("aae", "categorical_aae")


def is_tuned(row: Experiment) -> bool:
    """Whether the rate of a row is chosen by trials."""
    if row.group == "common":
        return bool(row.model)
    of_a_figure = any("selection" in p.departures for p in row.published)
    return row.group == "papers" and (of_a_figure or row.name in CONTROLS)


def judged(row: Experiment) -> Stage:
    """The stage whose rate is tried: the last, but for one that repeats it for comparison."""
    return [stage for stage in row.stages if not stage.name.endswith(FROM_SCRATCH)][-1]


def rates(row: Experiment) -> tuple[float, ...]:
    """The rates that are tried."""
    if row.group == "common":
        return RATES
    return tuple(factor * rate_of(judged(row)) for factor in FACTORS)


def trial(row: Experiment, rate: float, n_train: int) -> Experiment:
    """The row that tries a rate on ``n_train`` images; those of pre-training stay as they are."""
    row = with_rate(row, rate)
    last = judged(row)
    before = row.stages[: row.stages.index(last)]
    if row.group == "common":
        last = decaying(last.name, EPOCHS, last.batch_size, rate, n_train)
    return replace(
        row,
        name=f"{row.name}@{rate:g}",
        stages=(*before, last),
        group="tuning",
        published=(),
        measures=(),
        denoises=False,
        draws=False,
    )


def rate_of(stage: Stage) -> float:
    """The learning rate of a stage's optimiser; of a schedule, that with which it begins."""
    rate = stage.optimizer["config"]["learning_rate"]
    return rate["config"]["initial_learning_rate"] if isinstance(rate, dict) else rate


def with_rate(row: Experiment, rate: float) -> Experiment:
    """The row with this rate in its judged stage, and its further rates moved in proportion.

    A stage that repeats the judged one for comparison gets the same rate.
    """
    last = judged(row)
    factor = rate / rate_of(last)
    further = FURTHER_RATES.get(row.variant, {})
    settings = {
        **row.settings,
        **{name: factor * row.settings.get(name, default) for name, default in further.items()},
    }
    stages = tuple(
        _at_rate(stage, rate) if stage is last or stage.name.endswith(FROM_SCRATCH) else stage
        for stage in row.stages
    )
    return replace(row, settings=settings if further else row.settings, stages=stages)


def _at_rate(stage: Stage, rate: float) -> Stage:
    config = stage.optimizer["config"]
    given = config["learning_rate"]
    new = rate
    if isinstance(given, dict):
        new = {**given, "config": {**given["config"], "initial_learning_rate": rate}}
    optimizer = {**stage.optimizer, "config": {**config, "learning_rate": new}}
    return replace(stage, optimizer=optimizer)


def chosen(path: Path = TABLE) -> Mapping[str, float]:
    """``{experiment: rate}`` of the committed table; empty without one."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {r["experiment"]: float(r["rate"]) for r in csv.DictReader(file) if r["chosen"]}


@cache
def _committed() -> Mapping[str, float]:
    return chosen()


def tuned(row: Experiment) -> Experiment:
    """The row with the rate that was chosen for it, or as it is where none was.

    A figure of a paper is then no longer of a rate that was selected on test images.
    """
    rate = _committed().get(row.name)
    if rate is None or not is_tuned(row):
        return row
    published = tuple(
        replace(p, departures=tuple(d for d in p.departures if d != "selection"))
        for p in row.published
    )
    return replace(with_rate(row, rate), published=published)
