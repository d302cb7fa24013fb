import pytest

from Code.experiments import curves
from Code.experiments.curves import published_curves
from Code.experiments.table import EXPERIMENTS


def test_the_nine_curves_have_320_points_and_the_epochs_of_their_rows():
    found = published_curves()
    assert len(found) == 9
    assert sum(len(curve.values) for curve in found.values()) == 320
    for name, stage, metric in found:
        epochs = {s.name: s.epochs for s in EXPERIMENTS[name].stages}
        assert len(found[name, stage, metric].values) == epochs[stage]


def test_a_published_figure_is_the_end_of_its_curve():
    figures = {
        (row.name, figure.stage, figure.metric.removesuffix("_last_epoch")): figure
        for row in EXPERIMENTS.values()
        for figure in row.published
        if row.group == "published"
    }
    # The supervised losses have a curve but are no figure; the tanh figure has no curve
    assert set(figures) - set(published_curves()) == {("ae-tanh", "unsupervised", "loss")}
    for key, figure in figures.items():
        assert figure.reading_error > 0 and not figure.departures
        if key in published_curves():
            assert figure.value == published_curves()[key].values[-1]
            assert figure.reading_error == published_curves()[key].reading_error


@pytest.mark.parametrize(
    ("second", "problem"), [("3,0.1,0.01", "count from 1"), ("2,0.1,0.02", "reading error")]
)
def test_a_file_that_is_not_whole_is_refused(tmp_path, monkeypatch, second, problem):
    path = tmp_path / "curves.csv"
    head = "experiment,stage,metric,epoch,value,reading_error\n"
    path.write_text(f"{head}ae,fit,loss,1,0.2,0.01\nae,fit,loss,{second}\n")
    monkeypatch.setattr(curves, "FILE", path)
    with pytest.raises(ValueError, match=problem):
        published_curves.__wrapped__()
