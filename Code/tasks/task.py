"""What every use of a trained autoencoder has in common: metrics, measures, pictures."""

from dataclasses import dataclass, field

import numpy as np

from Code.parts.images import to_unit


@dataclass(frozen=True)
class Metric:
    """A figure by which a use is judged.

    Attributes
    ----------
    name : as in the tables, for example ``"psnr_gaussian_0.5"``.
    unit : ``""``, ``"dB"``, ``"bits"``, …
    higher_is_better : the direction in which it is good.
    main : whether it stands for the use in the table of variants × uses; one of each use does.
    """

    name: str
    unit: str = ""
    higher_is_better: bool = True
    main: bool = False


@dataclass
class Measured:
    """What one model, or one baseline, achieves in one use.

    Attributes
    ----------
    values : ``{metric name: float}``; a metric that the model has no way to reach is left out.
    views : arrays from which the pictures of the use are drawn, by name.
    """

    values: dict = field(default_factory=dict)
    views: dict = field(default_factory=dict)


def flat(codes):
    """Codes ``(n, ...)`` as one row each, ``(n, units)``."""
    return np.asarray(codes).reshape(len(codes), -1)


def unit_rows(images):
    """Images ``(n, height, width)`` as one row each, ``(n, pixels)``, float32 in [0, 1]."""
    return flat(to_unit(np.asarray(images)))
