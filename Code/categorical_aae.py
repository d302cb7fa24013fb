"""Adversarial autoencoder with a category beside the style (Makhzani et al. 2015, sections 5, 6).

    E(x) = (y, z):  y = softmax(…) a category,  z a style;      x̂ = G(y, z)
    two adversarial losses, each with its own discriminator:  q(y) and Cat(y),  q(z) and N(0, I)
    and, where some images have labels,  minimise  −log y_label  on those images

With labels this is the paper's semi-supervised classifier (figure 8); without labels it clusters
images (section 6), and its categories are named afterwards.

Train it alone: ``python -m Code.aae --experiment aae-100-labels``.
"""

import keras
import numpy as np
from keras import layers, ops

from Code.aae import AAE, perceptron, random_classes
from Code.base import PACKAGE
from Code.parts.gradients import build, descend
from Code.parts.images import to_unit
from Code.parts.living import Rate
from Code.parts.losses import cross_entropy_on_labels
from Code.parts.noise import normal
from Code.parts.schedules import in_proportion


def labelled_sample(labels, n, seed):
    """Random indices of ``n`` images, equally many of every class.

    Parameters
    ----------
    labels : integer array ``(images,)``.
    n : a multiple of the number of classes.
    seed : an int.

    Raises
    ------
    ValueError
        If a class has too few images, or ``n`` is no multiple of the number of classes.
    """
    classes = np.unique(labels)
    each = n // len(classes)
    order = np.random.default_rng(seed).permutation(len(labels))
    found = [order[labels[order] == k][:each] for k in classes]
    if n % len(classes) or min(map(len, found)) < each:
        raise ValueError(f"{n} labels cannot be drawn equally from {len(classes)} classes")
    return np.concatenate(found)


def names_of_clusters(probabilities, labels):
    """The label of each category: that of the image most certainly in it (section 6).

    Parameters
    ----------
    probabilities : array ``(n, categories)``.
    labels : integer array ``(n,)``.
    """
    return labels[probabilities.argmax(axis=0)]


@keras.saving.register_keras_serializable(package=PACKAGE)
class CategoricalAAE(AAE):
    """The AAE with a category and a style; ``encode`` returns both, category first.

    Parameters
    ----------
    code_dim : number of units of the style z.
    n_categories : with labels, the number of classes; without, more of them for clustering.
    n_labels : number of training images with labels, 0 for none. ``fit`` draws them, equally many
        from every class, and never uses the labels of the others.
    label_rate : learning rate of the Adam that learns from these labels.
    """

    terms = ("discriminator", "generator", "classification")
    label_rate = Rate("label_optimizer")

    def __init__(self, code_dim=10, n_categories=10, n_labels=100, label_rate=1e-3, **kwargs):
        self.n_categories = n_categories
        self.n_labels = n_labels
        self.label_rate = label_rate
        super().__init__(code_dim=code_dim, **kwargs)
        if n_labels:
            self.labelled_images = self.add_weight(
                name="labelled_images",
                shape=(n_labels, *self.image_shape),
                initializer="zeros",
                trainable=False,
            )
            self.labels = self.add_weight(
                name="labels",
                shape=(n_labels,),
                dtype="int32",
                initializer="zeros",
                trainable=False,
            )

    @property
    def has_prior(self):
        return False

    @property
    def n_labels_told(self):
        return self.n_categories if self.n_labels else None

    @property
    def unsupervised_part(self):
        """The style z where the category learned from labels, otherwise both."""
        return slice(self.n_categories if self.n_labels else 0, None)

    def build_encoder(self):
        image = keras.Input(self.image_shape, name="image")
        h = self.hidden_layers(image)
        category = layers.Dense(self.n_categories, "softmax", name="category")(h)
        style = layers.Dense(self.code_dim, name="style")(h)
        return keras.Model(
            image, layers.Concatenate(name="code")([category, style]), name="encoder"
        )

    def build_discriminator(self):
        """Code → two logits: is the category a draw of Cat(y), is the style a draw of N(0, I)."""
        code = keras.Input(self.encoder.output_shape[1:], name="code")
        category, style = code[:, : self.n_categories], code[:, self.n_categories :]
        logits = [
            perceptron(part.shape[-1], self.discriminator_hidden, f"{name}_discriminator")(part)
            for name, part in (("category", category), ("style", style))
        ]
        return keras.Model(code, layers.Concatenate()(logits), name="discriminator")

    def prior_draws(self, n, y=None, seed=None):
        """Codes ``(n, categories + style)``: uniform one-hot categories, and styles of N(0, I)."""
        seed = seed or self.prior_seed
        category = random_classes((n,), self.n_categories, seed)
        style = normal((n, self.code_dim), seed)
        return ops.concatenate([ops.one_hot(category, self.n_categories), style], axis=1)

    def category_of(self, code):
        """The category probabilities ``(n, categories)`` of codes."""
        return code[:, : self.n_categories]

    def continuous(self, codes):
        """The style part of codes."""
        return codes[:, self.n_categories :]

    def classification_loss(self, x, y):
        """−log y_label, ``(batch,)``."""
        return cross_entropy_on_labels(y, self.category_of(self.encoder(x)))

    def loss_terms(self, x, y=None, training=False):
        terms = super().loss_terms(x, y, training)
        known = self.n_labels and y is not None
        nothing = ops.zeros_like(terms["loss"])
        return {**terms, "classification": self.classification_loss(x, y) if known else nothing}

    def update(self, x, y=None):
        """The three steps of the AAE and, with labels, one more on the labelled images."""
        terms = super().update(x, y)
        label_loss = ops.zeros(())
        if self.n_labels:
            images, labels = map(ops.convert_to_tensor, (self.labelled_images, self.labels))
            variables = self.encoder.trainable_variables
            each = descend(
                self.label_optimizer, variables, lambda: self.classification_loss(images, labels)
            )
            label_loss = ops.mean(each)
        return {**terms, "classification": ops.ones_like(terms["loss"]) * label_loss}

    def fit(self, x=None, y=None, *args, **kwargs):
        """As in the base class, but first draws the labelled images by Keras's global seed.

        Raises
        ------
        ValueError
            If labels are needed and ``y`` is None, or the classes have too few of them.
        """
        if self.n_labels:
            if y is None:
                raise ValueError(f"fit needs labels, of which it takes {self.n_labels}")
            seed = int(ops.convert_to_numpy(keras.random.randint((), 0, 2**31 - 1)))
            images, labels, _ = self._checked(x, y)
            chosen = labelled_sample(labels, self.n_labels, seed)
            self.labelled_images.assign(to_unit(images[chosen]))
            self.labels.assign(labels[chosen])
        return super().fit(x, y, *args, **kwargs)

    def compile(self, optimizer="adam", **kwargs):
        super().compile(optimizer, **kwargs)
        self.label_optimizer = keras.optimizers.Adam(in_proportion(self.label_rate, self.optimizer))

    def build_optimizers(self):
        super().build_optimizers()
        build(self.label_optimizer, self.encoder.trainable_variables)

    def diagnostics(self, x, y):
        """``classification_error`` of the most likely category on images ``x``.

        Without labels in training, the first half of ``x`` names the clusters and the error is
        measured on the second half; if ``y`` is None it is left out. ``prior_accuracy`` and
        ``prior_energy`` are for the style.
        """
        if y is None:
            return super().diagnostics(x, y)
        codes = self.encode(x)
        category, names = self.category_of(codes), np.arange(self.n_categories)
        if self.n_labels:
            scored = slice(None)
        else:
            half = len(x) // 2
            names, scored = names_of_clusters(category[:half], y[:half]), slice(half, None)
        wrong = names[category.argmax(axis=1)] != y
        return {"classification_error": np.mean(wrong[scored]), **super().diagnostics(x, y)}

    def views(self, x, y):
        """``draws``: one row per category, one column per style drawn from N(0, I)."""
        n_rows, n_columns = min(self.n_categories, 30), 10
        style = np.tile(normal((n_columns, self.code_dim), 0), (n_rows, 1))
        category = np.repeat(np.eye(self.n_categories)[:n_rows], n_columns, axis=0)
        return {"draws": self.decode(np.concatenate([category, style], axis=1))}

    def get_config(self):
        names = ("n_categories", "n_labels", "label_rate")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
