"""How much the distributions of two samples differ: an aggregated posterior and its prior.

All functions take NumPy arrays.
"""

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

# The best classifier of two equally large samples is right in ½ + ½ TV of the cases, where TV is
# the total variation distance of their distributions. So 0.65 is not passed unless TV > 0.3: three
# draws of the prior in ten lie where there are too few codes for the decoder to have learned from
PRIOR_MET = 0.65


def prior_met(accuracy):
    """Whether codes count as distributed like their prior, by their `classifier_accuracy`."""
    return accuracy <= PRIOR_MET


def prior_measures(codes, draws):
    """How far codes are from their prior, ``{name: number}``.

    ``prior_accuracy``: accuracy of a classifier that separates them from draws of the prior; 0.5 is
    best. ``prior_met``: 1 where that is at most `PRIOR_MET`, otherwise 0.
    ``prior_accuracy_matched``: the accuracy after the codes were given the prior's mean and
    covariance. ``prior_energy``: their energy distance.

    Parameters
    ----------
    codes, draws : arrays ``(n, units)``, equally many of both.
    """
    accuracy = classifier_accuracy(codes, draws)
    return {
        "prior_accuracy": accuracy,
        "prior_met": float(prior_met(accuracy)),
        "prior_accuracy_matched": classifier_accuracy(moments_matched(codes, draws), draws),
        "prior_energy": energy_distance(codes, draws),
    }


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
    covariance = np.atleast_2d(np.cov(centred.T))
    # Pseudo-inverse: a dead unit has no variance, so the inverse may not exist
    root = _square_root(np.linalg.pinv(covariance, hermitian=True))
    return centred @ root @ _square_root(np.cov(like.T)) + like.mean(axis=0)


def _square_root(matrix):
    values, vectors = np.linalg.eigh(np.atleast_2d(matrix))
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
