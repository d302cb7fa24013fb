import json
import re
from collections import Counter

import pytest
from invented import U, metrics_flipped, result_of

from Code.reporting import contents
from Code.reporting.render import decimals, fixed, pm, render_reports, signed
from Code.reporting.results import Measure, ResultError

CJK = re.compile(r"[一-鿿]")
LINK = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")
NUMBER = re.compile(r"\d+\.\d+")


@pytest.fixture
def reports(write_output, tmp_path):
    """``reports(changes, seeds)`` → English text, Chinese text."""

    def of(changes=None, seeds=3, output=None):
        output = output or write_output(changes, seeds)
        paths = render_reports(output, tmp_path / "report")
        assert [p.name for p in paths] == ["report.md", "report.zh.md"]
        return [p.read_text(encoding="utf-8") for p in paths]

    return of


SITUATIONS = {
    "all hold": ({}, 3),
    "all flipped": (metrics_flipped(), 3),
    "one seed": ({}, 1),
    "quick": ({"ae": {"quick": True}}, 3),
    "no ae": (dict.fromkeys(("ae-relu", "ae-tanh", "ae", "pca-2")), 3),
    "no dae": (dict.fromkeys(("dae-published", "dae", "dae-classifier")), 3),
    "no cae": (dict.fromkeys(("cae-published", "cae-denoising", "cae-classifier")), 3),
    "no vae": (dict.fromkeys(("vae-bce", "vae-mse")), 3),
    "pca only": (dict.fromkeys(r.name for r in contents.EXPECTED if r.name != "pca-2"), 3),
    "nothing measured": ({"ae": {"kept": ()}, "dae-published": {"kept": ()}}, 3),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_both_languages_say_the_same(reports, situation):
    english, chinese = reports(*SITUATIONS[situation])
    assert Counter(NUMBER.findall(english)) == Counter(NUMBER.findall(chinese))
    assert link_targets(english) == link_targets(chinese)
    assert shape(english) == shape(chinese)
    assert not CJK.search(english)
    assert english.count("```") == chinese.count("```")


def link_targets(text):
    return [target for _, target in LINK.findall(text)]


def shape(text):
    """Headings by level, and every table by its rows' widths and numbers."""
    lines = text.splitlines()
    return [
        len(line) - len(line.lstrip("#"))
        if line.startswith("#")
        else (line.count("|"), re.findall(r"[−+<]?\d+\.\d+", line))
        for line in lines
        if line.startswith(("#", "|"))
    ]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_markdown_is_well_formed(reports, situation):
    for text in reports(*SITUATIONS[situation]):
        blocks = text.split("\n\n")
        for block in blocks:
            lines = block.splitlines()
            if any(line.startswith("|") for line in lines) and "```" not in block:
                assert all(line.startswith("|") for line in lines), block
                assert len({line.replace(r"\|", "").count("|") for line in lines}) == 1, block
            if block.startswith("#"):
                assert len(lines) == 1, block
        assert "None" not in text
        assert not re.search(r"\bnan\b", text)
        assert not re.search(r"[a-z]\.[A-Z][a-z]+ ", re.sub(r"`[^`]*`", "", text))
        assert not re.search(r"[{}]", re.sub(r"```math.*?```", "", text, flags=re.S))


def test_inline_math_stands_where_github_reads_it(reports):
    for text in reports():
        for line in re.sub(r"```.*?```", "", text, flags=re.S).splitlines():
            if line.count("$"):
                assert line.count("$") % 2 == 0
                for math in re.finditer(r"(.)\$[^$]+\$(.)", f" {line} "):
                    assert math[1] in " (" and math[2] in " .,;:)", line
        assert r"\operatorname" not in text


def test_every_figure_link_resolves(reports, tmp_path):
    english, _ = reports()
    links = LINK.findall(english)
    assert len(links) == 11 * 3
    for alt, target in links:
        assert alt
        assert not target.startswith("/") and "\\" not in target
        assert (tmp_path / "report" / target).is_file()


def test_captions_say_what_is_in_the_figure(reports):
    english, chinese = reports()
    captions = re.findall(r"^\*`([^`]+)`(.*)\*$", english, re.M)
    assert len(captions) == len(LINK.findall(english))
    dashed = {name for name, told in captions if "dashed line" in told}
    assert "ae-relu" in dashed and "dae" not in dashed
    two = {name for name, told in captions if "“unsupervised”, “supervised”" in told}
    assert two == {"dae-published", "dae-classifier", "cae-published", "cae-classifier"}
    assert chinese.count("“无监督”、“有监督”") == english.count("“unsupervised”, “supervised”")


@pytest.mark.parametrize("name", ["report.md", "report.zh.md"])
def test_every_kind_of_figure_has_a_name_and_a_caption(root, name):
    text = (root / "report" / name).read_text(encoding="utf-8")
    captions = re.findall(r"^\*`.*\*$", text, re.M)
    assert len(captions) > 300
    assert not [
        told for told in [*captions, *(alt for alt, _ in LINK.findall(text))] if ".png" in told
    ]


def test_a_figure_that_is_not_there_is_not_linked(reports, write_output):
    output = write_output()
    (output / "ae" / "loss.png").unlink()
    english, _ = reports(output=output)
    assert "/ae/loss.png" not in english
    assert "/ae/code.png" in english


def test_links_stay_relative_when_the_folders_are_far_apart(write_output, tmp_path):
    output = write_output(folder="some where/output")
    report = tmp_path / "a" / "b" / "report"
    english = render_reports(output, report)[0].read_text(encoding="utf-8")
    for target in link_targets(english):
        assert target.startswith("../../../some%20where/output/")
        assert (report / target.replace("%20", " ")).is_file()


@pytest.mark.parametrize("name", [row.name for row in contents.EXPECTED])
def test_a_missing_experiment_is_named(reports, name):
    for text in reports({name: None}):
        head, _, rest = text.partition("## 1.")
        assert f"`{name}`" in head
        assert f"`{name}`" in rest.split("## 9.")[1]


def test_rendering_twice_gives_the_same_bytes(reports):
    assert reports() == reports()


def test_quick_results_warn_at_the_top(reports):
    english, chinese = reports({"ae": {"quick": True}})
    assert "quick run" in english.split("## Summary")[0]
    assert "快速运行" in chinese.split("## 摘要")[0]
    assert "Warning" not in reports()[0]


def test_verdicts_are_said_in_words(reports):
    words = {
        "holds": ("The claim holds**", "该论断成立**"),
        "holds_in_part": ("The claim holds in part**", "该论断部分成立**"),
        "does_not_hold": ("The claim does not hold**", "该论断不成立**"),
        "undecided": ("The claim cannot be decided**", "该论断无法判定**"),
    }
    for changes in ({}, metrics_flipped(), {"vae-bce": None}):
        texts = reports(changes)
        for index, text in enumerate(texts):
            counted = {key: text.count(word[index]) for key, word in words.items()}
            assert sum(counted.values()) == 7
            if not changes:
                assert counted["holds"] == 7
            elif "ae" in changes:
                assert counted["does_not_hold"] == 7
            else:
                assert counted["undecided"] == 2


def test_sentences_turn_round_with_the_figures(reports):
    english, chinese = reports()
    flipped_en, flipped_zh = reports(metrics_flipped())
    for yes, no, before, after in [
        ("reconstructs better than", "reconstructs worse than", english, flipped_en),
        ("so it is worse than no model", "so it has learned more", english, flipped_en),
        ("It beats both", "It does not beat both", english, flipped_en),
        ("重构优于", "重构不如", chinese, flipped_zh),
        ("还不如没有模型", "学到的不止是平均图像", chinese, flipped_zh),
    ]:
        assert yes in before and no not in before
        assert no in after and yes not in after


def test_a_figure_outside_its_tolerance_is_marked_and_kept(reports):
    last = {(U, "loss_last_epoch", "train"): 150.0}
    english, chinese = reports({"vae-bce": {"metrics": last}})
    assert "7 of 8" in english
    row = next(line for line in english.splitlines() if "145.1 | 150.00" in line)
    assert "**outside**" in row and "+4.90" in row
    assert "**超出**" in chinese


def test_a_family_without_words_of_its_own_still_appears(write_output, reports):
    output = write_output()
    place = output / "ladder"
    place.mkdir()
    raw = {**result_of("ae"), "experiment": "ladder", "variant": "ladder", "figures": []}
    (place / "result.json").write_text(json.dumps(raw), encoding="utf-8")
    for text in reports(output=output):
        assert "### 3.5 ladder" in text


def test_no_results_leave_an_older_report_alone(tmp_path):
    report = tmp_path / "report" / "report.md"
    report.parent.mkdir()
    report.write_text("older")
    with pytest.raises(ResultError, match="run_all"):
        render_reports(tmp_path / "output", report.parent)
    assert report.read_text() == "older"


def test_a_malformed_result_leaves_an_older_report_alone(write_output, reports, tmp_path):
    output = write_output()
    before = reports(output=output)
    (output / "ae" / "result.json").write_text("{")
    with pytest.raises(ResultError, match=r"ae/result\.json"):
        render_reports(output, tmp_path / "report")
    assert (tmp_path / "report" / "report.md").read_text(encoding="utf-8") == before[0]


def test_numbers_are_shown_with_their_metrics_decimals():
    def of(metric, *values, std=None):
        mean = sum(values) / len(values)
        return Measure("ae", U, metric, "test", values, mean, std)

    assert pm(of("mse", 0.07021)) == "0.0702"
    assert pm(of("mse", 0.07, 0.072, std=0.0014)) == "0.0710 ± 0.0014"
    assert pm(of("mse", 0.07, 0.07, std=1e-6)) == "0.0700 ± <0.0001"
    assert pm(of("loss", 145.1234)) == "145.12"
    assert pm(of("psnr_0.5", 3.14159)) == "3.14"
    assert pm(None) == "–"
    assert decimals("seconds", 0.1) == 2
    assert fixed(-0.00001, 4) == "0.0000"
    assert signed(-0.0017, 4) == "−0.0017"
    assert signed(0.0017, 4) == "+0.0017"
    assert signed(0.0, 4) == "0.0000"


@pytest.mark.parametrize(
    ("loss", "english", "chinese"),
    [
        (0.0690, "the run supports the figure published for it.", "支持原报告为它给出的数值。"),
        (0.0701, "but the other one", "而与另一个数值相符"),
        (0.0500, "the run supports neither", "两个数值都不支持"),
    ],
)
def test_the_summary_says_which_ae_figure_tanh_supports(reports, loss, english, chinese):
    last = {(U, "loss_last_epoch", "train"): loss}
    for text, words in zip(
        reports({"ae-tanh": {"metrics": last}}), (english, chinese), strict=True
    ):
        line = next(line for line in text.splitlines() if "tanh" in line and "AE" in line)
        assert words in line


def test_the_explorer_is_linked_where_it_is(write_output, tmp_path):
    output, report = write_output(), tmp_path / "report"
    (output / "ae-2").mkdir()
    result = {**result_of("ae-relu"), "experiment": "ae-2", "group": "common", "figures": []}
    (output / "ae-2" / "result.json").write_text(json.dumps(result), encoding="utf-8")
    for there in (False, True):
        if there:
            (report / "explorer.html").write_text("<!doctype html>")
        for path in render_reports(output, report):
            assert ("](explorer.html)" in path.read_text(encoding="utf-8")) == there
