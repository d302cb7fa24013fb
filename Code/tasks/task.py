"""What all uses of a trained autoencoder share: metrics, measures, pictures."""

from dataclasses import dataclass, field

import numpy as np

from Code.parts.images import to_unit


@dataclass(frozen=True)
class Metric:
    """A metric by which a use is measured.

    Attributes
    ----------
    name : as in the tables, for example ``"psnr_gaussian_0.5"``.
    unit : ``""``, ``"dB"``, ``"bits"``, …
    higher_is_better : whether a higher value is better; otherwise a lower one is.
    main : whether it represents the use in the table of variants × uses; one metric per use does.
    own_column : whether it has a column of its own beside the main one. It is ranked by itself,
        among those that have it, and is not part of the mean rank.
    within_width : whether it can be compared only between codes of equally many units.
    needs, least : the name of another metric of the use, and the value below which this one does
        not count: such a model is neither ranked nor the best.
    above : the name of another metric of the use that this one has to exceed to count, over the
        seeds; ``Code.reporting.uses`` applies both.
    """

    name: str
    unit: str = ""
    higher_is_better: bool = True
    main: bool = False
    own_column: bool = False
    within_width: bool = False
    needs: str | None = None
    least: float = 0.0
    above: str | None = None


@dataclass
class Measured:
    """The results of one model or one baseline in one use.

    Attributes
    ----------
    values : ``{metric name: float}``, without metrics that do not apply to the model.
    views : arrays, by name, from which the pictures of the use are drawn.
    """

    values: dict = field(default_factory=dict)
    views: dict = field(default_factory=dict)


def not_for(module, data):
    """Why the use of a module in ``Code.tasks`` cannot be measured on data, or None if it can."""
    if getattr(module, "NEEDS_LABELS", False) and not data.labelled:
        return "it needs labels, and the data have none"
    if getattr(module, "NEEDS_LABELS", False) and not data.has_classes:
        return "it needs images of at least two classes"
    n_train, n_test = getattr(module, "LEAST_IMAGES", (1, 1))
    if len(data.x_train) < n_train or len(data.x_test) < n_test:
        return "it needs more images than there are"
    return not_for_shape(module, data.image_shape)


def not_for_shape(module, image_shape):
    """Why the use of a module does not take images of this shape, or None if it does."""
    if getattr(module, "GREY_ONLY", False) and len(image_shape) > 2:
        return "it is for grey images only"
    return None


def flat(codes):
    """Codes ``(n, ...)`` as one row each, ``(n, units)``."""
    return np.asarray(codes).reshape(len(codes), -1)


def unit_rows(images):
    """Images ``(n, height, width)`` as one row each, ``(n, pixels)``, float32 in [0, 1]."""
    return flat(to_unit(np.asarray(images)))
