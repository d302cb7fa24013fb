"""The statistics of each corruption, and whose noise is fresh."""

import math

import keras
import numpy as np
import pytest

from Code.data.corruption import CORRUPTIONS, gaussian, masking, salt_and_pepper

SHAPE = (200, 784)  # 156,800 draws: a share is known to about 0.001 (one standard error)
TOLERANCE = 0.006


def grey(value=0.5) -> np.ndarray:
    return np.full(SHAPE, value, np.float32)


def test_gaussian_statistics():
    noise = np.asarray(gaussian(grey(), 0.1, seed=1)) - 0.5  # 5 σ from either bound
    assert noise.mean() == pytest.approx(0, abs=0.002)
    assert noise.std() == pytest.approx(0.1, abs=0.002)
    assert (np.abs(noise) < 0.1).mean() == pytest.approx(math.erf(1 / math.sqrt(2)), abs=TOLERANCE)


def test_gaussian_is_clipped():
    noisy = np.asarray(gaussian(grey(0), 0.5, seed=1))
    assert noisy.min() == 0
    assert noisy.max() == 1
    assert (noisy == 0).mean() == pytest.approx(0.5, abs=TOLERANCE)
    above_two_sigma = (1 - math.erf(2 / math.sqrt(2))) / 2
    assert (noisy == 1).mean() == pytest.approx(above_two_sigma, abs=TOLERANCE)


@pytest.mark.parametrize("level", [0.1, 0.25, 0.75])
def test_masking_statistics(level):
    x = np.random.default_rng(0).uniform(0.1, 1, SHAPE).astype(np.float32)
    masked = np.asarray(masking(x, level, seed=1))
    gone = masked == 0
    assert gone.mean() == pytest.approx(level, abs=TOLERANCE)
    np.testing.assert_array_equal(masked[~gone], x[~gone])


@pytest.mark.parametrize("level", [0.1, 0.25, 0.75])
def test_salt_and_pepper_statistics(level):
    noisy = np.asarray(salt_and_pepper(grey(), level, seed=1))
    assert (noisy == 0).mean() == pytest.approx(level / 2, abs=TOLERANCE)
    assert (noisy == 1).mean() == pytest.approx(level / 2, abs=TOLERANCE)
    assert set(np.unique(noisy)) == {0, 0.5, 1}


@pytest.mark.parametrize("corrupt", [masking, salt_and_pepper])
def test_inputs_are_hit_independently(corrupt):
    hit = np.asarray(corrupt(grey(), 0.3, seed=1)) != 0.5
    one_standard_error = math.sqrt(0.3 * 0.7 / SHAPE[0])
    assert hit.mean(axis=0).std() == pytest.approx(one_standard_error, rel=0.15)
    assert np.corrcoef(hit[:, :-1].ravel(), hit[:, 1:].ravel())[0, 1] == pytest.approx(0, abs=0.02)


def test_all_and_nothing():
    assert not np.asarray(masking(grey(), 1.0, seed=1)).any()
    assert set(np.unique(salt_and_pepper(grey(), 1.0, seed=1))) == {0, 1}
    for corrupt in CORRUPTIONS.values():
        np.testing.assert_array_equal(corrupt(grey(), 0.0, seed=1), grey())


@pytest.mark.parametrize("corrupt", CORRUPTIONS.values(), ids=CORRUPTIONS)
def test_seeds(corrupt):
    x = grey()
    first = np.asarray(corrupt(x, 0.5, seed=1))
    np.testing.assert_array_equal(first, corrupt(x, 0.5, seed=1))
    assert (first != np.asarray(corrupt(x, 0.5, seed=2))).any()

    generators = [keras.random.SeedGenerator(7) for _ in range(2)]
    once, again = ([np.asarray(corrupt(x, 0.5, seed=g)) for _ in range(2)] for g in generators)
    assert (once[0] != once[1]).any()
    np.testing.assert_array_equal(once, again)
    np.testing.assert_array_equal(x, grey())


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="compiles with TensorFlow")
@pytest.mark.slow
@pytest.mark.parametrize("corrupt", CORRUPTIONS.values(), ids=CORRUPTIONS)
def test_compiled(corrupt):
    """Under XLA: fresh noise on every call, the same again from the same seed, as much of it.

    Not the same noise as outside it: there TensorFlow draws with another algorithm.
    """
    import tensorflow as tf

    x = tf.constant(grey())

    def two_calls():
        generator = keras.random.SeedGenerator(7)
        compiled = tf.function(lambda x: corrupt(x, 0.5, generator), jit_compile=True)
        return [compiled(x).numpy() for _ in range(2)]

    first, second = two_calls()
    assert (first != second).mean() > 0.4
    np.testing.assert_array_equal([first, second], two_calls())
    outside = np.asarray(corrupt(x, 0.5, seed=1))
    assert first.mean() == pytest.approx(outside.mean(), abs=TOLERANCE)
    assert first.std() == pytest.approx(outside.std(), abs=TOLERANCE)


@pytest.mark.parametrize("corrupt", CORRUPTIONS.values(), ids=CORRUPTIONS)
@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_dtype_and_shape_are_kept(corrupt, dtype):
    noisy = corrupt(np.full((2, 8, 8, 1), 0.5, dtype), 0.5, seed=1)
    assert keras.backend.standardize_dtype(noisy.dtype) == dtype
    assert tuple(noisy.shape) == (2, 8, 8, 1)


@pytest.mark.parametrize("corrupt", CORRUPTIONS.values(), ids=CORRUPTIONS)
@pytest.mark.parametrize("level", [-0.1, math.nan])
def test_levels_that_mean_nothing(corrupt, level):
    with pytest.raises(ValueError, match="must"):
        corrupt(grey(), level, seed=1)


def test_a_share_above_one():
    for corrupt in (masking, salt_and_pepper):
        with pytest.raises(ValueError, match="between 0 and 1"):
            corrupt(grey(), 1.5, seed=1)
    gaussian(grey(), 1.5, seed=1)  # a standard deviation may be
