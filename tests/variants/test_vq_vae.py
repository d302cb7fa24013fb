"""VQ-VAE: choice of entries, straight-through gradient, the book's averages and its use."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from Code.vq_vae import (
    VQVAE,
    Quantiser,
    UnitQuantiser,
    UnitVQVAE,
    commitment_error,
    moving_average,
    nearest_entries,
    perplexity,
    straight_through,
)
from tests.support import trains_on

COMMON = {"hidden": (256, 64)}
SMALL = {"hidden": (32,), "code_dim": 4, "n_entries": 16}


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.fixture(scope="module")
def trained(mnist):
    """The common architecture with 16 units, trained on a little of MNIST."""
    keras.utils.set_random_seed(0)
    model = VQVAE(**COMMON, code_dim=16)
    model.compile()
    few = mnist.subset(4800, 500)
    untrained = model.evaluate(few.x_test, verbose=0, return_dict=True)
    model.fit(few.x_train, batch_size=48, epochs=5, verbose=0)
    return model, few, untrained


def test_the_nearest_entry_by_brute_force():
    vectors, codebook = random(5, 3, 2), random(7, 2, seed=1)
    distances = np.linalg.norm(vectors[:, :, None] - codebook, axis=-1)
    np.testing.assert_array_equal(nearest_entries(vectors, codebook), distances.argmin(axis=-1))


def test_straight_through_is_the_entry_forward_and_the_identity_backward():
    z_e, z_q, weight = map(tf.constant, (random(3, 4), random(3, 4, seed=1), random(3, 4, seed=2)))
    with tf.GradientTape() as tape:
        tape.watch(z_e)
        out = straight_through(z_e, z_q)
        value = ops.sum(weight * out**2)
    np.testing.assert_allclose(out, z_q, atol=1e-6)
    np.testing.assert_allclose(tape.gradient(value, z_e), 2 * weight * z_q, rtol=1e-4, atol=1e-5)


def test_the_encoder_gets_the_decoder_s_gradient_through_the_choice(digits, seeded):
    model = VQVAE(**SMALL)
    z_e = model.encoder(digits)
    z_q = tf.convert_to_tensor(model.quantiser(z_e))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([z_e, z_q])
        through = model.reconstruction_error(digits, model.decoder(model.quantiser(z_e)))
        direct = model.reconstruction_error(digits, model.decoder(z_q))
    expected = tape.gradient(direct, z_q)
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(tape.gradient(through, z_e), expected, atol=1e-7)


def test_gradient_of_the_commitment_in_closed_form_and_by_differences():
    z_e, z_q = random(3, 4), random(3, 4, seed=1)
    variable = tf.constant(z_e)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        value = ops.sum(commitment_error(variable, z_q))
    gradient = tape.gradient(value, variable).numpy()
    np.testing.assert_allclose(gradient, 2 * (z_e - z_q), rtol=1e-5)
    nudge = np.zeros_like(z_e)
    nudge[1, 2] = 1e-2
    up, down = (np.sum(commitment_error(z_e + s * nudge, z_q)) for s in (1, -1))
    assert gradient[1, 2] == pytest.approx((up - down) / 2e-2, rel=1e-2)


def test_moving_averages_against_a_loop():
    counts, sums, decay = np.array([2.0, 1.0, 3.0], "float32"), random(3, 2), 0.9
    vectors, entries = random(6, 2, seed=1), np.array([0, 0, 2, 0, 2, 2])
    expected_counts, expected_sums = decay * counts, decay * sums
    for vector, entry in zip(vectors, entries, strict=True):
        expected_counts[entry] += (1 - decay) * 1
        expected_sums[entry] += (1 - decay) * vector
    found = moving_average(counts, sums, vectors, entries, decay)
    np.testing.assert_allclose(found[0], expected_counts, rtol=1e-5)
    np.testing.assert_allclose(found[1], expected_sums, rtol=1e-5)


@pytest.mark.slow
def test_the_book_converges_to_the_means_of_its_clusters(seeded):
    book = Quantiser(n_entries=2, vector_dim=2, restart_below=0.0)
    book.build((None, 2))
    book.codebook.assign([[-0.1, 0.0], [0.1, 0.0]])
    centres = np.array([[-3.0, 1.0], [2.0, -1.0]], "float32")
    points = np.repeat(centres, 50, axis=0) + 0.1 * random(100, 2)
    for _ in range(300):
        book.follow(points)
    means = [points[:50].mean(axis=0), points[50:].mean(axis=0)]
    np.testing.assert_allclose(book.codebook, means, atol=1e-2)


@pytest.mark.slow
def test_an_entry_that_nobody_chooses_restarts_only_where_it_is_told_to(seeded):
    points = random(64, 2)
    places = {}
    for restart_below in (0.0, 0.05):
        book = Quantiser(n_entries=4, vector_dim=2, restart_below=restart_below)
        book.build((None, 2))
        start = np.array([[0, 0], [1, 1], [-1, 0], [100, 100]], "float32")
        book.codebook.assign(start)
        for _ in range(600):
            book.follow(points)
        places[restart_below] = np.asarray(book.codebook)
    np.testing.assert_allclose(places[0.0][3], [100, 100], rtol=1e-3)
    assert np.abs(places[0.05]).max() < 5
    assert all(np.isfinite(place).all() for place in places.values())


def test_perplexity():
    assert perplexity(np.full(8, 1 / 8)) == pytest.approx(8)
    assert perplexity(np.array([1.0, 0, 0])) == pytest.approx(1)


@pytest.mark.slow
def test_every_vector_of_a_code_is_an_entry(trained):
    model, few, _ = trained
    vectors = model.encode(few.x_test).reshape(-1, 2)
    book = np.asarray(model.quantiser.codebook)
    nearest = np.abs(vectors[:, None] - book).max(axis=-1).min(axis=1)
    assert nearest.max() < 1e-4
    assert model.entries(few.x_test).shape == (500, 8)


@pytest.mark.slow
def test_training_improves_and_moves_the_book(trained):
    model, few, untrained = trained
    after = model.evaluate(few.x_test, verbose=0, return_dict=True)
    assert after["reconstruction"] < 0.6 * untrained["reconstruction"]
    expected = after["reconstruction"] + model.commitment * after["commitment"]
    assert after["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_codebook_use_is_reported_and_the_book_is_in_use(trained):
    model, few, _ = trained
    measured = model.diagnostics(few.x_test / np.float32(255), few.y_test)
    assert measured["code_bits"] == 8 * 9
    assert 0.5 < measured["codebook_use"] <= 1
    assert 50 < measured["codebook_perplexity"] <= 512 * measured["codebook_use"]


def test_the_gradient_moves_no_entry(digits, seeded):
    model = VQVAE(**SMALL)
    book = {id(weight) for weight in model.quantiser.weights}
    assert len(book) >= 3
    assert book.isdisjoint(id(variable) for variable in model.trained_variables)


@pytest.mark.xla
def test_shapes_and_saving_in_the_common_architecture_of_two(mnist, digits, seeded, tmp_path):
    model = VQVAE(**COMMON, code_dim=2, n_classes=10)
    model.compile()
    model.fit(mnist.x_train[:192], batch_size=64, epochs=1, verbose=0)
    assert model.encode(digits).shape == (16, 2)
    assert model.reconstruct(digits).shape == digits.shape
    np.testing.assert_allclose(
        model.reconstruct(digits), model.decode(model.encode(digits)), atol=1e-6
    )
    assert model.views(digits, None)["codebook"].shape == (100, 28, 28)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for weight, kept in zip(model.quantiser.weights, loaded.quantiser.weights, strict=True):
        np.testing.assert_array_equal(weight, kept)
    np.testing.assert_array_equal(loaded.reconstruct(digits), model.reconstruct(digits))
    trains_on(loaded, mnist.x_train[:192], batch_size=64)


def test_a_code_that_cannot_be_cut_is_refused():
    with pytest.raises(ValueError, match="multiple of vector_dim"):
        VQVAE(code_dim=3, vector_dim=2)


class TestUnits:
    """A codebook for every unit, which learns by gradient."""

    def test_each_unit_takes_the_nearest_of_its_own(self, seeded):
        quantiser = UnitQuantiser(7)
        quantiser.build((None, 3))
        quantiser.codebook.assign(random(3, 7))
        z_e, book = random(50, 3, seed=1), np.asarray(quantiser.codebook)
        nearest = np.abs(z_e[:, :, None] - book).argmin(axis=-1)
        expected = book[np.arange(3), nearest]
        np.testing.assert_array_equal(quantiser.entries(z_e), nearest + 7 * np.arange(3))
        np.testing.assert_array_equal(quantiser.chosen(z_e), expected)
        np.testing.assert_allclose(quantiser(z_e), expected, atol=1e-6)

    def test_gradients_of_the_three_terms(self, digits, seeded):
        """Closed form: entries get 2 (e − z) of those that chose them, codes 2 β (z − e)."""
        beta = 3.0
        model = UnitVQVAE(code_dim=4, n_entries=5, commitment=beta)
        model.quantiser.codebook.assign(random(4, 5))
        z_e = model.encoder(digits)
        book = model.quantiser.codebook
        with tf.GradientTape() as tape:
            terms = model.loss_terms(tf.constant(digits))
            loss = ops.sum(terms["loss"])
        gradient = np.asarray(tf.convert_to_tensor(tape.gradient(loss, book.value)))
        entries = np.asarray(model.quantiser.entries(z_e))
        expected = np.zeros(20)
        np.add.at(expected, entries.ravel(), 2 * np.ravel(model.quantiser.chosen(z_e) - z_e))
        np.testing.assert_allclose(gradient.ravel(), expected, rtol=1e-4, atol=1e-5)
        total = terms["reconstruction"] + (1 + beta) * terms["commitment"]
        np.testing.assert_allclose(terms["loss"], total, rtol=1e-6)

    def test_the_book_learns_and_is_saved(self, mnist, digits, seeded, tmp_path):
        model = UnitVQVAE(hidden=(32,), code_dim=4, n_entries=16)
        assert any(v is model.quantiser.codebook for v in model.trained_variables)
        first = np.array(model.quantiser.codebook)
        assert np.abs(first).max() <= 1 / 16
        model.compile()
        model.fit(mnist.x_train[:256], batch_size=64, epochs=2, verbose=0)
        assert np.abs(np.asarray(model.quantiser.codebook) - first).max() > 1e-3
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        np.testing.assert_array_equal(loaded.quantiser.codebook, model.quantiser.codebook)
        np.testing.assert_array_equal(loaded.reconstruct(digits), model.reconstruct(digits))

    def test_its_use_is_counted_over_all_units(self, digits, seeded):
        model = UnitVQVAE(code_dim=4, n_entries=8)
        model.quantiser.codebook.assign(np.repeat(np.arange(8.0)[None] - 1000, 4, axis=0))
        # All codes lie above the highest entry: one of eight is chosen, of each unit
        measured = model.diagnostics(digits, None)
        assert measured["codebook_use"] == 1 / 8
        assert measured["codebook_perplexity"] == pytest.approx(4)
        assert measured["code_bits"] == 4 * 3
        assert model.entries(digits, batch_size=5).shape == (16, 4)
