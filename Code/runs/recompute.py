"""The table's figures of one trained model, computed again from its weights alone.

What is measured while a model trains is measured by the same functions here. Its history, and what
was measured before a later stage changed the weights, are gone; so is what only its procedure
measures.
"""

import copy
import statistics

import keras
import numpy as np

from Code.data.corruption import gaussian
from Code.parts.images import to_unit
from Code.reporting.estimates import quantile
from Code.training.procedure import Outcome, measure, measure_noisy_map
from Code.training.trained import load_model

DRAWS = 3
"""So many times a loss is computed that is drawn at random, as that of a variational one."""

HISTORY = ("_last_epoch", "_first_epoch")


def figures(experiment, file, data, seed):
    """The figures of a row's last stage that its model's weights decide.

    Parameters
    ----------
    file : the saved model. It is loaded with the same state of all generators each time, so that
        two precisions of one model draw alike.
    data : the data on which it was trained.
    seed : the seed of its training, from which noise is drawn that was added to the images once.

    Returns
    -------
    values, chance : ``{(stage, metric, split): value}``, and for those that are drawn at random how
        far one more draw may lie from the value.

    Raises
    ------
    UserError
        If the file holds no autoencoder of this project.
    """
    keras.utils.set_random_seed(seed)
    model = load_model(file)
    # Keras changes a config in place when it deserialises it
    experiment = copy.deepcopy(experiment)
    stage, inputs = experiment.stages[-1], (data.x_train, data.x_test)
    if experiment.noise_once is not None:
        inputs = tuple(
            np.asarray(gaussian(to_unit(x), experiment.noise_once, seed=2 * seed + i))
            for i, x in enumerate(inputs)
        )
    outcome = Outcome(model=model)
    trained = model.classifier if stage.name == "supervised" else model
    trained.compile(optimizer=keras.optimizers.get(dict(stage.optimizer)))
    chance = {}
    for split, x, y in zip(("train", "test"), inputs, (data.y_train, data.y_test), strict=True):
        for metric, (value, within) in _evaluated(trained, x, y).items():
            outcome.add(stage.name, split, **{metric: value})
            if within:
                chance[stage.name, metric, split] = within
    measure(experiment, model, stage.name, data, outcome)
    if experiment.noise_once is not None:
        measure_noisy_map(model, stage.name, inputs, data, outcome)
    values = {(m["stage"], m["metric"], m["split"]): m["value"] for m in outcome.metrics}
    return values, chance


def why_not(experiment, stage, metric):
    """Why a figure of a row cannot be computed from the weights, in a few words."""
    if metric.endswith(HISTORY):
        return "of the training's history"
    if stage != experiment.stages[-1].name:
        return "of an earlier stage, whose weights the last one changed"
    return "measured by the row's own procedure"


def _evaluated(model, x, y):
    """Each loss term, and how far one more draw of it may lie from that; 0 without chance."""
    found = [model.evaluate(x, y, verbose=0, return_dict=True) for _ in range(2)]
    if found[0] != found[1]:
        more = range(DRAWS - len(found))
        found += [model.evaluate(x, y, verbose=0, return_dict=True) for _ in more]
    return {metric: _one_more([one[metric] for one in found]) for metric in found[0]}


def _one_more(values):
    """Mean of equally drawn values, and the reach of the interval in which one more would lie."""
    n = len(values)
    reach = quantile(n - 1) * statistics.stdev(values) * (1 + 1 / n) ** 0.5
    return statistics.fmean(values), reach
