"""Sparse autoencoders: the rate that was asked for, exactly k units, zeros through L1."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from Code.ae import AE
from Code.sparse import KLSparse, KSparse, L1Sparse, TiedKSparse, keep_largest, kl_to_rate, l1_norm
from Code.tied import dense_layers

COMMON = {"hidden": (256, 64), "code_dim": 16}
KINDS = {
    "L1": lambda **more: L1Sparse(**{**COMMON, **more}),
    "KL": lambda **more: KLSparse(**{**COMMON, **more}),
    "k": lambda **more: KSparse(**{**COMMON, "k": 4, **more}),
    "k, tied": lambda **more: TiedKSparse(**{**COMMON, "k": 4, **more}),
    "k, falling": lambda **more: KSparse(
        **{**COMMON, "k": 4, "k_first": 9, "falling_steps": 99, **more}
    ),
}


@pytest.fixture(scope="module")
def few(mnist):
    return mnist.subset(4800, 1000)


def trained(model, few, epochs, learning_rate=1e-3):
    model.compile(keras.optimizers.Adam(learning_rate))
    model.fit(few.x_train, batch_size=64, epochs=epochs, verbose=0)
    return model


@pytest.mark.slow
def test_kl_holds_the_mean_activation_near_its_target(few, seeded):
    model = trained(KLSparse(rate=0.1, weight=10.0, code_dim=100), few, 10, 5e-3)
    rates = model.encode(few.x_test).mean(axis=0)
    assert rates.mean() == pytest.approx(0.1, abs=0.02)
    assert np.percentile(rates, 95) < 0.2
    plain = trained(AE(code_dim=100, code_activation="sigmoid"), few, 3)
    assert abs(plain.encode(few.x_test).mean() - 0.1) > 0.1


@pytest.mark.parametrize("model", [KSparse, TiedKSparse])
def test_exactly_k_units_are_active(model, few, seeded):
    codes = trained(model(k=10, code_dim=200), few, 1).encode(few.x_test)
    assert ((codes != 0).sum(axis=1) == 10).all()


def test_k_largest_are_kept_and_kept_as_they_are(seeded):
    z = np.random.default_rng(0).normal(size=(50, 30)).astype(np.float32)
    kept = np.asarray(keep_largest(z, 7))
    for row, out in zip(z, kept, strict=True):
        largest = np.sort(np.argsort(row)[-7:])
        np.testing.assert_array_equal(np.flatnonzero(out), largest)
        np.testing.assert_array_equal(out[largest], row[largest])


def test_of_equal_units_no_more_than_k_are_kept():
    assert (np.asarray(keep_largest(np.ones((3, 9), np.float32), 4)).sum(axis=1) == 4).all()


def test_only_kept_units_receive_a_gradient():
    z = tf.constant([[3.0, 1.0, 2.0, -5.0]])
    with tf.GradientTape() as tape:
        tape.watch(z)
        loss = tf.reduce_sum(tf.square(keep_largest(z, 2)))
    np.testing.assert_allclose(tape.gradient(loss, z), [[6.0, 0.0, 4.0, 0.0]])


def test_more_units_may_be_kept_when_encoding_than_in_training(digits, seeded):
    model = KSparse(k=10, alpha=1.5, code_dim=100)
    assert (model.encode(digits) != 0).sum() == 15 * len(digits)
    assert (np.asarray(model.encoder(digits, training=True)) != 0).sum() == 10 * len(digits)


@pytest.mark.parametrize("model", [KSparse, TiedKSparse])
def test_training_and_evaluation_measure_the_loss_with_as_many_units(model, digits, seeded):
    model = model(k=10, alpha=3.0, code_dim=100)
    train, test = (np.asarray(model.loss_terms(digits, training=t)["loss"]) for t in (True, False))
    np.testing.assert_allclose(train, test, rtol=1e-6)
    kept = model.decode(np.asarray(model.encoder(digits, training=True)))
    expected = np.square(kept - digits).mean(axis=(1, 2))
    np.testing.assert_allclose(test, expected, rtol=1e-4)
    assert np.abs(test - np.square(model.reconstruct(digits) - digits).mean(axis=(1, 2))).min() > 0


@pytest.mark.parametrize("model", [KSparse, TiedKSparse])
@pytest.mark.slow
def test_k_falls_in_training_along_a_straight_line(model, few, seeded):
    model = model(k=4, k_first=20, falling_steps=80, code_dim=50)
    model.compile()
    kept = []
    for _ in range(5):
        z = model.encoder(few.x_test[:50] / 255.0, training=True)
        kept.append(set(np.count_nonzero(z, axis=1)))
        model.fit(few.x_train[:1600], batch_size=64, verbose=0)  # 25 steps
    assert kept == [{20}, {15}, {10}, {5}, {4}]
    assert (np.count_nonzero(model.encode(few.x_test[:50]), axis=1) == 4).all()


@pytest.mark.slow
def test_fewer_units_die_where_k_falls(few, seeded):
    dead = []
    for falling in ({}, {"k_first": 100, "falling_steps": 400}):
        keras.utils.set_random_seed(0)
        model = trained(KSparse(k=5, code_dim=200, **falling), few, 10)
        dead.append(model.diagnostics(few.x_test / 255.0, None)["dead_units"])
    assert dead[1] < dead[0]


@pytest.mark.slow
def test_l1_makes_zeros(few, seeded):
    penalised, free = (trained(L1Sparse(weight=w, code_dim=200), few, 3) for w in (0.5, 0.0))
    counts = [
        model.diagnostics(few.x_test / 255.0, None)["units_per_image"]
        for model in (penalised, free)
    ]
    assert counts[0] < 0.4 * counts[1]


def test_every_unit_is_active_before_training(few, seeded):
    """From biases of 0, both of two units may be 0 in all images, and so without a gradient."""
    for seed in range(4):
        keras.utils.set_random_seed(seed)
        codes = L1Sparse(hidden=(256, 64), code_dim=2).encode(few.x_test)
        assert (codes > 0).all(axis=1).mean() > 0.99


@pytest.mark.parametrize("seed", range(4))
def test_the_first_steps_leave_every_unit_alive(seed, few):
    """They all lead down, as digits are mostly dark; from biases of 1, seeds 2 and 3 lost some."""
    keras.utils.set_random_seed(seed)
    model = L1Sparse(
        hidden=(256, 64), activation="relu", reconstruction="binary cross-entropy", code_dim=2
    )
    model.compile(keras.optimizers.Adam(4e-3))
    model.fit(few.x_train, batch_size=80, epochs=1, verbose=0)
    assert model.diagnostics(few.x_test / 255.0, None)["dead_units"] == 0


def test_kl_against_its_sum_and_its_derivative():
    z = np.random.default_rng(0).uniform(0.02, 0.9, size=(6, 4))
    rate, mean = 0.05, z.mean(axis=0)
    expected = rate * np.log(rate / mean) + (1 - rate) * np.log((1 - rate) / (1 - mean))
    point = tf.constant(z)
    with tf.GradientTape() as tape:
        tape.watch(point)
        value = kl_to_rate(point, rate)
    assert float(value) == pytest.approx(expected.sum(), rel=1e-6)
    by_hand = np.broadcast_to((-rate / mean + (1 - rate) / (1 - mean)) / 6, z.shape)
    np.testing.assert_allclose(tape.gradient(value, point), by_hand, rtol=1e-6)


def test_kl_is_zero_at_the_target_and_finite_at_the_ends():
    assert float(kl_to_rate(np.full((3, 5), 0.2), 0.2)) == pytest.approx(0, abs=1e-9)
    for end in (0.0, 1.0):
        assert np.isfinite(float(kl_to_rate(np.full((3, 5), end, np.float32), 0.2)))


def test_l1_against_its_sum():
    np.testing.assert_allclose(l1_norm(np.array([[1.0, -2.0], [0.0, 0.5]])), [3, 0.5])


@pytest.mark.xla
@pytest.mark.parametrize(
    "kind",
    [
        "L1",
        *(pytest.param(k, marks=pytest.mark.slow) for k in ("KL", "k", "k, tied", "k, falling")),
    ],
)
def test_learns_in_the_common_network_and_survives_saving(kind, few, digits, seeded, tmp_path):
    model = KINDS[kind]()
    model.compile()
    before = model.evaluate(few.x_test, verbose=0, return_dict=True)["loss"]
    model.fit(few.x_train, batch_size=64, epochs=2, verbose=0)
    assert model.evaluate(few.x_test, verbose=0, return_dict=True)["loss"] < 0.8 * before
    assert model.encode(digits).shape == (16, 16)
    assert model.reconstruct(digits).shape == (16, 28, 28)
    assert model.views(digits, None)["filters"].shape == (96, 28, 28)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.reconstruct(digits), model.reconstruct(digits))
    assert loaded.get_config() == model.get_config()


def test_filters_are_the_first_kernel(seeded):
    model = L1Sparse(code_dim=20)
    kernel = np.asarray(dense_layers(model.encoder)[0].kernel)[:, 3]
    shown = model.views(None, None)["filters"][3].ravel()
    np.testing.assert_allclose(shown, 0.5 + 0.5 * kernel / np.abs(kernel).max(), atol=1e-6)


@pytest.mark.parametrize(
    "settings",
    [
        {"k": 30, "code_dim": 20},
        {"k": 15, "alpha": 2, "code_dim": 20},
        {"k": 5, "k_first": 21, "falling_steps": 9, "code_dim": 20},
    ],
)
def test_more_than_all_units_cannot_be_kept(settings):
    with pytest.raises(ValueError, match="cannot all be kept"):
        KSparse(**settings)


@pytest.mark.parametrize(
    "settings", [{"k_first": 20}, {"falling_steps": 9}, {"k_first": 5, "falling_steps": 9}]
)
def test_a_fall_of_k_that_is_not_said_in_full_is_refused(settings):
    with pytest.raises(ValueError, match="do not say how"):
        KSparse(k=10, **settings)


@pytest.mark.parametrize("settings", [{"rate": 0}, {"code_activation": "relu"}])
def test_rates_that_make_no_sense_are_refused(settings):
    with pytest.raises(ValueError, match="rate"):
        KLSparse(**settings)
