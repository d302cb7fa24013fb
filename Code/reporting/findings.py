"""What the results say: comparisons, warnings and verdicts, as data and without words.

Every function is pure: results in, facts out. The templates put the facts into a language.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields

from Code.experiments.common import CODE_DIMS
from Code.experiments.row import Experiment
from Code.experiments.table import EXPERIMENTS, of_group
from Code.reporting.results import Measure, Result

Results = Mapping[str, Result]

# The groups on which the published comparison and its claims are judged; what stands beside them
# has sections of its own.
CORE_GROUPS = ("published", "causes")
# A family is told as published, then against its baseline, then corrected
KINDS = ("published", "baseline", "corrected")
# What has no network of its own, such as principal components, is told beside the plain autoencoder
PLAIN = "ae"
NO_NETWORK = {row.variant for row in EXPERIMENTS.values() if not row.model}
# Told before the rest of the table: its common comparison has no overcomplete row, and has the
# emphasised denoising before the tied and the sparse ones
FIRST = ("overcomplete", "tied", "sparse")


def home(row: Result | Experiment) -> str:
    """The family in whose section an experiment is told."""
    return PLAIN if row.variant in NO_NETWORK else row.variant


FAMILIES = tuple(dict.fromkeys(map(home, of_group("published"))))
VARIANTS = tuple(
    dict.fromkeys(
        (*FAMILIES, *FIRST, *map(home, of_group("common")), *map(home, EXPERIMENTS.values()))
    )
)


def place(row: Result | Experiment) -> int:
    """Place of an experiment's family; one that the table does not know comes last."""
    family = home(row)
    return VARIANTS.index(family) if family in VARIANTS else len(VARIANTS)


# What the published comparison needs, so that a missing experiment and a missing figure are named
EXPECTED = tuple(sorted(of_group("published"), key=lambda row: (place(row), KINDS.index(row.kind))))
EXPECTED_FIGURES = tuple(
    (row.name, figure.stage, figure.metric) for row in EXPECTED for figure in row.published
)

AXIS_SHARE = 0.05  # claim 1: "part of the codes" is at least one image in twenty
DEAD_SHARE = 0.01  # claim 1: "speckles" is at least one ink-carrying pixel in a hundred
ABOUT_THREE = (2.0, 4.0)  # claim 4: "about three times"
KL_SHARE = 0.01  # claim 7: a KL term below a hundredth of the loss would not matter
PUBLISHED_NOISE = f"{EXPERIMENTS['dae-published'].noise_once:g}"


# --- differences ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """``a − b`` of two measures, and the ``margin`` that it must pass to exceed the spread."""

    a: Measure
    b: Measure

    @property
    def value(self) -> float:
        """Difference of the means, in the metric's unit."""
        return self.a.mean - self.b.mean

    @property
    def margin(self) -> float | None:
        """2·√(s_a²/n_a + s_b²/n_b); None where either spread is unknown (one seed)."""
        if self.a.spread is None or self.b.spread is None:
            return None
        return 2 * math.sqrt(self.a.spread**2 / self.a.n + self.b.spread**2 / self.b.n)

    @property
    def direction(self) -> str:
        """``higher``, ``lower`` or ``same``; by the sign alone where the spread is unknown."""
        if self.value == 0 or (self.margin is not None and abs(self.value) <= self.margin):
            return "same"
        return "higher" if self.value > 0 else "lower"


@dataclass(frozen=True)
class Ratio:
    """``a / b`` of two measures."""

    a: Measure
    b: Measure

    @property
    def value(self) -> float:
        """Quotient of the means; infinite over a zero."""
        return self.a.mean / self.b.mean if self.b.mean else math.inf


@dataclass(frozen=True)
class Terms:
    """A VAE loss beside its two terms, all in nats an image."""

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


@dataclass(frozen=True)
class Inversion:
    """A model with a KL term whose loss is the higher and whose reconstruction is the better."""

    loss: Difference
    mse: Difference


def compare(a: Measure | None, b: Measure | None) -> Difference | None:
    """Difference of two measures, None where one of them was not measured."""
    return None if a is None or b is None else Difference(a, b)


def alike(results: Results, a: str, b: str, *but: str) -> bool:
    """Whether two experiments are there and have the same settings, those named ``but`` aside.

    Only then does a difference between them come of what is named.
    """
    if a not in results or b not in results:
        return False
    one, other = results[a].settings, results[b].settings
    return all(one.get(key) == other.get(key) for key in (one.keys() | other.keys()) - set(but))


def measure(
    results: Results, name: str, metric: str, split: str = "test", stage: str | None = None
) -> Measure | None:
    """A measure of an experiment, None where the experiment or the measure is missing."""
    return results[name].measure(metric, split, stage) if name in results else None


# --- published against reproduced -----------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """A published figure and ours; ``measure`` is None where the experiment is missing."""

    experiment: str
    stage: str
    metric: str
    measure: Measure | None

    @property
    def published(self) -> float | None:
        """The published figure, as the result file carries it."""
        return self.measure.published if self.measure else None

    @property
    def difference(self) -> float | None:
        """Reproduced mean minus published figure."""
        return None if self.published is None else self.measure.mean - self.published

    @property
    def within(self) -> bool | None:
        """Whether the mean lies in the accepted range; None without a figure or a range."""
        if self.difference is None or self.measure.published_range is None:
            return None
        low, high = self.measure.published_range
        return low <= self.measure.mean <= high


def comparisons(results: Results) -> list[Comparison]:
    """The eight figures of the published report, then any other figure that has a published one."""
    rows = []
    for name, stage, metric in EXPECTED_FIGURES:
        found = measure(results, name, metric, "train", stage)
        if found is not None and found.published is None:
            found = None
        rows.append(Comparison(name, stage, metric, found))
    for result in results.values():
        for m in result.measures:
            key = (m.experiment, m.stage, m.metric)
            if m.published is not None and not (key in EXPECTED_FIGURES and m.split == "train"):
                rows.append(Comparison(*key, m))
    return rows


@dataclass(frozen=True)
class Nearest:
    """Which of the two published AE figures a run lands nearer to."""

    measure: Measure
    own: float
    other: float
    within: bool

    @property
    def supports_own(self) -> bool:
        """Whether the run is nearer to its own published figure than to the other one."""
        return abs(self.measure.mean - self.own) < abs(self.measure.mean - self.other)


def nearest_ae_figures(results: Results) -> list[Nearest]:
    """For ``ae-tanh`` and ``ae-relu``: nearer to the published tanh or to the ReLU figure?"""
    runs = [measure(results, n, "loss_last_epoch", "train") for n in ("ae-tanh", "ae-relu")]
    if any(m is None or m.published is None for m in runs):
        return []
    tanh, relu = runs
    within = {c.experiment: bool(c.within) for c in comparisons(results)}
    return [
        Nearest(run, run.published, other.published, within[run.experiment])
        for run, other in ((tanh, relu), (relu, tanh))
    ]


# --- tables ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MetricRow:
    """One metric of one stage on both splits."""

    experiment: str
    kind: str
    stage: str
    metric: str
    train: Measure | None
    test: Measure | None


def metric_rows(results: Results) -> list[MetricRow]:
    """Every metric of every experiment but the denoising ones, which have a table of their own."""
    rows = []
    for result in ordered(results):
        keys = dict.fromkeys((m.stage, m.metric) for m in result.measures)
        for stage, metric in keys:
            if not metric.startswith("psnr_"):
                pair = (result.measure(metric, split, stage) for split in ("train", "test"))
                rows.append(MetricRow(result.experiment, result.kind, stage, metric, *pair))
    return rows


@dataclass(frozen=True)
class PsnrRow:
    """Denoising at one noise level, in dB: the model, doing nothing, and a 3×3 mean filter."""

    experiment: str
    kind: str
    stage: str
    level: str
    model: Measure
    noisy: Measure | None
    mean_filter: Measure | None

    @property
    def gain(self) -> Difference | None:
        """Model over the noisy input."""
        return compare(self.model, self.noisy)

    @property
    def gain_over_filter(self) -> Difference | None:
        """Model over the mean filter."""
        return compare(self.model, self.mean_filter)


def psnr_rows(results: Results, name: str | None = None) -> list[PsnrRow]:
    """Denoising of every experiment (or of ``name``), stage by stage, by noise level."""
    rows = []
    for result in ordered(results):
        if name not in (None, result.experiment):
            continue
        for m in result.measures:
            level = m.metric.removeprefix("psnr_")
            if m.metric == level or m.split != "test" or not level[:1].isdigit():
                continue
            rivals = (
                result.measure(f"psnr_{rival}_{level}", "test", m.stage)
                for rival in ("noisy", "mean_filter")
            )
            rows.append(PsnrRow(result.experiment, result.kind, m.stage, level, m, *rivals))
    return rows


def beats_rivals(results: Results, name: str) -> bool | None:
    """Whether the model beats noisy input and mean filter at every level (first stage)."""
    rows = psnr_rows(results, name)
    rows = [row for row in rows if row.stage == rows[0].stage]
    gains = [d for row in rows for d in (row.gain, row.gain_over_filter)]
    if not gains or None in gains:
        return None
    return all(d.direction == "higher" for d in gains)


# --- what is there and what is not ----------------------------------------------------------------


@dataclass(frozen=True)
class Family:
    """A variant's experiments: as published, then corrected (with baselines); and the gaps."""

    variant: str
    published: tuple[Result, ...]
    corrected: tuple[Result, ...]
    missing: tuple[tuple[str, str], ...]

    def missing_of(self, *kinds: str) -> list[str]:
        """Names of the missing experiments of these kinds."""
        return [name for name, kind in self.missing if kind in kinds]


def ordered(results: Results) -> list[Result]:
    """Results in the report's order: the expected ones first, then the others by name."""
    rank = {row.name: i for i, row in enumerate(EXPECTED)}
    return sorted(results.values(), key=lambda r: (rank.get(r.experiment, len(rank)), r.experiment))


def families(results: Results) -> list[Family]:
    """The four published families, then any other variant that has results."""
    others = sorted(results.values(), key=lambda r: (place(r), home(r)))
    found = []
    for variant in dict.fromkeys((*FAMILIES, *map(home, others))):
        mine = [r for r in ordered(results) if home(r) == variant and r.kind != "trial"]
        if variant in FAMILIES:
            mine = [r for r in mine if r.group in CORE_GROUPS]
        found.append(
            Family(
                variant,
                tuple(r for r in mine if r.kind == "published"),
                tuple(r for r in mine if r.kind != "published"),
                tuple(
                    (row.name, row.kind)
                    for row in EXPECTED
                    if home(row) == variant and row.name not in results
                ),
            )
        )
    return found


@dataclass(frozen=True)
class Trial:
    """An attempt to find how a published figure came about: where it ended, and whether near."""

    result: Result
    measure: Measure
    difference: float
    within: bool


def trials(results: Results) -> list[Trial]:
    """The trials for the tanh figure, the nearest to the published value first.

    Each ends ``within`` if its last training loss lies in the range accepted for ``ae-tanh``. Empty
    where the published experiment or the trials have not been run, or where it is in range itself.
    """
    target = measure(results, "ae-tanh", "loss_last_epoch", "train")
    if target is None or target.published is None or target.published_range is None:
        return []
    low, high = target.published_range
    found = []
    for result in results.values():
        own = result.measure("loss_last_epoch", "train")
        if result.kind == "trial" and own is not None:
            difference = own.mean - target.published
            found.append(Trial(result, own, difference, low <= own.mean <= high))
    return sorted(found, key=lambda trial: abs(trial.difference))


def core(results: Results) -> dict[str, Result]:
    """The experiments of the published comparison and the trials for its figures."""
    return {name: result for name, result in results.items() if result.group in CORE_GROUPS}


@dataclass(frozen=True)
class ScheduleCost:
    """What one seed of the published comparison costs: seconds of one core, and where they go."""

    seconds: float
    convolutional: float
    """Share of the rows that convolve."""


def schedule_cost(results: Results) -> ScheduleCost | None:
    """Training time of all rows of the group ``published``, a mean over the seeds; None if none."""
    rows = [r for r in results.values() if r.group == "published" and r.seconds_total()]
    total = sum(r.seconds_total().mean for r in rows)
    if not total:
        return None
    convolving = sum(r.seconds_total().mean for r in rows if r.convolves)
    return ScheduleCost(total, convolving / total)


def paper_comparisons(results: Results) -> list[Comparison]:
    """Figures of other papers and ours, in the order of the families; on test images if on both."""
    others = [r for r in results.values() if r.group not in CORE_GROUPS]
    others.sort(key=lambda r: (place(r), r.experiment))
    return [
        Comparison(r.experiment, m.stage, m.metric, m)
        for r in others
        for m in r.measures
        if m.published is not None
        and (m.split == "test" or r.measure(m.metric, "test", m.stage) is None)
    ]


@dataclass(frozen=True)
class CommonRow:
    """One variant in the architecture that all share, with a code of ``units``."""

    result: Result
    units: int
    mse: Measure | None
    knn: Measure | None
    seconds: Measure | None


def common_tables(results: Results) -> dict[int, list[CommonRow]]:
    """The common comparison by the width of the code."""
    return {units: common_rows(results, units) for units in CODE_DIMS}


def common_rows(results: Results, units: int) -> list[CommonRow]:
    """The common comparison at one width of the code, the best reconstruction first.

    The measures are those after the last stage in which the whole autoencoder is trained.
    """
    rows = []
    for r in results.values():
        if r.group == "common" and units in (
            r.settings.get("code_dim"),
            r.settings.get("n_components"),
        ):
            stage = "fit" if "fit" in r.stages else "unsupervised"
            mse, knn = (r.measure(metric, "test", stage) for metric in ("mse", "knn_accuracy"))
            rows.append(CommonRow(r, units, mse, knn, r.seconds_total()))
    return sorted(rows, key=lambda row: row.mse.mean if row.mse else math.inf)


def missing(results: Results) -> list[str]:
    """Expected experiments that have no result."""
    return [row.name for row in EXPECTED if row.name not in results]


@dataclass(frozen=True)
class Warn:
    """A reason to read the report with care: what, and the experiments by differing value."""

    key: str
    groups: tuple[tuple[str, tuple[str, ...]], ...]


def warnings(results: Results) -> list[Warn]:
    """Missing, failed or quick runs, other data than MNIST, and mixtures that spoil comparison."""
    all_of = ordered(results)
    found = []

    def warn_of(key: str, chosen: Iterable[tuple[str, str]]) -> None:
        groups: dict[str, list[str]] = {}
        for value, name in chosen:
            groups.setdefault(value, []).append(name)
        if groups:
            found.append(Warn(key, tuple((v, tuple(n)) for v, n in groups.items())))

    warn_of("missing", (("", name) for name in missing(results)))
    warn_of(
        "failed",
        ((f"{f['seed']}: {f['reason']}", r.experiment) for r in all_of for f in r.failures),
    )
    stopped = (r for r in all_of if not r.complete and not r.failures)
    warn_of("incomplete", (("", r.experiment) for r in stopped))
    warn_of("quick", (("", r.experiment) for r in all_of if r.quick))
    other = (r for r in all_of if r.data["name"] != "mnist")
    warn_of("other_data", ((r.data["name"], r.experiment) for r in other))
    # a baseline has no seed to share, and its fit no schedule
    chance = [r for r in all_of if r.kind != "baseline"]
    mixtures = {
        "data": [(data_label(r), r.experiment) for r in all_of],
        "schedules": [("quick" if r.quick else "full", r.experiment) for r in all_of],
        "seeds": [(", ".join(map(str, r.seeds)), r.experiment) for r in chance],
        "versions": [(joined(r.versions), r.experiment) for r in all_of],
        "machines": [(joined(r.machine), r.experiment) for r in all_of],
    }
    for key, pairs in mixtures.items():
        if len({value for value, _ in pairs}) > 1:
            warn_of(f"mixed_{key}", pairs)
    # every model has a code version of its own, so only runs of one model can contradict
    models: dict[str, list[Result]] = {}
    for r in all_of:
        models.setdefault(r.settings.get("model") or r.variant, []).append(r)
    mixed = [rs for rs in models.values() if len({r.code_version for r in rs}) > 1]
    warn_of("mixed_code", ((r.code_version, r.experiment) for rs in mixed for r in rs))
    return found


def code_versions(results: Results) -> dict[str, list[str]]:
    """Experiments by the version of the code that produced them."""
    return _experiments_by(results, lambda result: result.code_version)


def machines(results: Results) -> list[tuple[str, list[str]]]:
    """The machines, that of most experiments first; for the others, which experiments."""
    found = _experiments_by(results, lambda result: joined(result.machine))
    most_first = sorted(found.items(), key=lambda item: -len(item[1]))
    return [(machine, names if i else []) for i, (machine, names) in enumerate(most_first)]


def _experiments_by(results: Results, value_of: Callable[[Result], str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for result in ordered(results):
        found.setdefault(value_of(result), []).append(result.experiment)
    return found


def data_label(result: Result) -> str:
    """Name, counts and the start of the checksum of the data of a run."""
    d = result.data
    return f"{d['name']} {d['n_train']}/{d['n_test']} {d['sha256'][:12]}"


def joined(fields: Mapping[str, object]) -> str:
    """A mapping on one line, in its keys' order."""
    return ", ".join(f"{key} {fields[key]}" for key in sorted(fields))


def distinct(results: Iterable[Result], field: str) -> list[str]:
    """The different values of a mapping-valued field, each on one line, in the order met."""
    return list(dict.fromkeys(joined(getattr(r, field)) for r in results))


# --- the seven claims -----------------------------------------------------------------------------

Evidence = Difference | Ratio | Terms | Inversion


def measures_of(evidence: Evidence) -> list[Measure]:
    """The measures that a piece of evidence rests on."""
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
    """A claim's parts and what they come to."""

    claim: int
    parts: tuple[Part, ...]

    @property
    def outcome(self) -> str:
        """``holds``, ``holds_in_part``, ``does_not_hold`` or ``undecided``.

        All parts hold; some do and some do not; none does; or no answer, since a part that
        could tip the outcome was not measured.
        """
        states = {part.holds for part in self.parts}
        if {True, False} <= states:
            return "holds_in_part"
        if None in states or not states:
            return "undecided"
        return "holds" if states == {True} else "does_not_hold"

    @property
    def spread_unknown(self) -> bool:
        """Whether some figure rests on one seed."""
        figures = (m for p in self.parts for e in p.evidence for m in measures_of(e))
        return any(m.spread is None for m in figures)


def verdicts(results: Results) -> list[Verdict]:
    """The verdict on each of the published report's seven claims, in order."""
    claims = (claim_1, claim_2, claim_3, claim_4, claim_5, claim_6, claim_7)
    return [Verdict(number, claim(results)) for number, claim in enumerate(claims, 1)]


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

    def pair(first: str, second: str, metric: str, split: str) -> Difference | None:
        return compare(
            measure(results, first, metric, split), measure(results, second, metric, split)
        )

    return (
        _ordered("loss", "lower", pair("ae-tanh", "ae-relu", "loss", "train")),
        _share("axes", AXIS_SHARE, pair("ae-relu", "ae-tanh", "axis_fraction", "test")),
        _share("speckle", DEAD_SHARE, pair("ae-relu", "ae-tanh", "dead_pixels", "test")),
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


def before_after(results: Results, name: str, metric: str) -> Difference | None:
    """A test metric after the supervised stage against the same before it."""
    after = measure(results, name, metric, "test", "supervised")
    return compare(after, measure(results, name, metric, "test", "unsupervised"))


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
    cae, dae = "cae-published", "dae-published"

    def pair(metric: str, split: str, stage: str) -> Difference | None:
        return compare(
            measure(results, cae, metric, split, stage), measure(results, dae, metric, split, stage)
        )

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


def vae_terms(results: Results) -> list[Terms]:
    """Loss, reconstruction and KL on the test split of every result that has the three."""
    found = []
    for result in ordered(results):
        terms = [result.measure(metric) for metric in ("loss", "reconstruction", "kl")]
        if None not in terms:
            found.append(Terms(*terms))
    return found


def loss_beside_mse(results: Results) -> list[tuple[Measure, Measure]]:
    """Test loss (unit of its own) and test MSE (per pixel) of the first stage, best MSE first."""
    pairs = []
    for result in ordered(results):
        mse = result.measure("mse")
        loss = result.measure("loss", "test", mse.stage) if mse else None
        if loss is not None:
            pairs.append((loss, mse))
    return sorted(pairs, key=lambda pair: pair[1].mean)


def inversions(results: Results) -> list[Inversion]:
    """Pairs (with KL, without KL) where the model with the higher loss reconstructs better."""
    with_kl = {terms.loss.experiment for terms in vae_terms(results)}
    rows = loss_beside_mse(results)
    pairs = (
        Inversion(Difference(loss, other_loss), Difference(mse, other_mse))
        for loss, mse in rows
        if loss.experiment in with_kl
        for other_loss, other_mse in rows
        if other_loss.experiment not in with_kl
    )
    return [p for p in pairs if p.loss.direction == "higher" and p.mse.direction == "lower"]


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
