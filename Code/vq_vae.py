"""Vector-quantised autoencoder (van den Oord et al. 2017): a code of learned codebook entries.

    k = argmin_j ‖z_e(x) − e_j‖        z_q(x) = e_k                                      (eq. 1, 2)
    minimise  −log p(x | z_q) + β ‖z_e(x) − sg[e]‖²                                         (eq. 3)
    ∂L/∂z_e := ∂L/∂z_q  through the choice (straight-through)
    N_j ← γ N_j + (1 − γ) n_j,   m_j ← γ m_j + (1 − γ) Σ_{i: k_i = j} z_i,   e_j = m_j / N_j
                                                                             (appendix A.1)

A dense encoder has no map whose positions could be quantised one by one. Its code of ``code_dim``
numbers is therefore cut into vectors of ``vector_dim`` numbers, which share one codebook.

`UnitVQVAE` gives every unit of the code a codebook of its own, which learns by gradient from
``‖sg[z_e] − e‖²``, the middle term of eq. 3.

Train it alone: ``python -m Code.vq_vae --help``.
"""

import math

import keras
import numpy as np
from keras import layers, ops

from Code.base import PACKAGE, BaseAutoencoder, Piece
from Code.parts.noise import uniform

RARE = 1e-6
# Settings of a codebook that follows by moving averages, which one that learns by gradient lacks
AVERAGED = ("vector_dim", "decay", "restart_below")


def nearest_entries(vectors, codebook):
    """Index of the entry nearest to each vector (eq. 1).

    Parameters
    ----------
    vectors : tensor ``(..., dim)``.
    codebook : tensor ``(entries, dim)``.

    Returns
    -------
    Integer tensor ``(...)``.
    """
    # ‖z − e‖² without ‖z‖², which is the same for every entry
    products = ops.matmul(vectors, ops.transpose(codebook))
    return ops.argmin(ops.sum(ops.square(codebook), axis=1) - 2.0 * products, axis=-1)


def straight_through(z_e, z_q):
    """``z_q`` in the forward pass; in the backward pass, the gradient goes unchanged to ``z_e``."""
    return z_e + ops.stop_gradient(z_q - z_e)


def commitment_error(z_e, z_q):
    """``‖z_e − sg[z_q]‖²``, ``(batch,)``, the last term of eq. 3 without its β.

    Parameters
    ----------
    z_e, z_q : tensors ``(batch, code)``.
    """
    return ops.sum(ops.square(z_e - ops.stop_gradient(z_q)), axis=-1)


def moving_average(counts, sums, vectors, entries, decay):
    """The codebook's running counts N and sums m after one batch (appendix A.1, eq. 6 and 7).

    Parameters
    ----------
    counts : tensor ``(entries,)``.
    sums : tensor ``(entries, dim)``.
    vectors : tensor ``(n, dim)`` of the batch.
    entries : integer tensor ``(n,)``: the entry chosen for each vector.
    decay : γ.
    """
    chosen = ops.one_hot(entries, ops.shape(counts)[0], dtype=vectors.dtype)
    counts = decay * counts + (1.0 - decay) * ops.sum(chosen, axis=0)
    sums = decay * sums + (1.0 - decay) * ops.matmul(ops.transpose(chosen), vectors)
    return counts, sums


def perplexity(shares):
    """``exp(−Σ p_j log p_j)``: the effective number of used entries.

    If n entries are used equally often and the others never, it is n.

    Parameters
    ----------
    shares : array ``(entries,)`` that adds up to 1.
    """
    used = shares[shares > 0]
    return float(np.exp(-np.sum(used * np.log(used))))


@keras.saving.register_keras_serializable(package=PACKAGE)
class Quantiser(layers.Layer):
    """Replaces every vector of a code by its nearest codebook entry; straight-through gradient.

    Parameters
    ----------
    n_entries : number of codebook entries (K in the paper).
    vector_dim : size of an entry (D in the paper).
    decay : γ of the moving averages.
    restart_below : an entry that is chosen less often than this share of uniform use is moved to a
        vector of the current batch; 0 means never. The paper does not move unused entries; without
        restarts, most entries can stay at their initial values (Dhariwal et al. 2020, "Jukebox",
        section 3).
    """

    def __init__(self, n_entries=512, vector_dim=2, decay=0.99, restart_below=0.05, **kwargs):
        super().__init__(**kwargs)
        self.n_entries = n_entries
        self.vector_dim = vector_dim
        self.decay = decay
        self.restart_below = restart_below
        self.restart_seed = keras.random.SeedGenerator()

    def build(self, input_shape):
        shape = (self.n_entries, self.vector_dim)
        self.codebook = self.add_weight(
            name="codebook", shape=shape, initializer="random_normal", trainable=False
        )
        self.counts = self.add_weight(
            name="counts", shape=shape[:1], initializer="zeros", trainable=False
        )
        self.sums = self.add_weight(name="sums", shape=shape, initializer="zeros", trainable=False)

    @property
    def size(self):
        """Number of entries in all."""
        return self.n_entries

    def entries(self, z_e):
        """Indices ``(batch, vectors)`` of the chosen entries for codes ``(batch, code)``."""
        return nearest_entries(self._vectors(z_e), ops.convert_to_tensor(self.codebook))

    def call(self, z_e):
        z_q = ops.take(ops.convert_to_tensor(self.codebook), self.entries(z_e), axis=0)
        return straight_through(z_e, ops.reshape(z_q, ops.shape(z_e)))

    def follow(self, z_e):
        """Move the codebook towards the codes ``(batch, code)`` of a training batch."""
        vectors = ops.reshape(z_e, (-1, self.vector_dim))
        entries = nearest_entries(vectors, ops.convert_to_tensor(self.codebook))
        counts, sums = moving_average(self.counts, self.sums, vectors, entries, self.decay)
        if self.restart_below:
            counts, sums = self._restarted(counts, sums, vectors)
        self.counts.assign(counts)
        self.sums.assign(sums)
        # N_j of an entry that is never chosen goes to 0; m_j / N_j would then be meaningless
        place = sums / ops.maximum(counts, RARE)[:, None]
        book = ops.convert_to_tensor(self.codebook)
        self.codebook.assign(ops.where((counts > RARE)[:, None], place, book))

    def _restarted(self, counts, sums, vectors):
        n_vectors = ops.cast(ops.shape(vectors)[0], vectors.dtype)
        even = n_vectors / self.n_entries
        unused = counts < self.restart_below * even
        drawn = uniform((self.n_entries,), self.restart_seed) * n_vectors
        drawn = ops.take(vectors, ops.cast(drawn, "int32"), axis=0)
        counts = ops.where(unused, even, counts)
        return counts, ops.where(unused[:, None], drawn * even, sums)

    def _vectors(self, z_e):
        return ops.reshape(z_e, (ops.shape(z_e)[0], -1, self.vector_dim))

    def get_config(self):
        names = ("n_entries", "vector_dim", "decay", "restart_below")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable(package=PACKAGE)
class VQVAE(BaseAutoencoder):
    """The VQ-VAE; ``encoder`` returns z_e, ``encode`` the quantised z_q for the decoder.

    The loss of an image is ``D`` times the mean error per pixel, plus β times the commitment error.

    Parameters
    ----------
    n_entries, vector_dim, decay, restart_below : settings of the `Quantiser`.
    commitment : β, the weight of the commitment error.

    Raises
    ------
    ValueError
        If ``code_dim`` is not a multiple of ``vector_dim``.
    """

    terms = ("reconstruction", "commitment")
    live = ("commitment",)

    def __init__(
        self,
        code_dim=2,
        n_entries=512,
        vector_dim=2,
        decay=0.99,
        restart_below=0.05,
        commitment=0.25,
        **kwargs,
    ):
        if code_dim % vector_dim:
            raise ValueError(
                f"code_dim must be a multiple of vector_dim, but {code_dim} is not one of "
                f"{vector_dim}"
            )
        self.book = {
            "n_entries": n_entries,
            "vector_dim": vector_dim,
            "decay": decay,
            "restart_below": restart_below,
        }
        self.commitment = commitment
        super().__init__(code_dim=code_dim, **kwargs)

    def build_encoder(self):
        encoder = super().build_encoder()
        self.quantiser = self.new_quantiser(
            name="quantiser", dtype=keras.config.dtype_policy().variable_dtype
        )
        self.quantiser.build(encoder.output_shape)
        return encoder

    def new_quantiser(self, **kwargs):
        """The layer that holds the codebook."""
        return Quantiser(**self.book, **kwargs)

    def pieces(self):
        """As of any autoencoder, with the codebook between encoder and decoder."""
        encoder, *others = super().pieces()
        book = Piece("codebook", f"the nearest of {self.book['n_entries']} entries")
        return [encoder, book, *others]

    def code_of(self, image):
        return self.quantiser(self.encoder(image))

    def loss_terms(self, x, y=None, training=False):
        """Eq. 3 without its middle term, which the moving averages replace."""
        z_e = self.encoder(x, training=training)
        z_q = self.quantiser(z_e)
        x_hat = self.decoder(z_q, training=training)
        reconstruction = self.n_pixels * self.reconstruction_error(x, x_hat)
        commitment = commitment_error(z_e, z_q)
        return {
            "loss": reconstruction + self.commitment * commitment,
            "reconstruction": reconstruction,
            "commitment": commitment,
        }

    def update(self, x, y=None):
        """A gradient step for encoder and decoder, then an update of the codebook's averages."""
        z_e = self.encoder(x, training=True)
        terms = super().update(x, y)
        self.quantiser.follow(z_e)
        return terms

    def entries(self, x, batch_size=1000):
        """Indices ``(n, vectors)`` of the chosen entries for images: uint8, or floats in [0, 1]."""
        return np.asarray(self.quantiser.entries(self.encode(x, batch_size)))

    def diagnostics(self, x, y):
        """Measures of how the codebook is used on images ``x``.

        ``codebook_use``: share of entries that are chosen at least once; ``codebook_perplexity``:
        see `perplexity`; ``code_bits``: number of bits to store the entries of one image.
        """
        entries = self.entries(x)
        shares = np.bincount(entries.ravel(), minlength=self.quantiser.size) / entries.size
        return {
            "codebook_use": np.mean(shares > 0),
            "codebook_perplexity": perplexity(shares),
            "code_bits": entries.shape[1] * math.log2(self.book["n_entries"]),
        }

    def views(self, x, y):
        """``codebook``: images of the entries, most used first, if one entry is a whole code."""
        if self.code_dim != self.book["vector_dim"]:
            return {}
        order = np.argsort(-np.asarray(self.quantiser.counts), kind="stable")[:100]
        return {"codebook": self.decode(np.asarray(self.quantiser.codebook)[order])}

    def get_config(self):
        return {**super().get_config(), **self.book, "commitment": self.commitment}


@keras.saving.register_keras_serializable(package=PACKAGE)
class UnitQuantiser(layers.Layer):
    """Replaces every unit of a code by the nearest of that unit's own entries.

    Parameters
    ----------
    n_entries : number of entries of each unit; they start uniform on ±1 / n_entries.
    """

    def __init__(self, n_entries=512, **kwargs):
        super().__init__(**kwargs)
        self.n_entries = n_entries

    def build(self, input_shape):
        self.n_units = input_shape[-1]
        near_zero = keras.initializers.RandomUniform(-1 / self.n_entries, 1 / self.n_entries)
        self.codebook = self.add_weight(
            name="codebook", shape=(self.n_units, self.n_entries), initializer=near_zero
        )

    @property
    def size(self):
        """Number of entries in all."""
        return self.n_units * self.n_entries

    def entries(self, z_e):
        """Indices ``(batch, units)`` of the chosen entries, counted through from unit to unit."""
        book = ops.convert_to_tensor(self.codebook)
        nearest = ops.argmin(ops.abs(ops.expand_dims(z_e, -1) - book), axis=-1)
        return nearest + self.n_entries * ops.arange(self.n_units, dtype=nearest.dtype)

    def chosen(self, z_e):
        """The chosen entries ``(batch, units)``; their gradient goes to the codebook alone."""
        book = ops.reshape(ops.convert_to_tensor(self.codebook), (-1,))
        return ops.take(book, self.entries(z_e))

    def call(self, z_e):
        return straight_through(z_e, self.chosen(z_e))

    def get_config(self):
        return {**super().get_config(), "n_entries": self.n_entries}


@keras.saving.register_keras_serializable(package=PACKAGE)
class UnitVQVAE(VQVAE):
    """The VQ-VAE whose vectors are single units, each with a codebook that learns by gradient.

    Parameters
    ----------
    n_entries : number of entries of each unit.
    commitment : β, the weight of the commitment error.
    """

    def __init__(self, n_entries=512, commitment=0.25, **kwargs):
        super().__init__(n_entries=n_entries, vector_dim=1, commitment=commitment, **kwargs)

    def new_quantiser(self, **kwargs):
        return UnitQuantiser(self.book["n_entries"], **kwargs)

    @property
    def trained_variables(self):
        return [*super().trained_variables, self.quantiser.codebook]

    def loss_terms(self, x, y=None, training=False):
        """All three terms of eq. 3; the middle one has the value of the commitment error."""
        z_e = self.encoder(x, training=training)
        z_q = self.quantiser.chosen(z_e)
        x_hat = self.decoder(straight_through(z_e, z_q), training=training)
        reconstruction = self.n_pixels * self.reconstruction_error(x, x_hat)
        commitment = commitment_error(z_e, z_q)
        following = commitment_error(z_q, z_e)
        return {
            "loss": reconstruction + following + self.commitment * commitment,
            "reconstruction": reconstruction,
            "commitment": commitment,
        }

    def update(self, x, y=None):
        """A gradient step for encoder, decoder and codebook."""
        return super(VQVAE, self).update(x, y)

    def entries(self, x, batch_size=1000):
        # All distances of many images at once would take gigabytes
        parts = [x[i : i + batch_size] for i in range(0, len(x), batch_size)]
        return np.concatenate([super(UnitVQVAE, self).entries(part) for part in parts])

    def views(self, x, y):
        return {}

    def get_config(self):
        config = super().get_config()
        return {name: config[name] for name in config if name not in AVERAGED}


if __name__ == "__main__":
    from Code.commands.variant import main

    main("vq_vae")
