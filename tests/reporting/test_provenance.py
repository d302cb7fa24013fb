import pytest

from Code.reporting.provenance import machines, schedule_cost
from Code.reporting.results import load_results


def test_the_cost_of_the_published_schedule_is_that_of_its_rows(write_output):
    results = load_results(write_output())
    whole = schedule_cost(results)
    seconds = {name: result.seconds_total().mean for name, result in results.items()}
    assert whole.seconds == pytest.approx(sum(seconds.values()))
    convolving = sum(value for name, value in seconds.items() if name.startswith("cae"))
    assert 0 < whole.convolutional == pytest.approx(convolving / whole.seconds)
    assert schedule_cost({}) is None
    results["dae"].settings["filters"] = [8]
    more = (convolving + seconds["dae"]) / whole.seconds
    assert schedule_cost(results).convolutional == pytest.approx(more)


def test_a_machine_of_few_experiments_names_them(write_output):
    results = load_results(write_output())
    ((usual, nobody),) = machines(results)
    assert "cpu" in usual and nobody == []
    results["ae"].machine["cpu"] = "another"
    (first, of_most), (second, names) = machines(results)
    assert (first, of_most, names) == (usual, [], ["ae"]) and "another" in second
