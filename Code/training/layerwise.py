"""The training procedure of variants that are pre-trained level by level.

The stages of a row, in their order:

``layer-1``, ``layer-2``, …     that level alone, as an autoencoder of the features below it
``unsupervised``                the whole autoencoder
``supervised``                  encoder and head, on the first ``n_labels`` images
``…-from-scratch``              either of these two, but from the initial weights
"""

import keras
import numpy as np

from Code.parts.images import to_unit
from Code.training.measures import mean_squared_error
from Code.training.procedure import Outcome, load, measure, structure_of, train

FROM_SCRATCH = "-from-scratch"


# Settings of a row that say which images it trains on, and are no arguments of its model
OF_THE_DATA = ("n_train", "n_labels")


def model_settings(settings):
    """The settings of a row that its model takes."""
    return {name: value for name, value in settings.items() if name not in OF_THE_DATA}


def run(experiment, data, seed, tell, verbose=0):
    """Pre-train the levels, fine-tune the whole network, and train an equal one from scratch.

    Besides the model's settings, ``experiment.settings`` may hold ``n_train`` (train on the first
    images only) and ``n_labels`` (fine-tune with the labels of the first images only).

    Parameters
    ----------
    tell : called with 1 after each epoch of each stage.

    Raises
    ------
    Diverged
        If a loss becomes NaN or infinite.
    """
    settings = model_settings(experiment.settings)
    n_train, n_labels = (experiment.settings.get(name) for name in OF_THE_DATA)
    data = data.subset(n_train or len(data.x_train), len(data.x_test))
    labelled = data.subset(n_labels or len(data.x_train), len(data.x_test))

    def newborn():
        keras.utils.set_random_seed(seed)
        return load(experiment.model)(image_shape=data.image_shape, **settings)

    model = newborn()
    outcome = Outcome(model=model, structure=structure_of(model))
    outcome.parameters = sum(int(np.prod(variable.shape)) for variable in model.trained_variables)
    for stage in experiment.stages:
        if stage.name.startswith("layer-"):
            level = int(stage.name.removeprefix("layer-"))
            pretrain(model, level, stage, data, outcome, tell, verbose)
            if level == len(model.pairs):
                measure(experiment, model, stage.name, data, outcome)
            continue
        scratch = stage.name.endswith(FROM_SCRATCH)
        whole = newborn() if scratch else model
        if stage.name.removesuffix(FROM_SCRATCH) == "supervised":
            trained, used = whole.classifier, labelled
        else:
            trained, used = whole, data
        train(trained, stage, (used.x_train, used.x_test), used, outcome, tell, verbose)
        if trained is whole.classifier:
            # A separate metric name, because a published figure is for the test images only
            outcome.add(stage.name, "test", test_accuracy=last_accuracy(outcome, stage.name))
        if scratch:
            # No pictures: beside those of the pre-trained network they would look like a later
            # stage of it
            x_test = to_unit(data.x_test)
            error = mean_squared_error(x_test, whole.reconstruct(x_test))
            outcome.add(stage.name, "test", mse=error, **whole.diagnostics(x_test, data.y_test))
        else:
            measure(experiment, model, stage.name, data, outcome)
    return outcome


def last_accuracy(outcome, stage):
    """The test accuracy at the end of a stage."""
    wanted = (stage, "accuracy", "test")
    rows = ((row["stage"], row["metric"], row["split"]) == wanted for row in outcome.metrics)
    return outcome.metrics[list(rows).index(True)]["value"]


def pretrain(model, level, stage, data, outcome, tell, verbose=0):
    """Train one level on the features of the levels below, whose weights do not change."""
    layer = model.layer(level)
    inputs = tuple(
        model.features(level - 1, x) if level > 1 else x for x in (data.x_train, data.x_test)
    )
    train(layer, stage, inputs, data, outcome, tell, verbose)
    model.adopt(level, layer)
