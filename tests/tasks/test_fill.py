"""Gaps are filled, and nothing else is touched."""

import dataclasses
import json

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import Ridge

from Code.commands.uses import fill as command
from Code.data.filters import psnr
from Code.data.pictures import load_images, save_images
from Code.data.tables import read_table
from Code.parts.images import to_unit
from Code.tasks import fill
from Code.tasks.fill import (
    HOLES,
    METRICS,
    Neighbours,
    Normal,
    best_settings,
    chosen_steps,
    impute,
    mean_image,
    measure,
    measured_filler,
    sample,
)
from Code.tasks.table import fill_table, hidden_errors
from tests.support import run_use


@pytest.fixture(scope="module")
def few(mnist):
    return mnist.subset(6000, 100)


@pytest.fixture(scope="module")
def vae(vae_16):
    return vae_16


def with_hole(x, hole="square", seed=0):
    missing = HOLES[hole](len(x), x.shape[1:], np.random.default_rng(seed))
    return np.where(missing, np.nan, x), missing


class TestHoles:
    @pytest.mark.parametrize("shape", [(28, 28), (16, 20)])
    def test_square_is_a_quarter_in_one_piece(self, shape):
        missing = HOLES["square"](50, shape, np.random.default_rng(0))
        assert (missing.sum(axis=(1, 2)) == shape[0] * shape[1] // 4).all()
        assert (missing.any(axis=2).sum(axis=1) == shape[0] // 2).all()
        assert (missing.any(axis=1).sum(axis=1) == shape[1] // 2).all()
        assert len({m.tobytes() for m in missing}) > 20, "they lie in different places"

    def test_half_is_each_half_at_times(self):
        missing = HOLES["half"](100, (8, 8), np.random.default_rng(0))
        assert (missing.sum(axis=(1, 2)) == 32).all()
        assert len({m.tobytes() for m in missing}) == 4

    @pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
    def test_scattered_has_its_share(self, share):
        missing = HOLES[f"random_{share:g}"](50, (28, 28), np.random.default_rng(0))
        assert missing.mean() == pytest.approx(share, abs=0.01)


class TestImpute:
    def test_a_projection_finds_the_missing_number(self):
        """On the line x = y the missing coordinate of (1, ?) goes to 1, halving its error."""
        x = np.array([[1.0, np.nan]])

        def onto_the_line(points):
            return np.repeat(points.mean(axis=1, keepdims=True), 2, axis=1)

        assert np.allclose(impute(onto_the_line, x, 0.0, 1), [[1, 0.5]])
        assert np.allclose(impute(onto_the_line, x, 0.0, 30), [[1, 1]])

    def test_known_pixels_stay(self, digits):
        x, missing = with_hole(digits)
        filled = impute(lambda images: images * 0 + 0.3, x, 0.0)
        assert np.array_equal(filled[~missing], digits[~missing])
        assert np.allclose(filled[missing], 0.3)

    def test_the_truth_is_a_fixed_point_of_a_perfect_model(self, digits):
        x, _ = with_hole(digits)
        assert np.array_equal(impute(lambda images: digits, x, 0.0), digits)


class TestSample:
    def test_keeps_what_is_known_and_varies_the_rest(self, vae, few):
        x = to_unit(few.x_test[:20])
        holes, missing = with_hole(x, "half")
        mean, a = sample(vae, holes, mean_image(few), np.random.default_rng(0))
        _, b = sample(vae, holes, mean_image(few), np.random.default_rng(1))
        for filled in (mean, a, b):
            assert np.array_equal(filled[~missing], x[~missing])
            assert filled.min() >= 0 and filled.max() <= 1
        assert np.abs(a - b)[missing].mean() > 0.01

    def test_the_mean_is_nearer_than_one_draw(self, vae, few):
        x = to_unit(few.x_test)
        holes, missing = with_hole(x, "half")
        mean, last = sample(vae, holes, mean_image(few), np.random.default_rng(0))
        assert psnr(x[missing], mean[missing]) > psnr(x[missing], last[missing])

    def test_works_with_labels_in_the_code(self, few, seeded):
        from Code.cvae import CVAE

        values = measure(CVAE(hidden=(8,)), few.subset(100, 10)).values
        assert set(values) == {metric.name for metric in METRICS}


class TestRivals:
    def test_neighbours_are_those_of_scikit_learn(self, few):
        x, _ = with_hole(to_unit(few.x_test[:10]))
        train = few.x_train[:200]
        imputer = KNNImputer(n_neighbors=5).fit(to_unit(train).reshape(200, -1))
        expected = imputer.transform(x.reshape(10, -1)).reshape(x.shape)
        assert np.allclose(Neighbours(train).fill(x), expected, atol=1e-5)

    def test_an_image_among_the_training_ones_is_found(self, few):
        x, _ = with_hole(to_unit(few.x_train[:10]))
        assert np.allclose(Neighbours(few.x_train).fill(x, 1), to_unit(few.x_train[:10]))

    @pytest.mark.parametrize("rows", [slice(10, 18), slice(2, 26)], ids=["small", "large"])
    def test_the_normal_distribution_is_the_regression_of_scikit_learn(self, few, rows):
        """Of one hole: each missing pixel by a ridge regression on all known ones."""
        missing = np.zeros((28, 28), bool)
        missing[rows, 4:24] = True
        x, train = to_unit(few.x_test[:20]), to_unit(few.x_train)
        filled = Normal(few.x_train).fill(np.where(missing, np.nan, x), 1e-2)
        added = 1e-2 * train.reshape(len(train), -1).var(axis=0).mean() * len(train)
        expected = Ridge(added).fit(train[:, ~missing], train[:, missing]).predict(x[:, ~missing])
        assert np.allclose(filled[:, missing], np.clip(expected, 0, 1), atol=1e-3)
        assert np.array_equal(filled[:, ~missing], x[:, ~missing])

    def test_with_all_known_nothing_changes_and_with_none_it_is_the_mean(self, few):
        normal, x = Normal(few.x_train[:50]), to_unit(few.x_test[:3])
        assert np.array_equal(normal.fill(x), x)
        assert np.allclose(normal.fill(x * np.nan), mean_image(few.subset(50, 3)), atol=1e-5)

    def test_of_images_all_alike_the_mean_is_left(self, digits):
        x, _ = with_hole(digits[:1])
        assert np.allclose(Normal(np.repeat(digits[:1], 5, axis=0)).fill(x), digits[:1], atol=1e-4)

    def test_settings_are_the_best_on_training_images(self, few):
        truth = to_unit(few.x_train[:50])

        def fill(x, error):
            return truth + error

        assert set(best_settings(fill, (0.3, 0.1, 0.2), truth).values()) == {0.1}

    @pytest.mark.slow
    def test_every_rival_that_learns_beats_the_mean(self, few):
        rivals = fill.baselines(few)
        mean = rivals.pop("mean image").values
        assert set(rivals) == {"k-NN", "pca-16", "linear regression"}
        for name, one in rivals.items():
            assert all(one.values[key] > mean[key] for key in mean), name


def test_a_perfect_filler_makes_no_error(few):
    measured = measured_filler(lambda x, hole: to_unit(few.x_test), few)
    assert set(measured.values.values()) == {np.inf}


def test_mean_image_is_the_same_of_bytes_and_floats(few):
    floats = dataclasses.replace(few, x_train=to_unit(few.x_train))
    assert np.allclose(mean_image(few), mean_image(floats), atol=1e-6)


def test_a_trained_model_beats_the_mean(vae, few):
    measured = measure(vae, few)
    mean = measured_filler(lambda x, hole: np.where(np.isnan(x), mean_image(few), x), few)
    for hole in HOLES:
        assert measured.values[f"psnr_{hole}"] > mean.values[f"psnr_{hole}"], hole
        assert measured.values[f"psnr_sampled_{hole}"] > mean.values[f"psnr_{hole}"], hole


def test_steps_are_those_that_do_best_on_training_images(few):
    class Model:
        """Gives back what it was trained on at the third pass, and noise at the others."""

        def __init__(self):
            self.pass_ = {}

        def reconstruct(self, x):
            key = x.shape
            self.pass_[key] = self.pass_.get(key, 0) + 1
            return to_unit(few.x_train[: len(x)]) * (self.pass_[key] % 24 == 4)

    # One pass is tried, then three, of which the third is the fourth in all, then twenty
    assert set(chosen_steps(Model(), few).values()) == {3}


@pytest.mark.slow
def test_same_seed_same_numbers(vae, few):
    assert measure(vae, few, 1).values == measure(vae, few, 1).values
    assert measure(vae, few, 1).values != measure(vae, few, 2).values


def test_a_masked_autoencoder_is_told_where_the_holes_are(few, seeded):
    from Code.masked import MaskedAE

    model = MaskedAE(hidden=(16,), code_dim=4)
    measured = measure(model, few)
    x = measured.views["holes/square"]
    expected = model.complete(np.nan_to_num(x), (~np.isnan(x)).astype(np.float32))
    assert np.allclose(measured.views["filled/square"], expected, atol=1e-5)
    assert "psnr_sampled_square" not in measured.values


@pytest.mark.slow
def test_figure_has_rows_for_each(vae, few):
    figure = fill.figure({"vae": measure(vae, few)})
    rows = [text.get_text().replace("\n", " ") for text in figure.texts]
    heads = ["a square is missing", "a half is missing"]
    assert rows == [*heads, "images", "missing", "vae", "vae, one draw"]


class TestTable:
    @pytest.fixture(scope="class")
    def table(self):
        return load_breast_cancer().data

    @pytest.fixture(scope="class")
    def gaps(self, table):
        return np.where(np.random.default_rng(0).random(table.shape) < 0.2, np.nan, table)

    @pytest.mark.slow
    def test_is_filled_better_than_by_the_mean(self, table, gaps):
        filled = fill_table(gaps)
        missing, scale = np.isnan(gaps), table.std(axis=0)
        assert np.array_equal(filled[~missing], table[~missing])
        assert np.isfinite(filled).all()

        def error(guess):
            return np.sqrt(np.mean(np.square((guess - table) / scale)[missing]))

        assert error(filled) < 0.6 * error(SimpleImputer().fit_transform(gaps))

    @pytest.mark.slow
    def test_hidden_cells_are_judged_in_units_of_their_column(self, table):
        errors = hidden_errors(table[:200, :6] * [1, 10, 100, 1, 1, 1])
        assert set(errors) == {"autoencoder", "regressions", "column_mean"}
        assert errors["column_mean"] == pytest.approx(1, abs=0.2)
        assert errors["regressions"] < errors["column_mean"]
        assert errors["autoencoder"] < errors["column_mean"]

    def test_where_no_cell_can_be_hidden_there_are_no_errors(self):
        assert hidden_errors([[1.0, 2.0]]) == {}

    def test_without_gaps_it_is_as_it_was(self, table):
        assert np.array_equal(fill_table(table), table)

    def test_what_cannot_be_filled_is_said(self):
        with pytest.raises(ValueError, match="column 2 of the table holds no value"):
            fill_table([[1, np.nan], [2, np.nan]])
        with pytest.raises(ValueError, match="infinite"):
            fill_table([[1, np.inf]])
        with pytest.raises(ValueError, match="shape"):
            fill_table([1, np.nan])

    def test_is_read_as_people_write_it(self, tmp_path):
        path = tmp_path / "t.csv"
        path.write_text("height;weight\n1.80; 75\n;NA\n1.7e0;?\n")
        header, cells, numbers = read_table(path)
        assert header == ["height", "weight"] and len(cells) == 3
        expected = [[1.8, 75], [np.nan, np.nan], [1.7, np.nan]]
        assert np.array_equal(numbers, expected, equal_nan=True)
        path.write_text("1,2\n3,\n")
        assert read_table(path)[0] is None

    @pytest.mark.parametrize(
        "text, said",
        [
            ("a,b\n1,2\n3,word\n", "data row 2, column b: 'word' is not a number"),
            ("a,b\n1,2,3\n", "data row 1 has 3 cells, not 2"),
            ("a,b\n", "no rows"),
            ("", "no rows"),
        ],
    )
    def test_what_cannot_be_read_is_said(self, tmp_path, capsys, text, said):
        (tmp_path / "t.csv").write_text(text)
        with pytest.raises(SystemExit) as stopped:
            run_use("fill", ["--table", str(tmp_path / "t.csv")])
        assert stopped.value.code == 2
        assert said in capsys.readouterr().err

    @pytest.mark.slow
    def test_command_line_leaves_known_cells_as_written(self, gaps, tmp_path, capsys):
        few = gaps[:60, :4]
        rows = [",".join("" if np.isnan(v) else f"{v:.3f}" for v in row) for row in few]
        (tmp_path / "t.csv").write_text("a,b,c,d\n" + "\n".join(rows) + "\n")
        command.main(["--table", str(tmp_path / "t.csv"), "--output", str(tmp_path / "out.csv")])
        assert f"cells_filled  {np.isnan(few).sum()}" in capsys.readouterr().out
        lines = (tmp_path / "out.csv").read_text().splitlines()
        assert lines[0] == "a,b,c,d"
        for before, after in zip(rows, lines[1:], strict=True):
            for known, cell in zip(before.split(","), after.split(","), strict=True):
                assert cell == known if known else np.isfinite(float(cell))


def test_command_line(vae, few, tmp_path, capsys):
    vae.save(tmp_path / "model.keras")
    x, missing = with_hole(to_unit(few.x_test[:4]))
    save_images(tmp_path / "whole.npz", to_unit(few.x_test[:4]))
    np.savez(tmp_path / "holes.npz", images=x)
    model = ["--model", str(tmp_path)]
    command.main(
        [*model, "--input", str(tmp_path / "holes.npz"), "--output", str(tmp_path / "o.npz")]
    )
    assert f"pixels_filled  {missing.sum()}" in capsys.readouterr().out
    out = load_images(tmp_path / "o.npz")
    assert np.array_equal(out[~missing], x[~missing])

    command.main([*model, "--input", str(tmp_path / "whole.npz"), "--hole", "half", "--json"])
    values = json.loads(capsys.readouterr().out)
    assert values["pixels_filled"] == 4 * 392 and values["psnr"] > 5

    draws = []
    for seed in ("0", "1"):
        command.main(
            [
                *model,
                "--input",
                str(tmp_path / "holes.npz"),
                "--draw",
                "--seed",
                seed,
                "--output",
                str(tmp_path / "d.npz"),
            ]
        )
        draws.append(load_images(tmp_path / "d.npz"))
    assert not np.array_equal(*draws)


def test_command_line_says_what_is_wrong(vae, tmp_path, capsys, digits, seeded):
    from Code.ae import AE

    vae.save(tmp_path / "model.keras")
    AE().save(tmp_path / "ae.keras")
    save_images(tmp_path / "my.png", digits[:1])

    def said(*arguments):
        with pytest.raises(SystemExit) as stopped:
            run_use("fill", list(arguments))
        assert stopped.value.code == 2
        return capsys.readouterr().err

    image = ("--input", str(tmp_path / "my.png"))
    assert "--table" in said(*image)
    assert "no pixel is missing" in said("--model", str(tmp_path), *image)
    ae = str(tmp_path / "ae.keras")
    assert "variational" in said("--model", ae, *image, "--hole", "half", "--draw")
