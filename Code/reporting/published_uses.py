"""Published figures for the uses, each compared with our most similar measurement."""

from dataclasses import dataclass
from decimal import Decimal

from Code.reporting.reproduced import DIFFERENT_PROTOCOL, verdict_of
from Code.reporting.uses import Metric, Score, Uses


@dataclass(frozen=True)
class PublishedUse:
    """A figure that someone else published for a use.

    Attributes
    ----------
    use, metric : keys of its counterpart in ``uses.json``.
    name : our model or baseline to compare with; ``"best-2"`` or ``"best-16"`` for the best variant
        with that many units.
    value : as published, in the metric's unit.
    method : the method that achieved it.
    source : who published it; "recalled" if it was not checked against the paper.
    exact : whether ours is the same method on the same data, so that the figures must agree;
        otherwise the protocol is another one, and there is no verdict.
    """

    use: str
    metric: str
    name: str
    value: float
    method: str
    source: str
    exact: bool = False


@dataclass(frozen=True)
class Row:
    """A published figure and ours."""

    published: PublishedUse
    metric: Metric
    ours: Score

    @property
    def verdict(self) -> str:
        """What our figure says of the published one (rule 6 of `Code.reporting.rules`)."""
        if not self.published.exact:
            return DIFFERENT_PROTOCOL
        digits = -Decimal(str(self.published.value)).as_tuple().exponent
        return verdict_of(self.ours.estimate, self.published.value, 0.5 * 10.0**-digits)


MAATEN = "recalled from van der Maaten 2009, parametric t-SNE"
XIE = "recalled from Xie et al. 2016"
RUFF = "recalled from Ruff et al. 2018"
HERE = "measured on these images with scikit-learn"
PUBLISHED = (
    *(
        PublishedUse("reconstruct", "mse", f"pca-{k}", value, f"PCA, {k} components", HERE, True)
        for k, value in ((2, 0.0557), (10, 0.0341), (32, 0.0168))
    ),
    PublishedUse("reduce", "knn_accuracy", "pca-2", 0.424, "PCA, 2 components", HERE, True),
    PublishedUse("reduce", "nn_error_2d", "pca-2", 0.782, "PCA, 2 components", MAATEN, True),
    PublishedUse("reduce", "nn_error_2d", "ae-2", 0.668, "deep autoencoder, 2 units", MAATEN),
    PublishedUse("reduce", "nn_error_2d", "best-2", 0.099, "parametric t-SNE", MAATEN),
    PublishedUse("cluster", "accuracy_kmeans", "pixels", 0.535, "k-means on pixels", XIE, True),
    PublishedUse(
        "cluster", "accuracy_kmeans", "ae-16", 0.818, "k-means on a stacked autoencoder's code", XIE
    ),
    PublishedUse("cluster", "accuracy_kmeans", "best-16", 0.843, "deep embedded clustering", XIE),
    PublishedUse("anomaly", "auroc_one_normal", "isolation forest", 0.92, "isolation forest", RUFF),
    PublishedUse(
        "anomaly",
        "auroc_one_normal",
        "ae-16",
        0.90,
        "convolutional autoencoder, the lower end of 0.90 to 0.95",
        RUFF,
    ),
    PublishedUse("anomaly", "auroc_one_normal", "ae-16", 0.948, "one-class Deep SVDD", RUFF),
)


def comparisons(uses: Uses) -> list[Row]:
    """The published figures for which we have a measured one."""
    found = []
    for published in PUBLISHED:
        metric = next((m for m in uses.of_use(published.use) if m.name == published.metric), None)
        ours = metric and _score(uses, metric, published.name)
        if ours:
            found.append(Row(published, metric, ours))
    return found


def _score(uses: Uses, metric: Metric, name: str) -> Score | None:
    if name.startswith("best-"):
        names = uses.of_width(int(name.removeprefix("best-")))
        return next(iter(metric.ranked(names)), None)
    return metric.score(name)
