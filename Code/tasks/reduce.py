"""Dimensionality reduction: a map of the images in the plane, and how far it can be trusted.

Codes of two units are the map themselves; wider codes are mapped by two principal components.

    1-NN, 5-NN       how well the nearest points in the map predict the class
    trustworthiness  whether neighbours in the map are neighbours among the images
    continuity       whether neighbours among the images are neighbours in the map

    python -m Code.tasks.reduce --model output/ae-2 --input my.npz --output codes.csv
"""

import math

import matplotlib.patheffects as effects
import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness

from Code.figures.scatter import classes_of, spread
from Code.figures.style import (
    INK,
    MOST_NAMED,
    PAGE_WIDTH,
    class_colours,
    dot_colours,
    named_in_map,
    new_figure,
    styled,
)
from Code.parts.images import to_unit
from Code.tasks.task import Measured, Metric, flat
from Code.training.measures import neighbour_accuracy, plane

METRICS = (
    Metric("knn_accuracy_2d", main=True),
    Metric("knn_accuracy_code"),
    Metric("trustworthiness"),
    Metric("continuity"),
    Metric("nn_error_2d", higher_is_better=False),
)
# As many images as t-SNE, which maps all at once, can do in a minute; the same for all models
MAP_TRAIN, MAP_TEST = 4000, 2000
KNN, NEIGHBOURS = 5, 12
TSNE_COMPONENTS = 50
COLUMNS = 3
# So many letters fit below the maps, four more for each dot
LEGEND_LETTERS = 90
CROWDED = 0.65
# A numeral's centre keeps this distance from the frame, so that no part of it is cut off
INSIDE = 0.94


def measure(model, data, seed=0):
    """The measures of `map_quality`, and the 1-NN error in the map of the whole data set.

    ``knn_accuracy_code`` is the 5-NN accuracy on the codes with all their units. Without labels the
    accuracies and errors are left out.
    """
    train, test = (flat(model.encode(x)) for x in (data.x_train, data.x_test))
    measured = _map_of(train, test, data)
    few, some = slice(0, MAP_TRAIN), slice(0, MAP_TEST)
    if data.labelled:
        measured.values["knn_accuracy_code"] = neighbour_accuracy(
            train[few], data.y_train[few], test[some], data.y_test[some], KNN
        )
    return measured


def baselines(data, seed=0):
    """The same for two principal components of the pixels, and for t-SNE.

    t-SNE cannot map images that it was not fitted to. So it maps the measured training and test
    images together, and has no map of the whole data set.
    """
    x_train, x_test = (flat(to_unit(x)) for x in (data.x_train, data.x_test))
    few, some = x_train[:MAP_TRAIN], x_test[:MAP_TEST]
    mapped = tsne_map(np.concatenate([few, some]), seed)
    values = map_quality(
        few, mapped[: len(few)], _few_labels(data), some, mapped[len(few) :], _some_labels(data)
    )
    tsne = Measured(values, _views(mapped[len(few) :], data))
    return {"pca-2": _map_of(x_train, x_test, data), "t-SNE": tsne}


def _map_of(train, test, data):
    """Measures of the map made from codes ``(n, units)`` of all images."""
    train, test = plane(train, test)
    few, some = slice(0, MAP_TRAIN), slice(0, MAP_TEST)
    values = map_quality(
        flat(to_unit(data.x_train[few])),
        train[few],
        _few_labels(data),
        flat(to_unit(data.x_test[some])),
        test[some],
        _some_labels(data),
    )
    if data.labelled:
        values["nn_error_2d"] = 1 - neighbour_accuracy(train, data.y_train, test, data.y_test, 1)
    return Measured(values, _views(test[some], data))


def _few_labels(data):
    return data.y_train[:MAP_TRAIN] if data.labelled else None


def _some_labels(data):
    return data.y_test[:MAP_TEST] if data.labelled else None


def _views(points, data):
    views = {"map": np.asarray(points, np.float32)}
    if data.labelled:
        views |= {"labels": data.y_test[: len(points)], "classes": np.array(data.classes)}
    return views


def map_quality(x_train, train_points, y_train, x_test, test_points, y_test):
    """Measures of the quality of a map in the plane.

    Parameters
    ----------
    x_train, x_test : images ``(n, pixels)``.
    train_points, test_points : their points ``(n, 2)`` in the map.
    y_train, y_test : labels ``(n,)``, or None.

    Returns
    -------
    dict: ``knn_accuracy_2d`` (only with labels), the accuracy on test points of 5-NN with the
    training points; ``trustworthiness`` and ``continuity`` of the test images, for 12 neighbours.
    """
    values = {}
    if y_train is not None:
        accuracy = neighbour_accuracy(train_points, y_train, test_points, y_test, KNN)
        values["knn_accuracy_2d"] = accuracy
    return {
        **values,
        "trustworthiness": float(trusted(x_test, test_points)),
        "continuity": float(trusted(test_points, x_test)),
    }


def trusted(original, mapped, neighbours=NEIGHBOURS):
    """Trustworthiness of the map; with exchanged arguments, its continuity.

    ``1 − 2 / (n k (2n − 3k − 1)) Σ_i Σ_{j ∈ U_i} (r(i, j) − k)``: U_i contains the points j that
    are among the k nearest of i in the map but not in the original, where j is the r(i, j)-th
    nearest. 1 is best; a random map gives about ½.

    Parameters
    ----------
    original, mapped : arrays ``(n, a)`` and ``(n, b)``.

    References
    ----------
    Venna & Kaski 2001, "Neighborhood preservation in nonlinear projection methods", equations 1, 2.
    """
    # The measure is defined only for fewer neighbours than half of the points
    k = max(1, min(neighbours, math.ceil(len(original) / 2) - 1))
    return trustworthiness(original, mapped, n_neighbors=k)


def tsne_map(x, seed=0):
    """t-SNE of images ``(n, pixels)`` via 50 principal components: points ``(n, 2)``.

    Source: van der Maaten & Hinton 2008, "Visualizing data using t-SNE".
    """
    x = PCA(min(TSNE_COMPONENTS, *x.shape), random_state=seed).fit_transform(x)
    perplexity = min(30.0, (len(x) - 1) / 3)
    return TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(x)


@styled
def figure(measured):
    """Draw the maps side by side, each with its own scale: one dot per image, coloured by class."""
    rows = math.ceil(len(measured) / COLUMNS)
    drawn = new_figure(PAGE_WIDTH, 60 + 275 * rows)
    panels = drawn.subplots(rows, COLUMNS, squeeze=False).ravel()
    for axes, (name, m) in zip(panels, measured.items(), strict=False):
        classes = classes_of(m.views)
        _draw_map(axes, m.views["map"], m.views.get("labels"), classes)
        accuracy = m.values.get("knn_accuracy_2d")
        axes.set_title(name if accuracy is None else f"{name}: {100 * accuracy:.1f} % by 5-NN")
    for axes in panels[len(measured) :]:
        axes.set_visible(False)
    labels = [m.views["labels"] for m in measured.values() if "labels" in m.views]
    if labels and len(classes) <= MOST_NAMED:
        found, palette = np.unique(np.concatenate(labels)), class_colours(len(classes))
        handles = [
            panels[0].plot([], [], "o", color=palette[c], label=classes[c])[0] for c in found
        ]
        longest = max(len(classes[c]) for c in found)
        columns = max(1, min(len(found), 10, LEGEND_LETTERS // (longest + 4)))
        drawn.legend(handles=handles, loc="outside lower center", ncols=columns, handletextpad=0.1)
    return drawn


def _draw_map(axes, points, labels, classes, stars=()):
    colours = dot_colours(labels, classes)
    axes.scatter(*points.T, s=4, c=colours, alpha=0.5, linewidths=0, rasterized=True)
    every = np.concatenate([points, np.reshape(stars, (-1, 2))])
    low, high = every.min(axis=0), every.max(axis=0)
    centre, half = (low + high) / 2, max(0.53 * float((high - low).max()), 1e-6)
    axes.set_xlim(centre[0] - half, centre[0] + half)
    axes.set_ylim(centre[1] - half, centre[1] + half)
    axes.set_aspect("equal", adjustable="box")
    # Only relative positions have a meaning, so there are no ticks
    axes.set_xticks([])
    axes.set_yticks([])
    halo = [effects.withStroke(linewidth=2.5, foreground="white")]
    found = named_in_map(labels, classes)
    medians = [np.median(points[labels == c], axis=0) for c in found]
    medians = np.reshape(medians, (-1, 2))
    # Scaled down before spreading, so that numerals in a small panel are moved further apart
    places = spread((medians - centre) / (2 * half) * CROWDED) / CROWDED * 2 * half + centre
    places = np.clip(places, centre - INSIDE * half, centre + INSIDE * half)
    for c, place in zip(found, places, strict=True):
        axes.text(
            *place,
            classes[c],
            color=INK,
            fontsize=11,
            fontweight="bold",
            ha="center",
            va="center_baseline",
            path_effects=halo,
        )
    if len(stars):
        axes.scatter(*stars.T, s=140, marker="*", c=INK, edgecolors="white", linewidths=0.8)


@styled
def map_with_stars(points, labels, stars, classes=tuple("0123456789")):
    """Draw points ``(n, 2)`` of images with their labels, or None, and stars ``(m, 2)`` on them."""
    drawn = new_figure(600, 600)
    _draw_map(drawn.add_subplot(), points, labels, classes, stars)
    return drawn
