"""The compiled epoch is Keras's own training, only faster."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest

from Code.ae import AE
from Code.base import Classifier
from Code.cae import CAE
from Code.dae import DAE
from Code.parts import whole_epoch
from Code.parts.images import to_unit
from Code.parts.whole_epoch import epoch_passes, evaluation_passes
from Code.vae import VAE

pytestmark = pytest.mark.xla


@pytest.fixture(scope="module")
def few(mnist):
    """200 images: with batches of 64 the last batch is short."""
    return mnist.subset(200, 90)


def plain_training(model, x, epochs, batch_size):
    """The same training as a newcomer writes it: one Python call a batch, no compilation."""
    model.compile(run_eagerly=True)
    losses = []
    for _ in range(epochs):
        of_batches = []
        for start in range(0, len(x), batch_size):
            batch = x[start : start + batch_size]
            terms = model.update(keras.ops.convert_to_tensor(batch))
            of_batches.extend(np.asarray(terms["loss"]))
        losses.append(np.mean(of_batches))
    return losses


@pytest.mark.xla(always=True)
@pytest.mark.parametrize(
    "make", [lambda: AE(hidden=(32,)), CAE], ids=["dense, compiled by XLA", "convolutional"]
)
@pytest.mark.slow
def test_equals_training_batch_by_batch(few, make):
    results = []
    for fast in (True, False):
        keras.utils.set_random_seed(3)
        model = make()
        if fast:
            model.compile()
            history = model.fit(few.x_train, batch_size=64, epochs=3, shuffle=False, verbose=0)
            losses = history.history["loss"]
        else:
            losses = plain_training(model, to_unit(few.x_train), 3, 64)
        results.append((losses, model.get_weights()))
    (fast_losses, fast_weights), (losses, weights) = results
    np.testing.assert_allclose(fast_losses, losses, rtol=1e-5)
    for a, b in zip(fast_weights, weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=2e-5)


def test_equals_keras_own_fit(few):
    """A functional Keras model with Keras's loss, and ours: the same losses, epoch by epoch."""
    histories = []
    for ours in (True, False):
        keras.utils.set_random_seed(5)
        model = AE(hidden=(16,), code_dim=4)
        x = to_unit(few.x_train)
        if ours:
            model.compile()
            fit = model.fit(x, batch_size=32, epochs=2, shuffle=False, verbose=0)
        else:
            plain = model.autoencoder
            plain.compile("adam", "mse")
            fit = plain.fit(x, x, batch_size=32, epochs=2, shuffle=False, verbose=0)
        histories.append(fit.history["loss"])
    np.testing.assert_allclose(histories[0], histories[1], rtol=1e-5)


def test_xla_is_for_trainings_that_are_long_enough(monkeypatch, xla_of):
    """One rule, decided by `fit` from the number of steps, unless the person has said which."""
    monkeypatch.setattr(whole_epoch, "STEPS_WORTH_XLA", 100)
    assert xla_of(AE(), steps=99) is False
    assert xla_of(AE(), steps=100) is True
    assert xla_of(AE(), steps=1, jit_compile=True) is True
    assert xla_of(AE(), steps=1000, jit_compile=False) is False


def test_the_rule_is_saved_with_the_model(tmp_path):
    for how in ("auto", True, False):
        model = AE()
        model.compile(jit_compile=how)
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        assert loaded.get_compile_config()["jit_compile"] == how


def test_every_image_is_seen_once_an_epoch(few):
    """The gradient of a bias-only model is linear in the images, whatever their order."""
    keras.utils.set_random_seed(1)
    # Each image is known by its label, its number
    passes = iter(epoch_passes(few.x_train, np.arange(200), 64))
    orders = []
    for _ in range(2):
        data = next(passes)
        assert data["batches"]["images"].shape == (3, 64, 28, 28)
        parts = {
            name: np.concatenate([np.reshape(part, (-1, *part.shape[2:])), data["last"][name]])
            for name, part in data["batches"].items()
        }
        orders.append(parts["labels"])
        np.testing.assert_array_equal(parts["images"], few.x_train[parts["labels"]])
    assert all(sorted(order) == list(range(200)) for order in orders)
    assert (orders[0] != orders[1]).any()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="what it guards against is Linux's")
def test_training_does_not_ask_the_kernel_for_memory_again_and_again(root):
    """TensorFlow's ``from_generator`` undoes ``keep_freed_memory``; nothing here may do that."""
    program = """
import resource, keras, numpy as np, tensorflow as tf
tf.constant(0)
from Code.parts.whole_epoch import epoch_passes, evaluation_passes
from Code.vae import VAE
faults = []
watch = keras.callbacks.LambdaCallback(
    on_epoch_end=lambda *_: faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt))
model = VAE(hidden=(512,))
model.compile()
x = np.load("Code/data/mnist.npz")["x_train"][:6400]
model.fit(x, batch_size=64, epochs=4, verbose=0, callbacks=[watch])
print(faults[3] - faults[1])
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True)
    # 200 steps; with the C library's defaults there were some 800 faults in each
    assert int(done.stdout) < 200 * 100, done.stderr


@pytest.mark.parametrize("make", [AE, DAE, CAE, VAE])
@pytest.mark.slow
def test_same_seed_same_numbers_to_the_bit(few, make):
    weights = []
    for _ in range(2):
        keras.utils.set_random_seed(11)
        model = make()
        model.compile()
        model.fit(few.x_train, batch_size=64, epochs=2, verbose=0, validation_data=few.x_test)
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_evaluate_is_the_mean_over_all_images(few, seeded):
    model = AE()
    model.compile()
    x = to_unit(few.x_test)
    expected = np.square(model.predict(x, verbose=0) - x).mean()
    for batch_size in (7, 90, 1000):
        got = model.evaluate(few.x_test, batch_size=batch_size, verbose=0, return_dict=True)
        assert got["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_validation_of_a_fit_is_the_evaluation_after_it(few, seeded):
    model = AE(n_classes=10)
    model.classifier.compile()
    data = (few.x_test, few.y_test)
    history = model.classifier.fit(
        few.x_train, few.y_train, epochs=2, validation_data=data, verbose=0
    ).history
    after = model.classifier.evaluate(*data, verbose=0, return_dict=True)
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    for name, value in after.items():
        assert history[f"val_{name}"][-1] == pytest.approx(value, rel=1e-6)


@pytest.mark.slow
def test_the_terms_of_a_loss_are_reported_and_add_up(few, seeded):
    model = VAE(hidden=(32,))
    model.compile()
    history = model.fit(few.x_train, batch_size=64, epochs=2, verbose=0).history
    total = np.add(history["reconstruction"], history["kl"])
    np.testing.assert_allclose(history["loss"], total, rtol=1e-5)


@pytest.mark.slow
def test_a_stage_moves_only_its_own_weights(few, seeded):
    model = AE(hidden=(16,), n_classes=10)
    head = model.classifier.network.get_layer("head")
    before = head.get_weights()[0].copy(), model.decoder.get_weights()[0].copy()
    model.compile()
    model.fit(few.x_train, epochs=1, verbose=0)
    np.testing.assert_array_equal(head.get_weights()[0], before[0])
    assert (model.decoder.get_weights()[0] != before[1]).any()

    decoder = model.decoder.get_weights()[0].copy()
    encoder = model.encoder.get_weights()[0].copy()
    model.classifier.compile()
    model.classifier.fit(few.x_train, few.y_train, epochs=1, verbose=0)
    np.testing.assert_array_equal(model.decoder.get_weights()[0], decoder)
    assert (model.encoder.get_weights()[0] != encoder).any()
    assert (head.get_weights()[0] != before[0]).any()


def test_keras_callbacks_work(few, seeded, tmp_path):
    model = AE()
    model.compile()
    log, checkpoint = tmp_path / "log.csv", tmp_path / "best.keras"
    history = model.fit(
        few.x_train,
        epochs=30,
        validation_data=few.x_test,
        verbose=0,
        callbacks=[
            keras.callbacks.CSVLogger(log),
            keras.callbacks.ModelCheckpoint(checkpoint, save_best_only=True),
            keras.callbacks.EarlyStopping(monitor="val_loss", min_delta=10.0, patience=2),
        ],
    ).history
    assert len(history["loss"]) == 3, "no epoch improves by 10, so it stops after the patience"
    assert len(log.read_text().splitlines()) == 4
    loaded = keras.saving.load_model(checkpoint)
    np.testing.assert_array_equal(loaded.get_weights()[0].shape, model.get_weights()[0].shape)


def test_a_dataset_of_batches_trains_as_keras_does(few, seeded):
    import tensorflow as tf

    model = AE()
    model.compile()
    before = model.evaluate(few.x_test, verbose=0, return_dict=True)["loss"]
    batches = tf.data.Dataset.from_tensor_slices(to_unit(few.x_train)).batch(64)
    model.fit(batches, epochs=5, verbose=0)
    assert model.evaluate(few.x_test, verbose=0, return_dict=True)["loss"] < before


def test_a_classifier_says_what_it_is(seeded):
    model = AE(n_classes=10)
    assert isinstance(model.classifier, Classifier)
    assert json.dumps(model.get_config(), default=str)


@pytest.mark.slow
def test_a_model_s_own_step_is_also_taken_batch_by_batch(few):
    """A discriminator learns where the data come from a ``tf.data.Dataset`` too."""
    import tensorflow as tf

    from Code.aae import AAE

    model = AAE(hidden=(16,), discriminator_hidden=(16,))
    model.compile()
    before = [np.asarray(v) for v in model.discriminator.trainable_variables]
    batches = tf.data.Dataset.from_tensor_slices(to_unit(few.x_train)).batch(50)
    history = model.fit(batches, epochs=1, verbose=0).history
    assert set(history) == {"loss", *model.terms}
    after = model.discriminator.trainable_variables
    assert all(np.any(a != np.asarray(b)) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("make", [AE, CAE, VAE])
def test_codes_and_images_in_batches_are_those_of_the_models(few, make):
    model = make()
    unit = to_unit(few.x_test)
    codes = model.encode(few.x_test, batch_size=64)
    np.testing.assert_allclose(codes, np.asarray(model.code_of(unit)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(codes, model.encode(unit), rtol=1e-4, atol=1e-5)
    images = np.asarray(model.autoencoder(unit))
    np.testing.assert_allclose(model.reconstruct(few.x_test, batch_size=64), images, atol=1e-5)
    np.testing.assert_allclose(model.decode(codes), images, atol=1e-5)


def test_the_data_is_not_tuned(few):
    """TensorFlow's tuner of datasets sleeps up to a minute, and the end of every fit waits."""
    for dataset in (epoch_passes(few.x_train, None, 64), evaluation_passes(few.x_test)):
        assert dataset.options().autotune.enabled is False


@pytest.mark.parametrize("make", [AE, VAE])
def test_evaluation_in_several_passes_is_that_in_one(few, make, monkeypatch):
    model = make()
    model.compile()
    once = model.evaluate(few.x_train, few.y_train, verbose=0, return_dict=True)
    monkeypatch.setattr("Code.parts.whole_epoch.EVALUATION_PASS", 50)
    passes = evaluation_passes(few.x_train, few.y_train)
    assert int(passes.cardinality()) == len(few.x_train) // 50
    seen = np.concatenate([p["batches"]["labels"].numpy().ravel() for p in passes])
    np.testing.assert_array_equal(seen, few.y_train)
    again = model.evaluate(few.x_train, few.y_train, verbose=0, return_dict=True)
    # The VAE draws its noise anew
    assert again == pytest.approx(once, rel=1e-5 if make is AE else 0.02)


def test_squared_errors_are_those_of_the_reconstructions(few):
    model = AE()
    difference = to_unit(few.x_test) - model.reconstruct(few.x_test)
    expected = np.square(difference).mean(axis=(1, 2))
    np.testing.assert_allclose(model.squared_errors(few.x_test, batch_size=64), expected, rtol=1e-5)
