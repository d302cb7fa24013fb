"""FactorVAE: the discriminator, its own optimiser, and a total correlation that falls."""

import keras
import numpy as np
import pytest

from Code.factor_vae import FactorVAE, discriminator_loss, permute_units
from Code.parts.latent import gaussian_total_correlation, sampled_codes
from Code.vae import VAE

NET = {"hidden": (64,), "code_dim": 6, "discriminator_hidden": (64, 64)}


def test_permuted_codes_keep_each_unit_and_lose_the_dependence(seeded):
    rng = np.random.default_rng(0)
    z = (rng.normal(size=(2000, 1)) + 0.1 * rng.normal(size=(2000, 3))).astype(np.float32)
    permuted = np.asarray(permute_units(z, seed=1))
    np.testing.assert_array_equal(np.sort(permuted, axis=0), np.sort(z, axis=0))
    assert gaussian_total_correlation(z) > 2
    assert abs(gaussian_total_correlation(permuted)) < 0.02
    generator = keras.random.SeedGenerator(0)
    first, second = (np.asarray(permute_units(z, generator)) for _ in range(2))
    assert (first != second).any()


def test_total_correlation_of_two_correlated_normals_is_known():
    rho = 0.8
    z = np.random.default_rng(0).multivariate_normal([0, 0], [[1, rho], [rho, 1]], size=100_000)
    assert gaussian_total_correlation(z) == pytest.approx(-0.5 * np.log(1 - rho**2), abs=0.01)
    assert gaussian_total_correlation(z[:, :1]) == pytest.approx(0)


def test_the_discriminator_s_loss_and_its_gradient():
    a, b, step = 0.7, -0.4, 1e-3
    d = 1 / (1 + np.exp(-np.array([a, b])))
    expected = -0.5 * (np.log(d[0]) + np.log(1 - d[1]))
    assert float(discriminator_loss(a, b)) == pytest.approx(expected, abs=1e-6)
    slope = (discriminator_loss(a + step, b) - discriminator_loss(a - step, b)) / (2 * step)
    assert float(slope) == pytest.approx(-0.5 * (1 - d[0]), abs=1e-3)


@pytest.mark.slow
def test_each_optimiser_moves_its_own_weights_only(mnist, seeded):
    model = FactorVAE(**NET)
    model.compile(optimizer=keras.optimizers.SGD(0.0))
    own = [v.numpy() for v in model.trained_variables]
    its = [v.numpy() for v in model.discriminator.trainable_variables]
    model.fit(mnist.x_train[:192], epochs=1, verbose=0)
    for before, after in zip(own, model.trained_variables, strict=True):
        np.testing.assert_array_equal(before, after.numpy())
    moved = [
        (before != after.numpy()).any()
        for before, after in zip(its, model.discriminator.trainable_variables, strict=True)
    ]
    assert all(moved)
    model.discriminator_rate = 0.0
    its = [v.numpy() for v in model.discriminator.trainable_variables]
    model.compile()
    model.fit(mnist.x_train[:192], epochs=1, verbose=0)
    for before, after in zip(its, model.discriminator.trainable_variables, strict=True):
        np.testing.assert_array_equal(before, after.numpy())
    assert (own[0] != model.trained_variables[0].numpy()).any()


@pytest.mark.slow
def test_total_correlation_falls_below_that_of_the_vae(mnist):
    few = mnist.subset(4800, 2000)
    found = {}
    for name, gamma in (("vae", 0.0), ("factor", 40.0)):
        keras.utils.set_random_seed(0)
        model = FactorVAE(gamma=gamma, discriminator_rate=1e-3, **NET)
        model.compile()
        model.fit(few.x_train, batch_size=64, epochs=8, verbose=0)
        found[name] = model.diagnostics(few.x_test / np.float32(255), None)["gaussian_tc"]
    assert found["factor"] < 0.6 * found["vae"]


@pytest.mark.slow
def test_without_its_term_it_is_the_vae(digits, seeded):
    model, vae = FactorVAE(gamma=0.0, **NET), VAE(hidden=(64,), code_dim=6)
    for one, other in ((model.encoder, vae.encoder), (model.decoder, vae.decoder)):
        other.set_weights(one.get_weights())
    for m in (model, vae):
        m.sample_seed = keras.random.SeedGenerator(1)
    np.testing.assert_allclose(
        model.loss_terms(digits)["loss"], vae.loss_terms(digits)["loss"], rtol=1e-6
    )


@pytest.mark.parametrize(
    "compiled", [pytest.param(True, marks=[pytest.mark.xla, pytest.mark.slow]), False]
)
def test_the_discriminator_is_saved_with_the_model(compiled, mnist, digits, seeded, tmp_path):
    model = FactorVAE(**NET)
    if compiled:
        model.compile()
        model.fit(mnist.x_train[:192], epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    z = sampled_codes(model, digits)
    np.testing.assert_array_equal(loaded.discriminator(z), model.discriminator(z))
    np.testing.assert_array_equal(loaded.reconstruct(digits), model.reconstruct(digits))
    for one, other in zip(
        loaded.discriminator_optimizer.variables,
        model.discriminator_optimizer.variables,
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    if compiled:
        loaded.fit(mnist.x_train[:192], epochs=1, verbose=0)


def test_shapes_and_views(digits, seeded):
    model = FactorVAE(**NET, n_classes=10)
    assert model.encode(digits).shape == (16, 6)
    assert model.reconstruct(digits).shape == digits.shape
    assert model.views(digits, None)["traversal"].shape == (60, 28, 28)
    with pytest.raises(ValueError, match="gamma"):
        FactorVAE(gamma=-1)
