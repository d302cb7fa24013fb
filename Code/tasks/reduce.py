"""Dimensionality reduction: a map of the images in the plane, and how far it can be trusted.

Codes of two units are the map themselves. Of wider codes the map is two principal components, and
the names of its measures end in ``_pca2``.

    1-NN, 5-NN       how well the nearest points in the map predict the class
    trustworthiness  whether neighbours in the map are neighbours among the images
    continuity       whether neighbours among the images are neighbours in the map

    python -m Code.use reduce --model output/ae-2 --input my.npz --output codes.csv
"""

import math
import textwrap

import numpy as np
from matplotlib.lines import Line2D
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness
from sklearn.neighbors import NearestNeighbors

from Code.figures.scatter import classes_of, draw_map
from Code.figures.style import INK, MOST_NAMED, PAGE_WIDTH, class_colours, new_figure, styled
from Code.parts.components import WIDEST_IMAGES, fitted_pca
from Code.parts.images import to_unit
from Code.tasks.task import Measured, Metric, flat
from Code.training.codes import unsupervised_code
from Code.training.measures import in_plane, neighbour_accuracy, plane

# `knn_accuracy` and `nn_error_2d` are of all images; `_few` are the first 4,000 training and 2,000
# test images, which is what t-SNE has a map of
METRICS = (
    Metric("knn_accuracy", main=True),
    *(
        Metric(in_plane(name, units), higher_is_better=name != "nn_error_2d")
        for units in (2, 16)
        for name in (
            "knn_accuracy",
            "knn_accuracy_few",
            "nn_error_2d",
            "trustworthiness",
            "continuity",
        )
        if (name, units) != ("knn_accuracy", 2)
    ),
    Metric("knn_accuracy_code_few"),
)
# As many images as t-SNE, which maps all at once, can do in a minute; the same for all models
MAP_TRAIN, MAP_TEST = 4000, 2000
KNN, NEIGHBOURS = 5, 12
TSNE_COMPONENTS, TSNE_NEIGHBOURS = 50, 10
# The map of t-SNE that was fitted to the test images too is not one that a model could make
TRANSDUCTIVE, TSNE_BY_NEIGHBOURS = "t-SNE with test images", "t-SNE of training images"
BOUNDS = (TRANSDUCTIVE,)
COLUMNS = 3
# Trustworthiness is of neighbours among the test images
LEAST_IMAGES = (1, 3)
# That a title of a panel holds
TITLE_LETTERS = 33
# So many letters fit below the maps, four more for each dot
LEGEND_LETTERS = 90


def measure(model, data, seed=0):
    """The measures of `map_quality`, and both accuracies in the map of the whole data set.

    ``knn_accuracy`` is that of ``Code.training.procedure``: 5-NN among all training images, on all
    test images. ``knn_accuracy_few`` and ``knn_accuracy_code_few`` are of the few images of
    `map_quality`, in the map and on the codes with all their units. Without labels the accuracies
    and errors are left out, and a label in the code is left out of the map.
    """
    train, test = (unsupervised_code(model, x) for x in (data.x_train, data.x_test))
    measured = _map_of(train, test, data)
    few, some = slice(0, MAP_TRAIN), slice(0, MAP_TEST)
    if data.labelled:
        measured.values["knn_accuracy_code_few"] = neighbour_accuracy(
            train[few], data.y_train[few], test[some], data.y_test[some], KNN
        )
    return measured


def baselines(data, seed=0):
    """The same for two principal components of the pixels, and for t-SNE in two ways.

    t-SNE cannot map images that it was not fitted to. ``"t-SNE with test images"`` maps the few
    training and test images together, so it knows the images that it is judged by, and has no map
    of the whole data set. ``"t-SNE of training images"`` is fitted to the few training images
    alone, and places all others by `placed`.
    """
    x_train, x_test = (flat(to_unit(x)) for x in (data.x_train, data.x_test))
    few, some = x_train[:MAP_TRAIN], x_test[:MAP_TEST]
    mapped = tsne_map(np.concatenate([few, some]), seed)
    values = map_quality(
        few, mapped[: len(few)], _few_labels(data), some, mapped[len(few) :], _some_labels(data)
    )
    return {
        "pca-2": _map_of(*plane(x_train, x_test), data),
        TSNE_BY_NEIGHBOURS: _map_of(*tsne_by_neighbours(x_train, x_test, seed), data),
        TRANSDUCTIVE: Measured(values, _views(mapped[len(few) :], data)),
    }


def _map_of(train, test, data):
    """Measures of the map made from codes ``(n, units)`` of all images, named by `in_plane`."""
    units = train.shape[1]
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
        for name, k in (("knn_accuracy", KNN), ("nn_error_2d", 1)):
            values[name] = neighbour_accuracy(train, data.y_train, test, data.y_test, k)
        values["nn_error_2d"] = 1 - values["nn_error_2d"]
    values = {in_plane(name, units): value for name, value in values.items()}
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
    dict: ``knn_accuracy_few`` (only with labels), the accuracy on test points of 5-NN with the
    training points; ``trustworthiness`` and ``continuity`` of the test images, for 12 neighbours.
    """
    values = {}
    if y_train is not None:
        accuracy = neighbour_accuracy(train_points, y_train, test_points, y_test, KNN)
        values["knn_accuracy_few"] = accuracy
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

    Images that are all alike are one point; scikit-learn's t-SNE ends the process on them.

    Source: van der Maaten & Hinton 2008, "Visualizing data using t-SNE".
    """
    if np.ptp(x, axis=0).max() == 0:
        return np.zeros((len(x), 2), np.float32)
    x = PCA(min(TSNE_COMPONENTS, *x.shape), random_state=seed).fit_transform(x)
    perplexity = min(30.0, (len(x) - 1) / 3)
    return TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(x)


def tsne_by_neighbours(x_train, x_test, seed=0):
    """The t-SNE map of the first training images, with all other images placed in it by `placed`.

    Distances are those of 50 principal components of these training images.

    Parameters
    ----------
    x_train, x_test : images ``(n, pixels)``.

    Returns
    -------
    Two arrays ``(n, 2)``, for training and test images. No test image has moved any other point.
    """
    few = x_train[:MAP_TRAIN]
    points = tsne_map(few, seed)
    components = min(TSNE_COMPONENTS, *few.shape)
    pca = fitted_pca(components, few, WIDEST_IMAGES)
    known = pca.transform(few)
    others, test = (
        placed(pca.transform(x), known, points) if len(x) else np.empty((0, 2))
        for x in (x_train[MAP_TRAIN:], x_test)
    )
    return np.concatenate([points, others]), test


def placed(x, known, points):
    """Points ``(n, 2)`` of new images: the median of the points of their ten nearest known images.

    Parameters
    ----------
    x, known : arrays ``(n, features)`` and ``(m, features)`` of new and of known images.
    points : array ``(m, 2)``, the map of the known images.

    References
    ----------
    Kobak & Berens 2019, "The art of using t-SNE for single-cell transcriptomics", whose maps take
    new cells in this way.
    """
    neighbours = NearestNeighbors(
        n_neighbors=min(TSNE_NEIGHBOURS, len(known)), algorithm="brute"
    ).fit(known)
    return np.median(points[neighbours.kneighbors(x, return_distance=False)], axis=1)


def _caption(values):
    """A list of at most one line: the accuracy in a map, that of the tables where there is one."""
    for name, of in (
        ("knn_accuracy", ""),
        (in_plane("knn_accuracy", math.inf), " after PCA"),
        ("knn_accuracy_few", f" of {MAP_TRAIN:,}"),
    ):
        if name in values:
            return [f"{100 * values[name]:.1f} % by 5-NN{of}"]
    return []


@styled
def figure(measured):
    """Draw the maps side by side, each with its own scale: one dot per image, coloured by class.

    Where a row of panels is not full, the legend stands in the place that is left.
    """
    rows = math.ceil(len(measured) / COLUMNS)
    drawn = new_figure(PAGE_WIDTH, 60 + 310 * rows)
    drawn.get_layout_engine().set(wspace=0.02, hspace=0.04)
    panels = [drawn.add_subplot(rows, COLUMNS, i + 1) for i in range(len(measured))]
    for axes, (name, m) in zip(panels, measured.items(), strict=True):
        classes = classes_of(m.views)
        points = m.views["map"]
        noted = _draw_map(axes, points, m.views.get("labels"), classes, name)
        measured_on = ", ".join([f"{len(points):,} images", *_caption(m.values)])
        lines = (textwrap.fill(text, TITLE_LETTERS) for text in (noted, measured_on))
        axes.set_title("\n".join(lines), fontsize=9.5)
    labels = [m.views["labels"] for m in measured.values() if "labels" in m.views]
    if labels and len(classes) <= MOST_NAMED:
        found, palette = np.unique(np.concatenate(labels)), class_colours(len(classes))
        handles = [
            Line2D([], [], linestyle="", marker="o", color=palette[c], label=classes[c])
            for c in found
        ]
        longest = max(len(classes[c]) for c in found)
        if len(measured) < rows * COLUMNS:
            spare = drawn.add_subplot(rows, COLUMNS, len(measured) + 1)
            spare.set_axis_off()
            columns = max(1, 12 // (longest + 4))
            spare.legend(handles=handles, loc="center", ncols=columns, handletextpad=0.1)
        else:
            columns = max(1, min(len(found), 10, LEGEND_LETTERS // (longest + 4)))
            place = {"loc": "outside lower center", "handletextpad": 0.1}
            drawn.legend(handles=handles, ncols=columns, **place)
    return drawn


def _draw_map(axes, points, labels, classes, title="", stars=()):
    noted = draw_map(axes, points, labels, classes, title, small=True)
    # Only relative positions have a meaning, so there are no ticks
    axes.set_xticks([])
    axes.set_yticks([])
    if len(stars):
        every = np.concatenate([stars, np.transpose([axes.get_xlim(), axes.get_ylim()])])
        low, high = every.min(axis=0), every.max(axis=0)
        centre, half = (low + high) / 2, 0.52 * float((high - low).max())
        axes.set_xlim(centre[0] - half, centre[0] + half)
        axes.set_ylim(centre[1] - half, centre[1] + half)
        axes.scatter(*stars.T, s=140, marker="*", c=INK, edgecolors="white", linewidths=0.8)
    return noted


@styled
def map_with_stars(points, labels, stars, classes=tuple("0123456789")):
    """Draw points ``(n, 2)`` of images with their labels, or None, and stars ``(m, 2)`` on them."""
    drawn = new_figure(600, 600)
    _draw_map(drawn.add_subplot(), points, labels, classes, stars=np.asarray(stars))
    return drawn
