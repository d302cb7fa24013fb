"""The Bake Off's protocol: border, split, levels, error and probe."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers

from Code.ae import AE
from Code.experiments.bakeoff import BAKEOFF_GROUP
from Code.experiments.table import EXPERIMENTS, GROUPS
from Code.normalised import NormalisedAE
from Code.parts.images import to_unit
from Code.training.bakeoff import (
    Drawn,
    constant_units,
    few_label_probe,
    padded,
    posterior,
    run,
    split,
    start_as_pytorch,
    summed_cross_entropy,
)
from Code.training.greedy import free, level_of
from Code.vae import VAE
from tests.support import run_here

NET = {"hidden": (32, 16), "code_dim": 4, "reconstruction": "binary cross-entropy"}


@pytest.fixture(scope="module")
def few(mnist):
    return mnist.subset(600, 100)


def sure(codes):
    """Codes as a `posterior` without spread."""
    codes = np.asarray(codes, np.float32)
    return np.stack([codes, np.zeros_like(codes)], axis=1)


class TestData:
    def test_the_border_is_zero_and_nothing_is_cut_off(self, few):
        found = padded(few)
        assert found.image_shape == (32, 32) and found.x_test.shape == (100, 32, 32)
        for images, given in ((found.x_train, few.x_train), (found.x_test, few.x_test)):
            np.testing.assert_array_equal(images[:, 2:-2, 2:-2], given)
            assert images.dtype == given.dtype and images.sum() == given.sum()

    def test_colour_keeps_its_channels(self, few):
        colour = np.repeat(few.x_train[:5, :, :20, None], 3, axis=-1)
        found = padded(replace(few, x_train=colour, x_test=colour))
        assert found.image_shape == (32, 24, 3)
        np.testing.assert_array_equal(found.x_train[:, 2:-2, 2:-2], colour)

    def test_every_image_is_in_one_part_with_its_label(self, mnist):
        marked = replace(mnist, x_train=np.arange(60_000).reshape(-1, 1, 1))
        train, held_out = split(marked, np.random.default_rng(0))
        assert (len(train.x_train), len(held_out.x_train)) == (55_000, 5000)
        rows = np.concatenate([train.x_train, held_out.x_train]).ravel()
        assert sorted(rows) == list(range(60_000))
        labels = np.concatenate([train.y_train, held_out.y_train])
        np.testing.assert_array_equal(labels, mnist.y_train[rows])
        other, _ = split(marked, np.random.default_rng(1))
        assert (other.x_train != train.x_train).any()

    def test_one_image_is_refused(self, mnist):
        with pytest.raises(ValueError, match="at least two"):
            split(mnist.subset(1, 1), np.random.default_rng(0))


def test_dense_layers_start_as_pytorch_s(seeded):
    model = AE(hidden=(64,), code_dim=16)
    start_as_pytorch(model, np.random.default_rng(0))
    for network in (model.encoder, model.decoder):
        for layer in network.layers:
            if isinstance(layer, layers.Dense):
                limit = layer.kernel.shape[0] ** -0.5
                for weights in layer.get_weights():
                    assert 0.9 * limit < np.abs(weights).max() <= limit
                assert np.std(layer.get_weights()[0]) == pytest.approx(limit / 3**0.5, rel=0.1)


class TestLevels:
    def networks(self, model):
        return [layer for n in (model.encoder, model.decoder) for layer in n.layers]

    def test_only_the_level_in_training_moves(self, few, seeded):
        """Neither the weights nor the moving averages of the other levels do."""
        model = NormalisedAE(**NET)
        before = [[w.copy() for w in layer.get_weights()] for layer in self.networks(model)]
        level = level_of(model, 2)
        level.compile()
        level.fit(few.x_train[:100], batch_size=50, epochs=1, verbose=0)
        moved = [
            any((a != b).any() for a, b in zip(old, layer.get_weights(), strict=True))
            for old, layer in zip(before, self.networks(model), strict=True)
            if old
        ]
        # encoder: dense and normalised twice, dense; decoder: the same, mirrored
        assert moved == [False, False, True, True, False, False, False, True, True, False]

    def test_the_last_level_is_the_whole_autoencoder(self, digits, seeded):
        model = NormalisedAE(**NET)
        level = level_of(model, 3)
        np.testing.assert_allclose(
            level.network.predict(digits, verbose=0), model.reconstruct(digits), atol=1e-6
        )
        assert [int(np.prod(v.shape)) for v in level.trainable_variables] == [
            *(16 * 4, 4),
            *(4 * 16, 16, 16),
        ]
        free(model)
        assert len(model.trained_variables) == len(NormalisedAE(**NET).trained_variables)

    def test_the_target_of_every_level_is_the_image(self, digits, seeded):
        model = NormalisedAE(**NET)
        for k in (1, 2, 3):
            level = level_of(model, k)
            assert level.network.output_shape[1:] == (28, 28)
            error = np.asarray(level.loss_terms(digits)["loss"])
            x_hat = level.network.predict(digits, verbose=0)
            expected = model.reconstruction_error(digits, x_hat)
            np.testing.assert_allclose(error, expected, rtol=1e-4)


class TestError:
    def test_a_constant_image_in_closed_form(self, few, seeded):
        """A decoder that always gives ½ costs log 2 a pixel, of the border too."""
        model = AE(image_shape=(32, 32), code_dim=3)
        model.decoder.get_layer("pixels").set_weights([np.zeros((3, 1024)), np.zeros(1024)])
        x = padded(few).x_test
        error = summed_cross_entropy(model, x, posterior(model, x), np.random.default_rng(0))
        assert error == pytest.approx(1024 * np.log(2), rel=1e-5)

    def test_it_is_the_loss_of_a_plain_autoencoder_times_the_pixels(self, few, seeded):
        model = AE(**NET)
        model.compile()
        loss = model.evaluate(few.x_test, verbose=0, return_dict=True)["loss"]
        codes = posterior(model, few.x_test)
        assert (codes[:, 1] == 0).all()
        error = summed_cross_entropy(model, few.x_test, codes, np.random.default_rng(0))
        assert error == pytest.approx(784 * loss, rel=1e-4)

    def test_the_code_of_a_vae_is_drawn(self, few, seeded):
        model = VAE(**{**NET, "hidden": (16,)})
        codes = posterior(model, few.x_test)
        z_mean, z_log_var = map(np.asarray, model.encoder(to_unit(few.x_test)))
        np.testing.assert_allclose(codes[:, 0], z_mean, atol=1e-6)
        np.testing.assert_allclose(codes[:, 1] ** 2, np.exp(z_log_var), rtol=1e-4)


class TestProbe:
    @pytest.fixture(scope="class")
    def labels(self, mnist):
        return mnist.y_train[:550], mnist.y_train[-1000:], mnist.y_test[:1000]

    def accuracy(self, codes, labels):
        keras.utils.set_random_seed(0)
        pairs = zip(codes, labels, strict=True)
        return few_label_probe(*(part for pair in pairs for part in pair))

    @pytest.mark.slow
    def test_far_apart_codes_are_read_and_close_ones_are_not_yet(self, labels):
        """One-hot codes hold the digit; twenty epochs are enough for large ones alone."""
        large = self.accuracy([sure(20 * np.eye(10)[y]) for y in labels], labels)
        small = self.accuracy([sure(0.01 * np.eye(10)[y]) for y in labels], labels)
        assert large > 0.95 > 0.5 > small

    @pytest.mark.slow
    def test_codes_without_the_label_give_chance(self, labels):
        rng = np.random.default_rng(0)
        assert self.accuracy([sure(rng.normal(size=(len(y), 5))) for y in labels], labels) < 0.2

    @pytest.mark.slow
    def test_the_best_epoch_counts_and_three_without_a_rise_end_it(self, labels, monkeypatch):
        """On held-out labels that are wrong, more training only lowers the accuracy."""
        seen = []
        plain = keras.Sequential.fit

        def fit(model, *args, **how):
            start = len(args[0]), how["batch_size"], how["epochs"]
            history = plain(model, *args, **how).history["val_accuracy"]
            seen.append((*start, history, model.evaluate(*how["validation_data"], verbose=0)[1]))

        monkeypatch.setattr(keras.Sequential, "fit", fit)
        codes = [sure(20 * np.eye(10)[y]) for y in labels]
        train, held, test = labels
        self.accuracy(codes, (train, (held + 1) % 10, test))
        ((n, batch, epochs, history, at_the_end),) = seen
        assert (n, batch, epochs) == (550, 32, 20)
        best = int(np.argmax(history))
        assert len(history) == min(20, best + 1 + 3) < 20
        assert at_the_end == pytest.approx(max(history), abs=1e-6)

    def test_a_drawn_code_has_its_mean_and_spread_and_is_drawn_anew(self, seeded):
        layer, codes = Drawn(), np.tile(np.array([[[1.0], [0.5]]], np.float32), (4000, 1, 1))
        one, other = np.asarray(layer(codes)), np.asarray(layer(codes))
        assert one.mean() == pytest.approx(1, abs=0.05) and one.std() == pytest.approx(0.5, rel=0.1)
        assert (one != other).mean() > 0.9
        np.testing.assert_array_equal(layer(sure([[3.0, 4.0]])), [[3, 4]])


def test_dead_units_are_counted(few, seeded):
    model = AE(code_dim=5, code_activation="relu")
    layer = model.encoder.get_layer("code")
    kernel, bias = layer.get_weights()
    bias[[1, 3]] = -1e3
    layer.set_weights([np.abs(kernel), bias])
    assert constant_units(model.encode(few.x_test)) == 2


def quick(row, few):
    stages = tuple(replace(stage, epochs=1, batch_size=100) for stage in row.stages)
    settings = row.settings | ({"hidden": (16, 8)} if row.settings["hidden"] else {})
    return replace(row, stages=stages, settings={**settings, "code_dim": 4})


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, marks=pytest.mark.slow) for row in BAKEOFF_GROUP],
    ids=lambda row: row.name,
)
def test_a_row_has_its_two_figures_and_our_probe(row, few):
    told = []
    outcome = run(quick(row, few), few, 0, told.append)
    assert sum(told) == len(row.stages)
    found = {(m["stage"], m["metric"]): m["value"] for m in outcome.metrics if m["split"] == "test"}
    for figure in row.published:
        assert (figure.stage, figure.metric) in found
    last = row.stages[-1].name
    assert 0 < found[last, "probe_accuracy"] <= 1 and 0 <= found[last, "probe_550"] <= 1
    assert 20 < found[last, "summed_bce"] < 1024
    assert 0 <= found[last, "constant_units"] < 4
    # The border is nothing in all images; a twelfth of the training images is held out
    without = to_unit(few.x_test) - to_unit(few.x_train).mean(axis=0)
    expected = 784 / 1024 * np.square(without).mean()
    assert found[last, "mean_image_mse"] == pytest.approx(expected, rel=0.02)
    assert outcome.views["digits"].shape == (10, 32, 32)
    assert outcome.views[f"reconstructions/{last}"].shape == (10, 32, 32)
    assert not outcome.views["digits"][:, [0, 1, -2, -1]].any()


@pytest.mark.slow
def test_without_labels_there_is_the_error_alone(few):
    row = quick(EXPERIMENTS["bakeoff-shallow"], few)
    outcome = run(row, replace(few, y_train=None, y_test=None, classes=()), 0, lambda n: None)
    names = {m["metric"] for m in outcome.metrics}
    assert "summed_bce" in names and not names & {"probe_550", "probe_accuracy"}


@pytest.mark.slow
def test_the_same_seed_gives_the_same_numbers(few):
    row = quick(EXPERIMENTS["bakeoff-shallow"], few)
    first, second = (run(row, few, 4, lambda n: None).metrics for _ in range(2))
    assert first == second


class TestTable:
    def test_nine_models_and_eighteen_figures(self):
        assert "bakeoff" in GROUPS
        assert len(BAKEOFF_GROUP) == 9
        assert sum(len(row.published) for row in BAKEOFF_GROUP) == 18
        assert len({p.value for row in BAKEOFF_GROUP for p in row.published}) == 18

    def test_all_have_sixty_epochs_in_batches_of_256(self):
        for row in BAKEOFF_GROUP:
            assert sum(stage.epochs for stage in row.stages) == 60
            assert {stage.batch_size for stage in row.stages} == {256}

    def test_no_other_row_holds_these_figures(self):
        others = [row for row in EXPERIMENTS.values() if row.group != "bakeoff"]
        assert not {"bakeoff-deep", "sparse-l1"} & {row.name for row in others}
        ours = {p.value for row in BAKEOFF_GROUP for p in row.published}
        assert not ours & {p.value for row in others for p in row.published}


@pytest.mark.slow
def test_a_row_runs_by_its_name(tmp_path):
    done = run_here(
        "--quick", "--jobs", "1", "--only", "bakeoff-shallow", "--no-uses", "--output", tmp_path
    )
    assert done.returncode == 0, done.stderr
    for language, title in (
        ("en", "Shallow, one ReLU layer of 20"),
        ("zh", "浅层，一个 20 单元的 ReLU 层"),
    ):
        page = tmp_path / "report" / language / "other-papers.md"
        assert f"{title} | 123.15 |" in page.read_text(encoding="utf-8")
    assert (tmp_path / "bakeoff-shallow" / "history.csv").exists()
