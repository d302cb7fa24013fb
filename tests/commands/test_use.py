"""Models and images come in, images and numbers go out, and what is wrong is said in one line."""

import argparse
import importlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageDraw

from Code.commands import cli, use
from Code.commands.status import status_of
from Code.commands.use import checked
from Code.data.datasets import load_dataset
from Code.data.pictures import load_images, save_images
from Code.foundation.errors import UserError
from Code.runs.run import facts_of
from Code.tasks import USES
from Code.tasks.task import Measured
from Code.training.trained import load_model
from tests.support import called


@pytest.fixture(scope="module")
def model():
    from Code.vae import VAE

    return VAE(code_dim=3, hidden=(8,))


def saved(folder, array, name="images.npz", **arrays):
    np.savez(folder / name, **(arrays or {"images": array}))
    return folder / name


@pytest.fixture
def message(capsys):
    """The one line on stderr with which a call ends, its exit status being 2."""

    def of(function, *arguments):
        assert status_of(lambda: checked(lambda _: function(*arguments), None)) == 2
        said = capsys.readouterr().err
        assert said.startswith("error: ") and said.count("\n") == 1
        return said

    return of


def parsed(folder):
    """The options of a use with this model, and the model."""
    options = cli.parser("reconstruct", "").parse_args(["--model", folder])
    return options, load_model(folder)


class TestModels:
    @pytest.mark.parametrize("place", ["model.keras", "runs/seed-0/model.keras"])
    def test_comes_from_the_folder_of_an_experiment(self, model, digits, tmp_path, place):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        model.save(tmp_path / place)
        loaded = load_model(tmp_path)
        assert np.array_equal(loaded.encode(digits), model.encode(digits))

    def test_comes_from_a_file(self, model, digits, tmp_path):
        model.save(tmp_path / "mine.keras")
        loaded = load_model(str(tmp_path / "mine.keras"))
        assert np.array_equal(loaded.reconstruct(digits), model.reconstruct(digits))

    @pytest.mark.slow
    def test_knows_every_variant_in_a_fresh_process(self, model, tmp_path, root):
        model.save(tmp_path / "model.keras")
        code = (
            "from Code.training.trained import load_model; "
            f"print(load_model({str(tmp_path)!r}).code_dim)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, cwd=root
        )
        assert done.stdout.strip() == "3", done.stderr

    @pytest.mark.slow
    def test_a_class_of_one_s_own_is_found_in_its_file(self, digits, root, tmp_path):
        (tmp_path / "mine.py").write_text("from Code.ae import AE\n\n\nclass Mine(AE):\n    pass\n")
        model, images, out = (tmp_path / name for name in ("m.keras", "in.npz", "out.npz"))
        save_images(images, digits)
        code = f"import mine; mine.Mine().save({str(model)!r})"
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
        )
        command = [
            sys.executable,
            "-m",
            "Code.use",
            "reconstruct",
            "--model",
            model,
            "--input",
            images,
            "--output",
            out,
        ]
        done = subprocess.run(
            [*command, "--module", tmp_path / "mine.py"], capture_output=True, text=True, cwd=root
        )
        assert done.returncode == 0, done.stderr
        assert load_images(out).shape == digits.shape
        done = subprocess.run(command, capture_output=True, text=True, cwd=root)
        assert done.returncode == 2
        assert "--module" in done.stderr

    @pytest.mark.parametrize(
        ("name", "text", "why"),
        [
            ("absent.py", None, "no such .py file"),
            ("mine.txt", "", "no such .py file"),
            ("broken.py", "import nothing_of_this_name", "ModuleNotFoundError"),
            ("json.py", "", "another module is called json"),
        ],
    )
    def test_a_module_that_is_none_is_said(self, capsys, tmp_path, name, text, why):
        if text is not None:
            (tmp_path / name).write_text(text)
        with pytest.raises(SystemExit) as stopped:
            cli.parser("reconstruct", "").parse_args(
                ["--model", "m", "--module", str(tmp_path / name)]
            )
        assert stopped.value.code == 2
        assert why in capsys.readouterr().err

    def test_what_is_no_model_is_said(self, message, tmp_path):
        assert "no such folder" in message(load_model, tmp_path / "absent")
        assert "no model.keras" in message(load_model, tmp_path)
        (tmp_path / "model.txt").write_text("weights")
        assert ".keras file" in message(load_model, tmp_path / "model.txt")
        (tmp_path / "model.keras").write_text("not a zip\nat all")
        assert "cannot be loaded" in message(load_model, tmp_path)

    def test_a_model_of_another_kind_is_refused(self, message, tmp_path):
        import keras

        keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "model.keras")
        assert "not an autoencoder" in message(load_model, tmp_path)


class TestImages:
    @pytest.mark.parametrize("name", ["a.npz", "a.png"])
    def test_come_back_as_they_were_saved(self, digits, tmp_path, name):
        save_images(tmp_path / name, digits[:1])
        back = load_images(tmp_path / name, (28, 28))
        assert back.dtype == np.float32
        assert np.allclose(back, digits[:1], atol=1e-6)

    def test_inverted_both_ways_is_as_before(self, digits, tmp_path):
        save_images(tmp_path / "dark.png", digits[:1], invert=True)
        plain = load_images(tmp_path / "dark.png")
        assert np.allclose(1 - plain, digits[:1], atol=1e-6)
        assert np.allclose(load_images(tmp_path / "dark.png", invert=True), digits[:1], atol=1e-6)

    def test_many_stand_in_rows_of_sixteen(self, mnist, tmp_path):
        x = mnist.x_test[:20] / np.float32(255)
        save_images(tmp_path / "sheet.png", x)
        sheet = load_images(tmp_path / "sheet.png")[0]
        assert sheet.shape == (2 * 28, 16 * 28)
        assert np.allclose(sheet[:28, 28:56], x[1], atol=1e-6)
        assert np.allclose(sheet[28:, 3 * 28 : 4 * 28], x[19], atol=1e-6)
        assert not sheet[28:, 4 * 28 :].any()

    def test_uint8_colour_and_sixteen_bits_mean_the_same(self, mnist, tmp_path):
        x = mnist.x_test[:1]
        expected = x / np.float32(255)
        Image.fromarray(np.repeat(x[0][..., None], 3, axis=2)).save(tmp_path / "rgb.png")
        Image.fromarray(x[0].astype(np.uint16) * 257).save(tmp_path / "deep.png")
        saved(tmp_path, x[..., None], "bytes.npz")
        for name in ("rgb.png", "deep.png", "bytes.npz"):
            assert np.allclose(load_images(tmp_path / name), expected, atol=1e-6), name

    def test_the_named_array_is_taken(self, digits, tmp_path):
        path = saved(tmp_path, None, x_test=digits, y_test=np.arange(16))
        assert np.array_equal(load_images(path), digits)

    def test_missing_pixels_are_nan_where_they_may_be(self, digits, tmp_path, message):
        x = digits.copy()
        x[:, :3] = np.nan
        assert np.array_equal(load_images(saved(tmp_path, x), missing=True), x, equal_nan=True)
        assert "Code.use fill" in message(load_images, saved(tmp_path, x))
        alpha = np.full((28, 28), 255, np.uint8)
        alpha[5] = 0
        grey = np.round(255 * digits[0]).astype(np.uint8)
        Image.fromarray(np.dstack([grey, alpha]), "LA").save(tmp_path / "alpha.png")
        seen = load_images(tmp_path / "alpha.png", missing=True)[0]
        assert np.isnan(seen[5]).all() and np.isnan(seen).sum() == 28
        assert np.allclose(np.delete(seen, 5, 0), np.delete(digits[0], 5, 0), atol=1e-6)

    def test_what_cannot_be_used_is_said(self, tmp_path, message, digits):
        def of(array, shape=None):
            return message(load_images, saved(tmp_path, array), shape)

        assert "no such file" in message(load_images, tmp_path / "none.png")
        for name in ("a.jpg", "a.png", "a.txt"):
            (tmp_path / name).write_bytes(b"no picture")
            assert f"{name}: not a picture" in message(load_images, tmp_path / name)
        (tmp_path / "a.npz").write_bytes(b"no archive")
        assert "cannot be read as an .npz" in message(load_images, tmp_path / "a.npz")
        assert "28×28 pixels, but the model takes 32×32" in of(digits, (32, 32))
        assert "between 0 and 1" in of(digits * 2)
        assert "dtype" in of(np.zeros((1, 8, 8), int))
        assert "(2, 8, 8, 4)" in of(np.zeros((2, 8, 8, 4)))
        assert "pickled" in of(np.array([{"a": 1}], object))
        two = saved(tmp_path, None, a=digits, b=digits)
        assert "save one array, named images" in message(load_images, two)

    def test_only_known_formats_are_written(self, digits, tmp_path, message):
        assert ".png or .npz" in message(save_images, tmp_path / "a.gif", digits)
        assert ".png" in message(cli.check_output, "a.gif", (".png",))
        assert not list(tmp_path.iterdir())


SEVEN = [(60, 40), (140, 40), (90, 165)]


class TestEveryKindOfInput:
    """What people have given to such a command, through the command itself."""

    @pytest.fixture(scope="class")
    def given(self, mnist, model, tmp_path_factory):
        """A folder of inputs: pictures and arrays of a digit or of forty, and a model."""
        d, x = tmp_path_factory.mktemp("given"), mnist.x_test[:40]
        model.save(d / "model.keras")
        grey = Image.fromarray(x[0])
        pictures = {
            **{name: grey for name in ("grey.png", "GREY.PNG", "photo.jpg", "digit.bmp")},
            **{f"{mode}.png": grey.convert(mode) for mode in ("RGB", "RGBA", "P")},
            "bit1.png": Image.fromarray(x[0] > 127),
            "grey16.png": Image.fromarray(x[0].astype(np.uint16) * 257),
            "inverted.png": Image.fromarray(255 - x[0]),
            "photo200.png": Image.new("RGB", (200, 200), (235, 230, 220)),
        }
        drawing = ImageDraw.Draw(pictures["photo200.png"])
        drawing.line(SEVEN, fill=(30, 30, 60), width=14, joint="curve")
        (d / "folder").mkdir()
        pictures |= {f"folder/{i}.png": Image.fromarray(x[i]) for i in range(5)}
        for name, picture in pictures.items():
            picture.save(d / name)
        np.save(d / "my.npy", x)
        arrays = {"my": x, "bool": x > 127, "chan": x[..., None], "flat": x.reshape(40, -1)}
        for name, array in {**arrays, "255": x.astype(np.float32)}.items():
            np.savez(d / f"{name}.npz", images=array)
        return d

    @pytest.fixture
    def reconstructed(self, given, tmp_path):
        """What ``reconstruct`` says of inputs, and its result where there is one."""

        def of(*words):
            paths = [given / word if "." in word or word == "folder" else word for word in words]
            out = tmp_path / "out.npz"
            call = ["reconstruct", "--model", given, "--output", out, "--input", *paths]
            done = called(use.main, *call)
            assert "Traceback" not in done.stderr
            return done, np.load(out)["images"] if out.exists() else None

        return of

    @pytest.mark.parametrize(
        ("name", "n"),
        [
            *((f"{name}.png", 1) for name in ("grey", "RGB", "RGBA", "P", "bit1", "grey16")),
            *((name, 1) for name in ("GREY.PNG", "photo.jpg", "digit.bmp")),
            *((name, 40) for name in ("my.npz", "my.npy", "bool.npz", "chan.npz", "flat.npz")),
        ],
    )
    def test_is_read_without_a_word(self, reconstructed, name, n):
        done, images = reconstructed(name)
        assert (done.returncode, done.stderr, images.shape) == (0, "", (n, 28, 28))

    def test_a_folder_or_its_files(self, reconstructed):
        done, images = reconstructed("folder")
        assert done.returncode == 0 and "folder: 5 pictures\n" in done.stderr
        done, again = reconstructed(*(f"folder/{i}.png" for i in range(5)))
        assert done.stderr == "" and np.array_equal(images, again)

    def test_dark_ink_on_white_suggests_invert(self, reconstructed):
        done, _ = reconstructed("inverted.png")
        assert done.returncode == 0 and done.stderr.count("\n") == 1
        assert "add --invert" in done.stderr
        done, images = reconstructed("inverted.png", "--invert")
        assert done.stderr == ""
        assert np.allclose(1 - images, reconstructed("grey.png")[1], atol=1e-5)

    def test_a_photograph_is_refused_or_fitted(self, reconstructed):
        done, images = reconstructed("photo200.png")
        assert done.returncode == 2 and images is None and done.stderr.count("\n") == 1
        assert "200×200 pixels, but the model takes 28×28; --fit" in done.stderr
        done, images = reconstructed("photo200.png", "--fit", "--invert")
        assert (done.returncode, done.stderr, images.shape) == (0, "", (1, 28, 28))

    def test_floats_to_255_are_refused(self, reconstructed):
        done, _ = reconstructed("255.npz")
        assert done.returncode == 2 and "255.npz: the images lie between 0 and 255" in done.stderr

    @pytest.mark.parametrize("name", ["segment", "resize"])
    def test_uses_of_other_sizes_have_no_fit(self, name):
        assert "--fit" not in called(use.main, name, "--help").stdout


class TestNumbers:
    def test_are_json_where_asked(self, capsys):
        cli.print_values({"mse": np.float32(0.5), "psnr": np.inf}, as_json=True)
        assert json.loads(capsys.readouterr().out) == {"mse": 0.5, "psnr": None}

    def test_have_units(self, capsys):
        cli.print_values({"mse": 0.5, "psnr": 3.0103}, units={"psnr": "dB"})
        assert capsys.readouterr().out == "mse   0.5\npsnr  3.0103 dB\n"

    @pytest.mark.parametrize("name", ["segment", "style", "disentangle"])
    def test_a_use_of_grey_images_refuses_a_model_of_colours(self, name, message):
        options = argparse.Namespace(use=name, input=["any.png"], invert=False, fit=False)
        assert "for grey images only" in message(cli.images_of, options, (8, 8, 3))

    def test_a_hole_in_colour_lacks_all_channels(self, tmp_path):
        from Code.ae import AE

        AE(image_shape=(8, 6, 3)).save(tmp_path / "model.keras")
        x = np.random.default_rng(0).random((2, 8, 6, 3), np.float32)
        given = saved(tmp_path, x)
        data = saved(tmp_path, None, "data.npz", images=np.concatenate([x, x]))
        words = ["--model", tmp_path, "--input", given, "--hole", "half", "--data", data, "--json"]
        done = called(use.main, "fill", *words)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["pixels_filled"] == 2 * 8 * 6 * 3 / 2

    @pytest.fixture
    def trained(self, mnist, tmp_path):
        """A function that makes an experiment's folder, of a model of small images of one's own."""
        from Code.ae import AE

        data = tmp_path / "mine.npz"
        x = mnist.x_train[:60, ::4, ::4]
        np.savez(data, images=x, labels=np.array(list("abc"))[np.arange(60) % 3])
        AE(image_shape=(7, 7)).save(tmp_path / "model.keras")

        def of(**changes):
            facts = facts_of(load_dataset(data), data) | changes
            (tmp_path / "result.json").write_text(json.dumps({"data": facts}), encoding="utf-8")
            return parsed(str(tmp_path))

        return of

    def test_the_data_of_the_model_are_taken(self, trained, capsys):
        options, model = trained()
        data = cli.dataset_for(model, options)
        assert (data.name, data.classes) == ("mine.npz", ("a", "b", "c"))
        assert "on which the model was trained" in capsys.readouterr().err

    def test_data_that_have_changed_are_said(self, trained, capsys):
        options, model = trained(sha256="of other data")
        cli.dataset_for(model, options)
        assert "has changed since" in capsys.readouterr().err

    def test_data_that_have_gone_are_said(self, trained, message):
        options, model = trained(source="/nowhere/mine.npz")
        assert "not to be had" in message(cli.dataset_for, model, options)

    def test_without_a_result_it_is_said_what_is_taken(self, model, tmp_path, capsys):
        model.save(tmp_path / "model.keras")
        data = cli.dataset_for(model, parsed(str(tmp_path))[0])
        assert data.name == "mnist" and "mnist is taken" in capsys.readouterr().err

    def test_a_use_that_needs_labels_says_so(self, trained, mnist, tmp_path, message):
        np.save(tmp_path / "mine.npy", mnist.x_train[:60, ::4, ::4])
        options, model = trained(source=str(tmp_path / "mine.npy"))
        options.use = "features"
        assert "needs labels" in message(cli.dataset_for, model, options)

    def test_data_of_another_size_are_refused(self, model, tmp_path, message):
        labels = np.zeros(3, np.int64)
        x = np.zeros((3, 32, 32), np.uint8)
        path = saved(tmp_path, None, x_train=x, y_train=labels, x_test=x, y_test=labels)
        options = argparse.Namespace(data=str(path), quick=False)
        assert "32×32, but the model takes 28×28" in message(cli.dataset_for, model, options)
        options.data = "nothing"
        assert "--data" in message(cli.dataset_for, model, options)


class TestRun:
    def test_ends_with_the_status_of_the_function(self):
        for function, status in ((lambda _: None, 0), (lambda _: 3, 3)):
            assert status_of(lambda function=function: checked(function, None)) == status

    def test_says_errors_of_files(self, message, tmp_path):
        assert "a.txt" in message((tmp_path / "a.txt").read_text)

    def test_other_errors_are_ours_and_keep_their_trace(self):
        with pytest.raises(ZeroDivisionError):
            status_of(lambda: checked(lambda _: 1 / 0, None))

    def test_user_errors_become_one_line(self, message):
        def fail():
            raise UserError("two\nlines")

        assert message(fail) == "error: two lines\n"


@pytest.mark.parametrize("name", list(USES))
def test_against_is_heeded_by_every_use(name, model, digits, tmp_path, monkeypatch, capsys):
    """It measured nothing for two of them, and said nothing where there was ``--input``."""
    module = importlib.import_module(f"Code.tasks.{name}")
    model.save(tmp_path / "model.keras")
    metric = module.METRICS[0].name
    monkeypatch.setattr(module, "measure", lambda *_: Measured({metric: 1.0}))
    monkeypatch.setattr(module, "baselines", lambda *_: {"rival": Measured({metric: 2.0})})
    command = importlib.import_module(f"Code.commands.uses.{name}")
    if hasattr(command, "measure"):
        monkeypatch.setattr(command, "measure", module.measure)
    given = [name, "--model", str(tmp_path), "--quick", "--against", "--json"]
    assert use.main(given) == 0
    assert json.loads(capsys.readouterr().out)["rival"] == {metric: 2.0}
    output = tmp_path / ("out.csv" if name == "reduce" else "out.npz")
    mine = ["--input", str(saved(tmp_path, digits)), "--output", str(output)]
    assert use.main([*given, *mine]) == 2
    assert "--against measures on --data" in capsys.readouterr().err


def test_help_teaches():
    done = called(use.main, "reconstruct", "--help")
    assert done.returncode == 0
    for word in ("--model", "--input", "--output", "--invert", "Example: python -m Code.use"):
        assert word in done.stdout
