"""The picture of a family: shared axes, seeds, both languages, and what is missing."""

import numpy as np
import pytest
from fontTools.ttLib import TTFont

from Code.figures.family import composite
from Code.figures.fonts.subset import TARGET, characters
from Code.figures.words import EN, WORDS, ZH

RNG = np.random.default_rng(0)
LABELS = np.arange(300) % 10
DIGITS = RNG.random((10, 28, 28))
CURVE = {"label": "corrected", "train": [0.05, 0.04], "test": [0.05, 0.045]}
PUBLISHED = {
    "label": "as published",
    "train": [[0.08, 0.07], [0.09, 0.072], [0.085, 0.071]],
    "test": [[0.08, 0.07], [0.09, 0.072], [0.085, 0.071]],
    "published_curve": [0.081, 0.0702],
    "reading_error": 0.001,
}
MAP = {"title": "a\nmap", "codes": RNG.normal(size=(300, 2)), "labels": LABELS, "axis": "code {}"}


def axes_of(figure):
    return [axes for part in figure.subfigs for axes in part.axes]


def bands(axes):
    return [band for band in axes.collections if len(band.get_paths()) and band.get_alpha() == 0.2]


def legend(figure):
    return [
        text.get_text() for part in figure.subfigs for one in part.legends for text in one.texts
    ]


def test_losses_of_one_unit_share_axes_and_others_do_not():
    losses = {"MSE a pixel": [PUBLISHED, CURVE], "nats": [{**CURVE, "train": [150.0, 140.0]}]}
    mse, nats = axes_of(composite(losses, [], []))
    assert (mse.get_ylabel(), nats.get_ylabel()) == ("MSE a pixel", "nats")
    assert len(mse.lines) == 2 * 2 + 1 and len(nats.lines) == 2
    low, high = mse.get_ylim()
    assert low < 0.04 and high > 0.09 and nats.get_ylim()[1] > 140


def test_an_experiment_has_one_colour_and_its_test_loss_is_dashed():
    losses = {"MSE a pixel": [PUBLISHED, CURVE], "nats": [CURVE]}
    mse, nats = axes_of(composite(losses, [], []))
    train, test = nats.lines
    assert train.get_color() == test.get_color() and not train.is_dashed() and test.is_dashed()
    colours = {line.get_color() for line in mse.lines if line.get_linestyle() != "None"}
    assert train.get_color() in colours and len(colours) == 2


def test_several_seeds_are_a_band_and_one_is_none():
    figure = composite({"MSE": [PUBLISHED]}, [], [])
    (axes,) = axes_of(figure)
    assert len(bands(axes)) == 2 and EN["seeds"].format(n=3) in legend(figure)
    train = next(line for line in axes.lines if len(line.get_ydata()) == 2 and line.get_color())
    edges = bands(axes)[0].get_paths()[0].vertices[:, 1]
    assert edges.min() == 0.07 and edges.max() == 0.09
    assert train.get_ydata()[0] in (pytest.approx(0.085), 0.081)
    figure = composite({"MSE": [CURVE]}, [], [])
    assert not bands(axes_of(figure)[0]) and len(legend(figure)) == 3


@pytest.mark.parametrize("language", WORDS)
def test_the_legend_is_no_wider_than_the_page(language):
    names = [f"{WORDS[language]['cae-classifier']} {i}" for i in range(4)]
    curves = [{**PUBLISHED, "label": name} for name in names]
    figure = composite({"MSE": curves}, [], [], language)
    (one,) = figure.subfigs[0].legends
    assert len(one.texts) == 4 + 4
    assert one.get_window_extent().width <= figure.bbox.width


def test_what_was_published_lies_behind():
    figure = composite({"MSE": [PUBLISHED, {**CURVE, "published": 0.0685}]}, [], [])
    (axes,) = axes_of(figure)
    dots = axes.containers[0].lines[0]
    np.testing.assert_allclose(dots.get_xydata()[:, 1], PUBLISHED["published_curve"])
    ours = [line for line in axes.lines if line.get_linestyle() in ("-", "--")]
    assert all(dots.get_zorder() < line.get_zorder() for line in ours)
    assert {EN["published"], "published figure 0.0685"} <= set(legend(figure))


@pytest.mark.parametrize(
    "parts", [(1, 1, 1), (1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 1, 1), (1, 0, 1)]
)
def test_what_is_missing_is_left_out(parts):
    losses, images, maps = parts
    figure = composite(
        {"MSE": [CURVE]} if losses else {},
        [("digits", DIGITS)] * 3 if images else [],
        [MAP] * 2 if maps else [],
    )
    assert len(figure.subfigs) == sum(parts)
    assert len(axes_of(figure)) == losses + 3 * images + 2 * maps


def test_nothing_at_all():
    with pytest.raises(ValueError, match="nothing to draw"):
        composite({}, [], [])


def test_rows_and_maps_carry_their_names():
    figure = composite({}, [("digits", DIGITS), ("back", DIGITS)], [MAP])
    digits, back, plane = axes_of(figure)
    assert (digits.get_ylabel(), back.get_ylabel()) == ("digits", "back")
    assert plane.get_title() == "a\nmap" and plane.get_xlabel() == "code 1"
    assert legend(figure) == [str(digit) for digit in range(10)]


def test_both_languages_have_the_same_words():
    assert EN.keys() == ZH.keys()
    for key, text in EN.items():
        assert sorted(_fields(text)) == sorted(_fields(ZH[key])), key


def _fields(text):
    return [part.split("}")[0].split(":")[0] for part in text.split("{")[1:]]


def test_every_chinese_character_is_in_the_font():
    have = TTFont(TARGET).getBestCmap()
    assert not [c for c in characters() if ord(c) not in have]
    assert set("训练测试轮数") <= set(characters())


def test_the_chinese_picture_has_no_missing_glyph(recwarn):
    words = WORDS["zh"]
    titled = [{**MAP, "title": words["map"].format(name=words["ae"], n=300)}]
    figure = composite(
        {words["MSE a pixel"]: [PUBLISHED]}, [(words["image"], DIGITS)], titled, "zh"
    )
    figure.canvas.draw()
    assert not [w for w in recwarn if "missing from font" in str(w.message)]
    assert words["train"] in legend(figure)


def test_the_font_is_small_and_has_its_licence():
    assert TARGET.stat().st_size < 100_000
    assert "SIL OPEN FONT LICENSE" in (TARGET.parent / "LICENCE.txt").read_text(encoding="utf-8")
