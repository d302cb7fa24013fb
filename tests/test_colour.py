"""Every variant in colour and with sides of any length, on digits in colours of their own."""

import keras
import numpy as np
import pytest

from Code.base import Classifier
from Code.foundation.names import load
from Code.parts.images import to_unit
from Code.stacked import LayerWise
from Code.transformer import AutoencoderTransformer
from tests.backend_course import VARIANTS

ROWS = {
    name: (path, {**settings, "code_dim": None} if name.startswith("overcomplete") else settings)
    for name, (path, settings) in VARIANTS.items()
    if not name.startswith("classifier")
}
# These pad, cut or reshape; what the others do with three channels is a longer row of pixels
OWN_WAYS = ("cae", "stacked conv", "masked")
SIDES = ((4, 4), (29, 50))
# Epochs until the loss has fallen by more than chance: the corruption of the emphasised one is
# drawn anew each time, an adversary pulls at the code, and moving averages lag in a normalised net
SLOW_STARTS = {"emphasised": 10, "aae": 20, "normalised": 20}


def made(name, shape, **more):
    path, settings = ROWS[name]
    return load(path)(image_shape=shape, **{**settings, **more})


def digits_of(shape, images, seed=0):
    """Real digits cut or framed to ``shape``; in colour, ink and ground have random colours."""
    n, height, width = len(images), *shape[:2]
    framed = np.pad(
        to_unit(images), ((0, 0), *(((max(0, s - 28) + 1) // 2,) * 2 for s in shape[:2]))
    )
    top, left = ((framed.shape[1] - height) // 2, (framed.shape[2] - width) // 2)
    grey = framed[:, top : top + height, left : left + width]
    if len(shape) == 2:
        return grey
    ink, ground = np.random.default_rng(seed).random((2, n, 1, 1, 3), np.float32)
    return grey[..., None] * ink + (1 - grey[..., None]) * ground


def of_rows(names):
    """These names as parameters, the others as well with the slow tests."""
    return [n if n in names else pytest.param(n, marks=pytest.mark.slow) for n in ROWS]


def check_shapes(model, x, y):
    assert model.reconstruct(x).shape == x.shape
    codes = model.encode(x)
    assert codes.shape[1:] == model.decoder.input_shape[1:]
    assert model.decode(codes).shape == x.shape


def check_measures(model, x, y):
    """Its own measures are numbers, its own pictures are pictures, in colour where they should."""
    assert all(np.isfinite(value) for value in model.diagnostics(x, y).values())
    views = model.views(x, y)
    # The names of a picture's rows are none
    for picture in (views[name] for name in views if not name.endswith("_units")):
        channels = () if x.ndim == 3 else (3,)
        assert picture.ndim == x.ndim and picture.shape[3:] == channels


@pytest.mark.parametrize("name", of_rows(()))
def test_it_learns_in_colour_and_is_loaded_as_it_was_saved(name, mnist, seeded, tmp_path):
    few = mnist.subset(128, 32)
    shape = (15, 10, 3)
    x, test = digits_of(shape, few.x_train), digits_of(shape, few.x_test, seed=1)
    model = made(name, shape)
    model.compile(run_eagerly=True, jit_compile=False)
    # A book that follows its code by gradient steps lags behind in the first of them
    term = "reconstruction" if "UnitVQVAE" in ROWS[name][0] else "loss"
    before = model.evaluate(x, few.y_train, verbose=0, return_dict=True)[term]
    epochs = next((n for start, n in SLOW_STARTS.items() if name.startswith(start)), 3)
    model.fit(x, few.y_train, batch_size=32, epochs=epochs, verbose=0)
    assert model.evaluate(x, few.y_train, verbose=0, return_dict=True)[term] < before
    check_shapes(model, test, few.y_test)
    check_measures(model, test, few.y_test)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.reconstruct(test), model.reconstruct(test))
    if isinstance(model, LayerWise):
        layer, features = model.layer(2), model.features(1, x)
        layer.compile(run_eagerly=True, jit_compile=False)
        layer.fit(features, batch_size=64, verbose=0)
        model.adopt(2, layer)


def check_one_pass(model, x, y):
    """Its loss is a number for each image, and what it makes of images has their shape."""
    images = keras.ops.convert_to_tensor(x)
    loss = model.loss_terms(images, keras.ops.convert_to_tensor(y, "int32"))["loss"]
    assert np.isfinite(keras.ops.convert_to_numpy(loss)).all() and loss.shape == (len(x),)
    code = model.code_of(images)
    assert code.shape[1:] == model.decoder.input_shape[1:]
    assert model.decoder(code).shape == model.autoencoder(images).shape == x.shape


@pytest.mark.slow
@pytest.mark.parametrize("channels", [(), (3,)], ids=["grey", "colour"])
@pytest.mark.parametrize("name", ROWS)
def test_sides_of_any_length(name, channels, mnist, seeded):
    few = mnist.subset(64, 64)
    for sides in SIDES:
        keras.backend.clear_session()
        x = digits_of((*sides, *channels), few.x_train)
        model = made(name, x.shape[1:])
        check_one_pass(model, x, few.y_train)
    check_measures(model, x, few.y_train)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*OWN_WAYS, "conv", "lstm"])
def test_images_of_128_pixels(name, mnist, seeded):
    x = digits_of((128, 128, 3), mnist.x_train[:4])
    check_one_pass(made(name, x.shape[1:]), x, mnist.y_train[:4])


@pytest.mark.parametrize("name", ["cae", "conv"])
def test_the_loss_is_that_of_the_image_s_own_pixels(name, mnist, seeded):
    x = digits_of((7, 5, 3), mnist.x_test[:16])
    model = made(name, (7, 5, 3), reconstruction="mse")
    x_hat = model.reconstruct(x)
    assert (8, 8, 3) in [layer.output.shape[1:] for layer in model.encoder.layers]
    loss = model.loss_terms(keras.ops.convert_to_tensor(x))["loss"]
    loss = keras.ops.convert_to_numpy(loss)
    np.testing.assert_allclose(loss, np.square(x - x_hat).mean(axis=(1, 2, 3)), rtol=1e-5)


@pytest.mark.parametrize("name", ["cae", "conv", "conv layer", "stacked conv", "lstm"])
def test_no_layer_is_added_where_the_sides_halve(name):
    kinds = {
        type(part).__name__
        for model in (made(name, (28, 28)), made(name, (28, 28, 3)))
        for network in (model.encoder, model.decoder)
        for part in network.layers
    }
    assert not kinds & {"ZeroPadding2D", "Cropping2D"}


def test_a_step_of_a_recurrence_is_a_row_with_all_of_its_channels(digits):
    model = made("lstm", (28, 14, 2))
    assert model.encoder.get_layer("reader").input.shape[1:] == (28, 28)
    same = made("lstm", (28, 28))
    for one, other in zip(model.weights, same.weights, strict=True):
        one.assign(other)
    rows = model.reconstruct(digits.reshape(16, 28, 14, 2)).reshape(digits.shape)
    np.testing.assert_allclose(rows, same.reconstruct(digits), atol=1e-6)


def test_a_head_reads_colours(mnist, seeded):
    x, y = digits_of((6, 9, 3), mnist.x_train[:64]), mnist.y_train[:64]
    head = made("cae", (6, 9, 3), n_classes=10).classifier
    assert isinstance(head, Classifier)
    head.compile(run_eagerly=True, jit_compile=False)
    head.fit(x, y, verbose=0)
    assert head.predict(x, verbose=0).shape == (64, 10)


def test_a_table_of_coloured_pixels(mnist):
    x = digits_of((6, 9, 3), mnist.x_train[:60]).reshape(60, -1)
    reducer = AutoencoderTransformer(
        "Code.conv:ConvAE", image_shape=(6, 9, 3), hidden=(), epochs=1, random_state=0
    )
    assert reducer.fit_transform(x).shape == (60, 2)
    assert reducer.inverse_transform(reducer.transform(x)).shape == x.shape


@pytest.mark.parametrize(
    ("given", "needed", "advice"),
    [((4, 9, 9), (9, 9, 3), "repeat the grey values"), ((4, 9, 9, 3), (9, 9), "make them grey")],
)
def test_grey_for_colour_or_colour_for_grey_is_a_line(given, needed, advice):
    with pytest.raises(ValueError, match=advice):
        made("ae", needed).reconstruct(np.zeros(given, np.float32))
