"""Pictures of any size come to a model's size, by MNIST's own rule where they are ink."""

import os

import numpy as np
import pytest
from PIL import Image, ImageDraw

from Code.data.fit import fitted
from Code.parts.images import to_unit

SEVEN = np.array([(60, 40), (140, 40), (90, 165)])


def strokes(height, width, scale=1.0, at=(0, 0), pen=14):
    """A seven of bright strokes, in [0, 1], on nothing."""
    picture = Image.new("L", (width, height))
    points = [tuple(map(float, point)) for point in SEVEN * scale + at]
    ImageDraw.Draw(picture).line(points, fill=255, width=round(pen * scale), joint="curve")
    return np.asarray(picture) / np.float32(255)


def light(ink, ground):
    """Bright ink on a ground, a number or an array."""
    return (ground + (1 - ground) * 0.8 * ink).astype(np.float32)


def box(image):
    """Height and width of what is not 0."""
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    return np.ptp(rows) + 1, np.ptp(columns) + 1


def centre(image):
    return [np.average(np.arange(28), weights=image.sum(axis=axis)) for axis in (1, 0)]


def alike(a, b):
    """Correlation of two images, the best of shifts by a pixel: a rounded centre may flip."""
    shifts = [np.roll(a, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return max(np.corrcoef(shifted.ravel(), b.ravel())[0, 1] for shifted in shifts)


def test_digits_of_mnist_blown_up_come_back(mnist):
    n = 200 if os.environ.get("SLOW_TESTS") else 12
    for method, least, mean in ((Image.BOX, 0.97, 0.99), (Image.BICUBIC, 0.8, 0.94)):
        scores = []
        for digit in mnist.x_test[:n]:
            large = np.asarray(Image.fromarray(digit).resize((200, 200), method))
            back = fitted(large, (28, 28), centre_ink=True)
            assert back.dtype == np.uint8
            scores.append(alike(back, digit))
        assert min(scores) > least and np.mean(scores) > mean


def test_digits_of_mnist_stay_about_as_they_are(mnist):
    digits = mnist.x_test[:100]
    fits = np.stack([fitted(digit, (28, 28), centre_ink=True) for digit in digits])
    assert np.mean((fits == digits).all(axis=(1, 2))) > 0.5
    assert min(alike(a, b) for a, b in zip(fits, digits, strict=True)) > 0.97


@pytest.mark.parametrize(
    "picture",
    [
        light(strokes(200, 200), 0.05),
        light(strokes(200, 300, 0.5, (200, 90)), 0.1),
        light(strokes(300, 120, 0.4, (40, 200)), 0.2),
        light(strokes(200, 200), np.linspace(0.05, 0.5, 200)),
        light(strokes(200, 200), np.add.outer(*[np.linspace(-1, 1, 200) ** 2] * 2) / 5),
        light(strokes(200, 200), 0.1 + 0.03 * np.random.default_rng(0).normal(size=(200, 200))),
        np.maximum(strokes(200, 200), np.random.default_rng(0).random((200, 200)) < 0.005),
    ],
    ids=["plain", "wide", "tall", "light from a side", "vignette", "noise", "dust"],
)
def test_ink_is_centred_by_the_rule_of_mnist(picture):
    result = fitted(picture, (28, 28), centre_ink=True)
    assert result.dtype == np.float32 and result.min() == 0 and result.max() == 1
    assert max(box(result)) in (19, 20, 21)
    assert np.allclose(centre(result), 14, atol=1)
    assert alike(result, fitted(strokes(200, 200), (28, 28), centre_ink=True)) > 0.97


@pytest.mark.parametrize("shape", [(28, 28), (8, 8), (56, 28), (32, 64), (1, 1)])
@pytest.mark.parametrize("size", [(200, 200), (9, 40), (1, 1), (700, 30)])
def test_every_size_comes_to_every_shape(shape, size):
    noise = np.random.default_rng(0).random((*size, 3)).astype(np.float32)
    for image in (noise, noise[..., 0], (255 * noise).astype(np.uint8)):
        for wanted in (shape, (*shape, 3)):
            for centre_ink in (True, False):
                result = fitted(image, wanted, centre_ink)
                assert result.shape == wanted and result.dtype == image.dtype
                assert result.min() >= 0 and result.max() <= (255 if result.dtype == "u1" else 1)


def test_a_box_keeps_its_part_of_other_sizes():
    assert box(fitted(strokes(200, 200), (56, 56), centre_ink=True))[0] in (40, 41)
    assert box(fitted(strokes(200, 200), (56, 28), centre_ink=True))[1] in (20, 21)


def test_what_is_blank_stays_blank():
    noise = np.random.default_rng(0).normal(size=(200, 200))
    for ground in (np.zeros((50, 60)), np.full((50, 60), 0.9), 0.2 + 0.02 * noise):
        assert not fitted(ground.astype(np.float32), (28, 28), centre_ink=True).any()


@pytest.mark.parametrize("brightness", [200 / 65535, 0.1, 0.3, 0.7, 1])
@pytest.mark.parametrize("size", [(1, 1), (3, 1), (1, 3), (2, 3), (27, 28), (2, 784)])
def test_rounding_is_no_ink(brightness, size):
    """Nor are there bins between brightnesses that differ by rounding alone."""
    picture = np.full(size, brightness) * (1 + np.random.default_rng(0).uniform(-1e-7, 0, size))
    assert not fitted(picture.astype(np.float32), (28, 28), centre_ink=True).any()


def test_colours_are_scaled_as_a_whole_and_cropped_in_the_middle():
    picture = np.zeros((40, 100, 3), np.uint8)
    picture[:, 30:70] = (200, 100, 50)  # the square in the middle
    result = fitted(picture, (20, 20, 3), centre_ink=True)
    assert np.abs(result[:, 1:-1].astype(int) - (200, 100, 50)).max() <= 4
    assert np.array_equal(fitted(picture, (40, 100, 3), centre_ink=False), picture)


def test_grey_and_colours_turn_into_each_other(mnist):
    digit = mnist.x_test[0]
    colours = fitted(digit, (28, 28, 3), centre_ink=False)
    assert (colours == digit[..., None]).all()
    assert np.array_equal(fitted(colours, (28, 28), centre_ink=False), digit)
    assert np.allclose(fitted(to_unit(colours), (28, 28), centre_ink=False), to_unit(digit))
