"""What every use of a trained autoencoder has in common: metrics, measures, pictures."""

from dataclasses import dataclass, field


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
