"""The emphasised loss: α on corrupted pixels, β on the others."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from Code.dae import DAE
from Code.emphasised import EmphasisedDAE, emphasised
from Code.parts.images import to_unit

COMMON = {"hidden": (256, 64), "code_dim": 16}


@pytest.mark.parametrize("reconstruction", ["mse", "binary cross-entropy"])
@pytest.mark.parametrize("corruption", ["masking", "salt_and_pepper"])
def test_equal_weights_are_the_plain_denoising_autoencoder(
    reconstruction, corruption, digits, seeded
):
    losses = []
    for make in (lambda **s: EmphasisedDAE(alpha=1.0, beta=1.0, **s), DAE):
        keras.utils.set_random_seed(4)
        model = make(corruption=corruption, level=0.3, reconstruction=reconstruction, **COMMON)
        losses.append(np.asarray(model.loss_terms(digits)["loss"]))
    np.testing.assert_allclose(*losses, rtol=1e-5)


@pytest.mark.parametrize("corruption", ["masking", "salt_and_pepper"])
def test_the_corrupted_share_is_the_level_even_where_the_image_is_black(corruption, digits, seeded):
    model = EmphasisedDAE(corruption=corruption, level=0.3)
    x_tilde, corrupted = (np.asarray(a) for a in model.corrupt_and_tell(digits))
    assert corrupted.mean() == pytest.approx(0.3, abs=0.02)
    assert corrupted[digits == 0].mean() == pytest.approx(0.3, abs=0.02)
    np.testing.assert_array_equal(x_tilde[~corrupted], digits[~corrupted])
    values = {0.0} if corruption == "masking" else {0.0, 1.0}
    assert set(np.unique(x_tilde[corrupted])) == values
    again, _ = model.corrupt_and_tell(digits)
    assert (np.asarray(again) != x_tilde).any(), "the noise must be drawn afresh"


def test_the_noise_is_that_of_the_corruption(digits, seeded):
    model = EmphasisedDAE(corruption="salt_and_pepper", level=0.4)
    told, _ = model.corrupt_and_tell(digits, seed=7)
    from Code.data.corruption import salt_and_pepper

    np.testing.assert_array_equal(told, salt_and_pepper(digits, 0.4, 7))


def test_weights_fall_on_their_pixels():
    errors = tf.constant([[[1.0, 2.0], [3.0, 4.0]]])
    corrupted = tf.constant([[[True, False], [False, True]]])
    with tf.GradientTape() as tape:
        tape.watch(errors)
        value = emphasised(errors, corrupted, 2.0, 0.5)
    np.testing.assert_allclose(value, [(2 * 5 + 0.5 * 5) / 4])
    np.testing.assert_allclose(tape.gradient(value, errors), [[[0.5, 0.125], [0.125, 0.5]]])


@pytest.mark.slow
def test_emphasis_mends_corrupted_pixels_better_at_the_cost_of_clean_ones(mnist, seeded):
    few = mnist.subset(9600, 1000)
    found = []
    for beta in (1.0, 0.0):
        keras.utils.set_random_seed(0)
        model = EmphasisedDAE(
            beta=beta, corruption="salt_and_pepper", code_dim=256, code_activation="relu"
        )
        model.compile(keras.optimizers.Adam(2e-3))
        model.fit(few.x_train, batch_size=64, epochs=10, verbose=0)
        found.append(model.diagnostics(to_unit(few.x_test), few.y_test))
    plain, full = found
    assert full["mse_corrupted"] < plain["mse_corrupted"] < 0.1 * plain["mse_unmended"]
    assert full["mse_clean"] > plain["mse_clean"]


@pytest.mark.xla
def test_learns_in_the_common_network_and_survives_saving(mnist, digits, seeded, tmp_path):
    few = mnist.subset(1920, 500)
    model = EmphasisedDAE(**COMMON)
    model.compile()
    before = model.evaluate(few.x_test, verbose=0, return_dict=True)["loss"]
    model.fit(few.x_train, batch_size=64, epochs=3, verbose=0)
    terms = model.evaluate(few.x_test, verbose=0, return_dict=True)
    assert terms["loss"] < 0.7 * before
    total = terms["error_corrupted"] + 0.5 * terms["error_clean"]
    assert terms["loss"] == pytest.approx(total, rel=1e-4)
    assert model.encode(digits).shape == (16, 16)
    assert model.reconstruct(digits).shape == digits.shape
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.reconstruct(digits), model.reconstruct(digits))
    assert loaded.get_config() == model.get_config()


def test_gaussian_noise_is_refused():
    with pytest.raises(ValueError, match="leaves no pixel clean"):
        EmphasisedDAE(corruption="gaussian")
