"""Recurrent autoencoder (Sutskever et al. 2014; Srivastava et al. 2015): the image as a sequence.

    s_t = r(s_{t−1}, x_t)  for the rows x_1 … x_T        z = W s_T + b
    d_t = r′(d_{t−1}, W′ z + b′)                         x̂_t = g(V d_t + c)

r and r′ are LSTM cells (Hochreiter & Schmidhuber 1997) or GRU cells (Cho et al. 2014).

Train it alone: ``python -m Code.lstm --help``.
"""

import math

import keras
import numpy as np
from keras import layers, ops

from Code.base import PACKAGE, BaseAutoencoder
from Code.parts.images import to_unit
from Code.parts.inputs import is_array

CELLS = {"lstm": layers.LSTM, "gru": layers.GRU}
DARKEST = 0.01


def mean_row(images):
    """The mean over images and rows: an array ``(width · channels,)``."""
    return np.mean(images, axis=(0, 1)).ravel()


def log_odds(p):
    """``log p / (1 − p)``, whose sigmoid is p; p is held between 0.01 and 0.99."""
    p = np.clip(p, DARKEST, 1 - DARKEST)
    return np.log(p / (1 - p))


@keras.saving.register_keras_serializable(package=PACKAGE)
class RecurrentAE(BaseAutoencoder):
    """Encodes an image row by row into one state, and decodes it row by row from the code.

    A step of an image in colour is a row with all of its channels, ``width · channels`` values.

    Training starts with the bias c at the log-odds of the mean row. With c = 0 every pixel is half
    grey, and all other weights help to darken it, faster than c can: in fifty steps of Adam W′z
    saturates every gate of r′, and nothing is learned from then on.

    Parameters
    ----------
    cell : ``"lstm"`` or ``"gru"``.
    units : units of each of the two recurrent layers. The dense layers ``hidden`` lie between the
        last state and the code, and in reverse order between the code and the decoding layer.

    Raises
    ------
    ValueError
        If ``cell`` is neither.
    """

    def __init__(self, cell="lstm", units=64, **kwargs):
        if cell not in CELLS:
            raise ValueError(f"cell must be one of {', '.join(map(repr, CELLS))}, not {cell!r}")
        self.cell = cell
        self.units = units
        super().__init__(**kwargs)

    def hidden_layers(self, image):
        rows = image
        if len(self.image_shape) > 2:
            rows = layers.Reshape((self.image_shape[0], math.prod(self.image_shape[1:])))(image)
        return super().hidden_layers(CELLS[self.cell](self.units, name="reader")(rows))

    def build_decoder(self):
        code = keras.Input(self.encoder.output_shape[1:], name="code")
        height, *row = self.image_shape
        h = code
        for units in reversed(self.hidden):
            h = layers.Dense(units, self.activation)(h)
        h = layers.RepeatVector(height)(h)
        states = CELLS[self.cell](self.units, return_sequences=True, name="writer")(h)
        rows = layers.Dense(math.prod(row), self.output_activation, name="pixels")(states)
        image = layers.Reshape(self.image_shape)(rows) if len(row) > 1 else rows
        return keras.Model(code, image, name="decoder")

    def fit(self, x=None, *args, **kwargs):
        """As in the base class, but an output that was never trained first gets its bias."""
        bias = self.decoder.get_layer("pixels").bias
        untrained = not np.any(ops.convert_to_numpy(bias))
        if is_array(x) and untrained and self.output_activation == "sigmoid":
            bias.assign(log_odds(mean_row(to_unit(self.as_input(x)))))
        return super().fit(x, *args, **kwargs)

    def diagnostics(self, x, y):
        """How much the model uses the order of the rows: images with equally shuffled rows.

        ``mse_rows_shuffled`` is the reconstruction error of such images.
        ``code_shift_rows_shuffled`` is the distance of their codes from those of the original
        images, in units of the codes' spread.
        """
        order = np.random.default_rng(0).permutation(x.shape[1])
        codes, shifted = self.encode(x), self.encode(x[:, order])
        spread = np.sqrt(np.mean(np.square(codes - codes.mean(axis=0)))) or 1.0
        return {
            "mse_rows_shuffled": np.mean(np.square(x[:, order] - self.reconstruct(x[:, order]))),
            "code_shift_rows_shuffled": np.sqrt(np.mean(np.square(shifted - codes))) / spread,
        }

    def get_config(self):
        return {**super().get_config(), "cell": self.cell, "units": self.units}


if __name__ == "__main__":
    from Code.commands.variant import main

    main("lstm")
