"""How far two samples are from being of one distribution: an aggregated posterior and its prior.

Everything is NumPy in, numbers out.
"""

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier


def classifier_accuracy(a, b, seed=0):
    """Held-out accuracy of a k-NN classifier that tells two samples apart; 0.5 where it cannot.

    Half of the points train it, the other half are classified; k = √n as in the source.

    Parameters
    ----------
    a, b : arrays ``(n, units)`` and ``(m, units)``; n and m should be equal, or chance is not 0.5.

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
    """``2 E‖A − B‖ − E‖A − A′‖ − E‖B − B′‖``, unbiased; 0 where the distributions are one.

    Parameters
    ----------
    a, b : arrays ``(n, units)`` and ``(m, units)``, of at least two points each.
    at_most : points of each sample that are used, the first ones.

    References
    ----------
    Székely & Rizzo 2013, "Energy statistics", equation 5.
    """
    a, b = a[:at_most], b[:at_most]
    within = (cdist(s, s).sum() / (len(s) * (len(s) - 1)) for s in (a, b))
    return float(2 * cdist(a, b).mean() - sum(within))


def moments_matched(points, like):
    """``points`` moved and stretched so that mean and covariance are those of ``like``.

    With it two samples are compared by their shapes alone, which is what an affine layer cannot
    mend.

    Parameters
    ----------
    points, like : arrays ``(n, units)`` and ``(m, units)``.
    """
    centred = points - points.mean(axis=0)
    # pinv: a dead unit has no variance to stretch
    root = _square_root(np.linalg.pinv(np.cov(centred.T), hermitian=True))
    return centred @ root @ _square_root(np.cov(like.T)) + like.mean(axis=0)


def _square_root(matrix):
    values, vectors = np.linalg.eigh(np.atleast_2d(matrix))
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
