"""The seven claims of the published report, and the rule by which each is judged."""

from dataclasses import dataclass, fields

from Code.reporting.denoising import PUBLISHED_NOISE, psnr_rows
from Code.reporting.differences import Difference, Ratio, before_after, compare, measure
from Code.reporting.losses import Inversion, Terms, inversions, loss_beside_mse, vae_terms
from Code.reporting.results import Measure, Results

AXIS_SHARE = 0.05  # claim 1: "part of the codes" is at least one image in twenty
DEAD_SHARE = 0.01  # claim 1: "speckles" is at least one ink-carrying pixel in a hundred
ABOUT_THREE = (2.0, 4.0)  # claim 4: "about three times"
KL_SHARE = 0.01  # claim 7: a KL term below a hundredth of the loss would not matter

Evidence = Difference | Ratio | Terms | Inversion


def measures_of(evidence: Evidence) -> list[Measure]:
    """The measures on which a piece of evidence is based."""
    values = (getattr(evidence, f.name) for f in fields(evidence))
    return [m for v in values for m in ([v] if isinstance(v, Measure) else measures_of(v))]


@dataclass(frozen=True)
class Part:
    """One testable part of a claim; ``holds`` is None where it cannot be decided."""

    key: str
    holds: bool | None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """A claim's parts and the resulting outcome."""

    claim: int
    parts: tuple[Part, ...]

    @property
    def outcome(self) -> str:
        """``holds``, ``holds_in_part``, ``does_not_hold`` or ``undecided``.

        In this order: all parts hold; some hold and some do not; none holds; a part that could
        change the outcome was not measured.
        """
        states = {part.holds for part in self.parts}
        if {True, False} <= states:
            return "holds_in_part"
        if None in states or not states:
            return "undecided"
        return "holds" if states == {True} else "does_not_hold"

    @property
    def spread_unknown(self) -> bool:
        """Whether some figure comes from a single seed."""
        figures = (m for p in self.parts for e in p.evidence for m in measures_of(e))
        return any(m.spread is None for m in figures)


def verdicts(results: Results) -> list[Verdict]:
    """The verdict on each of the published report's seven claims, in order."""
    claims = (claim_1, claim_2, claim_3, claim_4, claim_5, claim_6, claim_7)
    return [Verdict(number, claim(results)) for number, claim in enumerate(claims, 1)]


def _between(results: Results, a: str, b: str, *of: str) -> Difference | None:
    return compare(measure(results, a, *of), measure(results, b, *of))


def _ordered(key: str, want: str, *pairs: Difference | None) -> Part:
    if not pairs or None in pairs:
        return Part(key, None, tuple(d for d in pairs if d is not None))
    return Part(key, all(d.direction == want for d in pairs), pairs)


def _share(key: str, least: float, pair: Difference | None) -> Part:
    if pair is None:
        return Part(key, None)
    return Part(key, pair.direction == "higher" and pair.a.mean >= least, (pair,))


def claim_1(results: Results) -> tuple[Part, ...]:
    """Tanh beats ReLU in the AE; ReLU pins codes to the axes and speckles reconstructions.

    ``loss``: training loss of ae-tanh below ae-relu's by more than the spread. ``axes``: share of
    test codes with a coordinate of exactly 0 is at least AXIS_SHARE with ReLU, and above tanh's.
    ``speckle``: share of ink pixels that every reconstruction leaves at one constant is at least
    DEAD_SHARE with ReLU, and above tanh's.
    """
    tanh, relu = "ae-tanh", "ae-relu"
    return (
        _ordered("loss", "lower", _between(results, tanh, relu, "loss", "train")),
        _share("axes", AXIS_SHARE, _between(results, relu, tanh, "axis_fraction", "test")),
        _share("speckle", DEAD_SHARE, _between(results, relu, tanh, "dead_pixels", "test")),
    )


def claim_2(results: Results) -> tuple[Part, ...]:
    """The DAE removes noise, and its 2-D map separates digits better than the AE's.

    As published (trained noisy → noisy). ``noise``: at the noise it was trained on, the output's
    PSNR against the clean image exceeds the noisy input's by more than the spread. ``map``:
    5-NN accuracy in the map exceeds that of ae-tanh and of ae-relu by more than the spread.
    """
    stage = "unsupervised"
    model = measure(results, "dae-published", f"psnr_{PUBLISHED_NOISE}", "test", stage)
    noisy = measure(results, "dae-published", f"psnr_noisy_{PUBLISHED_NOISE}", "test", stage)
    mapped = measure(results, "dae-published", "knn_accuracy", "test", stage)
    rivals = [measure(results, n, "knn_accuracy") for n in ("ae-tanh", "ae-relu")]
    return (
        _ordered("noise", "higher", compare(model, noisy)),
        _ordered("map", "higher", *(compare(mapped, rival) for rival in rivals)),
    )


def claim_3(results: Results) -> tuple[Part, ...]:
    """The supervised stage sharpens class borders and spoils the reconstructions.

    For the published DAE and CAE each: ``borders``: 5-NN accuracy in the map rises by more than
    the spread; ``spoils``: test MSE against the clean image rises by more than the spread.
    """
    return tuple(
        _ordered(f"{key}_{name[:3]}", "higher", before_after(results, name, metric))
        for key, metric in (("borders", "knn_accuracy"), ("spoils", "mse"))
        for name in ("dae-published", "cae-published")
    )


def claim_4(results: Results) -> tuple[Part, ...]:
    """The DAE takes about three times as long to train as the AE.

    ``epoch``: seconds per epoch of the unsupervised stage over ae-tanh's and over ae-relu's, both
    ratios within ABOUT_THREE; ``total``: the same for the whole schedules.
    """

    def part(key: str, timed) -> Part:
        times = [timed(results[n]) if n in results else None for n in names]
        if None in times:
            return Part(key, None)
        ratios = tuple(Ratio(times[0], ae) for ae in times[1:])
        low, high = ABOUT_THREE
        return Part(key, all(low <= r.value <= high for r in ratios), ratios)

    names = ("dae-published", "ae-tanh", "ae-relu")
    return (
        part("epoch", lambda result: result.seconds_per_epoch("unsupervised")),
        part("total", lambda result: result.seconds_total()),
    )


def claim_5(results: Results) -> tuple[Part, ...]:
    """The CAE beats the DAE in accuracy and loss, and denoises best of all.

    cae-published against dae-published, by more than the spread: ``accuracy_train``,
    ``accuracy_test`` (supervised stage) higher; ``mse`` (test, unsupervised) lower, in place of
    the losses, which are BCE and MSE; ``denoising_published``: PSNR at the published noise
    higher. ``denoising_corrected``: cae-denoising above dae at every noise level both have.
    """

    def pair(metric: str, split: str, stage: str) -> Difference | None:
        return _between(results, "cae-published", "dae-published", metric, split, stage)

    psnr = f"psnr_{PUBLISHED_NOISE}"
    return (
        _ordered("accuracy_train", "higher", pair("accuracy", "train", "supervised")),
        _ordered("accuracy_test", "higher", pair("accuracy", "test", "supervised")),
        _ordered("mse", "lower", pair("mse", "test", "unsupervised")),
        _ordered("denoising_published", "higher", pair(psnr, "test", "unsupervised")),
        _ordered("denoising_corrected", "higher", *denoising_duel(results)),
    )


def denoising_duel(results: Results) -> list[Difference]:
    """cae-denoising against dae: PSNR at every noise level that both have, in dB."""
    rivals = {row.level: row.model for row in psnr_rows(results, "dae")}
    rows = psnr_rows(results, "cae-denoising")
    return [Difference(row.model, rivals[row.level]) for row in rows if row.level in rivals]


def claim_6(results: Results) -> tuple[Part, ...]:
    """Both VAE losses give similar 2-D maps with the classes concentrated.

    ``similar``: the 5-NN accuracies in the two maps differ by no more than the spread (undecided
    with one seed). ``concentrated``: both exceed that of two principal components by more than
    the spread. Generation has no metric here; the manifold figures show it.
    """
    bce, mse = (measure(results, n, "knn_accuracy") for n in ("vae-bce", "vae-mse"))
    pca = measure(results, "pca-2", "knn_accuracy")
    both = compare(bce, mse)
    similar = Part("similar", None, () if both is None else (both,))
    if both is not None and both.margin is not None:
        similar = Part("similar", both.direction == "same", (both,))
    return similar, _ordered("concentrated", "higher", compare(bce, pca), compare(mse, pca))


def claim_7(results: Results) -> tuple[Part, ...]:
    """Losses that contain a KL term cannot be compared with the others.

    ``terms``: in vae-bce and vae-mse the test loss is reconstruction + KL (to one percent) and
    the KL is at least KL_SHARE of it. ``misleads``: for at least one VAE and one model without a
    KL term, the one with the higher test loss has the lower test MSE by more than the spread, so
    that ranking by loss would rank wrongly.
    """
    terms = [t for t in vae_terms(results) if t.loss.experiment in ("vae-bce", "vae-mse")]
    terms_hold = None
    if len(terms) == 2:
        terms_hold = all(t.adds_up and t.kl_share >= KL_SHARE for t in terms)
    names = {loss.experiment for loss, _ in loss_beside_mse(results)}
    comparable = {"vae-bce", "vae-mse"} <= names and names - {t.loss.experiment for t in terms}
    found = tuple(inversions(results))
    return (
        Part("terms", terms_hold, tuple(terms)),
        Part("misleads", bool(found) if comparable else None, found),
    )
