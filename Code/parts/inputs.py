"""What a model is given to train on or to compute: images, labels and weights, each checked once.

Arrays are checked as a whole by the rule of `Code.parts.images`. Batches that come one by one,
from a ``tf.data.Dataset``, a generator or a Keras ``PyDataset``, are checked as they come.
"""

import functools
import numbers
import os
import re
from collections.abc import Iterator

import keras
import numpy as np
from keras import ops

from Code.foundation.errors import UserError, in_a_line
from Code.parts.images import ImageError, as_images, shaped, to_unit

OUTSIDE = "images with values outside [0, 1], or NaN: divide floats by the largest possible value"
OUTSIDE_BYTES = "images of integers outside 0 to 255: divide them by the largest possible value"
OTHER_TARGETS = (
    "batches with targets that are other images: the target of an autoencoder is its input, so the "
    "targets may be left out"
)
NO_LABELS = "labels of a batch that are no whole numbers below the number of classes"


class LabelError(ImageError):
    """Labels or weights that do not fit the images; the message is one line."""


def as_array(x):
    """Tensors and tables whose values are there as an array; anything else as it is."""
    if isinstance(x, np.ma.MaskedArray) and np.ma.is_masked(x):
        # What is masked is missing, and missing pixels are refused
        return x.astype(np.float32).filled(np.nan)
    if isinstance(x, np.ndarray | list):
        return x
    if ops.is_tensor(x) and not _is_symbolic(x):
        return ops.convert_to_numpy(x)
    # Of pandas and its like
    return x.to_numpy() if hasattr(x, "to_numpy") else x


def _is_symbolic(x):
    return keras.backend.backend() == "tensorflow" and not hasattr(x, "numpy")


def is_array(x):
    """Whether all images are there at once: an array, or a list of images."""
    return isinstance(x, np.ndarray | list)


def is_pass(data):
    """Whether an element of a dataset is a whole pass of `Code.parts.whole_epoch`."""
    return isinstance(data, dict) and "batches" in data


def pair(data, shape):
    """``(x, y, weights)`` of what Keras takes as validation data.

    A list of arrays is taken for such a tuple, as by Keras, unless they are images of ``shape``.
    """
    data = as_array(data)
    if isinstance(data, list) and 2 <= len(data) <= 3:
        first = as_array(data[0])
        if not is_array(first) or np.shape(first) not in (shape, (*shape, 1)):
            data = tuple(data)
    if not isinstance(data, tuple):
        data = (data,)
    x, y, weights = map(as_array, (*data, None, None)[:3])
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
        try:
            given = np.asarray(sample_weight, np.float32)
        except (TypeError, ValueError) as error:
            raise LabelError(f"sample_weight holds no numbers ({in_a_line(error)})") from error
        if not np.isfinite(given).all():
            raise LabelError("sample_weight holds NaN or infinite values")
        if given.shape not in (weights.shape, (len(x), 1)):
            raise LabelError(f"sample_weight has the shape {given.shape}, not ({len(x)},)")
        weights = weights * given.reshape(-1)
    if class_weight is not None:
        if y is None:
            raise LabelError("class_weight needs the labels y")
        if not isinstance(class_weight, dict) or not all(map(_is_class, class_weight)):
            raise LabelError("class_weight is a dict of weights by the number of the class")
        of_class = np.vectorize(lambda label: class_weight.get(int(label), 1.0), otypes=[float])
        weights = weights * of_class(y).astype(np.float32)
    return weights


def _is_class(key):
    return isinstance(key, numbers.Integral) and not isinstance(key, bool)


def checked_batch_size(size, name="batch_size"):
    """A batch size, or None for the default.

    Raises
    ------
    ValueError
        If it is no whole number above 0.
    """
    if size is not None and not (_is_class(size) and size > 0):
        raise ValueError(f"{name}={size!r}: a batch has a whole number of images above 0")
    return size


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


def checked_source(source, shape, any_range=False, n_classes=None):
    """Batches that come one by one, each checked as it comes; other things are left as they are.

    Parameters
    ----------
    n_classes : number of classes that the model tells apart, or None if it does not use labels.

    Raises
    ------
    ImageError, LabelError
        If it is nothing that gives images, or where a batch is drawn that is not as the rule has
        it.
    """
    if source is None or isinstance(source, tuple | dict | str | bytes | os.PathLike):
        what = type(source).__name__ if source is not None else "None"
        raise ImageError(
            f"x is {what}: give images as one array, and labels as y; or a tf.data.Dataset, a "
            "generator or a PyDataset of batches"
        )
    if any_range:
        return source
    if hasattr(source, "element_spec"):
        return _checked_dataset(source, shape, n_classes)
    if isinstance(source, keras.utils.PyDataset):
        return _CheckedBatches(source, shape, n_classes)
    if isinstance(source, Iterator):
        return (_checked_batch(batch, shape, n_classes) for batch in source)
    return source


def _checked_batch(batch, shape, n_classes=None):
    if isinstance(batch, dict):
        raise ImageError("batches are dicts; give images, (images, labels) or with weights")
    if isinstance(batch, list) and batch and np.ndim(batch[0]) > len(shape):
        batch = tuple(batch)
    first, *rest = batch if isinstance(batch, tuple) else (batch,)
    first = to_unit(as_images(ops.convert_to_numpy(first), shape))
    if rest and rest[0] is not None:
        labels = checked_labels(ops.convert_to_numpy(rest[0]), first, n_classes)
        if labels is not None:
            rest[0] = labels
        elif len(rest) == 1:
            rest = []
    return (first, *rest)


class _CheckedBatches(keras.utils.PyDataset):
    """A ``PyDataset`` whose batches are checked."""

    def __init__(self, source, shape, n_classes=None):
        super().__init__(
            workers=source.workers,
            use_multiprocessing=source.use_multiprocessing,
            max_queue_size=source.max_queue_size,
        )
        self.source, self.shape, self.n_classes = source, shape, n_classes

    def __getitem__(self, i):
        return _checked_batch(self.source[i], self.shape, self.n_classes)

    @property
    def num_batches(self):
        return self.source.num_batches

    def on_epoch_begin(self):
        self.source.on_epoch_begin()

    def on_epoch_end(self):
        self.source.on_epoch_end()


def _checked_dataset(source, shape, n_classes=None):
    import tensorflow as tf

    spec = source.element_spec
    if is_pass(spec):
        return source
    if isinstance(spec, dict):
        raise ImageError("batches are dicts; give images, (images, labels) or with weights")
    first, *others = spec if isinstance(spec, tuple) else (spec,)
    if not isinstance(first, tf.TensorSpec):
        return source
    _check_shape(first.shape, shape)
    floats = first.dtype.is_floating
    wide = first.dtype.is_integer and first.dtype.size > 2
    told = others[0] if others and isinstance(others[0], tf.TensorSpec) else None
    targets = told is not None and told.shape.rank in (len(shape) + 1, len(shape) + 2)
    if targets and not any(told.shape[1:].is_compatible_with(s) for s in (shape, (*shape, 1))):
        raise LabelError(OTHER_TARGETS)
    labelled = told is not None and n_classes is not None
    if labelled and not (told.dtype.is_integer or told.dtype.is_floating or told.dtype.is_bool):
        raise LabelError(f"{NO_LABELS}: they have the dtype {told.dtype.name}")
    if labelled and told.shape.rank not in (None, 1) and told.shape[1:] != (1,):
        raise LabelError(f"{NO_LABELS}: they have the shape {told.shape}")
    if not (floats or wide or targets or labelled):
        return source

    def demanded(values, holds, message):
        # Not within the model's step, where XLA would leave it out
        with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(holds), [message])]):
            return tf.identity(values)

    def check(x, *rest):
        rest = list(rest)
        if floats:
            x = demanded(x, (x >= 0) & (x <= 1), OUTSIDE)
        if wide:
            x = demanded(x, (x >= 0) & (x <= 255), OUTSIDE_BYTES)
        if targets:
            target = intensities(rest[0], "float32")
            image = tf.reshape(intensities(x, "float32"), tf.shape(target))
            # The same division by 255, but perhaps of another program
            x = demanded(x, tf.abs(target - image) < 1e-6, OTHER_TARGETS)
        if labelled:
            given = rest[0][:, 0] if rest[0].shape.rank == 2 else rest[0]
            y = tf.cast(given, tf.int32)
            whole = tf.cast(y, given.dtype) == given
            rest[0] = demanded(y, whole & (y >= 0) & (y < n_classes), NO_LABELS)
        return (x, *rest) if rest else x

    return source.map(check)


def _check_shape(found, shape):
    """Raise an `ImageError` if what is known of the shape of a dataset's batches is wrong."""
    if found.rank is None:
        return
    known = tuple(found)
    if known in (shape, (*shape, 1)):
        raise ImageError("the dataset holds single images: give batches, as .batch(64) makes them")
    if len(known) == len(shape) + 2 and known[-1] == 1:
        known = known[:-1]
    fits = all(side in (None, needed) for side, needed in zip(known[1:], shape, strict=False))
    if len(known) != len(shape) + 1 or not fits:
        told = "(n, " + ", ".join(map(str, known[1:])) + ")"
        needed = "(n, " + ", ".join(map(str, shape)) + ")"
        raise ImageError(f"the batches of the dataset are {told}, but {needed} is needed")


def in_one_line(method):
    """Decorator: what TensorFlow says of a batch that was refused becomes one line."""

    @functools.wraps(method)
    def wrapped(*args, **kwargs):
        try:
            return method(*args, **kwargs)
        except UserError:
            raise
        except Exception as error:
            text = in_a_line(error)
            for message in (NO_LABELS, OTHER_TARGETS, OUTSIDE_BYTES, OUTSIDE):
                if message in text:
                    kind = ImageError if message.startswith("images") else LabelError
                    raise kind(message) from None
            # A generator is drawn from within a graph, whose error holds that of the batch
            if told := re.search(r"\b(Image|Label)Error: ([^\n]+)", str(error)):
                kind = ImageError if told[1] == "Image" else LabelError
                raise kind(told[2]) from None
            raise

    return wrapped
