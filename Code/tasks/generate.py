"""Generation: are images decoded from sampled codes similar to real ones without copying them?

    mixture  z ~ Σ_k π_k N(μ_k, Σ_k), fitted to the codes of the training images;    x = G(z)
    prior    z ~ N(0, I), or another prior with which the model was trained;         x = G(z)

    FD² = ‖μ_r − μ_g‖² + tr(Σ_r + Σ_g − 2 (Σ_r Σ_g)^½)                    (Heusel et al. 2017)
    precision: share of generated images within the manifold of real ones; recall: share of real
    images within the manifold of generated ones                     (Kynkäänniemi et al. 2019)

Every model can draw from a mixture of its codes, so by this they are all ranked. Those that were
trained towards a prior draw from it as well, and are ranked by this among themselves: it asks more,
for nothing is fitted to the codes after training.

All measures are computed in the features of a small classifier that is trained in the run, or in 64
principal components of the pixels where the data do not have two classes. The real images are test
images; the training images' distance to them is the best possible value.
"""

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from sklearn.mixture import GaussianMixture

from Code.data.datasets import Dataset
from Code.figures.images import image_rows
from Code.parts.components import fitted_pca
from Code.parts.images import to_unit
from Code.parts.unconverged import may_stop_early
from Code.tasks.principal import principal_components
from Code.tasks.task import Measured, Metric, unit_rows

# Fréchet distances of few images are biased upwards, so all models and baselines get this number
N_SAMPLES = 10_000
N_MANIFOLD = 3_000
NEIGHBOURS = 3
N_COPIES = 500
# Moments and mixtures are of two images at least
LEAST_IMAGES = (2, 2)
N_MIDPOINTS = 2_000
MIXTURE_TRAIN, MIXTURE_COMPONENTS, MIXTURE_UNITS = 10_000, 10, 32
# Of 10, 30 and 100 Gaussians in 16, 32 and 64 principal components, these gave 5,000 held-out
# training images the highest likelihood, with normal noise for what the components leave out
PIXEL_COMPONENTS, PIXEL_MIXTURE = 64, 30
READER_SEED, READER_STEPS, READER_BATCH, READER_UNITS = 0, 1400, 128, 64
SHOWN = 10
# Measured with the baselines, but not one of them: no model is expected to be better
BOUNDS = ("training images",)

METRICS = (
    Metric("frechet_mixture", higher_is_better=False, main=True),
    Metric("precision_mixture"),
    Metric("recall_mixture"),
    Metric("nearest_training_mixture"),
    Metric("frechet_prior", higher_is_better=False, own_column=True),
    Metric("precision_prior"),
    Metric("recall_prior"),
    Metric("nearest_training_prior"),
    Metric("precision_midpoints"),
)
# The two ways to draw codes, in the order of their columns
WAYS = ("mixture", "prior")


# Features: a small classifier, trained once per process -------------------------------------------


@dataclass(frozen=True)
class _Known:
    """A data set as a cache key: two data sets of the same source and size are equal."""

    sha256: str
    n_train: int
    n_test: int
    data: Dataset = field(compare=False, repr=False)


def _known(data):
    return _Known(data.sha256, len(data.x_train), len(data.x_test), data)


def features(data, images):
    """Features ``(n, 64)`` of images: the last hidden layer of this data set's classifier.

    Without two classes there is no classifier; the features are then principal components.
    """
    if not data.has_classes:
        return principal_components(data, READER_UNITS).encode(images)
    return _reader(_known(data))(images)


@lru_cache(maxsize=2)
def _reader(known):
    """Train the classifier; return the function images → features.

    It has two convolutions of stride 2 and a dense layer. All its random numbers use their own
    seeds, so it neither depends on Keras's global seed nor changes it.
    """
    import keras
    from keras import layers

    from Code.base import Classifier

    def start(i):
        return keras.initializers.GlorotUniform(seed=READER_SEED + i)

    x, y = known.data.x_train, known.data.y_train
    image = keras.Input(x.shape[1:], name="image")
    h = layers.Reshape((*x.shape[1:], 1))(image) if x.ndim == 3 else image
    for i, filters in enumerate((16, 32)):
        h = layers.Conv2D(
            filters, 3, 2, padding="same", activation="relu", kernel_initializer=start(i)
        )(h)
    h = layers.Flatten()(h)
    h = layers.Dense(READER_UNITS, "relu", kernel_initializer=start(2), name="features")(h)
    n_classes = len(known.data.classes)
    output = layers.Dense(n_classes, "softmax", kernel_initializer=start(3))(h)
    classifier = Classifier(keras.Model(image, output, name="network"))
    # XLA compiles convolutions for minutes, and of few images there are many steps
    classifier.compile_with_xla = False
    classifier.compile()
    order = np.random.default_rng(READER_SEED).permutation(len(x))
    # Equally many steps for few images, because an untrained classifier cannot tell images apart
    epochs = -(-READER_STEPS // max(1, len(x) // READER_BATCH))
    classifier.fit(
        x[order], y[order], batch_size=READER_BATCH, epochs=epochs, shuffle=False, verbose=0
    )
    network = keras.Model(image, h)
    return lambda images: classifier.in_batches("features", network, images, 1000)


@lru_cache(maxsize=2)
def _real(known):
    """Reference values of the test images: features, moments, radii, distance to training set."""
    data = known.data
    found = features(data, data.x_test[:N_SAMPLES])
    return {
        "moments": moments(found),
        "points": found[:N_MANIFOLD],
        "radii": radii(found[:N_MANIFOLD]),
        "distance": nearest(data.x_test[:N_COPIES], data.x_train)[1].mean(),
    }


# Measures ----------------------------------------------------------------------------------------


def moments(points):
    """Mean ``(units,)`` and covariance ``(units, units)`` of points ``(n, units)``."""
    points = np.asarray(points, np.float64)
    return points.mean(axis=0), np.atleast_2d(np.cov(points, rowvar=False))


def frechet_distance(real, generated):
    """``‖μ_r − μ_g‖² + tr(Σ_r + Σ_g − 2 (Σ_r Σ_g)^½)``: squared distance of two Gaussians.

    Parameters
    ----------
    real, generated : pairs (mean, covariance), see `moments`.

    References
    ----------
    Heusel et al. 2017, "GANs trained by a two time-scale update rule", equation 6; Dowson &
    Landau 1982.
    """
    (mean_r, cov_r), (mean_g, cov_g) = real, generated
    # Σ_r^½ Σ_g Σ_r^½ has the same eigenvalues as Σ_r Σ_g but is symmetric: its root cannot become
    # complex by rounding, and units that are always 0 cause no problem
    values, vectors = np.linalg.eigh(cov_r)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    trace = np.sqrt(np.clip(np.linalg.eigvalsh(root @ cov_g @ root), 0, None)).sum()
    distance = np.sum(np.square(mean_r - mean_g)) + np.trace(cov_r + cov_g) - 2 * trace
    return float(max(distance, 0.0))


def radii(points, k=NEIGHBOURS):
    """Squared distance, ``(n,)``, of each point ``(n, units)`` to its k-th nearest other point."""
    distances = _squared_distances(points, points)
    # The nearest point to each point is itself
    np.fill_diagonal(distances, 0.0)
    k = min(k, len(points) - 1)
    return np.partition(distances, k, axis=1)[:, k]


def coverage(queries, points, squared_radii):
    """Share of ``queries`` that lie within the ball of at least one of ``points``.

    With real points and their `radii` this is the precision of generated queries; with generated
    points and their radii it is the recall of real queries.

    References
    ----------
    Kynkäänniemi et al. 2019, "Improved precision and recall metric for assessing generative
    models", equations 1 and 2.
    """
    inside = _squared_distances(queries, points) <= squared_radii
    return float(inside.any(axis=1).mean())


def nearest(images, among):
    """Indices ``(n,)`` of the nearest images in ``among``, and their distances ``‖x − x′‖``.

    Parameters
    ----------
    images, among : arrays ``(n, height, width)`` and ``(m, height, width)``: uint8, or floats in
        [0, 1].
    """
    flat = unit_rows(images)
    best = np.full(len(flat), np.inf, np.float32)
    places = np.zeros(len(flat), int)
    for start in range(0, len(among), 10_000):
        distances = _squared_distances(flat, unit_rows(among[start : start + 10_000]))
        place = distances.argmin(axis=1)
        found = distances[np.arange(len(flat)), place]
        places = np.where(found < best, start + place, places)
        best = np.minimum(found, best)
    return places, np.sqrt(best)


def _squared_distances(a, b):
    a, b = (np.asarray(part, np.float32) for part in (a, b))
    squares = np.square(a).sum(axis=1)[:, None] + np.square(b).sum(axis=1)
    return np.maximum(squares - 2 * a @ b.T, 0)


# Codes to decode ---------------------------------------------------------------------------------


def prior_codes(model, n, seed=0):
    """``n`` codes from the model's own prior, or None if it has none.

    The prior is N(0, I) for VAEs and other models trained towards it; for the conditional VAE, a
    style from N(0, I) and a uniformly drawn label; for adversarial models, the prior of their
    training.
    """
    rng = np.random.default_rng(seed)
    if model.has_prior:
        return rng.standard_normal((n, *model.decoder.input_shape[1:]), np.float32)
    if hasattr(model, "labeller"):
        style = rng.standard_normal((n, model.code_dim), np.float32)
        labels = rng.integers(0, model.n_labels, n)
        return np.concatenate([style, np.eye(model.n_labels, dtype=np.float32)[labels]], axis=1)
    if hasattr(model, "prior_draws"):
        import keras

        return np.asarray(model.prior_draws(n, seed=keras.random.SeedGenerator(seed)))
    return None


def mixture_codes(codes, n, seed=0, components=MIXTURE_COMPONENTS, units=MIXTURE_UNITS):
    """``n`` codes from a Gaussian mixture with full covariances, fitted to ``codes``.

    Codes of more than ``units`` units are projected onto their principal components, and the
    samples back. Only the first 10,000 codes are used.

    Parameters
    ----------
    codes : array ``(m, ...)``; further axes are flattened, and restored in the result.

    References
    ----------
    Ghosh et al. 2020, "From variational to deterministic autoencoders", section 4 (ex-post density
    estimation).
    """
    shape, flat = codes.shape[1:], codes[:MIXTURE_TRAIN].reshape(len(codes[:MIXTURE_TRAIN]), -1)
    flat = flat.astype(np.float64)
    # Scaled by the codes' spread, because scikit-learn's minimum variance is an absolute value
    scale = flat.std() or 1.0
    units = min(units, flat.shape[1], len(flat) - 1)
    pca = fitted_pca(units, flat / scale)
    components = min(components, len(flat))
    mixture = GaussianMixture(components, reg_covar=1e-6, random_state=seed)
    with may_stop_early():
        drawn, _ = mixture.fit(pca.transform(flat / scale)).sample(n)
    # scikit-learn returns the samples sorted by component
    drawn = np.random.default_rng(seed).permutation(drawn)
    return (pca.inverse_transform(drawn) * scale).reshape(n, *shape).astype(np.float32)


def fitted_codes(model, images, n, seed=0):
    """``n`` codes of `mixture_codes`, fitted to the codes of ``images``.

    Samples are turned into valid codes: for a vector-quantised model, each vector becomes its
    nearest codebook entry. For a conditional VAE, the labels are drawn from those of ``images``.
    """
    codes = model.encode(images[:MIXTURE_TRAIN])
    if hasattr(model, "labeller"):
        styles = mixture_codes(codes[:, : model.code_dim], n, seed)
        chosen = np.random.default_rng(seed).integers(0, len(codes), n)
        return np.concatenate([styles, codes[chosen, model.code_dim :]], axis=1)
    drawn = mixture_codes(codes, n, seed)
    if hasattr(model, "quantiser"):
        return model.in_batches("quantised", model.quantiser, drawn, 1000)
    return drawn


def draws(model, data, n, seed=0):
    """``n`` codes ``{"mixture": codes}``, and by ``"prior"`` if the model has one.

    See `fitted_codes` and `prior_codes`.
    """
    found = {"mixture": fitted_codes(model, data.x_train, n, seed)}
    codes = prior_codes(model, n, seed)
    return found if codes is None else {**found, "prior": codes}


def between(start, end, steps):
    """Codes ``(steps, ...)`` on the straight line from ``start`` to ``end``, both included."""
    share = np.linspace(0, 1, steps, dtype=np.float32).reshape(-1, *[1] * np.ndim(start))
    return (1 - share) * start + share * end


def interpolations(model, first, last, steps=SHOWN):
    """Images ``(steps, height, width)`` decoded on the line from one image's code to another's.

    Parameters
    ----------
    first, last : arrays ``(height, width)``.
    """
    codes = model.encode(np.stack([first, last]))
    return model.decode(between(*codes, steps))


# The use -----------------------------------------------------------------------------------------


def likeness(images, data):
    """How similar generated ``images`` are to the real images ``data.x_test``.

    Returns
    -------
    dict: ``frechet``, ``precision`` and ``recall`` as above; ``nearest_training``, the mean
    distance of generated images to their nearest training images, divided by that of test images:
    about 0 if training images are copied.
    """
    real, found = _real(_known(data)), features(data, images)
    points = found[:N_MANIFOLD]
    _, distances = nearest(images[:N_COPIES], data.x_train)
    distance = float(distances.mean())
    return {
        "frechet": frechet_distance(real["moments"], moments(found)),
        "precision": coverage(points, real["points"], real["radii"]),
        "recall": coverage(real["points"], points, radii(points)),
        "nearest_training": distance / real["distance"] if real["distance"] else math.nan,
    }


def measure(model, data, seed=0):
    """`likeness` of a trained autoencoder's draws, and precision of images between two codes.

    The names of the measures end in the way in which the codes were drawn, see `draws`.
    ``precision_midpoints`` is the precision of images decoded half-way between the codes of two
    test images.
    """
    drawn = {way: model.decode(codes) for way, codes in draws(model, data, N_SAMPLES, seed).items()}
    measured = judged(drawn, data)
    measured.values["precision_midpoints"] = midpoint_precision(model, data, seed)
    few = data.x_test[: 2 * SHOWN]
    measured.views["interpolations"] = interpolations(model, few[0], few[1])
    return measured


def judged(drawn, data):
    """`likeness` of images, some of them, and what in the training set is nearest to a mixture's.

    Parameters
    ----------
    drawn : ``{way: images}``, the ways as in `draws`.
    """
    values, views = {}, {}
    for way, images in drawn.items():
        values |= {f"{name}_{way}": value for name, value in likeness(images, data).items()}
        shown = images[:SHOWN]
        views[f"samples_{way}"] = to_unit(shown)
        # A mixture is fitted to training codes, so that its draws might be copies
        if way == "mixture":
            views["neighbours"] = to_unit(data.x_train[nearest(shown, data.x_train)[0]])
    return Measured(values, views)


def midpoint_precision(model, data, seed=0):
    """Precision of the images decoded half-way between the codes of random pairs of test images."""
    codes = model.encode(data.x_test[: 2 * N_MIDPOINTS])
    order = np.random.default_rng(seed).permutation(len(codes) // 2 * 2)
    halves = codes[order[::2]], codes[order[1::2]]
    middle = model.decode(0.5 * (halves[0] + halves[1]))
    real = _real(_known(data))
    return coverage(features(data, middle), real["points"], real["radii"])


def baselines(data, seed=0):
    """The same for principal components, a mixture of the pixels, and the training images.

    ``"pca-16"`` draws from the same mixture as the models, and, as a prior, from the normal
    distribution that probabilistic PCA gives its components (Tipping & Bishop 1999), which has the
    variances of the codes. ``"mixture of pixels"`` is what one would fit without a network, see
    `PIXEL_COMPONENTS`. The training images are what no model is expected to exceed.
    """
    pca = principal_components(data)
    order = np.random.default_rng(seed).permutation(len(data.x_train))[:N_SAMPLES]
    found = {
        "pca-16": judged(
            {way: pca.decode(codes) for way, codes in linear_draws(pca, data, seed).items()}, data
        ),
        "mixture of pixels": judged({"mixture": pixel_draws(data, N_SAMPLES, seed)}, data),
    }
    bound = judged({"mixture": data.x_train[order]}, data)
    # They are drawn in neither way, and bound both
    values = {name.replace("mixture", "prior"): value for name, value in bound.values.items()}
    return {**found, "training images": Measured({**bound.values, **values}, bound.views)}


def linear_draws(pca, data, seed=0):
    """`draws` of principal components, whose prior is a normal distribution of their codes."""
    codes = pca.encode(data.x_train[:MIXTURE_TRAIN])
    normal = np.random.default_rng(seed).standard_normal((N_SAMPLES, codes.shape[1]))
    return {
        "mixture": mixture_codes(codes, N_SAMPLES, seed),
        "prior": (codes.mean(axis=0) + codes.std(axis=0) * normal).astype(np.float32),
    }


def pixel_draws(data, n, seed=0):
    """``n`` images from a mixture of Gaussians, fitted to principal components of the pixels.

    References
    ----------
    Richardson & Weiss 2018, "On GANs and GMMs", who draw faces from such mixtures.
    """
    pca = principal_components(data, PIXEL_COMPONENTS)
    codes = pca.encode(data.x_train[:MIXTURE_TRAIN])
    return pca.decode(mixture_codes(codes, n, seed, PIXEL_MIXTURE, PIXEL_COMPONENTS))


# Picture -----------------------------------------------------------------------------------------


def figure(measured):
    """Draw samples and the path from one test image to another.

    Those from a mixture of codes stand above their nearest training images, of which they might be
    copies.
    """
    rows = []
    for name, one in measured.items():
        for way in WAYS:
            if f"samples_{way}" in one.views:
                drawn = name if name in BOUNDS or way in name else f"{name}, {way}"
                distance = one.values[f"frechet_{way}"]
                rows.append((f"{drawn}: FD {distance:.1f}", one.views[f"samples_{way}"]))
                if way == "mixture" and name not in BOUNDS:
                    rows.append(("nearest in training", one.views["neighbours"]))
        if "interpolations" in one.views:
            rows.append((f"{name}: interpolated", one.views["interpolations"]))
    return image_rows(rows)
