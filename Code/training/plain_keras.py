"""Times of the published networks in plain Keras, as the published program trains them.

The published report says how long its denoising autoencoder trains beside its plain one. Our engine
compiles whole epochs, so its times say nothing about that; here both networks are built from Keras
layers and trained by `keras.Model.fit`, and take turns. A run gives them the machine to themselves:
another training slows the plain network more than the larger one.
"""

import time
from statistics import median

import keras
import numpy as np
from keras import layers

from Code.experiments.row import Experiment
from Code.parts.images import to_unit
from Code.training.procedure import SHOWN_DIGITS, Outcome

ROUNDS = 3


def autoencoder(n_pixels):
    """The published AE: ``pixels → 2 → pixels``, ReLU."""
    image = keras.Input((n_pixels,))
    code = layers.Dense(2, "relu")(image)
    return keras.Model(image, layers.Dense(n_pixels, "relu")(code))


def denoiser(n_pixels, n_classes):
    """The published DAE and its classifier, which share the encoder.

    ``pixels → 128 → 64 → 10 → 2 → 10 → 64 → 128 → pixels``, and ``… → 2 → classes``.
    """
    h = image = keras.Input((n_pixels,))
    for units in (128, 64, 10):
        h = layers.Dense(units, "relu")(h)
    h = code = layers.Dense(2)(h)
    for units in (10, 64, 128):
        h = layers.Dense(units, "relu")(h)
    whole = keras.Model(image, layers.Dense(n_pixels, "tanh")(h))
    return whole, keras.Model(image, layers.Dense(n_classes, "softmax")(code))


def run(experiment: Experiment, data, seed, tell, verbose=0):
    """Time epochs of the three trainings, taking turns, and compare them.

    ``epoch_ratio``: an unsupervised epoch of the DAE over one of the AE. ``total_ratio``: the DAE's
    whole schedule (both stages) over the AE's. Both are medians over the rounds; the first epochs,
    which compile, are not counted. The epochs of the schedules are in the row's settings.

    Raises
    ------
    ValueError
        If the data have no labels, which the second stage needs.
    """
    if not data.labelled:
        raise ValueError("the published schedule has a stage with labels, and the data have none")
    keras.utils.set_random_seed(seed)
    x = to_unit(data.x_train).reshape(len(data.x_train), -1)
    y = keras.utils.to_categorical(data.y_train, len(data.classes))
    plain = autoencoder(x.shape[1])
    whole, classifier = denoiser(x.shape[1], len(data.classes))
    trainings = {"ae": (plain, x, 64), "dae": (whole, x, 64), "head": (classifier, y, 32)}
    for model, _, _ in trainings.values():
        model.compile("adam", "mse")
    seconds = {name: [] for name in trainings}
    outcome = Outcome(views={"digits": to_unit(data.x_test[:SHOWN_DIGITS])})
    start = time.perf_counter()
    for turn in range(1 + ROUNDS):
        for name, (model, target, batch_size) in trainings.items():
            began = time.perf_counter()
            model.fit(x, target, batch_size=batch_size, verbose=verbose)
            if turn:
                seconds[name].append(time.perf_counter() - began)
        tell(1)
    ae, dae, head = (np.array(seconds[name]) for name in trainings)
    epochs = experiment.settings
    whole_dae = epochs["dae_epochs"] * dae + epochs["head_epochs"] * head
    stage = experiment.stages[0].name
    outcome.seconds[stage] = time.perf_counter() - start
    outcome.epoch_seconds[stage] = median(seconds["dae"])
    outcome.epochs[stage] = 1 + ROUNDS
    outcome.add(
        stage,
        "train",
        epoch_ratio=float(np.median(dae / ae)),
        total_ratio=float(np.median(whole_dae / (epochs["ae_epochs"] * ae))),
    )
    return outcome
