"""What the machine can do: matrix products and copies, at the time when the contenders run.

A product of big matrices is the limit of arithmetic. A dense network multiplies by batches, which
are thin matrices: its products alone, with nothing between them, are a yardstick of its own.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.lib.stride_tricks import as_strided

TRIES = 3
STEPS = 20


def measure(size, copied, shapes, batch_size, threads, turn):
    """Measure whenever it is this worker's turn, and return the best.

    Parameters
    ----------
    size : side of the float32 matrices that are multiplied.
    copied : float32 numbers in the array that is copied: as many as a batch has.
    shapes : the kernels' shapes of dense networks, by network.
    batch_size : images a step of those networks.

    Returns
    -------
    dict of ``numpy_gflops``, ``tensorflow_gflops``, ``copy_gb_per_second`` (read and written) and
    ``step_seconds``: by network, the products of one step.
    """
    import tensorflow as tf

    a, b = np.random.default_rng(0).random((2, size, size), np.float32)
    t, u = tf.constant(a), tf.constant(b)
    multiplications = {
        "numpy_gflops": lambda: a @ b,
        "tensorflow_gflops": lambda: tf.linalg.matmul(t, u).numpy(),
    }
    steps = {name: step_products(kernels, batch_size) for name, kernels in shapes.items()}
    best = dict.fromkeys([*multiplications, "copy_gb_per_second"], 0.0)
    seconds = dict.fromkeys(steps, float("inf"))
    while turn():
        for name, product in multiplications.items():
            gflops = 2 * size**3 / _fastest(product) / 1e9
            best[name] = max(best[name], gflops)
        best["copy_gb_per_second"] = max(best["copy_gb_per_second"], copy_speed(copied, threads))
        for name, of_step in steps.items():
            taken = _fastest(partial(multiply, of_step, STEPS)) / STEPS
            seconds[name] = min(seconds[name], taken)
    return {**best, "step_seconds": seconds}


def step_products(shapes, batch_size):
    """The matrix products of one step of a dense network: ``[(a, b, place of a @ b)]``.

    Forward, the gradients of the kernels and, but for the first layer, those of its inputs.

    Parameters
    ----------
    shapes : the kernels' shapes ``(inputs, units)``, in the order of the layers.
    batch_size : images a step.
    """
    rng = np.random.default_rng(0)
    products = []
    for depth, (inputs, units) in enumerate(shapes):
        h = rng.random((batch_size, inputs), np.float32)
        gradient = rng.random((batch_size, units), np.float32)
        kernel = rng.random((inputs, units), np.float32)
        products += [(h, kernel), (h.T, gradient)]
        if depth:
            products.append((gradient, kernel.T))
    return [(a, b, np.empty((len(a), b.shape[1]), np.float32)) for a, b in products]


def multiply(products, steps):
    """Compute ``products`` one after the other, ``steps`` times over."""
    for _ in range(steps):
        for a, b, place in products:
            np.matmul(a, b, out=place)


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
