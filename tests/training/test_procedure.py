"""What the procedure measures and shows beside the loss, on rows of the table."""

from dataclasses import replace

import numpy as np
import pytest

from Code.experiments.table import EXPERIMENTS
from Code.runs.unit import scheduled
from Code.training.measures import mean_squared_error, neighbour_accuracy
from Code.training.procedure import run


@pytest.fixture(scope="module")
def few(mnist):
    return mnist.subset(600, 200)


@pytest.fixture(scope="module")
def outcome_of(few):
    """``outcome_of(name)`` → the outcome of one epoch of each stage, trained once."""
    found = {}

    def of(name):
        if name not in found:
            found[name] = run(scheduled(EXPERIMENTS[name], epochs=1), few, 0, lambda epochs: None)
        return found[name]

    return of


def metrics(outcome, stage, split="test"):
    rows = (row for row in outcome.metrics if (row["stage"], row["split"]) == (stage, split))
    return {row["metric"]: row["value"] for row in rows}


@pytest.mark.slow
def test_noise_added_once_gives_a_map_of_noisy_images_with_its_own_accuracy(outcome_of, few):
    outcome = outcome_of("dae-published")
    for stage in ("unsupervised", "supervised"):
        clean, noisy = (outcome.views[f"{kind}/{stage}"] for kind in ("code", "code_noisy"))
        assert clean.shape == noisy.shape == (200, 2)
        assert np.abs(clean - noisy).max() > 0
        assert 0 <= metrics(outcome, stage)["knn_accuracy_noisy"] <= 1
    # The accuracy of the clean map is still that of the clean images
    by_hand = neighbour_accuracy(outcome.model.encode(few.x_train), few.y_train, clean, few.y_test)
    assert metrics(outcome, "supervised")["knn_accuracy"] == by_hand


@pytest.mark.slow
def test_only_rows_with_noise_added_once_have_that_map(outcome_of):
    outcome = outcome_of("dae-published-clean")
    assert "knn_accuracy_noisy" not in metrics(outcome, "unsupervised")
    assert not [key for key in outcome.views if key.startswith("code_noisy")]


@pytest.mark.slow
def test_a_vae_shows_reconstructions_from_a_drawn_code_beside_those_from_its_mean(outcome_of, few):
    outcome = outcome_of("vae-bce")
    mean, drawn = (outcome.views[f"{kind}/unsupervised"] for kind in ("reconstructions", "drawn"))
    assert mean.shape == drawn.shape and np.abs(mean - drawn).max() > 0
    found = metrics(outcome, "unsupervised")
    assert found["mse_drawn"] != found["mse"]
    assert found["mse_drawn"] < mean_squared_error(few.x_test, np.zeros_like(few.x_test))


@pytest.mark.slow
def test_draws_are_the_same_in_every_call(outcome_of, few):
    from Code.training.procedure import Outcome, measure_draws

    model, twice = outcome_of("vae-bce").model, [Outcome(), Outcome()]
    for outcome in twice:
        measure_draws(model, "unsupervised", few.x_test / np.float32(255), outcome)
    assert twice[0].metrics == twice[1].metrics


@pytest.mark.slow
def test_a_head_is_trained_without_the_stage_before_it(outcome_of):
    outcome = outcome_of("dae-published-from-scratch")
    assert set(outcome.epochs) == {"supervised"}
    found = metrics(outcome, "supervised", "train")
    assert found["accuracy_first_epoch"] == found["accuracy_last_epoch"]  # of one epoch


@pytest.mark.slow
def test_the_first_epoch_s_accuracy_is_that_of_the_history(few):
    row = scheduled(EXPERIMENTS["dae-published-from-scratch"], epochs=2)
    outcome = run(row, few, 0, lambda epochs: None)
    (first,) = [
        row["value"]
        for row in outcome.history
        if (row["epoch"], row["metric"], row["split"]) == (1, "accuracy", "train")
    ]
    assert metrics(outcome, "supervised", "train")["accuracy_first_epoch"] == first


@pytest.mark.slow
def test_measures_of_the_first_layer_and_of_shuffled_images(few):
    row = scheduled(EXPERIMENTS["ae-16"], epochs=1)
    found = metrics(run(row, few, 0, lambda epochs: None), "unsupervised")
    # One epoch leaves the kernel near its random start
    assert found["filter_roughness"] == pytest.approx(1, abs=0.1)
    assert found["weight_coherence"] == pytest.approx(np.sqrt(2 / (np.pi * 784)), rel=0.2)
    assert found["shuffled_error"] > 0.5
    assert 0 < found["filter_roughness_inked"] < 1.2


def test_a_wide_linear_code_passes_shuffled_pixels_through():
    """Without a bottleneck and a nonlinearity the best a network can do is the identity."""
    from Code.ae import AE
    from Code.training.measures import shuffled_error

    model = AE((4, 4), code_dim=16, output_activation="linear")
    for network in (model.encoder, model.decoder):
        dense = next(layer for layer in network.layers if layer.get_weights())
        dense.set_weights([np.eye(16), np.zeros(16)])
    images = np.random.default_rng(0).uniform(0.1, 1, (50, 4, 4)).astype(np.float32)
    assert shuffled_error(model, images) < 1e-10
    dense.set_weights([np.zeros((16, 16)), np.full(16, 0.5)])
    assert shuffled_error(model, images) > 0.9


def test_draws_is_part_of_a_run_s_identity():
    row = EXPERIMENTS["vae-bce"]
    assert row.draws and replace(row, draws=False).fingerprinted != row.fingerprinted
