"""Disentangling: does each unit of the code represent exactly one factor of the image?

    R_ij   importance of unit i for predicting factor j, scaled to Σ_i R_ij = R²_j on test images
    D_i = 1 − H(R_i1 / Σ_j R_ij, …)      of K factors, H to the base K: 1 for a unit of one factor
    DCI = 1/K Σ_i D_i Σ_j R_ij           the score: D I of disentanglement D and informativeness
    I   = 1/K Σ_j R²_j                   D is the mean of D_i, weighted by the importance of unit i
    C   = Σ_j R²_j C_j / Σ_j R²_j        completeness, C_j = 1 − H(R_1j / R²_j, …) over the units

These are the measures of Eastwood & Williams 2018, "A framework for the quantitative evaluation of
disentangled representations", except that importances are scaled by R²: of a factor that is not
predicted they say nothing. They are permutation importances (Breiman 2001) for gradient-boosted
trees, on test images: what the prediction loses when the unit's values are shuffled. A unit of
noise loses nothing, and adds nothing to the sum that the score is. D alone can rise when a unit is
lost, because what the others tell becomes less.

Chance gives no code of many units the score 0, so the score of the same code, turned by a random
rotation, stands beside it: a variant that disentangles exceeds it. Scores of codes of different
widths cannot be compared, because chance depends on the number of units.

MNIST comes without factors, so they are measured in the images as in Castro et al. 2019,
"Morpho-MNIST": slant, thickness, width, height and ink. The mutual information gap (Chen et al.
2018, "Isolating sources of disentanglement", section 4.1) is measured for comparison with papers,

    MIG = 1/K Σ_k (I(z_j; v_k) − max_{i ≠ j} I(z_i; v_k)) / H(v_k),    j = argmax_j I(z_j; v_k)

but decides nothing: it is the lead of the best unit over the second best, and rises when the second
best is replaced by noise.
"""

from functools import lru_cache

import numpy as np
from scipy.ndimage import distance_transform_edt
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.inspection import permutation_importance
from sklearn.linear_model import Ridge

from Code.figures.images import image_rows
from Code.parts.images import to_unit
from Code.tasks.principal import principal_components
from Code.tasks.reconstruct import drawn, has_posterior, posterior
from Code.tasks.resize import enlarge
from Code.tasks.task import Measured, Metric, flat
from Code.training.codes import unsupervised_code, without_labels

N_TRAIN, N_TEST = 5_000, 5_000
BINS = 20
# Enough rounds for what the factors take: twice as many raise R² by a hundredth
TREES, LEARNING_RATE, SHUFFLES = 40, 0.2, 1
# Below it a code leaves more of the factors open than it tells, so its units represent other things
INFORMATIVE = 0.5
STEPS, QUANTILES = 11, (0.01, 0.99)
MEASURED_FACTORS = ("slant", "thickness", "width", "height", "ink")
SHOWN_FACTORS = ("slant", "thickness", "width")
MAX_ROWS = 16

# Slant and thickness are those of strokes of one brightness
GREY_ONLY = True
METRICS = (
    Metric(
        "dci",
        main=True,
        within_width=True,
        needs="dci_informativeness",
        least=INFORMATIVE,
        above="dci_rotated",
    ),
    Metric("dci_rotated", within_width=True),
    Metric("dci_disentanglement", within_width=True),
    Metric("dci_completeness", within_width=True),
    Metric("dci_informativeness"),
    *(Metric(f"r2_{factor}") for factor in MEASURED_FACTORS),
    Metric("factors_r2"),
    Metric("mig", within_width=True),
)


# Factors of an image -----------------------------------------------------------------------------


def factors(images):
    """Factors measured in images of strokes: ``{name: array (n,)}``.

    ``slant`` in degrees, positive to the right; ``thickness``, ``width`` and ``height`` in pixels;
    ``ink`` is the mean intensity. All factors of a blank image are 0.

    Parameters
    ----------
    images : array ``(n, height, width)``: uint8, or floats in [0, 1], strokes bright.
    """
    x = to_unit(np.asarray(images))
    width, height = bounding_box(x)
    return {
        "slant": slant(x),
        "thickness": thickness(x),
        "width": width,
        "height": height,
        "ink": x.mean(axis=(1, 2)),
    }


def slant(images):
    """``arctan(−μ₁₁ / μ₀₂)`` in degrees: the angle of the shear that makes the image upright.

    Source: Castro et al. 2019; μ are the central moments of the intensities, y points
    down.

    Parameters
    ----------
    images : array ``(n, height, width)`` in [0, 1].
    """
    x = np.asarray(images, np.float64)
    mass = np.maximum(x.sum(axis=(1, 2)), 1e-12)
    rows, columns = np.arange(x.shape[1]), np.arange(x.shape[2])
    by_row, by_column = x.sum(axis=2), x.sum(axis=1)
    row_mean, column_mean = by_row @ rows / mass, by_column @ columns / mass
    mu_02 = by_row @ rows**2 / mass - row_mean**2
    mu_11 = (x @ columns) @ rows / mass
    return np.degrees(np.arctan(-(mu_11 - row_mean * column_mean) / np.maximum(mu_02, 1e-6)))


def strokes(images):
    """Pixels brighter than half of the image's brightest pixel: boolean array of equal shape."""
    return images > 0.5 * images.max(axis=(1, 2), keepdims=True)


def thickness(images):
    """Mean thickness of the strokes in pixels: four times their mean distance from the edge.

    Across a stroke of width w, the mean distance from the nearer edge is w / 4. Castro et al.
    average over the skeleton instead; this method needs no skeleton, so stray branches of a
    skeleton cause no errors. The image is enlarged by 2 first, as the edge may cross a pixel.

    Parameters
    ----------
    images : array ``(n, height, width)`` in [0, 1].
    """
    height, width = images.shape[1:]
    ink = strokes(enlarge(images, (2 * height, 2 * width), "bilinear"))
    # One distance transform of all images, stacked vertically and separated by background frames
    framed = np.pad(ink, ((0, 0), (1, 1), (1, 1)))
    distance = distance_transform_edt(framed.reshape(-1, 2 * width + 2)).reshape(framed.shape)
    # The edge lies half a pixel before the centre of the next background pixel
    inner = np.where(framed, distance - 0.5, 0).sum(axis=(1, 2))
    return 4 / 2 * inner / np.maximum(framed.sum(axis=(1, 2)), 1)


def bounding_box(images):
    """Width and height in pixels, two arrays ``(n,)``, of the box around the strokes."""
    ink = strokes(images)

    def extent(occupied):
        last = occupied.shape[1] - occupied[:, ::-1].argmax(axis=1)
        return np.where(occupied.any(axis=1), last - occupied.argmax(axis=1), 0).astype(float)

    return extent(ink.any(axis=1)), extent(ink.any(axis=2))


# Disentanglement, completeness, informativeness --------------------------------------------------


def importances(train_codes, test_codes, train_values, test_values, seed=0):
    """How much of the variance of each factor each unit explains.

    Parameters
    ----------
    train_codes, test_codes : arrays ``(n, units)``.
    train_values, test_values : ``{factor: array (n,)}``.

    Returns
    -------
    array ``(units, factors)``: the importances of the units for a factor, in proportion to the
    R² that they lose if shuffled, with the sum R² on the test codes, or 0 if it is negative.
    """
    table = np.zeros((train_codes.shape[1], len(train_values)))
    for j, name in enumerate(train_values):
        known, asked = train_values[name], test_values[name]
        if not (np.ptp(known) and np.ptp(asked)):
            continue
        trees = HistGradientBoostingRegressor(
            max_iter=TREES, learning_rate=LEARNING_RATE, early_stopping=False, random_state=seed
        ).fit(train_codes, known)
        lost = permutation_importance(
            trees, test_codes, asked, scoring="r2", n_repeats=SHUFFLES, random_state=seed
        ).importances_mean.clip(min=0)
        if lost.any():
            table[:, j] = max(0.0, trees.score(test_codes, asked)) * lost / lost.sum()
    return table


def dci(table):
    """The score and its parts, by metric, of importances ``(units, factors)``, see above."""
    of_units, of_factors = table.sum(axis=1), table.sum(axis=0)
    explained_in_all = max(table.sum(), 1e-12)
    disentanglement = of_units @ _one_sidedness(table) / explained_in_all
    informativeness = of_factors.mean()
    return {
        "dci": disentanglement * informativeness,
        "dci_disentanglement": disentanglement,
        "dci_completeness": of_factors @ _one_sidedness(table.T) / explained_in_all,
        "dci_informativeness": informativeness,
    }


def _one_sidedness(rows):
    """1 − H of each row, scaled to the sum 1, to the base of its length; 1 for a single column."""
    if rows.shape[1] == 1:
        return np.ones(len(rows))
    share = rows / np.maximum(rows.sum(axis=1, keepdims=True), 1e-12)
    logs = np.log(share, out=np.zeros_like(share), where=share > 0)
    return 1 + (share * logs).sum(axis=1) / np.log(rows.shape[1])


def rotated(train_codes, test_codes, seed=0):
    """Both codes, scaled to unit variance and turned by one random rotation."""
    spread = train_codes.std(axis=0)
    spread[spread == 0] = 1
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.standard_normal((train_codes.shape[1],) * 2))
    return train_codes / spread @ turn, test_codes / spread @ turn


# Mutual information -----------------------------------------------------------------------------


def binned(values, bins=BINS):
    """Indices of bins with about equally many values; few different values get one bin each.

    Parameters
    ----------
    values : array ``(n,)``.

    Returns
    -------
    Integer array ``(n,)``; equal values are always in the same bin.
    """
    different, index = np.unique(values, return_inverse=True)
    if len(different) <= bins:
        return index
    edges = np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1])
    return np.searchsorted(edges, values, side="right")


def entropy(index):
    """Entropy in nats of the empirical distribution of integers ``(n,)``."""
    share = np.bincount(index) / len(index)
    share = share[share > 0]
    return float(-(share * np.log(share)).sum())


def mutual_information(a, b):
    """``I(a; b) = H(a) + H(b) − H(a, b)`` in nats of two integer arrays ``(n,)``."""
    together = a * (b.max() + 1) + b
    return max(0.0, entropy(a) + entropy(b) - entropy(together))


def information(codes, values):
    """``I(z_j; v_k) / H(v_k)`` for every unit and factor: array ``(units, factors)`` in [0, 1].

    A constant factor gives 0.

    Parameters
    ----------
    codes : array ``(n, units)``.
    values : ``{factor: array (n,)}``.
    """
    units = [binned(unit) for unit in np.asarray(codes).T]
    table = np.zeros((len(units), len(values)))
    for k, value in enumerate(map(binned, values.values())):
        of_factor = entropy(value)
        if of_factor > 0:
            table[:, k] = [mutual_information(unit, value) / of_factor for unit in units]
    return table


def gaps(table):
    """The mutual information gap of each factor, ``(factors,)``, from `information`'s table.

    With a single unit, the second best counts as 0.
    """
    ordered = np.sort(np.vstack([table, np.zeros(table.shape[1])]), axis=0)
    return ordered[-1] - ordered[-2]


# Of a trained model ------------------------------------------------------------------------------


def latents(model, images, seed=0):
    """One draw of the latent variables per image, array ``(n, units)``.

    For a variational model they are samples of q(z | x), as in Chen et al.: the mean of an unused
    unit still distinguishes images, by differences far smaller than the noise. A label in the code
    (conditional VAE) is left out: it was told, not found.
    """
    if not has_posterior(model):
        return unsupervised_code(model, images)
    z_mean, z_log_var, _ = posterior(model, images)
    return drawn(z_mean, z_log_var, np.random.default_rng(seed))


def traversals(encode, decode, image, spread, units, steps=STEPS):
    """Decode one image's code while one unit at a time moves through its range.

    Parameters
    ----------
    encode, decode : functions of images and codes.
    image : array ``(height, width)`` in [0, 1].
    spread : codes ``(n, ...)`` of many images; a unit moves from their 1 % to their 99 % quantile.
    units : indices of the units, counted over the flattened code.

    Returns
    -------
    array ``(units, steps, height, width)``.
    """
    code = encode(image[None])
    low, high = np.quantile(flat(spread)[:, units], QUANTILES, axis=0)
    moved = np.tile(code.reshape(-1), (len(units), steps, 1))
    for row, unit in enumerate(units):
        moved[row, :, unit] = np.linspace(low[row], high[row], steps)
    images = decode(moved.reshape(-1, *code.shape[1:]).astype(np.float32))
    return images.reshape(len(units), steps, *image.shape)


def measure(model, data, seed=0):
    """The measures `dci` of a model's code and of the same code rotated, and how it tells factors.

    ``r2_<factor>`` is the R² of each factor, of which ``dci_informativeness`` is the mean.
    ``factors_r2`` is the mean R² of a ridge regression, for what a linear map can tell. ``mig`` is
    the mean mutual information gap of the factors.
    """
    train, test = data.x_train[:N_TRAIN], data.x_test[:N_TEST]
    known, asked = _factors_of(data)
    codes = latents(model, train, seed + 1), latents(model, test, seed)
    table = importances(*codes, known, asked, seed)
    turned = importances(*rotated(*codes, seed), known, asked, seed)
    means = unsupervised_code(model, train), unsupervised_code(model, test)
    values = {
        **dci(table),
        "dci_rotated": dci(turned)["dci"],
        **{f"r2_{name}": r2 for name, r2 in zip(known, table.sum(axis=0), strict=True)},
        "factors_r2": _mean(explained(*means, known, asked)),
        "mig": _mean(gaps(information(codes[1], asked))),
    }
    shown = [MEASURED_FACTORS.index(name) for name in SHOWN_FACTORS]
    spread = model.encode(train)
    # The places of these units in the whole code, in which a label may come first
    places = np.arange(flat(spread).shape[1]).reshape(1, *spread.shape[1:])
    units = flat(without_labels(model, places))[0][table[:, shown].argmax(axis=0)]
    rows = traversals(model.encode, model.decode, to_unit(test[0]), spread, units)
    values = {name: float(value) for name, value in values.items()}
    return Measured(values, {"traversals": rows, "units": units})


def _mean(values):
    """The mean; NaN where no factor varies, as among images that are all alike."""
    return np.mean(values) if len(values) else np.nan


def explained(train_codes, test_codes, train_values, test_values):
    """List of R² on test codes by ridge regression, one per factor, without constant factors.

    Parameters
    ----------
    train_codes, test_codes : arrays ``(n, units)``.
    train_values, test_values : ``{factor: array (n,)}``.
    """
    mean, spread = train_codes.mean(axis=0), train_codes.std(axis=0)
    spread[spread <= 1e-6 * np.abs(train_codes).max(initial=1e-30)] = np.inf
    train, test = ((codes - mean) / spread for codes in (train_codes, test_codes))
    return [
        Ridge(1.0).fit(train, train_values[name]).score(test, test_values[name])
        for name in train_values
        if np.ptp(train_values[name]) and np.ptp(test_values[name])
    ]


@lru_cache(maxsize=2)
def _factors_of(data):
    """The factors of the training and test images that are used; the same for every model."""
    return factors(data.x_train[:N_TRAIN]), factors(data.x_test[:N_TEST])


def baselines(data, seed=0):
    """The same for sixteen principal components."""
    return {"pca-16": measure(principal_components(data), data, seed)}


# Picture -----------------------------------------------------------------------------------------


def figure(measured):
    """Draw one digit while each model's best unit for a factor moves through its range."""
    rows = [
        (f"{name}: {factor}, unit {unit + 1}", images)
        for name, one in measured.items()
        if "traversals" in one.views
        for factor, unit, images in zip(
            SHOWN_FACTORS, one.views["units"], one.views["traversals"], strict=True
        )
    ]
    if not rows:
        raise ValueError("nothing to draw: none of these has a code to move")
    between = len(rows[0][1]) - 2
    return image_rows(rows, ["lowest", *[""] * between, "highest"] if between >= 0 else ())
