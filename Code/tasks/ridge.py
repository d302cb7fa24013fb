"""Ridge regression from images to images: what an expert tries before any network.

    W = argmin Σᵢ ‖yᵢ − ȳ − Wᵀ(xᵢ − x̄)‖² + λ ‖W‖² = (XᵀX + λ I)⁻¹ XᵀY      X, Y: centred rows

λ is the one that is best on training images that are held out of the fit. All strengths share one
eigendecomposition, ``XᵀX = V diag(d) Vᵀ`` and ``W = V diag(1 / (d + λ)) VᵀXᵀY``, where
scikit-learn's ``Ridge`` would add up XᵀX for each of them anew.
"""

import numpy as np

from Code.parts.images import to_unit
from Code.tasks.task import flat

# λ in units of the mean of d: the same strengths do for few images and for many
STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
MOST_HELD_OUT = 2000
# XᵀX and its eigenvectors take seconds up to here and minutes a little further
WIDEST = 1024
# So many values are fitted to, all of MNIST: 0.2 GB, and a few times that in the fit
MOST_VALUES = 50_000_000


def fitted_to(images):
    """The first images ``(n, ...)`` that a regression is fitted to, as floats in [0, 1]."""
    return to_unit(images[: max(1, MOST_VALUES // images[0].size)])


def ridge(inputs, targets, strengths=STRENGTHS):
    """The linear map from ``inputs`` to ``targets``: a function images → images in [0, 1].

    Parameters
    ----------
    inputs : array ``(n, ...)``, in order; the first sixth, at most 2,000, is held out to choose λ.
    targets : array ``(n, ...)`` in [0, 1].
    strengths : λ to choose from, in units of the mean eigenvalue of XᵀX.

    References
    ----------
    Hoerl & Kennard 1970, "Ridge regression: biased estimation for nonorthogonal problems".
    """
    x, y, shape = flat(inputs), flat(targets), targets.shape[1:]
    n = min(MOST_HELD_OUT, len(x) // 6)
    x_mean, y_mean = x[n:].mean(axis=0), y[n:].mean(axis=0)
    centred = x[n:] - x_mean
    d, v = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    products = v.T @ (centred.T @ (y[n:] - y_mean))
    # Where all inputs are alike d is 0, and so is XᵀY: any positive λ gives the mean
    unit = d.mean() or 1.0

    def fitted(strength):
        w = (v @ (products / (d + strength * unit)[:, None])).astype(np.float32)
        return lambda rows: np.clip((flat(rows) - x_mean) @ w + y_mean, 0, 1)

    def error(predict):
        return np.square(predict(x[:n]) - y[:n]).mean()

    candidates = [fitted(strength) for strength in strengths]
    # Of fewer than six images none can be held out; the strongest λ is the safest
    best = min(candidates, key=error) if n else candidates[-1]
    return lambda rows: best(rows).reshape(len(rows), *shape)
