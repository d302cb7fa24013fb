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
    """The names of classes; notes are longer."""
    names = [text for text in axes.texts if 0 < len(text.get_text()) <= 3]
    return {text.get_text(): np.array(text.get_position()) for text in names}


def notes(axes):
    return [text.get_text() for text in axes.texts if len(text.get_text()) > 3]


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


@pytest.mark.parametrize("codes", [CODES, CODES * [1, 1e-3], 1e-6 * CODES, 1e6 * CODES])
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
        np.full((500, 2), 1e-3),
        1e-3 + 1e-10 * RNG.normal(size=(500, 2)),
        np.column_stack([CODES[:, 0], np.zeros(500)]),
        np.maximum(CODES - 8, 0),
    ],
)
def test_collapsed_codes_leave_numerals_apart_and_inside(codes):
    axes = draw(codes, LABELS).axes[0]
    places = np.array(list(numerals(axes).values()))
    assert len(places) == 10 and holds_all(axes, places)
    gaps = np.linalg.norm(places[:, None] - places, axis=2)[~np.eye(10, dtype=bool)]
    assert gaps.min() > 0.04 * np.ptp(axes.get_xlim())


def test_a_few_far_dots_are_left_out_and_counted():
    far = np.vstack([CODES[4:], [[900, 3], [-600, 0], [0, 600], [0, -600]]])
    axes = draw(far, LABELS).axes[0]
    assert holds_all(axes, CODES[4:]) or np.ptp(axes.get_xlim()) > 0.9 * np.ptp(CODES)
    assert np.ptp(axes.get_xlim()) < 1.6 * np.ptp(CODES)
    low, high = np.transpose([axes.get_xlim(), axes.get_ylim()])
    outside = int(((far < low) | (far > high)).any(axis=1).sum())
    assert notes(axes) == [f"{outside} of 500 points lie outside"] and outside >= 4
    assert not notes(draw(CODES, LABELS).axes[0])


def test_classes_that_far_ones_would_hide_are_drawn_on_another_scale():
    """Two classes in ten reach a hundred times as far as the others: they are no outliers."""
    codes = CODES * np.where(np.isin(LABELS, (2, 6)), 100.0, 1.0)[:, None]
    axes = draw(codes, LABELS).axes[0]
    assert axes.get_xscale() == axes.get_yscale() == "asinh"
    assert any("logarithmic beyond" in note for note in notes(axes))
    box = axes.get_window_extent()
    near = codes[~np.isin(LABELS, (2, 6))]
    places = axes.transData.transform(near)
    on_linear_axes = np.ptp(near, axis=0).max() / np.ptp(codes, axis=0).max()
    assert np.ptp(places, axis=0).max() / box.width > 10 * on_linear_axes


def test_the_last_bits_of_a_straight_through_code_make_no_places():
    rng = np.random.default_rng(0)
    entries = rng.normal(size=(4, 2)).astype(np.float32)
    encoded = rng.normal(size=(500, 2)).astype(np.float32)
    # As the estimator computes it: z_e + (z_q − z_e)
    codes = encoded + (entries[rng.integers(0, 4, 500)] - encoded)
    assert len(np.unique(codes, axis=0)) > 4
    figure = code_maps([("500 test digits", codes, rng.integers(0, 10, 500))], "", "")
    assert figure.axes[0].get_title() == "500 test digits, at 4 places"


def test_codes_of_few_places_are_drawn_as_places():
    book = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [2.0, 2.0]])
    which = np.array([0] * 300 + [1] * 100 + [2] * 60 + [3] * 40)
    labels = np.where(which == 3, 7, 1)
    figure = code_maps([("500 test digits", book[which], labels)], "", "")
    axes = figure.axes[0]
    assert axes.get_title() == "500 test digits, at 4 places"
    dots = axes.collections[0]
    np.testing.assert_array_equal(dots.get_offsets(), book)
    assert (np.diff(dots.get_sizes()) < 0).all()
    np.testing.assert_array_equal(dots.get_facecolors()[0], dots.get_facecolors()[2])
    assert (dots.get_facecolors()[0] != dots.get_facecolors()[3]).any()


def test_many_dots_are_small_and_let_others_through():
    many, few = (
        draw(np.tile(CODES, (n, 1)) + RNG.normal(size=(500 * n, 2)), np.tile(LABELS, n)).axes[0]
        for n in (20, 1)
    )
    assert many.collections[0].get_alpha() < 0.5
    assert many.collections[0].get_sizes()[0] < few.collections[0].get_sizes()[0]


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
