"""The protocol of "The Great Autoencoder Bake Off" (Krokotsch 2021), and our own probe beside its.

As its code has it (github.com/tilman151/ae_bakeoff):

images      a border of two zeros on each side (28×28 → 32×32), intensities in [0, 1]
training    on 55,000 of the 60,000 images, from PyTorch's initial weights
stacked     level by level through the frozen levels below, see `Code.training.greedy`
error       binary cross-entropy in nats, summed over a test image; its input is clean
probe       a linear layer on the frozen code, trained with 550 labels until its accuracy on the
            5,000 other images has not risen for three epochs, at most for 20; the best epoch counts
code        what the decoder sees: quantised in the VQ-VAE, drawn from q(z | x) in a VAE, in the
            error and, anew for every batch, in the probe

It differs in what is drawn at random: split and labelled images change with the seed (there they
are those of one seed), so that the spread of our seeds covers them. A VAE's encoder gives log σ² in
place of log σ, and normalisation keeps the variance over n, not n − 1.

The shallow row is a lottery: its ReLU units die within the first half epoch, five to eleven of the
twenty, depending on the seed. ``constant_units`` counts them.
"""

import dataclasses
import math

import keras
import numpy as np
from keras import layers, ops

from Code.parts.images import to_unit
from Code.parts.losses import binary_cross_entropy
from Code.parts.noise import normal
from Code.training.greedy import free, level_of
from Code.training.measures import mean_squared_error
from Code.training.probed import frozen_probe
from Code.training.procedure import Outcome, build, measure, structure_of, train
from Code.vae import VAE

BORDER = 2
HELD_OUT = 12  # one image in so many
LABELS = 550
PROBE_EPOCHS, PROBE_BATCH, PATIENCE = 20, 32, 3
LEVEL = "layer-"
BATCH = 1000
ROUNDING = 1e-5


def run(experiment, data, seed, tell, verbose=0):
    """Train by the protocol above and measure after the last stage.

    A stage ``layer-k`` trains that level alone. Beside the measures of `procedure.measure` there
    are, on the test images, ``summed_bce``, ``probe_550`` (the protocol's accuracy) and
    ``probe_accuracy`` (that of `Code.training.probed`), and ``constant_units``, the number of code
    units that are the same for all test images, and ``mean_image_mse``, which the border makes
    smaller than that of the images without it. Data without two classes lack both accuracies.

    Raises
    ------
    Diverged
        If a loss becomes NaN or infinite.
    ValueError
        If there are fewer than two training images.
    """
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    data, held_out = split(padded(data), rng)
    model = build(experiment, data)
    start_as_pytorch(model, rng)
    outcome = Outcome(model=model, structure=structure_of(model))
    outcome.parameters = sum(int(np.prod(v.shape)) for v in model.trained_variables)
    inputs = (data.x_train, data.x_test)
    for stage in experiment.stages:
        level = int(stage.name.removeprefix(LEVEL)) if stage.name.startswith(LEVEL) else None
        trained = level_of(model, level) if level else model
        train(trained, stage, inputs, data, outcome, tell, verbose)
    free(model)
    last = experiment.stages[-1].name
    measure(experiment, model, last, data, outcome)
    test = posterior(model, data.x_test)
    error = summed_cross_entropy(model, data.x_test, test, rng)
    outcome.add(
        last,
        "test",
        summed_bce=error,
        constant_units=constant_units(test[:, 0]),
        mean_image_mse=mean_squared_error(
            to_unit(data.x_test), to_unit(data.x_train).mean(axis=0, keepdims=True)
        ),
    )
    if data.has_classes:
        accuracy = few_label_probe(
            posterior(model, data.x_train[:LABELS]),
            data.y_train[:LABELS],
            posterior(model, held_out.x_train),
            held_out.y_train,
            test,
            data.y_test,
        )
        outcome.add(last, "test", probe_550=accuracy, probe_accuracy=frozen_probe(model, data))
    return outcome


def padded(data):
    """The data with a border of zeros of two pixels around every image."""
    sides = ((BORDER, BORDER), (BORDER, BORDER))

    def pad(images):
        return np.pad(images, ((0, 0), *sides, *((0, 0),) * (images.ndim - 3)))

    return dataclasses.replace(data, x_train=pad(data.x_train), x_test=pad(data.x_test))


def split(data, rng):
    """The data with eleven twelfths of the training images in random order, and with the others.

    Raises
    ------
    ValueError
        If there are fewer than two training images.
    """
    n = len(data.x_train)
    if n < 2:
        raise ValueError("the Bake Off's split needs at least two training images")
    order = rng.permutation(n)
    n_train = n - max(1, n // HELD_OUT)

    def part(rows):
        labels = None if data.y_train is None else data.y_train[rows]
        return dataclasses.replace(data, x_train=data.x_train[rows], y_train=labels)

    return part(order[:n_train]), part(order[n_train:])


def start_as_pytorch(model, rng):
    """Draw weights and biases of all dense layers uniformly from ±1/√inputs, PyTorch's default."""
    for network in (model.encoder, model.decoder):
        for layer in network.layers:
            if isinstance(layer, layers.Dense):
                limit = 1 / math.sqrt(layer.kernel.shape[0])
                layer.set_weights(
                    [rng.uniform(-limit, limit, w.shape) for w in layer.get_weights()]
                )


def posterior(model, x):
    """What the decoder sees of images is z = μ + σ ε: array ``(n, 2, code)`` of μ and σ.

    σ is 0 except for a VAE.
    """
    if not isinstance(model, VAE):
        codes = model.encode(x)
        return np.stack([codes, np.zeros_like(codes)], axis=1)
    z_mean, z_log_var = model.encoder.predict(to_unit(x), batch_size=BATCH, verbose=0)
    return np.stack([z_mean, np.exp(0.5 * z_log_var)], axis=1)


def summed_cross_entropy(model, x, codes, rng):
    """Mean over images of the binary cross-entropy summed over pixels and channels, in nats.

    Parameters
    ----------
    codes : the `posterior` of the images ``x``; one code is drawn for each image.
    """
    z_mean, sigma = codes[:, 0], codes[:, 1]
    z = (z_mean + sigma * rng.standard_normal(z_mean.shape)).astype(np.float32)
    errors = [
        binary_cross_entropy(to_unit(x[i : i + BATCH]), model.decode(z[i : i + BATCH]))
        for i in range(0, len(x), BATCH)
    ]
    return model.n_pixels * np.concatenate(errors).mean(dtype=np.float64)


def constant_units(codes):
    """Number of units of codes ``(n, units)`` that are the same for all images, as dead ReLUs."""
    # Codes that go straight through a quantiser are rounded
    return int((np.ptp(codes, axis=0) <= ROUNDING).sum())


class Drawn(layers.Layer):
    """``(batch, 2, code)`` of μ and σ → μ + σ ε, drawn anew in every call, also in evaluation."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed = keras.random.SeedGenerator()

    def call(self, codes):
        z_mean, sigma = codes[:, 0], codes[:, 1]
        return z_mean + sigma * normal(ops.shape(z_mean), self.seed)


def few_label_probe(codes, labels, held_codes, held_labels, test_codes, test_labels):
    """Test accuracy of a linear layer on frozen codes after a few epochs of Adam.

    It is stopped early by its accuracy on held-out images, and so is far from a fitted probe: small
    or close codes score low.

    Parameters
    ----------
    codes, held_codes, test_codes : arrays ``(n, 2, code)``, see `posterior`.
    labels, held_labels, test_labels : integer arrays ``(n,)``, the classes counted from 0.
    """
    n_classes = 1 + max(int(part.max()) for part in (labels, held_labels, test_labels))
    limit = 1 / math.sqrt(codes.shape[-1])
    start = {
        f"{name}_initializer": keras.initializers.RandomUniform(-limit, limit)
        for name in ("kernel", "bias")
    }
    probe = keras.Sequential([Drawn(), layers.Dense(n_classes, "softmax", **start)])
    probe.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    stop = keras.callbacks.EarlyStopping(
        "val_accuracy", mode="max", patience=PATIENCE, restore_best_weights=True
    )
    probe.fit(
        codes,
        labels,
        batch_size=PROBE_BATCH,
        epochs=PROBE_EPOCHS,
        validation_data=(held_codes, held_labels),
        validation_batch_size=BATCH,
        callbacks=[stop],
        verbose=0,
    )
    return probe.evaluate(test_codes, test_labels, BATCH, verbose=0, return_dict=True)["accuracy"]
