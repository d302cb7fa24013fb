"""The pictures of rows and families, from stored results; nothing is trained."""

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from Code.experiments.table import EXPERIMENTS, TABLE
from Code.reporting.contents import FAMILIES
from Code.runs import families, pictures, units
from Code.runs.store import HISTORY_COLUMNS, Store, csv_text
from tests.support import some

TEMPLATES = Path(pictures.__file__).parents[1] / "reporting" / "templates"
RNG = np.random.default_rng(0)


def views_of(row, n=60):
    """Arrays as a run of a row stores them."""
    digits = RNG.random((10, 28, 28)).astype(np.float32)
    views = {"digits": digits, "labels": np.arange(n) % 10, "code_is_projected": np.array(False)}
    for stage in row.stages:
        views[f"reconstructions/{stage.name}"] = digits
        views[f"code/{stage.name}"] = RNG.normal(size=(n, 2)).astype(np.float32)
    if row.denoises:
        stage = row.stages[0].name
        views |= {"noisy": digits, "filtered": digits, f"denoised/{stage}": digits}
    return views


def history_of(row, seed=0, epochs=3):
    found, own = [], 0.001 * list(EXPERIMENTS).index(row.name)
    for stage in row.stages:
        metrics = ("loss", "accuracy") if stage.name == "supervised" else ("loss",)
        for metric in metrics:
            for split in ("train", "test"):
                for epoch in range(1, epochs + 1):
                    value = 0.05 + 0.01 * seed + 0.1 / epoch + own
                    cells = (stage.name, epoch, metric, split, value)
                    found.append(dict(zip(HISTORY_COLUMNS, cells, strict=True)))
    return found


def store_row(output, name, seeds=1, arrays=True):
    """What is left on disk of a finished row."""
    row, folder = EXPERIMENTS[name], Path(output, name)
    folder.mkdir(parents=True)
    rows = [{"seed": s, **line} for s in range(seeds) for line in history_of(row, s)]
    (folder / "history.csv").write_text(csv_text(("seed", *HISTORY_COLUMNS), rows))
    result = {"seeds": list(range(seeds)), "data": {"name": "mnist"}, "figures": ["loss.png"]}
    (folder / "result.json").write_text(json.dumps(result))
    if arrays:
        Store(output).keep(name, 0, {"fingerprint": "f"}, views_of(row), None)


@pytest.fixture
def saved(monkeypatch):
    """The figures that are saved, by path; nothing is written."""
    found: dict[str, Figure] = {}
    monkeypatch.setattr(
        "Code.figures.style.save", lambda figure, path: found.update({str(path): figure})
    )
    return found


def axes_of(figure):
    return [axes for part in figure.subfigs for axes in part.axes]


ALL_OF_AE = ["loss.png", "reconstructions.png", "code.png"]


# --- which pictures -------------------------------------------------------------------------------


def test_rows_that_no_page_shows_have_no_pictures():
    shown = {row.name: pictures.on_a_page(row) for row in TABLE}
    for name in ("ae-tanh-sgd", "dae-published-clean", "ae-2", "vae-2", "vae-m1", "pca-16"):
        assert shown[name] == ()
    for name in ("ae-relu", "ae", "pca-2", "dae-published", "cae-denoising", "vae-mse", "tied-2"):
        assert shown[name] is pictures.ALL
    # Of a paper's wide code no map, unless its page has no other
    for name in ("sparse-k10", "lstm", "vq-vae-20", "bakeoff-vq"):
        assert "code.png" not in shown[name]
        assert {"loss.png", "filters.png", "codebook.png", "reconstructions.png"} <= {*shown[name]}
    for name in ("aae-petals", "overcomplete-l1"):
        assert shown[name] is pictures.ALL
    # Whichever of this width is best in the table of uses has its images beside it
    assert shown["ae-16"] == shown["vae-16"] == ("reconstructions.png",)


@pytest.mark.parametrize(
    ("row", "every_picture", "drawn"),
    [("ae-2", False, []), ("ae-16", False, ["reconstructions.png"]), ("ae-16", True, ALL_OF_AE)],
)
def test_a_row_in_tables_only_is_drawn_where_it_was_asked_for(tmp_path, row, every_picture, drawn):
    from Code.runs import results

    row, store = EXPERIMENTS[row], Store(tmp_path)
    record = {
        "fingerprint": "f",
        "metrics": [],
        "history": history_of(row),
        "structure": [],
        "parameters": 1,
        **{key: {"unsupervised": 1.0} for key in ("seconds", "epoch_seconds", "epochs")},
        "seconds_in_all": 1.0,
        **dict.fromkeys(("versions", "machine", "code_version", "finished"), ""),
    }
    store.keep(row.name, 0, record, views_of(row), None)
    (tmp_path / row.name / "psnr.png").write_bytes(b"of an earlier run")
    results.assemble(row, [0], {"name": "mnist"}, store, False, [], every_picture)
    found = json.loads((tmp_path / row.name / "result.json").read_text())
    assert found["figures"] == drawn
    assert sorted(path.name for path in (tmp_path / row.name).glob("*.png")) == sorted(drawn)


def test_every_picture_has_words_in_both_languages():
    grids = ("filters", "traversal", "codebook", "completion", "styles", "transfer", "draws")
    names = {*pictures.ORDER, *(f"{name}.png" for name in grids)}
    for language in ("en", "zh"):
        told = "".join(p.read_text("utf-8") for p in (TEMPLATES / language).rglob("*.j2"))
        assert {name for name in names if f"'{name}'" not in told} == set()


# --- curves ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [row for row in TABLE if row.model], ids=lambda row: row.name)
def test_every_loss_has_a_unit(row):
    terms = ["reconstruction"] if row.variant.endswith("vae") else []
    for stage in row.stages:
        unit = units.loss_unit(row, stage.name, 784, terms)
        assert unit.strip() not in ("", "loss") and "{" not in unit


def test_terms_that_the_tables_give_in_nats_are_in_nats():
    for name in ("vae-bce", "beta-vae-16", "iwae-5", "gaussian-vae-2", "sparse-l1-2", "vq-vae-20"):
        assert units.term_unit(EXPERIMENTS[name], "reconstruction")[1] == units.NATS
    for name in ("vae-mse", "overcomplete-l1", "sparse-kl"):
        assert units.term_unit(EXPERIMENTS[name], "reconstruction")[1] == units.SUM


@pytest.mark.slow
def test_the_unit_is_that_of_the_class_that_is_trained():
    """What the unit says of a class's default is what the class has."""
    from Code.foundation.names import load

    for row in TABLE:
        if row.model and "reconstruction" not in row.settings:
            model = load(row.model)(image_shape=(28, 28), **row.settings)
            told = units.reconstruction_unit(row) == units.NATS
            likely = row.variant in units.LIKELIHOOD
            assert told == (model.reconstruction == units.BCE or likely), row.name


def test_a_term_of_zeros_is_not_drawn():
    row = EXPERIMENTS["overcomplete-free"]
    history = {("unsupervised", "loss", "train"): [[3.0, 2.0]]}
    for term, values in (("penalty", [0.0, 0.0]), ("reconstruction", [3.0, 2.0])):
        for split in ("train", "test"):
            history["unsupervised", term, split] = [values]
    figure = pictures.curve_figures(row, history, 784)["loss_terms.png"]
    assert [axes.get_title() for axes in figure.axes] == ["reconstruction"]


def test_losses_that_are_compared_have_the_same_axes():
    rows = families.rows_of("ae")
    of_rows = {row.name: pictures.histories(_seeded(row)) for row in rows}
    found = []
    for row in rows:
        figure = pictures.curve_figures(row, of_rows[row.name], 784, families.limits(row, of_rows))[
            "loss.png"
        ]
        found.append(figure.axes[0].get_ylim())
    assert len(set(found)) == 1 and len(rows) == 3
    # The published figures lie on them too
    assert found[0][0] < 0.0685 < found[0][1]


def test_what_was_published_of_mnist_does_not_widen_axes_of_other_data():
    of_rows = {row.name: pictures.histories(_seeded(row)) for row in families.rows_of("ae")}
    for history in of_rows.values():
        history["unsupervised", "loss", "train"] = [[7.0, 6.0]]
        history["unsupervised", "loss", "test"] = [[7.0, 6.0]]
    row, key = EXPERIMENTS["ae-relu"], ("unsupervised", "loss")
    assert families.limits(row, of_rows)[key][0] < 0.07
    assert families.limits(row, of_rows, of_mnist=False)[key][0] > 5


def test_losses_in_other_units_have_axes_of_their_own():
    rows = families.rows_of("dae")
    of_rows = {row.name: pictures.histories(_seeded(row)) for row in rows}
    assert ("unsupervised", "loss") not in families.limits(EXPERIMENTS["dae"], of_rows)
    assert ("unsupervised", "loss") in families.limits(EXPERIMENTS["dae-classifier"], of_rows)
    assert not families.limits(EXPERIMENTS["vae-bce"], of_rows)


def _seeded(row, seeds=1):
    return [{"seed": s, **line} for s in range(seeds) for line in history_of(row, s)]


def test_a_new_row_widens_the_axes_of_those_drawn_before(tmp_path, saved):
    for name in ("ae-relu", "ae-tanh"):
        store_row(tmp_path, name)
    of_rows = {name: families.history_of(tmp_path, name) for name in ("ae-relu", "ae-tanh")}
    of_rows["ae-tanh"]["unsupervised", "loss", "train"] = [[9.0, 5.0, 1.0]]
    families.redraw(EXPERIMENTS["ae-tanh"], tmp_path, of_rows)
    (figure,) = saved.values()
    assert next(iter(saved)).endswith("ae-relu/loss.png")
    assert figure.axes[0].get_ylim()[1] > 9


# --- families -------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", some(FAMILIES, "vae"))
def test_each_family_has_a_picture_in_both_languages(tmp_path, saved, family):
    rows = families.rows_of(family)
    for row in rows:
        store_row(tmp_path, row.name, seeds=3)
    families.draw([rows[0].name], tmp_path)
    names = {Path(path).relative_to(tmp_path).as_posix() for path in saved}
    assert names == {f"families/{family}.png", f"families/{family}.zh.png"}
    for figure in saved.values():
        assert len(figure.subfigs) == 3
        assert len(figure.subfigs[2].axes) == len(rows)


def test_rows_of_one_training_are_drawn_once():
    published, denoising, classifier = families.rows_of("cae")
    loss = ("unsupervised", "loss", "train")
    of_rows = {row.name: {loss: [[0.1, 0.09], [0.1, 0.08]]} for row in (published, classifier)}
    of_rows[denoising.name] = {loss: [[0.1, 0.09], [0.1, 0.0801]]}
    rows = [published, denoising, classifier]
    assert families.told_apart(rows, of_rows) == [published, denoising]
    # Where no curve is stored, nothing says that two are one
    nothing = {row.name: {} for row in rows}
    assert families.told_apart(rows, nothing) == rows


@pytest.mark.parametrize("seeds, shown", [(1, False), (3, True)])
def test_seeds_are_told_where_there_are_several(tmp_path, saved, seeds, shown):
    store_row(tmp_path, "ae", seeds)
    families.draw(["ae"], tmp_path)
    legend = [
        text.get_text() for text in saved[f"{tmp_path}/families/ae.png"].subfigs[0].legends[0].texts
    ]
    assert any(f"{seeds} seeds" in text for text in legend) == shown


def test_a_family_with_rows_missing_shows_the_others(tmp_path, saved):
    store_row(tmp_path, "dae-published")
    store_row(tmp_path, "dae", arrays=False)
    families.draw(["dae-published"], tmp_path)
    images = saved[f"{tmp_path}/families/dae.png"].subfigs[1]
    assert [axes.get_ylabel() for axes in images.axes] == [
        "test digits",
        "with noise, σ = 0.5",
        "as published",
    ]


def test_a_picture_is_left_alone_where_arrays_are_missing(tmp_path, saved):
    store_row(tmp_path, "ae")
    store_row(tmp_path, "ae-relu", arrays=False)
    (tmp_path / "families").mkdir()
    (tmp_path / "families" / "ae.png").write_bytes(b"of a run of everything")
    families.draw(["ae"], tmp_path)
    assert not saved


def test_of_a_run_s_own_rows_a_family_is_drawn_beside_committed_ones(tmp_path, saved):
    store_row(tmp_path, "ae")
    store_row(tmp_path, "ae-relu", arrays=False)
    (tmp_path / "families").mkdir()
    (tmp_path / "families" / "ae.png").write_bytes(b"came with the code")
    families.draw(["ae"], tmp_path, mine={"ae"})
    images = saved[f"{tmp_path}/families/ae.png"].subfigs[1]
    assert [axes.get_ylabel() for axes in images.axes] == ["test digits", "corrected"]


def test_no_arrays_and_no_family_draw_nothing(tmp_path, saved):
    store_row(tmp_path, "ae", arrays=False)
    families.draw(["ae", "tied-2"], tmp_path)
    assert not saved


# --- labels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, grid, n",
    [
        ("beta-vae-16", "traversal", 100),
        ("cvae-16", "styles", 100),
        ("cvae-16", "transfer", 110),
        ("masked-16", "completion", 30),
        ("aae-30-clusters", "draws", 300),
        ("aae-petals", "draws", 100),
        ("aae-16", "draws", 100),
        ("vq-vae-2", "codebook", 100),
    ],
)
def test_grids_say_what_rows_and_columns_are(name, grid, n):
    row = EXPERIMENTS[name]
    views = {f"own/{grid}": np.zeros((n, 28, 28)), "labels": np.arange(20) % 10}
    labels = pictures.grid_labels(grid, row, views)
    figure = pictures.images.grid(views[f"own/{grid}"], **labels)
    told = [text.get_text() for text in figure.texts]
    assert labels.get("xlabel") or labels.get("rows")
    for text in (*labels.get("rows", ()), *labels.get("heads", ())):
        assert text in told


@pytest.mark.parametrize(
    "name, first",
    [("aae-labels", "0"), ("aae-100-labels", "1"), ("aae-petals", "1"), ("aae-30-clusters", "1")],
)
def test_rows_of_petals_bear_the_digits_that_labels_tell_and_else_numbers(name, first):
    views = {
        "own/draws": np.zeros((300 if "30" in name else 100, 28, 28)),
        "labels": np.arange(20) % 10,
        "classes": np.array([str(c) for c in range(10)]),
    }
    assert pictures.grid_labels("draws", EXPERIMENTS[name], views)["rows"][0] == first


def test_a_traversal_names_its_units():
    views = {
        "own/traversal": np.zeros((20, 28, 28)),
        "own/traversal_units": np.array([12, 3]),
        "digits": np.zeros((10, 28, 28)),
        "reconstructions/unsupervised": np.zeros((10, 28, 28)),
    }
    found = pictures._image_figures(EXPERIMENTS["beta-vae-16"], views, "digit")
    assert "traversal_units.png" not in found
    told = [text.get_text() for text in found["traversal.png"].texts]
    assert "unit 13" in told and "unit 4" in told and "−3.0" in told


def test_a_manifold_has_the_points_that_it_was_decoded_from():
    views = {
        "digits": np.zeros((10, 28, 28)),
        "reconstructions/unsupervised": np.zeros((10, 28, 28)),
        "manifold": np.zeros((3, 3, 28, 28)),
        "manifold_x": np.array([-20.0, 0.0, 10.0]),
        "manifold_y": np.array([1.0, 2.0, 3.0]),
    }
    figure = pictures._image_figures(EXPERIMENTS["aae-2"], views, "digit")["manifold.png"]
    ticks = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert ticks == ["−20", "0", "10"]
    del views["manifold_x"], views["manifold_y"]
    figure = pictures._image_figures(EXPERIMENTS["aae-2"], views, "digit")["manifold.png"]
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert labels == ["−4", "−3", "−2", "−1", "0", "1", "2", "3", "4"]
    assert figure.axes[0].get_xticks()[[0, 4, 8]].tolist() == [0.5, 1.5, 2.5]


def test_a_map_says_how_many_points_it_has():
    row = EXPERIMENTS["dae-published"]
    figure = pictures._map_figure(row, views_of(row, 1234), "code", "test digits")
    assert [axes.get_title() for axes in figure.axes] == [
        "1,234 test digits\nafter the unsupervised stage",
        "1,234 test digits\nafter the supervised stage",
    ]


def test_noise_is_drawn_once_for_rows_with_one_autoencoder():
    """Only the head of `cae-classifier` is its own; that of the DAE is another network's."""
    without = [row.name for row in TABLE if pictures.on_a_page(row) == pictures.WITHOUT_NOISE]
    assert without == ["cae-classifier"]


def test_a_drawn_code_is_as_wide_as_what_the_decoder_takes():
    """With the label beside z it is wider than z."""
    stored = [
        {"title": "encoder", "layers": [["Input", "28×28", 0]], "sources": [[]]},
        {"title": "sample", "layers": [["z = μ + σ ε, and the label", "2", 0]]},
        {"title": "decoder", "layers": [["Input", "12", 0]], "sources": [[]]},
    ]
    assert pictures.blocks(stored)[1]["layers"] == [("z = μ + σ ε, and the label", "12", 0)]
