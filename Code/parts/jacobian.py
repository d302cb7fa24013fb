"""How much an encoder's code moves with its input: the Jacobian's norm, absolute and relative."""

import numpy as np
from keras import ops

from Code.parts.gradients import unit_gradients


def differentiated_norm(encoder, x):
    """``‖J_f(x)‖²_F`` of any encoder, one value per image, by one backward pass per code unit.

    It is exact if no image's code depends on other images. The result can be differentiated.

    Parameters
    ----------
    encoder : callable ``(batch, ...)`` → ``(batch, ...)``; the code size must be static.
    x : tensor ``(batch, ...)``.
    """
    rows = unit_gradients(encoder, x)
    return sum(ops.sum(ops.square(row), axis=list(range(1, len(row.shape)))) for row in rows)


def relative_norm(squared_norms, codes):
    """``E ‖J_f(x)‖² / Σ_j Var z_j``: the contraction that is no mere shrinking of the code.

    A code multiplied by c has a Jacobian of c² times the squared norm, and c² times the variance.

    Parameters
    ----------
    squared_norms : array ``(n,)`` of ``‖J_f(x)‖²_F``.
    codes : array ``(n, units)`` of the same images.

    Returns
    -------
    A number, or NaN for a constant code.
    """
    variance = np.var(codes, axis=0, dtype=np.float64).sum()
    return float(np.mean(squared_norms) / variance) if variance else float("nan")


def measured_relative_norm(encoder, x, codes, batch_size=500):
    """`relative_norm` of any encoder on images ``x``, by automatic differentiation.

    Parameters
    ----------
    encoder : as for `differentiated_norm`.
    x : array ``(n, ...)`` in [0, 1].
    codes : array ``(n, units)``.
    """
    batches = (x[start:][:batch_size] for start in range(0, len(x), batch_size))
    norms = [ops.convert_to_numpy(differentiated_norm(encoder, batch)) for batch in batches]
    return relative_norm(np.concatenate(norms), codes)
