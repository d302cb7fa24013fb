"""Linear probe: how well a linear classifier predicts the label from a frozen code."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

PENALTIES = (1.0, 10.0, 100.0, 1000.0)
SCALES = ("unit", "code")


def probe_accuracy(
    train_codes,
    train_labels,
    test_codes,
    test_labels,
    max_train=20_000,
    max_iterations=60,
    penalty=1.0,
    scale="unit",
):
    """Share of test codes that a logistic regression on the training codes classifies correctly.

    Codes are centred and scaled by mean and spread of the training codes; a constant unit is set
    to 0. Only the first ``max_train`` training codes are used, and L-BFGS stops after
    ``max_iterations`` steps, converged or not, so that 1,000 units take only seconds.

    Parameters
    ----------
    train_codes, test_codes : arrays ``(n, ...)``; further axes are flattened.
    train_labels, test_labels : integer arrays ``(n,)``.
    max_train : number of training codes to use, or None for all.
    penalty : weight of ½‖W‖² relative to the summed cross-entropy (1 / C in scikit-learn).
    scale : ``"unit"`` gives every unit the standard deviation 1; ``"code"`` scales all units
        by one factor, so that a rarely active unit remains small.

    Returns
    -------
    float in [0, 1].

    Raises
    ------
    ValueError
        If the training labels hold fewer than two classes, or the scale is unknown.

    References
    ----------
    Alain & Bengio 2016, "Understanding intermediate layers using linear classifier probes".
    """
    labels = np.asarray(train_labels)[:max_train]
    if len(np.unique(labels)) < 2:
        raise ValueError("a probe needs training labels of at least two classes")
    if scale not in SCALES:
        raise ValueError(f"scale must be one of {', '.join(map(repr, SCALES))}, not {scale!r}")
    train = _flat(np.asarray(train_codes)[:max_train])
    mean, spread = train.mean(axis=0), train.std(axis=0)
    if scale == "code":
        spread[:] = np.sqrt(np.mean(np.square(spread)))
    # Dividing by a standard deviation that is only rounding error would amplify rounding errors
    spread[spread <= 1e-6 * np.abs(train).max(initial=1e-30)] = np.inf
    probe = LogisticRegression(C=1 / penalty, max_iter=max_iterations)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        probe.fit((train - mean) / spread, labels)
    return float(probe.score((_flat(test_codes) - mean) / spread, test_labels))


def chosen_penalty(codes, labels, penalties=PENALTIES, max_train=20_000, **options):
    """The penalty whose probe is most accurate on held-out training images.

    The probes are fitted to the first ``max_train`` images (at most five sixths of all) and tried
    on the following 10,000. No test image is used.

    Parameters
    ----------
    codes, labels : codes and labels of the training images, as for `probe_accuracy`.
    penalties : the penalties to try; if several are equally good, the first is chosen.
    options : further arguments of `probe_accuracy`.
    """
    n = min(max_train, len(codes) * 5 // 6)
    held_out = slice(n, n + 10_000)
    return max(
        penalties,
        key=lambda penalty: probe_accuracy(
            codes[:n],
            labels[:n],
            codes[held_out],
            labels[held_out],
            None,
            penalty=penalty,
            **options,
        ),
    )


def _flat(codes):
    codes = np.asarray(codes, np.float32)
    return codes.reshape(len(codes), -1)
