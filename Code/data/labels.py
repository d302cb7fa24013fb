"""Labels as people keep them, turned into class numbers and the classes' names."""

import numpy as np

from Code.foundation.errors import UserError

MAX_CLASSES = 1000
_NEEDED = "one label an image, (n,), or one-hot rows, (n, classes), are needed"


class LabelsError(UserError, ValueError):
    """Labels that cannot be used; the message says in one line what is wrong and what to do."""


def class_numbers(labels, names=None):
    """Turn labels into the numbers 0 … k − 1 of their classes, and name the classes.

    Labels may be whole numbers of any type (negative ones and floats too), booleans, text, or
    one-hot rows; a column ``(n, 1)`` counts as ``(n,)``. The classes are in the order of the
    numbers if all labels are numbers, in that of the alphabet otherwise. One-hot rows have as many
    classes as columns, whether or not each occurs.

    Parameters
    ----------
    labels : ``{key: array}``; all share the classes, and the keys name them in messages.
    names : ``{label: name}`` for labels whose names are known, by default themselves.

    Returns
    -------
    ``{key: int64 array (n,)}``, and the tuple of the classes' names.

    Raises
    ------
    LabelsError
        If they are of none of these kinds, or have more than 1,000 classes.
    """
    read = {key: _one_a_row(key, np.asarray(array)) for key, array in labels.items()}
    if any(array.dtype.kind == "U" for array in read.values()):
        read = {key: array.astype(str) for key, array in read.items()}
    every = list(read.values())
    if all(map(_is_wide, labels.values())):
        # A column is a class even where no image has it
        every.append(np.arange(max(np.shape(array)[1] for array in labels.values())))
    classes = np.unique(np.concatenate(every))
    if len(classes) > MAX_CLASSES:
        raise LabelsError(
            f"{' and '.join(labels)}: {len(classes):,} different labels, and at most "
            f"{MAX_CLASSES:,} classes are accepted; leave the labels out if they are no classes"
        )
    names = names or {}
    return (
        {key: np.searchsorted(classes, array).astype(np.int64) for key, array in read.items()},
        tuple(str(names.get(label, label)) for label in classes.tolist()),
    )


def _is_wide(labels):
    return np.ndim(labels) == 2 and np.shape(labels)[1] > 1


def _one_a_row(key, labels):
    """Labels of any kind as int64 or text, ``(n,)``."""
    if not labels.size:
        raise LabelsError(f"{key} holds no labels")
    if _is_wide(labels):
        return _from_one_hot(key, labels)
    if labels.ndim not in (1, 2):
        raise LabelsError(f"{key} has the shape {labels.shape}; {_NEEDED}")
    labels = labels.reshape(-1)
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "replace")
    if labels.dtype.kind == "U":
        return _numbers_or_text(key, labels)
    if labels.dtype.kind == "b":
        return labels.astype(str)
    if labels.dtype.kind not in "iuf":
        raise LabelsError(f"{key} has the dtype {labels.dtype}; labels are whole numbers or text")
    # Beyond this, floats do not hold every whole number, and uint64 does not fit into int64
    odd = labels[~(np.abs(labels.astype(np.float64)) < 2**53) | (labels % 1 != 0)]
    if odd.size:
        raise LabelsError(f"{key} holds {odd[0]:g}; labels are whole numbers or text")
    return labels.astype(np.int64)


def _numbers_or_text(key, labels):
    """Text, or numbers where it writes whole numbers, so that "10" does not come before "2"."""
    labels = np.char.strip(labels)
    if (labels == "").any():
        raise LabelsError(
            f"{key} holds {np.count_nonzero(labels == ''):,} empty labels: fill them in, or leave "
            "those images out"
        )
    try:
        numbers = labels.astype(np.float64)
    except ValueError:
        return labels
    if not np.isfinite(numbers).all() or (np.abs(numbers) >= 2**53).any():
        return labels
    written = numbers.astype(np.int64).astype(str)
    # "07" and "7" are two labels, "7.0" and "7" are one; "0.5" is no label
    odd = (written != labels) & (np.char.add(written, ".0") != labels)
    if not odd.any():
        return numbers.astype(np.int64)
    if (numbers % 1 != 0).any():
        raise LabelsError(f"{key} holds {labels[odd][0]}; labels are whole numbers or text")
    return labels


def _from_one_hot(key, labels):
    numeric = labels.dtype.kind in "biuf"
    if not numeric or not ((labels == 0) | (labels == 1)).all() or (labels.sum(axis=1) != 1).any():
        raise LabelsError(f"{key} has the shape {labels.shape} and is not one-hot; {_NEEDED}")
    return labels.argmax(axis=1).astype(np.int64)
