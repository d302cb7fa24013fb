import pytest
from invented import PUBLISHED, U

from Code.reporting.published_figures import EXPECTED_FIGURES, comparisons, nearest_ae_figures
from Code.reporting.results import load_results


def test_the_figures_that_a_row_of_the_table_carries_are_expected():
    assert set(EXPECTED_FIGURES) == set(PUBLISHED)


def test_comparisons_mark_what_falls_outside_and_what_is_missing(write_output):
    last = {(U, "loss_last_epoch", "train"): 150.0}
    output = write_output({"vae-bce": {"metrics": last}, "ae-relu": None})
    rows = {(c.experiment, c.metric): c for c in comparisons(load_results(output))}
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
    assert nearest_ae_figures(results)[0].supports_own is supports
