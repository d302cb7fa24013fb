import pytest
from invented import S, U

from Code.reporting.claims import Part, Verdict, verdicts
from Code.reporting.results import load_results


@pytest.fixture
def outcomes(write_output):
    """``outcomes(changes, seeds)`` → outcome by claim."""

    def of(changes=None, seeds=3):
        found = verdicts(load_results(write_output(changes, seeds)))
        return {v.claim: v.outcome for v in found}

    return of


def test_every_claim_holds_in_the_fixture(outcomes):
    assert outcomes() == dict.fromkeys(range(1, 8), "holds")


def metrics(**by_metric):
    """Test (and training) values of metrics, ``stage__metric=value``."""
    stages = {"u": U, "s": S}
    found = {}
    for key, value in by_metric.items():
        stage, metric = key.split("__")
        metric = metric.replace("psnr_05", "psnr_0.5").replace("noisy_05", "noisy_0.5")
        splits = ("train", "test") if metric in ("loss", "mse", "accuracy") else ("test",)
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
    (4, {"dae-published": {"seconds": {U: [12.0] * 3, S: [200.0] * 3}}}, "holds_in_part"),
    (
        4,
        {
            "dae-published": {
                "seconds": {U: [2.0] * 3, S: [2.0] * 3},
                "epoch_seconds": {U: [0.1] * 3, S: [0.1] * 3},
            }
        },
        "does_not_hold",
    ),
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
]


@pytest.mark.parametrize(("claim", "changes", "expected"), FLIPPED)
def test_a_verdict_follows_its_figures_and_no_other_does(outcomes, claim, changes, expected):
    assert outcomes(changes)[claim] == expected


@pytest.mark.parametrize(
    ("name", "claims"),
    [
        ("ae-tanh", {1, 2, 4}),
        ("dae-published", {2, 3, 4, 5}),
        ("cae-published", {3, 5}),
        ("cae-denoising", {5}),
        ("vae-mse", {6, 7}),
        ("pca-2", {6}),
    ],
)
def test_a_claim_without_its_figures_cannot_be_decided(outcomes, name, claims):
    found = outcomes({name: None})
    assert {claim for claim, outcome in found.items() if outcome == "undecided"} == claims


def test_part_of_a_claim_can_hold_while_another_is_missing():
    parts = (Part("a", True), Part("b", False), Part("c", None))
    assert Verdict(1, parts).outcome == "holds_in_part"


def test_one_seed_judges_by_sign_but_cannot_call_maps_similar(write_output, outcomes):
    found = outcomes(seeds=1)
    assert found.pop(6) == "undecided"
    assert set(found.values()) == {"holds"}
    assert all(v.spread_unknown for v in verdicts(load_results(write_output(seeds=1))))
    assert not any(v.spread_unknown for v in verdicts(load_results(write_output(seeds=3))))
