"""β-VAE: with β = 1 the VAE, with more a smaller KL term."""

import keras
import numpy as np
import pytest

from Code.beta_vae import BetaVAE
from Code.parts.latent import traversal
from Code.vae import VAE

NET = {"hidden": (64,), "code_dim": 6}


def trained(kind, x, epochs=2, **options):
    keras.utils.set_random_seed(3)
    model = kind(**NET, **options)
    model.compile()
    history = model.fit(x, batch_size=64, epochs=epochs, verbose=0).history
    return model, history


@pytest.mark.slow
@pytest.mark.xla
def test_beta_of_one_is_the_vae_to_the_bit(mnist):
    x = mnist.x_train[:1000]
    vae, vae_history = trained(VAE, x)
    beta, beta_history = trained(BetaVAE, x, beta=1.0)
    assert vae_history == beta_history
    for one, other in zip(vae.get_weights(), beta.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_a_larger_beta_buys_a_smaller_kl_with_a_worse_reconstruction(mnist):
    x = mnist.x_train[:4000]
    terms = {}
    for beta in (1.0, 8.0):
        model, _ = trained(BetaVAE, x, epochs=8, beta=beta)
        terms[beta] = model.evaluate(x, verbose=0, return_dict=True)
    assert terms[8.0]["kl"] < 0.7 * terms[1.0]["kl"]
    assert terms[8.0]["reconstruction"] > terms[1.0]["reconstruction"]


def test_the_loss_is_the_weighted_sum(digits, seeded):
    terms = {k: np.asarray(v) for k, v in BetaVAE(beta=5.0, **NET).loss_terms(digits).items()}
    np.testing.assert_allclose(terms["loss"], terms["reconstruction"] + 5 * terms["kl"], rtol=1e-6)


def test_saved_and_loaded_is_the_same_model(mnist, digits, tmp_path):
    model, _ = trained(BetaVAE, mnist.x_train[:200], beta=2.5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.beta == 2.5
    np.testing.assert_array_equal(loaded.reconstruct(digits), model.reconstruct(digits))


def test_a_traversal_moves_one_unit_at_a_time(digits, seeded):
    model = BetaVAE(**NET)
    spread = np.diag([1.0, 3.0, 2.0, 0.0, 0.0, 0.0])
    images = traversal(model, np.concatenate([spread, -spread]))
    assert images.shape == (60, 28, 28)
    code = np.zeros((1, 6))
    code[0, 1] = -3.0  # the unit that varies most comes first
    np.testing.assert_allclose(images[0], model.decode(code)[0], atol=1e-6)
    views = model.views(digits, None)
    assert views["traversal"].shape == (60, 28, 28)
    spread = model.encode(digits).var(axis=0)
    assert sorted(views["traversal_units"]) == list(range(6))
    assert (np.diff(spread[views["traversal_units"]]) <= 0).all()
    assert 0 <= model.diagnostics(digits, None)["active_units"] <= 6


def test_a_negative_beta_is_refused():
    with pytest.raises(ValueError, match="beta"):
        BetaVAE(beta=-1)
