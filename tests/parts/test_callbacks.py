"""Keras's callbacks do with a compiled epoch what they do with Keras's own epoch of batches."""

import csv
from itertools import groupby

import keras
import numpy as np
import pytest

from Code.ae import AE
from Code.parts.images import to_unit
from Code.vae import VAE

BATCH, STEPS = 64, 3
CLIMB = -3e-3  # a negative rate goes uphill: the loss is sure to rise


@pytest.fixture(scope="module")
def few(mnist):
    return mnist.subset(BATCH * STEPS, 90)


def tiny(cls=AE, **settings):
    keras.utils.set_random_seed(5)
    return cls(hidden=(16,), code_dim=4, **settings)


def fit_ours(few, callbacks, epochs, optimizer="adam", model=None):
    """Train in compiled epochs; the model and the history."""
    model = model or tiny()
    model.compile(optimizer)
    history = model.fit(
        few.x_train,
        batch_size=BATCH,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=callbacks,
        validation_data=few.x_test,
    )
    return model, history.history


def fit_plain(few, callbacks, epochs, optimizer="adam", model=None):
    """Train the same network as Keras does by itself."""
    plain = (model or tiny()).autoencoder
    plain.compile(optimizer, "mse")
    x, x_test = to_unit(few.x_train), to_unit(few.x_test)
    history = plain.fit(
        x,
        x,
        batch_size=BATCH,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=callbacks,
        validation_data=(x_test, x_test),
    )
    return plain, history.history


def assert_same(ours, plain):
    """The same epochs, the same names, the same numbers."""
    assert ours.keys() == plain.keys()
    for name, values in plain.items():
        np.testing.assert_allclose(ours[name], values, rtol=1e-4, err_msg=name)


@pytest.mark.slow
def test_early_stopping_stops_and_restores_as_in_keras(few):
    """Three epochs downhill, then up: with a patience of two it stops after the fifth."""
    histories = []
    for fit in (fit_ours, fit_plain):
        callbacks = [
            keras.callbacks.LearningRateScheduler(lambda epoch: 3e-3 if epoch < 3 else CLIMB),
            keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True),
        ]
        model, history = fit(few, callbacks, epochs=20)
        histories.append(history)
        assert int(np.argmin(history["val_loss"])) == 2
        assert len(history["val_loss"]) == 5
        x_test = to_unit(few.x_test)
        error = np.square(model.predict(x_test, verbose=0) - x_test).mean()
        assert error == pytest.approx(history["val_loss"][2], rel=1e-5), "not the best weights"
    assert_same(*histories)


@pytest.mark.slow
def test_the_rate_falls_on_a_plateau_as_in_keras(few):
    """Nothing improves by 10, so the rate is halved every other epoch; the epoch obeys it."""
    histories = []
    for fit in (fit_ours, fit_plain):
        plateau = keras.callbacks.ReduceLROnPlateau(
            monitor="loss", factor=0.5, patience=2, min_delta=10
        )
        histories.append(fit(few, [plateau], epochs=6)[1])
    assert len(set(histories[0]["learning_rate"])) == 3
    assert_same(*histories)


@pytest.mark.parametrize("cls", [AE, pytest.param(VAE, marks=pytest.mark.slow)])
def test_the_log_has_the_history_and_the_checkpoint_the_best_epoch(few, cls, tmp_path):
    log, best, each = (tmp_path / name for name in ("log.csv", "best.keras", "{epoch}.keras"))
    callbacks = [
        keras.callbacks.LearningRateScheduler(lambda epoch: 3e-3 if epoch < 2 else CLIMB),
        keras.callbacks.CSVLogger(log),
        keras.callbacks.ModelCheckpoint(best, save_best_only=True),
        keras.callbacks.ModelCheckpoint(each),
    ]
    model, history = fit_ours(few, callbacks, epochs=4, model=tiny(cls))
    with log.open() as file:
        rows = list(csv.DictReader(file))
    assert [row.pop("epoch") for row in rows] == ["0", "1", "2", "3"]
    logged = {name: [float(row[name]) for row in rows] for name in rows[0]}
    assert logged == {name: list(map(float, values)) for name, values in history.items()}

    epoch = int(np.argmin(history["val_loss"]))
    assert epoch == 1
    kept = {name: keras.saving.load_model(tmp_path / f"{name}.keras") for name in ("best", 2, 4)}
    for name, other, same in (("best", kept[2], True), ("best", kept[4], False)):
        pairs = zip(kept[name].get_weights(), other.get_weights(), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs) == same
    for a, b in zip(kept[4].get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_loss_that_is_no_number_ends_the_training_as_in_keras(few):
    for fit in (fit_ours, fit_plain):
        _, history = fit(
            few,
            [keras.callbacks.TerminateOnNaN()],
            5,
            keras.optimizers.SGD(1e30),
            tiny(activation="linear", output_activation="linear"),
        )
        assert len(history["loss"]) == 1
        assert not np.isfinite(history["loss"][0])


class Diary:
    """What a ``LambdaCallback`` of every kind was told: calls ``(name, number, logs)``."""

    def __init__(self):
        self.calls = []
        of_what = ("train", "epoch", "train_batch", "test", "test_batch")
        names = [f"{what}_{when}" for what in of_what for when in ("begin", "end")]
        hooks = {f"on_{name}": self.noting(name) for name in names}
        self.callback = keras.callbacks.LambdaCallback(**hooks)

    def noting(self, name):
        """The function that writes the calls of one hook down."""

        def note(*told, **more):
            told = (*told, *more.values())
            number = next((part for part in told if isinstance(part, int)), None)
            logs = next((part for part in told if isinstance(part, dict)), {})
            self.calls.append((name, number, dict(logs)))

        return note

    def of(self, name):
        """``[(number, logs), …]`` of one hook."""
        return [(number, logs) for called, number, logs in self.calls if called == name]

    def order(self):
        """The names in the order of the calls, one for each run of batches."""
        names = (
            name.removesuffix("_begin").removesuffix("_end") if "batch" in name else name
            for name, _, _ in self.calls
        )
        return [name for name, _ in groupby(names)]


@pytest.mark.slow
def test_the_calls_come_in_keras_s_order(few):
    ours, plain = Diary(), Diary()
    _, history = fit_ours(few, [ours.callback], epochs=2)
    fit_plain(few, [plain.callback], epochs=2)
    epoch = ["epoch_begin", "train_batch", "test_begin", "test_batch", "test_end", "epoch_end"]
    assert ours.order() == plain.order() == ["train_begin", *epoch, *epoch, "train_end"]
    for a, b in zip(ours.of("epoch_end"), plain.of("epoch_end"), strict=True):
        assert a[0] == b[0]
        assert a[1] == pytest.approx(b[1], rel=1e-4)
    assert [logs["loss"] for _, logs in ours.of("epoch_end")] == history["loss"]


@pytest.mark.slow
def test_to_a_callback_a_compiled_epoch_is_one_batch(few):
    """It is called once an epoch, as for batch 0, with the means over the whole epoch."""
    diary = Diary()
    model, history = fit_ours(few, [diary.callback], epochs=3, model=tiny(VAE))
    for name in ("train_batch_begin", "train_batch_end"):
        assert [number for number, _ in diary.of(name)] == [0, 0, 0]
    for i, (_, logs) in enumerate(diary.of("train_batch_end")):
        assert logs == pytest.approx({k: history[k][i] for k in ("loss", "reconstruction", "kl")})
    assert diary.callback.params["steps"] == 1
    # The optimiser has taken every step all the same
    assert int(model.optimizer.iterations) == 3 * STEPS


def test_what_counts_batches_counts_compiled_epochs(few, tmp_path):
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras", save_freq=2)
    fit_ours(few, [checkpoint], epochs=5)
    assert sorted(file.stem for file in tmp_path.iterdir()) == ["2", "4"]


@pytest.mark.slow
def test_a_dataset_of_batches_calls_back_for_every_batch(few):
    import tensorflow as tf

    diary, model = Diary(), tiny(VAE)
    model.compile()
    batches = tf.data.Dataset.from_tensor_slices(to_unit(few.x_train)).batch(BATCH)
    model.fit(batches, epochs=2, verbose=0, callbacks=[diary.callback])
    assert [number for number, _ in diary.of("train_batch_end")] == [*range(STEPS)] * 2


@pytest.mark.needs("tensorboard")
def test_tensorboard_shows_what_it_shows_of_keras(few, tmp_path):
    histories, shown = [], []
    for fit in (fit_ours, fit_plain):
        folder = tmp_path / fit.__name__
        histories.append(fit(few, [keras.callbacks.TensorBoard(folder)], epochs=3)[1])
        shown.append({part: scalars(folder / part) for part in ("train", "validation")})
    ours, plain = shown
    for part in ours:
        assert ours[part].keys() == plain[part].keys()
        for tag, points in plain[part].items():
            steps, values = zip(*points, strict=True)
            assert [step for step, _ in ours[part][tag]] == list(steps), tag
            np.testing.assert_allclose([v for _, v in ours[part][tag]], values, rtol=1e-4)
    assert [v for _, v in ours["train"]["epoch_loss"]] == pytest.approx(histories[0]["loss"])
    assert [v for _, v in ours["validation"]["epoch_loss"]] == pytest.approx(
        histories[0]["val_loss"]
    )


@pytest.mark.needs("tensorboard")
def test_tensorboard_shows_a_variant_s_terms(few, tmp_path):
    board = keras.callbacks.TensorBoard(tmp_path, histogram_freq=1, update_freq="batch")
    _, history = fit_ours(few, [board], epochs=2, model=tiny(VAE))
    found = scalars(tmp_path / "train")
    for name in ("loss", "reconstruction", "kl"):
        for tag in (f"epoch_{name}", f"batch_{name}"):
            assert [value for _, value in found[tag]] == pytest.approx(history[name]), tag


def scalars(folder):
    """``{tag: [(step, value), …]}`` of the event files in a folder."""
    import tensorflow as tf

    found = {}
    for file in sorted(folder.glob("events.out.tfevents.*")):
        for record in tf.data.TFRecordDataset(str(file)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                tensor = tf.make_ndarray(value.tensor)
                if value.HasField("tensor") and tensor.ndim == 0 and tensor.dtype.kind == "f":
                    found.setdefault(value.tag, []).append((event.step, float(tensor)))
    assert found, f"no events in {folder}"
    return found
