"""Maximum mean discrepancy, and the two autoencoders that use it."""

import keras
import numpy as np
import pytest

from Code.info_vae import (
    INITIAL_LOG_VAR,
    KERNELS,
    WAE,
    InfoVAE,
    measured_mmd,
    mmd,
    squared_distances,
)
from Code.parts.images import to_unit
from Code.vae import VAE
from tests.support import some, trains_on

NET = {"hidden": (64,), "code_dim": 6}
KINDS = {"info": InfoVAE, "wae": WAE}


@pytest.fixture(params=KINDS, ids=str)
def kind(request):
    return KINDS[request.param]


def scalar_kernel(name, a, b):
    square = float(((a - b) ** 2).sum())
    return {
        "inverse multiquadric": 2 * len(a) / (2 * len(a) + square),
        "gaussian": np.exp(-square / (2 * len(a))),
    }[name]


@pytest.mark.parametrize("name", KERNELS)
def test_the_estimator_against_a_double_loop(name):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(7, 3)), rng.normal(1, 2, size=(9, 3))
    within = [
        np.mean(
            [
                scalar_kernel(name, s[i], s[j])
                for i in range(len(s))
                for j in range(len(s))
                if i != j
            ]
        )
        for s in (a, b)
    ]
    across = np.mean([scalar_kernel(name, u, v) for u in a for v in b])
    ours = mmd(a.astype(np.float32), b.astype(np.float32), KERNELS[name])
    assert float(ours) == pytest.approx(sum(within) - 2 * across, abs=1e-6)


@pytest.mark.parametrize("name", some(KERNELS, "inverse multiquadric"))
def test_equal_samples_are_near_and_shifted_ones_are_not(name):
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(40, 2, 100, 4)).astype(np.float32)
    equal = [float(mmd(a, b, KERNELS[name])) for a, b in draws]
    shifted = [float(mmd(a, b + 0.7, KERNELS[name])) for a, b in draws]
    # unbiased: of either sign, with a mean of 0
    assert min(equal) < 0 < max(equal)
    assert abs(np.mean(equal)) < 4 * np.std(equal) / np.sqrt(len(equal))
    assert min(shifted) > max(equal)


def test_the_gradient_of_the_estimator_against_finite_differences():
    import tensorflow as tf

    rng = np.random.default_rng(0)
    a, b = (tf.constant(rng.normal(size=(5, 2))) for _ in range(2))
    keras.config.set_floatx("float64")
    try:
        with tf.GradientTape() as tape:
            tape.watch(a)
            value = mmd(a, b)
        gradient = tape.gradient(value, a).numpy()
        for i, j in ((0, 0), (3, 1)):
            step = np.zeros((5, 2))
            step[i, j] = 1e-5
            slope = (mmd(a + step, b) - mmd(a - step, b)) / 2e-5
            assert gradient[i, j] == pytest.approx(float(slope), abs=1e-6)
    finally:
        keras.config.set_floatx("float32")


def test_distances():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 3)), rng.normal(size=(5, 3))
    ours = squared_distances(a.astype(np.float32), b.astype(np.float32))
    np.testing.assert_allclose(ours, np.square(a[:, None] - b[None]).sum(axis=-1), rtol=1e-4)


@pytest.mark.slow
def test_training_brings_the_codes_to_the_prior(kind, mnist, seeded):
    few = mnist.subset(3200, 1000)
    x = to_unit(few.x_test)
    found = {}
    for weight in (0.0, 1000.0):
        keras.utils.set_random_seed(0)
        model = kind(mmd_weight=weight, **NET)
        model.compile()
        before = model.evaluate(few.x_test, verbose=0, return_dict=True)["reconstruction"]
        model.fit(few.x_train, batch_size=64, epochs=6, verbose=0)
        terms = model.evaluate(few.x_test, verbose=0, return_dict=True)
        assert terms["reconstruction"] < 0.5 * before
        found[weight] = model.diagnostics(x, None)["mmd_to_prior"]
    assert found[1000.0] < 0.2 * found[0.0]


def test_the_measure_is_the_same_every_time():
    z = np.random.default_rng(0).normal(size=(500, 4)).astype(np.float32)
    assert measured_mmd(z, "gaussian") == measured_mmd(z, "gaussian")


def test_with_the_whole_kl_and_no_mmd_it_is_the_vae(digits, seeded):
    # α = 0 and λ = 1 leave the VAE's loss (Zhao et al. 2017, section 3)
    model, vae = InfoVAE(alpha=0.0, mmd_weight=1.0, **NET), VAE(**NET)
    for one, other in ((model.encoder, vae.encoder), (model.decoder, vae.decoder)):
        other.set_weights(one.get_weights())
    for m in (model, vae):
        m.sample_seed = keras.random.SeedGenerator(1)
    np.testing.assert_allclose(
        model.loss_terms(digits)["loss"], vae.loss_terms(digits)["loss"], rtol=1e-5
    )


@pytest.mark.parametrize(
    ("kind", "n"),
    [
        # A last batch of one image has no pair for the estimator
        pytest.param(InfoVAE, 201, marks=[pytest.mark.xla, pytest.mark.slow], id="info, odd"),
        pytest.param(InfoVAE, 200, id="info"),
        pytest.param(WAE, 200, marks=pytest.mark.slow, id="wae"),
    ],
)
def test_saved_and_loaded_is_the_same_model(kind, n, mnist, digits, seeded, tmp_path):
    model = kind(mmd_weight=50.0, kernel="gaussian", n_classes=10, **NET)
    model.compile()
    model.fit(mnist.x_train[:n], batch_size=50, epochs=1, verbose=0)
    assert np.isfinite(model.evaluate(digits, verbose=0, return_dict=True)["loss"])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (loaded.mmd_weight, loaded.kernel) == (50.0, "gaussian")
    np.testing.assert_array_equal(loaded.reconstruct(digits), model.reconstruct(digits))
    assert model.encode(digits).shape == (16, 6)
    trains_on(loaded, mnist.x_train[:192])


def test_sigma_starts_small_and_every_code_is_held_against_the_prior(kind, digits, mnist, seeded):
    model = kind(**NET)
    found = model.diagnostics(to_unit(mnist.x_test[:200]), None)
    assert {"mmd_to_prior", "prior_accuracy", "prior_met", "prior_energy"} <= found.keys()
    if kind is InfoVAE:
        starts = [np.mean(m.encoder(digits)[1]) for m in (model, VAE(**NET))]
        np.testing.assert_allclose(starts, [INITIAL_LOG_VAR, 0], atol=0.5)
        assert 0 <= found["active_units"] <= 6
    # Nothing is learned: narrow codes around 0 are not the prior
    assert found["prior_met"] == 0


def test_an_unknown_kernel_is_refused(kind):
    with pytest.raises(ValueError, match="kernel must be one of"):
        kind(kernel="none")


@pytest.mark.slow
def test_data_sets_of_several_sizes_are_evaluated(mnist):
    """Each smaller than one big batch: TensorFlow then leaves the size of a batch open."""
    model = InfoVAE(image_shape=(28, 28), code_dim=2, hidden=(16,))
    model.compile(optimizer="adam")
    for n in (40, 30, 20):
        found = model.evaluate(mnist.x_test[:n], verbose=0, return_dict=True)
        assert np.isfinite(list(found.values())).all()


def test_the_mmd_of_ordered_batches_is_that_of_less_varied_images():
    """What the methods page says of test losses: an order by writer raises the MMD of a batch."""
    rng = np.random.default_rng(0)
    writers = rng.standard_normal((30, 1, 8))
    z = np.sqrt(0.5) * (writers + rng.standard_normal((30, 20, 8)))
    z = z.reshape(-1, 8).astype(np.float32)
    shuffled = rng.permutation(z)

    def of_batches(codes):
        return np.mean([measured_mmd(b, "inverse multiquadric") for b in np.split(codes, 30)])

    assert of_batches(z) > of_batches(shuffled) + 0.05
    assert abs(of_batches(shuffled)) < 0.01
