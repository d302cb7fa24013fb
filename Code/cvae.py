"""Label-conditioned VAE (Kingma et al. 2014, model M2; Sohn, Lee & Yan 2015): content and style.

    p(x | y, z),  p(z) = N(0, I),  q(z | x, y) = N(μ(x, y), σ²(x, y))
    minimise  −log p(x | y, z) + KL(q(z | x, y) ‖ N(0, I)) − log q(y | x)
                                                        (Kingma et al. 2014, eqs. 6 and 9)

The label y says which digit it is, so z only has to encode how it is written. A digit without a
label gets the most likely label of q(y | x), a separate classifier that is trained together with
the rest; M2 sums over all labels instead (eq. 7), and weighs −log q(y | x) by a factor α, here 1.

Train it alone: ``python -m Code.cvae --help``.
"""

import keras
import numpy as np
from keras import layers, ops
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from Code.base import PACKAGE, Piece, in_full_precision
from Code.parts.images import to_unit
from Code.parts.losses import cross_entropy_on_labels, kl_to_standard_normal
from Code.parts.unconverged import may_stop_early
from Code.vae import VAE

SHOWN_STYLES = 10
MEASURED_STYLES = 100
MEASURE_SEED = 0


@keras.saving.register_keras_serializable(package=PACKAGE)
class CVAE(VAE):
    """The VAE whose encoder and decoder know the label; its code is (z, y) with one-hot y.

    ``recognition`` is q(z | x, y) and ``labeller`` is q(y | x). ``encoder`` combines them: image →
    ``[z_mean, z_log_var, y]`` with the most likely label. The code for ``encode`` and ``decode`` is
    z_mean and y concatenated, so this model can be used without labels like any autoencoder. Known
    labels can be given instead.

    Parameters
    ----------
    n_labels : number of labels.
    label_hidden : units of the labeller's hidden layers.
    """

    terms = ("reconstruction", "kl", "label_loss")
    # A draw from N(0, I) is only a style: decoding also needs a label
    has_prior = False

    def __init__(self, n_labels=10, label_hidden=(128,), **kwargs):
        # Set before super().__init__, which builds the networks with both
        self.n_labels, self.label_hidden = n_labels, tuple(label_hidden)
        super().__init__(**kwargs)

    @property
    def n_labels_told(self):
        return self.n_labels

    @property
    def unsupervised_part(self):
        """The style z; the label in the code is what a classifier with all labels answers."""
        return slice(0, self.code_dim)

    def build_encoder(self):
        self.labeller = in_full_precision(self.build_labeller())
        self.recognition = in_full_precision(self.build_recognition())
        image = keras.Input(self.image_shape, name="image")
        label = ops.one_hot(ops.argmax(self.labeller(image), axis=-1), self.n_labels)
        return keras.Model(image, [*self.recognition([image, label]), label], name="encoder")

    def pieces(self):
        """As of the VAE; the decoder reads the label beside z."""
        encoder, _, *others = super().pieces()
        return [encoder, Piece("sample", "z = μ + σ ε, and the label"), *others]

    def build_labeller(self):
        """Image → label probabilities ``(n_labels,)``."""
        image = keras.Input(self.image_shape, name="image")
        h = layers.Flatten()(image)
        for units in self.label_hidden:
            h = layers.Dense(units, self.activation)(h)
        probabilities = layers.Dense(self.n_labels, "softmax", name="label")(h)
        return keras.Model(image, probabilities, name="labeller")

    def build_recognition(self):
        """Image and one-hot label → ``[z_mean, z_log_var]``."""
        image = keras.Input(self.image_shape, name="image")
        label = keras.Input((self.n_labels,), name="label")
        h = layers.Concatenate()([layers.Flatten()(image), label])
        for units in self.hidden:
            h = layers.Dense(units, self.activation)(h)
        z_mean = layers.Dense(self.code_dim, name="z_mean")(h)
        z_log_var = layers.Dense(self.code_dim, name="z_log_var")(h)
        return keras.Model([image, label], [z_mean, z_log_var], name="recognition")

    def build_decoder(self):
        """Code ``(code_dim + n_labels,)`` → image."""
        code = keras.Input((self.code_dim + self.n_labels,), name="code")
        h = code
        for units in reversed(self.hidden):
            h = layers.Dense(units, self.activation)(h)
        pixels = layers.Dense(self.n_pixels, self.output_activation, name="pixels")(h)
        return keras.Model(code, layers.Reshape(self.image_shape)(pixels), name="decoder")

    def code_of(self, image):
        z_mean, _, label = self.encoder(image)
        return ops.concatenate([z_mean, label], axis=-1)

    def loss_terms(self, x, y=None, training=False):
        """−ELBO of the image given its label, plus the labeller's cross-entropy, in nats per image.

        Without labels, the labels predicted by the labeller are used, and its loss is 0.
        """
        x = ops.convert_to_tensor(x)
        probabilities = self.labeller(x, training=training)
        if y is None:
            label = ops.one_hot(ops.argmax(probabilities, axis=-1), self.n_labels)
            label_loss = ops.zeros_like(probabilities[:, 0])
        else:
            label = ops.one_hot(y, self.n_labels)
            label_loss = cross_entropy_on_labels(y, probabilities)
        z_mean, z_log_var = self.recognition([x, label], training=training)
        z = self.sample(z_mean, z_log_var)
        x_hat = self.decoder(ops.concatenate([z, label], axis=-1), training=training)
        reconstruction = self.n_pixels * self.reconstruction_error(x, x_hat)
        kl = kl_to_standard_normal(z_mean, z_log_var)
        return {
            "loss": reconstruction + kl + label_loss,
            "reconstruction": reconstruction,
            "kl": kl,
            "label_loss": label_loss,
        }

    def encode(self, x, labels=None, batch_size=1000):
        """Codes ``(n, code_dim + n_labels)``: z_mean and one-hot labels, inferred if not given."""
        if labels is None:
            return super().encode(x, batch_size)
        one_hot = self.one_hot(labels, len(x))
        z_mean, _ = self.recognition.predict(
            [to_unit(self.as_input(x)), one_hot], batch_size=batch_size, verbose=0
        )
        return np.concatenate([z_mean, one_hot], axis=1)

    def style(self, x, labels=None):
        """The z_mean part of the codes, ``(n, code_dim)``."""
        return self.encode(x, labels)[:, : self.code_dim]

    def decode(self, codes, labels=None, batch_size=1000):
        """Decode complete codes, or styles ``(n, code_dim)`` with labels, to images.

        Parameters
        ----------
        labels : one integer, or an integer array ``(n,)``; replaces the labels in ``codes``.

        Raises
        ------
        ValueError
            If ``codes`` are styles alone and no labels are given.
        """
        codes = np.asarray(codes, np.float32)
        if labels is not None:
            one_hot = self.one_hot(labels, len(codes))
            codes = np.concatenate([codes[:, : self.code_dim], one_hot], axis=1)
        elif codes.shape[1] == self.code_dim:
            raise ValueError("a style alone cannot be decoded: give labels, decode(z, labels)")
        return super().decode(codes, batch_size)

    def reconstruct(self, x, labels=None, batch_size=1000):
        """Reconstructed images; labels are inferred if not given."""
        if labels is None:
            return super().reconstruct(x, batch_size)
        return self.decode(self.encode(x, labels, batch_size), batch_size=batch_size)

    def transfer(self, x, labels, from_labels=None):
        """Digits with the given ``labels`` in the style of ``x``."""
        return self.decode(self.style(x, from_labels), labels)

    def one_hot(self, labels, n):
        """One-hot array ``(n, n_labels)`` of one integer or of n integers."""
        return np.eye(self.n_labels, dtype=np.float32)[np.broadcast_to(labels, n)]

    def drawn_styles(self, n):
        """``n`` draws of z ~ N(0, I), the same ones in every call."""
        return np.random.default_rng(MEASURE_SEED).standard_normal((n, self.code_dim))

    def all_labels_of(self, styles):
        """Images ``(n · n_labels, *image_shape)`` of styles ``(n, code_dim)`` with every label."""
        labels = np.tile(np.arange(self.n_labels), len(styles))
        return self.decode(np.repeat(styles, self.n_labels, axis=0), labels)

    def diagnostics(self, x, y):
        """Measure whether content comes from the label and style from z.

        ``label_accuracy``: accuracy of q(y | x). ``content_accuracy``: share of the digits decoded
        from random z and all ten labels that a nearest-neighbour classifier of real images reads as
        their label. ``transfer_accuracy``: the same with the styles of real digits.
        ``style_label_accuracy``: accuracy of a linear classifier of the digit from z, fitted on one
        half of the images and tested on the other; chance is 0.1.
        """
        reader = KNeighborsClassifier(min(3, len(x))).fit(x.reshape(len(x), -1), y)
        asked = np.tile(np.arange(self.n_labels), MEASURED_STYLES)
        images = self.all_labels_of(self.drawn_styles(MEASURED_STYLES))
        styles = self.style(x, y)
        transferred = self.all_labels_of(styles[:MEASURED_STYLES])
        with may_stop_early():
            probe = LogisticRegression(max_iter=1000).fit(styles[::2], y[::2])
        return {
            **super().diagnostics(x, y),
            "label_accuracy": np.mean(self.encode(x)[:, self.code_dim :].argmax(axis=1) == y),
            "content_accuracy": reader.score(images.reshape(len(images), -1), asked),
            "transfer_accuracy": reader.score(
                transferred.reshape(len(transferred), -1), asked[: len(transferred)]
            ),
            "style_label_accuracy": probe.score(styles[1::2], y[1::2]),
        }

    def views(self, x, y):
        """Rows of one style with all ten labels.

        ``styles``: ten draws of z, ten images per row. ``transfer``: ten real digits, eleven images
        per row, of which the first is the real digit.
        """
        real = x[:SHOWN_STYLES]
        rows = self.all_labels_of(self.style(real, y[:SHOWN_STYLES]))
        rows = rows.reshape(len(real), self.n_labels, *self.image_shape)
        transfer = np.concatenate([real[:, None], rows], axis=1)
        return {
            "styles": self.all_labels_of(self.drawn_styles(SHOWN_STYLES)),
            "transfer": transfer.reshape(-1, *self.image_shape),
        }

    def get_config(self):
        own = {"n_labels": self.n_labels, "label_hidden": self.label_hidden}
        return {**super().get_config(), **own}


if __name__ == "__main__":
    from Code.commands.variant import main

    main("cvae")
