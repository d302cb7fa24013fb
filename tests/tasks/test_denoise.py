"""Less noise than before, and than a filter leaves."""

import json
import math

import numpy as np
import pytest

from Code.commands.uses import denoise as command
from Code.data.filters import psnr
from Code.data.pictures import load_images, save_images
from Code.parts.images import to_unit
from Code.tasks import denoise
from Code.tasks.denoise import (
    FILTERS,
    METRICS,
    NEIGHBOURS,
    NOISES,
    Nearest,
    Regression,
    Tuned,
    measure,
    measured_denoiser,
    noisy,
)
from Code.tasks.principal import PrincipalComponents
from tests.support import run_use


@pytest.fixture(scope="module")
def few(mnist):
    return mnist.subset(4800, 100)


@pytest.fixture(scope="module")
def dae(few):
    import keras

    from Code.dae import DAE

    keras.utils.set_random_seed(0)
    model = DAE(hidden=(256,), code_dim=32, level=0.5, reconstruction="binary cross-entropy")
    model.compile()
    model.fit(few.x_train, batch_size=64, epochs=8, verbose=0)
    return model


class TestNoise:
    def test_is_the_same_for_the_same_seed(self, digits):
        for noise in NOISES:
            assert np.array_equal(noisy(digits, *noise, 3), noisy(digits, *noise, 3))
            assert not np.array_equal(noisy(digits, *noise, 3), noisy(digits, *noise, 4))

    def test_is_of_its_kind(self, digits):
        x = np.full((20, 28, 28), 0.5, np.float32)
        assert noisy(x, "gaussian", 0.1).std() == pytest.approx(0.1, rel=0.05)
        assert np.mean(noisy(x, "masking", 0.25) == 0) == pytest.approx(0.25, abs=0.02)
        salt = noisy(x, "salt_and_pepper", 0.5)
        assert np.mean(salt == 0) == pytest.approx(0.25, abs=0.02)
        assert np.mean(salt == 1) == pytest.approx(0.25, abs=0.02)


def test_a_perfect_denoiser_has_no_error_left(few):
    x = to_unit(few.x_test)
    measured = measured_denoiser(lambda given, kind, level: x[: len(given)], few)
    assert all(
        value == (math.inf if name.startswith("psnr") else pytest.approx(1))
        for name, value in measured.values.items()
    )


def test_no_denoiser_leaves_the_noise(few):
    measured = measured_denoiser(lambda x, kind, level: x, few)
    x = to_unit(few.x_test)
    assert measured.values["psnr_gaussian_0.5"] == psnr(x, noisy(x, "gaussian", 0.5, 0))
    assert np.all(np.diff(measured.views["psnr"]) < 0), "more noise is worse"
    assert measured.views["psnr"][0] == math.inf


class TestFilters:
    def test_every_setting_tried_changes_the_noise(self, digits):
        x = noisy(digits, "gaussian", 0.5)
        for name, (apply, settings) in FILTERS.items():
            results = [apply(x, setting) for setting in settings]
            assert all(result.shape == x.shape for result in results), name
            assert len({result.tobytes() for result in results}) == len(settings), name

    def test_work_on_each_image_alone(self, digits):
        x = noisy(digits, "gaussian", 0.5)
        for name, (apply, settings) in FILTERS.items():
            alone = np.concatenate([apply(image[None], settings[0]) for image in x[:3]])
            assert np.allclose(apply(x, settings[0])[:3], alone), name

    def test_are_tuned_to_the_noise_on_training_images(self, few):
        median = Tuned(*FILTERS["median filter"], few)
        x = noisy(to_unit(few.x_test), "salt_and_pepper", 0.25)
        chosen = median.setting("salt_and_pepper", 0.25)
        assert chosen is not None
        assert np.array_equal(
            median(x, "salt_and_pepper", 0.25), FILTERS["median filter"][0](x, chosen)
        )

    def test_where_there_is_no_noise_none_is_taken(self, few):
        x = to_unit(few.x_test)
        assert Tuned(*FILTERS["total variation"], few)(x, "gaussian", 0.0) is x

    @pytest.mark.parametrize("name", FILTERS)
    def test_gain_on_gaussian_noise(self, few, name):
        x = to_unit(few.x_test)
        given = noisy(x, "gaussian", 0.5)
        assert psnr(x, Tuned(*FILTERS[name], few)(given, "gaussian", 0.5)) > psnr(x, given) + 1


class TestRegression:
    @pytest.mark.slow
    def test_it_is_fitted_to_the_noise_and_leaves_clean_images_alone(self, few):
        x = to_unit(few.x_test)
        regression = Regression(few)
        assert regression(x, "gaussian", 0.0) is x
        given = noisy(x, "gaussian", 0.5)
        of_its_noise = psnr(x, regression(given, "gaussian", 0.5))
        assert of_its_noise > psnr(x, regression(given, "gaussian", 0.25))
        for name in FILTERS:
            filtered = Tuned(*FILTERS[name], few)(given, "gaussian", 0.5)
            assert of_its_noise > psnr(x, filtered) + 1, name

    def test_it_contains_the_principal_components(self, few):
        x = to_unit(few.x_test)
        given = noisy(x, "gaussian", 0.5)
        pca = PrincipalComponents(few.x_train, 16).reconstruct(given)
        assert psnr(x, Regression(few)(given, "gaussian", 0.5)) > psnr(x, pca)


def test_neighbours_are_means_of_training_images_as_many_as_serve_best(few):
    nearest = Nearest(few, 0)
    x = to_unit(few.x_test[:20])
    assert np.array_equal(nearest(x, "gaussian", 0.0), x)
    dirty = noisy(x, "gaussian", 0.5, 0)
    found = nearest(dirty, "gaussian", 0.5)
    k = nearest.chosen["gaussian", 0.5]
    known = nearest.known.reshape(len(nearest.known), -1)
    for image, guess in zip(dirty.reshape(20, -1), found.reshape(20, -1), strict=True):
        order = np.argsort(np.square(known - image).sum(axis=1))
        assert guess == pytest.approx(known[order[:k]].mean(axis=0), abs=1e-5)
    assert psnr(x, found) > psnr(x, dirty) + 3
    held_out = noisy(nearest.held_out, "gaussian", 0.5, 1)
    scores = {each: psnr(nearest.held_out, nearest.mean(held_out, each)) for each in NEIGHBOURS}
    assert k == max(scores, key=scores.get)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_of_a_few_images_neighbours_are_what_there_is(mnist, n):
    tiny = mnist.subset(n, 2)
    found = Nearest(tiny, 0)(to_unit(tiny.x_test), "gaussian", 0.5)
    assert found.shape == tiny.x_test.shape and np.isfinite(found).all()


@pytest.mark.slow
def test_a_trained_model_beats_every_filter_at_its_noise(dae, few):
    values = measure(dae, few).values
    assert set(values) == {metric.name for metric in METRICS}
    x = to_unit(few.x_test)
    given = noisy(x, "gaussian", 0.5)
    for name, (apply, settings) in FILTERS.items():
        filtered = Tuned(apply, settings, few)(given, "gaussian", 0.5)
        assert values["psnr_gaussian_0.5"] > psnr(x, filtered), name


def test_same_seed_same_numbers(dae, few):
    assert measure(dae, few, 1).values == measure(dae, few, 1).values
    assert measure(dae, few, 1).values != measure(dae, few, 2).values


def test_pictures(dae, few):
    measured = {"noisy": measured_denoiser(lambda x, kind, level: x, few), "dae": measure(dae, few)}
    rows = [text.get_text() for text in denoise.figure(measured).texts]
    assert rows == ["images", "noisy", "dae"]
    axes = denoise.curves(measured).axes[0]
    assert [line.get_label() for line in axes.lines] == ["noisy", "dae"]


def test_command_line(dae, few, tmp_path, capsys):
    dae.save(tmp_path / "model.keras")
    x = to_unit(few.x_test[:3])
    save_images(tmp_path / "my.npz", noisy(x, "gaussian", 0.5))
    arguments = ["--model", str(tmp_path), "--input", str(tmp_path / "my.npz")]
    command.main([*arguments, "--output", str(tmp_path / "out.npz")])
    assert "changed" in capsys.readouterr().out
    out = load_images(tmp_path / "out.npz")
    assert psnr(x, out) > psnr(x, noisy(x, "gaussian", 0.5))

    save_images(tmp_path / "clean.npz", x)
    arguments[-1] = str(tmp_path / "clean.npz")
    command.main([*arguments, "--add", "gaussian", "0.5", "--json"])
    values = json.loads(capsys.readouterr().out)
    assert values["psnr_denoised"] > values["psnr_noisy"]

    command.main(["--model", str(tmp_path), "--quick", "--output", str(tmp_path / "f.png")])
    assert "psnr_gaussian_0.5" in capsys.readouterr().out
    assert (tmp_path / "f.png").is_file()


@pytest.mark.parametrize(
    "noise, said",
    [
        (("snow", "0.5"), "kinds of noise"),
        (("gaussian", "much"), "a number"),
        (("masking", "2"), "between 0 and 1"),
    ],
)
def test_command_line_says_what_is_wrong(dae, tmp_path, capsys, digits, noise, said):
    dae.save(tmp_path / "model.keras")
    save_images(tmp_path / "my.png", digits[:1])
    arguments = ["--model", str(tmp_path), "--input", str(tmp_path / "my.png"), "--add", *noise]
    with pytest.raises(SystemExit) as stopped:
        run_use("denoise", arguments)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
