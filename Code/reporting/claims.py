"""The claims of the published report and of its sources, and the rule by which each is judged.

Numbers 1 to 7 are the published report's own; 8 to 15 are claims of the sources that these
experiments can decide. Thresholds stand in `Code.reporting.rules`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial

from Code.reporting.contents import core
from Code.reporting.denoising import PUBLISHED_NOISE, psnr_rows
from Code.reporting.differences import Difference, before_after, compare, measure, of_one_table
from Code.reporting.estimates import HIGHER, LOWER, SAME, UNDECIDED, not_above
from Code.reporting.losses import Inversion, Terms, inversions, loss_beside_mse, vae_terms
from Code.reporting.results import Measure, Results
from Code.reporting.rules import (
    ABOUT_THREE,
    AXIS_SHARE,
    CONVERGED,
    DEAD_SHARE,
    KL_SHARE,
    NEARLY_ORTHOGONAL,
    PASSED_THROUGH,
    POOR_START,
)

Evidence = Difference | Measure | Terms | Inversion
Judge = Callable[[Sequence[Evidence]], bool | None]


def measures_of(evidence: Evidence) -> list[Measure]:
    """The measures on which a piece of evidence is based."""
    if isinstance(evidence, Measure):
        return [evidence]
    values = (getattr(evidence, f.name) for f in fields(evidence))
    kinds = (Difference, Measure, Terms, Inversion)
    return [m for v in values if isinstance(v, kinds) for m in measures_of(v)]


@dataclass(frozen=True)
class Part:
    """One testable part of a claim.

    Attributes
    ----------
    judge : the criterion, a function of the evidence: whether it is met, or None if the evidence
        decides neither.
    evidence : what was measured.
    run : whether everything that the criterion needs was run.
    """

    key: str
    judge: Judge
    evidence: tuple[Evidence, ...] = ()
    run: bool = True

    @property
    def holds(self) -> bool | None:
        """Whether the criterion is met; None if it was not run or cannot be decided."""
        return self.judge(self.evidence) if self.run else None

    @property
    def few_seeds(self) -> bool:
        """Whether some figure comes from fewer than three seeds."""
        figures = (m for e in self.evidence for m in measures_of(e))
        return any(m.n < 3 and not m.deterministic for m in figures)


@dataclass(frozen=True)
class Verdict:
    """A claim's parts and the resulting outcome."""

    claim: int
    parts: tuple[Part, ...]

    @property
    def outcome(self) -> str:
        """The outcome, by the first that applies:

        ``holds_in_part``: some parts hold and some do not. ``holds`` or ``does_not_hold``: all
        parts agree. Otherwise a part that could change the outcome is open: ``not_run`` if it was
        not run, ``needs_three_seeds`` if fewer were, else ``undecided``.
        """
        states = {part.holds for part in self.parts}
        if {True, False} <= states:
            return "holds_in_part"
        if None not in states:
            return "holds" if states == {True} else "does_not_hold"
        undecided = [part for part in self.parts if part.holds is None]
        if not all(part.run for part in undecided):
            return "not_run"
        return "needs_three_seeds" if any(p.few_seeds for p in undecided) else "undecided"

    @property
    def borrows(self) -> bool:
        """Whether some spread comes from the committed reference."""
        return any(m.borrows for p in self.parts for e in p.evidence for m in measures_of(e))


def verdicts(results: Results) -> list[Verdict]:
    """The verdict on each claim, in order."""
    published = core(results)
    return [
        Verdict(number, _corrected(claim(published if number <= PUBLISHED_CLAIMS else results)))
        for number, claim in enumerate(CLAIMS, start=1)
    ]


def _corrected(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts with the differences of the whole claim corrected for their number."""
    differences = [e for p in parts for e in p.evidence if isinstance(e, Difference)]
    corrected = iter(of_one_table(differences))
    return tuple(
        replace(
            p,
            evidence=tuple(next(corrected) if isinstance(e, Difference) else e for e in p.evidence),
        )
        for p in parts
    )


# Criteria ----------------------------------------------------------------------------------------


def _all_of(answers: Sequence[bool | None]) -> bool | None:
    """All must be true: one that is false decides, one that is open leaves it open."""
    if False in answers:
        return False
    return None if None in answers else True


def _each(want: str, evidence: Sequence[Difference]) -> bool | None:
    """Every difference has the wanted direction; the contrary or equality refutes it."""

    return _all_of([None if d.direction == UNDECIDED else d.direction == want for d in evidence])


def _none(unwanted: str, evidence: Sequence[Difference]) -> bool | None:
    """No difference has the unwanted direction by more than the margin (rule 3)."""

    def lacks(d: Difference) -> bool | None:
        if d.direction != UNDECIDED:
            return d.direction != unwanted
        if not d.known:
            return None
        pair = (d.a, d.b) if unwanted == HIGHER else (d.b, d.a)
        return not_above(*(m.estimate for m in pair), d.margin) or None

    return _all_of([lacks(d) for d in evidence])


def _reaches(least: float, value: float, half_width: float | None) -> bool | None:
    """Whether a value is at least so large, by its interval; None if the interval holds the limit.

    A value whose spread is unknown, without a width, reaches nothing and misses nothing.
    """
    if half_width is None:
        return None
    return True if value - half_width >= least else False if value + half_width < least else None


def _at_least(least: float, m: Measure) -> bool | None:
    """Whether a figure is at least so large, by its interval."""
    return _reaches(least, m.mean, m.half_width)


def _at_most(most: float, m: Measure) -> bool | None:
    """Whether a figure is at most so large, by its interval."""
    return _reaches(-most, -m.mean, m.half_width)


def _falls_by(least: float, d: Difference) -> bool | None:
    """Whether the first of two figures lies at least so far below the second, by the interval."""
    return _reaches(least, -d.value, d.half_width)


def _between(low: float, high: float, m: Measure) -> bool | None:
    """Whether a figure lies in a range, by its interval."""
    return _all_of([_at_least(low, m), _at_most(high, m)])


def _part(key: str, judge: Judge, *evidence: Evidence | None) -> Part:
    """A part; evidence that is None was not run."""
    there = tuple(e for e in evidence if e is not None)
    return Part(key, judge, there, run=bool(evidence) and len(there) == len(evidence))


def _ordered(key: str, want: str, *pairs: Difference | None) -> Part:
    return _part(key, partial(_each, want), *pairs)


def _unlike(key: str, unwanted: str, *pairs: Difference | None) -> Part:
    return _part(key, partial(_none, unwanted), *pairs)


def _share(key: str, least: float, pair: Difference | None) -> Part:
    """The first of a pair is higher, and at least so large."""

    def judge(evidence):
        return _all_of([_each(HIGHER, evidence), _at_least(least, evidence[0].a)])

    return _part(key, judge, pair)


def _pair(results: Results, a: str, b: str, *of: str) -> Difference | None:
    return compare(measure(results, a, *of), measure(results, b, *of))


# The published report's claims -------------------------------------------------------------------


def claim_1(results: Results) -> tuple[Part, ...]:
    """Tanh beats ReLU in the AE; ReLU pins codes to the axes and speckles reconstructions.

    ``loss``: training loss of ae-tanh below ae-relu's. ``axes``: share of test codes with a
    coordinate of exactly 0 is at least AXIS_SHARE with ReLU, and above tanh's. ``speckle``: share
    of ink pixels that every reconstruction leaves at one constant is at least DEAD_SHARE with
    ReLU, and above tanh's.
    """
    tanh, relu = "ae-tanh", "ae-relu"
    return (
        _ordered("loss", LOWER, _pair(results, tanh, relu, "loss", "train")),
        _share("axes", AXIS_SHARE, _pair(results, relu, tanh, "axis_fraction", "test")),
        _share("speckle", DEAD_SHARE, _pair(results, relu, tanh, "dead_pixels", "test")),
    )


def claim_2(results: Results) -> tuple[Part, ...]:
    """The DAE removes noise, and its 2-D map separates digits better than the AE's.

    As published (trained noisy → noisy). ``noise``: at the noise it was trained on, the output's
    PSNR against the clean image exceeds the noisy input's. ``filter``: it exceeds that of the
    better of two simple filters. ``map``: 5-NN accuracy in the map exceeds that of ae-tanh and of
    ae-relu.
    """
    stage = "unsupervised"

    rows = psnr_rows(results, "dae-published")
    row = next((r for r in rows if (r.stage, r.level) == (stage, PUBLISHED_NOISE)), None)
    mapped = measure(results, "dae-published", "knn_accuracy", "test", stage)
    rivals = [measure(results, n, "knn_accuracy") for n in ("ae-tanh", "ae-relu")]
    return (
        _ordered("noise", HIGHER, row and row.gain),
        _ordered("filter", HIGHER, row and row.gain_over_filter),
        _ordered("map", HIGHER, *(compare(mapped, rival) for rival in rivals)),
    )


def claim_3(results: Results) -> tuple[Part, ...]:
    """The supervised stage sharpens class borders and spoils the reconstructions.

    For the published DAE and CAE each: ``borders``: 5-NN accuracy in the map rises; ``spoils``:
    test MSE against the clean image rises.
    """
    return tuple(
        _ordered(f"{key}_{name[:3]}", HIGHER, before_after(results, name, metric))
        for key, metric in (("borders", "knn_accuracy"), ("spoils", "mse"))
        for name in ("dae-published", "cae-published")
    )


def claim_4(results: Results) -> tuple[Part, ...]:
    """The DAE takes about three times as long to train as the AE.

    Measured with plain Keras, as the published program trained them, both networks taking turns
    (row ``keras-times``). ``epoch``: an unsupervised epoch of the DAE over an epoch of the AE lies
    in ABOUT_THREE; ``total``: the same for the whole schedules.
    """
    return tuple(
        _part(
            key,
            lambda evidence: _between(*ABOUT_THREE, evidence[0]),
            measure(results, "keras-times", f"{key}_ratio", "train"),
        )
        for key in ("epoch", "total")
    )


def claim_5(results: Results) -> tuple[Part, ...]:
    """The CAE beats the DAE in accuracy and loss, and denoises best of all.

    cae-published against dae-published: ``accuracy_train``, ``accuracy_test`` (supervised stage)
    higher; ``mse`` (test, unsupervised) lower, in place of the losses, which are BCE and MSE;
    ``denoising_published``: PSNR at the published noise higher. ``denoising_corrected``:
    cae-denoising above dae at every noise level both have.
    """

    def pair(metric: str, split: str, stage: str) -> Difference | None:
        return _pair(results, "cae-published", "dae-published", metric, split, stage)

    psnr = f"psnr_{PUBLISHED_NOISE}"
    return (
        _ordered("accuracy_train", HIGHER, pair("accuracy", "train", "supervised")),
        _ordered("accuracy_test", HIGHER, pair("accuracy", "test", "supervised")),
        _ordered("mse", LOWER, pair("mse", "test", "unsupervised")),
        _ordered("denoising_published", HIGHER, pair(psnr, "test", "unsupervised")),
        _ordered("denoising_corrected", HIGHER, *denoising_duel(results)),
    )


def denoising_duel(results: Results) -> list[Difference]:
    """cae-denoising against dae: PSNR at every noise level that both have, in dB."""
    rivals = {row.level: row.model for row in psnr_rows(results, "dae")}
    rows = psnr_rows(results, "cae-denoising")
    return [Difference(row.model, rivals[row.level]) for row in rows if row.level in rivals]


def claim_6(results: Results) -> tuple[Part, ...]:
    """Both VAE losses give similar 2-D maps with the classes concentrated.

    ``similar``: the 5-NN accuracies in the two maps are the same within the margin.
    ``concentrated``: both exceed that of two principal components. Whether they serve to generate
    is measured among the uses.
    """
    bce, mse = (measure(results, n, "knn_accuracy") for n in ("vae-bce", "vae-mse"))
    pca = measure(results, "pca-2", "knn_accuracy")
    return (
        _ordered("similar", SAME, compare(bce, mse)),
        _ordered("concentrated", HIGHER, compare(bce, pca), compare(mse, pca)),
    )


def claim_7(results: Results) -> tuple[Part, ...]:
    """Losses that contain a KL term cannot be compared with the others.

    ``terms``: in vae-bce and vae-mse the test loss is reconstruction + KL (to one percent) and
    the KL is at least KL_SHARE of it. ``misleads``: for at least one VAE and one model without a
    KL term, the one with the higher test loss has the lower test MSE, so that ranking by loss
    would rank wrongly.
    """
    terms = [t for t in vae_terms(results) if t.loss.experiment in ("vae-bce", "vae-mse")]
    names = {loss.experiment for loss, _ in loss_beside_mse(results)}
    comparable = {"vae-bce", "vae-mse"} <= names and names - {t.loss.experiment for t in terms}
    found = tuple(inversions(results))
    return (
        Part(
            "terms",
            lambda evidence: all(t.adds_up and t.kl_share >= KL_SHARE for t in evidence),
            tuple(terms),
            run=len(terms) == 2,
        ),
        Part("misleads", _some_shown, found, run=bool(comparable)),
    )


def _some_shown(evidence: Sequence[Inversion]) -> bool | None:
    if any(pair.shown for pair in evidence):
        return True
    return None if evidence else False


# Further claims of its sources -------------------------------------------------------------------


def claim_8(results: Results) -> tuple[Part, ...]:
    """The DAE's loss exceeds the AE's because of the noise.

    ``exceeds``: last training loss of dae-published above both AEs'. ``noise``: the same network
    on clean images (dae-published-clean) has a lower loss than on noisy ones. ``only_noise``:
    without the noise its loss no longer exceeds the AEs'.
    """

    def loss(name: str) -> Measure | None:
        return measure(results, name, "loss_last_epoch", "train", "unsupervised")

    noisy, clean, aes = (
        loss("dae-published"),
        loss("dae-published-clean"),
        map(loss, ("ae-tanh", "ae-relu")),
    )
    aes = list(aes)
    return (
        _ordered("exceeds", HIGHER, *(compare(noisy, ae) for ae in aes)),
        _ordered("noise", LOWER, compare(clean, noisy)),
        _unlike("only_noise", HIGHER, *(compare(clean, ae) for ae in aes)),
    )


def claim_9(results: Results) -> tuple[Part, ...]:
    """Twenty epochs do not converge.

    ``dae``: after five times the epochs (dae-published-100) the training loss of the published DAE
    is lower by at least CONVERGED of it.
    """
    short, long = (
        measure(results, name, "loss_last_epoch", "train", "unsupervised")
        for name in ("dae-published", "dae-published-100")
    )

    def judge(evidence):
        (d,) = evidence
        return _falls_by(CONVERGED * d.b.mean, d)

    return (_part("dae", judge, compare(long, short)),)


def claim_10(results: Results) -> tuple[Part, ...]:
    """The labelled stage starts poorly because the classes overlap in the map.

    ``poor``: in the DAE's first labelled epoch the training accuracy lies at least POOR_START below
    that of its last. ``overlap``: the first epoch gets no further than the map allows: its accuracy
    does not exceed the 5-NN accuracy in the map before the stage. ``map``: it depends on the map:
    from random weights (dae-published-from-scratch) the first epoch's accuracy is lower.
    """

    def of(metric: str, split: str, stage: str) -> Measure | None:
        return measure(results, "dae-published", metric, split, stage)

    first = of("accuracy_first_epoch", "train", "supervised")
    last = of("accuracy_last_epoch", "train", "supervised")
    mapped = of("knn_accuracy", "test", "unsupervised")
    scratch = measure(
        results, "dae-published-from-scratch", "accuracy_first_epoch", "train", "supervised"
    )

    def poor(evidence):
        return _falls_by(POOR_START, evidence[0])

    return (
        _part("poor", poor, compare(first, last)),
        _unlike("overlap", HIGHER, compare(first, mapped)),
        _ordered("map", HIGHER, compare(first, scratch)),
    )


def claim_11(results: Results) -> tuple[Part, ...]:
    """The CAE's lead over the DAE may come from its wider bottleneck.

    ``width_2``, ``width_16``: with the same width of code (rows of the common comparison) the
    convolutional autoencoder has no lower test MSE than the dense one.
    """

    return tuple(
        _unlike(f"width_{k}", LOWER, _pair(results, f"conv-{k}", f"ae-{k}", "mse")) for k in (2, 16)
    )


def claim_12(results: Results) -> tuple[Part, ...]:
    """Training with noise gives less noisy weights.

    ``gaussian``, ``masking``: the first layer's filters of the denoising autoencoders of the common
    comparison (16 units) are smoother than those of the plain one. ``…_inked``: also among pixels
    that carry ink. Those at the border carry none: without noise their weights stay as they were
    drawn, which is rough.
    """
    return tuple(
        _ordered(key + where, LOWER, _pair(results, name, "ae-16", f"filter_roughness{where}"))
        for key, name in (("gaussian", "dae-16"), ("masking", "dae-masking-16"))
        for where in ("", "_inked")
    )


def claim_13(results: Results) -> tuple[Part, ...]:
    """Tied weights lose nothing, and the trained W is nearly orthogonal.

    ``loses_2``, ``loses_16``: test MSE of the tied autoencoder is the same as the untied one's, or
    lower. ``orthogonal_2``, ``orthogonal_16``: mean |cosine| between the units' weights is at most
    NEARLY_ORTHOGONAL.
    """

    def orthogonal(evidence):
        return _at_most(NEARLY_ORTHOGONAL, evidence[0])

    parts = []
    for k in (2, 16):
        pair = _pair(results, f"tied-{k}", f"ae-{k}", "mse")
        parts.append(_unlike(f"loses_{k}", HIGHER, pair))
        cosine = measure(results, f"tied-{k}", "weight_coherence")
        parts.append(_part(f"orthogonal_{k}", orthogonal, cosine))
    return tuple(parts)


def claim_14(results: Results) -> tuple[Part, ...]:
    """The plane of an autoencoder is more telling than that of two principal components.

    ``plain``, ``corrected``: 5-NN accuracy in the map of ae-2 and of the corrected ae above that of
    pca-2.
    """
    return tuple(
        _ordered(key, HIGHER, _pair(results, name, "pca-2", "knn_accuracy"))
        for key, name in (("plain", "ae-2"), ("corrected", "ae"))
    )


def claim_15(results: Results) -> tuple[Part, ...]:
    """An overcomplete code without a constraint passes the input through.

    ``passes``: images that are no digits (the digits' pixels shuffled) come back with an error of
    at most PASSED_THROUGH of their variance. ``constraint``: with L1 on the code that error is
    higher.
    """
    free, bound = (
        measure(results, name, "shuffled_error")
        for name in ("overcomplete-free", "overcomplete-l1")
    )

    def passes(evidence):
        return _at_most(PASSED_THROUGH, evidence[0])

    return _part("passes", passes, free), _ordered("constraint", HIGHER, compare(bound, free))


CLAIMS = (
    claim_1,
    claim_2,
    claim_3,
    claim_4,
    claim_5,
    claim_6,
    claim_7,
    claim_8,
    claim_9,
    claim_10,
    claim_11,
    claim_12,
    claim_13,
    claim_14,
    claim_15,
)
"""Claims 1 to 15 in order."""

PUBLISHED_CLAIMS = 7
"""How many of them are the published report's own."""
