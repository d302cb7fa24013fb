"""Every kind of data that a user may give, good and bad."""

import gzip
import hashlib
import os
import socket
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from Code.data import array_file, datasets
from Code.data.datasets import KEYS, MNIST_SHA256, DataError, load_dataset
from Code.parts.images import to_unit

N_TRAIN, N_TEST = 12, 10
IDX_NAMES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


def small(side=(28, 28)) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (N_TRAIN, *side), dtype=np.uint8),
        "y_train": (np.arange(N_TRAIN) % 10).astype(np.uint8),
        "x_test": rng.integers(0, 256, (N_TEST, *side), dtype=np.uint8),
        "y_test": (np.arange(N_TEST) % 10).astype(np.uint8),
    }


def write_npz(path: Path, **changes) -> Path:
    """Write a good small data set with some arrays changed, or left out where None."""
    arrays = {**small(), **changes}
    np.savez_compressed(path, **{k: v for k, v in arrays.items() if v is not None})
    return path


def idx_bytes(array: np.ndarray) -> bytes:
    shape = struct.pack(f">{array.ndim}I", *array.shape)
    return b"\0\0\x08" + bytes([array.ndim]) + shape + array.astype(np.uint8).tobytes()


def write_idx(folder: Path, zipped=False, dotted=False, **changes) -> Path:
    folder.mkdir()
    for key, array in {**small(), **changes}.items():
        if array is None:
            continue
        name = IDX_NAMES[key].replace("-idx", ".idx") if dotted else IDX_NAMES[key]
        data = idx_bytes(array)
        if zipped:
            name, data = name + ".gz", gzip.compress(data)
        (folder / name).write_bytes(data)
    return folder


def refusal(spec) -> str:
    """Return the message with which ``spec`` is refused, which must be one line."""
    with pytest.raises(DataError) as caught:
        load_dataset(str(spec))
    message = str(caught.value)
    assert message and "\n" not in message
    return message


@pytest.fixture(scope="module")
def mnist():
    return load_dataset("mnist")


# Bundled MNIST


def test_mnist_is_the_original(mnist):
    md5 = {
        "x_train": "6bbc9ace898e44ae57da46a324031adb",
        "y_train": "a25bea736e30d166cdddb491f175f624",
        "x_test": "2646ac647ad5339dbf082846283269ea",
        "y_test": "27ae3e4e09519cfbb04c329615203637",
    }
    for key in KEYS:
        assert hashlib.md5(idx_bytes(getattr(mnist, key))).hexdigest() == md5[key]
    assert (mnist.name, mnist.sha256) == ("mnist", MNIST_SHA256)
    assert mnist.x_train.shape == (60000, 28, 28)
    assert mnist.x_train.dtype == np.uint8
    assert mnist.y_test.dtype == np.int64


def test_damaged_mnist_is_refused(tmp_path, monkeypatch):
    damaged = bytearray(datasets.MNIST_PATH.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    copy = tmp_path / "mnist.npz"
    copy.write_bytes(damaged)
    monkeypatch.setattr(datasets, "MNIST_PATH", copy)
    assert "SHA-256" in refusal("mnist")
    copy.unlink()
    assert "missing" in refusal("mnist")


def test_licence_lies_beside_mnist():
    text = datasets.MNIST_PATH.with_name("MNIST-LICENCE.md").read_text(encoding="utf-8")
    for fact in (MNIST_SHA256, "Yann LeCun", "Corinna Cortes", "CC BY-SA 3.0"):
        assert fact in text


def test_no_framework_is_imported():
    code = (
        "import sys, Code.data.datasets, Code.data.idx, Code.data.filters;"
        "sys.exit(bool({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# Dataset


def test_subset_takes_the_first(mnist):
    part = mnist.subset(5, 3)
    np.testing.assert_array_equal(part.x_train, mnist.x_train[:5])
    np.testing.assert_array_equal(part.y_test, mnist.y_test[:3])
    assert (part.name, part.sha256) == (mnist.name, mnist.sha256)
    assert len(mnist.subset(10**9, 1).x_train) == 60000
    with pytest.raises(ValueError, match="at least 1"):
        mnist.subset(5, 0)


def test_to_unit():
    every = to_unit(np.arange(256, dtype=np.uint8))
    assert every.dtype == np.float32
    np.testing.assert_allclose(every, np.arange(256) / 255, rtol=1e-6)
    assert every[[0, -1]].tolist() == [0, 1]
    assert to_unit(every) is every


# Paths that are accepted


def test_npz(tmp_path):
    path = write_npz(tmp_path / "mine.npz")
    dataset = load_dataset(path)
    for key, array in small().items():
        np.testing.assert_array_equal(getattr(dataset, key), array)
    assert dataset.name == "mine.npz"
    assert dataset.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("dtype", ["f2", ">f4", "f8"])
def test_npz_of_floats(tmp_path, dtype):
    images = {key: (small()[key] / 255).astype(dtype) for key in ("x_train", "x_test")}
    dataset = load_dataset(str(write_npz(tmp_path / "a.npz", **images)))
    assert dataset.x_train.dtype == np.dtype("f4")
    np.testing.assert_array_equal(dataset.x_train, images["x_train"].astype("f4"))


@pytest.mark.parametrize("side", [(4, 5), (28, 20), (30, 29), (128, 128), (32, 32, 3)])
def test_sizes_that_work(tmp_path, side):
    dataset = load_dataset(str(write_npz(tmp_path / "a.npz", **small(side))))
    assert dataset.x_test.shape == (N_TEST, *side)


def test_channel_axis_is_dropped(tmp_path):
    arrays = small()
    path = write_npz(tmp_path / "a.npz", x_train=np.asfortranarray(arrays["x_train"][..., None]))
    dataset = load_dataset(str(path))
    np.testing.assert_array_equal(dataset.x_train, arrays["x_train"])
    assert dataset.x_train.flags.c_contiguous


@pytest.mark.parametrize("dotted", [False, True])
@pytest.mark.parametrize("zipped", [False, True])
def test_folder_of_idx_files(tmp_path, zipped, dotted):
    folder = write_idx(tmp_path / "digits", zipped, dotted)
    dataset = load_dataset(str(folder))
    for key, array in small().items():
        np.testing.assert_array_equal(getattr(dataset, key), array)
    assert dataset.name == "digits/"
    assert dataset.sha256 == load_dataset(str(write_idx(tmp_path / "plain"))).sha256


def test_digest_of_a_folder_depends_on_every_array(tmp_path):
    digests = {load_dataset(str(write_idx(tmp_path / "good"))).sha256}
    for key, array in small().items():
        changed = array.copy()
        changed.flat[0] = 9 - changed.flat[0] if key[0] == "y" else 255 - changed.flat[0]
        folder = write_idx(tmp_path / key, **{key: changed})
        digests.add(load_dataset(str(folder)).sha256)
    assert len(digests) == 5


def test_a_stray_folder_does_not_stand_in_for_the_bundled_data(tmp_path, monkeypatch):
    write_idx(tmp_path / "mnist")
    monkeypatch.chdir(tmp_path)
    assert load_dataset("mnist").name == "mnist"
    assert load_dataset("./mnist").name == "mnist/"


# Contents that are refused, whatever they come from


def poisoned(value):
    images = small()["x_train"] / 255
    images[3, 4, 5] = value
    return images


BAD_ARRAYS = {
    "missing labels": ({"y_test": None}, "y_test missing"),
    "missing images": ({"x_test": None}, "x_test missing"),
    "several missing keys": ({"x_train": None, "y_train": None}, "x_train, y_train missing"),
    "flat rows, no square": ({"x_train": np.zeros((N_TRAIN, 780), np.uint8)}, "shape (12, 780)"),
    "scalar": ({"x_test": np.uint8(3)}, "shape ()"),
    "four channels": ({"x_train": np.zeros((N_TRAIN, 28, 28, 4), np.uint8)}, "in colour"),
    "channels first": ({"x_train": np.zeros((N_TRAIN, 3, 28, 28), np.uint8)}, "np.moveaxis"),
    "colour and grey": ({"x_train": np.zeros((N_TRAIN, 28, 28, 3), np.uint8)}, "28×28×3"),
    "bits or bytes": (
        {
            key: np.ones((n, 28, 28), np.int64)
            for key, n in (("x_train", N_TRAIN), ("x_test", N_TEST))
        },
        "bits as bool",
    ),
    "large integers": (
        {key: np.full((n, 28, 28), 256, np.int32) for key, n in (("x_train", 12), ("x_test", 10))},
        "from 256 to 256",
    ),
    "bytes and words": ({"x_train": np.zeros((N_TRAIN, 28, 28), np.uint16)}, "the same type"),
    "complex": ({"x_train": np.zeros((N_TRAIN, 28, 28), complex)}, "dtype complex128"),
    "text": ({"x_train": np.full((N_TRAIN, 28, 28), "a")}, "dtype <U1"),
    "NaN": ({"x_train": poisoned(np.nan)}, "NaN"),
    "infinity": ({"x_train": poisoned(np.inf)}, "infinite"),
    "above 1": ({"x_train": poisoned(1.5)}, "between 0 and 1.5"),
    "below 0": ({"x_train": poisoned(-0.25)}, "between -0.25 and"),
    "no training rows": (
        {"x_train": np.zeros((0, 28, 28), np.uint8), "y_train": np.zeros(0, np.uint8)},
        "x_train holds no images",
    ),
    "no test rows": ({"x_test": np.zeros((0, 28, 28), np.uint8)}, "x_test holds no images"),
    "no pixels": ({"x_train": np.zeros((N_TRAIN, 0, 28), np.float32)}, "0×28"),
    "no label": ({"y_train": np.zeros(0, np.int64)}, "y_train holds no labels"),
    "two labels an image": ({"y_test": np.ones((N_TEST, 10))}, "y_test has the shape (10, 10)"),
    "values, not labels": ({"y_test": np.full(N_TEST, 0.5)}, "y_test holds 0.5"),
    "NaN label": ({"y_test": np.full(N_TEST, np.nan)}, "y_test holds nan"),
    "huge label": ({"y_test": np.full(N_TEST, 2**64 - 1, np.uint64)}, "y_test holds 1.8"),
    "fewer labels": ({"y_train": np.zeros(11, np.uint8)}, "12 images but y_train 11 labels"),
    "swapped labels": ({"y_test": small()["y_train"]}, "10 images but y_test 12 labels"),
    "two sizes": ({"x_test": np.zeros((N_TEST, 28, 32), np.uint8)}, "28×28 pixels but the test"),
    "pickled": ({"y_train": np.array([None] * N_TRAIN)}, "pickled objects"),
}


@pytest.mark.parametrize(("changes", "reason"), BAD_ARRAYS.values(), ids=BAD_ARRAYS)
def test_bad_arrays(tmp_path, changes, reason):
    path = write_npz(tmp_path / "bad.npz", **changes)
    message = refusal(path)
    assert message.startswith(f"{path}: ")
    assert reason in message


@pytest.mark.parametrize("side", [(3, 28), (28, 129), (2, 2), (1, 1), (5, 1), (200, 200, 3)])
def test_sizes_that_are_refused(tmp_path, side):
    message = refusal(write_npz(tmp_path / "bad.npz", **small(side)))
    assert f"{side[0]}×{side[1]}" in message
    assert "each side must have 4 to 128" in message


def test_bad_content_of_a_folder(tmp_path):
    folder = write_idx(tmp_path / "bad", y_train=np.zeros(3, np.uint8))
    assert f"{folder}: x_train holds 12 images but y_train 3 labels" in refusal(folder)


# Files that are refused


def test_unknown_names_and_missing_paths(tmp_path):
    for spec in ("minst", "", str(tmp_path / "no.npz"), "two\nlines", "a\0b", "x" * 5000):
        assert "accepted are mnist, fashion_mnist" in refusal(spec)


@pytest.mark.parametrize("name", ["kmnist", "SVHN"])
def test_names_that_are_not_offered(name):
    assert ".npz file" in refusal(name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_neither_file_nor_folder(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    assert "neither a file nor a folder" in refusal(tmp_path / "pipe.npz")


@pytest.mark.parametrize("kind", ["npz", "folder"])
def test_unreadable_file(tmp_path, monkeypatch, kind):
    """Permissions do not stop root, so the refusal to open is played."""
    good = write_npz(tmp_path / "a.npz") if kind == "npz" else write_idx(tmp_path / "a")

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(zipfile, "ZipFile", refuse)
    monkeypatch.setattr(Path, "open", refuse)
    assert "cannot be read (Permission denied)" in refusal(good)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 not really"])
def test_not_a_zip(tmp_path, content):
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    assert "not an .npz file" in refusal(path)


def test_member_that_is_no_array(tmp_path):
    path = write_npz(tmp_path / "bad.npz", x_test=None)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x_test.npy", "no array at all")
    assert "x_test cannot be read" in refusal(path)


def test_pickle_is_not_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    refusal(write_npz(tmp_path / "bad.npz", x_train=np.array([Trap()])))
    assert not (tmp_path / "sprung").exists()


def test_truncated_npz(tmp_path):
    good = write_npz(tmp_path / "a.npz").read_bytes()
    path = tmp_path / "bad.npz"
    for size in (10, len(good) // 2, len(good) - 1):
        path.write_bytes(good[:size])
        assert "not an .npz file, or a damaged one" in refusal(path)


def test_npz_damaged_anywhere_never_crashes(tmp_path):
    """A flipped byte is refused in one line, or it does not matter to the arrays."""
    good = write_npz(tmp_path / "a.npz", **small((8, 8))).read_bytes()
    path, rng, refused = tmp_path / "bad.npz", np.random.default_rng(1), 0
    for position in rng.choice(len(good), 200, replace=False):
        bad = bytearray(good)
        bad[position] ^= int(rng.integers(1, 256))
        path.write_bytes(bad)
        try:
            dataset = load_dataset(str(path))
        except DataError as error:
            assert "\n" not in str(error)
            refused += 1
        else:
            for key, array in small((8, 8)).items():
                np.testing.assert_array_equal(getattr(dataset, key), array)
    assert refused > 100


def test_more_data_than_a_header_states(tmp_path):
    path = write_npz(tmp_path / "bad.npz", x_test=None)
    np.save(tmp_path / "x.npy", small()["x_test"])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x_test.npy", (tmp_path / "x.npy").read_bytes() + b"surplus")
    assert "its header states the shape" in refusal(path)


def test_array_that_states_more_than_memory(tmp_path):
    path = write_npz(tmp_path / "bad.npz", x_test=None)
    with (tmp_path / "x.npy").open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (10**6, 28, 28)}
        np.lib.format.write_array_header_1_0(file, header)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x_test.npy", (tmp_path / "x.npy").read_bytes())
    assert "its header states the shape" in refusal(path)


def test_zip_bomb_is_not_unpacked(tmp_path, monkeypatch):
    """The directory's stated size decides: here it is raised to 4.29 GB."""
    path = write_npz(tmp_path / "bomb.npz")
    bomb = bytearray(path.read_bytes())
    entry = bomb.rfind(b"PK\x01\x02", 0, bomb.rfind(b"x_train.npy"))
    bomb[entry + 24 : entry + 28] = struct.pack("<I", 2**32 - 2)
    path.write_bytes(bomb)
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("unpacked"))
    assert "GB when unpacked; at most 1 GB" in refusal(path)


def test_the_sizes_of_all_arrays_count(tmp_path, monkeypatch):
    path = write_npz(tmp_path / "a.npz")
    monkeypatch.setattr(array_file, "MAX_BYTES", small()["x_train"].nbytes + 1000)
    assert "when unpacked" in refusal(path)


def test_folder_without_the_files(tmp_path):
    assert "IDX" in refusal(tmp_path)


def test_folder_without_labels(tmp_path):
    message = refusal(write_idx(tmp_path / "a", y_train=None))
    assert "train-labels-idx1-ubyte missing" in message
    assert "t10k" not in message


def test_folder_with_truncated_gzip(tmp_path):
    folder = write_idx(tmp_path / "a", zipped=True)
    file = folder / "train-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-100])
    message = refusal(folder)
    assert file.name in message
    assert "truncated" in message


# Keras's data sets; the network is played


def play(monkeypatch, load_data):
    import keras

    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", load_data)


@pytest.mark.parametrize("name", ["fashion_mnist", "Fashion-MNIST"])
def test_fashion_mnist(monkeypatch, name):
    arrays = small()
    play(
        monkeypatch,
        lambda: ((arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])),
    )
    dataset = load_dataset(name)
    assert dataset.name == "fashion_mnist"
    assert len(dataset.sha256) == 64
    np.testing.assert_array_equal(dataset.x_train, arrays["x_train"])


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Exception("URL fetch failure on\nhttps://x: None"), "check the network"),
        (TimeoutError(), "cannot be downloaded (TimeoutError); check the network"),
        (EOFError("ended before the end-of-stream marker"), "damaged; delete"),
        (ValueError("cannot reshape array"), "damaged; delete"),
    ],
)
def test_fashion_mnist_without_network(monkeypatch, error, reason):
    before = socket.getdefaulttimeout()

    def fail():
        assert socket.getdefaulttimeout() is not None
        raise error

    play(monkeypatch, fail)
    assert reason in refusal("fashion_mnist")
    assert socket.getdefaulttimeout() == before
