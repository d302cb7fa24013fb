"""The linear probe reads what is linearly there, and no more."""

import numpy as np
import pytest

from Code.training.probe import (
    DEFAULT,
    SCALES,
    TRIED,
    chosen_penalty,
    chosen_probe,
    fitted_probe,
    probe_accuracy,
)


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


class TestChosenProbe:
    @pytest.fixture(scope="class")
    def labelled(self, pixels):
        """A hundred pixel images, as floats: ten of each digit, in the order of the digits."""
        train, labels = pixels[:2]
        ten = np.concatenate([np.flatnonzero(labels == c)[:10] for c in range(10)])
        return train[ten] / 255, labels[ten]

    @pytest.mark.slow
    def test_no_other_of_its_choices_does_better_in_its_folds(self, labelled):
        codes, labels = labelled
        losses = {}
        for scale in SCALES:
            for penalty in TRIED:
                p = np.empty(len(labels))
                for held_out in range(5):  # two images of each digit
                    out = np.isin(np.arange(100) % 10, (2 * held_out, 2 * held_out + 1))
                    probe = fitted_probe(codes[~out], labels[~out], penalty, scale, 1000)
                    p[out] = probe.probabilities(codes[out])[np.arange(20), labels[out]]
                losses[scale, penalty] = -np.log(p).mean()
        chosen = chosen_probe(codes, labels, max_iterations=1000)
        assert losses[chosen["scale"], chosen["penalty"]] < min(losses.values()) + 0.01

    def test_collapsed_units_are_not_blown_up(self, labelled):
        labels = labelled[1]
        noise = np.random.default_rng(0).normal(scale=1e-3, size=(100, 200))
        codes = np.concatenate([np.eye(10)[labels], noise], axis=1)
        assert chosen_probe(codes, labels)["scale"] == "code"

    def test_units_of_unequal_scale_are_made_equal(self, labelled):
        labels = labelled[1]
        noise = 100 * np.random.default_rng(0).normal(size=(100, 5))
        codes = np.concatenate([np.eye(10)[labels], noise], axis=1)
        assert chosen_probe(codes, labels)["scale"] == "unit"

    def test_one_label_of_a_class_leaves_nothing_to_choose_by(self, labelled):
        codes, labels = labelled
        assert chosen_probe(codes[::10], labels[::10]) == DEFAULT
        assert chosen_probe(codes[:11], labels[:11]) == DEFAULT

    def test_of_many_images_a_sixth_is_held_out_once(self, pixels):
        train, labels = pixels[0][:3100, ::4, ::4], pixels[1][:3100]
        first = chosen_probe(train, labels)
        assert first == chosen_probe(train, labels)
        assert set(first) == {"scale", "penalty"}

    def test_a_class_that_is_only_held_out_is_no_error(self, pixels):
        labels = np.arange(3100) % 2
        labels[np.random.default_rng(0).permutation(3100)[0]] = 2
        codes = np.eye(3)[labels]
        assert chosen_probe(codes, labels)["scale"] in SCALES


def test_a_fit_may_start_from_another(pixels):
    train, labels = pixels[0][:500, ::4, ::4] / 255, pixels[1][:500]
    alone = fitted_probe(train, labels, 10.0, max_iterations=500)
    start = fitted_probe(train, labels, 100.0, max_iterations=500)
    after = fitted_probe(train, labels, 10.0, max_iterations=500, like=start)
    close = alone.probabilities(train), after.probabilities(train)
    assert np.allclose(*close, atol=0.01)
    assert after.regression.n_iter_ < alone.regression.n_iter_
