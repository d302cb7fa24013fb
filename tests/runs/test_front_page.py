"""The README's table of results: every cell is what the committed result files say."""

import csv
import json
import re
from pathlib import Path

import pytest

from Code.experiments.published import PUBLISHED_GROUP
from Code.reporting.reproduced import inside
from Code.runs import front_page, reports
from Code.runs.front_page import BEGIN, CORRECTED, END, MEASURES, TITLES

LONGEST = 150
LARGEST_PICTURE = 200_000


@pytest.fixture(scope="module")
def page(root):
    return (root / "README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def cells(page):
    """The table's rows: lists of cells."""
    lines = page.split(BEGIN)[1].split(END)[0].strip().splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[4:]]


@pytest.fixture(scope="module")
def measured(root):
    """The rows of results.csv, by experiment, stage, metric and split."""
    with open(root / "output" / "results.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {(r["experiment"], r["stage"], r["metric"], r["split"]): r for r in rows}


def says(cell, row):
    """Whether a cell rounds the mean and the standard deviation of a row of results.csv."""
    mean, spread = re.fullmatch(r"([\d.−]+)\xa0±\xa0(<?[\d.]+)", cell).groups()
    places = len(mean.partition(".")[2])
    half = 0.5 * 10**-places * (1 + 1e-6)
    right = abs(float(mean.replace("−", "-")) - float(row["mean"])) <= half
    if spread.startswith("<"):
        return right and float(row["std"]) < float(spread[1:])
    return right and abs(float(spread) - float(row["std"])) <= half


def test_every_published_figure_stands_beside_ours(cells, measured):
    figures = [(row.name, figure) for row in PUBLISHED_GROUP for figure in row.published]
    assert len(figures) == 8
    for (name, figure), row in zip(figures, cells[:8], strict=True):
        assert row[:2] == [TITLES[name], MEASURES[name, figure.metric]]
        ours = measured[name, figure.stage, figure.metric, "train"]
        places = len(row[2].partition(".")[2])
        # As the report has it, which is of the same results
        assert abs(float(row[2]) - float(ours["published"])) <= 0.5 * 10**-places * (1 + 1e-6)
        # The committed run may have been checked against a coarser reading of the same plot
        assert float(row[2]) == pytest.approx(figure.value, rel=0.003)
        assert says(row[3], ours), row


def test_every_corrected_figure_stands_beside_the_published_network_s(cells, measured):
    assert len(cells) == 8 + len(CORRECTED) == 13
    for row, corrected in zip(cells[8:], CORRECTED, strict=True):
        assert row[0] == corrected.title
        for cell, name in ((row[3], corrected.published), (row[5], corrected.name)):
            assert says(cell, measured[name, corrected.stage, corrected.metric, "test"]), row


def test_a_wrong_number_is_noticed(cells, measured):
    key = ("ae-relu", "unsupervised", "loss_last_epoch", "train")
    assert says(cells[0][3], measured[key])
    assert not says(cells[1][3], measured[key])
    assert not says("0.0709\xa0±\xa00.0009", measured[key])


def test_what_is_reproduced_is_said(cells, page, root):
    """From the seeds themselves: whether our mean lies where one more run of theirs may."""
    figures = [(row.name, figure) for row in PUBLISHED_GROUP for figure in row.published]
    for (name, figure), row in zip(figures, cells[:8], strict=True):
        metrics = json.loads((root / "output" / name / "result.json").read_text("utf-8"))["metrics"]
        (values,) = (
            m["values"]
            for m in metrics
            if (m["stage"], m["metric"], m["split"]) == (figure.stage, figure.metric, "train")
        )
        reproduced = inside(values, figure.value, figure.reading_error)
        assert row[4] == ("yes" if reproduced else "**no**"), row
    said = [row[4] for row in cells[:8]]
    assert f"\n**{said.count('yes')} of 8 published figures are reproduced.**\n" in page


def test_the_table_is_written_anew(root, page, tmp_path):
    """A stale table becomes the present one, what stands around it stays."""
    stale = tmp_path / "README.md"
    stale.write_text(page.replace("0.0709", "0.0999"), "utf-8")
    front_page.update(stale, root / "output")
    assert stale.read_text("utf-8") == page


def test_results_that_are_missing_are_dashes(tmp_path):
    stale = tmp_path / "README.md"
    stale.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", "utf-8")
    front_page.update(stale, tmp_path)
    before, *table, after = stale.read_text("utf-8").splitlines()
    assert (before, after) == ("before", "after") and len(table) == 2 + 4 + 13
    assert table[1] == "**0 of 0 published figures are reproduced.**"
    assert "| AE, ReLU | training MSE | 0.0702 | – | – | – |" in table


@pytest.mark.parametrize("text", ["no marks\n", f"{BEGIN}\nno end\n"])
def test_a_page_without_both_marks_stays(text, tmp_path):
    other = tmp_path / "README.md"
    other.write_text(text, "utf-8")
    front_page.update(other, tmp_path)
    assert other.read_text("utf-8") == text
    front_page.update(tmp_path / "none.md", tmp_path)
    assert not (tmp_path / "none.md").exists()


def test_only_the_reference_of_the_default_folder_writes_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stale = f"{BEGIN}\nold\n{END}\n"
    Path("README.md").write_text(stale, "utf-8")
    monkeypatch.setattr(reports, "render_reports", lambda *_: ["report.md", "report.zh.md"])
    Path("output").mkdir()
    reports.write_reports(Path("elsewhere"), extend=True)
    reports.write_reports(Path("output"))
    assert Path("README.md").read_text("utf-8") == stale
    reports.write_reports(Path("output"), extend=True)
    assert "old" not in Path("README.md").read_text("utf-8")


def test_the_front_page_is_short_and_its_picture_small(root, page):
    assert len(page.splitlines()) <= LONGEST
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", page)
    assert len(pictures) == 1
    assert 0 < (root / pictures[0]).stat().st_size < LARGEST_PICTURE
