"""The published networks in plain Keras: their sizes, and the ratios of their times."""

from itertools import pairwise

import pytest

from Code.experiments.table import EXPERIMENTS
from Code.training import plain_keras


def test_the_networks_are_the_published_ones():
    autoencoder = plain_keras.autoencoder(784)
    whole, classifier = plain_keras.denoiser(784, 10)
    assert autoencoder.count_params() == 784 * 2 + 2 + 2 * 784 + 784
    widths = (784, 128, 64, 10, 2, 10, 64, 128, 784)
    assert whole.count_params() == sum((a + 1) * b for a, b in pairwise(widths))
    # They share the encoder
    assert {id(v) for v in classifier.variables[:-2]} <= {id(v) for v in whole.variables}


@pytest.mark.slow
def test_ratios_come_from_epochs_that_take_turns(mnist):
    told, row = [], EXPERIMENTS["keras-times"]
    outcome = plain_keras.run(row, mnist.subset(640, 100), 0, told.append)
    ratios = {m["metric"]: m["value"] for m in outcome.metrics}
    assert set(ratios) == {"epoch_ratio", "total_ratio"} and min(ratios.values()) > 0
    assert sum(told) == row.stages[0].epochs == 1 + plain_keras.ROUNDS


def test_without_labels_there_is_no_second_stage(mnist):
    few = mnist.subset(64, 32)
    unlabelled = type(few)(**{**vars(few), "y_train": None, "y_test": None, "classes": ()})
    with pytest.raises(ValueError, match="have none"):
        plain_keras.run(EXPERIMENTS["keras-times"], unlabelled, 0, lambda n: None)
