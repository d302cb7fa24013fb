"""Clustering: do the codes fall into groups, and are the groups the digits?

    accuracy = max_π 1/n Σ 1[y = π(c)]   over one-to-one maps π of clusters to digits
    NMI = I(y; c) / ½ (H(y) + H(c))      ARI = (RI − E RI) / (max RI − E RI)

k-means and a Gaussian mixture are fitted to training codes and asked about test codes. The labels
say how many clusters to look for and which name each gets; nothing else. Models that have
categories of their own are judged by those too.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix
from sklearn.mixture import GaussianMixture

from Code.figures.images import image_rows
from Code.parts.images import to_unit
from Code.tasks.features import unsupervised_code
from Code.tasks.task import Measured, Metric, unit_rows

N_TRAIN = 20_000
KMEANS_STARTS, MIXTURE_STARTS = 10, 2
# A covariance of more units has more parameters than the images can tell
MIXTURE_UNITS = 32
SHOWN = 16

METRICS = tuple(
    Metric(f"{name}_{how}", main=(name, how) == ("accuracy", "kmeans"))
    for how in ("kmeans", "mixture", "own")
    for name in ("accuracy", "nmi", "ari")
)


def matched(labels, clusters):
    """The one-to-one map of clusters to classes that agrees with most labels.

    Parameters
    ----------
    labels, clusters : integer arrays ``(n,)``.

    Returns
    -------
    dict: cluster → class. Where there are more clusters than classes, some have none and all their
    images count as errors.

    References
    ----------
    Kuhn 1955, "The Hungarian method for the assignment problem"; Xie et al. 2016, equation 10.
    """
    classes, groups = np.unique(labels), np.unique(clusters)
    rows, columns = linear_sum_assignment(contingency_matrix(labels, clusters), maximize=True)
    return dict(zip(groups[columns].tolist(), classes[rows].tolist(), strict=True))


def clustering_accuracy(labels, clusters):
    """Share of images in the cluster of their class, by the best one-to-one map (`matched`)."""
    names = matched(labels, clusters)
    named = np.array([names.get(cluster, -1) for cluster in np.asarray(clusters).tolist()])
    return float(np.mean(named == labels))


def agreement(labels, clusters, how):
    """``accuracy``, ``nmi`` and ``ari`` of a clustering, their names ending in ``_how``."""
    return {
        f"accuracy_{how}": clustering_accuracy(labels, clusters),
        f"nmi_{how}": float(normalized_mutual_info_score(labels, clusters)),
        f"ari_{how}": float(adjusted_rand_score(labels, clusters)),
    }


def kmeans(train, k, seed=0):
    """The function codes ``(n, units)`` → cluster ``(n,)`` of k-means, the best of ten starts."""
    return KMeans(k, n_init=KMEANS_STARTS, random_state=seed).fit(train).predict


def gaussian_mixture(train, k, seed=0):
    """The function codes → likeliest component of a mixture of normals with full covariances.

    Codes of more than 32 units are projected on their principal components first.
    """
    # In units of the codes' own spread, so that the least variance allowed is a share of it
    scale = train.std() or 1.0
    units = min(MIXTURE_UNITS, train.shape[1], len(train) - 1)
    pca = PCA(units, svd_solver="covariance_eigh").fit(train / scale)
    mixture = GaussianMixture(k, n_init=MIXTURE_STARTS, reg_covar=1e-4, random_state=seed)
    mixture.fit(pca.transform(train / scale))
    return lambda codes: mixture.predict(pca.transform(codes / scale))


def own_categories(model, images):
    """The category that the model itself gives each image, ``(n,)``, or None if it has none.

    Those are the likeliest category of a categorical code, and the petal of a prior that is a
    mixture. A model that was told labels in training has not found its categories.
    """
    if hasattr(model, "category_of") and not model.n_labels:
        return np.asarray(model.category_of(model.encode(images))).argmax(axis=1)
    if getattr(model, "prior", None) == "petals" and not model.with_labels:
        from Code.aae import nearest_petal

        return nearest_petal(model.encode(images))
    return None


def clustered(train, test, test_labels, k, seed=0):
    """Agreement of both clusterings of codes with the labels, and the clusters of k-means.

    Parameters
    ----------
    train, test : arrays ``(n, units)`` and ``(m, units)``; only the first 20,000 of ``train`` are
        used.
    test_labels : integer array ``(m,)``.
    k : number of clusters.

    Returns
    -------
    dict of figures, and array ``(m,)``.
    """
    # Double precision: k-means on codes far from 0 loses its last digits in single
    train, test = np.asarray(train[:N_TRAIN], np.float64), np.asarray(test, np.float64)
    groups = kmeans(train, k, seed)(test)
    values = agreement(test_labels, groups, "kmeans")
    values |= agreement(test_labels, gaussian_mixture(train, k, seed)(test), "mixture")
    return values, groups


def measure(model, data, seed=0):
    """How well clusters of a trained autoencoder's codes, or its categories, are the digits."""
    codes = (unsupervised_code(model, x) for x in (data.x_train[:N_TRAIN], data.x_test))
    values, groups = clustered(*codes, data.y_test, _n_classes(data), seed)
    own = own_categories(model, data.x_test)
    if own is not None:
        values |= agreement(data.y_test, own, "own")
    return Measured(values, _views(data, groups))


def baselines(data, seed=0):
    """The same for pixels and for 16 principal components."""
    train, test = (unit_rows(x) for x in (data.x_train[:N_TRAIN], data.x_test))
    pca = PCA(min(16, len(train) - 1), svd_solver="covariance_eigh").fit(train)
    found = {}
    for name, codes in (
        ("pixels", (train, test)),
        ("pca-16", (pca.transform(train), pca.transform(test))),
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
    """The mean of each cluster in the order of the digits that they are matched to."""
    means, names = mean_images(data.x_test, groups), matched(data.y_test, groups)
    digits = np.unique(data.y_test)
    by_digit = {digit: means[cluster] for cluster, digit in names.items()}
    blank = np.zeros(data.x_test.shape[1:], np.float32)
    return {"clusters": np.stack([by_digit.get(int(digit), blank) for digit in digits])}


# Picture and command line ------------------------------------------------------------------------


def figure(measured):
    """The mean image of each cluster of k-means, under the digit that it is matched to."""
    shown = {name: one for name, one in measured.items() if "clusters" in one.views}
    if not shown:
        raise ValueError("nothing to draw: nothing was clustered")
    return image_rows(
        [
            (f"{name}: {one.values['accuracy_kmeans']:.1%}", one.views["clusters"])
            for name, one in shown.items()
        ]
    )


def by_size(clusters):
    """The clusters numbered anew, the largest 0."""
    values, places, counts = np.unique(clusters, return_inverse=True, return_counts=True)
    rank = np.empty(len(values), int)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(values))
    return rank[places]
