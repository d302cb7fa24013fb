"""Train and measure one experiment with one seed: the procedure that most variants use."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import keras
import numpy as np
from scipy.special import ndtri

from Code.data.corruption import gaussian
from Code.data.datasets import Dataset
from Code.data.filters import mean_filter, median_filter, psnr
from Code.experiments.row import Experiment
from Code.foundation.errors import in_a_line
from Code.foundation.names import load
from Code.parts.images import to_unit
from Code.parts.latent import sampled_codes
from Code.training.codes import unsupervised_code
from Code.training.keras_layers import layers_of
from Code.training.measures import (
    FURTHER,
    NOISE_LEVELS,
    Seen,
    code_variation,
    in_plane,
    mean_squared_error,
    neighbour_accuracy,
    plane,
)
from Code.training.shelf import identity, once

SHOWN_DIGITS = 10
SHOWN_NOISE = 0.5
NOT_FINITE = "it is no finite number on these data"
MANIFOLD_SIDE, MANIFOLD_EXTENT, MANIFOLD_TAIL = 30, 4.0, 0.01


class Diverged(RuntimeError):
    """The loss has become NaN or infinite."""


@dataclass
class Outcome:
    """The results of one run of one experiment.

    Attributes
    ----------
    metrics : rows ``{"stage", "metric", "split", "value"}``.
    history : rows ``{"stage", "epoch", "metric", "split", "value"}`` for every epoch.
    seconds : time of each stage: compiling, training, and evaluating the test set every epoch.
    epoch_seconds : median time of an epoch of each stage, including the evaluation.
    epochs : epochs trained in each stage.
    views : arrays from which the figures are drawn.
    structure : blocks of the structure figure.
    parameters : number of trainable weights of the autoencoder.
    model : the trained Keras model, or None.
    left_out : ``{what: reason}`` for what cannot be measured on these data.
    elsewhere : seconds that stages took which another row of the run has trained, less those spent
        waiting for it.
    """

    metrics: list = field(default_factory=list)
    history: list = field(default_factory=list)
    seconds: dict = field(default_factory=dict)
    epoch_seconds: dict = field(default_factory=dict)
    epochs: dict = field(default_factory=dict)
    views: dict = field(default_factory=dict)
    structure: list = field(default_factory=list)
    parameters: int = 0
    model: keras.Model | None = None
    left_out: dict = field(default_factory=dict)
    elsewhere: float = 0.0

    def add(self, stage, split=None, **values):
        """Append metrics of a stage, all for the same split.

        What is no finite number, as a ratio of nothing in black images, is left out with a reason.
        """
        for name, value in values.items():
            if np.isfinite(value):
                row = {"stage": stage, "metric": name, "split": split, "value": float(value)}
                self.metrics.append(row)
            else:
                self.left_out[name] = NOT_FINITE


class Watch(keras.callbacks.Callback):
    """Reports the progress of a stage, times its epochs and stops it when the loss diverges.

    Raises
    ------
    Diverged
        At the end of the epoch in which the loss is no longer finite.
    """

    def __init__(self, stage, tell):
        super().__init__()
        self.stage, self.tell = stage, tell
        self.epoch_seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.epoch_seconds.append(time.perf_counter() - self.start)
        if not np.isfinite(logs["loss"]):
            raise Diverged(
                f"loss became {logs['loss']} in epoch {epoch + 1} of {self.params['epochs']} "
                f"(stage {self.stage})"
            )
        self.tell(1)


def run(
    experiment: Experiment, data: Dataset, seed: int, tell: Callable[[int], None], verbose=0
) -> Outcome:
    """Train every stage of ``experiment`` on ``data`` and measure after each stage.

    Parameters
    ----------
    seed : seed of the weights, the order of the images and the noise.
    tell : called with 1 after each epoch.
    verbose : Keras's progress display, 0 for none.

    Raises
    ------
    Diverged
        If the loss becomes NaN or infinite.
    """
    keras.utils.set_random_seed(seed)
    model = build(experiment, data)
    inputs = (data.x_train, data.x_test)
    if experiment.noise_once is not None:
        inputs = tuple(
            np.asarray(gaussian(to_unit(x), experiment.noise_once, seed=2 * seed + i))
            for i, x in enumerate(inputs)
        )
    structure = structure_of(model, experiment.noise_once)
    outcome = Outcome(model=model, structure=structure)
    outcome.parameters = sum(int(np.prod(v.shape)) for v in model.trained_variables)
    for stage in experiment.stages:
        trained = model.classifier if stage.name == "supervised" else model
        train(trained, stage, inputs, data, outcome, tell, verbose)
        measure(experiment, model, stage.name, data, outcome)
        if experiment.noise_once is not None:
            measure_noisy_map(model, stage.name, inputs, data, outcome)
    return outcome


def build(experiment, data):
    """The untrained model of an experiment, for images of the size in ``data``."""
    return load(experiment.model)(image_shape=data.image_shape, **experiment.settings)


def train(model, stage, inputs, data, outcome, tell, verbose=0):
    """Fit one stage; write its history, times and final losses to ``outcome``.

    A stage that another row of the run has trained is taken from there.
    """
    facts = (stage, inputs, data.y_train, data.y_test)
    with once("training", stage.name, model, outcome, *facts) as already:
        if already:
            tell(stage.epochs)
        else:
            _fit(model, stage, inputs, data, outcome, tell, verbose)


def _fit(model, stage, inputs, data, outcome, tell, verbose):
    model.compile(optimizer=keras.optimizers.get(dict(stage.optimizer)))
    x_train, x_test = inputs
    start, watch = time.perf_counter(), Watch(stage.name, tell)
    history = model.fit(
        x_train,
        data.y_train,
        batch_size=stage.batch_size,
        epochs=stage.epochs,
        validation_data=(x_test, data.y_test),
        callbacks=[watch],
        verbose=verbose,
    ).history
    outcome.seconds[stage.name] = time.perf_counter() - start
    # The first epoch includes compiling; the median is not affected by it
    outcome.epoch_seconds[stage.name] = float(np.median(watch.epoch_seconds))
    outcome.epochs[stage.name] = len(history["loss"])
    for key, values in history.items():
        metric, split = (key[4:], "test") if key.startswith("val_") else (key, "train")
        outcome.history.extend(
            {"stage": stage.name, "epoch": i + 1, "metric": metric, "split": split, "value": value}
            for i, value in enumerate(values)
        )
    last = {
        f"{name}_last_epoch": history[name][-1] for name in ("loss", "accuracy") if name in history
    }
    outcome.add(stage.name, "train", **last)
    if "accuracy" in history:
        outcome.add(stage.name, "train", accuracy_first_epoch=history["accuracy"][0])
    for split, x, y in (("train", x_train, data.y_train), ("test", x_test, data.y_test)):
        outcome.add(stage.name, split, **model.evaluate(x, y, verbose=0, return_dict=True))


def measure(experiment, model, stage, data, outcome):
    """Add measures and views of the autoencoder after ``stage`` to ``outcome``."""
    asked = [experiment.measures, experiment.denoises, experiment.draws]
    images = (data.x_train, data.y_train, data.x_test, data.y_test, data.classes)
    with once("measures", stage, model, outcome, asked, *images) as already:
        if not already:
            _measure(experiment, model, stage, data, outcome)


def _measure(experiment, model, stage, data, outcome):
    x_test = to_unit(data.x_test)
    for split, x in (("train", data.x_train), ("test", data.x_test)):
        outcome.add(stage, split, mse=model.squared_errors(x).mean(dtype=np.float64))
    x_hat = model.reconstruct(x_test)
    views = outcome.views
    views[f"reconstructions/{stage}"] = x_hat[:SHOWN_DIGITS]
    views["digits"] = x_test[:SHOWN_DIGITS]

    codes = unsupervised_code(model, data.x_train), unsupervised_code(model, data.x_test)
    train_points, test_points = plane(*codes)
    if data.labelled:
        views |= {"labels": data.y_test, "classes": np.array(data.classes)}
        accuracy = neighbour_accuracy(train_points, data.y_train, test_points, data.y_test)
        outcome.add(stage, "test", **{in_plane("knn_accuracy", codes[1].shape[1]): accuracy})
    views[f"code/{stage}"] = test_points.astype(np.float32)
    views["code_is_projected"] = np.array(test_points.shape != codes[1].shape)

    outcome.add(stage, "test", code_variation=code_variation(codes[1]))
    seen = Seen(model, x_test, x_hat, codes[1])
    further = {name: FURTHER[name](seen) for name in experiment.measures}
    outcome.add(stage, "test", **further)
    if experiment.denoises:
        measure_denoising(model, stage, x_test, outcome)
    if experiment.draws:
        measure_draws(model, stage, x_test, outcome)
    try:
        outcome.add(stage, "test", **model.diagnostics(x_test, data.y_test))
    except ValueError as error:
        # What scikit-learn measures is not defined for, say, a single class; the model is trained
        outcome.left_out[f"diagnostics of stage {stage}"] = in_a_line(error)
    views.update({f"own/{k}": v for k, v in model.views(x_test, data.y_test).items()})
    if model.has_prior and model.code_dim == 2:
        as_published = experiment.kind == "published"
        views.update(decoded_plane(model, None if as_published else codes[0]))


def decoded_plane(model, codes=None):
    """Images decoded from a grid of points of a plane, from where the training codes lie.

    The points are normal quantiles at equal steps of probability if the codes have about the
    model's prior (Kingma & Welling 2014, figure 4); else they are even, between the quantiles of
    the codes. Without codes they are even from −4 to 4, as in the published report.

    Returns
    -------
    ``manifold`` (rows, columns, height, width), the top row first; ``manifold_x`` and
    ``manifold_y``, the values of the columns and, from the bottom, of the rows.
    """
    if codes is None:
        across = up = np.linspace(-MANIFOLD_EXTENT, MANIFOLD_EXTENT, MANIFOLD_SIDE)
    elif meets_prior(codes):
        steps = (np.arange(MANIFOLD_SIDE) + 0.5) / MANIFOLD_SIDE
        across = up = ndtri(steps)
    else:
        low, high = np.quantile(codes, [MANIFOLD_TAIL, 1 - MANIFOLD_TAIL], axis=0)
        across, up = np.linspace(low, high, MANIFOLD_SIDE).T
    grid = np.stack(np.meshgrid(across, up[::-1]), axis=-1)
    tiles = model.decode(grid.reshape(-1, 2).astype(np.float32))
    return {
        "manifold": tiles.reshape(MANIFOLD_SIDE, MANIFOLD_SIDE, *tiles.shape[1:]),
        "manifold_x": across,
        "manifold_y": up,
    }


def meets_prior(codes):
    """Whether codes ``(n, units)`` lie about where N(0, I) does, in every unit."""
    return bool((np.abs(codes.mean(axis=0)) < 0.5).all() and (codes.std(axis=0) < 1.5).all())


def measure_noisy_map(model, stage, noisy, data, outcome):
    """Add the map of noisy test images, and its 5-NN accuracy, fitted to noisy training images.

    Parameters
    ----------
    noisy : the training and the test images with the noise that was added before training.
    """
    train_points, test_points = plane(*map(model.encode, noisy))
    outcome.views[f"code_noisy/{stage}"] = test_points.astype(np.float32)
    if data.labelled:
        accuracy = neighbour_accuracy(train_points, data.y_train, test_points, data.y_test)
        outcome.add(stage, "test", knn_accuracy_noisy=accuracy)


def measure_draws(model, stage, x_test, outcome):
    """Add reconstructions from z ~ q(z | x), one draw an image, and their error."""
    x_hat = model.decode(sampled_codes(model, x_test))
    outcome.views[f"drawn/{stage}"] = x_hat[:SHOWN_DIGITS]
    outcome.add(stage, "test", mse_drawn=mean_squared_error(x_test, x_hat))


def measure_denoising(model, stage, x_test, outcome):
    """PSNR of noisy, filtered and denoised test images; all models and seeds get the same noise."""
    key = identity(x_test)
    for level in NOISE_LEVELS:
        noisy = noisy_images(x_test, level)
        denoised, (rivals, shown) = model.reconstruct(noisy), _rivals(key, x_test, noisy, level)
        outcome.add(stage, "test", **{f"psnr_{level}": psnr(x_test, denoised)}, **rivals)
        if level == SHOWN_NOISE:
            outcome.views.update(shown)
            outcome.views[f"denoised/{stage}"] = denoised[:SHOWN_DIGITS]


def noisy_images(x, level):
    """Images with the Gaussian noise of this level that all models and seeds get."""
    return np.asarray(gaussian(x, level, seed=1000 + NOISE_LEVELS.index(level)))


_RIVALS = {}


def _rivals(key, x_test, noisy, level):
    """PSNR of noisy and filtered images, and some of the images; computed once in a process."""
    if (key, level) not in _RIVALS:
        filtered = mean_filter(noisy)
        found = {
            f"psnr_noisy_{level}": psnr(x_test, noisy),
            f"psnr_mean_filter_{level}": psnr(x_test, filtered),
            f"psnr_median_filter_{level}": psnr(x_test, median_filter(noisy)),
        }
        shown = {"noisy": noisy[:SHOWN_DIGITS], "filtered": filtered[:SHOWN_DIGITS]}
        _RIVALS[key, level] = found, {name: part.copy() for name, part in shown.items()}
    return _RIVALS[key, level]


def structure_of(model, noise_once=None):
    """Blocks of the structure figure: the variant's pieces and, if there is one, the head.

    ``noise_once`` is the level of noise that was added to the images before training, if any.
    """
    shape = "×".join(map(str, model.image_shape))
    blocks = []
    if noise_once is not None:
        noise = (f"Gaussian noise, {noise_once:g}", shape, 0)
        blocks.append({"title": "once, before training", "layers": [noise]})
    for piece in model.pieces():
        if isinstance(piece.what, str):
            wide = shape if not blocks else "×".join(map(str, model.code_shape))
            block = {"title": piece.title, "layers": [(piece.what, wide, 0)]}
        else:
            rows = layers_of(piece.what, piece.given)
            block = {"title": piece.title, "layers": [row[:3] for row in rows]}
            block["sources"] = [row[3] for row in rows]
        blocks.append(block | ({"from": piece.reads} if piece.reads else {}))
    if model.classifier is not None:
        head = model.classifier.network.get_layer("head")
        source = "encoder" if model.head_input == "code" else "decoder"
        layer = (f"Dense {head.units}, softmax", str(head.units), head.count_params())
        blocks.append({"title": "classifier head", "layers": [layer], "from": source})
    return blocks
