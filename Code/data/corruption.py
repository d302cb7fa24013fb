"""What a denoising autoencoder removes: three ways to corrupt an input.

The noise of each value is independent of all others: in colour, the channels of a pixel are
corrupted each by itself, as the papers have it for the inputs of a network.

Each function draws fresh noise on every call with a ``keras.random.SeedGenerator``, and the same
noise on every call with an int. A level that is a variable is not checked: only a number can be.
"""

from collections.abc import Callable

import keras
from keras import ops

from Code.parts.noise import normal, uniform

Seed = int | keras.random.SeedGenerator


def gaussian(x, level: float, seed: Seed):
    """Add Gaussian noise and clip to the range of a pixel: x̃ = min(1, max(0, x + σ ε)).

    Parameters
    ----------
    x : float tensor of any shape, in [0, 1].
    level : σ, the noise's standard deviation before clipping, in units of the peak value 1; >= 0.
    seed : an int, or a generator for fresh noise on every call.

    Returns
    -------
    tensor of x's shape and dtype, in [0, 1].

    Raises
    ------
    ValueError
        If ``level`` is negative or NaN.

    References
    ----------
    Vincent et al. 2010, "Stacked denoising autoencoders", section 3.3: additive isotropic
    Gaussian noise. The clipping is not theirs: it keeps the corrupted input an image.
    """
    if isinstance(level, int | float) and not level >= 0:
        raise ValueError(f"the standard deviation of the noise must be 0 or more, not {level}")
    x = ops.convert_to_tensor(x)
    noise = ops.cast(normal(ops.shape(x), seed), x.dtype)
    return ops.clip(x + level * noise, 0, 1)


def masking(x, level: float, seed: Seed):
    """Set a share of the inputs to 0: x̃ = x · m, m ~ Bernoulli(1 − ν) independently per input.

    Parameters
    ----------
    x : float tensor of any shape.
    level : ν, the expected share of inputs set to 0, in [0, 1].
    seed : an int, or a generator for fresh noise on every call.

    Returns
    -------
    tensor of x's shape and dtype. Unlike in dropout, the kept values are not scaled up.

    Raises
    ------
    ValueError
        If ``level`` lies outside [0, 1].

    References
    ----------
    Vincent et al. 2008, "Extracting and composing robust features with denoising autoencoders",
    section 2.3. There a fixed number ν d of an example's d inputs is drawn; here ν d is the
    expected number, which needs no sorting of random numbers.
    """
    x, u = _with_uniform(x, level, seed)
    return ops.where(u < level, ops.zeros_like(x), x)


def salt_and_pepper(x, level: float, seed: Seed):
    """Set a share of the inputs to 0 or 1, each value with probability ½.

    Parameters
    ----------
    x : float tensor of any shape, in [0, 1].
    level : ν, the expected share of inputs that are overwritten, in [0, 1].
    seed : an int, or a generator for fresh noise on every call.

    Returns
    -------
    tensor of x's shape and dtype, in [0, 1].

    Raises
    ------
    ValueError
        If ``level`` lies outside [0, 1].

    References
    ----------
    Vincent et al. 2010, "Stacked denoising autoencoders", section 3.3; ν d is the expected
    number of overwritten inputs, as in `masking`.
    """
    x, u = _with_uniform(x, level, seed)
    # Given u < ν, u is uniform on [0, ν): whether it lies in the lower half is the fair coin.
    return ops.where(u < level, ops.cast(u < level / 2, x.dtype), x)


def _with_uniform(x, level: float, seed: Seed):
    if isinstance(level, int | float) and not 0 <= level <= 1:
        raise ValueError(f"the share of corrupted inputs must lie between 0 and 1, not {level}")
    x = ops.convert_to_tensor(x)
    # float32 whatever the dtype of x: the few bits of half precision would round the share.
    return x, uniform(ops.shape(x), seed)


CORRUPTIONS: dict[str, Callable] = {
    "gaussian": gaussian,
    "masking": masking,
    "salt_and_pepper": salt_and_pepper,
}
