"""Segmentation: pictures are what they say, maps are where they belong, digits are found."""

import numpy as np
import pytest

from Code.commands.uses import segment as command
from Code.data.pictures import load_images
from Code.parts.images import to_unit
from Code.tasks import segment
from Code.tasks.segment import (
    cluttered,
    convolutional_maps,
    described,
    fitted,
    fitted_parts,
    intersection_over_union,
    largest_parts,
    measure,
    otsu,
    patches,
    window_maps,
)
from tests.support import run_use


@pytest.fixture(scope="module")
def pictures(mnist):
    return cluttered(mnist.x_test, 20, seed=1)


def test_masks_are_the_digit_in_its_place(mnist, pictures):
    found, masks = pictures
    assert found.shape == masks.shape == (20, 56, 56)
    assert found.min() >= 0 <= found.max() <= 1
    assert found[masks].mean() > 0.8
    digits = to_unit(mnist.x_test) > 0.5
    order = np.random.default_rng(1).permutation(len(digits))
    for mask, digit in zip(masks, digits[order[:20]], strict=True):
        rows, columns = np.nonzero(mask)
        box = mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        rows, columns = np.nonzero(digit)
        assert np.array_equal(
            box, digit[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        )


def test_clutter_is_as_bright_as_the_digit(pictures):
    found, masks = pictures
    outside = (found > 0.7) & ~masks
    assert outside.sum() > 0.5 * masks.sum()


def test_pictures_are_the_same_each_time_and_others_with_another_seed(mnist, pictures):
    again, other = (cluttered(mnist.x_test, 20, seed)[0] for seed in (1, 2))
    assert np.array_equal(again, pictures[0])
    assert not np.array_equal(other, again)


def test_patches_surround_their_pixel():
    picture = np.arange(36, dtype=np.float32).reshape(1, 6, 6)
    found = patches(picture, 3)
    assert np.array_equal(found[0, 2, 3], picture[0, 1:4, 2:5].ravel())
    assert np.array_equal(found[0, 0, 0], [0, 0, 0, 0, 0, 1, 0, 6, 7])


def test_windows_of_a_perfect_model_give_the_picture_back(pictures):
    ink, inside, digit = np.moveaxis(window_maps(lambda x: x, pictures[0][:2], (28, 28)), -1, 0)
    assert digit == pytest.approx(pictures[0][:2], abs=1e-5)
    assert ink == pytest.approx(inside * pictures[0][:2], abs=1e-5)
    assert 0 <= inside.min() < inside.max() <= 1 + 1e-5


def test_a_window_that_alone_is_explained_holds_the_digit(pictures):
    picture = pictures[0][:1]
    only = picture[0, 12:40, 16:44]

    def reconstruct(windows):
        same = (windows == only).all(axis=(1, 2), keepdims=True)
        return np.where(same, windows, 0)

    _, inside, _ = np.moveaxis(window_maps(reconstruct, picture, (28, 28))[0], -1, 0)
    # Of 64 windows this one has e⁸ times the probability of each other
    assert inside[12:40, 16:44].min() > 0.97
    assert inside[:12, :16].max() < 0.03


@pytest.mark.parametrize("shape", [(28, 28), (29, 41)])
def test_windows_cover_every_pixel(shape):
    picture = np.ones((1, *shape), np.float32)
    _, inside, digit = np.moveaxis(window_maps(lambda x: x, picture, (28, 28)), -1, 0)
    assert digit == pytest.approx(np.ones((1, *shape)))
    assert inside.min() > 0


def test_convolutions_run_over_pictures_of_any_size(mnist):
    import keras

    from Code.cae import CAE

    model = CAE(filters=(4, 6))
    x = to_unit(mnist.x_test[:2])
    large = np.zeros((2, 60, 57), np.float32)
    large[:, 8:36, 16:44] = x
    found = convolutional_maps(model.encoder, large)
    assert found.shape == (2, 60, 57, 10)
    first = next(layer for layer in model.encoder.layers if type(layer).__name__ == "Conv2D")
    expected = keras.Model(model.encoder.input, first.output)(x)
    # Away from the window's edge, where there is a neighbour instead of nothing
    assert found[:, 9:35, 17:43, :4] == pytest.approx(expected[:, 1:-1, 1:-1], abs=1e-5)
    deep = found[:, 8:36:2, 16:44:2, 4:]
    assert np.array_equal(deep, found[:, 9:37:2, 17:45:2, 4:])


def test_dense_encoders_have_no_maps(trained, pictures):
    assert convolutional_maps(trained.encoder, pictures[0]).shape == (20, 56, 56, 0)


def test_intersection_over_union_of_known_cases():
    a = np.zeros((3, 4, 4), bool)
    b = a.copy()
    a[0, :2], b[0, :2] = True, True
    a[1, :2], b[1, 1:3] = True, True
    assert intersection_over_union(a, b) == pytest.approx([1, 1 / 3, 1])


def test_otsu_splits_two_intensities(pictures):
    masks = pictures[1]
    assert np.array_equal(otsu(np.where(masks, 0.9, 0.2)), masks)


def test_the_largest_part_is_kept_whole_and_alone():
    picture = np.zeros((2, 8, 8))
    picture[0, 1, 1:5] = picture[0, 2, 5] = 1  # five pixels, the last joined at a corner
    picture[0, 5:7, 1:3] = 1
    assert np.argwhere(largest_parts(picture, 0.5)[0]).tolist() == [
        [1, 1],
        [1, 2],
        [1, 3],
        [1, 4],
        [2, 5],
    ]
    assert not largest_parts(picture, 0.5)[1].any()


def test_the_largest_part_is_mostly_the_digit(pictures):
    found, masks = pictures
    segmented = fitted_parts(found[:5], masks[:5])(found)
    assert intersection_over_union(segmented, masks).mean() > 0.6


def test_features_that_hold_the_mask_find_it(pictures):
    found, masks = pictures

    def cheat(asked):
        here = [next(i for i, one in enumerate(found) if np.array_equal(one, p)) for p in asked]
        return masks[here][..., None].astype(float)

    segmented = fitted(cheat, found[:5], masks[:5])(found)
    assert np.array_equal(segmented, masks)


def test_one_kind_of_pixels_cannot_be_learnt(pictures):
    with pytest.raises(ValueError, match="both kinds"):
        fitted(described(None), pictures[0], np.zeros_like(pictures[1]))


@pytest.mark.slow
def test_a_trained_autoencoder_beats_pixels_and_threshold(trained, mnist):
    data = mnist.subset(2000, 500)
    got, rivals = measure(trained, data), segment.baselines(data)
    assert got.values == measure(trained, data).values
    assert set(got.values) == {metric.name for metric in segment.METRICS}
    ious = {name: one.values["iou"] for name, one in rivals.items()}
    assert got.values["iou"] > max(ious["5×5 pixels"], ious["otsu"]) + 0.1
    assert segment.figure({"ae": got, **rivals}).axes


def test_command_line(trained, pictures, tmp_path, capsys):
    model, large, truth, out = (
        str(tmp_path / name) for name in ("model.keras", "large.npz", "truth.npz", "out.png")
    )
    trained.save(model)
    np.savez(large, images=pictures[0][:1])
    np.savez(truth, images=pictures[1][:1].astype(np.uint8) * 255)
    command.main(["--model", model, "--input", large, "--truth", truth, "--output", out, "--quick"])
    printed = dict(line.split() for line in capsys.readouterr().out.splitlines())
    mask = load_images(out, (56, 56)) > 0.5
    iou = intersection_over_union(mask, pictures[1][:1])[0]
    assert float(printed["iou"]) == pytest.approx(iou, abs=1e-4)
    assert iou > 0.2

    np.savez(large, images=pictures[0][:1, :20])
    with pytest.raises(SystemExit) as stop:
        run_use("segment", ["--model", model, "--input", large])
    assert stop.value.code == 2
    assert "20×56 pixels; the model needs at least 28×28" in capsys.readouterr().err


@pytest.fixture(scope="module")
def trained(ae_16):
    return ae_16
