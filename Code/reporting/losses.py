"""Losses compared with their terms and with the squared error that all models share."""

from dataclasses import dataclass

from Code.reporting.contents import ordered
from Code.reporting.differences import Difference, of_one_table
from Code.reporting.estimates import HIGHER, LOWER
from Code.reporting.results import Measure, Results


@dataclass(frozen=True)
class Terms:
    """A VAE loss and its two terms, all in nats per image."""

    loss: Measure
    reconstruction: Measure
    kl: Measure

    @property
    def kl_share(self) -> float:
        """Share of the loss that is not a reconstruction error."""
        return self.kl.mean / self.loss.mean if self.loss.mean else 0.0

    @property
    def adds_up(self) -> bool:
        """Whether loss = reconstruction + KL, to one percent."""
        total = self.reconstruction.mean + self.kl.mean
        return abs(self.loss.mean - total) <= 0.01 * abs(self.loss.mean)


def vae_terms(results: Results) -> list[Terms]:
    """Loss, reconstruction and KL on the test split of every result that has all three."""
    found = []
    for result in ordered(results):
        terms = [result.measure(metric) for metric in ("loss", "reconstruction", "kl")]
        if None not in terms:
            found.append(Terms(*terms))
    return found


def loss_beside_mse(results: Results) -> list[tuple[Measure, Measure]]:
    """Test loss (in its own unit) and test MSE per pixel of the first stage, best MSE first.

    A row that labels alone train has a loss of its classifier, and is left out.
    """
    pairs = []
    for result in ordered(results):
        mse = result.measure("mse")
        if mse is not None and mse.stage.startswith("supervised"):
            continue
        loss = result.measure("loss", "test", mse.stage) if mse else None
        if loss is not None:
            pairs.append((loss, mse))
    return sorted(pairs, key=lambda pair: pair[1].mean)


@dataclass(frozen=True)
class Inversion:
    """A model with a KL term that has the higher loss but, by the means, the better reconstruction.

    ``shown`` says whether both differences hold by the rules, and not by their signs alone.
    """

    loss: Difference
    mse: Difference

    @property
    def shown(self) -> bool:
        """Whether the higher loss and the better reconstruction both exceed chance."""
        return self.loss.direction == HIGHER and self.mse.direction == LOWER


def inversions(results: Results) -> list[Inversion]:
    """Pairs (with KL, without KL) where the model with the higher loss reconstructs better.

    All such pairs are one table (Holm); those that are shown come first.
    """
    with_kl = {terms.loss.experiment for terms in vae_terms(results)}
    rows = loss_beside_mse(results)
    pairs = [
        (Difference(loss, other_loss), Difference(mse, other_mse))
        for loss, mse in rows
        if loss.experiment in with_kl
        for other_loss, other_mse in rows
        if other_loss.experiment not in with_kl
    ]
    inverted = [(loss, mse) for loss, mse in pairs if loss.value > 0 > mse.value]
    columns = [of_one_table(column) for column in zip(*inverted, strict=True)] or [[], []]
    found = [Inversion(loss, mse) for loss, mse in zip(*columns, strict=True)]
    return sorted(found, key=lambda pair: not pair.shown)
