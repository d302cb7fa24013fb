"""Segmentation: find a digit's pixels in a cluttered picture, learned from ten labelled pictures.

    p(pixel is digit) = σ(wᵀ φ + b),     φ = (the 5 × 5 pixels around it, the model's features)

A test digit lies somewhere on a canvas of twice its side, among pieces of other digits and noise.
The model was trained on clean digits only. Its features of a pixel are:

- if it has convolutions: the maps of its encoder's convolutions, applied to the whole canvas
  (Long, Shelhamer & Darrell 2015, "Fully convolutional networks", section 3.1) and enlarged to it;
- in any case: its reconstructions of windows of a digit's size that slide over the canvas.

Only the logistic regression sees labels. Its threshold is the one with the best intersection over
union on the labelled pictures. A rival without any features sees the same labels: the largest
connected part above such a threshold.
"""

from functools import lru_cache, partial

import numpy as np
from scipy.ndimage import label
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from Code.data.fit import otsu_threshold
from Code.figures.images import image_rows
from Code.parts.images import to_unit
from Code.parts.unconverged import may_stop_early
from Code.tasks.principal import principal_components
from Code.tasks.task import Measured, Metric

N_LABELLED, N_FEW, N_TEST = 10, 2, 200
N_PIECES, NOISE = 8, 0.1
INK = 0.5
PATCH = 5
WINDOW_STEPS, SHARPNESS = 7, 8
THRESHOLDS = np.linspace(0.05, 0.95, 19)
MAX_STEPS = 200
BATCH = 50
SHOWN = 8

# The masks are those of strokes brighter than a threshold
GREY_ONLY = True
METRICS = (Metric("iou", main=True), Metric("iou_2_labelled"), Metric("pixel_accuracy"))


# Pictures ----------------------------------------------------------------------------------------


def cluttered(images, n, seed=0):
    """Digits among pieces of other digits on a noisy canvas, as in Mnih et al. 2014.

    Each picture has one whole digit and eight pieces of a quarter of its side, cut out of other
    digits around inked pixels. Gaussian noise of standard deviation 0.1 is added, and the result
    is clipped to [0, 1].

    Parameters
    ----------
    images : array ``(m, height, width)``: uint8, or floats in [0, 1].
    n : number of pictures; their digits are all different if there are enough images.

    Returns
    -------
    pictures : float32 array ``(n, 2 height, 2 width)``.
    masks : boolean array of the same shape: where the digit is brighter than 0.5.
    """
    rng = np.random.default_rng(seed)
    height, width = images.shape[1:]
    tall, wide = max(2, height // 4), max(2, width // 4)
    order = np.resize(rng.permutation(len(images)), n)
    pictures = np.zeros((n, 2 * height, 2 * width), np.float32)
    masks = np.zeros(pictures.shape, bool)
    for picture, mask, digit in zip(pictures, masks, to_unit(images[order]), strict=True):
        for other in to_unit(images[rng.integers(0, len(images), N_PIECES)]):
            piece = _piece(other, tall, wide, rng)
            top, left = (rng.integers(0, side) for side in picture.shape)
            # The part beyond the edge is cut off
            area = picture[top : top + tall, left : left + wide]
            np.maximum(area, piece[: area.shape[0], : area.shape[1]], out=area)
        top, left = rng.integers(0, height + 1), rng.integers(0, width + 1)
        area = picture[top : top + height, left : left + width]
        np.maximum(area, digit, out=area)
        mask[top : top + height, left : left + width] = digit > INK
    noise = NOISE * rng.standard_normal(pictures.shape, np.float32)
    return np.clip(pictures + noise, 0, 1), masks


def _piece(image, tall, wide, rng):
    """A part of an image around one of its brighter pixels."""
    rows, columns = np.nonzero(image >= 0.5 * image.max())
    i = rng.integers(0, len(rows))
    top = np.clip(rows[i] - tall // 2, 0, image.shape[0] - tall)
    left = np.clip(columns[i] - wide // 2, 0, image.shape[1] - wide)
    return image[top : top + tall, left : left + wide]


# Features of a pixel -----------------------------------------------------------------------------


def patches(pictures, size=PATCH):
    """The ``size`` × ``size`` pixels around each pixel: ``(n, height, width, size²)``."""
    edge = size // 2
    padded = np.pad(pictures, ((0, 0), (edge, edge), (edge, edge)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
    return windows.reshape(*pictures.shape, size * size)


def window_maps(reconstruct, pictures, shape):
    """Position and appearance of the digit, estimated from windows: ``(n, height, width, 3)``.

    The model explains ``e_k = ‖w_k‖² − ‖w_k − ŵ_k‖²`` of window k; this is large if the window
    contains a digit and nothing else. With ``p_k ∝ exp(8 e_k / max e)`` as the probability that the
    digit is in window k, the features of a pixel are: the expected ink of the digit,
    ``Σ_k p_k ŵ_k``; the probability that the pixel lies in the digit's window; and the first
    divided by the second.

    Parameters
    ----------
    reconstruct : function of images ``(m, *shape)`` that returns their reconstructions.
    pictures : array ``(n, height, width)``, not smaller than ``shape``.
    """
    tops, lefts = (
        _starts(whole, side) for whole, side in zip(pictures.shape[1:], shape, strict=True)
    )
    windows = np.lib.stride_tricks.sliding_window_view(pictures, shape, axis=(1, 2))
    windows = windows[:, tops][:, :, lefts]
    given_back = reconstruct(windows.reshape(-1, *shape)).reshape(windows.shape)
    explained = (np.square(windows) - np.square(windows - given_back)).sum(axis=(3, 4))
    probability = _softmax(SHARPNESS * explained / _largest(explained))
    ink, inside = np.zeros((2, *pictures.shape), np.float32)
    for i, top in enumerate(tops):
        for j, left in enumerate(lefts):
            here = np.s_[:, top : top + shape[0], left : left + shape[1]]
            p = probability[:, i, j, None, None]
            ink[here] += p * given_back[:, i, j]
            inside[here] += p
    return np.stack([ink, inside, ink / np.maximum(inside, 1e-12)], axis=-1)


def _softmax(scores):
    """Probabilities of the positions ``(n, rows, columns)``, which add up to 1 for each n."""
    powers = np.exp(scores - scores.max(axis=(1, 2), keepdims=True))
    return powers / powers.sum(axis=(1, 2), keepdims=True)


def _largest(values):
    return np.maximum(np.abs(values).max(axis=(1, 2), keepdims=True), 1e-12)


def _starts(whole, side):
    """Starts of windows of ``side`` that cover ``whole``, a seventh of a side apart."""
    return sorted({*range(0, whole - side, max(1, side // WINDOW_STEPS)), whole - side})


def convolutional_maps(encoder, pictures):
    """The maps of an encoder's convolutions over whole pictures, ``(n, height, width, maps)``.

    Parameters
    ----------
    encoder : Keras model whose first layers are 2-D convolutions and poolings; layers that only
        reshape or pad may come before them. It is used up to the first layer of another kind.
        Without a convolution there are 0 maps.
    """
    maps, convolved = _filled(pictures, 2 ** len(encoder.layers))[..., None], []
    side = maps.shape[1]
    for layer in encoder.layers:
        kind = type(layer).__name__
        if kind in ("Conv2D", "MaxPooling2D", "AveragePooling2D"):
            maps = np.asarray(layer(maps))
            if kind == "Conv2D":
                convolved.append(maps)
        elif kind not in ("InputLayer", "Reshape", "ZeroPadding2D"):
            break
    none = np.zeros((*pictures.shape, 0), np.float32)
    found = [_repeated(maps, side // maps.shape[1], pictures.shape[1:]) for maps in convolved]
    return np.concatenate([none, *found], axis=-1)


def _filled(pictures, step):
    """Pictures padded with zeros below and at the right to sides that are multiples of ``step``."""
    below, right = (-side % step for side in pictures.shape[1:])
    return np.pad(pictures, ((0, 0), (0, below), (0, right)))


def _repeated(maps, factor, shape):
    """Replace every value of maps by ``factor`` × ``factor`` equal ones, cut to ``shape``."""
    large = maps.repeat(factor, axis=1).repeat(factor, axis=2)
    return large[:, : shape[0], : shape[1]]


def described(model):
    """The function of pixel features with a model: pictures → ``(n, height, width, features)``.

    Parameters
    ----------
    model : a trained autoencoder, or None for the surrounding pixels only.
    """

    def features(pictures):
        found = [patches(pictures)]
        if model is not None:
            found.append(window_maps(model.reconstruct, pictures, tuple(model.image_shape)))
            if hasattr(model, "encoder"):
                found.append(convolutional_maps(model.encoder, pictures))
        return np.concatenate(found, axis=-1)

    return features


# From features to masks --------------------------------------------------------------------------


def fitted(features, pictures, masks):
    """Fit a logistic regression on pixels; return the function pictures → boolean masks.

    Parameters
    ----------
    features : function of pictures ``(n, height, width)`` → ``(n, height, width, features)``.
    pictures, masks : labelled pictures and their masks, which also determine the threshold.

    Raises
    ------
    ValueError
        If the masks contain only digit or only background.
    """
    if masks.all() or not masks.any():
        raise ValueError("the labelled pictures need pixels of both kinds: digit and background")
    inputs = _pixels(features(pictures))
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=MAX_STEPS))
    with may_stop_early():
        classifier.fit(inputs, masks.reshape(-1))

    def probability(pictures):
        return classifier.predict_proba(_pixels(features(pictures)))[:, 1].reshape(pictures.shape)

    known = probability(pictures)
    threshold = _best(lambda t: known > t, masks)

    def segment(pictures):
        parts = (pictures[i : i + BATCH] for i in range(0, len(pictures), BATCH))
        return np.concatenate([probability(part) > threshold for part in parts])

    return segment


def _best(segment, masks):
    """The threshold t at which ``segment(t)`` is nearest to the masks."""
    return max(THRESHOLDS, key=lambda t: intersection_over_union(segment(t), masks).mean())


def _pixels(features):
    return features.reshape(-1, features.shape[-1])


def intersection_over_union(masks, truth):
    """``|A ∩ B| / |A ∪ B|`` of each picture, ``(n,)``; 1 where both are empty.

    Also called the Jaccard index.

    Parameters
    ----------
    masks, truth : boolean arrays ``(n, height, width)``.
    """
    both = (masks & truth).sum(axis=(1, 2))
    either = (masks | truth).sum(axis=(1, 2))
    return np.where(either > 0, both / np.maximum(either, 1), 1.0)


def otsu(pictures):
    """Masks by the threshold that separates a picture's intensities best (Otsu 1979)."""
    return np.stack([picture > otsu_threshold(picture) for picture in pictures])


def largest_parts(pictures, threshold):
    """Masks of the largest connected part of each picture that is brighter than a threshold."""
    masks = np.zeros(pictures.shape, bool)
    for mask, picture in zip(masks, pictures, strict=True):
        parts, n = label(picture > threshold, np.ones((3, 3)))
        if n:
            mask[:] = parts == 1 + np.bincount(parts.ravel())[1:].argmax()
    return masks


def fitted_parts(pictures, masks):
    """`largest_parts` with the threshold that is best on labelled pictures."""
    threshold = _best(lambda t: largest_parts(pictures, t), masks)
    return lambda asked: largest_parts(asked, threshold)


# Of a trained model ------------------------------------------------------------------------------


def measure(model, data, seed=0):
    """Intersection over union on test pictures, with ten and with two labelled pictures."""
    return _judged(partial(fitted, described(model)), data, seed)


def baselines(data, seed=0):
    """The same for Otsu's threshold, which needs no labels, and for rivals that learn from them.

    These are the largest connected part, and the regression on 5 × 5 pixels and on PCA's windows.
    """
    pictures, truth = _test(data, seed)
    threshold = Measured(*_against(otsu(pictures), pictures, truth))
    return {
        "otsu": threshold,
        "largest part": _judged(fitted_parts, data, seed),
        "5×5 pixels": _judged(partial(fitted, described(None)), data, seed),
        "pca-16": measure(principal_components(data), data, seed),
    }


def _judged(fit, data, seed):
    """Measures of ``fit(pictures, masks)``, which returns a function pictures → masks."""
    labelled, pictures = _labelled(data, seed), _test(data, seed)
    values, views = _against(fit(*labelled)(pictures[0]), *pictures)
    few = fit(*(part[:N_FEW] for part in labelled))(pictures[0])
    values["iou_2_labelled"] = float(intersection_over_union(few, pictures[1]).mean())
    return Measured(values, views)


def _against(masks, pictures, truth):
    each = intersection_over_union(masks, truth)
    values = {"iou": float(each.mean()), "pixel_accuracy": float(np.mean(masks == truth))}
    views = {"pictures": pictures, "truth": truth, "masks": masks}
    return values, {name: view[:SHOWN].astype(np.float32) for name, view in views.items()}


@lru_cache(maxsize=2)
def _test(data, seed):
    return cluttered(data.x_test, N_TEST, seed)


@lru_cache(maxsize=2)
def _labelled(data, seed):
    return cluttered(data.x_train, N_LABELLED, seed)


# Picture -----------------------------------------------------------------------------------------


def figure(measured):
    """Draw cluttered pictures, the masks that each model finds, and the true masks."""
    shown = {name: one for name, one in measured.items() if "masks" in one.views}
    if not shown:
        raise ValueError("nothing to draw: none of these segments pictures")
    views = next(iter(shown.values())).views
    rows = [("picture", views["pictures"])]
    for name, one in shown.items():
        rows.append((f"{name}: IoU {one.values['iou']:.2f}", one.views["masks"]))
    return image_rows([*rows, ("digit", views["truth"])])
