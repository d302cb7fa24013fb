"""Scores rank foreign images above digits; thresholds let pass the share that was asked for."""

import json

import numpy as np
import pytest

from Code.ae import AE
from Code.commands.uses import anomaly as command
from Code.parts.images import to_unit
from Code.tasks import anomaly
from Code.vae import VAE
from tests.support import run_use, some

SETTINGS = {"hidden": (128,), "code_dim": 16, "reconstruction": "binary cross-entropy"}


@pytest.fixture(scope="module")
def data(mnist):
    return mnist.subset(4000, 1000)


@pytest.fixture(scope="module")
def ae(ae_16):
    return ae_16


@pytest.fixture(scope="module")
def vae(vae_16):
    return vae_16


@pytest.fixture(scope="module")
def rivals(data):
    return anomaly.baselines(data)


def test_auroc_of_known_scores():
    assert anomaly.auroc(np.array([1.0, 2]), np.array([3.0, 4])) == 1
    assert anomaly.auroc(np.array([3.0, 4]), np.array([1.0, 2])) == 0
    assert anomaly.auroc(np.array([1.0, 3]), np.array([2.0, 4])) == 0.75


def test_threshold_lets_its_share_pass():
    scores = np.random.default_rng(0).permutation(1000)
    assert np.mean(scores > anomaly.threshold(scores, 0.9)) == pytest.approx(0.1)


def test_error_is_the_mean_square_of_each_image():
    images = np.zeros((2, 4, 4), np.uint8)
    images[1] = 255
    np.testing.assert_allclose(
        anomaly.reconstruction_error(images, np.full((2, 4, 4), 0.25)), [1 / 16, 9 / 16]
    )


def test_foreign_images_are_what_they_say(digits):
    kinds = anomaly.foreign_images(digits)
    assert set(kinds) == {"rotated", "patch", "shuffled"}
    np.testing.assert_array_equal(np.rot90(kinds["rotated"], -1, axes=(1, 2)), digits)
    changed = kinds["patch"] != digits
    assert (changed.sum(axis=(1, 2)) <= 16).all()
    # Where a pixel is exactly a half, inverting leaves it
    assert (changed.sum(axis=(1, 2)) >= 15).all()
    for rows_or_columns in (changed.any(axis=2), changed.any(axis=1)):
        assert (rows_or_columns.sum(axis=1) == 4).all()
    shuffled, flat = (x.reshape(16, -1) for x in (kinds["shuffled"], digits))
    np.testing.assert_array_equal(np.sort(shuffled), np.sort(flat))
    # One order for all: pixels that are equal in all images stay so
    assert len(np.unique(shuffled, axis=1).T) == len(np.unique(flat, axis=1).T)


def test_oblong_images_are_not_rotated():
    images = np.random.default_rng(0).random((3, 8, 12))
    kinds = anomaly.foreign_images(images)
    assert set(kinds) == {"patch", "shuffled"}
    assert all(x.shape == images.shape for x in kinds.values())


def test_a_perfect_score_and_a_blind_one(data):
    foreign = {kind: np.ones((50, 28, 28)) for kind in "ab"}
    normal = to_unit(data.x_test[:100])
    perfect = anomaly.judged(lambda x: x.mean(axis=(1, 2)), normal, normal, foreign)
    assert perfect["auroc"] == perfect["auroc_a"] == perfect["detected"] == 1
    assert perfect["false_alarms"] == pytest.approx(0.05)
    blind = anomaly.judged(lambda x: np.zeros(len(x)), normal, normal, foreign)
    assert blind["auroc"] == 0.5
    assert blind["detected"] == blind["false_alarms"] == 0


def test_trained_autoencoder_tells_foreign_images(ae, data, rivals):
    measured = anomaly.measure(ae, data)
    values = measured.values
    assert set(values) <= {metric.name for metric in anomaly.METRICS}
    assert values["auroc_shuffled"] > 0.99
    assert values["auroc"] > 0.85
    assert values["false_alarms"] < 0.12
    # Trees look at a pixel at a time and do not see that pixels have changed places
    assert values["auroc_patch"] > rivals["isolation forest"].values["auroc_patch"]
    assert "auroc_elbo" not in values
    assert measured.views["images"].shape == measured.views["reconstructions"].shape
    assert anomaly.measure(ae, data).values == values


def test_untrained_autoencoder_is_worse(ae, data):
    import keras

    keras.utils.set_random_seed(0)
    untrained = anomaly.measure(AE(**SETTINGS), data).values
    assert untrained["auroc"] < anomaly.measure(ae, data).values["auroc"] - 0.2


def test_images_of_the_user_are_a_kind_of_their_own(ae, data):
    given = np.full((20, 28, 28), 255, np.uint8)
    values = anomaly.measure(ae, data, given=given).values
    assert values["auroc_given"] == 1
    assert values["auroc"] == pytest.approx(
        np.mean([values[f"auroc_{kind}"] for kind in ("rotated", "patch", "shuffled", "given")])
    )


def test_negative_elbo_is_the_model_s_own_loss(vae, data):
    x = data.x_test[:500]
    loss = vae.evaluate(x, verbose=0, return_dict=True)["loss"]
    ours = anomaly.negative_elbo(vae, x)
    assert ours.shape == (500,)
    assert ours.mean() == pytest.approx(loss, rel=0.01)
    np.testing.assert_array_equal(ours, anomaly.negative_elbo(vae, x))
    assert not np.array_equal(ours, anomaly.negative_elbo(vae, x, seed=1))


def test_elbo_of_a_collapsed_posterior_is_the_decoder_s_error(digits, seeded):
    vae = VAE(**SETTINGS)
    for layer in ("z_mean", "z_log_var"):
        for weights in vae.encoder.get_layer(layer).weights:
            weights.assign(np.zeros(weights.shape))
    for weights in vae.decoder.weights:
        weights.assign(np.zeros(weights.shape))
    # q = N(0, I) costs nothing, and each pixel is one half whatever z
    np.testing.assert_allclose(anomaly.negative_elbo(vae, digits), 784 * np.log(2), rtol=1e-5)


def test_vae_is_scored_by_its_elbo_too(vae, data):
    values = anomaly.measure(vae, data).values
    assert values["auroc_elbo"] > 0.8


def test_conditional_vae_has_an_elbo(digits, seeded):
    from Code.cvae import CVAE

    scores = anomaly.scorers(CVAE(hidden=(16,), code_dim=2))
    assert scores["elbo"](digits).shape == scores["reconstruction"](digits).shape == (16,)


def test_rivals(rivals):
    assert set(rivals) == {
        "pca-16",
        "PCA of 95 % variance",
        "k-NN distance",
        "isolation forest",
        "one-class svm",
        "Mahalanobis distance",
    }
    for one in rivals.values():
        assert one.values["auroc_shuffled"] > 0.7
    assert rivals["pca-16"].values["auroc"] > 0.8
    # More components tell patches better, near images rotated digits
    assert rivals["PCA of 95 % variance"].values["auroc"] > rivals["pca-16"].values["auroc"]
    assert max(rivals, key=lambda name: rivals[name].values["auroc_rotated"]) == "k-NN distance"


def test_the_nearest_image_is_none_of_those_that_set_the_threshold():
    x = np.random.default_rng(0).random((40, 4, 4)).astype(np.float32)
    (score,) = anomaly.rivals()["k-NN distance"](x).values()
    assert score(x[:20]).min() > 0.1 and score(x[20:]).max() < 1e-3


def test_components_hold_their_share_of_the_variance():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 8)) * np.array([10, 5, 1, 0.5, 0, 0, 0, 0])
    x = (x - x.min()) / (x.max() - x.min())
    images = x.astype(np.float32).reshape(500, 2, 4)
    (score,) = anomaly.rivals()["PCA of 95 % variance"](images).values()
    lost = score(images).mean() / images.reshape(500, 8).var(axis=0).mean()
    assert 0 < lost < 1 - anomaly.KEPT_VARIANCE


def test_mahalanobis_distances_of_training_images_are_their_number_of_values_in_the_mean():
    x = np.random.default_rng(0).random((5000, 4, 4)) ** 2
    (score,) = anomaly.rivals()["Mahalanobis distance"](x).values()
    assert score(x).mean() == pytest.approx(16, rel=0.02)
    assert score(x + 1).min() > score(x).max()


def test_distances_of_wide_images_are_those_of_their_components():
    x = np.random.default_rng(0).random((60, 40, 40)).astype(np.float32)
    (score,) = anomaly.rivals()["Mahalanobis distance"](x).values()
    assert np.isfinite(score(x)).all()


def test_protocol_asks_about_the_right_images(data):
    seen = []

    def train(images):
        seen.append(len(images))
        return {"mean": lambda x: to_unit(x).mean(axis=(1, 2))}

    one = anomaly.one_class(train, data, classes=[1])["mean"]
    left = anomaly.one_class(train, data, left_out=True, classes=[1])["mean"]
    ones = int((data.y_train == 1).sum())
    assert seen == [ones, len(data.y_train) - ones]
    # Ones have the least ink: all others score higher, whatever the training
    assert one[0] > 0.9
    assert left[0] == pytest.approx(1 - one[0])


@pytest.mark.slow
def test_protocols_with_rivals_and_an_autoencoder(data):
    pca = anomaly.protocols(anomaly.rivals()["pca-16"], data, classes=[0, 1])
    assert pca.values["auroc_one_normal"] > 0.9
    assert pca.views["auroc_left_out"].shape == (2,)
    small = {"hidden": (64,), "code_dim": 4}
    train = anomaly.autoencoder_trainer("Code.vae:VAE", small, steps=150)
    vae = anomaly.one_class(train, data, classes=[1])
    assert vae["reconstruction"][0] > 0.95
    assert vae["elbo"][0] > 0.95
    assert {m.name for m in anomaly.PROTOCOL_METRICS} > set(pca.values)


def test_figure(ae, data, rivals):
    drawn = anomaly.figure({"ae": anomaly.measure(ae, data), **rivals})
    labels = " ".join(text.get_text() for text in drawn.texts)
    assert "AUROC" in labels and "forest" not in labels
    with pytest.raises(ValueError, match="nothing to draw"):
        anomaly.figure({"isolation forest": rivals["isolation forest"]})


@pytest.fixture(scope="module")
def saved(vae, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "vae.keras"
    vae.save(path)
    return path


@pytest.fixture(scope="module")
def images(data, tmp_path_factory):
    """Three digits and one that is none."""
    path = tmp_path_factory.mktemp("images") / "my.npz"
    x = to_unit(data.x_test[:4]).copy()
    x[2] = 1 - x[2]
    np.savez(path, images=x)
    return path


@pytest.mark.parametrize("score", some(["reconstruction", "elbo"], "elbo"))
def test_command_line_finds_the_stranger(saved, images, score, tmp_path, capsys):
    output = tmp_path / "out.png"
    arguments = ["--model", str(saved), "--input", str(images), "--quick", "--score", score]
    command.main([*arguments, "--output", str(output), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert np.argmax(found["scores"]) == 2
    assert found["anomalous"][2]
    assert 0 < found["false_alarms"] < 0.2
    assert output.read_bytes().startswith(b"\x89PNG")
    command.main([*arguments, "--output", str(tmp_path / "out.npz")])
    assert "image 2  score" in capsys.readouterr().out
    with np.load(tmp_path / "out.npz") as arrays:
        np.testing.assert_allclose(arrays["scores"], found["scores"], rtol=1e-5)


def test_command_line_measures(saved, images, tmp_path, capsys):
    arguments = ["--model", str(saved), "--quick", "--json", "--foreign", str(images)]
    command.main([*arguments, "--output", str(tmp_path / "out.png")])
    assert json.loads(capsys.readouterr().out)["auroc"] > 0.7
    assert (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--quantile", "1.5"], "--quantile"),
        (["--input", "absent.png"], "absent.png"),
        (["--output", "out.txt"], "--output"),
    ],
)
def test_wrong_input_is_one_line(saved, options, complaint, capsys):
    with pytest.raises(SystemExit) as stop:
        run_use("anomaly", ["--model", str(saved), *options])
    assert stop.value.code == 2
    error = capsys.readouterr().err.strip()
    assert complaint in error and "\n" not in error


def test_elbo_needs_a_variational_model(ae, images, tmp_path, capsys):
    path = tmp_path / "ae.keras"
    ae.save(path)
    with pytest.raises(SystemExit) as stop:
        run_use("anomaly", ["--model", str(path), "--input", str(images), "--score", "elbo"])
    assert stop.value.code == 2
    assert "variational" in capsys.readouterr().err
