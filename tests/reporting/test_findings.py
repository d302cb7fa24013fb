import pytest
from invented import S, U, result_of

from Code.reporting import findings
from Code.reporting.results import load_results


@pytest.fixture
def outcomes(write_output):
    """``outcomes(changes, seeds)`` → outcome by claim."""

    def of(changes=None, seeds=3):
        verdicts = findings.verdicts(load_results(write_output(changes, seeds)))
        return {v.claim: v.outcome for v in verdicts}

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
    parts = (findings.Part("a", True), findings.Part("b", False), findings.Part("c", None))
    assert findings.Verdict(1, parts).outcome == "holds_in_part"


def test_one_seed_judges_by_sign_but_cannot_call_maps_similar(write_output, outcomes):
    found = outcomes(seeds=1)
    assert found.pop(6) == "undecided"
    assert set(found.values()) == {"holds"}
    verdicts = findings.verdicts(load_results(write_output(seeds=1)))
    assert all(v.spread_unknown for v in verdicts)
    assert not any(v.spread_unknown for v in findings.verdicts(load_results(write_output(seeds=3))))


def test_the_margin_is_two_standard_errors(write_output):
    results = load_results(write_output())
    a, b = (results[n].measure("loss", "train") for n in ("ae-tanh", "ae-relu"))
    difference = findings.compare(a, b)
    assert difference.margin == pytest.approx(2 * ((a.std**2 + b.std**2) / 3) ** 0.5)
    assert difference.direction == "lower"
    assert findings.compare(b, a).direction == "higher"
    assert findings.compare(a, a).direction == "same"
    assert findings.compare(a, None) is None


def test_comparisons_mark_what_falls_outside_and_what_is_missing(write_output):
    last = {(U, "loss_last_epoch", "train"): 150.0}
    output = write_output({"vae-bce": {"metrics": last}, "ae-relu": None})
    rows = {(c.experiment, c.metric): c for c in findings.comparisons(load_results(output))}
    assert len(rows) == 8
    outside = rows["vae-bce", "loss_last_epoch"]
    assert outside.within is False
    assert outside.difference == pytest.approx(4.9)
    assert rows["ae-relu", "loss_last_epoch"].within is None
    assert rows["cae-published", "accuracy_last_epoch"].within is True


@pytest.mark.parametrize(
    ("tanh", "supports"), [(0.0690, True), (0.0700, False)], ids=["its own", "the other"]
)
def test_an_ae_run_supports_the_nearer_published_figure(write_output, tanh, supports):
    last = {(U, "loss_last_epoch", "train"): tanh}
    results = load_results(write_output({"ae-tanh": {"metrics": last}}))
    assert findings.nearest_ae_figures(results)[0].supports_own is supports


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (None, "missing"),
        ({"quick": True}, "quick"),
        ({"quick": True}, "mixed_schedules"),
        ({"seeds": 1}, "mixed_seeds"),
        ({"code_version": "older"}, "mixed_code"),
        ({"versions": {"python": "3.12"}}, "mixed_versions"),
        ({"machine": {"cpu": "another"}}, "mixed_machines"),
        ({"complete": False}, "incomplete"),
        ({"complete": False, "failures": [{"seed": 1, "reason": "loss became NaN"}]}, "failed"),
        ({"data": {**result_of("ae")["data"], "name": "kmnist"}}, "other_data"),
        ({"data": {**result_of("ae")["data"], "sha256": "00"}}, "mixed_data"),
    ],
)
def test_a_reason_for_care_is_a_warning(write_output, change, key):
    found = {w.key: w for w in findings.warnings(load_results(write_output({"ae": change})))}
    assert key in found
    assert "ae" in {name for _, names in found[key].groups for name in names}


def test_whole_results_need_no_warning(write_output):
    assert findings.warnings(load_results(write_output())) == []


def test_beating_the_rivals_means_at_every_level(write_output):
    assert findings.beats_rivals(load_results(write_output()), "dae") is True
    change = {"dae": {"metrics": {(U, "psnr_0.75", "test"): 9.0}}}
    assert findings.beats_rivals(load_results(write_output(change)), "dae") is False
    assert findings.beats_rivals({}, "dae") is None


def test_the_cost_of_the_published_schedule_is_that_of_its_rows(write_output):
    results = load_results(write_output())
    whole = findings.schedule_cost(results)
    seconds = {name: result.seconds_total().mean for name, result in results.items()}
    assert whole.seconds == pytest.approx(sum(seconds.values()))
    convolving = sum(value for name, value in seconds.items() if name.startswith("cae"))
    assert 0 < whole.convolutional == pytest.approx(convolving / whole.seconds)
    assert findings.schedule_cost({}) is None
    results["dae"].settings["filters"] = [8]
    more = (convolving + seconds["dae"]) / whole.seconds
    assert findings.schedule_cost(results).convolutional == pytest.approx(more)


def test_a_machine_of_few_experiments_names_them(write_output):
    results = load_results(write_output())
    ((usual, nobody),) = findings.machines(results)
    assert "cpu" in usual and nobody == []
    results["ae"].machine["cpu"] = "another"
    (first, of_most), (second, names) = findings.machines(results)
    assert (first, of_most, names) == (usual, [], ["ae"]) and "another" in second


def test_only_experiments_that_differ_in_nothing_else_are_compared(root):
    results = load_results(root / "output")
    emphasis = ("alpha", "beta")
    assert findings.alike(results, "emphasised", "emphasised-plain", *emphasis)
    assert not findings.alike(results, "emphasised", "emphasised-plain", "alpha")
    assert not findings.alike(results, "emphasised-16", "emphasised-plain", *emphasis)
    assert not findings.alike(results, "emphasised", "not-there", *emphasis)
    text = (root / "report" / "report.md").read_text(encoding="utf-8")
    (full, other) = (
        next(line for line in text.splitlines() if line.startswith(f"- `{name}`: MSE of the over"))
        for name in ("emphasised-full", "emphasised-16")
    )
    assert "Without emphasis" in full and "Without emphasis" not in other
