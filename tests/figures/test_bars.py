import pytest

from Code.figures.bars import ratio_bars

ROWS = {"ae": {"compiled": 13.62, "parallel": 0.5}, "dae": {"parallel": 2.0}}


def spans(axes):
    return sorted(
        tuple(sorted((bar.get_y(), bar.get_y() + bar.get_height()))) for bar in axes.patches
    )


def test_bars_stand_on_one_on_the_logarithmic_axis():
    axes = ratio_bars(ROWS, "times as fast").axes[0]
    assert axes.get_yscale() == "log"
    assert spans(axes) == [(0.5, 1.0), (1.0, 2.0), (1.0, pytest.approx(13.62))]
    low, high = axes.get_ylim()
    assert low < 0.5 and high > 13.62


def test_bars_stand_on_zero_on_the_linear_axis():
    axes = ratio_bars(ROWS, "times as fast", log=False).axes[0]
    assert axes.get_yscale() == "linear"
    assert spans(axes) == [(0, 0.5), (0, 2.0), (0, 13.62)]


def test_values_groups_and_labels_are_written():
    figure = ratio_bars(ROWS, "times as fast")
    axes = figure.axes[0]
    assert {text.get_text() for text in axes.texts} == {"13.6", "0.5", "2"}
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["ae", "dae"]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["compiled", "parallel"]
    assert axes.get_ylabel() == "times as fast"


def test_a_single_label_needs_no_legend():
    assert not ratio_bars({"ae": {"ratio": 1.02}, "dae": {"ratio": 1.1}}, "ratio").legends


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_a_ratio_must_be_positive(value):
    with pytest.raises(ValueError, match="ae, fast: a ratio must be above 0"):
        ratio_bars({"ae": {"fast": value}}, "")


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="at least one"):
        ratio_bars({"ae": {}}, "")
