"""Style transfer: how one digit is written, with another digit as what is written.

    x_ab = g(f(x_a) + c_b − c_a),    c_k the mean code of the training images with label k

The code of a digit minus the mean of its class is its style; added to the mean of another class it
writes that one alike (arithmetic in the code: Radford, Metz & Chintala 2016, section 6.3.2;
Larsen et al. 2016). A conditional model has the label in its code and has only to
exchange it (Kingma et al. 2014, "Semi-supervised learning with deep generative models", fig. 1b).

Every test digit is written as all the others. Two things are asked: is the result read as the digit
that was wanted, and are slant and thickness those of the source, within each pair of digits.
"""

from functools import lru_cache

import numpy as np
from sklearn.linear_model import LogisticRegression

from Code.figures.images import image_rows
from Code.parts.images import to_unit
from Code.tasks.disentangle import slant, thickness
from Code.tasks.generate import features
from Code.tasks.principal import principal_components
from Code.tasks.task import Measured, Metric

N_TRAIN, N_TEST = 20_000, 400
N_READER = 10_000
LEAST_IN_PAIR = 5
SHOWN = 2

METRICS = (
    Metric("transferred", main=True),
    Metric("read_as_wanted"),
    Metric("slant_kept"),
    Metric("thickness_kept"),
)


class ClassMeans:
    """Style transfer by class means in any code.

    Parameters
    ----------
    encode, decode : functions of images and codes.
    images, labels : training images, uint8 or floats in [0, 1], and their labels.
    """

    def __init__(self, encode, decode, images, labels):
        self._encode, self._decode = encode, decode
        codes = encode(images)
        self._means = {label: codes[labels == label].mean(axis=0) for label in np.unique(labels)}

    def __call__(self, images, labels, wanted):
        """``images`` with ``labels``, written as the digits ``wanted``, all arrays of length n."""
        means = self._means
        shift = np.stack([means[b] - means[a] for a, b in zip(labels, wanted, strict=True)])
        return np.clip(self._decode(self._encode(images) + shift), 0, 1)


def transfer_of(model, images, labels):
    """The function (images, labels, wanted) → images of a trained autoencoder.

    Parameters
    ----------
    images, labels : training images; a conditional model needs none.
    """
    if hasattr(model, "transfer"):
        return lambda x, own, wanted: model.transfer(x, wanted, from_labels=own)
    return ClassMeans(model.encode, model.decode, images, labels)


def pairs(labels, classes):
    """Every image with every label but its own: indices of images and wanted labels, ``(m,)``."""
    index = np.repeat(np.arange(len(labels)), len(classes))
    wanted = np.tile(classes, len(labels))
    other = wanted != np.asarray(labels)[index]
    return index[other], wanted[other]


def kept(source, result, own, wanted):
    """Mean correlation of a factor before and after, over the pairs (own label, wanted label).

    Taken within pairs, since otherwise what a class is like anyhow (a 1 leans more than a 0) would
    count as style. A pair of fewer than five images is left out; one in which nothing varies has 0.

    Parameters
    ----------
    source, result : arrays ``(m,)``.
    own, wanted : labels ``(m,)``.
    """
    found = []
    for pair in np.unique(np.stack([own, wanted], axis=1), axis=0):
        here = (own == pair[0]) & (wanted == pair[1])
        if here.sum() >= LEAST_IN_PAIR:
            a, b = (v[here] - v[here].mean() for v in (source, result))
            norm = np.sqrt((a @ a) * (b @ b))
            found.append(a @ b / norm if norm > 1e-9 else 0.0)
    return float(np.mean(found)) if found else float("nan")


def judged(transfer, read, data):
    """How well ``transfer`` writes test digits as all others.

    Parameters
    ----------
    transfer : function (images, labels, wanted) → images.
    read : function of images that gives labels.

    Returns
    -------
    Measured: ``read_as_wanted``, a share; ``slant_kept`` and ``thickness_kept``, see `kept`; and
    ``transferred``, the geometric mean of the share and of the mean of both correlations (0 where
    that is negative): either is easy without the other.
    """
    x, y = to_unit(data.x_test[:N_TEST]), data.y_test[:N_TEST]
    classes = np.unique(data.y_train)
    index, wanted = pairs(y, classes)
    results = transfer(x[index], y[index], wanted)
    values = {"read_as_wanted": float(np.mean(read(results) == wanted))}
    for name, measure_of in (("slant", slant), ("thickness", thickness)):
        source = measure_of(x)
        values[f"{name}_kept"] = kept(source[index], measure_of(results), y[index], wanted)
    style = np.nanmean([values["slant_kept"], values["thickness_kept"]])
    values["transferred"] = float(np.sqrt(values["read_as_wanted"] * max(0.0, style)))
    return Measured(values, _views(transfer, x, y, classes))


def _views(transfer, x, y, classes):
    """The digits that lean most to either side, each before all digits in its style."""
    leaning = np.argsort(slant(x), kind="stable")[[0, -1]][:SHOWN]
    sheet = [
        np.concatenate([x[[i]], transfer(x[[i] * len(classes)], y[[i] * len(classes)], classes)])
        for i in leaning
    ]
    return {"sheet": np.stack(sheet)}


def measure(model, data, seed=0):
    """Style transfer by a trained autoencoder, judged by a reader trained in the run."""
    known = data.x_train[:N_TRAIN], data.y_train[:N_TRAIN]
    return judged(transfer_of(model, *known), reader(data), data)


def baselines(data, seed=0):
    """Class means of the pixels and of sixteen components; the most similar digit; the mean one.

    "nearest digit" answers with the training image, among those of the wanted digit, that has the
    most pixels in common with the source; "mean digit" with the mean image, without any style.
    """
    x, y = to_unit(data.x_train[:N_TRAIN]), data.y_train[:N_TRAIN]
    rivals = {
        "pixels": ClassMeans(np.asarray, np.asarray, x, y),
        "nearest digit": nearest_digit(x, y),
        "mean digit": mean_digit(x, y),
        "pca-16": transfer_of(principal_components(data), x, y),
    }
    read = reader(data)
    return {name: judged(transfer, read, data) for name, transfer in rivals.items()}


def nearest_digit(images, labels):
    """The function that answers with the nearest image of the wanted class (Euclidean)."""

    def transfer(x, own, wanted):
        result = np.empty_like(x)
        for label in np.unique(wanted):
            here, known = wanted == label, images[labels == label]
            # Many are asked for repeatedly: once for each class
            a, b = x[here].reshape(here.sum(), -1), known.reshape(len(known), -1)
            result[here] = known[(np.square(b).sum(axis=1) - 2 * a @ b.T).argmin(axis=1)]
        return result

    return transfer


def mean_digit(images, labels):
    """The function that answers with the mean image of the wanted class."""
    means = {label: images[labels == label].mean(axis=0) for label in np.unique(labels)}
    return lambda x, own, wanted: np.stack([means[label] for label in wanted])


@lru_cache(maxsize=2)
def reader(data):
    """The function that reads labels from images: logistic regression on a network's features.

    The network is the one by which generated images are judged too, see ``Code.tasks.generate``.
    """
    few = slice(0, N_READER)
    found = features(data, data.x_train[few])
    scale = found.std() or 1.0
    regression = LogisticRegression(max_iter=200).fit(found / scale, data.y_train[few])
    return lambda images: regression.predict(features(data, images) / scale)


# Picture and command line ------------------------------------------------------------------------


def figure(measured):
    """Two slanted digits, each followed by all digits in its style, for every model."""
    rows = [
        (f"{name}: {one.values['transferred']:.2f}" if i == 0 else name, row)
        for name, one in measured.items()
        if "sheet" in one.views
        for i, row in enumerate(one.views["sheet"])
    ]
    if not rows:
        raise ValueError("nothing to draw: none of these transfers style")
    return image_rows(rows)
