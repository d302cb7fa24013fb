"""What a classifier reads from frozen codes with few labels and with all."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from Code.ae import AE
from Code.commands.uses import features as command
from Code.tasks import features
from tests.support import run_use


@pytest.fixture(scope="module")
def data(mnist):
    return mnist.subset(5000, 1000)


@pytest.fixture(scope="module")
def ae(ae_16):
    return ae_16


@pytest.fixture(scope="module")
def measured(ae, data):
    return features.measure(ae, data)


@pytest.fixture(scope="module")
def rivals(data):
    return features.baselines(data)


class TestLabelSpreading:
    @pytest.mark.slow
    def test_reads_more_from_few_labels_than_a_probe_of_pixels(self, rivals):
        spread, pixels = (rivals[name].values for name in ("label spreading", "pixels"))
        assert set(spread) == {
            f"probe_{n}{end}" for n in (10, 100, 1000) for end in ("", "_spread")
        }
        assert spread["probe_100"] > pixels["probe_100"] + 0.05
        assert spread["probe_10"] < spread["probe_100"] < spread["probe_1000"] < 1

    def test_is_the_paper_s_fixed_point(self):
        """F = (1 − α) (I − α S)⁻¹ Y of two separate groups: each takes its only label."""
        rng = np.random.default_rng(0)
        ends = np.repeat([[0.0], [1.0]], 30, axis=0)
        images = np.clip(ends + rng.normal(0, 0.02, (60, 4)), 0, 1).reshape(60, 2, 2)
        labels = np.repeat([0, 1], 30)
        images = images.astype(np.float32)
        data = SimpleNamespace(x_train=images, y_train=labels, x_test=images, y_test=labels)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(features, "LABELS", (2,))
            values = features.spread_accuracies(data, draws=2)
        assert values == {"probe_2": 1.0, "probe_2_spread": 0.0}

    def test_what_cannot_be_drawn_is_left_out(self, mnist):
        assert set(features.spread_accuracies(mnist.subset(60, 10), draws=1)) == {
            "probe_10",
            "probe_10_spread",
        }


def test_draws_are_balanced_and_without_repetition(data):
    chosen = features.balanced_draw(data.y_train, 100, np.random.default_rng(0))
    assert len(set(chosen.tolist())) == 100
    assert (np.bincount(data.y_train[chosen]) == 10).all()


def test_no_draw_where_a_class_has_too_few_or_the_number_does_not_divide():
    labels = np.repeat([0, 1], [3, 50])
    rng = np.random.default_rng(0)
    assert features.balanced_draw(labels, 8, rng) is None
    assert features.balanced_draw(labels, 5, rng) is None
    assert features.balanced_draw(labels, 0, rng) is None
    assert len(features.balanced_draw(labels, 6, rng)) == 6


def test_one_hot_labels_as_codes_are_read_without_error(data):
    eye = np.eye(10)
    values = features.accuracies(
        eye[data.y_train], data.y_train, eye[data.y_test], data.y_test, draws=2
    )
    for labels in (10, 100, 1000, "all"):
        assert values[f"probe_{labels}"] == values[f"knn_{labels}"] == 1
    assert values["probe_10_spread"] == 0


def test_codes_without_the_label_give_chance(data):
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(5000, 4)), rng.normal(size=(1000, 4))
    values = features.accuracies(codes[0], data.y_train, codes[1], data.y_test, draws=3)
    assert all(v < 0.2 for v in values.values())


@pytest.mark.slow
def test_two_draws_by_hand(data):
    """The mean and the spread are those of the draws."""
    flat = [x.reshape(len(x), -1)[:, 200:400:10] / 255 for x in (data.x_train, data.x_test)]
    values = features.accuracies(flat[0], data.y_train, flat[1], data.y_test, draws=2)
    rng = np.random.default_rng((0, 100))
    each = []
    for _ in range(2):
        draw = features.balanced_draw(data.y_train, 100, rng)
        each.append(
            features.neighbours_accuracy(flat[0][draw], data.y_train[draw], flat[1], data.y_test)
        )
    assert values["knn_100"] == pytest.approx(np.mean(each))
    assert values["knn_100_spread"] == pytest.approx(abs(each[0] - each[1]) / np.sqrt(2))


def test_numbers_of_labels_that_cannot_be_drawn_are_left_out(data):
    codes = np.eye(10)[data.y_train[:500]]
    values = features.accuracies(codes, data.y_train[:500], codes, data.y_train[:500], draws=2)
    assert "probe_100" in values and "probe_all" in values
    assert not any("1000" in name for name in values)


@pytest.mark.slow
def test_the_code_beats_the_pixels_with_few_labels_where_neighbours_vote(measured, rivals):
    values, pixels = measured.values, rivals["pixels"].values
    assert set(values) == set(pixels) == {metric.name for metric in features.METRICS}
    assert values["knn_100"] > pixels["knn_100"]
    assert 0.75 < values["probe_all"] < 1
    for classifier in ("probe", "knn"):
        rising = [values[f"{classifier}_{n}"] for n in (10, 100, 1000, "all")]
        assert rising == sorted(rising)


@pytest.mark.slow
def test_trained_codes_are_better_than_random_ones(measured, data):
    import keras

    keras.utils.set_random_seed(0)
    untrained = features.measure(AE(hidden=(128, 64), code_dim=16), data).values
    assert measured.values["probe_100"] > untrained["probe_100"] + 0.05
    assert measured.values["knn_all"] > untrained["knn_all"] + 0.05


@pytest.mark.slow
def test_same_seed_same_numbers(ae, data, measured):
    assert features.measure(ae, data).values == measured.values
    other = features.measure(ae, data, seed=1).values
    assert other["probe_10"] != measured.values["probe_10"]
    assert other["probe_all"] == measured.values["probe_all"]


def test_one_main_metric():
    assert [m.name for m in features.METRICS if m.main] == ["probe_100"]
    assert not any(m.higher_is_better for m in features.METRICS if m.name.endswith("_spread"))


def test_labels_told_to_a_conditional_vae_are_no_code(digits, seeded):
    from Code.cvae import CVAE

    model = CVAE(hidden=(16,), code_dim=3)
    codes = features.unsupervised_code(model, digits)
    np.testing.assert_array_equal(codes, model.encode(digits)[:, :3])


def test_maps_are_flattened(digits, seeded):
    from Code.cae import CAE

    model = CAE()
    assert features.unsupervised_code(model, digits).shape == (
        16,
        np.prod(model.encoder.output_shape[1:]),
    )


@pytest.mark.slow
def test_fine_tuning_learns_and_leaves_the_model_alone(ae, data):
    before = [w.copy() for w in ae.get_weights()]
    values = features.fine_tuned_accuracies(ae, data, labels=(100,), draws=1, steps=100)
    for old, new in zip(before, ae.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert values["fine_tuned_100"] > 0.65
    assert values["scratch_100"] > 0.5
    assert values["scratch_100"] != values["fine_tuned_100"]
    assert values["fine_tuned_100_spread"] == 0


@pytest.mark.slow
def test_figure(measured, rivals):
    drawn = features.figure({"ae": measured, **rivals})
    assert len(drawn.axes) == 2
    for axes in drawn.axes:
        # Each point stands at its number of labels, whatever the others are
        assert all(set(line.get_xdata()) <= {10, 100, 1000, 10_000} for line in axes.lines)
    named = {text.get_text() for text in drawn.legends[0].get_texts()}
    assert named == {"ae", "pixels", "pca-16", "label spreading"}
    with pytest.raises(ValueError, match="nothing to draw"):
        features.figure({})


@pytest.fixture(scope="module")
def saved(ae, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "ae.keras"
    ae.save(path)
    return path


def test_command_line_reads_images(saved, ae, data, tmp_path, capsys):
    np.savez(tmp_path / "my.npz", images=data.x_test[:100])
    output = tmp_path / "codes.npz"
    arguments = ["--model", str(saved), "--input", str(tmp_path / "my.npz"), "--quick"]
    command.main([*arguments, "--output", str(output), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert np.mean(np.array(found["labels"]) == data.y_test[:100]) > 0.6
    np.testing.assert_allclose(np.sum(found["probabilities"], axis=1), 1, rtol=1e-5)
    with np.load(output) as arrays:
        np.testing.assert_allclose(arrays["codes"], ae.encode(data.x_test[:100]), atol=1e-4)
    command.main([*arguments, "--labels", "100"])
    assert "image 99  " in capsys.readouterr().out


@pytest.mark.slow
def test_command_line_measures(saved, tmp_path, capsys):
    command.main(
        [
            "--model",
            str(saved),
            "--quick",
            "--json",
            "--fine-tune",
            "10",
            "--output",
            str(tmp_path / "out.png"),
        ]
    )
    found = json.loads(capsys.readouterr().out)
    assert found["probe_all"] > 0.6 and found["fine_tuned_10"] > 0.2
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--input", "absent.npz"], "absent.npz"),
        (["--quick", "--fine-tune", "15"], "multiple of 10"),
        (["--output", "out.txt"], "--output"),
        (["--data", "nonsense"], "nonsense"),
    ],
)
def test_wrong_input_is_one_line(saved, options, complaint, capsys):
    with pytest.raises(SystemExit) as stop:
        run_use("features", ["--model", str(saved), *options])
    assert stop.value.code == 2
    *notes, error = capsys.readouterr().err.strip().split("\n")
    assert complaint in error and all(note.startswith("note: ") for note in notes)
