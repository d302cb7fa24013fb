"""Adversarial autoencoder (Makhzani et al. 2015): a discriminator shapes the code's distribution.

    reconstruction    min over encoder E, decoder G of  L(x, G(E(x)))
    regularisation    max over D of  E_{z ~ p(z)} log D(z) + E_x log(1 − D(E(x)))           (eq. 1)
                      max over E of  E_x log D(E(x))
    so that the aggregated posterior  q(z) = ∫ q(z | x) p_d(x) dx  becomes the prior p(z).

Each of the three has its own optimiser; they take turns on every batch (section 2).

Train it alone: ``python -m Code.aae --help``.
"""

import math

import keras
import numpy as np
from keras import layers, ops

from Code.base import PACKAGE, BaseAutoencoder, Piece, in_full_precision
from Code.parts.gradients import build, descend
from Code.parts.living import Rate
from Code.parts.noise import normal, uniform
from Code.parts.schedules import in_proportion
from Code.parts.two_sample import prior_measures

N_CLASSES = 10
PETALS = 10
# Distance from the centre, length and width of the ten petals; the paper does not give its values
PETAL_RADIUS, PETAL_LENGTH, PETAL_WIDTH = 2.0, 0.5, 0.2
SHOWN_DRAWS = 100


def discriminator_loss(real, fake):
    """``−log D(z) − log(1 − D(E(x)))`` from logits: the discriminator's side of eq. 1.

    Parameters
    ----------
    real, fake : logits ``(batch, heads)`` of draws from the prior and of codes.

    Returns
    -------
    Tensor ``(batch,)``: the sum over the heads.
    """
    return ops.sum(ops.softplus(-real) + ops.softplus(fake), axis=-1)


def generator_loss(fake):
    """``−log D(E(x))`` from logits ``(batch, heads)``: the encoder's side, non-saturating form.

    Source: Goodfellow et al. 2014, section 3: it has the same fixed point as ``log(1 − D)``, but
    its gradient does not vanish where D is certain.
    """
    return ops.sum(ops.softplus(-fake), axis=-1)


def petals(petal, normals):
    """Points of a mixture of ten two-dimensional Gaussians around a circle (figure 4).

    ``z = R(2π k / 10) (r + l ε₁, w ε₂)`` for petal k.

    Parameters
    ----------
    petal : integer tensor ``(n,)`` in 0 … 9.
    normals : tensor ``(n, 2)`` of standard normal numbers ε.
    """
    angle = ops.cast(petal, normals.dtype) * (2.0 * math.pi / PETALS)
    along = PETAL_RADIUS + PETAL_LENGTH * normals[:, 0]
    across = PETAL_WIDTH * normals[:, 1]
    cosine, sine = ops.cos(angle), ops.sin(angle)
    return ops.stack([cosine * along - sine * across, sine * along + cosine * across], axis=1)


def nearest_petal(codes):
    """The most likely petal, ``(n,)``, of codes ``(n, 2)``: by the angle, as all are congruent."""
    turns = np.arctan2(codes[:, 1], codes[:, 0]) / (2.0 * np.pi)
    return np.round(turns * PETALS).astype(int) % PETALS


def random_classes(shape, n_classes, seed):
    """Integers uniform on 0 … n_classes − 1 (``seed`` as for `Code.parts.noise.uniform`)."""
    # uniform() < 1, but its product may round up to n_classes
    drawn = ops.cast(uniform(shape, seed) * n_classes, "int32")
    return ops.minimum(drawn, n_classes - 1)


def _is_zero(value):
    """Whether a hyperparameter is the number 0; a variable may become another."""
    return isinstance(value, int | float) and value == 0


def perceptron(width, hidden, name):
    """A discriminator network: input ``(width,)`` → dense ReLU layers → one logit."""
    h = code = keras.Input((width,), name="code")
    for units in hidden:
        h = layers.Dense(units, "relu")(h)
    return keras.Model(code, layers.Dense(1, name="logit")(h), name=name)


@keras.saving.register_keras_serializable(package=PACKAGE)
class AAE(BaseAutoencoder):
    """The adversarial autoencoder with a deterministic encoder.

    Parameters
    ----------
    prior : ``"normal"`` for N(0, I) or ``"petals"`` for the mixture of ten Gaussians in the plane.
    with_labels : give the discriminator each image's label, so that digit k is mapped to petal k
        (section 2.3). Images without a label form an eleventh class, compared with the whole
        mixture.
    discriminator_hidden : units of the discriminator's hidden ReLU layers.
    adversarial_rate : learning rate of the Adam of the discriminator and of the encoder's
        adversarial step. Training with labels needs a larger one (2e-3). With 0 neither changes:
        this is the plain autoencoder, measured like an adversarial one.
    discriminator_noise : standard deviation of Gaussian noise that is added to all inputs of the
        discriminator (instance noise, Sønderby et al. 2017). Without it, the discriminator
        recognises at once codes that the prior can never produce, such as a softmax output where
        the prior is one-hot.

    Raises
    ------
    ValueError
        If the prior is unknown, if ``code_dim`` is not 2 for ``"petals"``, or if ``with_labels``
        is given for another prior.
    """

    terms = ("discriminator", "generator")
    live = ("discriminator_noise",)
    adversarial_rate = Rate("discriminator_optimizer", "generator_optimizer")

    def __init__(
        self,
        prior="normal",
        with_labels=False,
        discriminator_hidden=(128, 128),
        adversarial_rate=5e-4,
        discriminator_noise=0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if prior not in ("normal", "petals"):
            raise ValueError(f"prior must be one of 'normal', 'petals', not {prior!r}")
        if prior == "petals" and self.code_dim != 2:
            raise ValueError(f"the petals lie in a plane: code_dim must be 2, not {self.code_dim}")
        if with_labels and prior != "petals":
            raise ValueError("with_labels needs prior='petals', one petal a class")
        self.prior = prior
        self.with_labels = with_labels
        self.discriminator_hidden = tuple(discriminator_hidden)
        self.adversarial_rate = adversarial_rate
        self.discriminator_noise = discriminator_noise
        self.discriminator = in_full_precision(self.build_discriminator())
        self.prior_seed = keras.random.SeedGenerator()

    @property
    def has_prior(self):
        return self.prior == "normal"

    @property
    def n_labels_told(self):
        return N_CLASSES if self.with_labels else None

    def build_discriminator(self):
        """Code, with its label if ``with_labels``, → logits ``(heads,)``; above 0 means real."""
        width = self.encoder.output_shape[-1] + (N_CLASSES + 1) * self.with_labels
        return perceptron(width, self.discriminator_hidden, "discriminator")

    def pieces(self):
        """As of any autoencoder, and the discriminator of codes from draws of the prior."""
        told = ", with its label" if self.with_labels else ""
        given = f"A code, or a draw of the prior{told}"
        rival = Piece("discriminator", self.discriminator, "encoder", given)
        return [*super().pieces(), rival]

    def prior_draws(self, n, y=None, seed=None):
        """Draw ``n`` codes ``(n, code)`` from the prior, or from the petals of the labels ``y``.

        ``seed`` is a ``SeedGenerator``, by default the model's own.
        """
        seed = seed or self.prior_seed
        if self.prior == "normal":
            return normal((n, self.code_dim), seed)
        if y is None or not self.with_labels:
            y = random_classes((n,), PETALS, seed)
        return petals(y, normal((n, 2), seed))

    def continuous(self, codes):
        """The part of codes ``(n, code)`` whose prior is a density."""
        return codes

    def judge(self, code, y=None):
        """The discriminator's logits ``(batch, heads)`` for codes ``(batch, code)``."""
        if not _is_zero(self.discriminator_noise):
            noise = normal(ops.shape(code), self.prior_seed)
            code = code + self.discriminator_noise * noise
        if self.with_labels:
            unknown = ops.full((ops.shape(code)[0],), N_CLASSES, dtype="int32")
            label = ops.one_hot(unknown if y is None else y, N_CLASSES + 1, dtype=code.dtype)
            code = ops.concatenate([code, label], axis=1)
        return self.discriminator(code)

    def loss_terms(self, x, y=None, training=False):
        """The reconstruction error, which is the loss, and both adversarial losses, in nats."""
        code = self.encoder(x, training=training)
        x_hat = self.decoder(code, training=training)
        real = self.prior_draws(ops.shape(x)[0], y)
        fake = self.judge(code, y)
        return {
            "loss": self.reconstruction_error(x, x_hat),
            "discriminator": discriminator_loss(self.judge(real, y), fake),
            "generator": generator_loss(fake),
        }

    def update(self, x, y=None):
        """Take the three gradient steps, each with its own optimiser.

        They train reconstruction, discriminator, and the encoder against the discriminator.
        """
        reconstruction = descend(
            self.optimizer,
            self.trained_variables,
            lambda: self.with_losses(
                lambda: {"loss": self.reconstruction_error(x, self.autoencoder(x, training=True))}
            )["loss"],
        )
        code, real = self.encoder(x, training=True), self.prior_draws(ops.shape(x)[0], y)
        discriminator = descend(
            self.discriminator_optimizer,
            self.discriminator.trainable_variables,
            lambda: self.weighted(discriminator_loss(self.judge(real, y), self.judge(code, y))),
        )
        generator = descend(
            self.generator_optimizer,
            self.encoder.trainable_variables,
            lambda: self.weighted(generator_loss(self.judge(self.encoder(x, training=True), y))),
        )
        return {"loss": reconstruction, "discriminator": discriminator, "generator": generator}

    def compile(self, optimizer="adam", **kwargs):
        """As in the base class; ``optimizer`` is for the reconstruction only.

        With a schedule, the adversarial rate falls along, so that the game stays balanced.
        """
        super().compile(optimizer, **kwargs)
        # With a momentum of 0.9, as with large steps, encoder and discriminator chase each other in
        # circles, and the mean of the codes oscillates (Radford et al. 2015)
        rate = in_proportion(self.adversarial_rate, self.optimizer)
        self.discriminator_optimizer = keras.optimizers.Adam(rate, beta_1=0.5)
        self.generator_optimizer = keras.optimizers.Adam(rate, beta_1=0.5)

    def build_optimizers(self):
        super().build_optimizers()
        build(self.discriminator_optimizer, self.discriminator.trainable_variables)
        build(self.generator_optimizer, self.encoder.trainable_variables)

    def diagnostics(self, x, y):
        """The codes of ``x`` against equally many draws from the prior, see `prior_measures`.

        ``petal_error``, only with labels: share of codes that are not in the petal of their digit.
        """
        y_told = ops.convert_to_tensor(y, "int32") if self.with_labels else None
        draws = np.asarray(self.prior_draws(len(x), y_told, keras.random.SeedGenerator(0)))
        codes, draws = map(self.continuous, (self.encode(x), draws))
        measured = prior_measures(codes, draws)
        if self.with_labels:
            measured["petal_error"] = np.mean(nearest_petal(codes) != y)
        return measured

    def views(self, x, y):
        """``draws``: a hundred images from the prior; one row per petal, from centre to tip."""
        if self.prior == "normal":
            draws = self.prior_draws(SHOWN_DRAWS, seed=keras.random.SeedGenerator(0))
        else:
            along = np.linspace(-2, 2, SHOWN_DRAWS // PETALS, dtype=np.float32)
            normals = np.stack([np.tile(along, PETALS), np.zeros(SHOWN_DRAWS, np.float32)], axis=1)
            draws = petals(np.repeat(np.arange(PETALS), len(along)), ops.convert_to_tensor(normals))
        return {"draws": self.decode(draws)}

    def get_config(self):
        names = (
            "prior",
            "with_labels",
            "discriminator_hidden",
            "adversarial_rate",
            "discriminator_noise",
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


if __name__ == "__main__":
    from Code.commands.variant import main

    main("aae")
