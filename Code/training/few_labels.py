"""Classification with few labels on a code learned without labels (Kingma et al. 2014, M1).

The autoencoder sees all training images and no label. Then a classifier learns from the codes of
100 or 1000 labelled training images, equally many of each class, and is tested on all test images.
"""

import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

from Code.training import procedure

LABELS = (100, 1000)
DRAWS = 5  # draws of the labelled images; the error of one draw of 100 varies by 1 % or more
# Tried by cross-validation: the cost, and the kernel's γ as a multiple of 1 / (units × variance)
COSTS, GAMMAS, FOLDS = (1.0, 10.0, 100.0), (0.25, 1.0, 4.0), 5


def run(experiment, data, seed, tell, verbose=0):
    """Run `Code.training.procedure.run`, then measure classifiers with few labels.

    Metrics after the last stage, on the test images: ``svm_error_100`` and ``svm_error_1000``, the
    share misclassified by a support vector machine with a Gaussian kernel, as the mean over five
    draws of the labelled images. Its constants are chosen by cross-validation among the labelled
    images. In the paper it is transductive, that is, it sees the unlabelled codes too. Data without
    labels have none of them.
    """
    outcome = procedure.run(experiment, data, seed, tell, verbose)
    model = outcome.model
    train, test = model.encode(data.x_train), model.encode(data.x_test)
    if not data.labelled:
        return outcome
    errors = few_label_errors(train, data.y_train, test, data.y_test, seed)
    outcome.add(experiment.stages[-1].name, "test", **errors)
    return outcome


def few_label_errors(train, y_train, test, y_test, seed=0):
    """``{"svm_error_<n>": error}`` for n = 100 and 1000 labels, if there are enough images.

    The codes are not standardised, because the prior already sets their scale. A unit whose
    posterior has collapsed onto the prior hardly varies between images; scaled to the standard
    deviation of the other units it would be noise.

    Parameters
    ----------
    train, test : codes ``(n, ...)``; further axes are flattened.
    y_train, y_test : labels ``(n,)``.
    seed : seed for choosing the labelled images.
    """
    train, test = (codes.reshape(len(codes), -1) for codes in (train, test))
    rng = np.random.default_rng(seed)
    errors = {}
    for n in LABELS:
        if np.bincount(y_train).min() < n // len(np.unique(y_train)):
            continue
        draws = [balanced(y_train, n, rng) for _ in range(DRAWS)]
        scores = [machine(train[d], y_train[d]).score(test, y_test) for d in draws]
        errors[f"svm_error_{n}"] = 1 - float(np.mean(scores))
    return errors


def machine(codes, labels):
    """A support vector machine with the constants that do best in cross-validation.

    Parameters
    ----------
    codes : array ``(n, units)`` of labelled codes.
    labels : labels ``(n,)``; with too few of a class for five folds, there are fewer folds.
    """
    scale = 1 / max(codes.shape[1] * float(codes.var()), 1e-12)
    grid = {"C": COSTS, "gamma": [scale * gamma for gamma in GAMMAS]}
    folds = min(FOLDS, np.unique(labels, return_counts=True)[1].min())
    if folds < 2:
        return SVC(C=COSTS[1]).fit(codes, labels)
    return GridSearchCV(SVC(), grid, cv=int(folds)).fit(codes, labels)


def balanced(labels, n, rng):
    """Random indices of ``n`` labels, equally many of each class, by the generator ``rng``.

    Raises
    ------
    ValueError
        If a class has too few images.
    """
    classes = np.unique(labels)
    each = n // len(classes)
    return np.concatenate(
        [rng.choice(np.flatnonzero(labels == c), each, replace=False) for c in classes]
    )
