"""Measures of first-layer kernels against values that anyone can check by hand."""

import keras
import numpy as np
import pytest

from Code.parts.kernels import coherence, first_kernel, inked, roughness, shuffled, unexplained


def columns(*filters):
    return np.stack([np.ravel(f) for f in filters], axis=1).astype(float)


def test_roughness_of_known_filters():
    flat = np.ones((6, 8))
    board = np.indices((6, 8)).sum(axis=0) % 2 * 2.0 - 1
    assert roughness(columns(flat), (6, 8)) == 0
    assert roughness(columns(board), (6, 8)) == 2
    # (3 − 1)² / (3² + 1²) from the one pair
    assert roughness(columns([[3.0, 1.0]]), (1, 2)) == pytest.approx(0.4)
    assert roughness(columns(flat, board, 0 * flat), (6, 8)) == 1
    assert np.isnan(roughness(columns(0 * flat), (6, 8)))


def test_roughness_of_independent_weights_is_one_whatever_their_size():
    noise = np.random.default_rng(0).normal(size=(28 * 28, 200))
    assert roughness(noise, (28, 28)) == pytest.approx(1, abs=0.01)
    assert roughness(5 * noise, (28, 28)) == pytest.approx(roughness(noise, (28, 28)))
    colour = np.random.default_rng(1).normal(size=(12 * 12 * 3, 200))
    assert roughness(colour, (12, 12, 3)) == pytest.approx(1, abs=0.02)


def test_roughness_counts_only_pairs_of_marked_pixels():
    left = np.zeros((4, 6), bool)
    left[:, :3] = True
    filter_ = np.random.default_rng(0).normal(size=(4, 6))
    filter_[:, :3] = 1
    assert roughness(columns(filter_), (4, 6), left) == 0
    assert roughness(columns(filter_), (4, 6)) > 0
    assert np.isnan(roughness(columns(filter_), (4, 6), np.zeros((4, 6), bool)))


def test_coherence_of_orthogonal_equal_and_random_filters():
    assert coherence(np.eye(5)) == 0
    assert coherence(np.array([[1.0, -2, 0], [1, -2, 0]])) == pytest.approx(1)
    assert coherence(np.array([[1.0, 1], [0, 1]])) == pytest.approx(np.sqrt(0.5))
    noise = np.random.default_rng(0).normal(size=(784, 300))
    assert coherence(noise) == pytest.approx(np.sqrt(2 / (np.pi * 784)), rel=0.02)
    assert np.isnan(coherence(np.ones((4, 1))))


def test_the_first_kernel_is_that_of_the_first_dense_layer():
    image = keras.Input((4, 4))
    h = keras.layers.Dense(3)(keras.layers.Flatten()(image))
    model = keras.Model(image, keras.layers.Dense(2)(h))
    np.testing.assert_array_equal(first_kernel(model), model.layers[2].get_weights()[0])
    with pytest.raises(ValueError, match="no dense layer"):
        first_kernel(keras.Model(image, keras.layers.Flatten()(image)))


def test_shuffled_images_keep_their_intensities_where_ink_is(digits):
    images = digits
    where = inked(images)
    mixed = shuffled(images, where)
    assert not mixed[:, ~where].any()
    np.testing.assert_allclose(np.sort(mixed[:, where], axis=1), np.sort(images[:, where], axis=1))
    assert not np.array_equal(mixed, images)
    np.testing.assert_array_equal(mixed, shuffled(images, where))


def test_unexplained_is_0_for_a_copy_and_1_for_the_mean_image(digits):
    images = digits
    assert unexplained(images, images) == 0
    mean = np.broadcast_to(images.mean(axis=0), images.shape)
    assert unexplained(images, mean) == pytest.approx(1)
    assert np.isnan(unexplained(np.ones((2, 3)), np.zeros((2, 3))))
