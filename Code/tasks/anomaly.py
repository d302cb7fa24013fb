"""Anomaly detection: an image that is reconstructed badly is unlike the training images.

    s(x) = 1/D ‖x − x̂(x)‖²   or   s(x) = −ELBO(x);      x is called foreign (anomalous) if s(x) > t
    t is the q-quantile of s over training images: about 1 − q of the normal images exceed it.

A model of all ten digits is tested with images that are not digits, made from the test images
(`foreign_images`). The usual protocols (one digit is the normal class, or one digit is left out)
train a separate model for each digit (`one_class`, `protocols`).
"""

import math

import numpy as np
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import SGDOneClassSVM
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline

from Code.figures.images import image_rows
from Code.parts.images import to_unit
from Code.tasks.principal import PrincipalComponents, principal_components
from Code.tasks.reconstruct import drawn, has_posterior, posterior
from Code.tasks.ridge import WIDEST
from Code.tasks.task import Measured, Metric, unit_rows

N_TRAIN, N_TEST = 10_000, 10_000
QUANTILE = 0.95
ELBO_SAMPLES = 4
SHOWN_OF_EACH = 2
LISTED = 16
SVM_COMPONENTS, SVM_NU = 300, 0.05
# The share of the variance that is usually kept
KEPT_VARIANCE = 0.95
# Distances of wide images are those of so many principal components
WIDE_COMPONENTS = 256
# Of intensities; where training images are all alike, none varies at all
LEAST_VARIANCE = 1e-9
# Equally many gradient steps for one digit (6,000 images) as for nine
PROTOCOL_STEPS, PROTOCOL_BATCH = 1500, 128
PROTOCOL_SETTINGS = {"hidden": (256, 64), "code_dim": 16, "reconstruction": "binary cross-entropy"}

PROTOCOL_METRICS = (
    Metric("auroc_one_normal"),
    Metric("auroc_left_out"),
    Metric("auroc_one_normal_elbo"),
    Metric("auroc_left_out_elbo"),
)
METRICS = (
    Metric("auroc", main=True),
    Metric("auroc_rotated"),
    Metric("auroc_patch"),
    Metric("auroc_shuffled"),
    Metric("auroc_given"),
    Metric("auroc_elbo"),
    Metric("detected"),
    Metric("false_alarms", higher_is_better=False),
    *PROTOCOL_METRICS,
)


def auroc(normal, foreign):
    """Area under the ROC curve: probability that a foreign score exceeds a normal one (chance 0.5).

    Parameters
    ----------
    normal, foreign : arrays ``(n,)`` and ``(m,)`` of scores; higher means more anomalous.
    """
    labels = np.repeat([0, 1], [len(normal), len(foreign)])
    return float(roc_auc_score(labels, np.concatenate([normal, foreign])))


def threshold(scores, quantile=QUANTILE):
    """The threshold that a share ``quantile`` of the normal ``scores`` does not exceed."""
    return float(np.quantile(scores, quantile))


def reconstruction_error(images, reconstructions):
    """``1/D ‖x − x̂‖²``, ``(n,)``, of images ``(n, height, width)`` in [0, 1]."""
    difference = to_unit(np.asarray(images)) - reconstructions
    return np.square(difference).reshape(len(difference), -1).mean(axis=1)


def foreign_images(images, seed=0):
    """Images that are not digits, made from digits: ``{kind: array (n, height, width)}`` in [0, 1].

    ``rotated``: turned by 90° (square images only); ``patch``: with an inverted random square whose
    side is a seventh of the height; ``shuffled``: with all pixels in one random order, the same for
    every image.

    Parameters
    ----------
    images : array ``(n, height, width)``, or with a last axis of channels: uint8, or floats in
        [0, 1].
    """
    images, rng = to_unit(np.asarray(images)), np.random.default_rng(seed)
    n, height, width, *channels = images.shape
    side = max(2, height // 7)
    tops = rng.integers(0, height - side + 1, n)[:, None]
    lefts = rng.integers(0, width - side + 1, n)[:, None]
    rows, columns = np.arange(height), np.arange(width)
    in_rows = (rows >= tops) & (rows < tops + side)
    in_columns = (columns >= lefts) & (columns < lefts + side)
    patch = in_rows[:, :, None] & in_columns[:, None, :]
    patch = patch.reshape(*patch.shape, *[1] * len(channels))
    inverted = np.where(patch, 1 - images, images)
    order = rng.permutation(height * width)
    shuffled = images.reshape(n, height * width, *channels)[:, order].reshape(images.shape)
    kinds = {"patch": inverted, "shuffled": shuffled}
    if height == width:
        kinds = {"rotated": np.ascontiguousarray(np.rot90(images, axes=(1, 2))), **kinds}
    return kinds


def negative_elbo(model, images, seed=0, samples=ELBO_SAMPLES):
    """``−ELBO = E_q[−log p(x | z)] + KL(q(z | x) ‖ N(0, I))`` in nats, ``(n,)``.

    The expectation is estimated with a few draws of z, the same ones in every call.

    Parameters
    ----------
    model : a VAE.
    images : array ``(n, height, width)``: uint8, or floats in [0, 1].

    References
    ----------
    Kingma & Welling 2013, equations 3 and 10; used as an anomaly score by An & Cho 2015.
    """
    from keras import ops

    x, rng = to_unit(np.asarray(images)), np.random.default_rng(seed)
    z_mean, z_log_var, rest = posterior(model, x)
    kl = 0.5 * np.sum(np.square(z_mean) + np.exp(z_log_var) - 1 - z_log_var, axis=1)
    error = np.zeros(len(x))
    for _ in range(samples):
        codes = np.concatenate([drawn(z_mean, z_log_var, rng), rest], axis=1)
        error += ops.convert_to_numpy(model.reconstruction_error(x, model.decode(codes)))
    return model.n_pixels * error / samples + kl


def scorers(model, seed=0):
    """The anomaly scores of a trained autoencoder: ``{name: function of images → (n,)}``."""
    found = {"reconstruction": lambda x: reconstruction_error(x, model.reconstruct(x))}
    if has_posterior(model):
        found["elbo"] = lambda x: negative_elbo(model, x, seed)
    return found


def judged(score, normal_train, normal_test, foreign, quantile=QUANTILE):
    """How well one score separates foreign images from normal ones.

    Parameters
    ----------
    score : function of images ``(n, height, width)`` → ``(n,)``.
    normal_train : images whose scores set the threshold.
    normal_test : normal images that were not used in training.
    foreign : ``{kind: images}``.

    Returns
    -------
    dict: ``auroc``, the mean over the kinds, and the AUROC of each kind; ``detected``, the mean
    share of foreign images above the threshold; ``false_alarms``, the share of normal images above
    it.
    """
    limit, normal = threshold(score(normal_train), quantile), score(normal_test)
    strange = {kind: score(images) for kind, images in foreign.items()}
    each = {f"auroc_{kind}": auroc(normal, scores) for kind, scores in strange.items()}
    return {
        "auroc": float(np.mean(list(each.values()))),
        **each,
        "detected": float(np.mean([np.mean(scores > limit) for scores in strange.values()])),
        "false_alarms": float(np.mean(normal > limit)),
    }


def measure(model, data, seed=0, given=None):
    """AUROC of a trained autoencoder against foreign images, by reconstruction error and −ELBO.

    Parameters
    ----------
    given : foreign images ``(n, height, width)``, for example of Fashion-MNIST, or None.
    """
    normal, foreign = _material(data, seed, given)
    train = data.x_train[:N_TRAIN]
    scores = scorers(model, seed)
    values = judged(scores["reconstruction"], train, normal, foreign)
    if "elbo" in scores:
        elbo = scores["elbo"](normal)
        each = [auroc(elbo, scores["elbo"](images)) for images in foreign.values()]
        values["auroc_elbo"] = float(np.mean(each))
    return Measured(values, _views(normal, foreign, model.reconstruct))


def baselines(data, seed=0, given=None):
    """The same for the detectors of `rivals`, none of which is an autoencoder."""
    normal, foreign = _material(data, seed, given)
    found = {}
    for name, train in rivals(seed).items():
        (score,) = train(data.x_train).values()
        values = judged(score, data.x_train[:N_TRAIN], normal, foreign)
        found[name] = Measured(values)
    project = principal_components(data).project
    found["pca-16"].views.update(_views(normal, foreign, project))
    return found


def _material(data, seed, given):
    """Normal test images and foreign images, at most N_TEST of each kind."""
    normal = to_unit(data.x_test[:N_TEST])
    foreign = foreign_images(normal, seed)
    if given is not None:
        foreign["given"] = to_unit(np.asarray(given)[:N_TEST])
    return normal, foreign


def _views(normal, foreign, reconstruct):
    shown = np.concatenate([part[:SHOWN_OF_EACH] for part in (normal, *foreign.values())])
    return {"images": shown, "reconstructions": reconstruct(shown)}


# Baselines: each takes training images and returns scores, as `autoencoder_trainer` does ---------


def rivals(seed=0):
    """Classical detectors by name: training images → ``{score name: images → (n,)}``."""
    return {
        "pca-16": pca_scorer,
        "PCA of 95 % variance": variance_scorer,
        "k-NN distance": nearest_scorer,
        "isolation forest": lambda x: forest_scorer(x, seed),
        "one-class svm": lambda x: svm_scorer(x, seed),
        "Mahalanobis distance": mahalanobis_scorer,
    }


def pca_scorer(images):
    """Squared distance per pixel from the subspace of the first 16 principal components."""
    project = PrincipalComponents(images).project
    return {"reconstruction": lambda x: reconstruction_error(x, project(x))}


def variance_scorer(images):
    """Squared distance per pixel from the components that hold `KEPT_VARIANCE` of the variance.

    That rule leaves nothing to choose. Of the widest images they are among `WIDE_COMPONENTS`.
    """
    rows = _narrow(images)
    x = rows(images)
    # Images all alike have no variance of which components could hold a share
    with np.errstate(invalid="ignore"):
        pca = PCA(KEPT_VARIANCE if len(x) > 1 else 1, svd_solver="full").fit(x)

    def distance(images):
        x = rows(images)
        return np.square(x - pca.inverse_transform(pca.transform(x))).mean(axis=1)

    return {"reconstruction": distance}


def nearest_scorer(images):
    """Distance to the nearest training image (Ramaswamy et al. 2000, with k = 1).

    Only images of the second half are neighbours, at most N_TRAIN: the threshold comes from those
    of the first half, and each would be its own nearest one.
    """
    x = unit_rows(images[len(images) // 2 :][:N_TRAIN])
    nearest = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(x)
    return {"distance": lambda images: nearest.kneighbors(unit_rows(images))[0][:, 0]}


def _narrow(images):
    """How images become rows with a covariance of at most 1,024 columns: pixels, or components."""
    if math.prod(images.shape[1:]) <= WIDEST:
        return unit_rows
    return PrincipalComponents(images, WIDE_COMPONENTS).encode


def mahalanobis_scorer(images):
    """Squared Mahalanobis distance from the mean, ``(x − μ)ᵀ Σ⁻¹ (x − μ)``.

    Σ is the covariance of the training images, shrunk towards a multiple of the identity by the
    formula of Ledoit & Wolf 2004, which leaves nothing to choose.
    """
    rows = _narrow(images)
    normal = LedoitWolf().fit(rows(images))
    # Whitened once, since scikit-learn's own distance takes each image by itself; in float64, for
    # single precision cannot invert the covariance of pixels that hardly vary
    variances, axes = np.linalg.eigh(normal.covariance_.astype(np.float64))
    whitening = axes / np.sqrt(np.maximum(variances, LEAST_VARIANCE))
    return {"distance": lambda x: np.square((rows(x) - normal.location_) @ whitening).sum(axis=1)}


def forest_scorer(images, seed=0):
    """Isolation forest of 100 trees: few splits isolate an anomalous image (Liu et al. 2008)."""
    forest = IsolationForest(random_state=seed).fit(unit_rows(images))
    return {"depth": lambda x: -forest.score_samples(unit_rows(x))}


def svm_scorer(images, seed=0):
    """One-class SVM (Schölkopf et al. 2001) on a Nyström map of the radial basis kernel.

    The exact kernel takes time quadratic in the number of images. Its γ is 1 / (D · variance), the
    default of scikit-learn's SVMs.
    """
    x = unit_rows(images)
    components, variance = min(SVM_COMPONENTS, len(x)), x.var() or 1.0
    machine = make_pipeline(
        Nystroem(gamma=1 / (x.shape[1] * variance), n_components=components, random_state=seed),
        SGDOneClassSVM(nu=SVM_NU, random_state=seed),
    ).fit(x)
    return {"margin": lambda images: -machine.decision_function(unit_rows(images))}


# Protocols: one model per digit ------------------------------------------------------------------


def one_class(train_model, data, left_out=False, classes=None):
    """AUROC on the test images; each digit in turn is the only normal or the only foreign class.

    Parameters
    ----------
    train_model : function of training images ``(n, height, width)`` → ``{score name: function of
        images → (n,)}``; see `autoencoder_trainer` and `rivals`.
    left_out : False: train on digit c alone; all others are foreign. True: train on all digits
        except c; only c is foreign.
    classes : digits c to use; all by default.

    Returns
    -------
    dict: score name → array ``(classes,)``.

    References
    ----------
    Ruff et al. 2018, "Deep one-class classification", section 4.1 (one class normal).
    """
    classes = np.unique(data.y_train) if classes is None else classes
    found = {}
    for digit in classes:
        scores = train_model(data.x_train[(data.y_train == digit) != left_out])
        foreign = (data.y_test == digit) == left_out
        for name, score in scores.items():
            values = score(data.x_test)
            found.setdefault(name, []).append(auroc(values[~foreign], values[foreign]))
    return {name: np.array(each) for name, each in found.items()}


def autoencoder_trainer(
    model="Code.ae:AE", settings=None, seed=0, steps=PROTOCOL_STEPS, batch_size=PROTOCOL_BATCH
):
    """A function that trains a small autoencoder on images and returns its scores.

    Parameters
    ----------
    model : import path of the variant; settings : its arguments, by default the common network.
    seed : seed of the weights, the order of the images and the noise; it sets Keras's global seed.
    steps : least number of gradient steps, in whole epochs; a smaller last batch is not counted.
    """
    import keras

    from Code.foundation.names import load

    def train(images):
        keras.utils.set_random_seed(seed)
        trained = load(model)(image_shape=images.shape[1:], **(settings or PROTOCOL_SETTINGS))
        trained.compile()
        batches = max(1, len(images) // batch_size)
        trained.fit(images, batch_size=batch_size, epochs=-(-steps // batches), verbose=0)
        return scorers(trained, seed)

    return train


def protocols(train_model, data, classes=None):
    """Both protocols of `one_class`: the mean over the digits, and each digit's AUROC as views.

    It trains two models per digit, so it is a separate experiment and not part of `measure`.
    """
    measured = Measured()
    for name, left_out in (("one_normal", False), ("left_out", True)):
        found = one_class(train_model, data, left_out, classes)
        for i, (score, each) in enumerate(found.items()):
            # The first score is the main one, which every detector has
            metric = f"auroc_{name}" if i == 0 else f"auroc_{name}_{score}"
            measured.values[metric] = float(np.mean(each))
            measured.views[metric] = each
    return measured


# Picture -----------------------------------------------------------------------------------------


def figure(measured):
    """Draw normal and foreign images, their reconstructions, and the errors of each model."""
    shown = {name: one for name, one in measured.items() if "images" in one.views}
    if not shown:
        raise ValueError("nothing to draw: none of these gives images back")
    rows = [("image", next(iter(shown.values())).views["images"])]
    for name, one in shown.items():
        images, reconstructions = one.views["images"], one.views["reconstructions"]
        rows.append((f"{name}: AUROC {one.values['auroc']:.3f}", reconstructions))
        rows.append((f"{name}: error", np.abs(images - reconstructions)))
    return image_rows(rows, _heads(rows[0][1]))


def _heads(images):
    """The kind of each image that `_views` shows; none where an image of a kind is lacking."""
    square = images.shape[1] == images.shape[2]
    kinds = ["normal", *["rotated"] * square, "patch", "shuffled", "given"]
    if len(images) % SHOWN_OF_EACH:
        return ()
    return [kind for kind in kinds for _ in range(SHOWN_OF_EACH)][: len(images)]
