"""Style transfer: write another digit in the style of a given one.

    x_ab = g(f(x_a) + c_b − c_a),    c_k the mean code of the training images with label k

The code of a digit minus the mean code of its class is its style. Added to the mean code of another
class, it gives a digit of that class in the same style (arithmetic in the code: Radford, Metz &
Chintala 2016, section 6.3.2; Larsen et al. 2016). A conditional model has the label in its code and
only needs to exchange it (Kingma et al. 2014, "Semi-supervised learning with deep generative
models", fig. 1b).

Every test digit is rewritten as all other digits. Two questions are measured: is the result read as
the wanted digit, and does it keep slant and thickness of the source, within each pair of digits?
"""

from functools import lru_cache

import numpy as np
from sklearn.linear_model import LogisticRegression

from Code.figures.images import image_rows
from Code.parts.images import to_unit
from Code.parts.unconverged import may_stop_early
from Code.tasks.disentangle import slant, thickness
from Code.tasks.generate import features
from Code.tasks.principal import principal_components
from Code.tasks.task import Measured, Metric

N_TRAIN, N_TEST = 20_000, 400
N_READER = 10_000
LEAST_IN_PAIR = 5
SHOWN = 2

NEEDS_LABELS = True
# Slant and thickness are those of strokes of one brightness
GREY_ONLY = True
METRICS = (
    Metric("transferred", main=True),
    Metric("read_as_wanted"),
    Metric("slant_kept"),
    Metric("thickness_kept"),
)


class ClassMeans:
    """Style transfer by class means, for any kind of code.

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
        """``images`` with ``labels``, rewritten as the digits ``wanted``; all have length n."""
        means = self._means
        shift = np.stack([means[b] - means[a] for a, b in zip(labels, wanted, strict=True)])
        return np.clip(self._decode(self._encode(images) + shift), 0, 1)


def transfer_of(model, images, labels):
    """The transfer function (images, labels, wanted) → images of a trained autoencoder.

    Parameters
    ----------
    images, labels : training images and labels; a conditional model does not use them.
    """
    if hasattr(model, "transfer"):
        return lambda x, own, wanted: model.transfer(x, wanted, from_labels=own)
    return ClassMeans(model.encode, model.decode, images, labels)


def pairs(labels, classes):
    """All pairs of an image and a label not its own: image indices, wanted labels, ``(m,)``."""
    index = np.repeat(np.arange(len(labels)), len(classes))
    wanted = np.tile(classes, len(labels))
    other = wanted != np.asarray(labels)[index]
    return index[other], wanted[other]


def kept(source, result, own, wanted):
    """Mean correlation of a factor before and after transfer, over pairs (own, wanted label).

    It is computed within pairs, because otherwise differences between classes (a 1 is more slanted
    than a 0) would count as style. A pair with fewer than five images is left out; a pair without
    variation counts as 0.

    Parameters
    ----------
    source, result : the factor in source and result images, arrays ``(m,)``.
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
    """How well ``transfer`` rewrites test digits as all other digits.

    Parameters
    ----------
    transfer : function (images, labels, wanted) → images.
    read : function of images that returns labels.

    Returns
    -------
    Measured: ``read_as_wanted``, a share; ``slant_kept`` and ``thickness_kept``, see `kept`; and
    ``transferred``, the geometric mean of that share and of the mean of both correlations (0 if
    negative), because each of the two is easy without the other.

    Raises
    ------
    ValueError
        If no test image is of a class that has training images.
    """
    x, y = to_unit(data.x_test[:N_TEST]), data.y_test[:N_TEST]
    classes = np.unique(data.y_train)
    # A class without training images has no mean code
    known = np.isin(y, classes)
    x, y = x[known], y[known]
    if not len(x):
        raise ValueError("no test image is of a class that has training images")
    index, wanted = pairs(y, classes)
    results = transfer(x[index], y[index], wanted)
    values = {"read_as_wanted": float(np.mean(read(results) == wanted))}
    for name, measure_of in (("slant", slant), ("thickness", thickness)):
        source = measure_of(x)
        values[f"{name}_kept"] = kept(source[index], measure_of(results), y[index], wanted)
    both = [values["slant_kept"], values["thickness_kept"]]
    style = np.nan if np.isnan(both).all() else np.nanmean(both)
    values["transferred"] = float(np.sqrt(values["read_as_wanted"] * max(0.0, style)))
    return Measured(values, _views(transfer, x, y, classes))


def _views(transfer, x, y, classes):
    """The digits with the largest slant to either side, each before all digits in its style."""
    leaning = np.argsort(slant(x), kind="stable")[[0, -1]][:SHOWN]
    sheet = [
        np.concatenate([x[[i]], transfer(x[[i] * len(classes)], y[[i] * len(classes)], classes)])
        for i in leaning
    ]
    return {"sheet": np.stack(sheet)}


def measure(model, data, seed=0):
    """Measure style transfer by a trained autoencoder, with a digit reader trained in the run."""
    known = data.x_train[:N_TRAIN], data.y_train[:N_TRAIN]
    return judged(transfer_of(model, *known), reader(data), data)


def baselines(data, seed=0):
    """The same for class means of pixels and of 16 components, nearest digit and mean digit.

    "nearest digit" returns the training image of the wanted digit that is nearest to the source in
    its pixels; "mean digit" returns the mean image of the wanted digit, without any style.
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
    """A transfer function that returns the nearest image (Euclidean) of the wanted class."""

    def transfer(x, own, wanted):
        result = np.empty_like(x)
        for label in np.unique(wanted):
            here, known = wanted == label, images[labels == label]
            # Each source occurs once for each wanted class; compare all of one class together
            a, b = x[here].reshape(here.sum(), -1), known.reshape(len(known), -1)
            result[here] = known[(np.square(b).sum(axis=1) - 2 * a @ b.T).argmin(axis=1)]
        return result

    return transfer


def mean_digit(images, labels):
    """A transfer function that returns the mean image of the wanted class."""
    means = {label: images[labels == label].mean(axis=0) for label in np.unique(labels)}
    return lambda x, own, wanted: np.stack([means[label] for label in wanted])


@lru_cache(maxsize=2)
def reader(data):
    """The function that reads labels from images: logistic regression on a network's features.

    It is the network that is also used for generated images, see ``Code.tasks.generate``.
    """
    few = slice(0, N_READER)
    found = features(data, data.x_train[few])
    scale = found.std() or 1.0
    with may_stop_early():
        regression = LogisticRegression(max_iter=200).fit(found / scale, data.y_train[few])
    return lambda images: regression.predict(features(data, images) / scale)


# Picture -----------------------------------------------------------------------------------------


def figure(measured):
    """Draw two slanted digits, each followed by all labels in its style, for every model."""
    rows = [
        (f"{name}: {one.values['transferred']:.2f}" if i == 0 else name, row)
        for name, one in measured.items()
        if "sheet" in one.views
        for i, row in enumerate(one.views["sheet"])
    ]
    if not rows:
        raise ValueError("nothing to draw: none of these transfers style")
    labels = range(len(rows[0][1]) - 1)
    return image_rows(rows, ["real", *map(str, labels)])
