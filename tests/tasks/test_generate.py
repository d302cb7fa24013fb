"""Likeness of drawn images to real ones: closed forms, known cases, a model, the command line."""

import dataclasses
import json
import types

import numpy as np
import pytest

from Code.commands.uses import generate as command
from Code.data.pictures import load_images
from Code.parts.images import to_unit
from Code.tasks import generate
from Code.tasks.principal import principal_components
from Code.vae import VAE
from tests.support import run_use, some

SETTINGS = {"hidden": (256,), "code_dim": 16, "reconstruction": "binary cross-entropy"}


pytestmark = pytest.mark.usefixtures("brief_reader")


@pytest.fixture(scope="module")
def data(mnist):
    return mnist.subset(6000, 1000)


@pytest.fixture(scope="module")
def vae(vae_16):
    return vae_16


@pytest.fixture(scope="module")
def ae(ae_16):
    return ae_16


@pytest.fixture(scope="module")
def of_vae(vae, data):
    return generate.measure(vae, data)


@pytest.fixture(scope="module")
def rivals(data):
    return generate.baselines(data)


# Fréchet distance, precision, recall: known cases ------------------------------------------------


def test_frechet_distance_of_two_normals_with_diagonal_covariances():
    """It is ‖μ − μ′‖² + Σ (σ − σ′)²."""
    means, sigmas = np.array([[0.0, 1, 2], [3, 1, 0]]), np.array([[1.0, 2, 0], [4, 2, 5]])
    pair = [(m, np.diag(s**2)) for m, s in zip(means, sigmas, strict=True)]
    assert generate.frechet_distance(*pair) == pytest.approx(9 + 4 + 9 + 25)
    assert generate.frechet_distance(*pair[::-1]) == pytest.approx(9 + 4 + 9 + 25)
    assert generate.frechet_distance(pair[0], pair[0]) == pytest.approx(0, abs=1e-9)


def test_frechet_distance_agrees_with_the_matrix_root():
    from scipy.linalg import sqrtm

    a, b = np.random.default_rng(0).normal(size=(2, 5, 5))
    covariances = a @ a.T, b @ b.T
    zero = np.zeros(5)
    expected = np.trace(sum(covariances) - 2 * np.real(sqrtm(covariances[0] @ covariances[1])))
    ours = generate.frechet_distance(*((zero, c) for c in covariances))
    assert ours == pytest.approx(expected)


def test_moments_are_of_the_sample():
    points = np.random.default_rng(0).normal(size=(20_000, 2)) * [1, 3] + [5, 0]
    mean, covariance = generate.moments(points)
    np.testing.assert_allclose(mean, [5, 0], atol=0.1)
    np.testing.assert_allclose(covariance, np.diag([1, 9]), atol=0.3)


def test_radius_is_the_distance_to_the_kth_other_point():
    points = np.array([[0.0], [1], [3], [7]])
    np.testing.assert_allclose(generate.radii(points, 1), [1, 1, 4, 16])
    np.testing.assert_allclose(generate.radii(points, 2), [9, 4, 9, 36])


def test_coverage_of_itself_is_whole_and_of_a_far_place_none():
    points = np.random.default_rng(0).normal(size=(200, 3))
    squared = generate.radii(points)
    assert generate.coverage(points, points, squared) == 1
    assert generate.coverage(points + 100, points, squared) == 0


def test_lost_modes_cost_recall_and_strange_images_precision():
    rng = np.random.default_rng(0)
    real = rng.normal(size=(1000, 2)) * 0.1 + 10 * rng.integers(0, 2, (1000, 1))
    half = rng.normal(size=(1000, 2)) * 0.1
    precision = generate.coverage(half, real, generate.radii(real))
    recall = generate.coverage(real, half, generate.radii(half))
    assert precision > 0.9
    assert 0.4 < recall < 0.6


def test_nearest_finds_the_copy(mnist):
    images = mnist.x_train[[3, 10_007, 12_345]]
    places, distances = generate.nearest(images, mnist.x_train[:20_100])
    np.testing.assert_array_equal(places, [3, 10_007, 12_345])
    np.testing.assert_allclose(distances, 0, atol=0.02)


def test_nearest_gives_euclidean_distances():
    images = np.zeros((1, 4, 4), np.float32)
    among = np.stack([np.full((4, 4), 0.5, np.float32), np.full((4, 4), 0.25, np.float32)])
    places, distances = generate.nearest(images, among)
    assert places.tolist() == [1] and distances[0] == pytest.approx(1.0)


# Codes -------------------------------------------------------------------------------------------


def test_mixture_draws_have_the_moments_of_the_codes():
    rng = np.random.default_rng(0)
    codes = (rng.normal(size=(5000, 3)) * [1, 5, 0.1] + 7).astype(np.float32)
    drawn = generate.mixture_codes(codes, 20_000)
    np.testing.assert_allclose(drawn.mean(axis=0), codes.mean(axis=0), atol=0.15)
    np.testing.assert_allclose(drawn.std(axis=0), codes.std(axis=0), rtol=0.05)
    np.testing.assert_array_equal(drawn, generate.mixture_codes(codes, 20_000))


def test_mixture_keeps_maps_and_stays_in_the_plane_of_wide_codes():
    rng = np.random.default_rng(0)
    wide = (rng.normal(size=(500, 6)) @ rng.normal(size=(6, 128))).reshape(500, 4, 4, 8)
    drawn = generate.mixture_codes(wide, 40)
    assert drawn.shape == (40, 4, 4, 8)
    _, _, directions = np.linalg.svd(wide.reshape(500, -1), full_matrices=False)
    inside = drawn.reshape(40, -1) @ directions[:6].T @ directions[:6]
    np.testing.assert_allclose(inside, drawn.reshape(40, -1), atol=0.05)


def test_constant_codes_are_drawn_as_they_are():
    drawn = generate.mixture_codes(np.zeros((50, 2), np.float32), 5)
    np.testing.assert_allclose(drawn, 0, atol=0.01)


def test_priors(seeded, vae, ae):
    from Code.aae import AAE
    from Code.categorical_aae import CategoricalAAE
    from Code.cvae import CVAE

    codes = generate.prior_codes(vae, 5000)
    assert codes.shape == (5000, 16)
    assert abs(codes.mean()) < 0.03 and abs(codes.std() - 1) < 0.03
    assert generate.prior_codes(ae, 10) is None
    cvae = generate.prior_codes(CVAE(hidden=(8,), code_dim=3), 500)
    assert cvae.shape == (500, 13)
    assert (cvae[:, 3:].sum(axis=1) == 1).all() and (cvae[:, 3:].sum(axis=0) > 20).all()
    categorical = CategoricalAAE(hidden=(8,), code_dim=3, n_labels=0)
    for model in (categorical, AAE(hidden=(8,), prior="petals")):
        drawn = generate.prior_codes(model, 50)
        assert model.decode(drawn).shape == (50, 28, 28)
        np.testing.assert_array_equal(drawn, generate.prior_codes(model, 50))


def test_fitted_codes_are_codes_of_the_model(seeded, data):
    from Code.cvae import CVAE
    from Code.vq_vae import VQVAE, nearest_entries

    cvae = generate.fitted_codes(CVAE(hidden=(8,), code_dim=3), data.x_train[:300], 50)
    assert (cvae[:, 3:].sum(axis=1) == 1).all()
    model = VQVAE(hidden=(8,), code_dim=4, n_entries=16)
    drawn = generate.fitted_codes(model, data.x_train[:300], 50).reshape(-1, 2)
    book = np.asarray(model.quantiser.codebook)
    np.testing.assert_allclose(drawn, book[np.asarray(nearest_entries(drawn, book))], atol=1e-5)


def test_interpolation_begins_and_ends_with_the_reconstructions(vae, digits):
    way = generate.interpolations(vae, digits[0], digits[1], 5)
    np.testing.assert_allclose(way[[0, 4]], vae.reconstruct(digits[:2]), atol=1e-5)
    codes = generate.between(np.array([0.0, 2]), np.array([4.0, 0]), 3)
    np.testing.assert_allclose(codes, [[0, 2], [2, 1], [4, 0]])


# The reader and the measures on real images -------------------------------------------------------


@pytest.mark.slow
def test_reader_is_trained_once_for_equal_data(data):
    a = generate.features(data, data.x_test[:10])
    trained = generate._reader.cache_info().misses
    same = dataclasses.replace(data)
    np.testing.assert_allclose(a, generate.features(same, to_unit(data.x_test[:10])), atol=1e-4)
    assert generate._reader.cache_info().misses == trained
    assert a.shape == (10, generate.READER_UNITS)


@pytest.mark.slow
def test_reader_is_the_same_when_trained_again_and_after_a_cleared_session(data, monkeypatch):
    import keras

    monkeypatch.setattr(generate, "READER_STEPS", 30)
    few = data.subset(500, 50)
    before = generate.features(few, few.x_test)
    keras.backend.clear_session()
    np.testing.assert_array_equal(before, generate.features(few, few.x_test))
    generate._reader.cache_clear()
    keras.utils.set_random_seed(5)
    np.testing.assert_allclose(before, generate.features(few, few.x_test), atol=1e-4)


@pytest.mark.slow
def test_features_tell_digits_apart(data):
    from Code.training.measures import neighbour_accuracy

    found = [generate.features(data, x) for x in (data.x_train, data.x_test)]
    assert neighbour_accuracy(found[0], data.y_train, found[1], data.y_test) > 0.93


@pytest.mark.slow
def test_training_images_are_the_best_and_are_seen_to_be_copies(rivals, of_vae):
    real = rivals["training images"].values
    assert real["nearest_training_mixture"] < 0.01
    assert real["precision_mixture"] > 0.8 and real["recall_mixture"] > 0.8
    for worse in (one.values for one in (rivals["pca-16"], rivals["mixture of pixels"], of_vae)):
        for way in generate.WAYS:
            if f"frechet_{way}" in worse:
                assert worse[f"frechet_{way}"] > real[f"frechet_{way}"]
                assert worse[f"recall_{way}"] < real[f"recall_{way}"]
                assert worse[f"nearest_training_{way}"] > 0.3
    for worse in (rivals["pca-16"].values["frechet_mixture"], of_vae.values["frechet_prior"]):
        assert worse > 1.5 * real["frechet_mixture"]


@pytest.mark.slow
def test_noise_is_worst(data, rivals):
    noise = np.random.default_rng(0).random((2000, 28, 28), np.float32)
    values = generate.likeness(noise, data)
    assert values["precision"] < 0.05
    assert values["frechet"] > 2 * rivals["pca-16"].values["frechet_mixture"]


@pytest.mark.slow
def test_trained_vae_beats_its_untrained_self(of_vae, data):
    import keras

    assert set(of_vae.values) == {metric.name for metric in generate.METRICS}
    keras.utils.set_random_seed(0)
    untrained = generate.measure(VAE(**SETTINGS), data).values
    assert of_vae.values["frechet_prior"] < untrained["frechet_prior"] / 2
    assert of_vae.values["recall_prior"] > untrained["recall_prior"] + 0.3
    assert of_vae.values["precision_prior"] > untrained["precision_prior"]


@pytest.mark.slow
def test_model_without_a_prior_draws_from_its_mixture_and_beats_the_linear_one(ae, data, rivals):
    values, linear = generate.measure(ae, data).values, rivals["pca-16"].values
    assert not [name for name in values if name.endswith("prior")]
    assert values["frechet_mixture"] < linear["frechet_mixture"] / 1.5
    assert values["recall_mixture"] > linear["recall_mixture"] + 0.2


@pytest.mark.slow
def test_a_mixture_knows_more_than_the_prior(rivals, of_vae):
    """It is fitted to the codes, of which the prior is a guess made before training."""
    linear = rivals["pca-16"].values
    assert linear["frechet_mixture"] < linear["frechet_prior"]
    assert of_vae.values["frechet_mixture"] < of_vae.values["frechet_prior"]
    # More components and more Gaussians than for the models' sixteen units
    assert rivals["mixture of pixels"].values["frechet_mixture"] < linear["frechet_mixture"]


def test_ways_to_draw_are_named_and_ranked_apart():
    from Code.aae import AAE
    from Code.ae import AE

    mains = [metric.name for metric in generate.METRICS if metric.main]
    beside = [metric.name for metric in generate.METRICS if metric.own_column]
    assert (mains, beside) == (["frechet_mixture"], ["frechet_prior"])
    rng = np.random.default_rng(0)
    some = types.SimpleNamespace(x_train=rng.random((60, 28, 28), np.float32))
    assert set(generate.draws(AE(hidden=(8,)), some, 5)) == {"mixture"}
    found = generate.draws(AAE(hidden=(8,)), some, 5)
    assert {way: codes.shape for way, codes in found.items()} == dict.fromkeys(
        generate.WAYS, (5, 2)
    )


def test_the_prior_of_components_has_their_variances(data):
    pca = principal_components(data)
    codes, drawn = pca.encode(data.x_train), generate.linear_draws(pca, data)["prior"]
    np.testing.assert_allclose(drawn.std(axis=0), codes.std(axis=0), rtol=0.05)
    covariance = np.corrcoef(drawn, rowvar=False) - np.eye(16)
    assert np.abs(covariance).max() < 0.05


@pytest.mark.slow
def test_same_seed_same_numbers(vae, data, of_vae):
    again = generate.measure(vae, data)
    assert again.values == of_vae.values
    other = generate.measure(vae, data, seed=1).values
    assert all(other[f"frechet_{way}"] != again.values[f"frechet_{way}"] for way in generate.WAYS)


@pytest.mark.slow
def test_figure(of_vae, rivals):
    drawn = generate.figure({"vae": of_vae, **rivals})
    # Of the VAE and of components two ways, of the mixture of pixels and the training images one
    assert len(drawn.axes) == 4 + 3 + 2 + 1


# Command line ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(vae, ae, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    vae.save(folder / "vae.keras")
    ae.save(folder / "ae.keras")
    return folder


@pytest.mark.parametrize("model", some(["vae", "ae"], "vae"))
def test_command_line_draws(saved, model, tmp_path):
    arguments = ["--model", str(saved / f"{model}.keras"), "--quick", "--n", "6"]
    for output in ("a.npz", "b.npz", "c.png"):
        command.main([*arguments, "--output", str(tmp_path / output)])
    first, again = (load_images(tmp_path / f"{name}.npz", (28, 28)) for name in "ab")
    assert first.shape == (6, 28, 28) and first.std() > 0.1
    np.testing.assert_array_equal(first, again)
    sheet = load_images(tmp_path / "c.png")
    assert sheet.shape == (1, 28, 6 * 28)


def test_command_line_interpolates(saved, vae, data, tmp_path):
    np.savez(tmp_path / "ends.npz", images=data.x_test[:3])
    arguments = ["--model", str(saved / "vae.keras"), "--input", str(tmp_path / "ends.npz")]
    command.main([*arguments, "--steps", "4", "--output", str(tmp_path / "way.npz")])
    way = load_images(tmp_path / "way.npz", (28, 28))
    assert way.shape == (8, 28, 28)
    np.testing.assert_allclose(way[[0, 3, 7]], vae.reconstruct(data.x_test[:3]), atol=1e-4)
    command.main([*arguments, "--output", str(tmp_path / "way.png")])
    assert (tmp_path / "way.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_command_line_measures(saved, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(generate, "READER_STEPS", 30)
    output = tmp_path / "out.png"
    command.main(
        ["--model", str(saved / "vae.keras"), "--quick", "--json", "--output", str(output)]
    )
    assert json.loads(capsys.readouterr().out)["frechet_prior"] > 0
    assert output.exists()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--n", "3"], "--output"),
        (["--n", "0", "--output", "o.png"], "--n 0"),
        (["--n", "3", "--output", "o.txt"], "o.txt"),
        (["--n", "3", "--input", "a.npz", "--output", "o.png"], "one of them"),
        (["--input", "absent.npz", "--output", "o.png"], "absent.npz"),
        (["--input", "one.npz", "--output", "o.png"], "two"),
        (["--input", "one.npz", "--output", "o.png", "--steps", "1"], "--steps 1"),
    ],
)
def test_wrong_input_is_one_line(saved, data, options, complaint, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "one.npz", images=data.x_test[:1])
    with pytest.raises(SystemExit) as stop:
        run_use("generate", ["--model", str(saved / "vae.keras"), *options])
    assert stop.value.code == 2
    error = capsys.readouterr().err.strip()
    assert complaint in error and "\n" not in error
