"""Ten classes have colours that everybody can tell apart."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from Code.figures.style import DIGIT_COLOURS, SERIES

# What a person without one kind of cones sees, for linear RGB (Machado et al. 2009, severity 1)
SEEN = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
# The ten colours before these, which were chosen for normal sight first (Petroff 2021)
BEFORE = [
    *("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6"),
    *("#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd"),
]


def linear(colours):
    rgb = np.array([to_rgb(colour) for colour in colours])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def oklab(rgb):
    """Björn Ottosson's OKLab of linear RGB, in which equal distances look about equal."""
    cones = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    opponents = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    return np.cbrt(np.clip(rgb, 0, None) @ np.transpose(cones)) @ np.transpose(opponents)


def distances(colours, sight):
    seen = oklab(np.clip(linear(colours) @ SEEN[sight].T, 0, 1))
    return np.linalg.norm(seen[:, None] - seen, axis=2)


def smallest(colours, sight):
    return distances(colours, sight)[np.triu_indices(len(colours), 1)].min()


@pytest.mark.parametrize("sight", SEEN)
def test_any_two_classes_differ(sight):
    assert smallest(DIGIT_COLOURS, sight) > 0.1
    assert smallest(DIGIT_COLOURS, sight) > smallest(BEFORE, sight)


@pytest.mark.parametrize("sight", SEEN)
def test_digits_that_look_alike_differ_more(sight):
    found = distances(DIGIT_COLOURS, sight)
    for group in ((3, 5, 8), (4, 7, 9)):
        for a, b in itertools.combinations(group, 2):
            assert found[a, b] > 0.14, (a, b)


@pytest.mark.parametrize("ground", ["#ffffff", "#0d1117"])
def test_they_stand_out_from_light_and_dark_pages(ground):
    weights = [0.2126, 0.7152, 0.0722]
    light = linear(DIGIT_COLOURS) @ weights + 0.05
    paper = (linear([ground]) @ weights + 0.05)[0]
    assert np.maximum(light / paper, paper / light).min() > 1.7


def test_curves_and_bars_do_not_have_the_colours_of_digits():
    """A reader who has learned what 3 looks like must not find it again as a contender."""
    both = distances([*SERIES, *DIGIT_COLOURS], "normal")[: len(SERIES), len(SERIES) :]
    assert both.min() > 0.02
    assert not set(SERIES) & set(DIGIT_COLOURS)
