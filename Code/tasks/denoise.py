"""Denoising: one pass through the autoencoder, against filters and the best linear map.

    x̃ ~ q(x̃ | x)        x̂ = g(f(x̃))        PSNR and SSIM of x̂ against x

No model knows the kind and level of the noise, unless it was trained on that one. The rivals do:
each filter uses, for each kind and level of noise, the setting that is best on training images, and
the regression is fitted to training images with fresh noise of that kind and level. It contains
every other linear map, such as the projection onto any number of principal components. The mean of
the nearest training images is no such map, and needs no training.

    python -m Code.use denoise --model output/dae --input my.png --output out.png
"""

import math

import numpy as np
from scipy.ndimage import median_filter
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle
from sklearn.neighbors import NearestNeighbors

from Code.data.filters import mean_filter, psnr
from Code.figures.images import image_rows
from Code.figures.style import GREY, PAGE_WIDTH, SERIES, new_figure, styled
from Code.parts.images import to_unit
from Code.tasks.principal import principal_components
from Code.tasks.reconstruct import ssim
from Code.tasks.ridge import WIDEST, fitted_to, ridge
from Code.tasks.task import Measured, Metric, flat

NOISES = (
    *(("gaussian", level) for level in (0.25, 0.5, 0.75)),
    *(("masking", level) for level in (0.25, 0.5, 0.75)),
    *(("salt_and_pepper", level) for level in (0.25, 0.5)),
)
MAIN = ("gaussian", 0.5)
CURVE_LEVELS = (0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 1.0)
KINDS = ("gaussian", "masking", "salt_and_pepper")
N_IMAGES = 2000
SHOWN = 10
SIZES = (3, 5, 7)
TV_WEIGHTS = (0.05, 0.1, 0.2, 0.4, 0.8)
NLM_WEIGHTS = (0.05, 0.15, 0.2, 0.3)
# Their number is chosen on one in 200 training images (300 of 60,000), but at least 8
NEIGHBOURS, HOLDING_OUT = (1, 3, 10, 30), 200


def _name(measure, kind, level):
    return f"{measure}_{kind}_{level:g}"


METRICS = (
    *(Metric(_name("psnr", *noise), "dB", main=noise == MAIN) for noise in NOISES),
    *(Metric(_name("ssim", *noise)) for noise in NOISES),
)


def measure(model, data, seed=0):
    """PSNR and SSIM of the first 2,000 test images for each noise, and the PSNR curve."""
    return measured_denoiser(lambda x, kind, level: model.reconstruct(x), data, seed)


def baselines(data, seed=0):
    """The same for the noisy images, 16 principal components, filters, k-NN and ridge regression.

    Total variation and non-local means process one image after the other, so filters are measured
    only on the first 3 % of the test images (300 of 10,000), but at least 50. Images of more than
    1,024 values have no regression.
    """
    project = principal_components(data).reconstruct
    filtered = max(50, 3 * len(data.x_test) // 100)
    rivals = {
        "noisy": (lambda x, kind, level: x, N_IMAGES),
        "pca-16": (lambda x, kind, level: project(x), N_IMAGES),
        **{name: (Tuned(*of, data, seed), filtered) for name, of in FILTERS.items()},
        "k-NN": (Nearest(data, seed), N_IMAGES),
    }
    if math.prod(data.image_shape) <= WIDEST:
        rivals["ridge regression"] = (Regression(data, seed), N_IMAGES)
    return {name: measured_denoiser(f, data, seed, n) for name, (f, n) in rivals.items()}


def measured_denoiser(denoise, data, seed=0, n=N_IMAGES):
    """Measure a function ``denoise(noisy images, kind, level)``.

    Views: ``images``, ``noisy`` and ``denoised`` for Gaussian noise of 0.5; ``levels`` and ``psnr``
    of the curve over the level of Gaussian noise.
    """
    x = to_unit(data.x_test[:n])
    values, curve = {}, []
    for noise in NOISES:
        denoised = denoise(noisy(x, *noise, seed), *noise)
        values[_name("psnr", *noise)] = psnr(x, denoised)
        values[_name("ssim", *noise)] = float(ssim(x, denoised).mean())
    for level in CURVE_LEVELS:
        name = _name("psnr", "gaussian", level)
        if name not in values:
            curve.append(psnr(x, denoise(noisy(x, "gaussian", level, seed), "gaussian", level)))
        else:
            curve.append(values[name])
    shown = noisy(x, *MAIN, seed)[:SHOWN]
    views = {
        "images": x[:SHOWN],
        "noisy": shown,
        "denoised": denoise(shown, *MAIN),
        "levels": np.array(CURVE_LEVELS),
        "psnr": np.array(curve),
    }
    return Measured(values, views)


def noisy(x, kind, level, seed=0):
    """Images in [0, 1] with added noise, of the same shape; equal seeds give equal noise."""
    from Code.data.corruption import CORRUPTIONS

    return np.asarray(CORRUPTIONS[kind](x, level, seed))


def median(x, size):
    """Replace each pixel by the median of the ``size`` × ``size`` pixels around it."""
    return median_filter(x, (1, size, size, 1)[: x.ndim])


def total_variation(x, weight):
    """``argmin_u ½ ‖u − x‖² + weight · TV(u)`` of each image (Rudin, Osher & Fatemi 1992).

    Computed by Chambolle's algorithm (2004), as in scikit-image.
    """
    channels = {"channel_axis": -1} if x.ndim > 3 else {}
    return np.stack([denoise_tv_chambolle(image, weight, **channels) for image in x])


def non_local_means(x, h):
    """Non-local means (Buades, Coll & Morel 2005) with 5×5 patches, as in scikit-image.

    Parameters
    ----------
    h : distance up to which patches are averaged, in units of intensity.
    """
    how = {"fast_mode": True, **({"channel_axis": -1} if x.ndim > 3 else {})}
    return np.stack([denoise_nl_means(image, 5, 9, h, **how) for image in x])


FILTERS = {
    "mean filter": (mean_filter, SIZES),
    "median filter": (median, SIZES),
    "total variation": (total_variation, TV_WEIGHTS),
    "non-local means": (non_local_means, NLM_WEIGHTS),
}


class Tuned:
    """A filter that uses, for each noise, the setting with the highest PSNR on training images.

    Parameters
    ----------
    filter : ``(images, setting) → images``.
    settings : the settings to choose from; no filtering is always one more choice. They are
        compared on one in 1,500 training images (40 of 60,000), but at least 8.
    """

    def __init__(self, filter, settings, data, seed=0):
        self.filter, self.settings, self.seed = filter, settings, seed
        self.images = to_unit(data.x_train[: max(8, len(data.x_train) // 1500)])
        self.chosen = {}

    def __call__(self, x, kind, level):
        setting = self.setting(kind, level)
        return x if setting is None else self.filter(x, setting)

    def setting(self, kind, level):
        """The chosen setting; None means no filtering."""
        if (kind, level) not in self.chosen:
            # Noise different from that of the test images
            x = noisy(self.images, kind, level, self.seed + 1)
            scores = {s: psnr(self.images, self.filter(x, s)) for s in self.settings}
            scores[None] = psnr(self.images, x)
            self.chosen[kind, level] = max(scores, key=scores.get)
        return self.chosen[kind, level]


class Nearest:
    """The mean of the ``k`` training images, all without noise, that are nearest to a noisy one.

    For each noise ``k`` is the one with the highest PSNR on training images that are held out.
    Images without noise stay as they are.
    """

    def __init__(self, data, seed=0):
        images = fitted_to(data.x_train)
        n = min(max(8, len(images) // HOLDING_OUT), len(images) // 2)
        self.held_out, self.known, self.seed = images[:n], images[n:], seed
        self.nearest = NearestNeighbors(algorithm="brute").fit(flat(self.known))
        self.chosen = {}

    def __call__(self, x, kind, level):
        if not level:
            return x
        if (kind, level) not in self.chosen:
            # Noise different from that of the test images
            few = noisy(self.held_out, kind, level, self.seed + 1)
            scores = {k: psnr(self.held_out, self.mean(few, k)) for k in NEIGHBOURS if len(few)}
            self.chosen[kind, level] = max(scores, key=scores.get, default=1)
        return self.mean(x, self.chosen[kind, level])

    def mean(self, x, k):
        """Images ``(n, ...)`` as the means of their ``k`` nearest."""
        rows = self.nearest.kneighbors(flat(x), min(k, len(self.known)), return_distance=False)
        return np.stack([self.known[of].mean(axis=0) for of in rows])


class Regression:
    """Ridge regression from all noisy pixels to each clean one, fitted for each noise.

    It is fitted to training images, all of MNIST's or as many values, with noise different from
    that of the test images; a share that is held out chooses its strength. Images without noise
    stay as they are.
    """

    def __init__(self, data, seed=0):
        self.data, self.seed = data, seed
        self.fitted = {}

    def __call__(self, x, kind, level):
        if not level:
            return x
        if (kind, level) not in self.fitted:
            clean = fitted_to(self.data.x_train)
            self.fitted[kind, level] = ridge(noisy(clean, kind, level, self.seed + 1), clean)
        return self.fitted[kind, level](x)


def figure(measured):
    """Draw ten test images, with Gaussian noise of 0.5, and denoised by each model."""
    first = next(iter(measured.values())).views
    rows = [(name, m.views["denoised"]) for name, m in measured.items() if name != "noisy"]
    return image_rows([("images", first["images"]), ("noisy", first["noisy"]), *rows])


@styled
def curves(measured):
    """Draw PSNR against the standard deviation of Gaussian noise; infinite values are left out."""
    drawn = new_figure(PAGE_WIDTH, 400)
    axes = drawn.add_subplot()
    # Without the two greys, as the curve of the noise is grey
    colours = SERIES[:-2]
    for i, (name, m) in enumerate(measured.items()):
        decibels = np.where(np.isfinite(m.views["psnr"]), m.views["psnr"], np.nan)
        axes.plot(
            m.views["levels"],
            decibels,
            label=name,
            marker="osD^v<>ph"[i % 9],
            linestyle=("-", "--", "-.")[i // len(colours) % 3],
            color=GREY if name == "noisy" else colours[i % len(colours)],
        )
    axes.set(xlabel="standard deviation of the noise", ylabel="PSNR (dB)")
    drawn.legend(loc="outside right center", handlelength=2.8)
    return drawn
