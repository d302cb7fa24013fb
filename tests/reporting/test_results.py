import json
import subprocess
import sys

import pytest
from invented import result_of

from Code.reporting.results import ResultError, load_results


def test_results_are_read_by_name_and_stage(write_output):
    results = load_results(write_output())
    assert len(results) == 12
    dae = results["dae-published"]
    assert dae.stages == ["unsupervised", "supervised"]
    assert dae.measure("mse").stage == "unsupervised"
    assert dae.measure("mse", "test", "supervised").mean == pytest.approx(0.091)
    assert dae.measure("mse", "test", "fit") is None
    assert dae.measure("loss").n == 3
    assert dae.seconds_per_epoch().mean == pytest.approx(0.6)
    assert dae.seconds_total().mean == pytest.approx(60)


def test_spread_is_unknown_with_one_seed_but_none_for_a_baseline(write_output):
    results = load_results(write_output(seeds=1))
    assert results["ae"].measure("mse").spread is None
    assert results["pca-2"].measure("mse").spread == 0


def test_no_output_is_no_results(tmp_path):
    assert load_results(tmp_path / "nowhere") == {}


def without(key):
    def change(raw):
        del raw[key]

    return change


def setting(value, *path):
    def change(raw):
        for key in path[:-1]:
            raw = raw[key]
        raw[path[-1]] = value

    return change


MALFORMED = [
    without("metrics"),
    without("data"),
    without("quick"),
    setting("three", "seeds"),
    setting([True], "seeds"),
    setting("other", "experiment"),
    setting("guess", "kind"),
    setting("many", "parameters"),
    setting("0.07", "metrics", 0, "mean"),
    setting(9.0, "metrics", 0, "mean"),
    setting([0.1], "metrics", 0, "published_range"),
    setting(["a", 1], "metrics", 0, "published_range"),
    setting([], "metrics", 0, "values"),
    setting([1.0] * 7, "metrics", 0, "values"),
    setting(None, "metrics", 0, "std"),
    setting(float("nan"), "metrics", 0, "mean"),
    setting(["../../secret.png"], "figures"),
    setting([{"reason": "killed"}], "failures"),
    setting({"unsupervised": 3.0}, "seconds"),
    setting({"unsupervised": 2.5}, "epochs"),
    setting(None, "data", "sha256"),
    lambda raw: raw["metrics"].append(raw["metrics"][0]),
]


@pytest.mark.parametrize("change", MALFORMED)
def test_a_malformed_file_is_one_line_with_a_remedy(tmp_path, change):
    raw = result_of("ae")
    change(raw)
    check_refused(tmp_path, json.dumps(raw).encode())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        json.dumps(result_of("ae")).encode()[:-40],
        b'{"experiment": "\xff"}',
        b"[" * 200_000,
    ],
    ids=["empty", "list", "null", "truncated", "not UTF-8", "deep"],
)
def test_a_file_that_is_no_result_is_one_line_with_a_remedy(tmp_path, content):
    check_refused(tmp_path, content)


def check_refused(tmp_path, content):
    path = tmp_path / "ae" / "result.json"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ResultError) as caught:
        load_results(tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(path))
    assert message.endswith("; delete it and run `python run_all.py` again")


def test_reporting_imports_neither_tensorflow_nor_keras():
    code = (
        "import sys; import Code.reporting.render; "
        "print([m for m in ('tensorflow', 'keras', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
