"""Codes of whole data sets in few calls: what they are, whatever the chunks and the batches."""

import numpy as np
import pytest

from Code.parts import one_call
from Code.parts.one_call import ALIGNMENT, aligned, chunks, in_one_call

SHAPE = (6, 5)


def images(n, dtype):
    rng = np.random.default_rng(n)
    values = rng.integers(0, 256, (n, *SHAPE))
    return values.astype(np.uint8) if dtype == "uint8" else (values / 255).astype(np.float32)


@pytest.fixture(params=[1, 2_000, 2**23])
def chunk_bytes(request, monkeypatch):
    monkeypatch.setattr(one_call, "CHUNK_BYTES", request.param)


@pytest.mark.usefixtures("chunk_bytes")
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("n, batch_size", [(0, 4), (3, 4), (8, 4), (101, 7), (200, 1)])
def test_every_image_is_there_once_and_in_its_place(dtype, n, batch_size):
    """A step that gives its input back would show a buffer that is written over too early."""
    x = images(n, dtype)
    before = x.copy()
    found = in_one_call(lambda part: part, SHAPE, dtype)(x, batch_size)
    assert found.dtype == dtype and np.array_equal(found, x) and np.array_equal(x, before)


@pytest.mark.usefixtures("chunk_bytes")
def test_a_step_sees_batches_of_the_size_that_was_given():
    import tensorflow as tf

    def sizes(part):
        return tf.repeat(tf.shape(part)[:1], tf.shape(part)[0])

    found = in_one_call(sizes, SHAPE, "float32")(images(23, "float32"), 5)
    assert found.tolist() == [5] * 20 + [3] * 3


def test_two_calls_do_not_share_what_they_found():
    call = in_one_call(lambda part: part, SHAPE, "float32")
    one, other = images(30, "float32"), images(31, "float32")
    first = call(one, 4)
    call(other, 4)
    assert np.array_equal(first, one)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_chunk_begins_where_tensorflow_needs_no_copy(dtype):
    for start, chunk in chunks(images(50, dtype)[1:], 8):
        assert chunk.ctypes.data % ALIGNMENT == 0 and start % 8 == 0
    assert aligned((0, 3), dtype).shape == (0, 3)


def test_images_of_any_memory_order_are_taken():
    x = np.asfortranarray(images(40, "float32"))[::-1]
    assert np.array_equal(in_one_call(lambda part: part, SHAPE, "float32")(x, 6), x)
