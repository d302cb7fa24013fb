"""Features for classification: how well the frozen code predicts labels, from few or all labels.

    ŷ = argmax_c (w_c · z(x) + b_c)   a linear probe on the code z; the encoder is not changed
    ŷ = most frequent label among the k nearest training codes

The autoencoder has seen all training images, the classifier only those with labels: 10, 100 or
1,000 of them, equally many of every digit, in several draws. The baselines do the same on pixels
and on 16 principal components. Scale and penalty of the probe are chosen by cross-validation on the
labelled images alone, by one rule for all codes and pixels (`Code.training.probe.chosen_probe`).
Label spreading needs no code: it too sees images without labels, and lets labels flow between
neighbours. `fine_tune` also continues to train the encoder.
"""

import numpy as np
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.semi_supervised import LabelSpreading

from Code.figures.style import GREY, INK, PAGE_WIDTH, SERIES, new_figure, styled
from Code.parts.components import WIDEST_IMAGES, fitted_pca
from Code.parts.unconverged import may_stop_early
from Code.tasks.principal import principal_components
from Code.tasks.task import Measured, Metric, unit_rows
from Code.training.codes import unsupervised_code, without_labels
from Code.training.probe import chosen_probe, fitted_probe

LABELS = (10, 100, 1000)
DRAWS = 10
NEIGHBOURS = 5
# Most labelled images that a probe learns from, here and in the command line
N_TRAIN = 20_000
# Of label spreading: principal components, neighbours, and how much a label gives way to them
COMPONENTS, GRAPH_NEIGHBOURS, ALPHA = 50, 10, 0.99
MOST_STEPS = 200
FINE_TUNE_STEPS, FINE_TUNE_BATCH, FINE_TUNE_RATE = 600, 100, 1e-3
FINE_TUNE_IMAGES = 2000
ALL = "all"

NEEDS_LABELS = True
METRICS = tuple(
    Metric(
        f"{classifier}_{labels}{suffix}",
        higher_is_better=not suffix,
        main=(classifier, labels, suffix) == ("probe", 100, ""),
    )
    for classifier in ("probe", "knn")
    for labels in (*LABELS, ALL)
    for suffix in (("",) if labels == ALL else ("", "_spread"))
)


def balanced_draw(labels, n, rng):
    """Random indices of ``n`` images, equally many per class, or None if a class has too few.

    Parameters
    ----------
    labels : integer array ``(images,)``.
    rng : ``numpy.random.Generator``.
    """
    classes, counts = np.unique(labels, return_counts=True)
    each, rest = divmod(n, len(classes))
    if rest or each == 0 or counts.min() < each:
        return None
    members = (np.flatnonzero(labels == c) for c in classes)
    return np.concatenate([rng.choice(found, each, replace=False) for found in members])


def over_draws(name, each):
    """The mean over the draws of the labelled images, and ``…_spread``, 0 of a single draw."""
    spread = float(np.std(each, ddof=1)) if len(each) > 1 else 0.0
    return {name: float(np.mean(each)), f"{name}_spread": spread}


def tuned_probe(codes, labels):
    """A `Probe` of the first 20,000 codes, with the scale and the penalty that suit them best."""
    codes, labels = codes[:N_TRAIN], labels[:N_TRAIN]
    return fitted_probe(codes, labels, **chosen_probe(codes, labels))


def tuned_probe_accuracy(train_codes, train_labels, test_codes, test_labels):
    """Accuracy of `tuned_probe` on test codes."""
    return tuned_probe(train_codes, train_labels).accuracy(test_codes, test_labels)


def neighbours_accuracy(train_codes, train_labels, test_codes, test_labels):
    """Accuracy of a k-nearest-neighbour classifier on test codes.

    It uses five neighbours, or fewer if a class has fewer labelled images.
    """
    _, counts = np.unique(train_labels, return_counts=True)
    k = min(NEIGHBOURS, int(counts.min()))
    # Brute force is one matrix product; a tree in 16 dimensions would visit nearly every leaf
    method = "auto" if train_codes.shape[1] <= 3 else "brute"
    classifier = KNeighborsClassifier(k, algorithm=method).fit(train_codes, train_labels)
    return float(classifier.score(test_codes, test_labels))


CLASSIFIERS = {"probe": tuned_probe_accuracy, "knn": neighbours_accuracy}


def accuracies(train_codes, train_labels, test_codes, test_labels, seed=0, draws=DRAWS):
    """Accuracy of a linear probe and of k-NN on frozen codes, with 10 labels up to all labels.

    Parameters
    ----------
    train_codes, test_codes : arrays ``(n, units)``.
    train_labels, test_labels : integer arrays ``(n,)``.
    draws : number of random draws of the labelled images.

    Returns
    -------
    dict: ``probe_100`` is the mean over the draws and ``probe_100_spread`` their standard
    deviation, for 100 labels; ``probe_all`` uses all labels, up to the limit of 20,000 in
    `tuned_probe`. The names with ``knn`` are analogous, without that limit. Numbers of labels
    that cannot be drawn equally from every class are left out.

    References
    ----------
    Alain & Bengio 2016 (linear probes); Kingma et al. 2014, table 1 (from 100 and 1,000 labels).
    """
    train_codes, test_codes = _flat(train_codes), _flat(test_codes)
    values = {}
    for labels in LABELS:
        rng = np.random.default_rng((seed, labels))
        chosen = [balanced_draw(train_labels, labels, rng) for _ in range(draws)]
        if chosen[0] is None:
            continue
        for name, accuracy in CLASSIFIERS.items():
            each = [
                accuracy(train_codes[draw], train_labels[draw], test_codes, test_labels)
                for draw in chosen
            ]
            values |= over_draws(f"{name}_{labels}", each)
    for name, accuracy in CLASSIFIERS.items():
        values[f"{name}_{ALL}"] = accuracy(train_codes, train_labels, test_codes, test_labels)
    return values


def measure(model, data, seed=0):
    """Accuracy of a linear probe and of k-NN on the frozen code of a trained autoencoder."""
    codes = (unsupervised_code(model, x) for x in (data.x_train, data.x_test))
    return _measured(*codes, data, seed)


def baselines(data, seed=0):
    """The same on raw pixels and on 16 principal components, and of label spreading.

    Label spreading is left out where too few images have labels for any draw.
    """
    pca = principal_components(data)
    found = {
        name: _measured(encode(data.x_train), encode(data.x_test), data, seed)
        for name, encode in (("pixels", unit_rows), ("pca-16", pca.encode))
    }
    spread = spread_accuracies(data, seed)
    return {**found, "label spreading": Measured(spread)} if spread else found


def spread_accuracies(data, seed=0, draws=DRAWS):
    """Accuracy of label spreading from 10, 100 and 1,000 labels; a dict as of `accuracies`.

        F ← α S F + (1 − α) Y        S = D^(−1/2) W D^(−1/2)

    W joins two of the first 20,000 training images where one is among the ten nearest of the other
    by 50 principal components;
    Y are the labels of those that were drawn. A test image takes the mean of its ten nearest. The
    names are those of the linear probe, beside which it stands.

    References
    ----------
    Zhou et al. 2004, "Learning with local and global consistency", with their α = 0.99.
    """
    train, labels = unit_rows(data.x_train[:N_TRAIN]), data.y_train[:N_TRAIN]
    pca = fitted_pca(min(COMPONENTS, len(train) - 1, train.shape[1]), train, WIDEST_IMAGES)
    train, test = pca.transform(train), pca.transform(unit_rows(data.x_test))
    k = min(GRAPH_NEIGHBOURS, len(train) - 1)
    neighbours = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(train)
    graph, near = neighbours.kneighbors_graph(), neighbours.kneighbors_graph(test)
    graph = graph.maximum(graph.T)
    values = {}
    for n in LABELS:
        rng = np.random.default_rng((seed, n))
        each = []
        for _ in range(draws):
            drawn = balanced_draw(labels, n, rng)
            if drawn is None:
                break
            given = np.full(len(labels), -1)
            given[drawn] = labels[drawn]
            spreading = LabelSpreading(lambda *_: graph, alpha=ALPHA, max_iter=MOST_STEPS)
            with may_stop_early():
                spreading.fit(train, given)
            guesses = spreading.classes_[(near @ spreading.label_distributions_).argmax(axis=1)]
            each.append(float(np.mean(guesses == data.y_test)))
        if each:
            values |= over_draws(f"probe_{n}", each)
    return values


def _measured(train, test, data, seed):
    return Measured(accuracies(train, data.y_train, test, data.y_test, seed))


def _flat(codes):
    codes = np.asarray(codes, np.float32)
    return codes.reshape(len(codes), -1)


# Fine-tuning: only on request, because it trains a network ----------------------------------------


def fine_tune(
    model, images, labels, n_classes=10, seed=0, steps=FINE_TUNE_STEPS, from_scratch=False
):
    """Train a copy of the encoder with a softmax head on labelled images; ``model`` is unchanged.

    Parameters
    ----------
    images : array ``(n, height, width)``: uint8, or floats in [0, 1].
    labels : integer array ``(n,)``.
    seed : sets Keras's global seed.
    steps : gradient steps of Adam on batches of 100 images, rounded up to whole epochs.
    from_scratch : whether to start from random weights instead; comparing both shows the benefit
        of pre-training.

    Returns
    -------
    ``Code.base.Classifier``: ``classifier.predict(images in [0, 1])`` gives probabilities.
    """
    import keras

    from Code.base import Classifier

    keras.utils.set_random_seed(seed)
    copy = type(model).from_config(model.get_config())
    if not from_scratch:
        copy.set_weights(model.get_weights())
    image = keras.Input(model.image_shape, name="image")
    features = keras.layers.Flatten()(without_labels(copy, copy.code_of(image)))
    head = keras.layers.Dense(n_classes, "softmax", name="head")(features)
    classifier = Classifier(keras.Model(image, head, name="network"))
    classifier.compile(keras.optimizers.Adam(FINE_TUNE_RATE))
    # Repeat few images within an epoch, because each epoch is one call with its overhead
    order = np.tile(np.arange(len(images)), -(-FINE_TUNE_IMAGES // len(images)))
    epochs = -(-steps * FINE_TUNE_BATCH // len(order))
    classifier.fit(
        images[order], labels[order], batch_size=FINE_TUNE_BATCH, epochs=epochs, verbose=0
    )
    return classifier


def fine_tuned_accuracies(model, data, labels=LABELS, draws=3, seed=0, steps=FINE_TUNE_STEPS):
    """Test accuracy after fine-tuning, and of the same network trained from random weights.

    Returns
    -------
    dict: ``fine_tuned_100`` and ``scratch_100`` are means over the draws for 100 labels and
    ``…_spread`` their standard deviations; the other numbers of labels are analogous.
    """
    n_classes = len(data.classes)
    values = {}
    for n in labels:
        rng = np.random.default_rng((seed, n))
        chosen = [balanced_draw(data.y_train, n, rng) for _ in range(draws)]
        if chosen[0] is None:
            continue
        for name, from_scratch in (("fine_tuned", False), ("scratch", True)):
            each = []
            for i, draw in enumerate(chosen):
                classifier = fine_tune(
                    model,
                    data.x_train[draw],
                    data.y_train[draw],
                    n_classes,
                    seed + i,
                    steps,
                    from_scratch,
                )
                found = classifier.evaluate(data.x_test, data.y_test, verbose=0, return_dict=True)
                each.append(found["accuracy"])
            values |= over_draws(f"{name}_{n}", each)
    return values


# Picture -----------------------------------------------------------------------------------------


@styled
def figure(measured):
    """Draw accuracy against the number of labels: one panel for the probe, one for k-NN.

    Bands are the spread over the draws of the labelled images. Label spreading stands beside the
    probe.
    """
    drawn = [name for name, one in measured.items() if one.values]
    if not drawn:
        raise ValueError("nothing to draw: no accuracy was measured")
    canvas = new_figure(PAGE_WIDTH, 400)
    panels = {"probe": "linear probe", "knn": f"{NEIGHBOURS} nearest neighbours"}
    ticks = (*LABELS, ALL)
    # In proportion to the number of labels on a logarithmic axis; "all" stands a decade further on
    places = [*LABELS, 10 * LABELS[-1]]
    first = None
    for i, (classifier, title) in enumerate(panels.items()):
        first = axes = canvas.add_subplot(1, 2, i + 1, sharey=first)
        for j, name in enumerate(drawn):
            values = measured[name].values
            found = [k for k, n in enumerate(ticks) if f"{classifier}_{n}" in values]
            keys = [f"{classifier}_{ticks[k]}" for k in found]
            at, line = [places[k] for k in found], _line(j, name)
            accuracy = np.array([100 * values[key] for key in keys])
            spread = np.array([100 * values.get(f"{key}_spread", 0) for key in keys])
            axes.plot(at, accuracy, label=name, **line)
            axes.fill_between(
                at, accuracy - spread, accuracy + spread, color=line["color"], alpha=0.15, lw=0
            )
        axes.set_xscale("log")
        axes.set_xticks(places, [n if n == ALL else f"{n:,}" for n in ticks])
        axes.minorticks_off()
        axes.set(title=title, xlabel="labelled images", ylabel="test accuracy (%)" * (i == 0))
        axes.grid(axis="y", color="#e3e3e3", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    handles, names = first.get_legend_handles_labels()
    canvas.legend(handles, names, loc="outside lower center", ncols=min(len(names), 5))
    return canvas


def _line(i, name):
    dashed = {"pixels": (INK, "--"), "pca-16": (GREY, ":"), "label spreading": (INK, "-.")}
    colour, line = dashed.get(name, (SERIES[i % 6], "-"))
    return {"color": colour, "linestyle": line, "marker": "osD^v"[i % 5]}


def read_labels(train_codes, train_labels, codes):
    """Class probabilities ``(n, classes)`` of codes by a linear probe, and the classes."""
    probe = tuned_probe(train_codes, train_labels)
    return probe.probabilities(codes), probe.regression.classes_
