"""What a reconstruction loses, in units that do not depend on who counts."""

import json
import math

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from Code.commands.uses import reconstruct as command
from Code.data.pictures import load_images, save_images
from Code.parts.images import to_unit
from Code.tasks import reconstruct
from Code.tasks.reconstruct import METRICS, baselines, bits_per_pixel, measure, ssim
from tests.support import run_use


@pytest.fixture(scope="module")
def few(mnist):
    return mnist.subset(6400, 300)


@pytest.fixture(scope="module")
def vae(vae_16):
    return vae_16


class Perfect:
    """Gives back what it gets."""

    def reconstruct(self, x):
        return to_unit(x)


class TestSsim:
    def test_is_that_of_scikit_image(self, digits):
        rng = np.random.default_rng(0)
        other = np.clip(digits + 0.3 * rng.standard_normal(digits.shape), 0, 1)
        expected = [
            structural_similarity(a, b.astype(np.float32), data_range=1)
            for a, b in zip(digits, other, strict=True)
        ]
        assert np.allclose(ssim(digits, other), expected, atol=1e-5)

    def test_equal_images_have_one(self, digits):
        assert np.allclose(ssim(digits, digits), 1)

    def test_the_opposite_is_below_zero(self, digits):
        assert (ssim(digits, 1 - digits) < 0).all()


class TestBits:
    def test_of_a_decoder_of_halves_are_one(self, few, seeded):
        from Code.vae import VAE

        model = VAE(hidden=(), code_dim=2)
        for weights in (*model.decoder.weights, *model.encoder.weights):
            weights.assign(np.zeros(weights.shape))
        # σ(0) = ½ for every pixel, and q(z | x) = N(0, I): one bit a pixel and no KL
        assert bits_per_pixel(model, few.x_test) == pytest.approx(1)

    def test_are_the_loss_of_the_model(self, vae, few):
        terms = vae.loss_terms(to_unit(few.x_test))
        nats = float(np.mean(terms["loss"]))
        expected = nats / (784 * math.log(2))
        assert bits_per_pixel(vae, few.x_test) == pytest.approx(expected, rel=0.01)

    def test_a_label_costs_its_own(self, few, seeded):
        from Code.cvae import CVAE

        model = CVAE(hidden=(), code_dim=2)
        for weights in (*model.decoder.weights, *model.encoder.weights):
            weights.assign(np.zeros(weights.shape))
        assert bits_per_pixel(model, few.x_test) == pytest.approx(1 + math.log2(10) / 784)

    def test_only_a_likelihood_of_bits_has_them(self, few, seeded):
        from Code.ae import AE
        from Code.gaussian_vae import GaussianVAE
        from Code.vae import VAE

        for model in (AE(), GaussianVAE(), VAE(reconstruction="mse")):
            assert set(measure(model, few).values) == {"mse", "psnr", "ssim"}


def test_a_perfect_model_loses_nothing(few):
    from Code.tasks.reconstruct import errors_of

    x = to_unit(few.x_test)
    values = errors_of(x, Perfect().reconstruct(few.x_test)).values
    assert values == {"mse": 0, "psnr": math.inf, "ssim": pytest.approx(1)}


@pytest.mark.slow
def test_pca_is_as_published(mnist):
    measured = baselines(mnist)
    assert measured["pca-2"].values["mse"] == pytest.approx(0.0557, abs=5e-5)
    assert measured["pca-16"].values["mse"] < measured["pca-2"].values["mse"]


def test_a_trained_model_beats_two_components(vae, few):
    values = measure(vae, few).values
    assert set(values) == {metric.name for metric in METRICS}
    assert values["mse"] < baselines(few)["pca-2"].values["mse"]
    assert 0 < values["bits_per_pixel"] < 0.3
    assert values["psnr"] == pytest.approx(-10 * math.log10(values["mse"]), rel=1e-4)


def test_same_seed_same_numbers(vae, few):
    assert measure(vae, few, 1).values == measure(vae, few, 1).values
    assert measure(vae, few, 1).values != measure(vae, few, 2).values


def test_floats_and_other_sizes_are_images_too(few, seeded):
    import dataclasses

    from Code.cae import CAE

    small = dataclasses.replace(
        few,
        x_train=to_unit(few.x_train[:100, 6:22, 4:24]),
        x_test=to_unit(few.x_test[:, 6:22, 4:24]),
    )
    values = measure(CAE(image_shape=(16, 20)), small).values
    assert all(map(math.isfinite, values.values()))
    baselines(small)


def test_figure_has_a_row_for_each(vae, few):
    figure = reconstruct.figure({"vae": measure(vae, few), **baselines(few)})
    rivals = [f"pca-{k}" for k in reconstruct.PCA_COMPONENTS]
    assert [text.get_text() for text in figure.texts] == ["images", "vae", *rivals]


def test_command_line(vae, few, tmp_path, capsys):
    vae.save(tmp_path / "model.keras")
    save_images(tmp_path / "my.png", to_unit(few.x_test[:1]))
    arguments = ["--model", str(tmp_path), "--input", str(tmp_path / "my.png"), "--json"]
    command.main([*arguments, "--output", str(tmp_path / "out.png")])
    values = json.loads(capsys.readouterr().out)
    assert set(values) == {metric.name for metric in METRICS}
    out = load_images(tmp_path / "out.png", (28, 28))
    assert np.mean(np.square(out - to_unit(few.x_test[:1]))) == pytest.approx(values["mse"], 0.02)

    command.main(
        ["--model", str(tmp_path), "--quick", "--against", "--output", str(tmp_path / "f.png")]
    )
    assert "pca-16" in capsys.readouterr().out
    assert (tmp_path / "f.png").is_file()


def test_command_line_says_what_is_wrong(vae, tmp_path, capsys):
    vae.save(tmp_path / "model.keras")
    save_images(tmp_path / "big.png", np.zeros((1, 32, 32)))
    with pytest.raises(SystemExit) as stopped:
        arguments = ["--model", str(tmp_path), "--input", str(tmp_path / "big.png")]
        run_use("reconstruct", arguments)
    assert stopped.value.code == 2
    assert "32×32 pixels, but the model takes 28×28" in capsys.readouterr().err
