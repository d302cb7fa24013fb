"""A run on a fresh checkout: pages of its own results alone; the code's own pages stay beside."""

import json
import re
import shutil

import pytest

from Code.reporting import reference
from Code.reporting.kept import headed
from Code.reporting.render import render_reports


@pytest.fixture(scope="module")
def checkout(root, tmp_path_factory):
    """The committed results and pages, of which one row was then trained again."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("output", "report"):
        skip = shutil.ignore_patterns("*.png", "*.html", "runs", "*.keras", ".work", "quick")
        shutil.copytree(root / name, folder / name, ignore=skip)
    output = folder / "output"
    index = output / "reference" / reference.COMMITTED
    index.write_text(json.dumps(reference.digests(output)), encoding="utf-8")
    path = output / "ae" / "result.json"
    result = json.loads(path.read_text(encoding="utf-8"))
    for metric in result["metrics"]:
        if metric["metric"] == "mse":
            metric["values"] = [1.5 * value for value in metric["values"]]
            metric["mean"] *= 1.5
            metric["std"] *= 1.5
    path.write_text(json.dumps(result), encoding="utf-8")
    own = reference.own(output, output / "reference")
    assert own == {"ae"}
    render_reports(output, folder / "report", output / "reference", own)
    return folder


def pages(checkout, language):
    found = {
        path.relative_to(checkout / "report" / language).as_posix(): path.read_text("utf-8")
        for path in (checkout / "report" / language).rglob("*.md")
    }
    main = "report.md" if language == "en" else "report.zh.md"
    return (checkout / "report" / main).read_text("utf-8"), found


def test_in_a_folder_of_one_s_own_no_page_came_with_the_code(root, checkout, tmp_path):
    output = tmp_path / "mine"
    shutil.copytree(checkout / "output" / "ae", output / "ae")
    shutil.copytree(root / "report" / "en", output / "report" / "en")
    render_reports(output, output / "report", checkout / "output" / "reference", {"ae"})
    for path in (output / "report").rglob("*.md"):
        text = path.read_text("utf-8")
        assert not any(line in text for line in HEADINGS.values()), path
        assert "(committed reference)" not in text, path


HEADINGS = {"en": "**Committed reference.**", "zh": "**参考结果。**"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pages_of_what_was_not_run_stay_and_say_so(checkout, root, language):
    _, found = pages(checkout, language)
    kept = {name for name, text in found.items() if HEADINGS[language] in text}
    assert {"common.md", "uses.md", "other-papers.md", "speed.md", "variants/vae.md"} <= kept
    assert not kept & {"variants/ae.md", "methods.md", "claims.md", "runs.md", "references.md"}
    for name in kept:
        before = (root / "report" / language / name).read_text("utf-8")
        line = next(x for x in found[name].splitlines() if x.startswith(HEADINGS[language]))
        assert found[name].replace(f"\n{line}\n", "", 1) == before


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_other_pages_are_of_the_run_alone(checkout, language):
    main, found = pages(checkout, language)
    # Of the other rows nothing but that they have no result
    assert not re.search(r"`(vae-bce|dae|cae-published)` \|.* ±\xa0", main)
    assert re.search(r"`ae` \|.* ±\xa0", main)
    runs = found["runs.md"]
    assert "`ae`" in runs and "`dae-16`" not in runs
    said = {"en": "(committed reference)", "zh": "（参考结果）"}[language]
    linked = re.findall(rf"\]\({language}/([\w/-]+)\.md\) ?{re.escape(said)}", main)
    assert {"common", "uses", "other-papers", "speed"} == set(linked)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_main_report_says_how_nearly_it_agrees(checkout, language):
    main, _ = pages(checkout, language)
    patterns = {"en": r"(\d+) of (\d+) figures of this run", "zh": r"(\d+) 个数值中有 (\d+) 个"}
    n, of = sorted(map(int, re.search(patterns[language], main).groups()))
    # The MSE of the training and of the test images
    assert of - n == 2 and n > 5
    table = main.split("agree with the committed" if language == "en" else "与参考结果一致")[1]
    assert table.count("| `ae` |") >= 2


def test_no_warning_of_mixed_results_appears(checkout):
    """The row was trained again by other code than its neighbours; these are not in the report."""
    main, _ = pages(checkout, "en")
    warned = [line for line in main.splitlines() if line.startswith("> **")]
    assert warned and all("no result" in line and "`ae`" not in line for line in warned)


def test_the_heading_is_there_once():
    once = headed("# Title\n\ntext\n", "line")
    assert once == "# Title\n\nline\n\ntext\n"
    assert headed(once, "line") == once
