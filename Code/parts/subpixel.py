"""Up-sampling and convolution in one step, computed on the small image.

After nearest up-sampling by 2, a 3×3 window sees only 2×2 different values, and which ones depends
on whether the output pixel's row and column are even or odd. So the convolution of the large image
equals four convolutions of the small one with interleaved outputs (Shi et al. 2016, sub-pixel
convolution): as many products, but on maps of a quarter of the pixels, and the same result up to
rounding.
"""

import keras
import numpy as np
from keras import ops

from Code.foundation.names import PACKAGE

# TAPS[p, a, k] = 1 where tap k of the window around large pixel 2r + p falls on small pixel
# r + a − 1
TAPS = np.zeros((2, 3, 3), np.float32)
for p in range(2):
    for k in range(3):
        TAPS[p, (p + k - 1) // 2 + 1, k] = 1.0


@keras.saving.register_keras_serializable(package=PACKAGE)
class UpConv2D(keras.layers.Conv2D):
    """``UpSampling2D(2)`` followed by ``Conv2D(filters, 3, padding="same")``.

    Its weights are those of the ``Conv2D``: kernel ``(3, 3, channels, filters)`` and bias.
    Input ``(batch, height, width, channels)``, output ``(batch, 2 height, 2 width, filters)``.
    """

    def __init__(self, filters, activation=None, **kwargs):
        kwargs = {**kwargs, "kernel_size": 3, "padding": "same"}
        super().__init__(filters, activation=activation, **kwargs)

    def call(self, inputs):
        return self.activation(upsample_and_convolve(inputs, self.kernel, self.bias))

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        return (batch, 2 * height, 2 * width, self.filters)


def upsample_and_convolve(h, kernel, bias):
    """``conv(upsample(h), kernel) + bias`` with zero padding, by one convolution of ``h``.

    Parameters
    ----------
    h : tensor ``(batch, height, width, channels)``.
    kernel : tensor ``(3, 3, channels, filters)``.
    bias : tensor ``(filters,)``.
    """
    channels, filters = kernel.shape[2:]
    taps, kernel, bias = (ops.cast(array, h.dtype) for array in (TAPS, kernel, bias))
    small = ops.einsum("pak,qbl,klcf->abcpqf", taps, taps, kernel)
    small = ops.reshape(small, (3, 3, channels, 4 * filters))
    phases = ops.conv(h, small, padding="same")
    _, height, width, _ = h.shape
    phases = ops.reshape(phases, (-1, height, width, 2, 2, filters))
    interleaved = ops.transpose(phases, (0, 1, 3, 2, 4, 5))
    return ops.reshape(interleaved, (-1, 2 * height, 2 * width, filters)) + bias
