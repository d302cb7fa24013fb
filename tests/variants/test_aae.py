"""Adversarial autoencoder: its priors, its game, and whether the codes take the prior's form."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from Code.aae import (
    AAE,
    PETAL_LENGTH,
    PETAL_RADIUS,
    PETAL_WIDTH,
    discriminator_loss,
    generator_loss,
    nearest_petal,
    petals,
    random_classes,
)
from Code.parts import two_sample
from Code.parts.images import to_unit
from Code.reporting import rules
from tests.support import trains_on

COMMON = {"hidden": (256, 64)}
SMALL = {"hidden": (32,), "discriminator_hidden": (16,)}


def weights_of(model):
    return [np.array(weight) for weight in model.trainable_variables]


def fitted(mnist, epochs=5, n=15_000, **settings):
    keras.utils.set_random_seed(0)
    model = AAE(**COMMON, **settings)
    model.compile()
    few = mnist.subset(n, 2000)
    model.fit(few.x_train, few.y_train, batch_size=64, epochs=epochs, verbose=0)
    return model, model.diagnostics(to_unit(few.x_test), few.y_test)


@pytest.fixture(scope="module")
def plain_and_adversarial(mnist):
    """Measures against N(0, I) of the same network, without and with the game."""
    return fitted(mnist, adversarial_rate=0.0), fitted(mnist)


@pytest.mark.slow
def test_the_aggregated_posterior_is_nearer_to_its_prior_than_the_plain_one(plain_and_adversarial):
    (_, plain), (_, adversarial) = plain_and_adversarial
    assert adversarial["prior_accuracy"] < plain["prior_accuracy"] - 0.1
    assert adversarial["prior_accuracy"] < plain["prior_accuracy_matched"]
    assert adversarial["prior_energy"] < 0.1 * plain["prior_energy"]


@pytest.mark.slow
def test_training_improves_the_reconstruction(mnist, plain_and_adversarial):
    (_, _), (model, _) = plain_and_adversarial
    x = mnist.x_test[:1000]
    untrained = AAE(**COMMON)
    untrained.compile()
    losses = [m.evaluate(x, verbose=0, return_dict=True)["loss"] for m in (model, untrained)]
    assert losses[0] < 0.5 * losses[1]


def test_losses_and_their_gradients_in_closed_form():
    real, fake = np.array([[0.3], [-2.0]], "float32"), np.array([[1.2], [0.1]], "float32")
    p_real, p_fake = 1 / (1 + np.exp(-real)), 1 / (1 + np.exp(-fake))
    expected = (-np.log(p_real) - np.log(1 - p_fake))[:, 0]
    np.testing.assert_allclose(discriminator_loss(real, fake), expected, rtol=1e-5)
    np.testing.assert_allclose(generator_loss(fake), -np.log(p_fake)[:, 0], rtol=1e-5)
    real, fake = tf.constant(real), tf.constant(fake)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, fake])
        judged, deceived = discriminator_loss(real, fake), generator_loss(fake)
    np.testing.assert_allclose(tape.gradient(judged, real), p_real - 1, rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(judged, fake), p_fake, rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(deceived, fake), p_fake - 1, rtol=1e-5)


def test_petals_have_their_place_length_and_width(seeded):
    normals = np.random.default_rng(0).normal(size=(20_000, 2)).astype(np.float32)
    z = np.asarray(petals(np.zeros(20_000, "int32"), normals))
    np.testing.assert_allclose(z.mean(axis=0), [PETAL_RADIUS, 0], atol=0.02)
    np.testing.assert_allclose(z.std(axis=0), [PETAL_LENGTH, PETAL_WIDTH], rtol=0.03)
    k = np.arange(10, dtype="int32")
    hearts = np.asarray(petals(k, np.zeros((10, 2), "float32")))
    np.testing.assert_allclose(np.linalg.norm(hearts, axis=1), PETAL_RADIUS, rtol=1e-5)
    np.testing.assert_array_equal(nearest_petal(hearts), k)


def test_classes_are_uniform():
    drawn = np.asarray(random_classes((50_000,), 10, keras.random.SeedGenerator(0)))
    counts = np.bincount(drawn, minlength=10)
    assert len(counts) == 10
    assert np.abs(counts - 5000).max() < 5 * np.sqrt(50_000 * 0.09)


def test_draws_are_fresh_and_follow_the_label(seeded):
    model = AAE(**SMALL, prior="petals", with_labels=True)
    y = np.repeat(np.arange(10), 200)
    first, second = (np.asarray(model.prior_draws(2000, y)) for _ in range(2))
    assert (first != second).all()
    assert (nearest_petal(first) == y).mean() > 0.95
    normal = np.asarray(AAE(**SMALL).prior_draws(20_000))
    np.testing.assert_allclose(normal.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(np.cov(normal.T), np.eye(2), atol=0.05)


def test_the_label_reaches_the_discriminator(digits, seeded):
    model = AAE(**SMALL, prior="petals", with_labels=True)
    code = model.encoder(digits)
    zeros, ones = (np.asarray(model.judge(code, np.full(16, k))) for k in (0, 1))
    unknown = np.asarray(model.judge(code))
    assert (zeros != ones).any() and (zeros != unknown).any()


def test_the_discriminator_reads_noisy_codes_where_it_is_told_to(digits, seeded):
    model = AAE(**SMALL)
    noisy = AAE(**SMALL, discriminator_noise=0.3)
    noisy.discriminator.set_weights(model.discriminator.get_weights())
    code = model.encoder(digits)
    np.testing.assert_array_equal(model.judge(code), model.judge(code))
    first, second = (np.asarray(noisy.judge(code)) for _ in range(2))
    assert (first != second).all()
    often = np.mean(noisy.judge(ops.tile(code[:1], (4000, 1))), axis=0)
    assert abs(often - np.asarray(model.judge(code[:1]))).max() < 0.1
    assert AAE.from_config(noisy.get_config()).discriminator_noise == 0.3


def test_one_update_is_three_steps_of_three_optimisers(digits, seeded):
    model = AAE(**SMALL)
    model.compile()
    model.build_optimizers()
    optimizers = model.optimizer, model.discriminator_optimizer, model.generator_optimizer
    before = weights_of(model.discriminator)
    terms = model.update(ops.convert_to_tensor(digits))
    assert [int(optimizer.iterations) for optimizer in optimizers] == [1, 1, 1]
    assert all(value.shape == (16,) for value in terms.values())
    assert any((a != b).any() for a, b in zip(before, weights_of(model.discriminator), strict=True))
    judged, coded = (
        {id(v) for v in m.trainable_variables} for m in (model.discriminator, model.autoencoder)
    )
    assert judged.isdisjoint(coded)
    assert coded == {id(variable) for variable in model.trained_variables}


@pytest.mark.slow
def test_a_rate_of_zero_is_the_plain_autoencoder(mnist):
    from Code.ae import AE

    losses = []
    for make in (lambda: AE(hidden=(32,)), lambda: AAE(**SMALL, adversarial_rate=0.0)):
        model = make()
        model.compile()
        for i, weight in enumerate(model.trained_variables):
            weight.assign(0.05 * np.random.default_rng(i).normal(size=weight.shape))
        model.fit(mnist.x_train[:640], batch_size=64, epochs=2, verbose=0, shuffle=False)
        losses.append(model.evaluate(mnist.x_test[:500], verbose=0, return_dict=True)["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_the_discriminator_s_own_step_lowers_its_loss(digits, seeded):
    from Code.parts.gradients import build, descend

    model = AAE(**SMALL)
    optimizer = keras.optimizers.SGD(0.1)
    build(optimizer, model.discriminator.trainable_variables)
    code, real = model.encoder(digits), np.random.default_rng(0).normal(size=(16, 2))
    real = ops.convert_to_tensor(real, "float32")
    losses = [
        float(
            ops.mean(
                descend(
                    optimizer,
                    model.discriminator.trainable_variables,
                    lambda: discriminator_loss(model.judge(real), model.judge(code)),
                )
            )
        )
        for _ in range(20)
    ]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    "settings",
    [
        {"code_dim": 16},
        pytest.param(
            {"prior": "petals", "with_labels": True}, marks=[pytest.mark.xla, pytest.mark.slow]
        ),
    ],
)
def test_shapes_and_saving(settings, mnist, digits, seeded, tmp_path):
    model = AAE(**COMMON, **settings, n_classes=10)
    model.compile()
    model.fit(mnist.x_train[:192], mnist.y_train[:192], batch_size=64, epochs=1, verbose=0)
    assert model.encode(digits).shape == (16, model.code_dim)
    assert model.views(digits, None)["draws"].shape == (100, 28, 28)
    assert model.has_prior == (model.prior == "normal")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.reconstruct(digits), model.reconstruct(digits))
    kept = loaded.discriminator_optimizer.variables
    for a, b in zip(model.discriminator_optimizer.variables, kept, strict=True):
        np.testing.assert_array_equal(a, b)
    trains_on(loaded, mnist.x_train[:192], mnist.y_train[:192], batch_size=64)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"prior": "cube"}, "prior must be one of"),
        ({"prior": "petals", "code_dim": 16}, "code_dim must be 2"),
        ({"with_labels": True}, "needs prior='petals'"),
    ],
)
def test_what_does_not_go_together_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        AAE(**settings)


def test_two_sample_measures_know_equal_from_unequal():
    rng = np.random.default_rng(0)
    a, b, c = rng.normal(size=(3, 2000, 2))
    c = np.sign(c) * np.abs(c) ** 3 + 1
    assert two_sample.classifier_accuracy(a, b) == pytest.approx(0.5, abs=0.04)
    assert two_sample.classifier_accuracy(a, c) > 0.65
    assert two_sample.energy_distance(a, b) == pytest.approx(0, abs=0.01)
    assert two_sample.energy_distance(a, c) > 0.1
    matched = two_sample.moments_matched(c, a)
    np.testing.assert_allclose(matched.mean(axis=0), a.mean(axis=0), atol=1e-8)
    np.testing.assert_allclose(np.cov(matched.T), np.cov(a.T), atol=1e-8)


def test_the_measures_of_a_prior_say_whether_it_is_met():
    rng = np.random.default_rng(0)
    draws, alike, wide = rng.normal(size=(3, 2000, 2))
    met, missed = (two_sample.prior_measures(codes, draws) for codes in (alike, 4 * wide))
    assert met["prior_met"] == 1 and met["prior_accuracy"] < two_sample.PRIOR_MET
    assert missed["prior_met"] == 0 and missed["prior_accuracy"] > two_sample.PRIOR_MET
    # Only the spread differed
    assert missed["prior_accuracy_matched"] < two_sample.PRIOR_MET
    assert missed["prior_energy"] > 10 * abs(met["prior_energy"])
    assert two_sample.prior_met(0.65) and not two_sample.prior_met(0.6501)
    assert rules.PRIOR_MET == two_sample.PRIOR_MET


def test_a_single_unit_has_its_measures():
    draws, codes = np.random.default_rng(0).normal(size=(2, 300, 1))
    assert set(two_sample.prior_measures(codes, draws)) == {
        "prior_accuracy",
        "prior_met",
        "prior_accuracy_matched",
        "prior_energy",
    }


def test_the_report_names_the_rule_by_its_number(root):
    for language in ("en", "zh"):
        words = root / "Code" / "reporting" / "templates" / language / "labels.j2"
        lines = words.read_text("utf-8").splitlines()
        named = [line for line in lines if "prior_met'" in line or "{{ misses }}" in line]
        assert len(named) == 2
        assert all("RULES.PRIOR_MET" in line for line in named)


def test_energy_distance_against_a_double_loop():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(5, 2)), rng.normal(size=(4, 2)) + 1
    between = np.mean([np.linalg.norm(p - q) for p in a for q in b])
    within = [
        np.mean(
            [np.linalg.norm(s[i] - s[j]) for i in range(len(s)) for j in range(len(s)) if i != j]
        )
        for s in (a, b)
    ]
    assert two_sample.energy_distance(a, b) == pytest.approx(2 * between - sum(within))
