import pytest
from invented import S, U

from Code.reporting.claims import Part, Verdict, _none, verdicts
from Code.reporting.differences import compare
from Code.reporting.reference import with_spreads
from Code.reporting.results import Measure, load_results


@pytest.fixture
def outcomes(write_output):
    """``outcomes(changes, seeds)`` → outcome by claim."""

    def of(changes=None, seeds=3):
        found = verdicts(load_results(write_output(changes, seeds, further=True)))
        return {v.claim: v.outcome for v in found}

    return of


def test_every_claim_holds_in_the_fixture(outcomes):
    assert outcomes() == dict.fromkeys(range(1, 16), "holds")


def metrics(**by_metric):
    """Test (and training) values of metrics, ``stage__metric=value``."""
    stages = {"u": U, "s": S}
    found = {}
    for key, value in by_metric.items():
        stage, metric = key.split("__")
        metric = metric.replace("psnr_05", "psnr_0.5").replace("noisy_05", "noisy_0.5")
        splits = ("train", "test") if metric in ("loss", "mse", "accuracy") else ("test",)
        if metric.endswith(("_ratio", "_epoch")):
            splits = ("train",)
        found.update({(stages[stage], metric, split): value for split in splits})
    return {"metrics": found}


AE_TANH_WORSE = metrics(u__loss=0.08, u__axis_fraction=0.5, u__dead_pixels=0.5)

FLIPPED = [
    (1, {"ae-tanh": metrics(u__loss=0.08)}, "holds_in_part"),
    (1, {"ae-relu": metrics(u__axis_fraction=0.02)}, "holds_in_part"),
    (1, {"ae-relu": metrics(u__dead_pixels=0.002)}, "holds_in_part"),
    (1, {"ae-tanh": AE_TANH_WORSE}, "does_not_hold"),
    (2, {"dae-published": metrics(u__psnr_05=8.0)}, "holds_in_part"),
    (2, {"ae-tanh": metrics(u__knn_accuracy=0.7)}, "holds_in_part"),
    (2, {"dae-published": metrics(u__psnr_05=8.0, u__knn_accuracy=0.3)}, "does_not_hold"),
    (3, {"dae-published": metrics(s__knn_accuracy=0.6)}, "holds_in_part"),
    (
        3,
        {
            "dae-published": metrics(s__knn_accuracy=0.5, s__mse=0.05),
            "cae-published": metrics(s__knn_accuracy=0.4, s__mse=0.001),
        },
        "does_not_hold",
    ),
    (4, {"keras-times": metrics(u__epoch_ratio=1.2)}, "holds_in_part"),
    (4, {"keras-times": metrics(u__epoch_ratio=1.2, u__total_ratio=5.0)}, "does_not_hold"),
    (5, {"cae-denoising": metrics(u__psnr_05=17.0)}, "holds_in_part"),
    (
        5,
        {
            "cae-published": metrics(s__accuracy=0.9, u__mse=0.08, u__psnr_05=9.0),
            "cae-denoising": metrics(u__psnr_05=17.0),
        },
        "does_not_hold",
    ),
    (6, {"vae-mse": metrics(u__knn_accuracy=0.70)}, "holds_in_part"),
    (
        6,
        {"vae-mse": metrics(u__knn_accuracy=0.30), "vae-bce": metrics(u__knn_accuracy=0.40)},
        "does_not_hold",
    ),
    (7, {n: metrics(u__mse=0.9) for n in ("vae-bce", "vae-mse")}, "holds_in_part"),
    (7, {n: metrics(u__mse=0.9, u__kl=0.1) for n in ("vae-bce", "vae-mse")}, "does_not_hold"),
    (8, {"dae-published-clean": metrics(u__loss_last_epoch=0.08)}, "holds_in_part"),
    (8, {"dae-published": metrics(u__loss_last_epoch=0.04)}, "holds_in_part"),
    (9, {"dae-published-100": metrics(u__loss_last_epoch=0.096)}, "does_not_hold"),
    (
        10,
        {
            "dae-published": metrics(s__accuracy_first_epoch=0.94),
            "dae-published-from-scratch": metrics(s__accuracy_first_epoch=0.94),
        },
        "does_not_hold",
    ),
    (10, {"dae-published": metrics(s__accuracy_first_epoch=0.80)}, "holds_in_part"),
    (11, {"conv-16": metrics(u__mse=0.005)}, "holds_in_part"),
    (12, {"dae-16": metrics(u__filter_roughness=0.6)}, "holds_in_part"),
    (13, {"tied-16": metrics(u__mse=0.02)}, "holds_in_part"),
    (13, {"tied-2": metrics(u__weight_coherence=0.3)}, "holds_in_part"),
    (14, {"ae-2": metrics(u__knn_accuracy=0.42)}, "holds_in_part"),
    (15, {"overcomplete-free": metrics(u__shuffled_error=0.1)}, "holds_in_part"),
]


@pytest.mark.parametrize(("claim", "changes", "expected"), FLIPPED)
def test_a_verdict_follows_its_figures_and_no_other_does(outcomes, claim, changes, expected):
    assert outcomes(changes)[claim] == expected


@pytest.mark.parametrize(
    ("name", "claims"),
    [
        ("ae-tanh", {1, 2, 8}),
        ("dae-published", {2, 3, 5, 8, 9, 10}),
        ("cae-published", {3, 5}),
        ("cae-denoising", {5}),
        ("vae-mse", {6, 7}),
        ("pca-2", {6, 14}),
        ("keras-times", {4}),
        ("ae-16", {11, 12, 13}),
        ("overcomplete-l1", {15}),
    ],
)
def test_a_claim_without_its_figures_is_not_run(outcomes, name, claims):
    found = outcomes({name: None})
    assert {claim for claim, outcome in found.items() if outcome == "not_run"} == claims


def part(key, answer, run=True):
    return Part(key, lambda evidence: answer, run=run)


def test_part_of_a_claim_can_hold_while_another_is_missing():
    parts = (part("a", True), part("b", False), part("c", None, run=False))
    assert Verdict(1, parts).outcome == "holds_in_part"
    assert Verdict(1, (part("a", True), part("c", None, run=False))).outcome == "not_run"
    assert Verdict(1, (part("a", True), part("c", None))).outcome == "undecided"


def test_one_seed_without_a_reference_needs_three(outcomes):
    assert set(outcomes(seeds=1).values()) == {"needs_three_seeds"}


def test_one_seed_with_the_reference_s_spread_says_what_three_say(write_output):
    three = load_results(write_output(seeds=3, further=True))
    spreads = {
        (name, m.stage, m.metric, m.split): (m.std, 3)
        for name, result in three.items()
        for m in result.measures
        if m.std is not None
    }
    one = with_spreads(load_results(write_output(seeds=1, further=True)), spreads)
    found = verdicts(one)
    assert all(v.borrows for v in found)
    assert {v.claim: v.outcome for v in found} == {v.claim: v.outcome for v in verdicts(three)}


@pytest.mark.parametrize(
    ("gap", "spread", "expected"),
    [
        (0.0, 0.001, True),
        (-0.05, 0.02, True),  # lower if anything: no more than that is asked
        (0.02, 0.05, None),  # may be above by more than the margin
        (0.2, 0.01, False),
    ],
)
def test_not_above_asks_for_no_more_than_it_says(gap, spread, expected):
    def measured(mean):
        values = (mean - spread, mean, mean + spread)
        return Measure("e", "s", "loss", "test", values, mean, spread)

    found = _none("higher", [compare(measured(1 + gap), measured(1.0))])
    assert found is expected
    mirrored = _none("lower", [compare(measured(1 - gap), measured(1.0))])
    assert mirrored is expected


def test_noise_does_not_turn_a_claim_over(outcomes):
    """A lead inside the margin, or inside its own noise, is neither for nor against."""
    close = {
        "vae-mse": metrics(u__knn_accuracy=0.77),
        "dae-published": metrics(s__knn_accuracy=0.62),
    }
    found = outcomes(close)
    assert found[6] == "holds"
    assert found[3] == "holds_in_part"
