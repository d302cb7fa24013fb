"""Kernels as images."""

import numpy as np

from Code.parts.filter_images import filter_images


def test_each_filter_is_scaled_by_its_largest_weight_and_zero_is_grey():
    kernel = np.array([[2.0, 0.0, -1.0], [-1.0, 0.0, 0.5], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    images = filter_images(kernel, (2, 2))
    assert images.shape == (3, 2, 2)
    np.testing.assert_allclose(images[0], [[1.0, 0.25], [0.5, 0.75]])
    np.testing.assert_allclose(images[1], 0.5)
    np.testing.assert_allclose(images[2], [[0.0, 0.75], [0.5, 0.5]])


def test_the_channels_of_a_unit_have_one_scale():
    images = filter_images(np.array([[2.0], [0.0], [-1.0], [1.0], [0.0], [0.0]]), (2, 1, 3))
    np.testing.assert_allclose(images, [[[[1.0, 0.5, 0.25]], [[0.75, 0.5, 0.5]]]])


def test_no_more_than_asked_for():
    assert filter_images(np.ones((6, 50)), (2, 3), n=7).shape == (7, 2, 3)
