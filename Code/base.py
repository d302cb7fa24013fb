"""The base class of all variants: input → encoder → code → decoder → output, plus a head."""

from typing import NamedTuple

import keras
import numpy as np
from keras import layers, ops

from Code.foundation.names import PACKAGE
from Code.parts.inputs import LabelError
from Code.parts.losses import LABEL_LOSSES, RECONSTRUCTION_LOSSES, squared_error
from Code.parts.whole_epoch import WholeEpochModel


class Piece(NamedTuple):
    """A part of the drawing of a variant: a network, or in words what is done there.

    ``reads`` is the title of the part that it reads, by default the one before it; ``given`` says
    what a network's input is.
    """

    title: str
    what: keras.Model | str
    reads: str | None = None
    given: str = "Input"


class BaseAutoencoder(WholeEpochModel):
    """An autoencoder of dense layers whose decoder mirrors its encoder.

    It builds four models that share their weights: ``encoder`` (image → code), ``decoder``
    (code → image), ``autoencoder`` (image → reconstruction) and, where ``n_classes`` is given,
    ``classifier`` (image → class probabilities). A variant overrides what makes it different, for
    example ``build_encoder``, ``build_decoder`` or ``loss_terms``.

    Parameters
    ----------
    image_shape : (height, width) of grey images, (height, width, channels) of images in colour;
        intensities in [0, 1].
    code_dim : number of units of the code.
    hidden : units of the encoder's hidden layers; the decoder has them in reverse order.
    activation, code_activation, output_activation : Keras activations of the hidden layers, the
        code and the output. With a sigmoid output, decoded values lie in [0, 1]; tanh and linear
        outputs can also be negative, linear and ReLU outputs also above 1.
    reconstruction : ``"mse"`` or ``"binary cross-entropy"``, see ``Code.parts.losses``.
    n_classes : number of classes of the supervised head, or None for no head.
    head_input : what the head reads, ``"code"`` or ``"reconstruction"``.
    head_loss : ``"cross-entropy"`` or ``"mse"`` (on one-hot labels).

    Attributes
    ----------
    has_prior : whether codes drawn from N(0, I) decode to images like the training images.
    code_name : name of the decoder's input.

    Raises
    ------
    ValueError
        If a loss or ``head_input`` is not one of the above.
    """

    live = ("reconstruction",)
    has_prior = False
    code_name = "code"

    def __init__(
        self,
        image_shape=(28, 28),
        code_dim=2,
        hidden=(),
        activation="relu",
        code_activation="linear",
        output_activation="sigmoid",
        reconstruction="mse",
        n_classes=None,
        head_input="code",
        head_loss="cross-entropy",
        **kwargs,
    ):
        super().__init__(**kwargs)
        _check("reconstruction", reconstruction, RECONSTRUCTION_LOSSES)
        _check("head_loss", head_loss, LABEL_LOSSES)
        _check("head_input", head_input, ("code", "reconstruction"))
        self.image_shape = tuple(image_shape)
        self.code_dim = code_dim
        self.hidden = tuple(hidden)
        self.activation = activation
        self.code_activation = code_activation
        self.output_activation = output_activation
        self.reconstruction = reconstruction
        self.n_classes = n_classes
        self.head_input = head_input
        self.head_loss = head_loss

        self.encoder = in_full_precision(self.build_encoder())
        self.decoder = in_full_precision(self.build_decoder())
        self.autoencoder = self.build_autoencoder()
        self.classifier = None if n_classes is None else self.build_classifier()
        self.built = True

    @property
    def n_pixels(self):
        """D, the number of an image's values; a pixel in colour counts once for each channel."""
        return int(np.prod(self.image_shape))

    @property
    def code_shape(self):
        """Shape of one image's code, as the decoder expects it."""
        return self.encoder.output_shape[1:]

    @property
    def unsupervised_part(self):
        """The units of codes that no label decides, as a slice of the second axis."""
        return slice(None)

    def build_encoder(self):
        """Image ``image_shape`` → code ``(code_dim,)``."""
        image = keras.Input(self.image_shape, name="image")
        code = layers.Dense(self.code_dim, self.code_activation, name="code")(
            self.hidden_layers(image)
        )
        return keras.Model(image, code, name="encoder")

    def hidden_layers(self, image):
        """The encoder up to its last hidden layer."""
        h = layers.Flatten()(image)
        for units in self.hidden:
            h = layers.Dense(units, self.activation)(h)
        return h

    def build_decoder(self):
        """Code ``(code_dim,)`` → image ``image_shape``."""
        code = keras.Input(self.code_shape, name=self.code_name)
        h = code
        for units in reversed(self.hidden):
            h = layers.Dense(units, self.activation)(h)
        pixels = layers.Dense(self.n_pixels, self.output_activation, name="pixels")(h)
        return keras.Model(code, layers.Reshape(self.image_shape)(pixels), name="decoder")

    def build_autoencoder(self):
        """Image → reconstruction."""
        image = keras.Input(self.image_shape, name="image")
        return keras.Model(image, self.decoder(self.code_of(image)), name="autoencoder")

    def build_classifier(self):
        """Image → class probabilities, read from the code or from the reconstruction."""
        image = keras.Input(self.image_shape, name="image")
        code = self.code_of(image)
        features = layers.Flatten()(code if self.head_input == "code" else self.decoder(code))
        head = layers.Dense(self.n_classes, "softmax", name="head")
        classifier = Classifier(keras.Model(image, head(features), name="network"), self.head_loss)
        classifier.compile_with_xla = self.compile_with_xla
        return classifier

    def pieces(self):
        """The parts of the variant's drawing, in order; a head is added to them."""
        return [Piece("encoder", self.encoder), Piece("decoder", self.decoder)]

    def code_of(self, image):
        """The deterministic code of an image tensor; for a variant with random codes, the mean."""
        return self.encoder(image)

    def call(self, image, training=False):
        return self.autoencoder(self.as_unit(image), training=training)

    def loss_terms(self, x, y=None, training=False):
        """The loss: the reconstruction error, one value per image. Variants override it."""
        return {"loss": self.reconstruction_error(x, self.autoencoder(x, training=training))}

    def reconstruction_error(self, x, x_hat):
        """The mean error per pixel, ``(batch,)``, by the loss named in ``reconstruction``."""
        return RECONSTRUCTION_LOSSES[self.reconstruction](x, x_hat)

    def diagnostics(self, x, y):
        """Measures of the variant's special properties, ``{name: number}``, on images and labels.

        Parameters
        ----------
        x : array ``(n, *image_shape)`` in [0, 1].
        y : integer array ``(n,)``.
        """
        return {}

    def views(self, x, y):
        """Pictures that are special to the variant: ``{name: array (n, height, width)}``.

        Pictures of images in colour have a last axis of 3: red, green, blue. ``name_units`` may be
        the numbers of the units that the rows of a picture show.
        """
        return {}

    @property
    def trained_variables(self):
        return self.encoder.trainable_variables + self.decoder.trainable_variables

    def encode(self, x, batch_size=1000):
        """Codes ``(n, code_dim)`` of images, see `Code.parts.images`."""
        return self.in_batches("code", self.code_of, self.as_input(x), batch_size)

    def decode(self, codes, batch_size=1000):
        """Images ``(n, *image_shape)`` of codes ``(n, code_dim)``, see ``output_activation``."""
        return self.in_batches("image", self.decoder, codes, batch_size)

    def reconstruct(self, x, batch_size=1000):
        """Reconstructed images ``(n, *image_shape)``, see `decode` for their range."""
        return self.in_batches("reconstruction", self.autoencoder, self.as_input(x), batch_size)

    def squared_errors(self, x, batch_size=1000):
        """Mean over the pixels of ``(x − x̂)²``, one value per image; the x̂ are not kept."""
        return self.in_batches(
            "squared error",
            lambda part: squared_error(part, self.autoencoder(part)),
            self.as_input(x),
            batch_size,
        )

    def get_config(self):
        names = (
            "image_shape",
            "code_dim",
            "hidden",
            "activation",
            "code_activation",
            "output_activation",
            "reconstruction",
            "n_classes",
            "head_input",
            "head_loss",
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable(package=PACKAGE)
class Classifier(WholeEpochModel):
    """A classification network with its training loss.

    Parameters
    ----------
    network : functional model image → probabilities ``(batch, classes)``.
    loss : ``"cross-entropy"`` or ``"mse"`` (on one-hot labels).
    """

    terms = ("accuracy",)
    measures = ("accuracy",)

    def __init__(self, network, loss="cross-entropy", **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.label_loss = loss
        self.built = True

    @property
    def input_image_shape(self):
        return self.network.input_shape[1:]

    @property
    def n_labels_told(self):
        return self.network.output_shape[-1]

    def call(self, image, training=False):
        return self.network(self.as_unit(image), training=training)

    def loss_terms(self, x, y=None, training=False):
        """The loss on the labels, and ``accuracy``: 1 where the most likely class is correct."""
        if y is None:
            raise LabelError("a classifier is trained on labels: give them as y")
        probabilities = self(x, training=training)
        hit = ops.equal(ops.argmax(probabilities, axis=-1), ops.cast(y, "int32"))
        return {
            "loss": LABEL_LOSSES[self.label_loss](y, probabilities),
            "accuracy": ops.cast(hit, probabilities.dtype),
        }

    def get_config(self):
        network = keras.saving.serialize_keras_object(self.network)
        return {**super().get_config(), "network": network, "loss": self.label_loss}

    @classmethod
    def from_config(cls, config):
        network = keras.saving.deserialize_keras_object(config.pop("network"))
        return cls(network, **config)


def in_full_precision(network):
    """A network whose outputs have the dtype of the weights, whatever a policy computes in.

    Keras advises it for mixed precision: a loss in half precision is too coarse to learn from.
    """
    policy = keras.config.dtype_policy()
    if policy.compute_dtype == policy.variable_dtype:
        return network

    def full(output):
        return layers.Activation("linear", dtype=policy.variable_dtype)(output)

    outputs = keras.tree.map_structure(full, network.output)
    return keras.Model(network.input, outputs, name=network.name)


def _check(name, value, known):
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}, not {value!r}")
