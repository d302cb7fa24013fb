"""Codes of images as they may be judged by labels: without the part that was learned from them."""

import numpy as np


def without_labels(model, codes):
    """The units of codes ``(n, ...)`` that no label decides; all of them for most models.

    A conditional VAE appends to its code a label that a classifier predicts, which was trained on
    all labels. A map or a classifier of such a code would measure that classifier.
    """
    part = getattr(model, "unsupervised_part", slice(None))
    return codes if part == slice(None) else codes[:, part]


def unsupervised_code(model, images):
    """Codes ``(n, units)`` of images by `without_labels`; codes that are maps are flattened."""
    codes = np.asarray(without_labels(model, model.encode(images)))
    return codes.reshape(len(codes), -1)
