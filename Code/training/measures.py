"""Measures that all experiments share: pure functions of arrays."""

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from Code.parts.components import unfitted_pca

NOISE_LEVELS = (0.25, 0.5, 0.75)


def mean_squared_error(images, reconstructions):
    """Mean over images, pixels and channels of ``(x − x̂)²``."""
    difference = images.astype(np.float32) - reconstructions.astype(np.float32)
    return float(np.mean(np.square(difference), dtype=np.float64))


def plane(train_codes, test_codes):
    """Codes as points of the plane: two units directly, more by two principal components.

    The components are fitted to the training codes. Without two training images to fit them to, the
    first two units are taken; of a single unit, the other coordinate is 0.

    Parameters
    ----------
    train_codes, test_codes : arrays ``(n, ...)``; further axes are flattened.

    Returns
    -------
    Two arrays ``(n, 2)``, for training and test codes.
    """
    train, test = (codes.reshape(len(codes), -1) for codes in (train_codes, test_codes))
    if train.shape[1] == 1:
        train, test = (np.pad(codes, ((0, 0), (0, 1))) for codes in (train, test))
    if train.shape[1] == 2 or len(train) < 2:
        return train[:, :2], test[:, :2]
    pca = unfitted_pca(2, train.shape).fit(train)
    return pca.transform(train), pca.transform(test)


def neighbour_accuracy(train_points, train_labels, test_points, test_labels, k=5):
    """Accuracy of a k-nearest-neighbour classifier, fitted to training points, on test points."""
    classifier = KNeighborsClassifier(min(k, len(train_points)))
    return float(classifier.fit(train_points, train_labels).score(test_points, test_labels))


def axis_fraction(codes):
    """Share of codes ``(n, units)`` that lie on an axis: some coordinate is exactly 0."""
    return float(np.mean((codes == 0).any(axis=1)))


def saturated(codes, bound=0.99):
    """Share of code values with |z| above ``bound``: flat ends of tanh, where learning stops."""
    return float(np.mean(np.abs(codes) > bound))


def dead_pixels(images, reconstructions):
    """Share of the pixels that carry ink in ``images`` but never change in ``reconstructions``.

    In colour it is the share of their values; ink is whatever is not 0.
    """
    inked = (images > 0).any(axis=0)
    constant = (reconstructions == reconstructions[:1]).all(axis=0)
    return float((inked & constant).sum() / inked.sum()) if inked.any() else float("nan")


# Further measures that a row may request: functions of the images, their reconstructions and their
# codes
FURTHER = {
    "axis_fraction": lambda images, reconstructions, codes: axis_fraction(codes),
    "dead_pixels": lambda images, reconstructions, codes: dead_pixels(images, reconstructions),
    "saturated": lambda images, reconstructions, codes: saturated(codes),
}
