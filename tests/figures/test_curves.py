from itertools import pairwise

import numpy as np
import pytest

from Code.figures.curves import loss_curves, psnr_curves, term_curves
from tests.support import some


def stage(**changes):
    return {
        "title": "unsupervised",
        "ylabel": "MSE",
        "train": [0.3, 0.2, 0.1],
        "test": [0.25, 0.2, 0.15],
        "published": None,
    } | changes


def curves_of(axes):
    return {line.get_label(): line for line in axes.lines if line.get_label()[0] != "_"}


def test_a_panel_a_stage_with_its_labels():
    figure = loss_curves([stage(), stage(title="supervised", ylabel="cross-entropy")])
    assert [a.get_title() for a in figure.axes] == ["unsupervised", "supervised"]
    assert [a.get_ylabel() for a in figure.axes] == ["MSE", "cross-entropy"]
    assert {a.get_xlabel() for a in figure.axes} == {"epoch"}
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert legend == ["train", "test"]


def test_train_and_test_differ_in_colour_and_in_style():
    lines = curves_of(loss_curves([stage()]).axes[0])
    assert lines["train"].get_color() != lines["test"].get_color()
    assert lines["train"].is_dashed() != lines["test"].is_dashed()
    np.testing.assert_array_equal(lines["train"].get_xydata(), [[1, 0.3], [2, 0.2], [3, 0.1]])


def test_the_published_value_is_a_dashed_line_with_its_number():
    axes = loss_curves([stage(published=145.1)]).axes[0]
    (line,) = [x for x in axes.lines if x not in curves_of(axes).values()]
    assert set(line.get_ydata()) == {145.1} and line.get_linestyle() == "--"
    assert any("145.1" in text.get_text() for text in axes.texts)
    low, high = axes.get_ylim()
    assert low < 0.1 and high > 145.1


def test_no_published_line_without_a_published_value():
    without = stage()
    del without["published"]
    for one in (stage(), without):
        axes = loss_curves([one]).axes[0]
        assert len(axes.lines) == 2 and not axes.texts


def test_one_epoch_is_a_marker_at_epoch_one():
    axes = loss_curves([stage(train=[0.1], test=[0.2])]).axes[0]
    assert all(line.get_marker() == "o" for line in axes.lines)
    assert axes.get_xticks().tolist() == [1]


def test_many_epochs_have_whole_ticks_and_no_markers():
    axes = loss_curves([stage(train=np.linspace(1, 0, 100))]).axes[0]
    ticks = axes.get_xticks()
    np.testing.assert_array_equal(ticks, np.round(ticks))
    assert curves_of(axes)["train"].get_marker() == "None"


@pytest.mark.parametrize("values", [[], [float("nan")], [None, 0.1]])
def test_a_split_without_values(values):
    axes = loss_curves([stage(test=values)]).axes[0]
    assert "train" in curves_of(axes)
    assert loss_curves([stage(train=[], test=[], published=0.1)]).axes[0].get_legend() is None


def test_seeds_are_a_band_about_their_mean():
    seeds = [[0.3, 0.2, 0.1], [0.5, 0.4], [0.4, 0.3, 0.3]]
    axes = loss_curves([stage(train=seeds, test=[])]).axes[0]
    np.testing.assert_allclose(curves_of(axes)["train"].get_ydata(), [0.4, 0.3, 0.2])
    (band,) = [part for part in axes.collections if part.get_alpha() == 0.2]
    edges = band.get_paths()[0].vertices
    assert (edges[:, 1].min(), edges[:, 1].max()) == (0.1, 0.5)
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["train", "range of 3 seeds"]


def test_one_seed_has_no_band():
    for values in ([0.3, 0.2], [[0.3, 0.2]]):
        axes = loss_curves([stage(train=values, test=[])]).axes[0]
        assert not axes.collections
        np.testing.assert_allclose(curves_of(axes)["train"].get_ydata(), [0.3, 0.2])


def test_limits_widen_the_axis_and_never_cut_a_curve():
    low, high = loss_curves([stage(limits=(0.0, 2.0))]).axes[0].get_ylim()
    assert (low, high) == (0.0, 2.0)
    low, high = loss_curves([stage(limits=(0.15, 0.16))]).axes[0].get_ylim()
    assert low < 0.1 and high > 0.3


@pytest.mark.parametrize("number", some(range(1, 8), 3, 7))
def test_no_panel_is_blank(number):
    figure = loss_curves([stage()] * number)
    drawn = [axes for axes in figure.axes if axes.lines]
    assert len(drawn) == number
    for axes in figure.axes:
        assert axes.lines or axes.get_legend()
    legends = [axes.get_legend() for axes in figure.axes if axes.get_legend()] + figure.legends
    assert legends


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="at least one"):
        loss_curves([])


def test_every_term_has_its_own_axis():
    terms = {
        "reconstruction": {"train": [190, 150], "test": [180, 149]},
        "KL divergence": {"train": [3, 6], "test": [3, 5.9]},
    }
    figure = term_curves(terms, "nats an image")
    assert [a.get_title() for a in figure.axes] == list(terms)
    assert figure.axes[1].get_ylim()[1] < 10 < figure.axes[0].get_ylim()[0]
    assert {a.get_ylabel() for a in figure.axes} == {"nats an image"}


def test_every_term_has_its_own_unit():
    terms = {name: {"train": [3, 2]} for name in ("reconstruction", "KL divergence")}
    figure = term_curves(terms, ["sum over the pixels", "nats"])
    assert [a.get_ylabel() for a in figure.axes] == ["sum over the pixels", "nats"]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_title_is_no_wider_than_its_panel_has_room(number):
    long = [f"cross-entropy of the labeller of the images {i}" for i in range(number)]
    figure = term_curves({title: {"train": [3, 2]} for title in long}, "nats")
    boxes = [axes.title.get_window_extent() for axes in figure.axes if axes.get_title()]
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.width for box in boxes)
    assert all(a.x1 <= b.x0 for a, b in pairwise(boxes))
    assert [a.get_title().replace("\n", " ") for a in figure.axes[:number]] == long


def test_psnr_against_level():
    axes = psnr_curves([0.0, 0.25, 0.5], {"noisy": [np.inf, 13, 8], "mean": [17, 16, 14]}).axes[0]
    noisy, mean = curves_of(axes).values()
    assert np.isnan(noisy.get_ydata()[0])
    assert mean.get_ydata().tolist() == [17, 16, 14]
    assert noisy.get_color() != mean.get_color() and noisy.get_linestyle() != mean.get_linestyle()
    assert "dB" in axes.get_ylabel() and "noise" in axes.get_xlabel()


def test_psnr_of_several_seeds_is_their_mean_with_a_band():
    figure = psnr_curves([0.25, 0.5], {"model": [[21, 20], [23, 21], [22, np.inf]]})
    (axes,) = figure.axes
    (line,) = curves_of(axes).values()
    np.testing.assert_allclose(line.get_xydata(), [[0.25, 22], [0.5, 20.5]])
    band = axes.collections[0].get_paths()[0].vertices
    assert {tuple(point) for point in band} >= {(0.25, 21), (0.25, 23), (0.5, 20), (0.5, 21)}
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["model", "range of 3 seeds"]


def test_psnr_curve_of_another_length():
    with pytest.raises(ValueError, match="model: 2 PSNR values for 3"):
        psnr_curves([0.1, 0.2, 0.3], {"model": [1, 2]})
    with pytest.raises(ValueError, match="model: 2 PSNR values for 3"):
        psnr_curves([0.1, 0.2, 0.3], {"model": [[1, 2], [1, 2]]})


def test_a_published_curve_is_dots_with_its_reading_error_and_no_line():
    curve = [0.29, 0.21, 0.11]
    axes = loss_curves([stage(published=0.11, published_curve=curve, reading_error=0.005)]).axes[0]
    dots, _, (bars,) = axes.containers[0].lines
    np.testing.assert_allclose(dots.get_xydata(), np.column_stack([[1, 2, 3], curve]))
    assert dots.get_linestyle() == "None"
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    np.testing.assert_allclose(ends, [[v - 0.005, v + 0.005] for v in curve])
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert set(legend) == {"train", "test", "published"}
    assert len(axes.lines) == 3  # train, test and the dots: no dashed line
    assert [text.get_text() for text in axes.texts] == ["0.11\npublished"]


def test_a_panel_without_a_published_curve_has_no_dots():
    assert not loss_curves([stage(published_curve=(), reading_error=0.0)]).axes[0].containers
