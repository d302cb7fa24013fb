"""Linear probe: how much of the label a straight boundary can read from a frozen code."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression


def probe_accuracy(
    train_codes, train_labels, test_codes, test_labels, max_train=20_000, max_iterations=60,
    penalty=1.0,
):  # fmt: skip
    """Share of test codes that a logistic regression on the training codes classifies rightly.

    Codes are standardised by the training codes' mean and standard deviation; a unit that never
    changes stays at 0. Only the first ``max_train`` training codes are used and L-BFGS stops after
    ``max_iterations`` steps, converged or not, so that 1,000 units take seconds.

    Parameters
    ----------
    train_codes, test_codes : arrays ``(n, ...)``; further axes are flattened.
    train_labels, test_labels : integer arrays ``(n,)``.
    max_train : training codes to use, or None for all.
    penalty : weight of ½‖W‖² beside the summed cross-entropy (1 / C of scikit-learn).

    Returns
    -------
    float in [0, 1].

    Raises
    ------
    ValueError
        If the training labels hold fewer than two classes.

    References
    ----------
    Alain & Bengio 2016, "Understanding intermediate layers using linear classifier probes".
    """
    labels = np.asarray(train_labels)[:max_train]
    if len(np.unique(labels)) < 2:
        raise ValueError("a probe needs training labels of at least two classes")
    train = _flat(np.asarray(train_codes)[:max_train])
    mean, scale = train.mean(axis=0), train.std(axis=0)
    # A standard deviation that is all rounding error would blow rounding errors up
    scale[scale <= 1e-6 * np.abs(train).max(initial=1e-30)] = np.inf
    probe = LogisticRegression(C=1 / penalty, max_iter=max_iterations)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        probe.fit((train - mean) / scale, labels)
    return float(probe.score((_flat(test_codes) - mean) / scale, test_labels))


def _flat(codes):
    codes = np.asarray(codes, np.float32)
    return codes.reshape(len(codes), -1)
