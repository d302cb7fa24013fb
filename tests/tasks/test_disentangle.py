"""Factors are what was drawn, information is what it is known to be, gaps are of one unit."""

import numpy as np
import pytest
from scipy.ndimage import affine_transform

from Code.commands.uses import disentangle as command
from Code.parts.images import to_unit
from Code.tasks import disentangle
from Code.tasks.disentangle import (
    INFORMATIVE,
    METRICS,
    binned,
    bounding_box,
    dci,
    entropy,
    factors,
    gaps,
    importances,
    information,
    latents,
    measure,
    mutual_information,
    rotated,
    slant,
    thickness,
    traversals,
)
from Code.tasks.principal import PrincipalComponents
from tests.support import run_use


@pytest.fixture(scope="module")
def images(mnist):
    return to_unit(mnist.x_test[:300])


def bar(width, height=20, shape=(28, 28)):
    image = np.zeros(shape, np.float32)
    image[4 : 4 + height, 10 : 10 + width] = 1
    return image


@pytest.mark.parametrize("width", [1, 2, 3, 4, 6])
def test_thickness_of_bars(width):
    # The ends of a bar are edges as well, which matters less the longer it is
    long = bar(width, 90, (100, 28))
    assert thickness(long[None])[0] == pytest.approx(width, rel=0.07)


def test_thickness_does_not_depend_on_the_other_images(images):
    assert thickness(images[:50]) == pytest.approx(
        np.concatenate([thickness(images[i : i + 1]) for i in range(50)])
    )


def test_thicker_strokes_are_thicker(images):
    from scipy.ndimage import grey_dilation

    thick = grey_dilation(images, size=(1, 3, 3))
    difference = thickness(thick) - thickness(images)
    assert difference.min() > 0.5
    assert difference.mean() == pytest.approx(2, abs=0.7)


@pytest.mark.parametrize("degrees", [-30, -10, 0, 20])
def test_slant_of_a_sheared_bar(degrees):
    shear = np.tan(np.radians(degrees))
    # Output pixel (r, c) comes from column c + shear (r − 14): the top goes right if shear > 0
    sheared = affine_transform(bar(4), [[1, 0], [shear, 1]], [0, -14 * shear], order=1)
    assert slant(sheared[None])[0] == pytest.approx(degrees, abs=1)


def test_slant_of_a_mirrored_digit_is_the_opposite(images):
    assert slant(images[:, :, ::-1]) == pytest.approx(-slant(images), abs=1e-6)


def test_bounding_box_and_ink():
    image = bar(5, 17)
    assert [side[0] for side in bounding_box(image[None])] == [5, 17]
    found = factors((255 * image[None]).astype(np.uint8))
    assert found["ink"][0] == pytest.approx(5 * 17 / 784)


def test_a_blank_image_has_nothing():
    found = factors(np.zeros((2, 28, 28)))
    assert all(np.array_equal(values, [0, 0]) for values in found.values())


def test_bins_hold_equally_many_and_few_values_stay():
    values = np.random.default_rng(0).permutation(1000) ** 3
    assert np.array_equal(np.bincount(binned(values, 20)), np.full(20, 50))
    assert np.array_equal(binned(np.array([7.0, 3, 3, 9])), [1, 0, 0, 2])


def test_mutual_information_of_known_cases():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 4, (2, 100_000))
    assert mutual_information(a, a) == pytest.approx(entropy(a)) == pytest.approx(np.log(4), 0.01)
    assert mutual_information(a, b) < 0.001
    # a + 4 b says all of either
    assert mutual_information(a, a + 4 * b) == pytest.approx(entropy(a), abs=1e-6)


def test_mutual_information_of_correlated_normals():
    rng = np.random.default_rng(0)
    x, noise = rng.standard_normal((2, 100_000))
    y = 0.8 * x + 0.6 * noise
    exact = -0.5 * np.log(1 - 0.8**2)
    found = mutual_information(binned(x), binned(y))
    assert found <= exact
    assert found == pytest.approx(exact, abs=0.04)


def test_a_unit_a_factor_has_the_gap_one():
    rng = np.random.default_rng(0)
    v = rng.standard_normal((20_000, 3))
    values = dict(zip("abc", v.T, strict=True))
    # A unit may be any monotone function of its factor
    assert gaps(information(np.exp(2 * v), values)) == pytest.approx(np.ones(3), abs=0.03)
    turned = v @ np.linalg.qr(rng.standard_normal((3, 3)))[0]
    assert gaps(information(turned, values)).max() < 0.5


NAMES = "abc"
HALF = 1000


@pytest.fixture(scope="module")
def independent():
    """Three factors that are independent of each other, and a random rotation of as many units."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((2 * HALF, len(NAMES)))
    return values, values @ np.linalg.qr(rng.standard_normal((len(NAMES),) * 2))[0]


def scores_of(codes, values):
    known, asked = (
        dict(zip(NAMES, part.T, strict=True)) for part in (values[:HALF], values[HALF:])
    )
    return dci(importances(codes[:HALF], codes[HALF:], known, asked))


def test_a_unit_a_factor_has_the_score_one(independent):
    values, turned = independent
    # A unit may be any monotone function of its factor
    known = scores_of(np.exp(values), values)
    assert known["dci"] == pytest.approx(1, abs=0.01)
    assert known["dci_completeness"] == pytest.approx(1, abs=0.01)
    of_turned = scores_of(turned, values)
    assert of_turned["dci"] < 0.6
    assert of_turned["dci_informativeness"] > 0.95


def test_noise_tells_nothing_and_is_not_disentangled(independent):
    values, _ = independent
    found = scores_of(np.random.default_rng(1).standard_normal(values.shape), values)
    assert found["dci"] == pytest.approx(0, abs=0.01)
    assert found["dci_informativeness"] == pytest.approx(0, abs=0.01)


def test_the_least_that_a_code_must_tell_is_the_rule_s():
    from Code.reporting import rules

    assert rules.INFORMATIVE == INFORMATIVE


@pytest.mark.slow
def test_a_unit_of_noise_in_the_place_of_another_does_not_raise_the_score(independent):
    """As it raises the mutual information gap, of which it takes the second best unit away."""
    values, turned = independent
    noise = np.random.default_rng(1).standard_normal(len(values))
    for codes in (values, turned):
        assert scores_of(_with(codes, 0, noise), values)["dci"] < scores_of(codes, values)["dci"]
    # Both units know as much of either factor
    two = np.column_stack([values[:, 0] + values[:, 1], values[:, 0] - values[:, 1]])
    noisy = _with(two, 1, noise)
    named = dict(zip(NAMES, values.T, strict=True))
    assert gaps(information(noisy, named)).mean() > 2 * gaps(information(two, named)).mean()
    assert scores_of(noisy, values)["dci"] < scores_of(two, values)["dci"]


def _with(codes, unit, noise):
    found = codes.copy()
    found[:, unit] = noise
    return found


def test_parts_of_the_score_by_hand():
    # Unit 1 tells half of factor 1, unit 2 a quarter of either
    table = np.array([[0.5, 0.0], [0.25, 0.25]])
    found = dci(table)
    assert found["dci_informativeness"] == pytest.approx(0.5)
    assert found["dci"] == pytest.approx(0.5 / 2)
    assert found["dci_disentanglement"] == pytest.approx(0.5)
    thirds = 1 - (1 / 3 * np.log2(3) + 2 / 3 * np.log2(1.5))
    assert found["dci_completeness"] == pytest.approx(0.75 * thirds + 0.25)


def test_a_rotation_keeps_all_distances_of_scaled_codes():
    codes = np.random.default_rng(0).standard_normal((50, 4)) * [1, 5, 0.1, 0]
    turned, same = rotated(codes, codes)
    assert np.array_equal(turned, same)
    scaled = codes / np.where(codes.std(axis=0) > 0, codes.std(axis=0), 1)
    assert turned @ turned.T == pytest.approx(scaled @ scaled.T)
    assert np.abs(turned - scaled).max() > 0.1


def test_a_score_counts_only_where_the_factors_are_predicted():
    main = next(metric for metric in METRICS if metric.main)
    assert main.name == "dci" and main.within_width
    assert (main.needs, main.least, main.above) == (
        "dci_informativeness",
        INFORMATIVE,
        "dci_rotated",
    )


@pytest.mark.slow
def test_noise_in_the_place_of_a_trained_unit_does_not_raise_the_score(vae, mnist):
    train, test = mnist.x_train[:5000], mnist.x_test[:5000]
    known, asked = factors(train), factors(test)
    codes = latents(vae, train, 1), latents(vae, test, 0)
    whole = dci(importances(*codes, known, asked))["dci"]
    used = np.argsort(-vae.encode(test).var(axis=0))
    rng = np.random.default_rng(0)
    for unit in used[:3]:
        replaced = (_with(part, unit, rng.standard_normal(len(part))) for part in codes)
        assert dci(importances(*replaced, known, asked))["dci"] < whole


def test_two_units_that_know_the_same_leave_no_gap():
    v = np.random.default_rng(0).standard_normal(5000)
    assert gaps(information(np.stack([v, -v], axis=1), {"a": v})) == pytest.approx([0], abs=1e-3)
    assert gaps(information(v[:, None], {"a": v})) == pytest.approx([1])


def test_constant_units_and_factors_have_no_information():
    v = np.random.default_rng(0).standard_normal(1000)
    table = information(np.stack([v, np.ones(1000)], axis=1), {"a": v, "b": np.zeros(1000)})
    assert table == pytest.approx(np.array([[1, 0], [0, 0]]))


def test_a_traversal_moves_one_unit_from_quantile_to_quantile():
    spread = np.random.default_rng(0).standard_normal((1000, 2, 3)).astype(np.float32)
    image = np.arange(6, dtype=np.float32).reshape(2, 3) / 10
    rows = traversals(lambda x: x, lambda z: z, image, spread, [4, 0], steps=5)
    assert rows.shape == (2, 5, 2, 3)
    low, high = np.quantile(spread[:, 1, 1], [0.01, 0.99])
    assert rows[0, :, 1, 1] == pytest.approx(np.linspace(low, high, 5), abs=1e-5)
    untouched = np.delete(rows[0].reshape(5, 6), 4, axis=1)
    assert untouched == pytest.approx(np.tile(np.delete(image.reshape(6), 4), (5, 1)))


def test_principal_components_are_orthogonal_and_reconstruct(mnist):
    model = PrincipalComponents(mnist.x_train[:2000], 300)
    x = to_unit(mnist.x_train[:100])
    assert np.abs(model.reconstruct(x) - x).mean() < 0.01
    assert model.encode(mnist.x_train[:100]) == pytest.approx(model.encode(x), abs=1e-4)


def test_units_that_are_not_in_use_know_nothing(seeded, mnist):
    """The mean of such a unit is a function of the image; a draw of it is noise."""
    from Code.vae import VAE

    seeded.utils.set_random_seed(0)
    model, x, y = VAE(hidden=(64,), code_dim=2), mnist.x_test, mnist.y_test
    for name, scale in (("z_mean", 1e-3), ("z_log_var", 0.0)):
        kernel = model.encoder.get_layer(name).kernel
        kernel.assign(kernel * [[scale, 1.0]])
    means, draws = model.encode(x), latents(model, x)
    assert np.array_equal(draws, latents(model, x))
    known, drawn = (information(codes, {"label": y})[0] for codes in (means, draws))
    assert known > 0.02
    # What is left is the bias of 20 bins and 10 labels: 19 · 9 / (2 · 10,000) nats
    assert drawn < 0.007


@pytest.mark.slow
def test_measured_models(vae, mnist):
    data = mnist.subset(2000, 1000)
    got, rival = measure(vae, data), disentangle.baselines(data)["pca-16"]
    assert got.values == measure(vae, data).values
    for one in (got, rival):
        assert set(one.values) == {metric.name for metric in disentangle.METRICS}
        assert all(0 <= value <= 1 for value in one.values.values())
        assert one.views["traversals"].shape == (3, 11, 28, 28)
    assert rival.values["factors_r2"] > 0.5
    assert disentangle.figure({"vae": got, "pca-16": rival}).axes


def test_a_label_in_the_code_is_no_unit(mnist):
    from Code.categorical_aae import CategoricalAAE
    from Code.cvae import CVAE

    model = CVAE(hidden=(16,), code_dim=3)
    assert latents(model, mnist.x_test[:50]).shape == (50, 3)
    assert measure(model, mnist.subset(200, 100)).views["units"].max() < 3
    # Its label stands before the style
    model = CategoricalAAE(hidden=(16,), code_dim=3)
    assert latents(model, mnist.x_test[:50]).shape == (50, 3)
    assert measure(model, mnist.subset(200, 100)).views["units"].min() >= 10


@pytest.mark.slow
def test_convolutional_codes(mnist):
    from Code.cae import CAE

    measured = measure(CAE(filters=(1,)), mnist.subset(200, 100))
    assert set(measured.values) == {metric.name for metric in METRICS}
    assert 0 <= measured.values["dci"] <= 1
    assert measured.views["traversals"].shape == (3, 11, 28, 28)


def test_command_line(vae, images, tmp_path, capsys):
    model, one, out = (tmp_path / name for name in ("model.keras", "one.npz", "out.png"))
    vae.save(model)
    np.savez(one, images=images[:1])
    command.main(["--model", str(model), "--input", str(one), "--output", str(out)])
    printed = capsys.readouterr().out
    assert f"{slant(images[:1])[0]:.6g}" in printed
    assert out.read_bytes().startswith(b"\x89PNG")

    np.savez(one, images=images[:2])
    with pytest.raises(SystemExit) as stop:
        run_use("disentangle", ["--model", str(model), "--input", str(one)])
    assert stop.value.code == 2
    assert "2 images; give one" in capsys.readouterr().err


@pytest.fixture(scope="module")
def vae(vae_16):
    return vae_16
