"""A function of batches as few calls to the device: codes and reconstructions of whole data sets.

Images go to TensorFlow in chunks of whole batches, through one buffer that begins where TensorFlow
may read without a copy of its own. A chunk is small enough to stay in the cache, and large enough
that the calls do not count; its batches have nothing to wait for in each other, so that as many are
computed at a time as the caller has threads.
"""

import functools

import numpy as np

CHUNK_BYTES = 8 * 2**20
# TensorFlow takes memory as it is if it begins at a multiple of this (EIGEN_MAX_ALIGN_BYTES)
ALIGNMENT = 64


def in_one_call(step, shape, dtype):
    """A function ``(array (n, *shape), batch size) -> array`` that applies ``step`` in batches.

    What fits into one batch is one call without a loop. Nothing is compiled by XLA: for most
    models that takes longer than all later calls together.

    Parameters
    ----------
    step : tensor ``(batch, *shape)`` → tensor ``(batch, ...)``.
    """
    import tensorflow as tf

    images = tf.TensorSpec((None, *shape), dtype)

    @tf.function(input_signature=[images], autograph=False)
    def whole(x):
        return step(x)

    @tf.function(input_signature=[images, tf.TensorSpec((), tf.int32)], autograph=False)
    def looped(x, size):
        n = tf.shape(x)[0]
        parts = tf.TensorArray(step_dtype, (n + size - 1) // size, infer_shape=False)

        def body(i, parts):
            return i + 1, parts.write(i, step(x[i * size : (i + 1) * size]))

        _, parts = tf.while_loop(lambda i, _: i * size < n, body, (0, parts))
        return parts.concat()

    # The concrete functions spare each call the search for the right trace
    whole = whole.get_concrete_function()
    step_dtype = whole.outputs[0].dtype
    loop = functools.cache(lambda: looped.get_concrete_function())

    def call(x, batch_size):
        if len(x) <= batch_size:
            return whole(tf.constant(x)).numpy()
        found, size = None, tf.constant(batch_size, tf.int32)
        for start, chunk in chunks(x, batch_size):
            part = loop()(tf.experimental.dlpack.from_dlpack(chunk.__dlpack__()), size).numpy()
            if found is None:
                found = np.empty((len(x), *part.shape[1:]), part.dtype)
            found[start : start + len(part)] = part
        return found

    return call


def chunks(x, batch_size):
    """``(start, copy of the images from there)`` by whole batches; each is valid until the next.

    All copies lie at the same `ALIGNMENT`-ed place.
    """
    per_batch = max(1, batch_size * x[:1].nbytes)
    size = min(len(x), batch_size * max(1, CHUNK_BYTES // per_batch))
    buffer = aligned((size, *x.shape[1:]), x.dtype)
    for start in range(0, len(x), size):
        chunk = buffer[: len(x) - start]
        np.copyto(chunk, x[start : start + size])
        yield start, chunk


def aligned(shape, dtype):
    """An array without values that begins at a multiple of `ALIGNMENT` bytes."""
    n_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.empty(n_bytes + ALIGNMENT, np.uint8)
    first = -raw.ctypes.data % ALIGNMENT
    return raw[first : first + n_bytes].view(dtype).reshape(shape)
