"""Batch normalisation in the compiled epoch is Keras's own, and is kept with the model."""

import keras
import numpy as np
import pytest
from keras import layers

from Code import normalised
from Code.experiments.bakeoff import BAKEOFF_GROUP
from Code.foundation.names import load
from Code.normalised import NormalisedAE, NormalisedUnitVQVAE, NormalisedVAE
from Code.parts.images import to_unit
from tests.support import some

NET = {"hidden": (32, 16), "code_dim": 4}
CLASSES = dict.fromkeys(row.model for row in BAKEOFF_GROUP if "normalised" in row.model)
SETTINGS = {"Code.normalised:NormalisedUnitVQVAE": {"n_entries": 16}}


@pytest.fixture(scope="module")
def few(mnist):
    """200 images: with batches of 64 the last batch is short."""
    return mnist.subset(200, 60)


def made(path, **more):
    return load(path)(**NET, **SETTINGS.get(path, {}), **more)


def moving(model):
    """The moving averages of all layers, by their places."""
    found = [
        layer
        for network in (model.encoder, model.decoder)
        for layer in network.layers
        if isinstance(layer, layers.BatchNormalization)
    ]
    return [np.array(v) for layer in found for v in (layer.moving_mean, layer.moving_variance)]


def assert_equal(ours, others, **how):
    for one, other in zip(ours, others, strict=True):
        np.testing.assert_allclose(one, other, **how)


@pytest.mark.xla(always=True)
@pytest.mark.slow
def test_the_compiled_epoch_is_keras_s_own_fit(few):
    """The same losses, weights and moving averages, with a short last batch and validation."""
    x, x_test = to_unit(few.x_train), to_unit(few.x_test)
    found = []
    for ours in (True, False):
        keras.utils.set_random_seed(5)
        model = NormalisedAE(**NET)
        how = {"batch_size": 64, "epochs": 3, "shuffle": False, "verbose": 0}
        if ours:
            model.compile()
            history = model.fit(few.x_train, validation_data=few.x_test, **how).history
        else:
            plain = model.autoencoder
            plain.compile("adam", "mse")
            history = plain.fit(x, x, validation_data=(x_test, x_test), **how).history
        found.append((history, model.get_weights(), moving(model)))
    (ours, weights, averages), (theirs, others, their_averages) = found
    assert len(averages) == 2 * 2 * len(NET["hidden"])
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-4)
    assert_equal(averages, their_averages, rtol=1e-3, atol=1e-5)
    assert_equal(weights, others, rtol=1e-3, atol=1e-4)


def test_hidden_layers_are_normalised_and_without_bias(seeded):
    model = NormalisedAE(**NET)
    for network, units in ((model.encoder, [32, 16, 4]), (model.decoder, [16, 32, 784])):
        dense = [layer for layer in network.layers if isinstance(layer, layers.Dense)]
        assert [layer.units for layer in dense] == units
        assert [layer.use_bias for layer in dense] == [False, False, True]
        assert all(layer.activation.__name__ == "linear" for layer in dense[:2])


def test_in_training_a_layer_has_the_mean_and_variance_that_it_learns(few, seeded):
    """γ = 1 and β = 0 at first: before the activation each unit has mean 0 and variance 1."""
    model = NormalisedAE(**NET, activation="linear")
    first = keras.Model(model.encoder.input, model.encoder.layers[3].output)
    assert isinstance(model.encoder.layers[3], layers.BatchNormalization)
    u = np.asarray(first(to_unit(few.x_train), training=True))
    np.testing.assert_allclose(u.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(u.var(axis=0), 1, atol=1e-2)


@pytest.mark.slow
def test_outside_training_a_code_does_not_depend_on_the_other_images(few, seeded):
    model = NormalisedAE(**NET)
    model.compile()
    model.fit(few.x_train, batch_size=50, epochs=1, verbose=0)
    before = moving(model)
    together = model.encode(few.x_test)
    alone = np.concatenate([model.encode(few.x_test[i : i + 1]) for i in range(5)])
    np.testing.assert_allclose(alone, together[:5], atol=1e-5)
    np.testing.assert_allclose(
        model.reconstruct(few.x_test), model.decode(together), rtol=1e-4, atol=1e-6
    )
    model.evaluate(few.x_test, verbose=0)
    assert_equal(moving(model), before, rtol=0)


@pytest.mark.parametrize("path", some(CLASSES))
def test_saved_and_loaded_with_its_moving_averages(path, few, digits, seeded, tmp_path):
    model = made(path)
    model.compile()
    model.fit(few.x_train, batch_size=50, epochs=1, verbose=0)
    assert all(np.abs(average - start).max() > 1e-3 for average, start in _with_starts(model))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model) and loaded.get_config() == model.get_config()
    assert_equal(moving(loaded), moving(model), rtol=0)
    np.testing.assert_array_equal(loaded.encode(digits), model.encode(digits))
    np.testing.assert_array_equal(loaded.reconstruct(digits), model.reconstruct(digits))


def _with_starts(model):
    averages = moving(model)
    return zip(averages, [0.0, 1.0] * (len(averages) // 2), strict=True)


@pytest.mark.parametrize("path", some(CLASSES))
def test_training_improves_on_the_untrained_self(path, few, seeded):
    model = made(path)
    model.compile(keras.optimizers.Adam(5e-3))
    before = model.evaluate(few.x_test, verbose=0, return_dict=True)["loss"]
    model.fit(few.x_train, batch_size=25, epochs=8, verbose=0)
    assert model.evaluate(few.x_test, verbose=0, return_dict=True)["loss"] < 0.9 * before


def test_every_class_is_one_of_the_bake_off():
    classes = {
        name
        for name, value in vars(normalised).items()
        if isinstance(value, type) and name.startswith("Normalised") and name != "Normalised"
    }
    assert {path.split(":")[1] for path in CLASSES} == classes


def test_the_heads_of_a_vae_are_not_normalised(digits, seeded):
    z_mean, z_log_var = NormalisedVAE(**NET).encoder(digits)
    assert z_mean.shape == z_log_var.shape == (16, 4)


@pytest.mark.slow
def test_the_averages_move_once_a_step(few, seeded):
    """Also where a variant's own gradient step reads the encoder twice, as the VQ-VAE's."""
    model = NormalisedUnitVQVAE(**NET, n_entries=16)
    model.compile()
    x = to_unit(few.x_train[:64])
    u = np.asarray(model.encoder.layers[2](model.encoder.layers[1](x)))
    model.fit(x, batch_size=64, epochs=1, verbose=0)
    np.testing.assert_allclose(moving(model)[0], 0.1 * u.mean(axis=0), rtol=1e-3, atol=1e-6)
