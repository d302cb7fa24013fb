from dataclasses import replace

from Code.reporting.bakeoff import bakeoff_rows
from Code.reporting.results import load_results


def test_the_models_stand_as_published_and_older_rows_of_the_name_are_left_out(write_output):
    some = next(iter(load_results(write_output()).values()))
    groups = {"bakeoff-vq": "bakeoff", "bakeoff-stacked": "bakeoff", "bakeoff-shallow": "papers"}
    results = {name: replace(some, experiment=name, group=group) for name, group in groups.items()}
    rows = bakeoff_rows(results)
    assert [row.result.experiment for row in rows] == ["bakeoff-stacked", "bakeoff-vq"]
    assert all(row.error is row.probe is row.own_probe is None for row in rows)
    assert bakeoff_rows({}) == []
