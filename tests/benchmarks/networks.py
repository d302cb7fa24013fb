"""The networks that are timed, said in no library's words, and what they cost in arithmetic.

The settings are those of the table of experiments, so that what is timed is what is trained.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from Code.data.datasets import load_dataset
from Code.experiments.table import EXPERIMENTS
from Code.parts.images import to_unit

SIDE, PIXELS = 28, 784
BATCH_SIZE = 64
FLOAT = 4
HEAD = ("n_classes", "head_input", "head_loss")


@dataclass(frozen=True)
class Network:
    """One network, from the settings of an experiment.

    Attributes
    ----------
    kind : ``"dense"``, ``"conv"`` or ``"vae"``.
    experiment : the row of ``Code.experiments.table`` whose autoencoder this is.
    loss : ``"mse"`` or ``"binary cross-entropy"``, the mean over pixels and images; the VAE's is
        784 times that, plus the KL term.
    """

    name: str
    title: str
    kind: str
    experiment: str

    @property
    def settings(self):
        """Keyword arguments of the project's class, without the supervised head."""
        given = EXPERIMENTS[self.experiment].settings
        return {key: value for key, value in given.items() if key not in HEAD}

    @property
    def loss(self):
        return self.settings.get("reconstruction", DEFAULT_LOSS[self.kind])

    @property
    def output_activation(self):
        return self.settings.get("output_activation", "sigmoid")

    @property
    def code_dim(self):
        return self.settings["code_dim"]

    @property
    def hidden(self):
        return self.settings.get("hidden", ())

    @property
    def filters(self):
        return self.settings["filters"]

    @property
    def encoder_layers(self):
        """Dense layers of the encoder: ``[(units, activation)]``; a VAE's without its two heads."""
        layers = [(units, "relu") for units in self.hidden]
        if self.kind == "vae":
            return layers
        return [*layers, (self.code_dim, self.settings.get("code_activation", "linear"))]

    @property
    def decoder_layers(self):
        """Dense layers of the decoder: ``[(units, activation)]``."""
        layers = [(units, "relu") for units in reversed(self.hidden)]
        return [*layers, (PIXELS, self.output_activation)]

    @property
    def shapes(self):
        """Shapes of the kernels in the order of the layers; a convolution's is (3, 3, in, out)."""
        if self.kind == "conv":
            widths = [1, *self.filters, *reversed(self.filters), 1]
            return [(3, 3, a, b) for a, b in pairwise(widths)]
        encoder = [PIXELS, *(units for units, _ in self.encoder_layers)]
        decoder = [self.code_dim, *(units for units, _ in self.decoder_layers)]
        heads = [(encoder[-1], self.code_dim)] * 2 if self.kind == "vae" else []
        return [*pairwise(encoder), *heads, *pairwise(decoder)]

    @property
    def places(self):
        """At how many pixels each kernel of `shapes` is applied: 1 for a dense layer."""
        if self.kind != "conv":
            return [1] * len(self.shapes)
        depth = len(self.filters)
        down = [(SIDE >> level) ** 2 for level in range(depth)]
        up = [(SIDE >> level) ** 2 for level in range(depth, -1, -1)]
        return down + up

    def multiply_adds(self):
        """Multiply-adds an image of one step: forward, gradient of weights, gradient of inputs.

        Each of the three costs what the forward pass costs, except that nobody asks for the
        gradient of the first layer's input. Counted for the layers as they are written down;
        a cheaper way to the same result keeps this count.
        """
        forward = [
            int(np.prod(shape)) * places
            for shape, places in zip(self.shapes, self.places, strict=True)
        ]
        return 3 * sum(forward) - forward[0]

    def gflop(self, n_images):
        """Arithmetic of one epoch in GFLOP (a multiply-add is two)."""
        return 2 * self.multiply_adds() * n_images / 1e9

    def gbytes(self, n_images, batch_size=BATCH_SIZE):
        """Memory traffic of one epoch in GB where it is what binds, else None.

        That is the network with a code of two units and nothing else. Everything elementwise is
        taken to be fused, every matrix product to read its arguments once. Nine passes over the
        batch's (batch, 784) floats remain: write x; read it for the code, for the error and for
        the encoder's gradient; write the output; read it and write its gradient; read that for
        the decoder's gradient and for the code's. Beside them the uint8 image is read once, and
        Adam reads four and writes three arrays of the weights' size every batch.
        """
        if self.kind != "dense" or self.hidden:
            return None
        weights = sum(int(np.prod(shape)) + shape[-1] for shape in self.shapes)
        steps = -(-n_images // batch_size)
        return (n_images * (9 * PIXELS * FLOAT + PIXELS) + steps * 7 * weights * FLOAT) / 1e9

    def images(self, n_images):
        """Training images: uint8, or for the DAE floats that carry the noise drawn once."""
        x = load_dataset("mnist").x_train[:n_images]
        level = EXPERIMENTS[self.experiment].noise_once
        if level is None:
            return x
        noise = np.random.default_rng(0).normal(0, level, x.shape)
        return np.clip(to_unit(x) + noise, 0, 1).astype(np.float32)

    def initial_weights(self, seed=0):
        """Glorot-uniform kernels and zero biases, ``[kernel, bias, kernel, bias, ...]``."""
        rng = np.random.default_rng(seed)
        weights = []
        for shape in self.shapes:
            field = int(np.prod(shape[:-2]))
            limit = np.sqrt(6 / (field * (shape[-2] + shape[-1])))
            weights.append(rng.uniform(-limit, limit, shape).astype(np.float32))
            weights.append(np.zeros(shape[-1], np.float32))
        return weights


DEFAULT_LOSS = {"dense": "mse", "conv": "binary cross-entropy", "vae": "binary cross-entropy"}
NETWORKS = {
    network.name: network
    for network in (
        Network("ae", "AE 784-2-784", "dense", "ae"),
        Network("dae", "DAE 784-128-64-10-2", "dense", "dae-published"),
        Network("cae", "CAE 16-8", "conv", "cae-published"),
        Network("vae", "VAE 784-512-2", "vae", "vae-bce"),
    )
}
