"""A picture in a palette is the same picture."""

import numpy as np
import pytest
from PIL import Image

from Code.figures.palette import COLOURS, in_palette
from Code.figures.style import DIGIT_COLOURS


def test_few_colours_stay_as_they_are():
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (COLOURS, 3), dtype=np.uint8)
    pixels = colours[rng.integers(0, COLOURS, (60, 70))]
    np.testing.assert_array_equal(np.asarray(in_palette(pixels).convert("RGB")), pixels)


@pytest.fixture(scope="module")
def crowded():
    """Areas of the digits' colours on white, and a gradient of thousands of others."""
    pixels = np.full((200, 300, 3), 255, dtype=np.uint8)
    y, x = np.mgrid[:100, :300]
    pixels[100:] = np.stack([x * 255 // 299, y * 255 // 99, (x + y) * 255 // 398], axis=-1)
    for i, colour in enumerate(DIGIT_COLOURS):
        pixels[10:30, 25 * i : 25 * i + 20] = [int(colour[j : j + 2], 16) for j in (1, 3, 5)]
    return pixels


def test_areas_of_one_colour_stay_as_they_are(crowded):
    after = np.asarray(in_palette(crowded).convert("RGB"))
    np.testing.assert_array_equal(after[:100], crowded[:100])


def test_the_other_colours_are_near(crowded):
    after = np.asarray(in_palette(crowded).convert("RGB")).astype(int)
    assert np.abs(after - crowded).mean() < 6


@pytest.mark.slow
def test_equal_pictures_give_equal_bytes(crowded, tmp_path):
    for name in "ab":
        in_palette(crowded.copy()).save(tmp_path / f"{name}.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert Image.open(tmp_path / "a.png").mode == "P"
