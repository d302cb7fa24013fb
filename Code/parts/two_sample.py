"""How much the distributions of two samples differ: an aggregated posterior and its prior.

All functions take NumPy arrays and return numbers.
"""

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier


def classifier_accuracy(a, b, seed=0):
    """Held-out accuracy of a k-NN classifier between two samples; 0.5 if it cannot separate them.

    It is trained on half of the points and classifies the other half; k = √n as in the source.

    Parameters
    ----------
    a, b : arrays ``(n, units)`` and ``(m, units)``; chance is 0.5 only if n and m are equal.

    References
    ----------
    Lopez-Paz & Oquab 2017, "Revisiting classifier two-sample tests", section 3 (C2ST-KNN).
    """
    points = np.concatenate([a, b])
    origin = np.repeat([0, 1], [len(a), len(b)])
    seen, held, seen_origin, held_origin = train_test_split(
        points, origin, test_size=0.5, random_state=seed, stratify=origin
    )
    k = max(1, int(np.sqrt(len(seen))))
    return float(KNeighborsClassifier(k).fit(seen, seen_origin).score(held, held_origin))


def energy_distance(a, b, at_most=2000):
    """``2 E‖A − B‖ − E‖A − A′‖ − E‖B − B′‖``, unbiased; 0 for equal distributions.

    Parameters
    ----------
    a, b : arrays ``(n, units)`` and ``(m, units)`` of at least two points each.
    at_most : number of points used from each sample: the first ones.

    References
    ----------
    Székely & Rizzo 2013, "Energy statistics", equation 5.
    """
    a, b = a[:at_most], b[:at_most]
    within = (cdist(s, s).sum() / (len(s) * (len(s) - 1)) for s in (a, b))
    return float(2 * cdist(a, b).mean() - sum(within))


def moments_matched(points, like):
    """Shift and stretch ``points`` so that their mean and covariance equal those of ``like``.

    After this, two samples differ only in shape, which no affine layer could correct.

    Parameters
    ----------
    points, like : arrays ``(n, units)`` and ``(m, units)``.
    """
    centred = points - points.mean(axis=0)
    # Pseudo-inverse: a dead unit has no variance, so the inverse may not exist
    root = _square_root(np.linalg.pinv(np.cov(centred.T), hermitian=True))
    return centred @ root @ _square_root(np.cov(like.T)) + like.mean(axis=0)


def _square_root(matrix):
    values, vectors = np.linalg.eigh(np.atleast_2d(matrix))
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
