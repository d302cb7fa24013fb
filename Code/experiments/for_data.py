"""Rows of the table for data other than ten labelled digits."""

from dataclasses import replace

SUPERVISED = "supervised"
NO_LABELS = "trained with labels, and the data have none"
DIGITS = (28, 28)
HEAD = ("n_classes", "head_loss", "head_input")


def for_data(rows, n_classes, image_shape=DIGITS):
    """Adapt rows to the number of classes of the data, and to the size of the images.

    Parameters
    ----------
    rows : list of ``Experiment``.
    n_classes : number of classes, or 0 for data without labels.
    image_shape : ``(height, width)`` or ``(height, width, 3)``.

    Returns
    -------
    rows, left_out : the rows that the data allow, and ``{name: reason}`` for what is left out, be
        it a whole row or only the stage that trains its head. Digits of ten classes change nothing.
    """
    found, left_out = [], {}
    for row in rows:
        adapted, reason = _of_classes(_of_size(row, image_shape), n_classes)
        if adapted is not None:
            found.append(adapted)
        if reason:
            left_out[row.name] = reason
    return found, left_out


def _of_size(row, image_shape):
    if not row.of_digits or tuple(image_shape) == DIGITS:
        return row
    settings = {name: value for name, value in row.settings.items() if name not in row.of_digits}
    return replace(row, settings=settings)


def _of_classes(row, n_classes):
    if n_classes == 10:
        return row, None
    told = row.told
    if told is not None and not n_classes:
        return None, NO_LABELS
    if told is not None and told.most is not None and n_classes > told.most:
        return None, f"for at most {told.most} classes, and the data have {n_classes}"
    settings, stages, reason = dict(row.settings), row.stages, None
    if not n_classes:
        settings = {name: value for name, value in settings.items() if name not in HEAD}
        stages = tuple(stage for stage in stages if not stage.name.startswith(SUPERVISED))
        if not stages:
            return None, NO_LABELS
        if stages != row.stages:
            reason = "without its head: the data have no labels"
    elif settings.get("n_classes") is not None:
        settings["n_classes"] = n_classes
    if told is not None:
        settings |= dict.fromkeys(told.counts, n_classes)
        for name in told.shared:
            # Equally many images of each class
            settings[name] = n_classes * max(1, round(row.settings[name] / n_classes))
    return replace(row, settings=settings, stages=stages), reason
