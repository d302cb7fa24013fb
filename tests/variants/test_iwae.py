"""The importance-weighted bound, and the likelihood that it measures."""

import keras
import numpy as np
import pytest
from scipy import integrate, stats

from Code.gaussian_vae import GaussianVAE
from Code.iwae import (
    IWAE,
    binarise,
    bound,
    log_weights,
    negative_log_likelihood,
    test_negative_log_likelihood,
)
from Code.parts.latent import active_units
from Code.parts.losses import kl_to_standard_normal
from Code.vae import VAE

NET = {"hidden": (32,), "code_dim": 4}
SLOPE, OFFSET, SIGMA = 1.5, 0.3, 0.5
ENCODER = {"slope": 0.4, "offset": 0.1, "sigma": 0.6}  # deliberately not the true posterior


@pytest.fixture
def line(seeded):
    """x = 1.5 z + 0.3 + 0.5 ε with an encoder that is not quite right: log p(x) is known."""
    model = GaussianVAE(image_shape=(1, 1), code_dim=1, output_activation="linear")
    model.decoder.set_weights([np.array([[SLOPE]]), np.array([OFFSET])])
    model.encoder.get_layer("z_mean").set_weights(
        [np.array([[ENCODER["slope"]]]), np.array([ENCODER["offset"]])]
    )
    model.encoder.get_layer("z_log_var").set_weights(
        [np.array([[0.0]]), np.array([2 * np.log(ENCODER["sigma"])])]
    )
    model.set_sigma(SIGMA)
    return model


@pytest.fixture
def points():
    return np.linspace(-2, 3, 7, dtype=np.float32).reshape(-1, 1, 1)


def log_p(points):
    return stats.norm.logpdf(points.ravel(), OFFSET, np.hypot(SLOPE, SIGMA))


def elbo_by_quadrature(x):
    mean = ENCODER["slope"] * x + ENCODER["offset"]
    q = stats.norm(mean, ENCODER["sigma"])

    def integrand(z):
        likelihood = stats.norm.logpdf(x, SLOPE * z + OFFSET, SIGMA)
        return q.pdf(z) * (likelihood + stats.norm.logpdf(z) - q.logpdf(z))

    return integrate.quad(integrand, mean - 8, mean + 8)[0]


def mean_bound(model, points, k, draws=4000):
    z_mean, z_log_var = model.encoder(points)
    rng = np.random.default_rng(k)
    noise = rng.standard_normal((k * draws, *z_mean.shape)).astype(np.float32)
    z = z_mean + np.exp(0.5 * np.asarray(z_log_var)) * noise
    log_w, _ = log_weights(model, points, z, z_mean, z_log_var)
    log_w = np.asarray(log_w).reshape(k, draws * len(points))
    return np.asarray(bound(log_w)).reshape(draws, len(points)).mean(axis=0)


def test_kl_against_quadrature():
    for mean, sigma in ((0.0, 1.0), (1.3, 0.4), (-0.7, 2.0)):
        q = stats.norm(mean, sigma)
        nats, _ = integrate.quad(
            lambda z, q=q: q.pdf(z) * (q.logpdf(z) - stats.norm.logpdf(z)), -25, 25, limit=200
        )
        ours = kl_to_standard_normal(np.array([[mean]]), np.array([[2 * np.log(sigma)]]))
        np.testing.assert_allclose(ours, nats, atol=1e-6)


def test_the_known_elbo_and_the_known_likelihood(line, points):
    elbo = [elbo_by_quadrature(x) for x in points.ravel().astype(float)]
    np.testing.assert_allclose(mean_bound(line, points, 1, 20_000), elbo, rtol=0.02, atol=0.03)
    z_mean, z_log_var = line.encoder(points)
    kl = np.asarray(kl_to_standard_normal(z_mean, z_log_var))
    # the VAE's own loss, its KL in closed form
    many = np.tile(points, (20_000, 1, 1))
    mean_terms = np.asarray(line.loss_terms(many)["loss"]).reshape(20_000, -1).mean(axis=0)
    np.testing.assert_allclose(mean_terms, -np.array(elbo), rtol=0.02, atol=0.03)
    assert (kl > 0).all() and (elbo < log_p(points)).all()


def test_the_bound_tightens_with_k_up_to_the_known_likelihood(line, points):
    bounds = [mean_bound(line, points, k).mean() for k in (1, 5, 50)]
    truth = log_p(points).mean()
    gaps = truth - np.array(bounds)
    assert (gaps > -0.01).all()
    assert gaps[0] > 2 * gaps[1] > 4 * gaps[2]


@pytest.mark.slow
def test_likelihood_by_importance_sampling_is_the_known_one(line, points):
    nll = negative_log_likelihood(line, points, samples=5000, seed=0)
    np.testing.assert_allclose(nll, -log_p(points), atol=0.05)
    np.testing.assert_array_equal(nll, negative_log_likelihood(line, points, 5000, seed=0))
    assert (nll != negative_log_likelihood(line, points, 5000, seed=1)).any()


def test_with_one_sample_it_is_the_elbo_at_the_same_noise(digits, seeded):
    model = IWAE(k=1, **NET)
    z_mean, z_log_var = (np.asarray(t) for t in model.encoder(digits))
    model.sample_seed = keras.random.SeedGenerator(7)
    z = np.asarray(model.samples_of(z_mean, z_log_var))[0]
    model.sample_seed = keras.random.SeedGenerator(7)
    terms = {name: np.asarray(value) for name, value in model.loss_terms(digits).items()}
    vae = VAE(activation="tanh", **NET)
    vae.set_weights(model.get_weights()[: len(vae.get_weights())])
    error = 784 * np.asarray(vae.reconstruction_error(digits, vae.decoder(z)))
    sigma = np.exp(0.5 * z_log_var)
    kl = (stats.norm.logpdf(z, z_mean, sigma) - stats.norm.logpdf(z)).sum(axis=1)
    np.testing.assert_allclose(terms["loss"], error + kl, rtol=1e-5)
    np.testing.assert_allclose(terms["reconstruction"], error, rtol=1e-5)
    np.testing.assert_allclose(terms["kl"], kl, rtol=1e-3, atol=1e-3)


def test_more_samples_give_a_lower_loss_than_the_sum_of_its_terms(digits, seeded):
    terms = IWAE(k=20, **NET).loss_terms(digits)
    assert (np.asarray(terms["loss"] - terms["reconstruction"] - terms["kl"]) < 0).all()


def test_the_gradient_weighs_the_samples_by_their_weights():
    log_w = np.random.default_rng(0).normal(size=(5, 1)).astype(np.float32)
    step = 1e-2
    differences = [
        (bound(log_w + step * e[:, None]) - bound(log_w - step * e[:, None]))[0] / (2 * step)
        for e in np.eye(5, dtype=np.float32)
    ]
    weights = np.exp(log_w[:, 0]) / np.exp(log_w).sum()  # Burda et al. 2016, eq. 13
    np.testing.assert_allclose(differences, weights, atol=1e-3)


@pytest.mark.slow
def test_binarised_pixels_are_ones_as_often_as_they_are_bright(digits):
    draws = np.stack([np.asarray(binarise(digits, seed)) for seed in range(400)])
    assert set(np.unique(draws)) == {0.0, 1.0}
    assert np.abs(draws.mean(axis=0) - digits).max() < 0.15
    generator = keras.random.SeedGenerator(0)
    first, second = (np.asarray(binarise(digits, generator)) for _ in range(2))
    assert (first != second).any()


@pytest.mark.xla
def test_it_learns_and_is_saved(mnist, digits, seeded, tmp_path):
    model = IWAE(k=3, binary=True, **NET)
    model.compile()
    few = mnist.subset(1920, 200)
    before = model.evaluate(few.x_test, verbose=0, return_dict=True)["loss"]
    model.fit(few.x_train, batch_size=64, epochs=4, verbose=0)
    after = model.evaluate(few.x_test, verbose=0, return_dict=True)["loss"]
    assert after < 0.6 * before
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.k == 3 and loaded.binary and loaded.activation == "tanh"
    np.testing.assert_array_equal(loaded.reconstruct(digits), model.reconstruct(digits))
    assert model.encode(digits).shape == (16, 4)


@pytest.mark.slow
def test_the_cheap_mean_agrees_with_the_dear_one_and_with_the_truth(line):
    points = np.random.default_rng(0).normal(OFFSET, np.hypot(SLOPE, SIGMA), size=(400, 1, 1))
    points = points.astype(np.float32)
    dear = negative_log_likelihood(line, points, seed=1).mean()
    with_all = test_negative_log_likelihood(line, points, step=1)
    assert with_all == pytest.approx(float(dear), abs=1e-3)
    with_few = test_negative_log_likelihood(line, points, step=4)
    assert with_few == pytest.approx(-log_p(points).mean(), abs=0.1)


def test_active_units_are_those_that_vary():
    codes = np.random.default_rng(0).normal(size=(1000, 4)) * [1.0, 0.5, 0.05, 0.0]
    assert active_units(codes) == 2


def test_no_samples_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        IWAE(k=0)
