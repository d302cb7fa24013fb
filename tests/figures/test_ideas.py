"""The small drawings of the variants."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from Code.experiments.row import variant_of
from Code.experiments.table import TABLE
from Code.figures.ideas import HEIGHT, WIDTH, drawing, names
from Code.reporting.contents import FAMILIES

SVG = "{http://www.w3.org/2000/svg}"


def test_each_is_of_a_variant_and_the_published_families_have_one():
    """A variant that is added needs none; its page then stands without it."""
    known = {variant_of(row.model) for row in TABLE if row.model} | {"pca"}
    assert set(names()) == known & set(names())
    assert set(FAMILIES) <= set(names()) and len(names()) >= 25
    assert drawing("a_new_variant") is None


def test_no_two_are_alike():
    assert len({drawing(name) for name in names()}) == len(names())


@pytest.mark.parametrize("name", names())
def test_it_is_a_small_picture_for_light_and_dark_pages(name):
    text = drawing(name)
    assert text == drawing(name)
    assert len(text.encode()) < 4000
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg" and root.get("viewBox") == f"0 0 {WIDTH} {HEIGHT}"
    assert "prefers-color-scheme:dark" in root.find(f"{SVG}style").text
    # Symbols only, so that one drawing serves both languages; D is a discriminator, KL a divergence
    words = re.findall(r"[A-Za-z]{2,}", " ".join(t.text for t in root.iter(f"{SVG}text") if t.text))
    assert set(words) <= {"KL"}


@pytest.mark.parametrize("name", names())
def test_nothing_leaves_the_page(name):
    root = ElementTree.fromstring(drawing(name))
    for part in root.iter():
        numbers = {key: float(part.get(key)) for key in ("x", "y", "cx", "cy") if part.get(key)}
        for key, value in numbers.items():
            assert 0 <= value <= (WIDTH if key.endswith("x") else HEIGHT), (part.tag, numbers)
        if part.tag == f"{SVG}path" and part.get("class") != "fink":
            places = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", part.get("d"))]
            assert all(0 <= x <= WIDTH for x in places[::2])
            assert all(0 <= y <= HEIGHT for y in places[1::2])
