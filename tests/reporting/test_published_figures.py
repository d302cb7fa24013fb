import pytest
from invented import PUBLISHED, U

from Code.reporting.published_figures import EXPECTED_FIGURES, comparisons
from Code.reporting.results import load_results


def test_the_figures_that_a_row_of_the_table_carries_are_expected():
    assert set(EXPECTED_FIGURES) == set(PUBLISHED)


def test_comparisons_mark_what_falls_outside_and_what_is_missing(write_output):
    last = {(U, "loss_last_epoch", "train"): 150.0}
    output = write_output({"vae-bce": {"metrics": last}, "ae-relu": None})
    rows = {(c.experiment, c.metric): c for c in comparisons(load_results(output))}
    assert len(rows) == 8
    outside = rows["vae-bce", "loss_last_epoch"]
    assert outside.verdict == "not_reproduced"
    assert outside.difference == pytest.approx(4.9)
    assert rows["ae-relu", "loss_last_epoch"].verdict is None
    assert rows["cae-published", "accuracy_last_epoch"].verdict == "reproduced"


@pytest.mark.parametrize(("seeds", "verdict"), [(3, "reproduced"), (1, "undecided")])
def test_a_figure_with_a_reading_error_has_a_range_from_the_seeds(write_output, seeds, verdict):
    output = write_output(seeds=seeds, error=0.1)
    (found,) = [c for c in comparisons(load_results(output)) if c.experiment == "vae-bce"]
    assert found.verdict == verdict
    if verdict == "reproduced":
        low, high = found.accepted
        assert low < found.published < high
        assert high - found.published == pytest.approx(found.published - low)
        assert high - found.published > 0.1
    else:
        assert found.accepted is None
