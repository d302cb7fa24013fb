"""A picture in a palette is the same picture."""

import numpy as np
import pytest
from PIL import Image

from Code.figures.palette import COLOURS, EXACT, GREYS, in_greys, in_palette
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


def test_a_legend_of_few_pixels_keeps_its_colours(crowded):
    # More than `EXACT` other colours fill larger areas than the legend's marks do
    areas = np.random.default_rng(0).integers(0, 256, (EXACT + 20, 3), dtype=np.uint8)
    pixels = np.concatenate([crowded[100:], np.repeat(areas, 300, axis=0).reshape(-1, 300, 3)])
    for i, colour in enumerate(DIGIT_COLOURS):
        pixels[50, 25 * i] = [int(colour[j : j + 2], 16) for j in (1, 3, 5)]
    after = np.asarray(in_palette(pixels, DIGIT_COLOURS).convert("RGB"))
    np.testing.assert_array_equal(after[50, : 25 * 10 : 25], pixels[50, : 25 * 10 : 25])
    assert (np.asarray(in_palette(pixels).convert("RGB"))[50] != after[50]).any()


def test_the_other_colours_are_near(crowded):
    after = np.asarray(in_palette(crowded).convert("RGB")).astype(int)
    assert np.abs(after - crowded).mean() < 6


def test_greys_are_the_nearest_of_few_and_keep_black_white_and_the_middle():
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    after = np.asarray(in_greys(pixels).convert("L")).astype(int)
    assert np.abs(after - pixels).max() <= np.ceil(255 / (GREYS - 1) / 2)
    assert len(np.unique(after)) == GREYS
    assert (after.min(), after.max()) == (0, 255)
    assert np.asarray(in_greys(np.array([[127, 128]], np.uint8)).convert("L")).tolist() == [
        [128] * 2
    ]


@pytest.mark.slow
def test_equal_pictures_give_equal_bytes(crowded, tmp_path):
    for name in "ab":
        in_palette(crowded.copy()).save(tmp_path / f"{name}.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert Image.open(tmp_path / "a.png").mode == "P"
