"""What every variant must do: shapes, shared weights, saving, learning."""

import keras
import numpy as np
import pytest
from sklearn.decomposition import PCA

from Code.ae import AE
from Code.cae import CAE, DenoisingCAE
from Code.dae import DAE
from Code.data.corruption import gaussian
from Code.data.filters import mean_filter, psnr
from Code.foundation.names import load
from Code.parts.images import to_unit
from Code.vae import VAE
from tests.support import some

DENSE = {"hidden": (64,), "code_dim": 8}
MODELS = {
    "ae": lambda **more: AE(**DENSE, **more),
    "dae": lambda **more: DAE(**DENSE, **more),
    "cae": lambda **more: CAE(**{"filters": (8, 4), **more}),
    "cae, denoising": lambda **more: DenoisingCAE(**{"filters": (8, 4), **more}),
    "vae": lambda **more: VAE(**DENSE, **more),
}


# It differs from the CAE in its noise alone: but for its saving, it is for the slow tests
SLOW = "cae, denoising"


@pytest.fixture(
    params=[pytest.param(n, marks=pytest.mark.slow) if n == SLOW else n for n in MODELS], ids=str
)
def make(request):
    return MODELS[request.param]


def loss_of(model, x):
    return model.evaluate(x, verbose=0, return_dict=True)["loss"]


def test_shapes(make, digits, seeded):
    model = make(n_classes=10)
    code = model.encode(digits)
    assert len(code) == 16
    assert code.shape[1:] == model.decoder.input_shape[1:]
    assert model.reconstruct(digits).shape == digits.shape
    assert model.decode(code).shape == digits.shape
    assert model.autoencoder.predict(digits, verbose=0).shape == digits.shape
    probabilities = model.classifier.predict(digits, verbose=0)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_autoencoder_is_decoder_after_encoder(make, digits, seeded):
    model = make()
    through_code = model.decode(model.encode(digits))
    np.testing.assert_allclose(model.reconstruct(digits), through_code, atol=1e-6)


def test_uint8_and_unit_floats_are_the_same_input(make, mnist, seeded):
    model = make()
    x = mnist.x_test[:16]
    np.testing.assert_allclose(model.encode(x), model.encode(to_unit(x)), atol=1e-6)


@pytest.mark.slow
def test_training_improves_on_the_untrained_self(make, mnist, seeded):
    model = make()
    model.compile()
    few = mnist.subset(960, 300)
    before = loss_of(model, few.x_test)
    model.fit(few.x_train, batch_size=32, epochs=4, verbose=0)
    assert loss_of(model, few.x_test) < 0.8 * before


@pytest.mark.xla
@pytest.mark.parametrize("name", some(MODELS, "ae", "dae", "cae", "vae"))
def test_saved_and_loaded_is_the_same_model(name, mnist, digits, seeded, tmp_path):
    model = MODELS[name](n_classes=10)
    model.compile()
    model.fit(mnist.x_train[:192], epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    np.testing.assert_array_equal(loaded.reconstruct(digits), model.reconstruct(digits))
    np.testing.assert_array_equal(loaded.encode(digits), model.encode(digits))
    np.testing.assert_array_equal(
        loaded.classifier.predict(digits, verbose=0), model.classifier.predict(digits, verbose=0)
    )
    loaded.fit(mnist.x_train[:192], epochs=1, verbose=0)


@pytest.mark.parametrize(
    "make",
    [
        MODELS[n] if n in ("cae", "vae") else pytest.param(MODELS[n], marks=pytest.mark.slow)
        for n in MODELS
    ],
    ids=MODELS,
)
def test_other_image_sizes(make, mnist, seeded):
    small = mnist.x_train[:64, 4:24, 6:22]
    model = make(image_shape=(20, 16))
    model.compile()
    model.fit(small, epochs=1, verbose=0)
    assert model.reconstruct(small).shape == (64, 20, 16)


@pytest.mark.parametrize("name", ["reconstruction", "head_loss", "head_input"])
def test_unknown_options_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} must be one of"):
        AE(**{name: "no such thing"})


@pytest.mark.slow
def test_an_autoencoder_with_hidden_layers_beats_pca(mnist, seeded):
    few = mnist.subset(9600, 1000)
    flat = to_unit(few.x_train).reshape(len(few.x_train), -1)
    test = to_unit(few.x_test).reshape(len(few.x_test), -1)
    pca = PCA(2).fit(flat)
    pca_mse = np.square(test - pca.inverse_transform(pca.transform(test))).mean()
    model = AE(hidden=(256, 64), code_dim=2)
    model.compile(keras.optimizers.Adam(3e-3))
    model.fit(few.x_train, batch_size=100, epochs=10, verbose=0)
    assert loss_of(model, few.x_test) < pca_mse


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [lambda: DAE(hidden=(512,), code_dim=256), pytest.param(DenoisingCAE, marks=pytest.mark.slow)],
)
def test_a_denoising_autoencoder_denoises_better_than_a_mean_filter(make, mnist, seeded):
    few = mnist.subset(9600, 500)
    model = make()
    model.compile()
    model.fit(few.x_train, batch_size=64, epochs=2, verbose=0)
    clean = to_unit(few.x_test)
    noisy = np.asarray(gaussian(clean, 0.5, seed=1))
    denoised = psnr(clean, model.reconstruct(noisy))
    assert denoised > psnr(clean, mean_filter(noisy)) > psnr(clean, noisy)


def test_fresh_noise_in_every_epoch(digits, seeded):
    model = DAE()
    first, second = (np.asarray(model.corrupt(digits)) for _ in range(2))
    assert (first != second).mean() > 0.2
    assert first.min() >= 0 and first.max() <= 1


def test_the_published_head_reads_the_decoder_and_the_corrected_one_the_code(seeded):
    published = CAE(n_classes=10, head_input="reconstruction")
    corrected = CAE(n_classes=10, head_input="code")
    kernels = [m.classifier.network.get_layer("head").kernel for m in (published, corrected)]
    assert [kernel.shape[0] for kernel in kernels] == [784, 7 * 7 * 8]


def test_vae_samples_have_the_encoder_s_mean_and_variance(digits, seeded):
    model = VAE(**DENSE)
    z_mean, z_log_var = (np.asarray(part) for part in model.encoder(digits))
    often = (np.repeat(part[None], 4000, axis=0) for part in (z_mean, z_log_var))
    draws = np.asarray(model.sample(*often))
    standard_error = np.exp(0.5 * z_log_var) / np.sqrt(4000)
    assert (np.abs(draws.mean(axis=0) - z_mean) < 5 * standard_error).all()
    np.testing.assert_allclose(draws.var(axis=0), np.exp(z_log_var), rtol=0.15)


def test_the_head_is_compiled_as_its_autoencoder(seeded, xla_of):
    """XLA's convolutions are ten times slower here: the head of a CAE must not fall back to it."""
    for model in (AE(n_classes=10), CAE(n_classes=10)):
        assert xla_of(model.classifier, steps=10**6) is xla_of(model, steps=10**6)
        assert xla_of(model, steps=10**6) is model.compile_with_xla


@pytest.mark.parametrize(
    "posterior",
    [
        "vae:VAE",
        "gaussian_vae:GaussianVAE",
        "beta_vae:BetaVAE",
        "factor_vae:FactorVAE",
        "info_vae:InfoVAE",
        "cvae:CVAE",
        pytest.param("iwae:IWAE", marks=pytest.mark.slow),
    ],
)
def test_every_variant_with_a_posterior_counts_its_active_units(posterior, mnist, seeded):
    model = load(f"Code.{posterior}")(**DENSE)
    layers = model.recognition if "cvae" in posterior else model.encoder
    mean = layers.get_layer("z_mean")
    kernel, bias = mean.get_weights()
    # A unit without weights has the same mean in every image; the others must vary
    mean.set_weights([10 * kernel * (np.arange(8) < 5), bias])
    x = to_unit(mnist.x_test[:100])
    assert model.diagnostics(x, mnist.y_test[:100])["active_units"] == 5
