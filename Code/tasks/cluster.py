"""Clustering: do the codes fall into groups, and are the groups the digits?

    accuracy = max_π 1/n Σ 1[y = π(c)]   over one-to-one maps π of clusters to digits
    NMI = I(y; c) / ½ (H(y) + H(c))      ARI = (RI − E RI) / (max RI − E RI)

k-means and a Gaussian mixture are fitted to training codes and applied to test codes. The labels
are used only for the number of clusters and for naming them. Models with their own categories are
also measured by those. The rivals are clusters of pixels, of principal components, and of the map
that t-SNE makes of training images, in which test images are placed.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix
from sklearn.mixture import GaussianMixture

from Code.figures.images import image_rows
from Code.parts.components import WIDEST_IMAGES, fitted_pca
from Code.parts.images import to_unit
from Code.parts.unconverged import may_stop_early
from Code.tasks.reduce import TSNE_BY_NEIGHBOURS, tsne_by_neighbours
from Code.tasks.task import Measured, Metric, unit_rows
from Code.training.codes import unsupervised_code

N_TRAIN = 20_000
KMEANS_STARTS, MIXTURE_STARTS = 10, 2
# With more units, a covariance has more parameters than the images can determine
MIXTURE_UNITS = 32
SHOWN = 16

NEEDS_LABELS = True
METRICS = tuple(
    Metric(f"{name}_{how}", main=(name, how) == ("accuracy", "kmeans"))
    for how in ("kmeans", "mixture", "own")
    for name in ("accuracy", "nmi", "ari")
)


def matched(labels, clusters):
    """The one-to-one map of clusters to classes that agrees with the most labels.

    Parameters
    ----------
    labels, clusters : integer arrays ``(n,)``.

    Returns
    -------
    dict: cluster → class. If there are more clusters than classes, some clusters have no class, and
    all their images count as errors.

    References
    ----------
    Kuhn 1955, "The Hungarian method for the assignment problem"; Xie et al. 2016, equation 10.
    """
    classes, groups = np.unique(labels), np.unique(clusters)
    rows, columns = linear_sum_assignment(contingency_matrix(labels, clusters), maximize=True)
    return dict(zip(groups[columns].tolist(), classes[rows].tolist(), strict=True))


def clustering_accuracy(labels, clusters):
    """Share of images in the cluster of their class, for the best one-to-one map (`matched`)."""
    names = matched(labels, clusters)
    named = np.array([names.get(cluster, -1) for cluster in np.asarray(clusters).tolist()])
    return float(np.mean(named == labels))


def agreement(labels, clusters, how):
    """``accuracy``, ``nmi`` and ``ari`` of a clustering; ``how`` is the ending of their names."""
    return {
        f"accuracy_{how}": clustering_accuracy(labels, clusters),
        f"nmi_{how}": float(normalized_mutual_info_score(labels, clusters)),
        f"ari_{how}": float(adjusted_rand_score(labels, clusters)),
    }


def kmeans(train, k, seed=0):
    """k-means, best of ten starts, as a function codes ``(n, units)`` → clusters ``(n,)``."""
    with may_stop_early():
        return KMeans(k, n_init=KMEANS_STARTS, random_state=seed).fit(train).predict


def gaussian_mixture(train, k, seed=0):
    """Gaussian mixture with full covariances, as a function codes → most likely component.

    Codes of more than 32 units are first projected onto their principal components.
    """
    # Scaled by the codes' spread, because scikit-learn's minimum variance is an absolute value
    scale = train.std() or 1.0
    units = min(MIXTURE_UNITS, train.shape[1], len(train) - 1)
    pca = fitted_pca(units, train / scale)
    mixture = GaussianMixture(k, n_init=MIXTURE_STARTS, reg_covar=1e-4, random_state=seed)
    with may_stop_early():
        mixture.fit(pca.transform(train / scale))
    return lambda codes: mixture.predict(pca.transform(codes / scale))


def own_categories(model, images):
    """The category ``(n,)`` that the model itself assigns to each image, or None without any.

    This is the most likely category of a categorical code, or the petal of a mixture prior. A model
    that was trained with labels has not found its categories by itself and gives None.
    """
    if hasattr(model, "category_of") and not model.n_labels:
        return np.asarray(model.category_of(model.encode(images))).argmax(axis=1)
    if getattr(model, "prior", None) == "petals" and not model.with_labels:
        from Code.aae import nearest_petal

        return nearest_petal(model.encode(images))
    return None


def clustered(train, test, test_labels, k, seed=0):
    """Agreement of both clustering methods with the labels, and the clusters of k-means.

    Parameters
    ----------
    train, test : codes ``(n, units)`` and ``(m, units)``; only the first 20,000 of ``train`` are
        used.
    test_labels : integer array ``(m,)``.
    k : number of clusters.

    Returns
    -------
    dict of measures, and the clusters of ``test``, array ``(m,)``.
    """
    # Double precision: in single precision k-means is inaccurate for codes far from 0
    train, test = np.asarray(train[:N_TRAIN], np.float64), np.asarray(test, np.float64)
    groups = kmeans(train, k, seed)(test)
    values = agreement(test_labels, groups, "kmeans")
    values |= agreement(test_labels, gaussian_mixture(train, k, seed)(test), "mixture")
    return values, groups


def measure(model, data, seed=0):
    """How well clusters of a trained autoencoder's codes, or its categories, match the digits."""
    codes = (unsupervised_code(model, x) for x in (data.x_train[:N_TRAIN], data.x_test))
    values, groups = clustered(*codes, data.y_test, _n_classes(data), seed)
    own = own_categories(model, data.x_test)
    if own is not None:
        values |= agreement(data.y_test, own, "own")
    return Measured(values, _views(data, groups))


def baselines(data, seed=0):
    """The same for pixels, for 16 principal components and for a map by t-SNE."""
    train, test = (unit_rows(x) for x in (data.x_train[:N_TRAIN], data.x_test))
    pca = fitted_pca(min(16, len(train) - 1), train, WIDEST_IMAGES)
    found = {}
    for name, codes in (
        ("pixels", (train, test)),
        ("pca-16", (pca.transform(train), pca.transform(test))),
        (TSNE_BY_NEIGHBOURS, tsne_by_neighbours(train, test, seed)),
    ):
        values, groups = clustered(*codes, data.y_test, _n_classes(data), seed)
        found[name] = Measured(values, _views(data, groups))
    return found


def _n_classes(data):
    return len(np.unique(data.y_train))


def mean_images(images, clusters):
    """The mean image of each cluster, ``{cluster: array (height, width)}``, in [0, 1]."""
    return {int(c): to_unit(images[clusters == c]).mean(axis=0) for c in np.unique(clusters)}


def _views(data, groups):
    """The mean image of each cluster, in the order of the digits matched to them."""
    means, names = mean_images(data.x_test, groups), matched(data.y_test, groups)
    digits = np.unique(data.y_test)
    by_digit = {digit: means[cluster] for cluster, digit in names.items()}
    blank = np.zeros(data.x_test.shape[1:], np.float32)
    return {"clusters": np.stack([by_digit.get(int(digit), blank) for digit in digits])}


# Picture -----------------------------------------------------------------------------------------


def figure(measured):
    """Draw the mean image of each cluster of k-means below its matched digit."""
    shown = {name: one for name, one in measured.items() if "clusters" in one.views}
    if not shown:
        raise ValueError("nothing to draw: nothing was clustered")
    rows = [
        (f"{name}: {one.values['accuracy_kmeans']:.1%}", one.views["clusters"])
        for name, one in shown.items()
    ]
    return image_rows(rows, [str(label) for label in range(len(rows[0][1]))])


def by_size(clusters):
    """Renumber the clusters by size; the largest becomes 0."""
    values, places, counts = np.unique(clusters, return_inverse=True, return_counts=True)
    rank = np.empty(len(values), int)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(values))
    return rank[places]
