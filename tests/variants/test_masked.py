"""The masked autoencoder: only hidden patches enter the loss, and nothing hidden gets in."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from Code.masked import HIDDEN, MaskedAE, hide, ranks
from tests.support import trains_on


def small(**more):
    return MaskedAE(**{"hidden": (64,), "code_dim": 16, **more})


def patches_of(mask, patch):
    """``(n, rows, columns, patch * patch)`` of an image-shaped array."""
    n, height, width = mask.shape
    cut = mask.reshape(n, height // patch, patch, width // patch, patch)
    return cut.transpose(0, 1, 3, 2, 4).reshape(n, height // patch, width // patch, -1)


@pytest.mark.parametrize(("patch", "visible"), [(7, 4), (4, 12)])
def test_masks_leave_a_quarter_of_the_patches_visible(patch, visible, seeded):
    model = small(patch=patch)
    mask = np.asarray(model.draw_mask(4000))
    cut = patches_of(mask, patch)
    assert (cut == cut[..., :1]).all()  # whole patches
    whole = cut[..., 0]
    assert (whole.sum(axis=(1, 2)) == visible).all()  # exactly so many
    share = visible / whole[0].size
    np.testing.assert_allclose(whole.mean(axis=0), share, atol=0.04)  # every patch alike
    assert len(np.unique(whole.reshape(4000, -1), axis=0)) > 1000


def test_masks_are_drawn_afresh(seeded):
    model = small()
    assert (np.asarray(model.draw_mask(16)) != np.asarray(model.draw_mask(16))).any()
    np.testing.assert_array_equal(model.draw_mask(16, seed=3), model.draw_mask(16, seed=3))


@pytest.mark.parametrize("reconstruction", ["mse", "binary cross-entropy"])
def test_only_hidden_patches_enter_the_loss(reconstruction, digits, seeded):
    model = small(reconstruction=reconstruction)
    mask = np.asarray(model.draw_mask(16))
    rng = np.random.default_rng(0)
    x_hat = tf.constant(rng.uniform(0.1, 0.9, digits.shape).astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch(x_hat)
        loss = model.masked_error(digits, x_hat, mask)
    gradient = tape.gradient(loss, x_hat).numpy()
    assert (gradient[mask == 1] == 0).all()
    assert (gradient[mask == 0] != 0).mean() > 0.99
    # another target in a visible pixel costs nothing, in a hidden one it does
    other = np.ones_like(digits)
    in_visible = np.where(mask == 1, other, digits)
    np.testing.assert_allclose(model.masked_error(in_visible, x_hat, mask), loss, rtol=1e-6)
    in_hidden = np.where(mask == 0, other, digits)
    assert (np.abs(model.masked_error(in_hidden, x_hat, mask) - loss) > 1e-3).mean() > 0.8


def test_loss_is_the_mean_error_of_the_hidden_pixels(digits, seeded):
    model = small()
    mask = np.asarray(model.draw_mask(16))
    x_hat = np.random.default_rng(0).random(digits.shape, np.float32)
    expected = [
        np.square(a - b)[m == 0].mean() for a, b, m in zip(digits, x_hat, mask, strict=True)
    ]
    np.testing.assert_allclose(model.masked_error(digits, x_hat, mask), expected, rtol=1e-5)


def test_gradient_against_closed_form(digits, seeded):
    """∂/∂x̂ of the squared error: 2 (x̂ − x) / number of hidden pixels."""
    model = small()
    mask = np.asarray(model.draw_mask(16))
    x_hat = tf.constant(np.random.default_rng(0).random(digits.shape, np.float32))
    with tf.GradientTape() as tape:
        tape.watch(x_hat)
        loss = tf.reduce_sum(model.masked_error(digits, x_hat, mask))
    hidden = (1 - mask).sum(axis=(1, 2), keepdims=True)
    expected = (1 - mask) * 2 * (x_hat.numpy() - digits) / hidden
    np.testing.assert_allclose(tape.gradient(loss, x_hat), expected, atol=1e-7)


def test_hidden_pixels_do_not_reach_the_encoder(digits, seeded):
    model = small()
    mask = np.asarray(model.draw_mask(16))
    other = np.where(mask == 0, 1 - digits, digits)
    np.testing.assert_array_equal(hide(other, mask), hide(digits, mask))
    seen = np.asarray(hide(digits, mask))
    assert (seen[mask == 0] == HIDDEN).all()
    np.testing.assert_array_equal(seen[mask == 1], digits[mask == 1])


def test_the_network_can_tell_a_hidden_pixel_from_a_black_one(digits, seeded):
    model = small()
    token = model.encoder.get_layer("mask_token")
    channels = np.asarray(token(np.asarray(hide(digits, np.asarray(model.draw_mask(16))))))
    assert channels.shape == (16, 28, 28, 2)
    mask = channels[..., 1]
    token.token.assign(np.arange(49.0).reshape(7, 7))
    values = np.asarray(token(np.asarray(hide(digits, mask))))[..., 0]
    tiled = np.tile(np.arange(49.0).reshape(7, 7), (4, 4))
    np.testing.assert_array_equal(values, np.where(mask == 1, digits, tiled))


@pytest.mark.slow
@pytest.mark.xla
def test_learns_to_complete_better_than_the_mean_image(mnist, digits, seeded, tmp_path):
    few = mnist.subset(5000, 500)
    model = small(hidden=(128,), code_dim=32, n_classes=10)
    token = model.encoder.get_layer("mask_token").token
    model.compile()
    model.fit(few.x_train, batch_size=50, epochs=5, verbose=0)
    assert np.abs(token).max() > 0  # the token learns
    x = few.x_test / np.float32(255)
    found = model.diagnostics(x, few.y_test)
    assert found["mse_hidden"] < 0.9 * found["mse_hidden_mean_image"]
    assert model.views(x, few.y_test)["completion"].shape == (30, 28, 28)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.reconstruct(digits), model.reconstruct(digits))
    trains_on(loaded, few.x_train[:64])


@pytest.mark.parametrize("wrong", [{"patch": 0}, {"visible": 0.0}, {"visible": 1.0}])
def test_masks_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="patches"):
        MaskedAE(**wrong)


@pytest.mark.parametrize(
    ("shape", "patch", "grid"), [((29, 30), 7, (5, 5)), ((4, 5, 3), 7, (2, 3))]
)
def test_patches_that_do_not_tile_the_image_are_cut_at_its_edges(shape, patch, grid, seeded):
    model = small(patch=patch, image_shape=shape)
    assert model.grid == grid
    mask = np.asarray(model.draw_mask(500))
    assert mask.shape == (500, *shape)
    covered = mask.reshape(500, *shape[:2], -1)
    assert (covered == covered[..., :1]).all()  # a pixel is hidden with all of its channels
    for axis in (1, 2):
        borders = (np.diff(covered[..., 0], axis=axis) != 0).any(axis=(0, 3 - axis))
        assert borders.sum() == grid[axis - 1] - 1
    share = model.n_visible / model.n_patches
    np.testing.assert_allclose(covered.mean(axis=0), share, atol=0.1)


def test_many_patches_are_ranked_as_few_are(seeded):
    u = np.random.default_rng(0).random((5, 300), np.float32)
    np.testing.assert_array_equal(ranks(u), u.argsort(axis=1).argsort(axis=1))
    np.testing.assert_array_equal(ranks(u[:, :20]), u[:, :20].argsort(axis=1).argsort(axis=1))


def test_a_hidden_pixel_in_colour_gets_the_token_of_each_channel(seeded):
    model = small(patch=2, image_shape=(4, 4, 3))
    token = model.encoder.get_layer("mask_token")
    token.token.assign(np.arange(12.0).reshape(2, 2, 3))
    x = np.full((1, 4, 4, 3), 0.5, np.float32)
    mask = np.asarray(model.draw_mask(1))
    channels = np.asarray(token(np.asarray(hide(x, mask))))
    assert channels.shape == (1, 4, 4, 4)
    np.testing.assert_array_equal(channels[..., 3], mask[..., 0])
    tiled = np.tile(np.arange(12.0).reshape(2, 2, 3), (2, 2, 1))
    np.testing.assert_array_equal(channels[..., :3], np.where(mask == 1, 0.5, tiled))
