"""``run_all.py`` makes the page at the end of a run, and outlives it if that fails."""

import pytest

from Code.experiments.table import EXPERIMENTS
from Code.runs import run

ROWS = [EXPERIMENTS["ae-2"]]


@pytest.mark.slow
def test_makes_the_page_once(pair, capsys):
    page = pair / "report" / "explorer.html"
    run.write_explorer(pair, ROWS, trained=0)
    assert capsys.readouterr().err == f"Explorer: {page}\n"
    page.write_text("as it was")
    run.write_explorer(pair, ROWS, trained=0)
    assert page.read_text() == "as it was"
    run.write_explorer(pair, ROWS, trained=1)
    assert page.read_text("utf-8").rstrip().endswith("</html>")


def test_other_experiments_leave_it_alone(tmp_path, capsys):
    run.write_explorer(tmp_path, ROWS, trained=1)
    (tmp_path / "ae-2").mkdir()
    (tmp_path / "ae-2" / "model.keras").touch()
    run.write_explorer(tmp_path, [EXPERIMENTS["vae-bce"]], trained=1)
    assert capsys.readouterr().err == ""
    assert [path.name for path in tmp_path.iterdir()] == ["ae-2"]


@pytest.mark.slow
def test_a_page_that_cannot_be_made_is_one_line(tmp_path, capsys):
    (tmp_path / "ae-2").mkdir()
    (tmp_path / "ae-2" / "model.keras").write_bytes(b"half a file")
    run.write_explorer(tmp_path, ROWS, trained=1)
    said = capsys.readouterr().err
    assert said.startswith("warning: ") and said.count("\n") == 1
    assert "cannot be loaded" in said
