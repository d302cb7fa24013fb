"""A map is as good as its neighbourhoods."""

import json
import math

import numpy as np
import pytest
from sklearn.decomposition import PCA

from Code.commands.uses import reduce as command
from Code.data.pictures import save_images
from Code.foundation.errors import UserError
from Code.parts.images import to_unit
from Code.tasks import reduce
from Code.tasks.reduce import METRICS, map_quality, measure, placed, trusted, tsne_map
from Code.training.measures import neighbour_accuracy, plane


@pytest.fixture(scope="module")
def few(mnist):
    return mnist.subset(6400, 500)


def trained(few, epochs):
    import keras

    from Code.ae import AE

    keras.utils.set_random_seed(0)
    model = AE(hidden=(256, 64), code_dim=2, reconstruction="binary cross-entropy")
    model.compile()
    model.fit(few.x_train, batch_size=64, epochs=epochs, verbose=0)
    return model


@pytest.fixture(scope="module")
def ae(few):
    """Trained for long enough to have a good map."""
    return trained(few, 40)


@pytest.fixture(scope="module")
def begun(few):
    return trained(few, 1)


def ranks(points):
    """``ranks[i, j]``: j is the how-manieth nearest of i, which itself has 0."""
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    return distances.argsort(axis=1).argsort(axis=1)


class TestTrust:
    def test_is_the_formula(self):
        rng = np.random.default_rng(0)
        original, mapped = rng.normal(size=(40, 5)), rng.normal(size=(40, 2))
        n, k = 40, 6
        r, near = ranks(original), ranks(mapped)
        lost = sum(
            r[i, j] - k for i in range(n) for j in range(n) if 1 <= near[i, j] <= k and r[i, j] > k
        )
        expected = 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * lost
        assert trusted(original, mapped, k) == pytest.approx(expected)

    def test_the_same_neighbours_are_fully_trusted(self):
        points = np.random.default_rng(0).normal(size=(60, 2))
        assert trusted(points, 3 * points + 1) == 1

    def test_a_map_at_random_is_not(self):
        rng = np.random.default_rng(0)
        assert trusted(rng.normal(size=(500, 2)), rng.normal(size=(500, 2))) == pytest.approx(
            0.5, abs=0.05
        )

    def test_folding_costs_trust_and_cutting_continuity(self):
        line = np.linspace(0, 1, 200)[:, None]
        folded = np.abs(line - 0.5)
        assert trusted(line, folded) < 0.8 < 0.95 < trusted(folded, line)
        circle = np.c_[np.cos(2 * np.pi * line), np.sin(2 * np.pi * line)]
        # A circle cut open: neighbours on the map were neighbours, but not the other way round
        assert trusted(circle, line) > trusted(line, circle)

    def test_few_points_have_fewer_neighbours(self):
        points = np.random.default_rng(0).normal(size=(6, 2))
        assert trusted(points, points) == 1


class Labelled:
    """An encoder that puts every digit on its own place, with a third unit of noise or none."""

    def __init__(self, data, units):
        self.places = {x.tobytes(): y for x, y in zip(data.x_train, data.y_train, strict=True)}
        self.places |= {x.tobytes(): y for x, y in zip(data.x_test, data.y_test, strict=True)}
        self.units = units

    def encode(self, x):
        y = np.array([self.places[image.tobytes()] for image in x])
        return np.tile(np.c_[y, y**2].astype(np.float32), (1, self.units // 2))


@pytest.mark.parametrize("units", [2, 4])
def test_a_perfect_map_makes_no_mistake(few, units):
    values = measure(Labelled(few, units), few).values
    end = "" if units == 2 else "_pca2"
    names = (f"knn_accuracy{end}", f"knn_accuracy_few{end}", "knn_accuracy_code_few")
    assert [values[name] for name in names] == [1, 1, 1]
    assert values[f"nn_error_2d{end}"] == 0
    assert ("knn_accuracy" in values) == (units == 2)


def test_maps_of_code_shape_are_flattened(few, seeded):
    from Code.cae import CAE

    measured = measure(CAE(), few.subset(500, 100))
    assert measured.views["map"].shape == (100, 2)
    assert all(0 <= value <= 1 for value in measured.values.values())


def test_the_error_is_that_of_the_nearest_training_point(few):
    from Code.tasks.reduce import _map_of

    flat = [to_unit(x).reshape(len(x), -1) for x in (few.x_train, few.x_test)]
    train, test = (PCA(2).fit(flat[0]).transform(x).astype(np.float64) for x in flat)
    nearest = np.square(test[:, None] - train[None]).sum(axis=2).argmin(axis=1)
    expected = np.mean(few.y_train[nearest] != few.y_test)
    assert _map_of(*plane(*flat), few).values["nn_error_2d"] == pytest.approx(expected, abs=0.005)


@pytest.mark.slow
def test_tsne_parts_the_digits_and_repeats(few):
    few = few.subset(500, 100)
    x = to_unit(np.concatenate([few.x_train, few.x_test])).reshape(600, -1)
    mapped = tsne_map(x)
    assert np.array_equal(mapped, tsne_map(x))
    values = map_quality(x[:500], mapped[:500], few.y_train, x[500:], mapped[500:], few.y_test)
    assert values["knn_accuracy_few"] > 0.7
    assert values["trustworthiness"] > 0.8


@pytest.mark.slow
def test_a_trained_code_beats_principal_components(ae, few):
    from Code.tasks.reduce import _map_of

    values = measure(ae, few).values
    assert set(values) == {m.name for m in METRICS if not m.name.endswith("_pca2")}
    assert values["knn_accuracy_few"] == values["knn_accuracy_code_few"]
    flat = (to_unit(x).reshape(len(x), -1) for x in (few.x_train, few.x_test))
    pca = _map_of(*plane(*flat), few).values
    assert values["knn_accuracy"] > pca["knn_accuracy"] + 0.1
    assert values["nn_error_2d"] < pca["nn_error_2d"]
    assert values["trustworthiness"] > pca["trustworthiness"]


def test_the_accuracy_is_that_of_training(begun, few):
    """One name, one number: all training images and all test images in either place."""
    from Code.experiments.table import EXPERIMENTS
    from Code.training.procedure import Outcome
    from Code.training.procedure import measure as measure_trained

    outcome = Outcome()
    measure_trained(EXPERIMENTS["ae-2"], begun, "unsupervised", few, outcome)
    found = {row["metric"]: row["value"] for row in outcome.metrics}
    assert found["knn_accuracy"] == measure(begun, few).values["knn_accuracy"]


def test_the_label_in_a_code_is_no_part_of_the_map(few):
    """A map of it would be one of what a classifier with all labels answers."""
    from Code.cvae import CVAE
    from Code.experiments.table import EXPERIMENTS
    from Code.training.codes import unsupervised_code
    from Code.training.procedure import Outcome
    from Code.training.procedure import measure as measure_trained

    class Told(CVAE):
        """Its style is one number, and the label that it adds is right."""

        def encode(self, x, **how):
            places = Labelled(few, 2).encode(x)[:, 0].astype(int)
            return np.concatenate([np.zeros((len(x), 2)), np.eye(10)[places]], axis=1)

    model = Told(hidden=(8,), code_dim=2)
    assert not unsupervised_code(model, few.x_test).any()
    values = measure(model, few).values
    assert values["knn_accuracy"] < 0.2 and values["knn_accuracy_code_few"] < 0.2
    outcome = Outcome()
    model.reconstruct = lambda x: x
    model.squared_errors = lambda x: np.zeros(len(x))
    model.diagnostics = model.views = lambda x, y: {}
    measure_trained(EXPERIMENTS["cvae-2"], model, "unsupervised", few, outcome)
    found = {row["metric"]: row["value"] for row in outcome.metrics}
    assert found["knn_accuracy"] == values["knn_accuracy"]
    assert not outcome.views["code_is_projected"]


def test_new_images_lie_at_the_median_of_their_nearest():
    known = np.arange(20.0)[:, None]
    points = np.column_stack([np.arange(20.0), np.arange(20.0) ** 2])
    # The ten nearest of −5 are 0 to 9
    assert placed(np.array([[-5.0]]), known, points) == pytest.approx(
        np.array([[4.5, (16 + 25) / 2]])
    )
    assert placed(known[:1], known[:1], points[:1]) == pytest.approx(points[:1])


@pytest.mark.slow
def test_no_test_image_moves_the_map_of_training_images(few, monkeypatch):
    monkeypatch.setattr(reduce, "MAP_TRAIN", 500)
    train, test = (to_unit(x).reshape(len(x), -1) for x in (few.x_train[:600], few.x_test))
    points, places = reduce.tsne_by_neighbours(train, test)
    assert points.shape == (600, 2) and places.shape == (len(test), 2)
    again, fewer = reduce.tsne_by_neighbours(train, test[:7])
    assert np.array_equal(again, points) and np.array_equal(fewer, places[:7])
    assert np.array_equal(points[:500], tsne_map(train[:500]))
    by_neighbours, by_components = (
        neighbour_accuracy(known, few.y_train[:600], new, few.y_test)
        for known, new in ((points, places), plane(train, test))
    )
    assert by_neighbours > by_components + 0.1


@pytest.mark.slow
def test_baselines_say_which_of_them_saw_the_test_images(few, monkeypatch):
    monkeypatch.setattr(reduce, "MAP_TRAIN", 500)
    monkeypatch.setattr(reduce, "MAP_TEST", 200)
    found = reduce.baselines(few)
    assert set(found) == {"pca-2", reduce.TSNE_BY_NEIGHBOURS, reduce.TRANSDUCTIVE}
    assert "knn_accuracy" not in found[reduce.TRANSDUCTIVE].values
    assert reduce.TRANSDUCTIVE in reduce.BOUNDS
    # It is no model's equal in the column, which holds maps of new images
    by_neighbours = found[reduce.TSNE_BY_NEIGHBOURS].values["knn_accuracy"]
    assert by_neighbours > found["pca-2"].values["knn_accuracy"] + 0.2


@pytest.mark.slow
def test_same_numbers_again(begun, few):
    assert measure(begun, few).values == measure(begun, few).values


def test_figure_has_a_map_for_each(begun, few):
    measured = measure(begun, few)
    figure = reduce.figure({f"model {i}": measured for i in range(4)})
    shown = [axes for axes in figure.axes if axes.collections]
    assert len(shown) == 4
    n = len(measured.views["map"])
    assert shown[0].get_title() == (
        f"model 0\n{n:,} images, {100 * measured.values['knn_accuracy']:.1f} % by 5-NN"
    )
    # Of the places that are left, one holds the legend and none is an empty frame
    assert all(not axes.axison and axes.get_legend() for axes in figure.axes[4:])


def test_command_line(begun, few, tmp_path, capsys):
    ae = begun
    ae.save(tmp_path / "model.keras")
    save_images(tmp_path / "my.npz", to_unit(few.x_test[:3]))
    arguments = ["--model", str(tmp_path), "--input", str(tmp_path / "my.npz"), "--quick"]
    command.main([*arguments, "--json", "--output", str(tmp_path / "places.csv")])
    places = json.loads(capsys.readouterr().out)["places"]
    assert np.allclose(places, ae.encode(to_unit(few.x_test[:3])), rtol=1e-4)
    written = np.loadtxt(tmp_path / "places.csv", delimiter=",", skiprows=1)
    assert np.allclose(written[:, 1:], places)
    command.main([*arguments, "--output", str(tmp_path / "map.png")])
    assert (tmp_path / "map.png").is_file()
    command.main(["--model", str(tmp_path), "--quick", "--output", str(tmp_path / "data.png")])
    assert "nn_error_2d" in capsys.readouterr().out
    with pytest.raises(UserError, match=r"\.csv or \.png"):
        command.main([*arguments, "--output", str(tmp_path / "map.npz")])


def test_the_map_of_one_image_can_be_drawn():
    figure = reduce.figure(
        {
            "a": reduce.Measured(
                {"knn_accuracy_few": 1.0}, {"map": np.zeros((1, 2)), "labels": np.zeros(1, int)}
            )
        }
    )
    assert math.isfinite(figure.axes[0].get_xlim()[0])
