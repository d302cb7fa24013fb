"""Clusters found without labels, named and judged with them."""

import json

import numpy as np
import pytest

from Code.commands.uses import cluster as command
from Code.tasks import cluster
from tests.support import run_use


@pytest.fixture(scope="module")
def data(mnist):
    return mnist.subset(4000, 1000)


@pytest.fixture(scope="module")
def ae(ae_16):
    return ae_16


@pytest.fixture(scope="module")
def measured(ae, data):
    return cluster.measure(ae, data)


@pytest.fixture(scope="module")
def rivals(data):
    return cluster.baselines(data)


@pytest.mark.slow
def test_clusters_of_a_t_sne_map_are_a_stronger_rival_than_those_of_pixels(rivals):
    assert list(rivals) == ["pixels", "pca-16", "t-SNE of training images"]
    name = "accuracy_kmeans"
    assert rivals["t-SNE of training images"].values[name] > rivals["pixels"].values[name] + 0.05


def test_renamed_labels_are_a_perfect_clustering():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 500)
    renamed = rng.permutation(10)[labels] + 20
    assert cluster.agreement(labels, renamed, "own") == {
        "accuracy_own": 1.0,
        "nmi_own": pytest.approx(1),
        "ari_own": 1.0,
    }
    names = cluster.matched(labels, renamed)
    assert all(names[c] == y for c, y in zip(renamed.tolist(), labels.tolist(), strict=True))


def test_accuracy_by_hand():
    labels = np.array([0, 0, 0, 1, 1, 2])
    # Cluster 5 is best called 0, 6 is 1; class 2 has no cluster left
    assert cluster.clustering_accuracy(labels, np.array([5, 5, 6, 6, 6, 6])) == pytest.approx(4 / 6)
    # More clusters than classes: what is split off counts as wrong
    assert cluster.clustering_accuracy(labels, np.arange(6)) == pytest.approx(3 / 6)
    assert cluster.clustering_accuracy(labels, np.zeros(6, int)) == pytest.approx(3 / 6)


def test_accuracy_is_one_to_one_not_by_majority():
    labels = np.array([0] * 6 + [1] * 4)
    clusters = np.array([0, 0, 0, 1, 1, 1, 1, 1, 1, 0])
    # Both clusters have a majority or a tie for 0, but only one can be called so
    assert cluster.clustering_accuracy(labels, clusters) == pytest.approx(0.6)


def test_random_clusters_agree_by_chance():
    rng = np.random.default_rng(0)
    values = cluster.agreement(rng.integers(0, 10, 5000), rng.integers(0, 10, 5000), "own")
    assert values["accuracy_own"] < 0.15
    assert abs(values["ari_own"]) < 0.01
    assert values["nmi_own"] < 0.01


@pytest.mark.parametrize("fit", [cluster.kmeans, cluster.gaussian_mixture])
def test_clusters_far_apart_are_found(fit):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 400)
    codes = 100 * np.eye(4)[labels] @ rng.normal(size=(4, 50)) + rng.normal(size=(400, 50))
    assert cluster.clustering_accuracy(labels, fit(codes[:300], 4)(codes)) == 1


def test_mixture_finds_what_kmeans_cannot():
    """Two long clusters that cross: both have their mean in one place."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 500)
    codes = rng.normal(size=(1000, 2)) * np.where(labels[:, None] == 0, [0.2, 4], [4, 0.2])
    assert cluster.clustering_accuracy(labels, cluster.kmeans(codes, 2)(codes)) < 0.6
    assert cluster.clustering_accuracy(labels, cluster.gaussian_mixture(codes, 2)(codes)) > 0.9


def test_constant_codes_are_one_cluster():
    codes = np.ones((50, 3))
    assert len(np.unique(cluster.gaussian_mixture(codes, 3)(codes))) == 1


@pytest.mark.slow
def test_codes_cluster_better_than_pixels(measured, rivals):
    values = measured.values
    assert set(values) == {m.name for m in cluster.METRICS if not m.name.endswith("own")}
    assert 0.45 < rivals["pixels"].values["accuracy_kmeans"] < 0.62
    best = max(values["accuracy_kmeans"], values["accuracy_mixture"])
    assert best > rivals["pixels"].values["accuracy_kmeans"]
    assert all(0 < v < 1 for v in values.values())


@pytest.mark.slow
def test_same_seed_same_numbers(ae, data, measured):
    again = cluster.measure(ae, data)
    assert again.values == measured.values
    np.testing.assert_array_equal(again.views["clusters"], measured.views["clusters"])


def test_mean_images_of_perfect_clusters_are_the_digits(data):
    found = cluster._views(data, (data.y_test + 3) % 10)["clusters"]
    for digit in range(10):
        mean = data.x_test[data.y_test == digit].mean(axis=0) / 255
        np.testing.assert_allclose(found[digit], mean, atol=1e-4)


def test_categorical_model_is_judged_by_its_own_categories(data, seeded):
    from Code.categorical_aae import CategoricalAAE

    model = CategoricalAAE(hidden=(32,), code_dim=2, n_labels=0)
    own = cluster.own_categories(model, data.x_test)
    assert own.shape == (1000,) and set(own) <= set(range(10))
    values = cluster.measure(model, data.subset(500, 200)).values
    assert {"accuracy_own", "nmi_own", "ari_own"} < set(values)


def test_categories_told_by_labels_are_not_found(data, seeded):
    from Code.aae import AAE
    from Code.categorical_aae import CategoricalAAE

    told = CategoricalAAE(hidden=(32,), code_dim=2, n_labels=100)
    assert cluster.own_categories(told, data.x_test) is None
    petals = AAE(hidden=(32,), prior="petals", with_labels=True)
    assert cluster.own_categories(petals, data.x_test) is None


def test_petals_are_categories(data, seeded):
    from Code.aae import AAE, nearest_petal

    model = AAE(hidden=(32,), prior="petals")
    x = data.x_test[:50]
    np.testing.assert_array_equal(cluster.own_categories(model, x), nearest_petal(model.encode(x)))


def test_plain_model_has_no_categories(ae, digits):
    assert cluster.own_categories(ae, digits) is None


@pytest.mark.slow
def test_figure(measured, rivals):
    drawn = cluster.figure({"ae": measured, **rivals})
    assert len(drawn.axes) == 4
    with pytest.raises(ValueError, match="nothing to draw"):
        cluster.figure({})


def test_numbers_by_size():
    np.testing.assert_array_equal(cluster.by_size(np.array([7, 3, 3, 3, 9, 9])), [2, 0, 0, 0, 1, 1])


@pytest.fixture(scope="module")
def saved(ae, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "ae.keras"
    ae.save(path)
    return path


@pytest.fixture(scope="module")
def images(data, tmp_path_factory):
    """Thirty zeros and twenty ones."""
    path = tmp_path_factory.mktemp("images") / "my.npz"
    zeros, ones = (data.x_test[data.y_test == digit] for digit in (0, 1))
    np.savez(path, images=np.concatenate([zeros[:30], ones[:20]]))
    return path


@pytest.mark.parametrize("how", ["kmeans", "mixture"])
def test_command_line_sorts_images(saved, images, how, tmp_path, capsys):
    arguments = ["--model", str(saved), "--input", str(images), "--clusters", "2", "--how", how]
    command.main([*arguments, "--json", "--output", str(tmp_path / "out.npz")])
    groups = np.array(json.loads(capsys.readouterr().out)["clusters"])
    assert cluster.clustering_accuracy(np.repeat([0, 1], [30, 20]), groups) > 0.9
    with np.load(tmp_path / "out.npz") as arrays:
        np.testing.assert_array_equal(arrays["clusters"], groups)
    command.main([*arguments, "--output", str(tmp_path / "out.png")])
    assert "cluster 1: " in capsys.readouterr().out
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


def test_command_line_measures(saved, tmp_path, capsys):
    command.main(
        ["--model", str(saved), "--quick", "--json", "--output", str(tmp_path / "out.png")]
    )
    assert json.loads(capsys.readouterr().out)["accuracy_kmeans"] > 0.3
    assert (tmp_path / "out.png").exists()


def test_one_image_is_no_group(saved, data, tmp_path, capsys):
    np.savez(tmp_path / "one.npz", images=data.x_test[:1])
    with pytest.raises(SystemExit) as stop:
        run_use("cluster", ["--model", str(saved), "--input", str(tmp_path / "one.npz")])
    assert stop.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith("one image; give more")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--clusters", "50"], "--clusters 50"),
        (["--clusters", "0"], "--clusters 0"),
        (["--output", "out.txt"], "--output"),
    ],
)
def test_wrong_input_is_one_line(saved, images, options, complaint, capsys):
    with pytest.raises(SystemExit) as stop:
        run_use("cluster", ["--model", str(saved), "--input", str(images), *options])
    assert stop.value.code == 2
    error = capsys.readouterr().err.strip()
    assert complaint in error and "\n" not in error
