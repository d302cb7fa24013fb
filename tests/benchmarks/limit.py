"""What the machine can do: matrix products and copies, at the time when the contenders run."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.lib.stride_tricks import as_strided

TRIES = 3


def measure(size, copied, threads, turn):
    """Measure whenever it is this worker's turn, and return the best.

    Parameters
    ----------
    size : side of the float32 matrices that are multiplied.
    copied : float32 numbers in the array that is copied: as many as a batch has.

    Returns
    -------
    dict of ``numpy_gflops``, ``tensorflow_gflops`` and ``copy_gb_per_second`` (read and written).
    """
    import tensorflow as tf

    a, b = np.random.default_rng(0).random((2, size, size), np.float32)
    t, u = tf.constant(a), tf.constant(b)
    products = {
        "numpy_gflops": lambda: a @ b,
        "tensorflow_gflops": lambda: tf.linalg.matmul(t, u).numpy(),
    }
    best = dict.fromkeys([*products, "copy_gb_per_second"], 0.0)
    while turn():
        for name, multiply in products.items():
            gflops = 2 * size**3 / _fastest(multiply) / 1e9
            best[name] = max(best[name], gflops)
        best["copy_gb_per_second"] = max(best["copy_gb_per_second"], copy_speed(copied, threads))
    return best


def copy_speed(n_floats, threads, repeats=2000):
    """GB a second, read and written, of copying an array of ``n_floats`` over and over."""

    def repeated():
        # A stride of 0 copies the same array again and again without coming back to Python.
        def again(array):
            return as_strided(array, (repeats, n_floats), (0, array.itemsize))

        source, target = np.ones(n_floats, np.float32), np.empty(n_floats, np.float32)
        return again(source), again(target)

    pairs = [repeated() for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        seconds = _fastest(lambda: list(pool.map(lambda pair: np.copyto(pair[1], pair[0]), pairs)))
    return 2 * 4 * n_floats * repeats * threads / seconds / 1e9


def _fastest(work):
    work()
    seconds = []
    for _ in range(TRIES):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)
