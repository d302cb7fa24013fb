import numpy as np
import pytest

from Code.figures.scatter import code_maps

RNG = np.random.default_rng(1)
LABELS = np.arange(500) % 10
CENTRES = 10 * np.column_stack([np.cos(np.arange(10) * 0.628), np.sin(np.arange(10) * 0.628)])
CODES = CENTRES[LABELS] + RNG.normal(size=(500, 2))


def draw(codes, labels):
    return code_maps([("a map", np.asarray(codes), np.asarray(labels))], "code 1", "code 2")


def numerals(axes):
    return {text.get_text(): np.array(text.get_position()) for text in axes.texts}


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def holds_all(axes, codes):
    (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
    x, y = np.transpose(codes)
    return x0 < x.min() and x.max() < x1 and y0 < y.min() and y.max() < y1


def test_titles_labels_and_legend():
    figure = code_maps([("before", CODES, LABELS), ("after", 2 * CODES, LABELS)], "u", "v")
    assert [a.get_title() for a in figure.axes] == ["before", "after"]
    assert [a.get_xlabel() for a in figure.axes] == ["u", "u"]
    assert figure.axes[0].get_ylabel() == "v"
    assert legend(figure) == [str(digit) for digit in range(10)]


def test_every_point_is_drawn_in_the_colour_of_its_class():
    points = draw(CODES, LABELS).axes[0].collections[0]
    np.testing.assert_allclose(points.get_offsets(), CODES)
    colours = points.get_facecolors()
    assert len(np.unique(colours, axis=0)) == 10
    for digit in range(10):
        assert len(np.unique(colours[digit == LABELS], axis=0)) == 1


@pytest.mark.parametrize(
    "codes",
    [CODES, CODES * [1, 1e-3], 1e-6 * CODES, 1e6 * CODES, np.vstack([CODES[1:], [[900, 3]]])],
)
def test_axes_are_equal_and_nothing_is_clipped(codes):
    axes = draw(codes, LABELS).axes[0]
    box = axes.get_window_extent()
    scales = box.width / np.ptp(axes.get_xlim()), box.height / np.ptp(axes.get_ylim())
    assert scales[0] == pytest.approx(scales[1], rel=1e-6)
    assert holds_all(axes, codes)


def test_numerals_stand_at_the_medians():
    found = numerals(draw(CODES, LABELS).axes[0])
    for digit in range(10):
        median = np.median(CODES[digit == LABELS], axis=0)
        np.testing.assert_allclose(found[str(digit)], median, atol=0.05)


@pytest.mark.parametrize(
    "codes",
    [
        np.zeros((500, 2)),
        np.full((500, 2), 3.7),
        np.full((500, 2), -1e7),
        np.column_stack([CODES[:, 0], np.zeros(500)]),
        np.maximum(CODES - 8, 0),
    ],
)
def test_collapsed_codes_leave_numerals_apart_and_inside(codes):
    axes = draw(codes, LABELS).axes[0]
    assert holds_all(axes, codes)
    places = np.array(list(numerals(axes).values()))
    assert len(places) == 10 and holds_all(axes, places)
    gaps = np.linalg.norm(places[:, None] - places, axis=2)[~np.eye(10, dtype=bool)]
    assert gaps.min() > 0.04 * np.ptp(axes.get_xlim())


def test_names_of_absent_and_of_more_than_ten_classes():
    labels, names = np.where(LABELS < 5, 1, 12), [f"c{i}" for i in range(26)]
    figure = code_maps([("", CODES, labels)], "", "", names)
    assert legend(figure) == ["c1", "c12"]
    assert set(numerals(figure.axes[0])) == {"c1", "c12"}
    figure = code_maps([("", CODES, labels)], "", "", [f"class {name}" for name in names])
    assert legend(figure) == ["class c1", "class c12"] and not numerals(figure.axes[0])
    with pytest.raises(ValueError, match="labels from 1 to 12, but 10 classes"):
        draw(CODES, labels)


def test_a_map_without_labels_and_one_of_very_many_classes_have_no_names():
    for labels, n in ((None, 10), (np.arange(len(CODES)) % 100, 100)):
        figure = code_maps([("", CODES, labels)], "", "", [str(i) for i in range(n)])
        assert not figure.legends and not numerals(figure.axes[0])
        assert len(figure.axes[0].collections[0].get_offsets()) == len(CODES)


def test_classes_of_one_panel_only_are_in_the_legend():
    figure = code_maps([("", CODES, np.zeros(500)), ("", CODES, np.full(500, 7))], "", "")
    assert legend(figure) == ["0", "7"]


def test_one_point_and_none():
    assert set(numerals(draw([[1.0, 2.0]], [3]).axes[0])) == {"3"}
    assert not draw(np.zeros((0, 2)), np.zeros(0)).legends


def test_codes_that_cannot_be_drawn():
    with pytest.raises(ValueError, match="at least one panel"):
        code_maps([], "", "")
    with pytest.raises(ValueError, match=r"a map.*shape"):
        draw(np.zeros((5, 3)), np.zeros(5))
    with pytest.raises(ValueError, match="shape"):
        draw(np.zeros((5, 2)), np.zeros(4))
    with pytest.raises(ValueError, match="diverged"):
        draw([[0, np.nan]], [1])
