"""Weights beside the results: which are taken, how they are rounded, and what they give again."""

import io
import json
import shutil
import subprocess
import zipfile
from dataclasses import replace

import h5py
import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from Code.commands import use
from Code.commands.models import data_of, load_model
from Code.experiments.table import EXPERIMENTS, of_group
from Code.foundation import shipped
from Code.foundation.errors import UserError
from Code.reporting.reference import MEASURE
from Code.reporting.reference import figures as figures_of
from Code.reporting.rules import HALF_PRECISION, SAME_ROUNDING
from Code.reporting.uses import load_uses
from Code.runs import extend, half, schedule, verify, weights
from Code.runs.recompute import figures, why_not
from Code.runs.results import assemble, write_results_csv
from Code.runs.run import facts_of
from Code.runs.store import Store
from Code.training import procedure
from Code.vae import VAE
from tests.support import called, run_here

# A row without chance in its losses, one whose losses are drawn, one with a head and noisy images
ROWS = ("ae", "vae-bce", "dae-published")
# Each trial computes all figures once more
BITS = (half.HALF, 13)


def small(row):
    """The row with one epoch a stage."""
    return replace(row, stages=tuple(replace(stage, epochs=1) for stage in row.stages))


@pytest.fixture(scope="module")
def few(mnist):
    return mnist.subset(300, 200)


@pytest.fixture(scope="module")
def trained(few, tmp_path_factory):
    """A folder with finished runs of some rows on few images; one row has two seeds."""
    output = tmp_path_factory.mktemp("trained") / "output"
    store = Store(output)
    for name in ROWS:
        row = small(EXPERIMENTS[name])
        seeds = (1, 0) if name == "ae" else (0,)
        for seed in seeds:
            done = procedure.run(row, few, seed, lambda epochs: None)
            record = {
                "fingerprint": f"{name} {seed}",
                "seed": seed,
                "code_version": "0" * 12,
                "versions": {},
                "machine": {},
                "finished": "",
                "seconds_in_all": 1.0,
                **{
                    key: getattr(done, key)
                    for key in (
                        "metrics",
                        "history",
                        "seconds",
                        "epoch_seconds",
                        "epochs",
                        "parameters",
                        "structure",
                    )
                },
            }
            store.keep(name, seed, record, done.views, done.model)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("Code.runs.pictures.draw", lambda *_: [])
            assemble(row, sorted(seeds), facts_of(few), store, True, [])
    write_results_csv(output)
    return output


@pytest.fixture(scope="module")
def reference(trained, few, tmp_path_factory):
    """The same folder with weights, and without what is not committed."""
    with pytest.MonkeyPatch.context() as patch, schedule.backend("loky", None, 1):
        patch.setattr(weights, "dataset", lambda *_: few)
        patch.setattr(weights, "BITS", BITS)
        assert set(weights.ship(trained, quick=True)) == set(ROWS)
    output = tmp_path_factory.mktemp("cloned") / "output"
    shutil.copytree(trained, output, ignore=shutil.ignore_patterns("runs", "model.keras", ".work"))
    shutil.copy(output / "results.csv", output / "reference")
    return output


@pytest.fixture
def on_few(few, monkeypatch):
    monkeypatch.setattr(verify, "dataset", lambda *_: few)
    monkeypatch.setattr(weights, "dataset", lambda *_: few)
    monkeypatch.setattr(weights, "BITS", BITS)


@pytest.fixture
def cloned(reference, on_few, tmp_path):
    """A copy to spoil."""
    return shutil.copytree(reference, tmp_path / "output")


# Which ------------------------------------------------------------------------------------------


def test_the_published_comparison_comes_first(root):
    published = [row.name for row in of_group("published") if row.model]
    uses = load_uses(root / "output")
    for names in (weights.wanted(None), weights.wanted(uses)):
        assert names[: len(published)] == published
        # What the guide's examples load
        assert {"vae-16", "dae"} <= set(names)
        assert len(names) == len(set(names))
    best = {answer.best.name for answer in uses.answers((2, 16))}
    assert best <= set(weights.wanted(uses))


@given(st.dictionaries(st.text(), st.integers(0, 100)), st.integers(0, 200))
def test_no_more_is_taken_than_there_is_room_for(sizes, room):
    taken = weights.within(sizes, room)
    assert sum(sizes[name] for name in taken) <= room
    assert taken == [name for name in sizes if name in taken]
    for name in sizes.keys() - taken:
        # It did not fit into what those before it had left
        before = list(sizes)[: list(sizes).index(name)]
        assert sizes[name] > room - sum(sizes[other] for other in before if other in taken)


def test_what_is_committed_finds_room_and_is_what_is_told(root):
    folder = shipped.folder_of(root / "output")
    if not shipped.told(folder):
        pytest.skip("no weights are committed yet")
    told = verify.models(root / "output")
    files = {file.stem: file for file in folder.glob("*.keras")}
    assert set(files) == set(told)
    assert sum(file.stat().st_size for file in files.values()) <= weights.MOST_BYTES
    assert {row.name for row in of_group("published") if row.model} <= set(told)


def test_git_takes_these_models_and_no_others(root):
    if not (root / ".git").exists():
        pytest.skip("not a checkout")

    def ignored(path):
        command = ["git", "check-ignore", "--quiet", "--no-index", path]
        return subprocess.run(command, cwd=root, check=False).returncode == 0

    assert not ignored("output/reference/weights/ae.keras")
    assert ignored("output/ae/model.keras") and ignored("output/quick/reference/weights/ae.keras")


# Half precision ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(few, tmp_path_factory):
    """A trained model on disk, as it is and rewritten."""
    folder = tmp_path_factory.mktemp("saved")
    keras.utils.set_random_seed(0)
    model = VAE(code_dim=2, hidden=(32,))
    model.compile("adam")
    model.fit(few.x_train, epochs=1, verbose=0)
    model.save(folder / "model.keras")
    half.rewrite(folder / "model.keras", folder / "half.keras")
    half.rewrite(folder / "model.keras", folder / "full.keras", bits=None)
    return folder


def datasets(path):
    """The arrays in a saved model, by name."""
    found = {}

    def keep(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]

    with (
        zipfile.ZipFile(path) as archive,
        archive.open("model.weights.h5") as content,
        h5py.File(content) as file,
    ):
        file.visititems(keep)
    return found


def test_only_floats_are_rounded_and_no_optimiser_is_left(saved):
    before, after = datasets(saved / "model.keras"), datasets(saved / "half.keras")
    assert any("optimizer" in name.split("/") for name in before)
    kept = {name for name in before if "optimizer" not in name.split("/")}
    assert set(after) == kept
    for name in kept:
        assert after[name].dtype == np.float16
        assert np.array_equal(after[name], before[name].astype(np.float16))


def test_whole_numbers_and_states_of_generators_stay(tmp_path):
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file["layers/dense/vars/0"] = np.ones((3, 2), np.float32)
        file["layers/dropout/seed_generator/vars/0"] = np.array([2**31 + 1, 7], np.uint32)
        file["layers/count/vars/0"] = np.int64(70_000)
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("config.json", json.dumps({"config": {}, "compile_config": {}}))
        archive.writestr("model.weights.h5", content.getvalue())
    half.rewrite(tmp_path / "model.keras", tmp_path / "half.keras")
    before, after = (datasets(tmp_path / f"{name}.keras") for name in ("model", "half"))
    assert before.keys() == after.keys()
    for name, values in after.items():
        whole = before[name].dtype.kind in "iu"
        assert values.dtype == (before[name].dtype if whole else np.float16)
        assert np.array_equal(values, before[name])
    with zipfile.ZipFile(tmp_path / "half.keras") as archive:
        assert json.loads(archive.read("config.json")) == {"config": {}}


def test_what_has_no_value_in_half_precision_stays():
    large = np.array([1.0, 1e6], np.float32)
    assert half.rounded(large).dtype == np.float32
    assert half.rounded(np.array([1.0, 6e4], np.float32)).dtype == np.float16
    assert half.rounded(np.array([3], np.uint32)).dtype == np.uint32


@given(st.floats(-6e4, 6e4, width=32), st.sampled_from(weights.BITS))
def test_a_fraction_is_rounded_to_its_bits(value, bits):
    (rounded,) = half.rounded(np.array([value], np.float32), bits)
    kind, smallest = (np.float16, -14) if bits <= half.HALF else (np.float32, -126)
    assert rounded.dtype == kind
    exact = float(kind(value))
    _, exponent = np.frexp(exact)
    # Numbers below the smallest normal one have the spacing of those just above
    step = 2.0 ** (max(int(exponent) - 1, smallest) - bits)
    assert rounded == kind(np.round(exact / step) * step)
    assert half.rounded(np.array([rounded]), bits) == rounded


def test_no_fraction_is_rounded_beyond_what_half_precision_holds():
    largest = np.array([np.finfo(np.float16).max], np.float32)
    assert half.rounded(largest, 5).dtype == np.float32
    assert half.rounded(largest).dtype == np.float16


def test_fewer_bits_take_less_room(saved, tmp_path):
    sizes = []
    for bits in weights.BITS:
        half.rewrite(saved / "model.keras", tmp_path / "few.keras", bits)
        sizes.append((tmp_path / "few.keras").stat().st_size)
    assert sizes == sorted(sizes) and sizes[0] < 0.8 * sizes[-1]
    assert half.HALF in weights.BITS


def test_it_is_small_and_the_same_each_time(saved, tmp_path):
    sizes = {name: (saved / f"{name}.keras").stat().st_size for name in ("model", "full", "half")}
    # The optimiser has two numbers more for each weight
    assert sizes["half"] < 0.6 * sizes["full"] < 0.3 * sizes["model"]
    half.rewrite(saved / "model.keras", tmp_path / "again.keras")
    assert (tmp_path / "again.keras").read_bytes() == (saved / "half.keras").read_bytes()


def test_keras_loads_it_as_it_is(saved, few):
    plain, full = (keras.saving.load_model(saved / f"{n}.keras") for n in ("half", "full"))
    ours = load_model(saved / "half.keras")
    assert {v.dtype for v in plain.trainable_variables} == {"float32"}
    assert not plain.compiled
    x = few.x_test[:20]
    assert np.array_equal(ours.reconstruct(x), plain.reconstruct(x))
    exact = keras.saving.load_model(saved / "model.keras").reconstruct(x)
    assert np.array_equal(full.reconstruct(x), exact)
    assert 0 < np.abs(plain.reconstruct(x) - exact).max() < 1e-3
    plain.compile("adam")
    plain.fit(few.x_train, epochs=1, verbose=0)


KEY, OTHER = ("s", "mse", "test"), ("s", "loss", "test")


@pytest.mark.parametrize(
    ("half_value", "std", "share"),
    [
        (1.0, 0.5, 0),
        (1.0 + 0.5 * HALF_PRECISION * 0.5, 0.5, 0.5),
        (1.0 - 2 * HALF_PRECISION * 0.5, 0.5, 2),
        # Without a known spread another processor's rounding is the measure
        (1.0 + HALF_PRECISION * SAME_ROUNDING, None, 1),
        (1.0 + 3 * HALF_PRECISION * SAME_ROUNDING, 0.0, 3),
    ],
)
def test_how_far_half_precision_moves_a_figure(half_value, std, share):
    full, other = {OTHER: 1.0, KEY: 1.0}, {OTHER: 1.0, KEY: half_value}
    worst, found = weights.moved(full, other, {KEY: std})
    assert found == pytest.approx(share, rel=1e-6) and (worst == KEY or not share)


def test_a_figure_that_half_precision_loses_moves_out_of_bounds():
    assert weights.moved({KEY: 1.0}, {}, {}) == (KEY, float("inf"))
    assert weights.moved({}, {}, {}) == (None, 0.0)


def test_the_guides_say_the_rule(root):
    assert (SAME_ROUNDING, HALF_PRECISION) == (1 / 1000, 1 / 5)
    for name, share in (("guide.md", "a fifth of"), ("guide.zh.md", "波动的五分之一")):
        text = (root / "report" / name).read_text(encoding="utf-8")
        assert text.count(share) == 2 and "0.1 %" in text


# What a run leaves ------------------------------------------------------------------------------


def test_the_lowest_seed_is_taken_with_its_figures(reference, trained):
    told = shipped.told(shipped.folder_of(reference))
    assert set(told) == set(ROWS)
    for name, entry in told.items():
        record = Store(trained).record(name, 0)
        assert entry["seed"] == 0
        assert [f[-1] for f in entry["figures"]] == [m["value"] for m in record["metrics"]]


def anew(file, **members):
    """Write a ``.keras`` file again with other contents of some members."""
    with zipfile.ZipFile(file) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in {**contents, **members}.items():
            archive.writestr(name, content)


def test_the_same_model_of_another_day_leaves_the_file_as_it_is(
    reference, trained, few, tmp_path, monkeypatch
):
    output = shutil.copytree(trained, tmp_path / "output")
    monkeypatch.setattr(weights, "dataset", lambda *_: few)
    monkeypatch.setattr(weights, "BITS", BITS)
    monkeypatch.setattr(weights, "wanted", lambda uses: ["ae"])
    run, committed = output / "ae" / "runs" / "seed-0", shipped.file_of(output, "ae")
    first = committed.read_bytes()

    def ship_again(**members):
        anew(run / "model.keras", **members)
        (run / weights.CHECKED).unlink()
        with schedule.backend("loky", None, 1):
            assert weights.ship(output, quick=True) == ["ae"]
        entry = shipped.told(shipped.folder_of(output))["ae"]
        assert entry["sha256"] == shipped.digest(committed)
        return committed.read_bytes()

    other_day = json.dumps({"keras_version": "3", "date_saved": "2001-01-01@00:00:00"})
    assert ship_again(**{"metadata.json": other_day}) == first
    other = Store(trained).folder("ae", 1) / "model.keras"
    with zipfile.ZipFile(other) as archive:
        assert ship_again(**{"model.weights.h5": archive.read("model.weights.h5")}) != first


def test_what_moves_too_far_stays_in_full_precision(trained, few, tmp_path, monkeypatch):
    output = shutil.copytree(trained, tmp_path / "output")
    shutil.rmtree(shipped.folder_of(output), ignore_errors=True)
    for left in output.glob(f"*/runs/seed-0/{weights.CHECKED}"):
        left.unlink()
    monkeypatch.setattr(weights, "dataset", lambda *_: few)
    monkeypatch.setattr(weights, "wanted", lambda uses: ["ae"])
    monkeypatch.setattr(weights, "HALF_PRECISION", 1e-9)
    monkeypatch.setattr(weights, "BITS", (half.HALF,))
    with schedule.backend("loky", None, 1):
        assert weights.ship(output, quick=True) == ["ae"]
    entry = shipped.told(shipped.folder_of(output))["ae"]
    assert entry["precision"] == "full" and entry["moved_most"]["of_what_it_may"] > 1
    assert entry["bits"] is None
    assert datasets(shipped.file_of(output, "ae"))


@pytest.mark.parametrize("enough", weights.BITS)
def test_no_more_bits_are_kept_than_are_needed(trained, few, tmp_path, monkeypatch, enough):
    output = shutil.copytree(trained, tmp_path / "output")
    for left in output.glob(f"*/runs/seed-0/{weights.CHECKED}"):
        left.unlink()
    monkeypatch.setattr(weights, "dataset", lambda *_: few)
    monkeypatch.setattr(weights, "wanted", lambda uses: ["ae"])
    rewrite, tried = half.rewrite, []
    monkeypatch.setattr("Code.runs.recompute.figures", lambda *_: ({}, {}))

    def noted(source, target, bits):
        tried.append(bits)
        rewrite(source, target, bits)

    monkeypatch.setattr(half, "rewrite", noted)
    monkeypatch.setattr(
        weights, "moved", lambda *_: (KEY, 0.5 if tried[-1] == enough else float("inf"))
    )
    unit = weights.WeightsUnit("ae", 0, "mnist", True, str(output))
    weights.check(unit, "any", Store(output))
    folder = Store(output).folder("ae", 0)
    entry = json.loads((folder / weights.CHECKED).read_text())["entry"]
    assert (entry["precision"], entry["bits"]) == ("half" if enough <= 10 else "full", enough)
    assert tried == [None, *weights.BITS[: weights.BITS.index(enough) + 1]]
    rewrite(folder / "model.keras", tmp_path / "right.keras", enough)
    assert half.same(folder / weights.FILE, tmp_path / "right.keras")


def test_models_without_a_run_stay_while_their_result_does(cloned, capsys):
    folder = shipped.folder_of(cloned)
    with schedule.backend("loky", None, 1):
        assert set(weights.ship(cloned, quick=True)) == set(ROWS)
        path = cloned / "ae" / "result.json"
        result = json.loads(path.read_text())
        result["metrics"][0]["values"][0] += 1e-9
        path.write_text(json.dumps(result))
        assert set(weights.ship(cloned, quick=True)) == {"vae-bce", "dae-published"}
    assert "ae.keras: not the model of ae's result" in capsys.readouterr().err
    assert not (folder / "ae.keras").exists() and set(shipped.told(folder)) == {
        "vae-bce",
        "dae-published",
    }


def test_what_finds_no_room_is_named_and_not_there(cloned, capsys, monkeypatch):
    size = sum(shipped.file_of(cloned, name).stat().st_size for name in ("ae", "dae-published"))
    monkeypatch.setattr(weights, "MOST_BYTES", size)
    with schedule.backend("loky", None, 1):
        assert weights.ship(cloned, quick=True) == ["ae", "dae-published"]
    assert "No room for the weights of vae-bce" in capsys.readouterr().err
    assert not shipped.file_of(cloned, "vae-bce").exists()


def test_a_run_that_is_not_the_result_s_is_not_taken(trained, tmp_path, monkeypatch):
    output = shutil.copytree(trained, tmp_path / "output")
    store = Store(output)
    assert weights._unit(store, "ae", "mnist", True).seed == 0
    path = output / "ae" / "result.json"
    result = json.loads(path.read_text())
    # As after a run of other seeds, which leaves the earlier runs where they are
    for metric in result["metrics"]:
        metric["values"] = metric["values"][1:]
    path.write_text(json.dumps({**result, "seeds": [1]}))
    assert weights._unit(store, "ae", "mnist", True).seed == 1
    path.write_text(json.dumps({**result, "seeds": [0]}))
    assert weights._unit(store, "ae", "mnist", True) is None


def test_new_spreads_ask_for_a_new_check(trained):
    store, table = Store(trained), trained / "results.csv"
    unit = weights._unit(store, "ae", "mnist", True)
    known = figures_of(table, MEASURE)
    wider = {key: replace(f, std=2 * (f.std or 1.0)) for key, f in known.items()}
    assert weights.identity(unit, store, known) == weights.identity(unit, store, dict(known))
    assert weights.identity(unit, store, known) != weights.identity(unit, store, wider)


def test_without_a_model_nothing_is_written(tmp_path, on_few):
    with schedule.backend("loky", None, 1):
        assert weights.ship(tmp_path, quick=True) == []
    assert not shipped.folder_of(tmp_path).exists()


# What they give again ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ROWS)
def test_the_last_stage_is_measured_as_in_training(trained, few, name):
    row = EXPERIMENTS[name]
    file = trained / name / "runs" / "seed-0" / "model.keras"
    values, chance = figures(row, file, few, 0)
    record = Store(trained).record(name, 0)["metrics"]
    of_stage = {
        (m["stage"], m["metric"], m["split"]): m["value"]
        for m in record
        if m["stage"] == row.stages[-1].name and not m["metric"].endswith(("_epoch",))
    }
    assert set(values) == set(of_stage)
    drawn = {key[1] for key in chance}
    assert drawn == ({"loss", "reconstruction"} if name == "vae-bce" else set())
    for key, value in values.items():
        if key in chance:
            assert abs(value - of_stage[key]) <= 0.01 * abs(value)
        else:
            assert value == pytest.approx(of_stage[key], rel=1e-6)


def test_why_a_figure_is_not_computed():
    row = EXPERIMENTS["dae-published"]
    assert "history" in why_not(row, "supervised", "loss_last_epoch")
    assert "earlier stage" in why_not(row, "unsupervised", "mse")
    assert "procedure" in why_not(row, "supervised", "probe_accuracy")


def verified(output, *words):
    return run_here("--verify", "--output", output, *words)


def last_line(done):
    return done.stderr.strip().splitlines()[-1]


def test_all_cells_agree(cloned):
    done = verified(cloned)
    assert done.returncode == 0, done.stderr
    n = last_line(done).split(" ")[0]
    assert int(n) > 40 and last_line(done) == f"{n} of {n} cells agree"
    assert "[3/3] vae-bce, seed 0" in done.stderr and "about" in done.stderr.split("[2/3]")[0]
    assert "not computed, of the training's history" in done.stderr
    assert "of the reference are of this very code" not in done.stderr
    extend.make_reference(cloned)
    done = verified(cloned, "--only", "ae")
    # The rows were trained here under an invented version
    assert "0 of 3 experiments of the reference are of this very code; not: ae" in done.stderr


def spoil(output, name, metric, by):
    """Change a committed figure by a share of it."""
    path = shipped.folder_of(output) / shipped.INDEX
    told = json.loads(path.read_text())
    (figure,) = (f for f in told[name]["figures"] if f[1:3] == [metric, "test"])
    figure[3] *= 1 + by
    path.write_text(json.dumps(told))


def test_a_figure_that_differs_is_named_and_the_status_is_1(cloned):
    spoil(cloned, "ae", "mse", 0.2)
    done = verified(cloned, "--only", "ae", "pca-2", "--json")
    assert done.returncode == 1
    assert "ae, unsupervised, mse (test)" in done.stderr
    assert "pca-2 has no weights there" in done.stderr and "vae-bce" not in done.stderr
    cells = json.loads(done.stdout)
    assert [cell["metric"] for cell in cells if not cell["agrees"]] == ["mse"]
    assert last_line(done) == f"{len(cells) - 1} of {len(cells)} cells agree"


def test_rounding_of_another_processor_agrees():
    assert verify.tolerance(2.0, None) == 2.0 * SAME_ROUNDING
    assert verify.tolerance(0.0, 0.5) == 0.5 * HALF_PRECISION


def test_what_cannot_be_verified_is_one_line_and_status_2(cloned, tmp_path):
    def refused(output, says, *words):
        done = verified(output, *words)
        assert done.returncode == 2
        assert says in done.stderr and done.stderr.count("\n") == 1

    refused(tmp_path / "nothing", "holds no weights")
    refused(cloned, "no weights of dae; it has those of", "--only", "dae")
    refused(cloned, "no experiment or group named nothing", "--only", "nothing")
    with shipped.file_of(cloned, "ae").open("ab") as file:
        file.write(b"!")
    refused(cloned, "is not the file that weights.json tells of")
    path = shipped.folder_of(cloned) / shipped.INDEX
    path.write_text(json.dumps({"ae": {}}))
    refused(cloned, "nothing that a run writes of ae")


def test_other_data_are_refused(cloned, few, monkeypatch):
    monkeypatch.setattr(verify, "dataset", lambda *_: replace(few, sha256="other"))
    with pytest.raises(UserError, match="was trained on other data"):
        list(verify.verify(cloned, verify.models(cloned, ["ae"])))


# Used without training --------------------------------------------------------------------------


def test_a_committed_model_stands_in_where_nothing_was_trained(cloned, trained, few, capsys):
    model = load_model(cloned / "ae")
    assert "is the committed reference's model, seed 0" in capsys.readouterr().err
    assert data_of(cloned / "ae")["name"] == "mnist"
    assert data_of(shipped.file_of(cloned, "ae"))["name"] == "mnist"
    # One's own goes before
    shutil.copy(trained / "ae" / "model.keras", cloned / "ae")
    own = load_model(cloned / "ae")
    assert capsys.readouterr().err == ""
    assert data_of(cloned / "ae")["name"] == "mnist"
    assert not np.array_equal(own.encode(few.x_test), model.encode(few.x_test))
    assert np.allclose(own.encode(few.x_test), model.encode(few.x_test), rtol=0.02, atol=0.02)


def test_where_there_is_none_the_line_says_to_train(cloned):
    (cloned / "ae-16").mkdir()
    with pytest.raises(UserError, match=r"holds no model\.keras; train it with .*ae-16"):
        load_model(cloned / "ae-16")
    # A name that `run_all.py --only` would not take
    with pytest.raises(UserError, match="give an experiment's folder, such as output/dae"):
        load_model(cloned)
    with pytest.raises(UserError, match="no such folder or file"):
        load_model(cloned / "nothing")


def test_the_uses_take_it(cloned, tmp_path, few):
    np.savez(tmp_path / "my.npz", images=few.x_test[:3])
    done = called(
        use.main, *("reconstruct", "--model", cloned / "vae-bce", "--input", tmp_path / "my.npz")
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") == 1 and "committed reference's model" in done.stderr


@pytest.mark.slow
def test_from_a_run_to_its_weights_to_their_verification(tmp_path):
    output = tmp_path / "out"
    done = run_here(
        *("--quick", "--jobs", "2", "--only", "ae", "dae-classifier", "ae-2"),
        *("--no-uses", "--extend", "--output", output),
    )
    assert done.returncode == 0, done.stderr
    assert "Weights of 3 models" in done.stderr
    done = verified(output)
    assert done.returncode == 0, done.stderr
    for own in (*output.glob("*/model.keras"), *output.glob("*/runs")):
        shutil.rmtree(own) if own.is_dir() else own.unlink()
    done = called(use.main, "denoise", "--model", output / "dae-classifier", "--quick")
    assert done.returncode == 0 and "psnr" in done.stdout, done.stderr
    assert "committed reference's model" in done.stderr
    page = tmp_path / "explorer.html"
    done = called(use.main, "explorer", "--output", output, "--page", page)
    assert done.returncode == 0, done.stderr
    assert "committed reference's" in done.stdout and page.stat().st_size > 1e5
    spoil(output, "ae", "mse", 0.1)
    assert verified(output).returncode == 1
