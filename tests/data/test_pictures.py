"""Every file that a user may give becomes images by the one rule, or an error of one line."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from Code.data import pictures
from Code.data.pictures import (
    PICTURE_SUFFIXES,
    is_colour,
    load_images,
    picture_size,
    pictures_in,
    read_picture,
    save_images,
)
from Code.foundation.errors import UserError
from tests.support import examples

SHAPE = (28, 28)


@pytest.fixture(scope="module")
def bytes_of(mnist):
    return mnist.x_test[:40]


@pytest.fixture(scope="module")
def digit(bytes_of):
    return bytes_of[0]


def refusal(*arguments, **how):
    with pytest.raises(UserError) as caught:
        load_images(*arguments, **how)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def written(path, array, **how):
    Image.fromarray(array).save(path, **how)
    return path


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def vast_png(width, height):
    """A PNG of a few bytes that states a size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(10_000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body


# Pictures ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".bmp", ".Bmp", ".tif", ".gif"])
def test_formats_without_loss_give_the_same(tmp_path, digit, suffix):
    path = written(tmp_path / f"a{suffix}", digit)
    assert np.array_equal(load_images(path, SHAPE)[0], digit / np.float32(255))


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".webp"])
def test_formats_with_loss_give_about_the_same(tmp_path, digit, suffix):
    path = written(tmp_path / f"a{suffix}", digit, quality=90)
    assert np.abs(load_images(path, SHAPE)[0] - digit / np.float32(255)).mean() < 0.02


def test_the_content_decides_the_format(tmp_path, digit):
    path = written(tmp_path / "a.png", digit, format="BMP")
    assert np.array_equal(load_images(path, SHAPE)[0], digit / np.float32(255))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P", "1", "I;16"])
def test_kinds_of_pixels_mean_the_same(tmp_path, digit, mode):
    bits = 255 * (digit > 127).astype(np.uint8)
    wanted = bits if mode == "1" else digit
    if mode == "I;16":
        picture = Image.fromarray(digit.astype(np.uint16) * 257)
    else:
        picture = Image.fromarray(wanted).convert(mode)
    picture.save(tmp_path / "a.png")
    assert np.array_equal(load_images(tmp_path / "a.png", SHAPE)[0], wanted / np.float32(255))
    assert np.array_equal(read_picture(tmp_path / "a.png"), wanted)
    assert np.array_equal(read_picture(tmp_path / "a.png", True), np.dstack([wanted] * 3))
    assert not is_colour(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("held", range(1, 9))
def test_photographs_stand_upright(tmp_path, suffix, held):
    picture = Image.new("L", (48, 32))
    picture.paste(255, (0, 0, 24, 16))  # its upper left quarter
    exif = Image.Exif()
    exif[0x0112] = held
    picture.save(tmp_path / f"a{suffix}", exif=exif)
    pixels = read_picture(tmp_path / f"a{suffix}")
    assert picture_size(tmp_path / f"a{suffix}") == pixels.shape
    assert pixels.shape == ((32, 48) if held < 5 else (48, 32))
    # Where EXIF says that the stored upper left corner belongs
    corner = {
        1: (0, 0),
        2: (0, 1),
        3: (1, 1),
        4: (1, 0),
        5: (0, 0),
        6: (0, 1),
        7: (1, 1),
        8: (1, 0),
    }
    y, x = corner[held]
    assert pixels[-y, -x] > 200 and pixels[y - 1, x - 1] < 50


def test_damaged_exif_data_are_passed_over(tmp_path, digit):
    Image.fromarray(digit).save(
        tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + bytes(9)
    )
    assert load_images(tmp_path / "a.jpg", SHAPE).shape == (1, 28, 28)


def test_transparent_parts_lie_over_black(tmp_path, digit):
    alpha = np.full(SHAPE, 255, np.uint8)
    alpha[5:9] = 0
    path = tmp_path / "a.png"
    Image.fromarray(np.dstack([digit, alpha]), "LA").save(path)
    assert np.array_equal(read_picture(path), np.where(alpha, digit, 0))
    assert np.array_equal(read_picture(path, True), np.dstack([np.where(alpha, digit, 0)] * 3))
    assert "Code.use fill" in refusal(path, SHAPE)
    assert np.isnan(load_images(path, SHAPE, missing=True)).sum() == 4 * 28
    assert np.isnan(load_images(path, (28, 28, 3), missing=True)).sum() == 4 * 28 * 3


def test_colours(tmp_path, digit):
    red = np.dstack([digit, digit // 2, 0 * digit])
    path = written(tmp_path / "a.png", red)
    assert is_colour(path)
    assert np.array_equal(load_images(path, (28, 28, 3))[0], red / np.float32(255))
    assert load_images(path, SHAPE).shape == (1, 28, 28)
    grey = load_images(written(tmp_path / "b.png", digit), (28, 28, 3))[0]
    assert np.array_equal(grey, np.dstack([digit / np.float32(255)] * 3))


def test_colours_come_back_as_they_were_saved(tmp_path):
    x = np.random.default_rng(0).random((20, 6, 4, 3)).astype(np.float32)
    save_images(tmp_path / "a.npz", x)
    assert np.array_equal(load_images(tmp_path / "a.npz", (6, 4, 3)), x)
    save_images(tmp_path / "a.png", x)
    sheet = load_images(tmp_path / "a.png", colour=True)[0]
    assert sheet.shape == (12, 64, 3)
    assert np.allclose(sheet[6:, 4:8], x[17], atol=1 / 255)


def test_of_an_animation_the_first_frame_is_taken_and_said(tmp_path, bytes_of):
    first, *rest = (Image.fromarray(x) for x in bytes_of[:3])
    first.save(tmp_path / "a.gif", save_all=True, append_images=rest)
    said = []
    x = load_images(tmp_path / "a.gif", SHAPE, say=said.append)
    assert np.allclose(x, bytes_of[:1] / np.float32(255), atol=0.01)
    assert len(said) == 1 and "first of 3 frames" in said[0]


# Several files, and folders ---------------------------------------------------------------------


def test_a_folder_is_read_in_natural_order_and_says_what_it_leaves_out(tmp_path, bytes_of):
    names = ["2.png", "10.PNG", "1.bmp", "a1.jpg"]
    for name, x in zip(names, bytes_of[:4], strict=True):
        written(tmp_path / name, x)
    for name in ("notes.txt", ".hidden.png", "more.npy"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "sub.png").mkdir()
    assert [p.name for p in pictures_in(tmp_path)] == ["1.bmp", "2.png", "10.PNG", "a1.jpg"]
    said = []
    x = load_images(tmp_path, SHAPE, say=said.append)
    assert np.array_equal(x[:3], bytes_of[[2, 0, 1]] / np.float32(255))
    (line,) = said
    assert "4 pictures, 4 ignored (.hidden.png, more.npy, notes.txt, sub.png)" in line


def test_several_files_are_one_array_in_their_order(tmp_path, bytes_of):
    np.save(tmp_path / "a.npy", bytes_of[1:3])
    paths = [written(tmp_path / "b.png", bytes_of[0]), tmp_path / "a.npy"]
    assert np.array_equal(load_images(paths, SHAPE), bytes_of[:3] / np.float32(255))


def test_without_a_shape_all_have_the_first_one_s(tmp_path, digit):
    paths = [written(tmp_path / "a.png", digit), written(tmp_path / "b.png", digit[4:])]
    said = refusal(paths)
    assert "b.png: 24×28 pixels" in said and "a.png has 28×28" in said


def test_empty_folders_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    assert "without pictures" in refusal(tmp_path) and "notes.txt" in refusal(tmp_path)
    assert "no file is given" in refusal([])


# Arrays -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "of",
    [
        lambda x: x,
        lambda x: x.astype(np.float64) / 255,
        lambda x: x.astype(">u2") * 257,
        lambda x: x.astype(np.int64),
        lambda x: x[..., None],
        lambda x: x.reshape(40, -1),
        lambda x: np.asfortranarray(x),
        lambda x: np.stack([x] * 3, axis=-1),
    ],
    ids=["uint8", "float64", "big-endian uint16", "int64", "channel", "rows", "Fortran", "colours"],
)
@pytest.mark.parametrize("name", ["a.npy", "a.NPZ"])
def test_arrays_are_taken_by_the_rule(tmp_path, bytes_of, of, name):
    with (tmp_path / name).open("wb") as file:
        np.save(file, of(bytes_of)) if name == "a.npy" else np.savez(file, of(bytes_of))
    x = load_images(tmp_path / name, SHAPE)
    assert x.dtype == np.float32
    assert np.allclose(x, bytes_of / np.float32(255), atol=1e-6)


def test_a_single_image_and_bits(tmp_path, bytes_of):
    np.save(tmp_path / "one.npy", bytes_of[0])
    assert load_images(tmp_path / "one.npy", SHAPE).shape == (1, 28, 28)
    np.save(tmp_path / "bits.npy", bytes_of > 127)
    assert np.array_equal(load_images(tmp_path / "bits.npy", SHAPE), bytes_of > 127)
    np.save(tmp_path / "colours.npy", np.zeros((28, 28, 3), np.uint8))
    assert load_images(tmp_path / "colours.npy", (28, 28, 3)).shape == (1, 28, 28, 3)


@pytest.mark.parametrize(
    ("array", "line"),
    [
        (np.full((2, 28, 28), 200.0), "floats must lie between 0 and 1"),
        (np.full((2, 28, 28), 300), "integers from 300 to 300"),
        (np.zeros((2, 28, 28), int), "0 and 1 only"),
        (np.full((2, 28, 28), np.inf), "NaN or infinite"),
        (np.full((2, 28, 28), np.nan), "Code.use fill"),
        (np.zeros((2, 28, 28), complex), "numbers are needed"),
        (np.array([["a"]]), "numbers are needed"),
        (np.array([None]), "pickled objects, which are never loaded"),
        (np.zeros((0, 28, 28)), "there are none"),
        (np.zeros(5), "images are (n, height, width)"),
        (np.zeros((2, 2, 28, 28)), "images are (n, height, width)"),
        (np.zeros((2, 28, 27)), "28×27 pixels, but the model takes 28×28; --fit"),
    ],
    ids=str,
)
def test_arrays_against_the_rule_are_refused(tmp_path, array, line):
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    assert line in refusal(tmp_path / "a.npy", SHAPE)
    np.savez_compressed(tmp_path / "a.npz", array)
    assert line in refusal(tmp_path / "a.npz", SHAPE)


def test_known_pixels_keep_the_rule_where_others_are_missing(tmp_path):
    x = np.full((1, 28, 28), 2.0)
    x[0, 0] = np.nan
    np.save(tmp_path / "a.npy", x)
    assert "between 0 and 2" in refusal(tmp_path / "a.npy", SHAPE, missing=True)


# Sizes and grounds ------------------------------------------------------------------------------


def test_another_size_is_said_or_fitted(tmp_path, digit):
    large = np.asarray(Image.fromarray(digit).resize((200, 180)))
    for path in (written(tmp_path / "a.png", 255 - large), tmp_path / "a.npy"):
        np.save(tmp_path / "a.npy", 255 - large)
        assert "180×200 pixels, but the model takes 28×28; --fit" in refusal(path, SHAPE)
        x = load_images(path, SHAPE, invert=True, fit=True)[0]
        assert np.corrcoef(x.ravel(), digit.ravel())[0, 1] > 0.85
        assert load_images(path, (28, 28, 3), fit=True).shape == (1, 28, 28, 3)
    with pytest.raises(ValueError, match="shape"):
        load_images(path, fit=True)


def test_what_is_blank_or_has_holes_is_said_where_it_is_fitted(tmp_path):
    said = []
    path = written(tmp_path / "a.png", np.full((60, 60), 20, np.uint8))
    assert not load_images(path, SHAPE, fit=True, say=said.append).any()
    assert "no ink was found" in said[0]
    np.save(tmp_path / "a.npy", np.full((1, 60, 60), np.nan))
    assert "--fit" in refusal(tmp_path / "a.npy", SHAPE, missing=True, fit=True)


def test_a_bright_ground_suggests_invert(tmp_path, bytes_of):
    def said(x, shape=SHAPE, **how):
        lines = []
        np.save(tmp_path / "a.npy", x)
        load_images(tmp_path / "a.npy", shape, say=lines.append, **how)
        return lines

    assert not said(bytes_of)
    (line,) = said(255 - bytes_of)
    assert "--invert" in line
    # Grey paper in dim light, bright for its ink
    assert said(100 - bytes_of // 3)
    for how in ({"invert": True}, {"dark_ground": False}, {"shape": (28, 28, 3)}):
        assert not said(255 - bytes_of, **how)
    mixed = np.concatenate([bytes_of[:20], 255 - bytes_of[:9]])
    assert not said(mixed)


# Before memory is taken -------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(10_000, 10_001), (60_000, 60_000), (2**31 - 1, 2**31 - 1)])
def test_a_vast_picture_is_refused_by_its_header(tmp_path, size):
    (tmp_path / "a.png").write_bytes(vast_png(*size))
    said = refusal(tmp_path / "a.png", SHAPE, fit=True)
    assert "a.png" in said and "64 million pixels" in said


def header_of(shape, dtype="<f4"):
    held = io.BytesIO()
    described = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(held, described)
    return held.getvalue()


@pytest.mark.parametrize("shape", [(10**6, 28, 28), (-5, 28, 28), (2**62, 2**62)])
def test_a_vast_array_is_refused_by_its_header(tmp_path, shape):
    (tmp_path / "a.npy").write_bytes(header_of(shape))
    assert "a.npy" in refusal(tmp_path / "a.npy", SHAPE)


def test_what_comes_to_more_than_a_gigabyte_is_refused(tmp_path):
    with (tmp_path / "a.npy").open("wb") as file:
        file.write(header_of((400_000, 28, 28), "|u1"))
        file.truncate(file.tell() + 400_000 * 784)  # a hole in the file, no bytes
    assert "more than 1 GB" in refusal(tmp_path / "a.npy", SHAPE)


def test_a_bomb_of_an_archive_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "MAX_BYTES", 4 * 10**6)
    np.savez_compressed(tmp_path / "a.npz", images=np.zeros((2000, 28, 28), np.uint8))
    assert (tmp_path / "a.npz").stat().st_size < 10**4
    assert "GB of images" in refusal(tmp_path / "a.npz", SHAPE)


def test_an_archive_that_states_less_than_it_holds_is_refused(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", images=np.zeros((10**6 // 784, 28, 28), np.uint8))
    data = bytearray((tmp_path / "a.npz").read_bytes())
    place = data.rfind(struct.pack("<I", 1275 * 784 + 128))  # in the directory
    data[place : place + 4] = struct.pack("<I", 5000)
    (tmp_path / "a.npz").write_bytes(data)
    assert "a.npz: cannot be read" in refusal(tmp_path / "a.npz", SHAPE)


def test_a_folder_of_more_than_a_gigabyte_is_refused(tmp_path, digit, monkeypatch):
    monkeypatch.setattr(pictures, "MAX_BYTES", 3 * 4 * 784)
    for i in range(3):
        written(tmp_path / f"{i}.png", digit)
    assert load_images(tmp_path, SHAPE).shape == (3, 28, 28)
    written(tmp_path / "3.png", digit)
    assert "give fewer at once" in refusal(tmp_path, SHAPE)


# Any bytes --------------------------------------------------------------------------------------


def images_by_the_rule(path, wanted):
    shape, fit, missing = wanted
    x = load_images(path, shape, missing=missing, fit=fit)
    assert x.dtype == np.float32 and len(x)
    assert shape is None or x.shape[1:] == shape
    assert not (x < 0).any() and not (x > 1).any()
    assert missing or not np.isnan(x).any()


def a_picture(path, colour):
    pixels = read_picture(path, colour)
    assert pixels.dtype == np.uint8
    assert pixels.shape == picture_size(path) + (3,) * colour
    assert is_colour(path) in (True, False)


def obeys(path, read, how):
    """A result as it should be, or an error in one line that names the file."""
    try:
        read(path, how)
    except UserError as error:
        assert path.name in str(error) and "\n" not in str(error)


WANTED = st.sampled_from(
    [
        *(((shape, fit, True)) for shape in (SHAPE, (28, 28, 3)) for fit in (False, True)),
        (SHAPE, False, False),
        (None, False, True),
    ]
)


def fuzzed(n, few):
    return settings(
        max_examples=examples(n, few),
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@pytest.fixture(scope="module")
def valid(mnist):
    """The bytes of a valid file of every kind."""
    picture, found = Image.fromarray(mnist.x_test[0][4:24, 4:24]), {}
    for suffix in PICTURE_SUFFIXES:
        held = io.BytesIO()
        picture.save(held, format=Image.registered_extensions()[suffix])
        found[suffix] = held.getvalue()
    for suffix, save in ((".npy", np.save), (".npz", np.savez_compressed)):
        held = io.BytesIO()
        save(held, mnist.x_test[:2])
        found[suffix] = held.getvalue()
    return found


SUFFIXES = st.sampled_from([*PICTURE_SUFFIXES, ".npy", ".npz"])


@fuzzed(5000, few=200)
@given(
    data=st.binary(max_size=200),
    suffix=SUFFIXES,
    start=st.integers(0, 12),
    wanted=WANTED,
    colour=st.booleans(),
)
def test_random_bytes(tmp_path, valid, data, suffix, start, wanted, colour):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(valid[suffix][:start] + data)
    obeys(path, images_by_the_rule, wanted)
    obeys(path, a_picture, colour)


@fuzzed(10_000, few=300)
@given(
    suffix=SUFFIXES,
    cut=st.floats(0, 1),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=4),
    wanted=WANTED,
    colour=st.booleans(),
)
def test_mutated_files(tmp_path, valid, suffix, cut, changes, wanted, colour):
    data = bytearray(valid[suffix])
    for place, value in changes:
        data[int(place * (len(data) - 1))] = value
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data[: round(cut * len(data))] if cut < 0.5 else data)
    obeys(path, images_by_the_rule, wanted)
    obeys(path, a_picture, colour)


@fuzzed(4000, few=150)
@given(
    shape=st.lists(st.sampled_from([0, 1, 2, 3, 27, 28, 784]), max_size=4),
    dtype=st.sampled_from(["?", "u1", "i1", ">u2", "<i8", "<f2", ">f4", "<f8", "<c8", "<U2", "O"]),
    value=st.sampled_from([0, 1, 0.5, 2, 200, -1, 70_000, np.nan, np.inf]),
    suffix=st.sampled_from([".npy", ".npz"]),
    wanted=WANTED,
)
def test_arrays_of_any_shape_and_dtype(tmp_path, shape, dtype, value, suffix, wanted):
    if np.prod(shape, dtype=float) > 10_000:
        shape = [3, *shape[1:3]]
    with np.errstate(all="ignore"):
        array = np.full(shape, "a" if dtype == "<U2" else np.array(value).astype(dtype))
    path = tmp_path / f"a{suffix}"
    with path.open("wb") as file:
        (np.save if suffix == ".npy" else np.savez)(file, array)
    obeys(path, images_by_the_rule, wanted)


@pytest.mark.parametrize("shape", [(784,), (1, 784), (1, 784, 1), (784, 1), (1, 28, 28, 1)])
def test_flat_images_take_the_shape_of_the_model(shape, tmp_path, mnist):
    np.save(tmp_path / "a.npy", mnist.x_test[:1].reshape(shape))
    if shape == (784, 1):  # 784 images of one pixel, or one of 784
        with pytest.raises(UserError, match="784×1"):
            load_images(tmp_path / "a.npy", (28, 28))
        return
    found = load_images(tmp_path / "a.npy", (28, 28))
    np.testing.assert_array_equal(found, mnist.x_test[:1] / np.float32(255))


def test_channels_that_stand_first_are_told(tmp_path, mnist):
    np.save(tmp_path / "a.npy", mnist.x_test[:2, None])
    with pytest.raises(UserError, match=r"np\.moveaxis\(x, 1, -1\)"):
        load_images(tmp_path / "a.npy", (28, 28))


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (lambda x: (x > 127).astype(np.uint8), True),
        (lambda x: x.astype(np.uint16), True),
        (lambda x: x, False),
        (np.zeros_like, False),
    ],
)
def test_images_that_are_nowhere_bright_are_told(kind, told, tmp_path, mnist):
    said = []
    np.save(tmp_path / "a.npy", kind(mnist.x_test[:2]))
    load_images(tmp_path / "a.npy", (28, 28), say=said.append)
    assert any("brightest pixel" in line for line in said) == told
