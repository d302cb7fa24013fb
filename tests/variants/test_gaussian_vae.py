"""The VAE whose Gaussian likelihood learns its variance."""

import keras
import numpy as np
import pytest
from scipy import stats

from Code.gaussian_vae import GaussianVAE, gaussian_negative_log_likelihood
from Code.parts.images import to_unit
from tests.support import trains_on

NET = {"hidden": (64,), "code_dim": 8}


def test_the_likelihood_is_that_of_the_normal_distribution():
    rng = np.random.default_rng(0)
    x, x_hat = rng.random((2, 3, 4, 5)).astype(np.float32)
    for log_var in (np.float32(-2.3), rng.normal(size=(4, 5)).astype(np.float32)):
        nats = -stats.norm.logpdf(x, x_hat, np.exp(0.5 * log_var)).mean(axis=(1, 2))
        ours = gaussian_negative_log_likelihood(x, x_hat, log_var)
        np.testing.assert_allclose(ours, nats, rtol=1e-5)


def test_its_gradient_vanishes_where_the_variance_is_the_mean_squared_error():
    rng = np.random.default_rng(0)
    x, x_hat = rng.random((2, 50, 4, 5))
    best = np.log(np.square(x - x_hat).mean())

    def loss(log_var):
        return float(np.mean(gaussian_negative_log_likelihood(x, x_hat, log_var)))

    slope = [(loss(best + s + 1e-3) - loss(best + s - 1e-3)) / 2e-3 for s in (-0.5, 0.0, 0.5)]
    assert abs(slope[1]) < 1e-6
    np.testing.assert_allclose(slope, 0.5 * (1 - np.exp([0.5, 0, -0.5])), atol=1e-5)


@pytest.mark.xla
@pytest.mark.parametrize(
    "variance, shape", [("global", ()), pytest.param("pixel", (28, 28), marks=pytest.mark.slow)]
)
def test_variances_are_learned_and_saved(variance, shape, mnist, digits, seeded, tmp_path):
    model = GaussianVAE(variance=variance, **NET)
    model.compile()
    assert model.log_var.shape == shape
    before = np.array(model.raw_log_var)
    model.fit(mnist.x_train[:1920], epochs=2, verbose=0)
    assert (np.asarray(model.raw_log_var) != before).all()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.log_var, model.log_var)
    np.testing.assert_array_equal(loaded.reconstruct(digits), model.reconstruct(digits))
    trains_on(loaded, mnist.x_train[:192])
    assert loaded.views(digits, None).keys() == ({"sigma"} if shape else set())


@pytest.mark.slow
def test_learned_sigma_settles_at_the_reconstruction_error(mnist, seeded):
    model = GaussianVAE(**NET)
    model.compile(optimizer=keras.optimizers.Adam(3e-3))
    x = to_unit(mnist.x_train[:4800])
    model.fit(x, batch_size=64, epochs=12, verbose=0)
    z_mean, z_log_var = model.encoder(x)
    x_hat = np.asarray(model.decoder(model.sample(z_mean, z_log_var)))
    error = np.sqrt(np.square(x - x_hat).mean())
    assert model.diagnostics(x, None)["sigma"] == pytest.approx(error, rel=0.05)


def test_sigma_can_be_set_and_has_a_floor(digits, seeded):
    model = GaussianVAE(min_sigma=0.05)
    model.set_sigma(0.3)
    assert model.diagnostics(digits, None)["sigma"] == pytest.approx(0.3, rel=1e-5)
    model.raw_log_var.assign(-100.0)
    assert model.diagnostics(digits, None)["sigma"] == pytest.approx(0.05, rel=1e-5)


@pytest.mark.parametrize("wrong", [{"variance": "none"}, {"min_sigma": 0}])
def test_wrong_options_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        GaussianVAE(**wrong)
