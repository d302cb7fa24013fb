import itertools

import pytest
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from Code.figures.structure import structure

ENCODER = {
    "title": "Encoder",
    "layers": [("Input", "784", 0), ("Dense 128, relu", "128", 100480), ("Dense 2", "2", 258)],
}
DECODER = {"title": "Decoder", "layers": [("Dense 784, tanh", "784", 1), ("Reshape", "28×28", 0)]}
HEAD = {"title": "Classifier head", "layers": [("Dense 10, softmax", "10", 30)], "from": "Encoder"}


def texts(figure):
    return [text.get_text().strip() for text in figure.axes[0].texts]


def parts(figure, kind):
    return [patch for patch in figure.axes[0].patches if isinstance(patch, kind)]


def ends(arrow):
    vertices = arrow._path_original.vertices
    return vertices[0], vertices[-1]


def box_at(figure, name):
    place = {text.get_text(): text.get_position() for text in figure.axes[0].texts}[name]
    for box in parts(figure, FancyBboxPatch):
        left, top = box.get_x(), box.get_y()
        inside = left <= place[0] <= left + box.get_width()
        if inside and top <= place[1] <= top + box.get_height():
            return box
    raise AssertionError(f"no box around {name}")


def touches(point, box):
    left, top = box.get_x() - 0.5, box.get_y() - 0.5
    across = left <= point[0] <= left + box.get_width() + 1
    return across and top <= point[1] <= top + box.get_height() + 1


def test_every_layer_has_a_box_with_name_shape_and_parameters():
    figure = structure([ENCODER, DECODER], "a model")
    assert len(parts(figure, FancyBboxPatch)) == 5
    found = texts(figure)
    for expected in ("a model", "Encoder", "Decoder", "Dense 128, relu", "28×28"):
        assert expected in found
    assert "128  ·  100,480 parameters" in found
    assert "784  ·  1 parameter" in found
    assert "100,738 parameters" in found


def test_no_box_overlaps_another():
    figure = structure([ENCODER, DECODER, HEAD], "")
    boxes = [box.get_window_extent() for box in parts(figure, FancyBboxPatch)]
    for i, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[:i])


def linked(figure, source, target):
    one, other = box_at(figure, source), box_at(figure, target)
    arrows = map(ends, parts(figure, FancyArrowPatch))
    return any(touches(start, one) and touches(end, other) for start, end in arrows)


@pytest.mark.parametrize("source, last", [("Encoder", "Dense 2"), ("Decoder", "Reshape")])
def test_the_head_hangs_on_the_block_it_reads(source, last):
    figure = structure([ENCODER, DECODER, HEAD | {"from": source}], "")
    assert linked(figure, "Dense 2", "Dense 784, tanh")
    assert linked(figure, last, "Dense 10, softmax")
    assert len(parts(figure, FancyArrowPatch)) == 3 + 2


def test_a_head_between_does_not_break_the_chain():
    figure = structure([ENCODER, HEAD, DECODER], "")
    assert linked(figure, "Dense 2", "Dense 784, tanh")


def test_two_heads_on_one_block():
    other = {"title": "Second head", "layers": [("Dense 3", "3", 9)], "from": "Encoder"}
    figure = structure([ENCODER, DECODER, HEAD, other], "")
    assert linked(figure, "Dense 2", "Dense 10, softmax") and linked(figure, "Dense 2", "Dense 3")


BRANCHED = {
    "title": "Encoder",
    "layers": [
        ("Input", "784", 0),
        ("Dense 128", "128", 1),
        ("Dense 10, softmax", "10", 1),
        ("Flatten", "784", 0),
        ("Concatenate", "794", 0),
        ("z_mean: Dense 2", "2", 1),
        ("z_log_var: Dense 2", "2", 1),
    ],
    "sources": [[], [0], [1], [0], [2, 3], [4], [4]],
}
SAMPLE = {"title": "sample", "layers": [("z = μ + σ ε", "2", 0)]}


def test_branches_run_side_by_side():
    figure = structure([BRANCHED], "")
    place = {name: box_at(figure, name) for name, _, _ in BRANCHED["layers"]}
    for one, other in (("Dense 128", "Flatten"), ("z_mean: Dense 2", "z_log_var: Dense 2")):
        assert place[one].get_y() == place[other].get_y()
        assert place[one].get_x() + place[one].get_width() <= place[other].get_x()
    boxes = [box.get_window_extent() for box in parts(figure, FancyBboxPatch)]
    for i, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[:i])


def test_every_layer_has_an_arrow_from_each_that_it_reads():
    figure = structure([BRANCHED], "")
    names = [name for name, _, _ in BRANCHED["layers"]]
    for target, sources in enumerate(BRANCHED["sources"]):
        for source in sources:
            assert linked(figure, names[source], names[target])
    assert len(parts(figure, FancyArrowPatch)) == 7


def test_no_arrow_runs_through_a_box():
    figure = structure([BRANCHED, SAMPLE, DECODER], "")
    for arrow in parts(figure, FancyArrowPatch):
        way = arrow._path_original.vertices
        for (x0, y0), (x1, y1) in itertools.pairwise(way):
            for box in parts(figure, FancyBboxPatch):
                left, top = box.get_x() + 1, box.get_y() + 1
                right, bottom = left + box.get_width() - 2, top + box.get_height() - 2
                across = min(x0, x1) < right and max(x0, x1) > left
                assert not (across and min(y0, y1) < bottom and max(y0, y1) > top)


def test_a_sample_stands_between_encoder_and_decoder_and_reads_both_ends():
    rival = {"title": "discriminator", "layers": [("Dense 1", "1", 3)], "from": "sample"}
    figure = structure([BRANCHED, SAMPLE, DECODER, rival], "")
    for end in ("z_mean: Dense 2", "z_log_var: Dense 2"):
        assert linked(figure, end, "z = μ + σ ε")
    assert linked(figure, "z = μ + σ ε", "Dense 784, tanh")
    assert linked(figure, "z = μ + σ ε", "Dense 1")


@pytest.mark.parametrize(
    "blocks, message",
    [
        ([], "at least one"),
        ([{"title": "Encoder", "layers": []}], "'Encoder' has no layer"),
        ([ENCODER, HEAD | {"from": "Code"}], "'Code'.*Encoder"),
    ],
)
def test_what_cannot_be_drawn(blocks, message):
    with pytest.raises(ValueError, match=message):
        structure(blocks, "")
