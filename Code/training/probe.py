"""Linear probe: how well a linear classifier predicts the label from a frozen code.

    p(c | z) ∝ exp(w_c · (z − μ) / s + b_c)        W = argmin Σᵢ −log p(cᵢ | zᵢ) + ½ λ ‖W‖²

s is either the standard deviation of each unit, or one number for all units. The second leaves a
code as it is, up to a factor that λ makes good: rare units, such as pixels at the edge of an image
or collapsed units of a VAE, are not blown up. Which is better depends on the code, so it is chosen
together with λ, on the labelled images alone and by the same rule for every code (`chosen_probe`).
"""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from Code.parts.unconverged import may_stop_early

PENALTIES = (1.0, 10.0, 100.0, 1000.0)
SCALES = ("unit", "code")
# Of `chosen_probe`: the strongest penalty first, since each fit starts from the one before
TRIED = (100.0, 10.0, 1.0)
FOLDS = 5
MANY = 3000
# One label a class leaves none to choose by
DEFAULT = {"scale": "code", "penalty": 1.0}


@dataclass(frozen=True)
class Probe:
    """A fitted linear probe: the centre and the scale of the code, and the logistic regression."""

    mean: np.ndarray
    spread: np.ndarray
    regression: LogisticRegression

    def probabilities(self, codes):
        """Class probabilities ``(n, classes)``, in the order of ``regression.classes_``."""
        return self.regression.predict_proba((_flat(codes) - self.mean) / self.spread)

    def accuracy(self, codes, labels):
        """Share of the codes that are classified correctly."""
        return float(self.regression.score((_flat(codes) - self.mean) / self.spread, labels))


def fitted_probe(codes, labels, penalty=1.0, scale="unit", max_iterations=60, like=None):
    """Fit a `Probe`; L-BFGS stops after ``max_iterations`` steps, converged or not.

    Codes are centred and scaled by mean and spread of these codes; a constant unit is set to 0.

    Parameters
    ----------
    codes : array ``(n, ...)``; further axes are flattened.
    labels : integer array ``(n,)``.
    penalty : λ, the weight of ½‖W‖² relative to the summed cross-entropy (1 / C in scikit-learn).
    scale : ``"unit"`` gives every unit the standard deviation 1; ``"code"`` scales all units
        by one factor, so that a rarely active unit remains small.
    like : a probe of the same codes and scale, from whose weights the fit starts.

    Raises
    ------
    ValueError
        If the labels hold fewer than two classes, or the scale is unknown.

    References
    ----------
    Alain & Bengio 2016, "Understanding intermediate layers using linear classifier probes".
    """
    if len(np.unique(labels)) < 2:
        raise ValueError("a probe needs training labels of at least two classes")
    if scale not in SCALES:
        raise ValueError(f"scale must be one of {', '.join(map(repr, SCALES))}, not {scale!r}")
    codes = _flat(codes)
    mean, spread = codes.mean(axis=0), codes.std(axis=0)
    if scale == "code":
        spread[:] = np.sqrt(np.mean(np.square(spread)))
    # Dividing by a standard deviation that is only rounding error would amplify rounding errors
    spread[spread <= 1e-6 * np.abs(codes).max(initial=1e-30)] = np.inf
    regression = LogisticRegression(C=1 / penalty, max_iter=max_iterations, warm_start=True)
    if like is not None:
        regression.coef_, regression.intercept_ = like.regression.coef_, like.regression.intercept_
        regression.classes_ = like.regression.classes_
    with may_stop_early():
        regression.fit((codes - mean) / spread, labels)
    return Probe(mean, spread, regression)


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

    Only the first ``max_train`` training codes are used, so that 1,000 units take only seconds.

    Parameters
    ----------
    train_codes, test_codes : arrays ``(n, ...)``; further axes are flattened.
    train_labels, test_labels : integer arrays ``(n,)``.
    max_train : number of training codes to use, or None for all.
    max_iterations, penalty, scale : as for `fitted_probe`, which also says what is an error.

    Returns
    -------
    float in [0, 1].
    """
    codes, labels = np.asarray(train_codes)[:max_train], np.asarray(train_labels)[:max_train]
    probe = fitted_probe(codes, labels, penalty, scale, max_iterations)
    return probe.accuracy(test_codes, test_labels)


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


def chosen_probe(codes, labels, tried=TRIED, max_iterations=60):
    """The scale and the penalty of a probe, ``{"scale": …, "penalty": …}``, chosen on its images.

    The probes are judged by the likelihood of labels that were held out: in up to five folds, each
    with every class; of more than 3,000 images, one sixth. One label of a class cannot be held out,
    so with a single one of any class it is `DEFAULT`.

    Parameters
    ----------
    codes, labels : codes and labels of the labelled images, as for `fitted_probe`.
    tried : the penalties to try, the strongest first.
    """
    codes, labels = _flat(codes), np.asarray(labels)
    losses = np.zeros((len(SCALES), len(tried)))
    folds = _folds(labels)
    for fit, held_out in folds:
        for i, scale in enumerate(SCALES):
            probe = None
            for j, penalty in enumerate(tried):
                probe = fitted_probe(
                    codes[fit], labels[fit], penalty, scale, max_iterations, like=probe
                )
                losses[i, j] += _loss(probe, codes[held_out], labels[held_out])
    if not folds:
        return DEFAULT
    i, j = np.unravel_index(losses.argmin(), losses.shape)
    return {"scale": SCALES[i], "penalty": tried[j]}


def _folds(labels):
    """Index pairs (fitted to, held out) of labelled images; none if a class has only one."""
    if len(labels) > MANY:
        order = np.random.default_rng(0).permutation(len(labels))
        n = min(len(labels) // 6, 5000)
        return [(order[n : n + 10_000], order[:n])]
    fewest = int(np.unique(labels, return_counts=True)[1].min())
    if fewest < 2:
        return []
    return list(StratifiedKFold(min(FOLDS, fewest)).split(labels, labels))


def _loss(probe, codes, labels):
    """Mean −log p of the right labels; a class that the probe has not seen gets almost none."""
    classes = probe.regression.classes_
    place = np.minimum(np.searchsorted(classes, labels), len(classes) - 1)
    p = probe.probabilities(codes)[np.arange(len(labels)), place]
    return -np.log(np.where(classes[place] == labels, np.maximum(p, 1e-12), 1e-12)).mean()


def _flat(codes):
    codes = np.asarray(codes, np.float32)
    return codes.reshape(len(codes), -1)
