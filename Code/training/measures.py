"""Measures that all experiments share: pure functions of arrays, or of a model and arrays."""

from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from Code.parts.components import fitted_pca
from Code.parts.kernels import coherence, first_kernel, inked, roughness, shuffled, unexplained

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
    pca = fitted_pca(2, train)
    return pca.transform(train), pca.transform(test)


def in_plane(name, units):
    """The name of a measure of the `plane` of codes with so many units.

    It ends in ``_pca2`` where the map is not the code but two principal components of it.
    """
    return name if units <= 2 else f"{name}_pca2"


def neighbour_accuracy(train_points, train_labels, test_points, test_labels, k=5):
    """Accuracy of a k-nearest-neighbour classifier, fitted to training points, on test points."""
    classifier = KNeighborsClassifier(min(k, len(train_points)))
    return float(classifier.fit(train_points, train_labels).score(test_points, test_labels))


def code_variation(codes):
    """How much codes ``(n, ...)`` vary, relative to their size: 0 if all are the same.

    The root of their total variance over the root of their mean squared norm; 0 for codes of zeros.
    """
    flat = np.asarray(codes, np.float64).reshape(len(codes), -1)
    size = np.mean(np.square(flat).sum(axis=1))
    return float(np.sqrt(flat.var(axis=0).sum() / size)) if size else 0.0


def axis_fraction(codes):
    """Share of codes ``(n, units)`` of which some unit is exactly 0: of two units, on an axis."""
    return float(np.mean((codes == 0).any(axis=1)))


def saturated(codes, bound=0.99):
    """Share of code values with |z| above ``bound``: flat ends of tanh, where learning stops."""
    return float(np.mean(np.abs(codes) > bound))


def dead_pixels(images, reconstructions):
    """Share of the pixels that carry ink in ``images`` but never change in ``reconstructions``.

    In colour it is the share of their values; ink is whatever is not 0.
    """
    ink = (images > 0).any(axis=0)
    constant = (reconstructions == reconstructions[:1]).all(axis=0)
    return float((ink & constant).sum() / ink.sum()) if ink.any() else float("nan")


def shuffled_error(model, images):
    """The share of the variance of shuffled images that a model does not give back.

    A model that has learned what digits look like fails on them (about 1 or more); one that passes
    its input through does not (about 0).
    """
    mixed = shuffled(images, inked(images))
    return unexplained(mixed, model.reconstruct(mixed))


def relative_jacobian_norm(model, images, codes):
    """The encoder's squared Jacobian norm over the code's variance, see `Code.parts.jacobian`."""
    # Keras is not needed where only pictures are drawn
    from Code.parts.jacobian import measured_relative_norm

    return measured_relative_norm(model.encoder, images, codes)


def filter_roughness(model, where=None):
    """`Code.parts.kernels.roughness` of the first layer of a model's encoder."""
    return roughness(first_kernel(model.encoder), model.image_shape, where)


@dataclass(frozen=True)
class Seen:
    """What a further measure may look at: the model, test images and what it makes of them."""

    model: object
    images: np.ndarray
    reconstructions: np.ndarray
    codes: np.ndarray


# Further measures that a row may request
FURTHER = {
    "axis_fraction": lambda seen: axis_fraction(seen.codes),
    "dead_pixels": lambda seen: dead_pixels(seen.images, seen.reconstructions),
    "saturated": lambda seen: saturated(seen.codes),
    "filter_roughness": lambda seen: filter_roughness(seen.model),
    "filter_roughness_inked": lambda seen: filter_roughness(seen.model, inked(seen.images)),
    "weight_coherence": lambda seen: coherence(first_kernel(seen.model.encoder)),
    "shuffled_error": lambda seen: shuffled_error(seen.model, seen.images),
    "relative_jacobian_norm": lambda seen: relative_jacobian_norm(
        seen.model, seen.images, seen.codes
    ),
}
