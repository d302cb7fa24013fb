import pytest

from Code.reporting.provenance import group_times, machines, schedule_cost
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


def test_the_time_of_a_group_is_that_of_all_its_trainings(write_output):
    results = load_results(write_output(further=True))
    times = group_times(results)
    assert len(times) == len({one.group for one in times}) > 1
    for one in times:
        rows = [r for r in results.values() if r.group == one.group and r.seconds_total()]
        assert (one.experiments, one.trainings) == (len(rows), sum(len(r.seeds) for r in rows))
        assert one.seconds == pytest.approx(sum(sum(r.seconds_total().values) for r in rows))
    assert group_times({}) == []
