"""What must hold for any figure: equal bytes, nothing outside the canvas, no global state."""

import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from Code.figures import style
from Code.figures.bars import ratio_bars
from Code.figures.curves import loss_curves, psnr_curves, term_curves
from Code.figures.family import composite
from Code.figures.images import grid, image_rows, manifold
from Code.figures.palette import GREYS
from Code.figures.scatter import code_maps
from Code.figures.structure import structure

RNG = np.random.default_rng(0)
LABELS = np.arange(2000) % 10
CODES = RNG.normal(size=(2000, 2)) + 4 * np.column_stack([np.cos(LABELS), np.sin(LABELS)])
TAILS = np.exp(2 * RNG.normal(size=(2000, 1)))
DIGITS = RNG.random((10, 28, 28))
AXIS = np.linspace(-4, 4, 5)
STAGE = {
    "title": "unsupervised stage",
    "ylabel": "mean squared error per pixel",
    "train": [0.11, 0.08, 0.07],
    "test": [0.10, 0.08, 0.075],
    "published": 0.0702,
}
THREE_SEEDS = [[0.11, 0.08, 0.07], [0.12, 0.09, 0.07], [0.1, 0.07, 0.06]]
FAMILY = (
    {
        "MSE a pixel": [
            {
                **STAGE,
                "label": "as published",
                "train": THREE_SEEDS,
                "published_curve": [0.1, 0.09],
            },
            {**STAGE, "label": "corrected, 2 units"},
        ],
        "cross-entropy a pixel (nats)": [{**STAGE, "label": "corrected, wide code"}],
    },
    [("test digits", DIGITS), ("corrected, wide code", DIGITS)],
    [{"title": "a\nmap", "codes": CODES, "labels": LABELS, "axis": "code {}"}] * 3,
)
LONG = [(f"Conv 3×3 ×{16 * i}, relu", "128×128×16", 10**i) for i in range(1, 8)]


def head(source: str) -> dict:
    return {"title": "Classifier head", "layers": [("Dense 10, softmax", "10", 30)], "from": source}


EXAMPLES = {
    "one stage": lambda: loss_curves([STAGE]),
    "two stages": lambda: loss_curves([STAGE, {**STAGE, "published": 1234.5}]),
    "three stages": lambda: loss_curves([STAGE] * 3),
    "one epoch": lambda: loss_curves([{**STAGE, "train": [0.1], "test": [0.2]}]),
    "terms": lambda: term_curves(
        {"reconstruction": {"train": [190, 150], "test": [180, 149]}, "KL": {"train": [3, 6]}},
        "nats an image",
    ),
    "psnr": lambda: psnr_curves([0.25, 0.5], {"denoised": [21, 20], "noisy input": [13, 8]}),
    "rows": lambda: image_rows([("clean", DIGITS), ("after the supervised stage", DIGITS)]),
    "few images": lambda: image_rows([("a label beside one image", DIGITS[:1])]),
    "manifold": lambda: manifold(np.tile(DIGITS[:1], (5, 5, 1, 1)), AXIS, AXIS, "z 1", "z 2"),
    "one map": lambda: code_maps([("test set", CODES, LABELS)], "code 1", "code 2"),
    "two maps": lambda: code_maps(
        [("before", CODES, LABELS), ("after", 1e4 * CODES, LABELS)],
        "principal component 1 of the code",
        "principal component 2 of the code",
    ),
    "map with outliers": lambda: code_maps(
        [("test set", np.vstack([CODES, 900 * CODES[:5]]), np.append(LABELS, [1] * 5))],
        "code 1",
        "code 2",
    ),
    "heavy tails": lambda: code_maps([("test set", CODES * TAILS, LABELS)] * 2, "code 1", "code 2"),
    "grid with labels": lambda: grid(
        np.tile(DIGITS, (2, 1, 1)),
        10,
        ["unit 3", "unit 12"],
        [f"{i}" for i in range(10)],
        "value of the unit; all others are 0",
        "first",
    ),
    "grid in two blocks": lambda: grid(
        np.tile(DIGITS, (30, 1, 1)), 10, [str(i) for i in range(30)], ["a"] * 10, "style", "kind"
    ),
    "family": lambda: composite(*FAMILY),
    "family in Chinese": lambda: composite(*FAMILY, "zh"),
    "collapsed map": lambda: code_maps(
        [("", np.zeros((20, 2)), np.arange(20) % 10)], "code 1", "code 2"
    ),
    "map far from zero": lambda: code_maps(
        [("before", CODES - 1e7, LABELS), ("after", 1e-5 * CODES, LABELS)], "code 1", "code 2"
    ),
    "structure": lambda: structure(
        [
            {"title": "Encoder", "layers": LONG},
            {"title": "Code", "layers": [("Code", "2", 0)]},
            {"title": "Decoder", "layers": LONG + LONG[:5]},
            head("Decoder"),
        ],
        "a network of twelve layers",
    ),
    "small structure": lambda: structure(
        [{"title": "E", "layers": [("Dense 2", "2", 1)]}], "a title wider than all that it is above"
    ),
    "bars": lambda: ratio_bars(
        {"ae": {"compiled": 13.6, "slow": 0.45}, "dae": {"slow": 0.8}}, "times as fast as plain fit"
    ),
    "branches": lambda: structure(
        [
            {
                "title": "encoder",
                "layers": [("Input", "784", 0), ("Dense 2", "2", 9), ("Dense 2", "2", 9)],
                "sources": [[], [0], [0]],
            },
            {"title": "sample", "layers": [("z = μ + σ ε,  ε ~ N(0, I)", "2", 0)]},
            {"title": "decoder", "layers": LONG[:3]},
            {"title": "discriminator", "layers": LONG[:2], "from": "sample"},
        ],
        "a VAE",
    ),
    "many linear bars": lambda: ratio_bars(
        {f"cae-denoising-{i}": {"a": 1.2, "b": 0.8, "c": 1234.5} for i in range(8)},
        "ratio",
        log=False,
    ),
}


# Of each function one; the others are for the slow tests
ONE_EACH = (
    "two stages",
    "terms",
    "psnr",
    "rows",
    "manifold",
    "grid with labels",
    "two maps",
    "family",
    "branches",
    "small structure",
    "bars",
)
NAMES = [
    name if name in ONE_EACH else pytest.param(name, marks=pytest.mark.slow) for name in EXAMPLES
]


@pytest.fixture(params=NAMES, scope="module")
def name(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def figure(name) -> Figure:
    """Drawn, so that each text knows its place."""
    drawn = EXAMPLES[name]()
    drawn.draw(drawn.canvas.get_renderer())
    return drawn


def _texts(figure: Figure) -> list[Text]:
    return [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]


def test_no_text_leaves_the_canvas(figure):
    renderer = figure.canvas.get_renderer()
    width, height = figure.canvas.get_width_height()
    # Ticks beyond the limits exist but are not drawn; an axis knows which ones are.
    drawn = [t for t in _texts(figure) if not _is_tick(figure, t)]
    boxes = [(t.get_text(), t.get_window_extent(renderer)) for t in drawn]
    boxes += [(repr(a), a.get_tightbbox(renderer)) for a in figure.axes]
    assert boxes
    for what, box in boxes:
        assert box.x0 >= -0.5 and box.y0 >= -0.5, (what, box)
        assert box.x1 <= width + 0.5 and box.y1 <= height + 0.5, (what, box)


def _is_tick(figure: Figure, text: Text) -> bool:
    axes = [axis for a in figure.axes for axis in (a.xaxis, a.yaxis)]
    return any(text in axis.get_ticklabels(which="both") for axis in axes)


def test_no_text_lies_on_other_text(figure):
    renderer = figure.canvas.get_renderer()
    texts = [t for t in _texts(figure) if not _is_tick(figure, t)]
    boxes = [t.get_window_extent(renderer) for t in texts]
    for i, one in enumerate(boxes):
        for j in range(i):
            across = min(one.x1, boxes[j].x1) - max(one.x0, boxes[j].x0)
            along = min(one.y1, boxes[j].y1) - max(one.y0, boxes[j].y0)
            assert min(across, along) < 4, (texts[i].get_text(), texts[j].get_text())


def test_no_tick_label_lies_on_another(figure):
    renderer = figure.canvas.get_renderer()
    for axis in (axis for axes in figure.axes if axes.axison for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        labels = zip(axis.get_majorticklocs(), axis.get_ticklabels(), strict=True)
        boxes = [t.get_window_extent(renderer) for x, t in labels if low <= x <= high]
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


@pytest.mark.slow
def test_two_saves_and_two_drawings_give_equal_bytes(name, figure, tmp_path):
    first = style.save(figure, tmp_path / "a.png").read_bytes()
    assert style.save(figure, tmp_path / "b.png").read_bytes() == first
    assert style.save(EXAMPLES[name](), tmp_path / "b.png").read_bytes() == first
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "b.png"]
    with Image.open(tmp_path / "a.png") as image:
        assert not image.info
        assert image.width <= 1.15 * style.PAGE_WIDTH


def test_the_users_settings_neither_matter_nor_change(tmp_path):
    expected = style.save(EXAMPLES["one stage"](), tmp_path / "a.png").read_bytes()
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 20}):
        assert style.save(EXAMPLES["one stage"](), tmp_path / "b.png").read_bytes() == expected
        assert matplotlib.rcParams["font.size"] == 30


def test_saved_pixels_are_the_drawn_ones(tmp_path):
    figure = EXAMPLES["one map"]()
    with Image.open(style.save(figure, tmp_path / "a.png")) as image:
        saved = np.asarray(image.convert("RGB")).astype(int)
    drawn = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    assert np.abs(saved - drawn).mean() < 1
    white = (drawn == 255).all(axis=-1)
    np.testing.assert_array_equal(saved[white], drawn[white])


def test_grey_pictures_are_saved_in_few_greys(tmp_path):
    figure = image_rows([("digits", DIGITS)])
    with Image.open(style.save(figure, tmp_path / "a.png")) as image:
        colours = [colour for _, colour in image.convert("RGB").getcolors()]
    assert len(colours) <= GREYS
    assert all(red == green == blue for red, green, blue in colours)


def test_a_map_of_the_whole_test_set_is_a_small_file(tmp_path):
    labels = RNG.integers(0, 10, 10_000)
    figure = code_maps([("", RNG.normal(size=(10_000, 2)), labels)], "code 1", "code 2")
    assert style.save(figure, tmp_path / "a.png").stat().st_size < 100_000


def test_only_png(tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.png"):
        style.save(EXAMPLES["one stage"](), tmp_path / "a.svg")


def test_neither_pyplot_nor_keras_is_imported():
    modules = ["style", "curves", "images", "scatter", "structure", "bars", "family", "ideas"]
    code = f"import sys; from Code.figures import {', '.join(modules)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"matplotlib.pyplot", "keras", "tensorflow"} & set(done.stdout.split())
