import pytest
from invented import result_of

from Code.reporting.cautions import warnings
from Code.reporting.results import load_results


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
    found = {w.key: w for w in warnings(load_results(write_output({"ae": change})))}
    assert key in found
    assert "ae" in {name for _, names in found[key].groups for name in names}


def test_ratios_of_times_may_be_of_another_machine(write_output):
    changes = {"keras-times": {"machine": {"cpu": "another"}}}
    results = load_results(write_output(changes, further=True))
    assert "keras-times" in results
    assert "mixed_machines" not in {w.key for w in warnings(results)}


def test_whole_results_need_no_warning(write_output):
    assert warnings(load_results(write_output())) == []


def test_a_group_may_have_fewer_seeds_than_another(write_output):
    results = load_results(write_output({"ae": {"seeds": 1, "group": "causes"}}))
    assert "mixed_seeds" not in {w.key for w in warnings(results)}
