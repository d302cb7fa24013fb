"""The linear probe reads what is linearly there, and no more."""

import numpy as np
import pytest

from Code.training.probe import chosen_penalty, probe_accuracy


@pytest.fixture(scope="module")
def pixels(mnist):
    few = mnist.subset(5000, 1000)
    return few.x_train, few.y_train, few.x_test, few.y_test


def test_pixels_hold_most_of_the_digit(pixels):
    assert 0.8 < probe_accuracy(*pixels) < 0.95


def test_one_hot_labels_are_read_without_error(pixels):
    _, train_labels, _, test_labels = pixels
    eye = np.eye(10)
    assert probe_accuracy(eye[train_labels], train_labels, eye[test_labels], test_labels) == 1


def test_codes_without_the_label_give_chance(pixels):
    _, train_labels, _, test_labels = pixels
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(5000, 5)), rng.normal(size=(1000, 5))
    assert probe_accuracy(codes[0], train_labels, codes[1], test_labels) < 0.2


def test_neither_scale_nor_shift_nor_constant_units_matter(pixels):
    train, train_labels, test, test_labels = (part[:1000] for part in pixels)
    train, test = (
        images[:, 10:18, 10:18].reshape(len(images), -1) / 255 for images in (train, test)
    )
    expected = probe_accuracy(train, train_labels, test, test_labels)

    def moved(codes):
        return np.concatenate([codes * 40 - 3, np.full((len(codes), 1), 0.1)], axis=1)

    got = probe_accuracy(moved(train), train_labels, moved(test), test_labels)
    assert got == pytest.approx(expected, abs=0.005)


def test_only_the_first_max_train_are_used(pixels):
    train, train_labels, test, test_labels = pixels
    spoilt = np.where(np.arange(5000) < 500, train_labels, 0)
    few = probe_accuracy(train[:500], train_labels[:500], test, test_labels)
    assert probe_accuracy(train, spoilt, test, test_labels, max_train=500) == few


def test_one_class_is_refused(pixels):
    train, _, test, test_labels = pixels
    with pytest.raises(ValueError, match="two classes"):
        probe_accuracy(train, np.zeros(5000, int), test, test_labels)


def test_one_scale_for_all_units_keeps_rare_units_small(pixels):
    train_labels, test_labels = (part[:1000] for part in pixels[1::2])
    informative = np.eye(10)[train_labels], np.eye(10)[test_labels]
    noise = np.random.default_rng(0).normal(scale=1e-4, size=(2, 1000, 400))
    codes = [np.concatenate(pair, axis=1) for pair in zip(informative, noise, strict=True)]
    together = probe_accuracy(
        codes[0], train_labels, codes[1], test_labels, penalty=100.0, scale="code"
    )
    apart = probe_accuracy(codes[0], train_labels, codes[1], test_labels, penalty=100.0)
    assert together >= apart
    assert together > 0.99


def test_the_penalty_is_chosen_on_held_out_training_images(pixels):
    train, labels = pixels[0][:600], pixels[1][:600]
    scores = {
        p: probe_accuracy(train[:500], labels[:500], train[500:], labels[500:], penalty=p)
        for p in (1e6, 1.0)
    }
    assert scores[1.0] > scores[1e6]
    assert chosen_penalty(train, labels, (1e6, 1.0)) == 1.0
    misleading = np.where(np.arange(600) < 500, labels, np.bincount(labels[:500]).argmax())
    assert chosen_penalty(train, misleading, (1e6, 1.0)) == 1e6


def test_an_unknown_scale_is_refused(pixels):
    with pytest.raises(ValueError, match="scale must be one of"):
        probe_accuracy(*pixels, scale="none")
