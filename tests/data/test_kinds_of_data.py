"""Data as people have them: labels of every kind, CSV files, folders of pictures, IDX names."""

import gzip
import io
import os
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from Code.data.datasets import TEST_SHARE, DataError, load_dataset
from Code.data.labels import LabelsError, class_numbers
from tests.support import examples

N, M = 70, 20


@pytest.fixture(scope="module")
def parts(mnist):
    """Seventy training and twenty test digits with their labels."""
    return mnist.x_train[:N], mnist.y_train[:N], mnist.x_test[:M], mnist.y_test[:M]


@pytest.fixture
def npz(tmp_path, parts):
    """A function that writes an .npz, by default of MNIST's parts, and loads it."""
    standard = dict(zip(("x_train", "y_train", "x_test", "y_test"), parts, strict=True))

    def load(**arrays):
        np.savez_compressed(tmp_path / "a.npz", **(arrays or standard))
        return load_dataset(tmp_path / "a.npz")

    return load


def refusal(path):
    with pytest.raises(DataError) as caught:
        load_dataset(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Labels


LABELS = {
    "bytes": lambda y: y.astype(np.uint8),
    "floats": lambda y: y.astype(float),
    "a column": lambda y: y[:, None],
    "one-hot": lambda y: np.eye(10)[y],
    "one-hot booleans": lambda y: np.eye(10)[y] > 0,
    "text": lambda y: y.astype(str),
    "text as bytes": lambda y: y.astype("S"),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_every_kind_are_the_same_labels(kind, npz, parts):
    x, y, xt, yt = parts
    found = npz(x_train=x, y_train=LABELS[kind](y), x_test=xt, y_test=LABELS[kind](yt))
    np.testing.assert_array_equal(found.y_train, y)
    np.testing.assert_array_equal(found.y_test, yt)
    assert found.y_train.dtype == np.int64
    assert found.classes == tuple("0123456789")


@pytest.mark.parametrize(
    ("labels", "numbers", "names"),
    [
        ([1, 10, 2], [0, 2, 1], "1 2 10"),
        ([-3, 7], [0, 1], "-3 7"),
        (["10", "9"], [1, 0], "9 10"),
        (["07", "7"], [0, 1], "07 7"),
        (["2.0", "10.0"], [0, 1], "2 10"),
        (["é", "cat", " cat "], [1, 0, 0], "cat é"),
        ([True, False], [1, 0], "False True"),
    ],
)
def test_classes_are_in_order_and_keep_their_names(labels, numbers, names):
    found, classes = class_numbers({"y": np.array(labels)})
    assert found["y"].tolist() == numbers
    assert classes == tuple(names.split())


@pytest.mark.parametrize("labels", [["a", ""], ["0.5", "1"]])
def test_text_that_is_no_label_is_refused(labels):
    with pytest.raises(LabelsError, match="labels"):
        class_numbers({"y": np.array(labels)})


def test_classes_are_those_of_both_parts_and_of_all_columns():
    found, classes = class_numbers({"a": np.array(["x", "z"]), "b": np.array(["y"])})
    assert classes == ("x", "y", "z") and found["b"].tolist() == [1]
    assert len(class_numbers({"a": np.eye(5)[:2]})[1]) == 5


@given(st.data())
@settings(max_examples=examples(2000, 100), deadline=None)
def test_any_labels_are_numbered_or_refused(data):
    dtype = data.draw(st.sampled_from(["u1", "i8", "u8", "f2", "f8", "?", "U3", "S3", "c8"]))
    shape = data.draw(st.sampled_from([(0,), (1,), (5,), (5, 1), (4, 3), (2, 2, 2), ()]))
    raw = np.random.default_rng(data.draw(st.integers(0, 9))).bytes(4096)
    dtype = np.dtype(dtype)
    count = int(np.prod(shape))
    array = (
        np.array([chr(97 + b % 26) for b in raw[:count]], dtype)
        if dtype.kind in "US"
        else np.frombuffer(raw, dtype if dtype.kind != "b" else "u1")[:count].astype(dtype)
    )
    try:
        with np.errstate(all="ignore"):
            found, classes = class_numbers({"y": array.reshape(shape)})
    except LabelsError as error:
        assert "\n" not in str(error)
    else:
        assert len(found["y"]) == shape[0]
        assert found["y"].min() >= 0 and found["y"].max() < len(classes)


# Images


@pytest.mark.parametrize("how", ["bool", "uint16", "int64", "flat", "floats", "channel"])
def test_images_of_every_type_are_the_same_images(how, npz, parts):
    from Code.parts.images import to_unit

    x, y, xt, yt = parts
    as_they_are = {
        "bool": (lambda a: a > 127, lambda a: (a > 127).astype("f4")),
        "uint16": (lambda a: a.astype(np.uint16) * 257, lambda a: a / np.float32(255)),
        "int64": (lambda a: a.astype(np.int64), lambda a: a / np.float32(255)),
        "flat": (lambda a: a.reshape(len(a), -1), lambda a: a / np.float32(255)),
        "floats": (lambda a: a / 255, lambda a: a / np.float32(255)),
        "channel": (lambda a: a[..., None], lambda a: a / np.float32(255)),
    }
    give, right = as_they_are[how]
    found = npz(x_train=give(x), y_train=y, x_test=give(xt), y_test=yt)
    np.testing.assert_allclose(to_unit(found.x_train), right(x), rtol=1e-6)
    np.testing.assert_allclose(to_unit(found.x_test), right(xt), rtol=1e-6)


def test_wide_integers_of_a_dark_part_are_bytes_as_those_of_the_other(npz, parts):
    x = parts[0].astype(np.int32)
    found = npz(x_train=x, x_test=np.minimum(x[:5], 1))
    assert found.x_test.dtype == np.uint8 and found.x_test.max() == 1


@pytest.mark.parametrize("names", [("images",), ("x_train",), ("X",), ("arr_0",), ("my_pictures",)])
def test_images_alone_are_split(names, npz, parts):
    found = npz(**{names[0]: parts[0]})
    assert (len(found.x_train), len(found.x_test)) == (N - N // TEST_SHARE, N // TEST_SHARE)
    assert not found.labelled and found.classes == () and found.split
    every = np.concatenate([found.x_train, found.x_test]).reshape(N, -1)
    assert sorted(map(bytes, every)) == sorted(map(bytes, parts[0].reshape(N, -1)))
    again = npz(**{names[0]: parts[0]})
    np.testing.assert_array_equal(again.x_test, found.x_test)


def test_a_split_keeps_each_image_with_its_label(npz, parts):
    found = npz(images=parts[0], labels=parts[1])
    of_image = {bytes(image.ravel()): label for image, label in zip(*parts[:2], strict=True)}
    for x, y in ((found.x_train, found.y_train), (found.x_test, found.y_test)):
        assert [of_image[bytes(image.ravel())] for image in x] == y.tolist()


def test_other_names_of_the_arrays(npz, parts):
    x, y, xt, yt = parts
    medical = npz(train_images=x, train_labels=y[:, None], test_images=xt, test_labels=yt[:, None])
    np.testing.assert_array_equal(medical.y_test, yt)
    assert not npz(x_train=x, x_test=xt).labelled


@pytest.mark.parametrize(
    "names",
    [
        ("images", "label"),
        ("x", "classes"),
        ("train_x", "train_y", "test_x", "test_y"),
        ("x_train", "y_train", "x_val", "y_val"),
        ("X_train", "Y_train", "X_valid", "Y_valid"),
    ],
)
def test_labels_and_test_parts_by_other_names(names, npz, parts):
    found = npz(**dict(zip(names, parts, strict=False)))
    assert found.classes == tuple("0123456789") and found.split == (len(names) == 2)
    if not found.split:
        np.testing.assert_array_equal(found.y_test, parts[3])


def test_a_validation_part_beside_a_test_part_is_not_read_and_told(npz, parts):
    x, y, xt, yt = parts
    found = npz(x_train=x, y_train=y, x_test=xt, y_test=yt, x_val=x[:M], y_val=y[:M])
    np.testing.assert_array_equal(found.y_test, yt)
    assert found.notes == ("not read: x_val, y_val",)
    named = npz(x_train=x, X_train=xt)
    assert len(named.x_train) + len(named.x_test) == N and "X_train" in named.notes[0]


def test_arrays_without_names_and_archives_without_arrays_say_what_to_do(parts, tmp_path):
    np.savez(tmp_path / "a.npz", *parts)
    assert "numpy.savez(file, images=x, labels=y)" in refusal(tmp_path / "a.npz")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("a/1.png", b"")
    assert "unpack it and give the folder" in refusal(tmp_path / "photos.zip")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (lambda x: (x > 127).astype(np.uint8), True),
        (lambda x: x.astype(np.uint16), True),
        (lambda x: x.astype(np.int64) // 16, True),
        (lambda x: x, False),
        (np.zeros_like, False),
    ],
    ids=["bits as bytes", "bytes as uint16", "sixteen greys", "bytes", "black"],
)
def test_images_that_are_nowhere_bright_are_told(kind, told, npz, parts):
    notes = npz(x_train=kind(parts[0]), x_test=kind(parts[2])).notes
    assert any("brightest pixel" in note for note in notes) == told


def test_flat_images_with_a_last_axis_of_one_are_images(npz, parts):
    found = npz(x_train=parts[0].reshape(N, 784, 1), x_test=parts[2].reshape(M, 784, 1))
    np.testing.assert_array_equal(found.x_test, parts[2])


def test_a_folder_that_may_not_be_read_is_a_line(parts, tmp_path, monkeypatch):
    save(tmp_path / "a", parts[0][:3])

    def forbidden(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", forbidden)
    assert "cannot be read (Permission denied)" in refusal(tmp_path)


def test_one_image_is_not_split(npz, parts, tmp_path):
    np.save(tmp_path / "one.npy", parts[0][:1])
    assert "cannot be split" in refusal(tmp_path / "one.npy")


def test_a_subset_of_sorted_data_has_every_class(npz, parts):
    x, y, xt, yt = parts
    order = np.argsort(y, kind="stable")
    found = npz(x_train=x[order], y_train=y[order], x_test=xt, y_test=yt).subset(40, 20)
    assert len(np.unique(found.y_train)) >= 8
    np.testing.assert_array_equal(found.x_test, xt)


# CSV


def csv_text(x, labels=None, header=None, last=False, index=False, mark=","):
    lines = [] if header is None else [mark.join(header)]
    for i, image in enumerate(x.reshape(len(x), -1)):
        cells = list(map(str, image))
        if labels is not None:
            cells = [*cells, str(labels[i])] if last else [str(labels[i]), *cells]
        lines.append(mark.join([str(i), *cells] if index else cells))
    return "\n".join(lines) + "\n"


PIXELS = [f"pixel{i}" for i in range(784)]
CSV = {
    "competition": {"header": ["label", *PIXELS]},
    "without header": {},
    "label last": {"header": [*PIXELS, "class"], "last": True},
    "numbered columns": {"header": ["label", *map(str, range(784))]},
    "label last under another name": {"header": [*PIXELS, "species"], "last": True},
    "with an index": {"header": ["", "label", *PIXELS], "index": True},
    "semicolons": {"header": ["label", *PIXELS], "mark": ";"},
    "label last without header": {"last": True},
    "with the name of a file": {"header": ["filename", "label", *PIXELS], "index": True},
    "bars": {"mark": "|"},
}


@pytest.mark.parametrize("layout", CSV)
@pytest.mark.parametrize("text", [False, True])
def test_csv_of_a_label_and_pixels(layout, text, parts, tmp_path):
    x, y = parts[:2]
    labels = np.array(list("abcdefghij"))[y] if text else y
    file = tmp_path / "train.csv"
    file.write_text(csv_text(x, labels, **CSV[layout]), encoding="utf-8")
    found = load_dataset(file)
    of_image = {bytes(image.ravel()): str(label) for image, label in zip(x, labels, strict=True)}
    assert [of_image[bytes(image.ravel())] for image in found.x_train] == [
        found.classes[label] for label in found.y_train
    ]
    assert (found.name, found.short_name, found.split) == ("train.csv", "train", True)


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n\n"])
def test_lines_of_a_csv_end_as_systems_end_them(end, parts, tmp_path, recwarn):
    text = csv_text(*parts[:2], header=["label", *PIXELS])
    (tmp_path / "a.csv").write_bytes(text.replace("\n", end).encode())
    found = load_dataset(tmp_path / "a.csv")
    assert len(found.x_train) + len(found.x_test) == N and len(found.classes) == 10
    assert not recwarn.list


@pytest.mark.parametrize("header", [None, PIXELS])
@pytest.mark.parametrize("zipped", [False, True])
def test_csv_of_pixels_alone(header, zipped, parts, tmp_path):
    text = csv_text(parts[0], header=header).encode()
    file = tmp_path / ("a.csv.gz" if zipped else "a.csv")
    file.write_bytes(gzip.compress(text) if zipped else text)
    found = load_dataset(file)
    assert not found.labelled
    assert found.x_train.dtype == np.uint8 and found.x_train.shape == (N - N // 7, 28, 28)


def test_csv_of_fractions_and_of_bits(parts, tmp_path):
    file = tmp_path / "a.csv"
    for x in (np.round(parts[0] / 255, 4), (parts[0] > 127).astype(int)):
        file.write_text(csv_text(x), encoding="utf-8")
        found = load_dataset(file)
        assert found.x_train.dtype == np.float32 and found.x_train.max() == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no images"),
        ("label,pixel0,pixel1\n", "no images"),
        ("1,2,3\n", "rows of 3 columns"),
        (("0," * 15 + "0\n") * 5 + "0,1\n", "columns"),
        (("0," * 15 + "0\n") * 5 + "0," * 17 + "\n", "columns"),
        (("0," * 15 + "0\n") * 5 + "0," * 15 + "x\n", "x"),
        (("0," * 15 + "300\n") * 5, "from 0 to 300"),
        (("0," * 15 + "nan\n") * 5, "NaN"),
        ("\0\xff\n", "no images"),
    ],
)
def test_csv_that_is_refused(text, reason, tmp_path):
    (tmp_path / "a.csv").write_bytes(text.encode("latin-1"))
    message = refusal(tmp_path / "a.csv")
    assert reason in message or "CSV" in message


def test_a_gzip_bomb_is_not_kept(tmp_path, monkeypatch):
    from Code.data import array_file

    monkeypatch.setattr(array_file, "MAX_BYTES", 10**6)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"0,0,0,0\n" * 10**6))
    assert "GB and more when unpacked" in refusal(tmp_path / "a.csv.gz")


CELLS = st.sampled_from(["0", "1", "255", "0.5", "7", "a", "", "nan", "-1", '"q"', "300", " 2"])
ROWS = st.integers(1, 18).flatmap(
    lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n).map(",".join), max_size=6)
)


@given(
    st.binary(max_size=300)
    | ROWS.map("\n".join)
    | st.text('0123456789,;.\n"label \t-e', max_size=300)
)
@settings(
    max_examples=examples(3000, 100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_csv_is_read_or_refused_in_a_line(tmp_path, content):
    file = tmp_path / "a.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    read_or_refused(file)


def read_or_refused(path):
    try:
        found = load_dataset(path)
    except DataError as error:
        assert "\n" not in str(error)
    else:
        assert found.x_train.dtype in (np.uint8, np.float32)
        assert found.x_train.shape[1:] == found.x_test.shape[1:]


# Folders of pictures


def save(folder, images, suffix="png"):
    folder.mkdir(parents=True, exist_ok=True)
    for i, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{i}.{suffix}")


def coloured(images):
    return np.stack([images, 255 - images, images // 2], axis=-1)


def test_pictures_by_class(parts, tmp_path):
    x, y = parts[:2]
    for digit, name in enumerate(["zero", "one", "two"]):
        save(tmp_path / "mine" / name, x[y == digit])
    (tmp_path / "mine" / "empty").mkdir()
    found = load_dataset(tmp_path / "mine")
    assert found.classes == ("one", "two", "zero") and found.split and found.name == "mine/"
    of_image = {bytes(image.ravel()): label for image, label in zip(x, y, strict=True)}
    names = [["zero", "one", "two"][of_image[bytes(image.ravel())]] for image in found.x_train]
    assert names == [found.classes[label] for label in found.y_train]
    assert len(set(names[:8])) > 1


@pytest.mark.parametrize("suffix", ["png", "bmp", "jpg"])
def test_pictures_without_labels(suffix, parts, tmp_path):
    save(tmp_path, parts[0], suffix)
    found = load_dataset(tmp_path)
    assert not found.labelled and found.x_train.shape == (60, 28, 28)


@pytest.mark.parametrize("suffix", ["jfif", "pgm", "webp", "tif", "gif"])
def test_grey_pictures_of_other_kinds_are_grey(suffix, parts, tmp_path):
    for i, image in enumerate(parts[0]):
        kind = {"jfif": "JPEG", "pgm": "PPM"}.get(suffix)
        Image.fromarray(image).save(tmp_path / f"{i}.{suffix}", format=kind)
    found = load_dataset(tmp_path)
    assert found.x_train.shape == (60, 28, 28) and found.x_train.max() > 200


def test_floats_of_a_picture_are_in_the_range_of_the_rule(parts, tmp_path):
    image = parts[0][0].astype(np.float32)
    for i in range(3):
        Image.fromarray(image / 255).save(tmp_path / f"{i}.tif")
    assert load_dataset(tmp_path).x_train.max() == 255
    Image.fromarray(image).save(tmp_path / "3.tif")
    assert "3.tif: the pixels lie between 0 and 255" in refusal(tmp_path)
    Image.fromarray(np.where(image > 0, np.nan, 0).astype(np.float32)).save(tmp_path / "3.tif")
    assert "NaN" in refusal(tmp_path)


def test_files_beside_pictures_are_told(parts, tmp_path):
    save(tmp_path, parts[0][:4])
    for name in ("a.heic", "labels.txt", ".hidden", "Thumbs.db"):
        (tmp_path / name).write_bytes(b"x")
    assert "2 files of other kinds left out (a.heic, labels.txt)" in load_dataset(tmp_path).notes


def test_where_images_lie_below_a_folder_is_said(parts, tmp_path):
    save(tmp_path / "a" / "data" / "pets" / "cat", parts[0][:4])
    assert "data/pets/cat: give the folder around that one" in refusal(tmp_path / "a")
    (tmp_path / "MNIST" / "raw").mkdir(parents=True)
    (tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte").write_bytes(idx_bytes(parts[0]))
    assert "raw: give that folder" in refusal(tmp_path / "MNIST")


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text elsewhere")
def test_a_folder_whose_name_is_no_text_is_a_class(parts, tmp_path):
    folder = os.path.join(os.fsencode(tmp_path), b"caf\xe9", b"th\xe9")
    os.makedirs(folder)
    save(Path(os.fsdecode(folder)), parts[0][:5])
    found = load_dataset(os.path.join(os.fsdecode(tmp_path), os.fsdecode(b"caf\xe9")))
    assert (found.name, found.classes) == ("caf?/", ("th?",))


def test_pictures_in_a_training_and_a_test_folder(parts, tmp_path):
    x, y, xt, yt = parts
    for part, images, labels in (("train", x, y), ("test", xt, yt)):
        for digit in np.unique(labels):
            save(tmp_path / part / str(digit), images[labels == digit])
    found = load_dataset(tmp_path)
    assert (len(found.x_train), len(found.x_test), found.split) == (N, M, False)
    assert found.classes == tuple("0123456789")
    assert np.bincount(found.y_test).tolist() == np.bincount(yt).tolist()


def test_pictures_in_colour_of_mixed_sizes(parts, tmp_path):
    images = coloured(parts[0])
    for i, image in enumerate(images):
        side = 20 + i
        Image.fromarray(image).resize((side, side + 5)).save(tmp_path / f"{i}.jpg")
    found = load_dataset(tmp_path)
    assert found.x_train.shape == (60, 28, 28, 3) and found.x_train.dtype == np.uint8
    assert "scaled to 28×28" in found.notes[0]
    assert "each side must have 4 to 128" in refusal(f"{tmp_path}@9999")
    assert load_dataset(f"{tmp_path}@32x40").x_train.shape[1:] == (32, 40, 3)


def test_large_pictures_are_scaled(tmp_path):
    save(tmp_path, np.zeros((3, 300, 200), np.uint8))
    assert load_dataset(tmp_path).x_train.shape[1:] == (28, 28)


def test_what_is_left_out_of_a_folder_is_told(parts, tmp_path):
    x = parts[0][:6]
    for place in ("a", "b", "a/deeper"):
        save(tmp_path / "mine" / place, x)
    found = load_dataset(tmp_path / "mine")
    assert "6 pictures in other places were left out (a/deeper)" in found.notes[0]
    save(tmp_path / "one" / "two" / "three", x)
    assert "two/three: give the folder around" in refusal(tmp_path / "one")


def test_folders_called_train_are_parts_or_classes(parts, tmp_path):
    x = parts[0][:7]
    save(tmp_path / "train" / "a", x)
    save(tmp_path / "train" / "b", x)
    assert load_dataset(tmp_path).split
    save(tmp_path / "val" / "a", x)
    found = load_dataset(tmp_path)
    assert (len(found.x_train), len(found.x_test), found.split) == (14, 7, False)
    assert "train and val are its training and test part" in found.notes[0]
    for name in ("train", "test", "bus"):
        save(tmp_path / "classes" / name, x)
    assert load_dataset(tmp_path / "classes").classes == ("bus", "test", "train")


def test_folders_that_are_refused(parts, tmp_path):
    x = parts[0][:3]
    assert "neither IDX files nor pictures" in refusal(tmp_path)
    save(tmp_path / "a", x)
    save(tmp_path, x)
    assert "beside folders of pictures" in refusal(tmp_path)
    (tmp_path / "a" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    assert "broken.png" in refusal(tmp_path / "a")
    assert "one picture is no data set" in refusal(tmp_path / "0.png")


# IDX names


def idx_bytes(array, code=8):
    shape = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, code, array.ndim]) + shape + array.tobytes()


def write_idx(folder, start, parts, names=("train", "test"), zipped=True):
    folder.mkdir(exist_ok=True)
    for name, x, y in zip(names, parts[::2], parts[1::2], strict=True):
        for kind, array in (("images-idx3", x), ("labels-idx1", y.astype(np.uint8))):
            if array.ndim in (1, 3):
                data = idx_bytes(np.ascontiguousarray(array))
                file = folder / f"{start}{name}-{kind}-ubyte{'.gz' if zipped else ''}"
                file.write_bytes(gzip.compress(data) if zipped else data)


def test_emnist_is_put_upright_and_its_letters_are_named(parts, tmp_path):
    x, y, xt, yt = parts
    stored = x.transpose(0, 2, 1), y + 1, xt.transpose(0, 2, 1), yt + 1
    write_idx(tmp_path / "letters", "emnist-letters-", stored)
    found = load_dataset(tmp_path / "letters")
    np.testing.assert_array_equal(found.x_train, x)
    assert found.classes == tuple(str(i) for i in range(1, 11))
    lines = "\n".join(f"{i} {64 + i} {96 + i}" for i in range(1, 27))
    (tmp_path / "letters" / "emnist-letters-mapping.txt").write_text(lines, encoding="ascii")
    assert load_dataset(tmp_path / "letters").classes == tuple("ABCDEFGHIJ")


def test_one_of_several_sets_in_a_folder(parts, tmp_path):
    write_idx(tmp_path, "emnist-letters-", parts)
    write_idx(tmp_path, "emnist-digits-", [part[:10] for part in parts])
    assert "several sets of images (emnist-digits, emnist-letters)" in refusal(tmp_path)
    assert len(load_dataset(tmp_path / "emnist-digits").x_train) == 10
    assert load_dataset(tmp_path / "emnist-letters").name == "emnist-letters/"


def test_qmnist_with_its_labels_of_eight_numbers(parts, tmp_path):
    _x, y, xt, yt = parts
    write_idx(tmp_path, "qmnist-", parts)
    for name, labels in (("train", y), ("test", yt)):
        (tmp_path / f"qmnist-{name}-labels-idx1-ubyte.gz").unlink()
        rows = np.zeros((len(labels), 8), ">i4")
        rows[:, 0], rows[:, 2] = labels, 4000
        data = gzip.compress(idx_bytes(rows, 0x0C))
        (tmp_path / f"qmnist-{name}-labels-idx2-int.gz").write_bytes(data)
    found = load_dataset(tmp_path)
    np.testing.assert_array_equal(found.y_train, y)
    np.testing.assert_array_equal(found.x_test, xt)


def test_idx_training_images_alone_are_split(parts, tmp_path):
    write_idx(tmp_path, "", parts, ("train", "t10k"))
    for file in tmp_path.glob("t10k*"):
        file.unlink()
    found = load_dataset(tmp_path)
    assert found.split and found.labelled and len(found.x_test) == N // TEST_SHARE
    with pytest.raises(DataError, match="give the folder that holds it"):
        load_dataset(next(tmp_path.glob("train-images*")))
    with pytest.raises(DataError, match="not IDX files"):
        load_dataset(f"{tmp_path}@64")


def test_idx_images_without_labels(parts, tmp_path):
    write_idx(tmp_path, "", parts, ("train", "t10k"), zipped=False)
    for file in tmp_path.glob("*labels*"):
        file.unlink()
    assert not load_dataset(tmp_path).labelled


# Whatever is given


@given(st.data())
@settings(
    max_examples=examples(1500, 60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_npz_is_read_or_refused_in_a_line(tmp_path, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    shapes = st.sampled_from(
        [(), (0,), (9,), (9, 1), (9, 16), (9, 10), (9, 4, 5), (9, 5, 4), (9, 6, 6, 3), (9, 3, 6, 6)]
    )
    dtypes = st.sampled_from(["u1", "u2", "i8", "f2", "f4", "f8", "?", "U2", "S2", "c8", "M8[s]"])
    names = st.sampled_from(["x_train", "y_train", "x_test", "y_test", "images", "labels", "other"])
    arrays = {}
    for name in data.draw(st.lists(names, max_size=4, unique=True)):
        shape, dtype = data.draw(shapes), np.dtype(data.draw(dtypes))
        scale = data.draw(st.sampled_from([1, 1, 255, 70_000]))
        values = rng.random(shape) * scale
        arrays[name] = (
            values.astype(dtype) if dtype.kind != "M" else values.astype("i8").astype(dtype)
        )
    np.savez(tmp_path / "a.npz", **arrays)
    read_or_refused(tmp_path / "a.npz")


@given(st.binary(max_size=400), st.integers(0, 10_000), st.booleans())
@settings(
    max_examples=examples(1500, 60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_damage_is_refused_in_a_line_or_harmless(tmp_path, noise, at, single):
    whole = io.BytesIO()
    images = np.arange(9 * 16, dtype=np.uint8).reshape(9, 4, 4)
    if single:
        np.save(whole, images)
    else:
        np.savez(whole, images=images, labels=np.arange(9))
    content = bytearray(whole.getvalue())
    at %= len(content)
    content[at : at + len(noise)] = noise
    file = tmp_path / ("a.npy" if single else "a.npz")
    file.write_bytes(content)
    read_or_refused(file)
