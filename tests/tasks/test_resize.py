"""Enlarging: exact where it can be exact, consistent with what was given, better with a prior."""

import numpy as np
import pytest
from PIL import Image

from Code.commands.uses import resize as command
from Code.data.datasets import Dataset
from Code.data.filters import psnr
from Code.parts.images import to_unit
from Code.tasks import resize
from Code.tasks.resize import (
    chosen,
    consistent,
    enlarge,
    enlarged,
    enlargements,
    measure,
    replicate,
    shrink,
)
from tests.support import run_use


@pytest.fixture(scope="module")
def images(mnist):
    return to_unit(mnist.x_test[:200])


class Oracle:
    """Gives back the one image that is nearest, of those it knows: a perfect model of them."""

    def __init__(self, known):
        self.known, self.image_shape = known, known.shape[1:]

    def reconstruct(self, x):
        x, known = (images.reshape(len(images), -1) for images in (x, self.known))
        return self.known[(np.square(known).sum(axis=1) - 2 * x @ known.T).argmin(axis=1)]


def test_shrinking_takes_means_over_blocks(images):
    small = shrink(images, 4)
    assert small.shape == (200, 7, 7)
    assert small[3, 2, 5] == pytest.approx(images[3, 8:12, 20:24].mean(), abs=1e-6)
    assert shrink(replicate(small, 4), 4) == pytest.approx(small, abs=1e-6)


@pytest.mark.parametrize("method", ["bicubic", "bilinear"])
@pytest.mark.parametrize("shape", [(28, 28), (14, 21)])
def test_interpolation_is_that_of_pillow(images, method, shape):
    small = shrink(images[:3], 4)
    expected = [
        np.asarray(Image.fromarray(one).resize(shape[::-1], Image.Resampling[method.upper()]))
        for one in small
    ]
    assert enlarge(small, shape, method) == pytest.approx(np.stack(expected), abs=1e-5)


def test_back_projection_is_the_nearest_image_that_shrinks_to_the_small_one(images):
    small, guess = shrink(images[:20], 2), images[20:40]
    result = consistent(guess, small)
    assert shrink(result, 2) == pytest.approx(small, abs=1e-5)
    # Orthogonal: no other such image, the true one say, is nearer
    change = result - guess
    assert (change * (result - images[:20])).sum(axis=(1, 2)) == pytest.approx(0, abs=1e-3)


def test_without_steps_it_is_bicubic(images):
    small = shrink(images, 4)
    expected = np.clip(enlarge(small, (28, 28)), 0, 1)
    assert np.array_equal(enlarged(None, small, (28, 28), 0.5, 0), expected)


def test_back_projection_alone_beats_bicubic_and_is_consistent(images):
    small = shrink(images, 2)
    alone = enlarged(None, small, (28, 28), 0.0, 8)
    assert psnr(images, alone) > psnr(images, np.clip(enlarge(small, (28, 28)), 0, 1)) + 1
    assert np.abs(shrink(alone, 2) - small).mean() < 0.01


def test_a_perfect_model_gives_the_image_back(images):
    model, small = Oracle(images), shrink(images, 2)
    assert enlarged(model.reconstruct, small, (28, 28), 1.0, 1) == pytest.approx(images, abs=1e-5)


def test_the_choice_is_the_best_of_all_on_the_given_images(images):
    model, few = Oracle(images[:100]), images[50:150]
    weight, steps = chosen(model.reconstruct, few, 4, (0.25, 1.0), 3)
    small = shrink(few, 4)
    scores = {}
    for a in (0.25, 1.0):
        estimates = enlargements(model.reconstruct, small, (28, 28), a)
        scores.update({(a, i): psnr(few, x) for i, x in zip(range(4), estimates, strict=False)})
    assert scores[weight, steps] == max(s for (_, i), s in scores.items() if i > 0)


def test_rivals_that_learn_find_what_they_were_shown(images):
    small = shrink(images[:20], 4)
    rest = np.concatenate([images[100:], images[:100]])  # those held out first
    for resize_by in (resize.neighbours(rest), resize.regression(rest)):
        large = resize_by(small, 4)
        assert shrink(large, 4) == pytest.approx(small, abs=1e-5)
        bicubic = np.clip(enlarge(small, (28, 28)), 0, 1)
        assert psnr(images[:20], np.clip(large, 0, 1)) > psnr(images[:20], bicubic)


@pytest.mark.slow
def test_a_trained_autoencoder_beats_bicubic_and_twice_the_same(trained, mnist):
    data = mnist.subset(3000, 500)
    got, rivals = measure(trained, data), resize.baselines(data)
    assert got.values == measure(trained, data).values
    assert set(got.values) == {metric.name for metric in resize.METRICS}
    for factor in (4, 2):
        name = f"psnr_x{factor}"
        assert (
            got.values[name] > rivals["bicubic"].values[name] > rivals["replication"].values[name]
        )
    for learned in ("pca-16", "k-NN", "ridge regression"):
        assert rivals[learned].values["psnr_x4"] > rivals["bicubic"].values["psnr_x4"]
    assert resize.figure({"ae": got, "bicubic": rivals["bicubic"]}).axes


def test_other_sizes(mnist):
    wide = np.pad(mnist.x_train[:200, 4:24], ((0, 0), (0, 0), (2, 2)))
    labels = mnist.y_train[:200]
    data = Dataset("wide", wide, labels, wide, labels, "")
    assert measure(Oracle(to_unit(wide)), data).values["psnr_x2"] > 40


def test_command_line(saved, images, tmp_path, capsys):
    small, large = tmp_path / "small.npz", tmp_path / "large.npz"
    np.savez(small, images=shrink(images[:3], 4))
    command.main(["--model", str(saved), "--input", str(small), "--output", str(large), "--json"])
    with np.load(large) as found:
        assert found["images"].shape == (3, 28, 28)
        assert np.abs(shrink(found["images"], 4) - shrink(images[:3], 4)).mean() < 0.02
    assert '"factor": 4.0' in capsys.readouterr().out


def test_a_wrong_size_is_one_clear_line(saved, images, tmp_path, capsys):
    path = tmp_path / "small.npz"
    np.savez(path, images=images[:1, :9, :9])
    with pytest.raises(SystemExit) as stop:
        run_use("resize", ["--model", str(saved), "--input", str(path)])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "14×14 or 7×7" in error


@pytest.fixture(scope="module")
def trained(ae_16):
    return ae_16


@pytest.fixture(scope="module")
def saved(trained, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.keras"
    trained.save(path)
    return path
