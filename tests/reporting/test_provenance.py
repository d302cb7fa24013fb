from dataclasses import replace

import pytest
from pages import rendered

from Code.reporting.provenance import group_times, machines, on_another_processor, schedule_cost
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


def test_times_of_another_processor_are_named_below_their_table(write_output, tmp_path):
    output = write_output({"dae-16": {"machine": {"cpu": "another"}}}, further=True)
    results = load_results(output)
    rows = [results[name] for name in ("dae-16", "ae-16", "conv-16")]
    assert on_another_processor(rows) == [("another", ["dae-16"])]
    assert on_another_processor(rows[1:]) == on_another_processor([]) == []
    # The run's own processor is the main one, even where a table has more rows of the other
    others = [replace(row, machine={"cpu": "another"}) for row in rows[1:]]
    named = on_another_processor([*others, results["ae-2"]], results)
    assert [(cpu, sorted(names)) for cpu, names in named] == [("another", ["ae-16", "conv-16"])]
    english, chinese = rendered(output, tmp_path / "report").both("common")
    assert "The training time of `dae-16` is that of another processor (another)" in english
    assert "`dae-16` 的训练时间在另一种处理器（another）上测得" in chinese


def test_the_time_of_a_group_is_that_of_all_its_trainings(write_output):
    results = load_results(write_output(further=True))
    times = group_times(results)
    assert len(times) == len({one.group for one in times}) > 1
    for one in times:
        rows = [r for r in results.values() if r.group == one.group and r.seconds_total()]
        assert (one.experiments, one.trainings) == (len(rows), sum(len(r.seeds) for r in rows))
        assert one.seconds == pytest.approx(sum(sum(r.seconds_total().values) for r in rows))
    assert group_times({}) == []
