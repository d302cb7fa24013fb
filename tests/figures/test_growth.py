import pytest

from Code.figures import style
from Code.figures.growth import growth_curves

PANELS = {
    "images": {"784-2-784": {1000: 0.003, 60000: 0.15, 4000: 0.01}, "deep": {1000: 0.02, 60000: 1}},
    "units of the code": {"784-2-784": {2: 0.15, 128: 0.6}},
    "units of the hidden layer": {"deep": {128: 0.4, 512: 1.1, 2048: 8.0}},
    "images a batch": {"deep": {n: 40 / n for n in (16, 32, 64, 128, 256, 512)}},
}


@pytest.mark.slow
def test_one_panel_a_setting_and_one_legend():
    figure = growth_curves(PANELS, "seconds an epoch")
    assert [axes.get_xlabel() for axes in figure.axes] == list(PANELS)
    assert {(a.get_xscale(), a.get_yscale()) for a in figure.axes} == {("log", "log")}
    assert len({axes.get_ylim() for axes in figure.axes}) == 1
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["784-2-784", "deep"]
    first = figure.axes[0].lines[0]
    assert list(first.get_xdata()) == [1000, 4000, 60000]
    assert list(first.get_ydata()) == [0.003, 0.01, 0.15]


@pytest.mark.slow
def test_a_network_looks_the_same_in_every_panel():
    figure = growth_curves(PANELS, "seconds an epoch")
    colours = {}
    for axes in figure.axes:
        for line in axes.lines:
            colours.setdefault(line.get_label(), set()).add(line.get_color())
    assert all(len(found) == 1 for found in colours.values())


@pytest.mark.slow
def test_nothing_lies_on_anything_or_leaves_the_canvas():
    figure = growth_curves(PANELS, "seconds an epoch")
    renderer = figure.canvas.get_renderer()
    figure.draw(renderer)
    width, height = figure.canvas.get_width_height()
    for axes in figure.axes:
        box = axes.get_tightbbox(renderer)
        assert box.x0 >= -0.5 and box.y0 >= -0.5
        assert box.x1 <= width + 0.5 and box.y1 <= height + 0.5
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            labels = zip(axis.get_majorticklocs(), axis.get_ticklabels(), strict=True)
            boxes = [t.get_window_extent(renderer) for x, t in labels if low <= x <= high]
            assert boxes
            assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


@pytest.mark.slow
def test_equal_bytes(tmp_path):
    saved = [
        style.save(growth_curves(PANELS, "s"), tmp_path / f"{i}.png").read_bytes() for i in "ab"
    ]
    assert saved[0] == saved[1]


@pytest.mark.parametrize("panels", [{}, {"images": {}}, {"images": {"a": {}}}])
def test_nothing_to_draw(panels):
    with pytest.raises(ValueError, match="at least one"):
        growth_curves(panels, "s")


@pytest.mark.parametrize("curve", [{0: 1.0}, {1: 0.0}])
def test_logarithms_need_positive_numbers(curve):
    with pytest.raises(ValueError, match="above 0"):
        growth_curves({"images": {"a": curve}}, "s")
