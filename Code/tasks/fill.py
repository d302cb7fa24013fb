"""Filling gaps: the missing pixels of an image, or the missing values of a table.

known pixels stay;  x_missing ← g(f(x))_missing,  again and again               (`impute`)
z ~ q(z | x),  x_missing ← E[x | z]_missing,  again and again, VAEs only        (`sample`)

python -m Code.use fill --model output/vae-16 --input holes.png --output filled.png
python -m Code.use fill --table holes.csv --output filled.csv
"""

import math

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from Code.data.filters import psnr
from Code.figures.images import image_rows
from Code.parts.images import to_unit
from Code.tasks.principal import principal_components
from Code.tasks.reconstruct import drawn, has_posterior, posterior
from Code.tasks.ridge import WIDEST, fitted_to
from Code.tasks.task import Measured, Metric, unit_rows

N_IMAGES = 1000
STEPS, CHAIN, BURN_IN = 20, 60, 10
# Large holes are best filled in one step, scattered pixels in many; training images decide
STEPS_TRIED, N_TUNING = (1, 3, STEPS), 200
KNN_TRAIN, NEIGHBOURS = 20_000, (3, 10, 30)
# So many values of all training images together are compared: 0.8 GB
MOST_VALUES = 200_000_000
# Variance added to each pixel, in units of their mean variance
SHRINKAGES = (1e-2, 1e-1)
SHOWN = 10


def square(n, shape, rng):
    """Random rectangular holes with sides of half the image's sides."""
    height, width = shape
    side = height // 2, width // 2
    top = rng.integers(height - side[0] + 1, size=(n, 1, 1))
    left = rng.integers(width - side[1] + 1, size=(n, 1, 1))
    rows, columns = np.arange(height)[:, None], np.arange(width)
    return (rows >= top) & (rows < top + side[0]) & (columns >= left) & (columns < left + side[1])


def half(n, shape, rng):
    """Holes of the upper, lower, left or right half of the image, chosen at random."""
    height, width = shape
    rows, columns = np.indices(shape)
    halves = np.stack(
        [rows < height // 2, rows >= height // 2, columns < width // 2, columns >= width // 2]
    )
    return halves[rng.integers(4, size=n)]


def scattered(share):
    """A function for holes of random pixels, each missing with probability ``share``."""
    return lambda n, shape, rng: rng.random((n, *shape)) < share


HOLES = {
    "square": square,
    "half": half,
    **{f"random_{share:g}": scattered(share) for share in (0.25, 0.5, 0.75)},
}
METRICS = (
    *(Metric(f"psnr_{hole}", "dB", main=hole == "square") for hole in HOLES),
    *(Metric(f"psnr_sampled_{hole}", "dB") for hole in HOLES),
)


def measure(model, data, seed=0):
    """PSNR over the missing pixels of the first 1,000 test images, for each kind of hole.

    ``psnr_…`` is measured for `impute`, with the number of steps that is best on training images,
    or for a masked autoencoder's own ``complete``. VAEs also have ``psnr_sampled_…``, measured for
    the mean of the draws of `sample`.
    """
    start, steps = mean_image(data), chosen_steps(model, data, seed)
    measured = measured_filler(lambda x, hole: filled_by(model, x, start, steps[hole]), data, seed)
    if has_posterior(model):
        values, views = {}, {}
        for hole, x, missing in with_holes(_truth(data), seed):
            mean, last = sample(model, x, start, np.random.default_rng(seed))
            values[f"psnr_sampled_{hole}"] = psnr(_truth(data)[missing], mean[missing])
            views[f"drawn/{hole}"] = last[:SHOWN]
        measured.values.update(values)
        measured.views.update(views)
    return measured


def baselines(data, seed=0):
    """The same for the mean image, nearest neighbours, linear regression and `impute` with PCA.

    The number of neighbours, of PCA's steps and the regression's strength are chosen for each kind
    of hole on 200 training images, as the models' steps are; neighbours and regression do not know
    these images. Images of more than 1,024 values have no regression.
    """
    n_values = math.prod(data.image_shape)
    mean = mean_image(data)
    n = min(N_TUNING, len(data.x_train) // 6)
    truth, rest = to_unit(data.x_train[:n]), data.x_train[n:]
    pca = principal_components(data)
    rivals = {
        "mean image": (lambda x, _: np.where(np.isnan(x), mean, x), (None,)),
        "k-NN": (Neighbours(rest[: min(KNN_TRAIN, MOST_VALUES // n_values)]).fill, NEIGHBOURS),
        "pca-16": (lambda x, steps: impute(pca.reconstruct, x, mean, steps), STEPS_TRIED),
    }
    if n_values <= WIDEST:
        rivals["linear regression"] = (Normal(fitted_to(rest)).fill, SHRINKAGES)
    found = {}
    for name, (fill, settings) in rivals.items():
        best = best_settings(fill, settings, truth, seed)
        found[name] = measured_filler(lambda x, hole, f=fill, b=best: f(x, b[hole]), data, seed)
    return found


def measured_filler(fill, data, seed=0):
    """Measure a function ``fill(images with NaN, kind of hole)``; keep ten images as views."""
    truth, values, views = _truth(data), {}, {"images": _truth(data)[:SHOWN]}
    for hole, x, missing in with_holes(truth, seed):
        filled = fill(x, hole)
        values[f"psnr_{hole}"] = psnr(truth[missing], filled[missing])
        views[f"holes/{hole}"], views[f"filled/{hole}"] = x[:SHOWN], filled[:SHOWN]
    return Measured(values, views)


def _truth(data):
    return to_unit(data.x_test[:N_IMAGES])


def with_holes(images, seed=0):
    """Yield ``name, images with NaN, missing`` for every kind of hole."""
    for i, (name, hole) in enumerate(HOLES.items()):
        missing = holes_in(images, hole, np.random.default_rng([seed, i]))
        yield name, np.where(missing, np.nan, images), missing


def holes_in(images, hole, rng):
    """Where images of any shape have holes of a kind; a missing pixel lacks all its colours."""
    missing = hole(len(images), images.shape[1:3], rng)
    return missing if images.ndim == 3 else np.broadcast_to(missing[..., None], images.shape)


def chosen_steps(model, data, seed=0):
    """``{kind of hole: steps}`` for which `impute` is best on 200 training images."""
    if hasattr(model, "complete"):
        return dict.fromkeys(HOLES)
    start, truth = mean_image(data), to_unit(data.x_train[:N_TUNING])

    def fill(x, steps):
        return impute(model.reconstruct, x, start, steps)

    return best_settings(fill, STEPS_TRIED, truth, seed)


def best_settings(fill, settings, truth, seed=0):
    """``{kind of hole: setting}`` with which ``fill(images with NaN, setting)`` is best.

    Parameters
    ----------
    truth : training images ``(n, height, width)`` in [0, 1], into which holes are cut that are
        different from those of the test images.
    """
    if len(settings) == 1 or not len(truth):
        return dict.fromkeys(HOLES, settings[0])
    return {
        hole: max(settings, key=lambda setting: psnr(truth[missing], fill(x, setting)[missing]))
        for hole, x, missing in with_holes(truth, seed + 1)
    }


def filled_by(model, x, start, steps):
    """Images with NaN, filled by `impute` or by a masked autoencoder's ``complete``."""
    if hasattr(model, "complete"):
        # A masked autoencoder was trained to fill holes at known positions
        missing = np.isnan(x)
        known = (~missing).astype(np.float32)
        return model.complete(np.where(missing, 0, x).astype(np.float32), known)
    return impute(model.reconstruct, x, start, steps)


def impute(reconstruct, x, start, steps=STEPS):
    """Fill missing values with those of an autoencoder's reconstruction, ``steps`` times.

    ``x⁰_missing = start``, ``xᵗ⁺¹_missing = g(f(xᵗ))_missing``; known values never change.

    Parameters
    ----------
    reconstruct : function of an array without NaN in the shape of ``x``; returns the same shape.
    x : float array ``(n, ...)`` with NaN where a value is missing.
    start : array that broadcasts to ``x``: the initial guess.

    References
    ----------
    Bengio, Yao, Alain & Vincent 2013, "Generalized denoising auto-encoders as generative models",
    section 4 (here with fixed known values and without noise). With principal components:
    Troyanskaya et al. 2001, "Missing value estimation methods for DNA microarrays" (SVDimpute).
    """
    missing = np.isnan(x)
    x = np.where(missing, start, x).astype(np.float32)
    for _ in range(steps):
        x = np.where(missing, reconstruct(x), x)
    return x


def sample(model, x, start, rng, steps=CHAIN, burn_in=BURN_IN):
    """Draw the missing pixels of images from a VAE: a Markov chain for each image.

    ``z ~ q(z | x_known, x_missing)``, ``x_missing ← E[x | z]``. Each z is a random draw. Pixels are
    grey values, so their mean given z replaces a draw of 0 or 1.

    Parameters
    ----------
    x : array ``(n, height, width)`` with NaN where a pixel is missing.
    start : as for `impute`.
    rng : ``np.random.Generator``.
    steps, burn_in : length of the chain, and the number of its first states that are discarded.

    Returns
    -------
    mean, last : mean over the chain, and its last state (one draw). Known pixels are unchanged.

    References
    ----------
    Rezende, Mohamed & Wierstra 2014, "Stochastic backpropagation", appendix F.
    """
    missing = np.isnan(x)
    x = np.where(missing, start, x).astype(np.float32)
    total = np.zeros_like(x)
    for step in range(steps):
        z_mean, z_log_var, rest = posterior(model, x)
        x_hat = model.decode(np.concatenate([drawn(z_mean, z_log_var, rng), rest], axis=1))
        x = np.where(missing, x_hat, x)
        if step >= burn_in:
            total += x
    return np.where(missing, total / (steps - burn_in), x), x


def mean_image(data):
    """Each pixel's mean over the training images, ``(height, width)``."""
    unit = 255 if data.x_train.dtype == np.uint8 else 1
    return (data.x_train.mean(axis=0, dtype=np.float64) / unit).astype(np.float32)


class Neighbours:
    """Fills with the mean of the training images that are nearest in the known pixels.

    It equals scikit-learn's ``KNNImputer`` for training images without gaps, but is a hundred times
    as fast. Source: Troyanskaya et al. 2001 (KNNimpute).

    Parameters
    ----------
    images : training images ``(n, height, width)``.
    """

    def __init__(self, images):
        self.train = unit_rows(images)
        self.squares = np.square(self.train).T

    def fill(self, x, k=5):
        """Images ``(n, height, width)`` with NaN, filled by their ``k`` neighbours."""
        k = min(k, len(self.train))
        flat = x.reshape(len(x), -1)
        missing = np.isnan(flat)
        known = np.where(missing, 0, flat).astype(np.float32)
        # ‖x − t‖² over the known pixels, without ‖x‖², which is the same for every t
        distances = (~missing).astype(np.float32) @ self.squares - 2 * known @ self.train.T
        nearest = np.argpartition(distances, k - 1, axis=1)[:, :k]
        guess = np.stack([self.train[rows].mean(axis=0) for rows in nearest])
        return np.where(missing, guess, flat).reshape(x.shape).astype(np.float32)


class Normal:
    """Fills with the mean of a normal distribution, given the known pixels.

        x̂_m = μ_m + Σ_mk Σ_kk⁻¹ (x_k − μ_k) = μ_m − Λ_mm⁻¹ Λ_mk (x_k − μ_k)        Λ = Σ⁻¹

    It is the linear regression of each missing pixel on all known ones, solved for each pattern of
    holes, in the form with the smaller inverse. Values are clipped to [0, 1].

    Parameters
    ----------
    images : training images ``(n, height, width)``, whose mean and covariance are μ and Σ.
    """

    def __init__(self, images):
        rows = unit_rows(images)
        self.mean = rows.mean(axis=0)
        centred = rows - self.mean
        self.covariance = (centred.T @ centred).astype(np.float64) / len(rows)

    def fill(self, x, shrinkage=SHRINKAGES[0]):
        """Images ``(n, height, width)`` with NaN, filled.

        Parameters
        ----------
        shrinkage : added to the diagonal of Σ, in units of its mean; where images are few, more is
            better.
        """
        rows = x.reshape(len(x), -1).astype(np.float32)
        variance = np.diag(self.covariance).mean() or 1.0
        covariance = self.covariance + shrinkage * variance * np.eye(len(self.mean))
        precision = np.linalg.inv(covariance)
        masks, pattern = np.unique(np.isnan(rows), axis=0, return_inverse=True)
        filled = rows.copy()
        for i, missing in enumerate(masks):
            here, known = np.flatnonzero(pattern.ravel() == i), ~missing
            deviations = (rows[here][:, known] - self.mean[known]).T
            if missing.sum() > known.sum():
                of_known = cho_factor(covariance[np.ix_(known, known)], check_finite=False)
                guess = covariance[np.ix_(missing, known)] @ cho_solve(of_known, deviations)
            else:
                of_missing = cho_factor(precision[np.ix_(missing, missing)], check_finite=False)
                guess = -cho_solve(of_missing, precision[np.ix_(missing, known)] @ deviations)
            filled[np.ix_(here, missing)] = np.clip(guess.T + self.mean[missing], 0, 1)
        return filled.reshape(x.shape)


def figure(measured):
    """Draw five images with a square hole, five with a missing half, and all fillings of them.

    They are simply the first ten images; the measures cover all of them.
    """
    first = next(iter(measured.values())).views
    rows = [("images", first["images"])]
    rows.append(("missing", _shown(first, "holes")))
    for name, m in measured.items():
        rows.append((name, _shown(m.views, "filled")))
        if "drawn/square" in m.views:
            rows.append((f"{name}, one draw", _shown(m.views, "drawn")))
    n = len(first["images"])
    heads = ["a square is missing"] * (n // 2) + ["a half is missing"] * (n - n // 2)
    return image_rows(rows, heads)


def _shown(views, kind):
    few = len(views["images"]) // 2
    return np.concatenate([views[f"{kind}/square"][:few], views[f"{kind}/half"][few:]])
