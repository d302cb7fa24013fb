"""What a model is given to train on or to compute: images, labels and weights, each checked once.

Arrays are checked as a whole by the rule of `Code.parts.images`. Batches that come one by one,
from a ``tf.data.Dataset``, a generator or a Keras ``PyDataset``, are checked as they come.
"""

import functools
from collections.abc import Iterator

import keras
import numpy as np
from keras import ops

from Code.foundation.errors import in_a_line
from Code.parts.images import ImageError, as_images, shaped, to_unit

OUTSIDE = "images with values outside [0, 1], or NaN: divide floats by the largest possible value"


class LabelError(ImageError):
    """Labels or weights that do not fit the images; the message is one line."""


def is_array(x):
    """Whether all images are there at once: an array, or a list of images."""
    return isinstance(x, np.ndarray | list)


def is_pass(data):
    """Whether an element of a dataset is a whole pass of `Code.parts.whole_epoch`."""
    return isinstance(data, dict) and "batches" in data


def pair(data):
    """``(x, y, weights)`` of what Keras takes as validation data."""
    if is_array(data) or not isinstance(data, tuple | list):
        data = (data,)
    x, y, weights = (*data, None, None)[:3]
    return x, y, weights


def checked_images(x, shape, any_range=False):
    """An array or list of images by the rule of `Code.parts.images`, checked.

    ``any_range`` is for the features of a layer or the columns of a table: floats of any size.
    """
    if not any_range:
        return as_images(x, shape)
    x = shaped(x, shape)
    return x if x.dtype == np.uint8 else x.astype(np.float32, copy=False)


def checked_labels(y, x, n_classes=None):
    """Labels ``(n,)`` as int32, checked against the images and the number of classes.

    Parameters
    ----------
    y : labels, the images themselves (an autoencoder's targets, of which nothing need be told), or
        None.
    x : the images as an array.
    n_classes : number of classes that the model tells apart, or None if it does not use labels.

    Raises
    ------
    LabelError
        If they are no labels of these images.
    """
    if y is None or y is x:
        return None
    y = np.asarray(y)
    if y.shape == x.shape and x.ndim > 1 and np.array_equal(to_unit(y), to_unit(x)):
        return None
    if y.shape == (len(x), 1):
        y = y[:, 0]
    if y.shape != (len(x),):
        raise LabelError(
            f"y has the shape {y.shape}, but labels are whole numbers of the shape ({len(x)},); "
            "the target of an autoencoder is its input, so y may be left out"
        )
    whole = y.astype(np.int32)
    if y.dtype.kind not in "biuf" or not np.array_equal(whole, y):
        raise LabelError(f"y holds values that are no whole numbers (dtype {y.dtype}); give labels")
    if n_classes is not None and len(y) and not (whole.min() >= 0 and whole.max() < n_classes):
        raise LabelError(
            f"labels from {whole.min()} to {whole.max()}, but the model has {n_classes} classes, "
            f"0 to {n_classes - 1}"
        )
    return whole


def checked_weights(sample_weight, class_weight, x, y):
    """One weight an image, float32 ``(n,)``, from Keras's two kinds of weights; None without any.

    Raises
    ------
    LabelError
        If there is not one weight an image, or class weights are given without labels.
    """
    if sample_weight is None and class_weight is None:
        return None
    weights = np.ones(len(x), np.float32)
    if sample_weight is not None:
        given = np.asarray(sample_weight, np.float32)
        if given.shape not in (weights.shape, (len(x), 1)):
            raise LabelError(f"sample_weight has the shape {given.shape}, not ({len(x)},)")
        weights = weights * given.reshape(-1)
    if class_weight is not None:
        if y is None:
            raise LabelError("class_weight needs the labels y")
        of_class = np.vectorize(lambda label: class_weight.get(int(label), 1.0), otypes=[float])
        weights = weights * of_class(y).astype(np.float32)
    return weights


def split_off(share, *arrays):
    """The first part of each array, and its last ``share``, as Keras cuts validation data off.

    Raises
    ------
    ValueError
        If a part would be empty.
    """
    n = len(arrays[0])
    first = int(np.floor(n * (1 - share)))
    if not 0 < first < n:
        raise ValueError(f"validation_split={share} of {n} images leaves a part empty")
    return [
        tuple(None if array is None else array[part] for array in arrays)
        for part in (slice(first), slice(first, n))
    ]


def intensities(x, dtype):
    """A tensor of any shape as floats of this dtype, by the rule of `Code.parts.images`.

    Values are not looked at: within a graph only the type can decide.
    """
    kind = keras.backend.standardize_dtype(x.dtype)
    if kind == dtype:
        return x
    x = ops.cast(x, dtype)
    if kind == "uint16":
        return x / 65535.0
    return x / 255.0 if "int" in kind else x


def unit_batch(x, shape, dtype):
    """A batch as a tensor ``(batch, *shape)`` of `intensities`; a last axis of 1 is dropped."""
    x = intensities(x, dtype)
    if len(x.shape) == len(shape) + 2 and x.shape[-1] == 1:
        x = ops.squeeze(x, axis=-1)
    return x


def checked_source(source, shape, any_range=False):
    """Batches that come one by one, each checked as it comes; other things are left as they are.

    Raises
    ------
    ImageError
        Where a batch is drawn that is not as the rule has it.
    """
    if any_range:
        return source
    if hasattr(source, "element_spec"):
        return _checked_dataset(source)
    if isinstance(source, keras.utils.PyDataset):
        return _CheckedBatches(source, shape)
    if isinstance(source, Iterator):
        return (_checked_batch(batch, shape) for batch in source)
    return source


def _checked_batch(batch, shape):
    first, *rest = batch if isinstance(batch, tuple) else (batch,)
    first = to_unit(as_images(ops.convert_to_numpy(first), shape))
    return (first, *rest)


class _CheckedBatches(keras.utils.PyDataset):
    """A ``PyDataset`` whose batches are checked."""

    def __init__(self, source, shape):
        super().__init__(
            workers=source.workers,
            use_multiprocessing=source.use_multiprocessing,
            max_queue_size=source.max_queue_size,
        )
        self.source, self.shape = source, shape

    def __getitem__(self, i):
        return _checked_batch(self.source[i], self.shape)

    @property
    def num_batches(self):
        return self.source.num_batches

    def on_epoch_begin(self):
        self.source.on_epoch_begin()

    def on_epoch_end(self):
        self.source.on_epoch_end()


def _checked_dataset(source):
    import tensorflow as tf

    first = source.element_spec
    first = first[0] if isinstance(first, tuple) else first
    if is_pass(source.element_spec) or not getattr(first, "dtype", tf.string).is_floating:
        return source

    def check(x, *rest):
        # Not within the model's step, where XLA would leave it out
        inside = tf.reduce_all((x >= 0) & (x <= 1))
        with tf.control_dependencies([tf.debugging.Assert(inside, [OUTSIDE])]):
            x = tf.identity(x)
        return (x, *rest) if rest else x

    return source.map(check)


def in_one_line(method):
    """Decorator: what TensorFlow says of a batch that was refused becomes one line."""

    @functools.wraps(method)
    def wrapped(*args, **kwargs):
        try:
            return method(*args, **kwargs)
        except Exception as error:
            if OUTSIDE in in_a_line(error) and not isinstance(error, ImageError):
                raise ImageError(OUTSIDE) from None
            raise

    return wrapped
