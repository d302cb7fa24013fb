"""The rates of further optimisers beside that of the model's own."""

import keras
import numpy as np
import pytest

from Code.aae import AAE
from Code.categorical_aae import CategoricalAAE
from Code.factor_vae import FactorVAE
from Code.parts.schedules import InProportion, in_proportion

STEPS = 40
SMALL = {"hidden": (8,), "code_dim": 2}


def falling(start=2e-3, **more):
    return keras.optimizers.schedules.CosineDecay(start, STEPS, **more)


def test_the_ratio_of_two_rates_stays_as_it_is():
    schedule = in_proportion(5e-4, keras.optimizers.Adam(falling()))
    for step in (0, 1, 17, STEPS):
        expected = 5e-4 * (1 + np.cos(np.pi * step / STEPS)) / 2
        assert float(schedule(step)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    "rate", [1e-3, falling(0.0, warmup_target=2e-3, warmup_steps=5)], ids=["constant", "from zero"]
)
def test_beside_another_rate_it_stays_constant(rate):
    assert in_proportion(5e-4, keras.optimizers.Adam(rate)) == 5e-4


def test_a_scaled_loss_changes_nothing():
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(falling()))
    assert float(in_proportion(5e-4, scaled)(0)) == pytest.approx(5e-4)


def test_it_is_saved_and_restored():
    schedule = InProportion(5e-4, falling())
    restored = InProportion.from_config(schedule.get_config())
    assert float(restored(9)) == float(schedule(9))


@pytest.mark.parametrize(
    ("kind", "rate", "optimizers"),
    [
        (AAE, "adversarial_rate", ("discriminator_optimizer", "generator_optimizer")),
        (FactorVAE, "discriminator_rate", ("discriminator_optimizer",)),
        (CategoricalAAE, "label_rate", ("label_optimizer",)),
    ],
)
def test_players_rates_fall_together_and_may_be_changed(kind, rate, optimizers, mnist):
    settings = {**SMALL, "n_labels": 20, "code_dim": 2} if kind is CategoricalAAE else SMALL
    model = kind(**settings, **{rate: 1e-3})
    model.compile(keras.optimizers.Adam(falling()))
    change = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: setattr(model, rate, 1e-3 / (1 + epoch))
    )
    images, labels = mnist.x_train[:100], mnist.y_train[:100]
    model.fit(images, labels, batch_size=10, epochs=2, verbose=0, callbacks=[change])
    for name in optimizers:
        optimizer = getattr(model, name)
        assert int(optimizer.iterations) == 20
        now = 5e-4 * (1 + np.cos(np.pi * 20 / STEPS)) / 2
        assert float(optimizer.learning_rate) == pytest.approx(now, rel=1e-5)


def test_a_rate_that_is_set_to_0_in_the_midst_stops_the_game(mnist):
    model, at_once = AAE(**SMALL, adversarial_rate=1e-3), []
    model.compile(keras.optimizers.Adam(falling()))

    def stop(epoch, logs):
        at_once.append(model.discriminator.get_weights())
        model.adversarial_rate = 0.0 if epoch else 1e-3

    images = mnist.x_train[:100]
    callback = keras.callbacks.LambdaCallback(on_epoch_begin=stop)
    model.fit(images, batch_size=10, epochs=2, verbose=0, callbacks=[callback])
    for start, later, end in zip(*at_once, model.discriminator.get_weights(), strict=True):
        assert np.any(start != later)
        np.testing.assert_array_equal(later, end)
