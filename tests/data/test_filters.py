"""The mean filter against sums done by hand, and PSNR against its definition."""

import math

import numpy as np
import pytest

from Code.data.filters import mean_filter, psnr


def test_mean_filter_by_hand():
    image = np.array([[9, 0, 0, 0], [0, 0, 0, 0], [0, 0, 18, 0], [0, 0, 0, 0]]) / 18
    # Mirrored, the corner's window holds the 9 four times, its neighbours' two times.
    expected = np.array([[36, 18, 0, 0], [18, 27, 18, 18], [0, 18, 18, 18], [0, 18, 18, 18]])
    filtered = mean_filter(image[None])
    assert filtered.dtype == np.float32
    np.testing.assert_allclose(filtered[0], expected / 9 / 18, atol=1e-6)


def test_mean_filter_keeps_images_apart():
    images = np.stack([np.zeros((8, 12)), np.ones((8, 12))])
    np.testing.assert_allclose(mean_filter(images), images, atol=1e-6)


def test_mean_filter_keeps_channels_apart():
    images = np.random.default_rng(0).random((2, 8, 12, 3))
    filtered = mean_filter(images)
    for i in range(3):
        np.testing.assert_array_equal(filtered[..., i], mean_filter(images[..., i]))


def test_mean_filter_of_another_size():
    image = np.zeros((1, 9, 9), np.float32)
    image[0, 4, 4] = 1
    filtered = mean_filter(image, size=5)[0]
    np.testing.assert_allclose(filtered[2:7, 2:7], 1 / 25, atol=1e-6)
    assert filtered.sum() == pytest.approx(1, abs=1e-5)


def test_mean_filter_leaves_its_input_alone():
    image = np.random.default_rng(0).random((2, 8, 8)).astype(np.float32)
    before = image.copy()
    mean_filter(image)
    np.testing.assert_array_equal(image, before)


def test_psnr_pools_the_squared_error():
    clean = np.zeros((2, 4, 4))
    other = clean.copy()
    other[0] = 0.2  # MSE 0.04 on one image, 0 on the other: 0.02 in all
    assert psnr(clean, other) == pytest.approx(10 * math.log10(1 / 0.02))
    assert psnr(clean, clean + 0.1) == pytest.approx(20)
    assert psnr(clean, clean + 1) == 0
    assert psnr(clean, clean) == math.inf


def test_psnr_does_not_broadcast():
    with pytest.raises(ValueError, match="one shape"):
        psnr(np.zeros((2, 4, 4)), np.zeros((4, 4)))
