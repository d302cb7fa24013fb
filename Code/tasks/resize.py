"""Resizing: enlarge small images with the help of a model that knows what digits look like.

    y = D x,  D the mean over blocks of f × f pixels                    the small image
    x₀ = bicubic(y)
    x ← (1 − a) x + a g(f(x))                                 towards what the model can draw
    x ← x + D⁺ (y − D x)                      and back to an image that shrinks to the small one

The second step is iterative back-projection (Irani & Peleg 1991): the smallest change after which
D x = y. The pseudo-inverse D⁺ = f² Dᵀ replicates every pixel. The first step uses a trained model
as a prior (Venkatakrishnan et al. 2013, "Plug-and-play priors"). a and the number of steps are
chosen on training images. No model is trained for this use.
"""

import math
from functools import lru_cache

import numpy as np
from PIL import Image
from sklearn.neighbors import NearestNeighbors

from Code.data.filters import psnr
from Code.figures.images import image_rows
from Code.parts.images import to_unit
from Code.tasks.principal import principal_components
from Code.tasks.reconstruct import ssim
from Code.tasks.ridge import WIDEST, fitted_to, ridge
from Code.tasks.task import Measured, Metric, flat

FACTORS = (4, 2)
N_CHOOSING, N_TEST = 300, 2000
# One training image in so many is held out to choose by
HOLDING_OUT = 6
WEIGHTS, MAX_STEPS = (0.25, 0.5, 1.0), 12
NEIGHBOURS = (1, 3, 5, 10, 20, 40)
SHOWN = 12

METRICS = (
    Metric("psnr_x4", "dB", main=True),
    Metric("ssim_x4"),
    Metric("psnr_x2", "dB"),
    Metric("ssim_x2"),
)


def shrink(images, factor):
    """Shrink images to the means over blocks of ``factor`` × ``factor`` pixels.

    Parameters
    ----------
    images : array ``(n, height, width)``, or with a last axis of channels; both sides are multiples
        of the factor.
    """
    n, height, width, *channels = images.shape
    blocks = images.reshape(n, height // factor, factor, width // factor, factor, *channels)
    return blocks.mean(axis=(2, 4), dtype=np.float32)


def replicate(images, factor):
    """Replace every pixel by a block of ``factor`` × ``factor`` equal pixels."""
    return images.repeat(factor, axis=1).repeat(factor, axis=2)


def enlarge(images, shape, method="bicubic"):
    """Interpolate images to ``shape`` as Pillow does: ``"bicubic"`` or ``"bilinear"``.

    Interpolation is linear and separable into rows and columns, so Pillow's result for the unit
    vectors gives all images by two matrix products. Bicubic interpolation can leave [0, 1]; the
    caller must clip where necessary.

    References
    ----------
    Keys 1981, "Cubic convolution interpolation for digital image processing", with a = −1/2.
    """
    rows = _interpolation(images.shape[1], shape[0], method)
    columns = _interpolation(images.shape[2], shape[1], method)
    images = images.astype(np.float32)
    if images.ndim == 3:
        return rows @ images @ columns.T
    return np.moveaxis(rows @ np.moveaxis(images, -1, 1) @ columns.T, 1, -1)


@lru_cache
def _interpolation(n, m, method):
    unit_vectors = Image.fromarray(np.eye(n, dtype=np.float32))
    resampling = Image.Resampling[method.upper()]
    return np.asarray(unit_vectors.resize((n, m), resampling), np.float32)


def consistent(images, small):
    """The images nearest to ``images`` among those whose block means are ``small``."""
    factor = images.shape[1] // small.shape[1]
    return images + replicate(small - shrink(images, factor), factor)


def enlargements(reconstruct, small, shape, weight):
    """Yield the estimate after 0, 1, 2, … steps; after 0 steps it is bicubic interpolation.

    Parameters
    ----------
    reconstruct : function of images ``(n, height, width)`` that returns their reconstructions.
    small : array ``(n, height / factor, width / factor)``.
    shape : ``(height, width)``.
    weight : a, the share of the reconstruction in the estimate before back-projection; 0 means
        back-projection only.
    """
    x = np.clip(enlarge(small, shape), 0, 1)
    while True:
        yield x
        drawn = (1 - weight) * x + weight * reconstruct(x) if weight else x
        x = np.clip(consistent(drawn, small), 0, 1)


def enlarged(reconstruct, small, shape, weight, steps):
    """The estimate of `enlargements` after ``steps`` steps."""
    estimates = enlargements(reconstruct, small, shape, weight)
    return next(x for step, x in enumerate(estimates) if step == steps)


def chosen(reconstruct, images, factor, weights=WEIGHTS, max_steps=MAX_STEPS):
    """The weight and the number of steps (at least 1) with the best PSNR on ``images``.

    Parameters
    ----------
    images : training images ``(n, height, width)`` in [0, 1].
    """
    small, best = shrink(images, factor), (-np.inf, weights[0], 1)
    for weight in weights:
        estimates = enlargements(reconstruct, small, images.shape[1:], weight)
        next(estimates)
        for step, estimate in zip(range(1, max_steps + 1), estimates, strict=False):
            best = max(best, (psnr(images, estimate), weight, step), key=lambda found: found[0])
    return best[1:]


def judged(resize, images):
    """PSNR and SSIM of ``resize(small, factor)`` compared with ``images``, for every factor.

    Factors that do not divide both sides are left out.

    Returns
    -------
    Measured, with views ``truth``, ``small`` (replicated) and ``result`` for the largest factor.

    Raises
    ------
    ValueError
        If no factor divides both sides.
    """
    measured = Measured()
    factors = [f for f in FACTORS if not any(side % f for side in images.shape[1:3])]
    if not factors:
        size = "×".join(map(str, images.shape[1:3]))
        raise ValueError(
            f"images of {size} pixels cannot be shrunk by {' or '.join(map(str, FACTORS))}"
        )
    for factor in factors:
        small = shrink(images, factor)
        result = np.clip(resize(small, factor), 0, 1)
        measured.values[f"psnr_x{factor}"] = psnr(images, result)
        measured.values[f"ssim_x{factor}"] = float(ssim(images, result).mean())
        if factor == max(factors):
            views = {"truth": images, "small": replicate(small, factor), "result": result}
            measured.views = {name: view[:SHOWN] for name, view in views.items()}
    return measured


def measure(model, data, seed=0):
    """PSNR and SSIM of test images, shrunk by 4 and by 2 and enlarged again by a trained model."""
    train = to_unit(data.x_train[:N_CHOOSING])

    def resize(small, factor):
        choice = chosen(model.reconstruct, train, factor)
        return enlarged(model.reconstruct, small, train.shape[1:], *choice)

    return judged(resize, to_unit(data.x_test[:N_TEST]))


def baselines(data, seed=0):
    """The same for interpolation, PCA, nearest neighbours and ridge regression.

    The last two learn from training images and their small versions. There is no regression
    where images that are half as high and as wide have more than 1,024 values.
    """
    images, train = to_unit(data.x_test[:N_TEST]), fitted_to(data.x_train)
    shape = images.shape[1:]
    rivals = {
        "replication": replicate,
        "bicubic": lambda small, factor: enlarge(small, shape),
        "back-projection": lambda small, factor: enlarged(None, small, shape, 0.0, MAX_STEPS),
    }
    if len(train) >= HOLDING_OUT:
        rivals["k-NN"] = neighbours(train)
    if math.prod(data.image_shape) <= WIDEST * min(FACTORS) ** 2:
        rivals["ridge regression"] = regression(train)
    found = {name: judged(resize, images) for name, resize in rivals.items()}
    return {**found, "pca-16": measure(principal_components(data), data, seed)}


def regression(images):
    """A ``resize`` function: the linear map from small to large images, fitted to training images.

    Its strength is chosen on those that are held out; the result is made consistent with the small
    image.
    """

    def resize(small, factor):
        return consistent(ridge(shrink(images, factor), images)(small), small)

    return resize


def neighbours(images):
    """A ``resize`` function: the mean of the training images that are alike when shrunk.

    The number of neighbours is the one that is best on 300 training images, or a sixth, that are
    held out; the result is made consistent with the small image.
    """
    n = min(N_CHOOSING, len(images) // HOLDING_OUT)
    held_out, known = images[:n], images[n:]

    def resize(small, factor):
        def enlarged_by(k, small):
            nearest = known_small.kneighbors(flat(small), min(k, len(known)), False)
            return consistent(np.stack([known[rows].mean(axis=0) for rows in nearest]), small)

        known_small = NearestNeighbors(algorithm="brute").fit(flat(shrink(known, factor)))
        few = shrink(held_out, factor)
        k = max(NEIGHBOURS, key=lambda k: psnr(held_out, np.clip(enlarged_by(k, few), 0, 1)))
        return enlarged_by(k, small)

    return resize


# Picture -----------------------------------------------------------------------------------------


def figure(measured):
    """Draw small digits, their enlargements by each method, and the original images."""
    shown = {name: one for name, one in measured.items() if "result" in one.views}
    if not shown:
        raise ValueError("nothing to draw: none of these enlarges images")
    views = next(iter(shown.values())).views
    rows = [("small", views["small"])]
    for name, one in shown.items():
        largest = next(f"psnr_x{f}" for f in FACTORS if f"psnr_x{f}" in one.values)
        rows.append((f"{name}: {one.values[largest]:.2f} dB", one.views["result"]))
    return image_rows([*rows, ("as it was", views["truth"])])
