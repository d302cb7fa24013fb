import json
import re
from collections import Counter

import pytest
from invented import U, metrics_flipped, result_of, tiny_png
from pages import CODE_BLOCK, pictures, read_site, rendered

from Code.experiments.curves import published_curves
from Code.reporting import contents, render
from Code.reporting.numbers import decimals, fixed, pm, signed
from Code.reporting.render import render_reports
from Code.reporting.results import Measure, ResultError

CJK = re.compile(r"[一-鿿]")
NUMBER = re.compile(r"\d+\.\d+")


@pytest.fixture
def site_of(write_output, tmp_path):
    """``site_of(changes, seeds)`` → all pages of invented results."""

    def of(changes=None, seeds=3, output=None, **more):
        output = output or write_output(changes, seeds, **more)
        return rendered(output, tmp_path / "report")

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
def test_both_languages_say_the_same(site_of, situation):
    site = site_of(*SITUATIONS[situation])
    assert site.pages["en"].keys() == site.pages["zh"].keys()
    for name in site.pages["en"]:
        english, chinese = site.both(name)
        assert Counter(NUMBER.findall(english)) == Counter(NUMBER.findall(chinese)), name
        assert link_targets(english) == link_targets(chinese), name
        assert shape(english) == shape(chinese), name
        # The way to the other language is named in that language
        assert not CJK.search(english.replace("[中文]", "")), name
        assert english.count("```") == chinese.count("```"), name


def link_targets(text):
    return [target for _, target in pictures(text)]


def shape(text):
    """Headings by level, and every table by its rows' widths and numbers."""
    return [
        len(line) - len(line.lstrip("#"))
        if line.startswith("#")
        else (line.count("|"), re.findall(r"[−+<]?\d+\.\d+", line))
        for line in text.splitlines()
        if line.startswith(("#", "|"))
    ]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_markdown_is_well_formed(site_of, situation):
    site = site_of(*SITUATIONS[situation])
    for language in site.pages:
        for name, text in site.pages[language].items():
            well_formed(text, name)


def well_formed(text, name):
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    for block in prose.split("\n\n"):
        lines = block.strip().splitlines()
        if any(line.startswith("|") for line in lines):
            assert all(line.startswith("|") for line in lines), (name, block)
            assert len({line.replace(r"\|", "").count("|") for line in lines}) == 1, (name, block)
            assert len(lines) > 2, (name, block)
        if block.startswith("#"):
            assert len(lines) == 1, (name, block)
    assert not re.search(r"\bNone\b", prose), name
    assert not re.search(r"\bnan\b", prose), name
    assert not re.search(r"[a-z]\.[A-Z][a-z]+ ", re.sub(r"`[^`]*`|\([^)]*\)", "", prose)), name
    assert not re.search(r"[{}]", re.sub(r"`[^`]*`|\$[^$]*\$", "", prose)), name


@pytest.mark.parametrize("situation", SITUATIONS)
def test_no_section_is_empty(site_of, situation):
    site = site_of(*SITUATIONS[situation])
    for language in site.pages:
        for name, text in site.pages[language].items():
            blocks = re.sub(r"^```.*?^```$", "code", text, flags=re.M | re.S).split("\n\n")
            for block, following in zip(blocks, [*blocks[1:], "---"], strict=True):
                if block.startswith("#"):
                    level = len(block) - len(block.lstrip("#"))
                    empty = re.match(rf"(#{{1,{level}}} |---$)", following)
                    assert not empty, (language, name, block)


def test_inline_math_stands_where_github_reads_it(site_of):
    for text in site_of().both():
        for line in re.sub(r"```.*?```", "", text, flags=re.S).splitlines():
            if line.count("$"):
                assert line.count("$") % 2 == 0
                for math in re.finditer(r"(.)\$[^$]+\$(.)", f" {line} "):
                    assert math[1] in " (" and math[2] in " .,;:)", line
                    # Markdown takes a backslash from before punctuation
                    assert not re.search(r"\\[^A-Za-z]", math[0]), line
        assert r"\operatorname" not in text


def test_every_figure_link_resolves(site_of):
    site = site_of()
    shown = {name: pictures(text) for name, text in site.pages["en"].items()}
    for name, found in shown.items():
        for alt, target in found:
            assert alt
            assert not target.startswith("/") and "\\" not in target
            assert (site.path("en", name).parent / target).is_file()
    of_families = [p for name in shown if name.startswith("variants/") for p in shown[name]]
    assert len([p for p in of_families if not p[1].endswith(".svg")]) == 11 * 3


def test_captions_say_what_is_in_the_figure(site_of):
    site = site_of()
    english, chinese = (
        "\n\n".join(site.pages[lang][f"variants/{v}"] for v in contents.FAMILIES)
        for lang in ("en", "zh")
    )
    captions = re.findall(r"^\*`([^`]+)`(.*)\*$", english, re.M)
    assert len(captions) == len([p for p in pictures(english) if not p[1].endswith(".svg")])
    dashed = {name for name, told in captions if "dashed line" in told}
    assert dashed == {"ae-tanh"}
    dots = {name for name, told in captions if "grey dots" in told}
    assert dots == {"ae-relu", "dae-published", "cae-published", "vae-bce", "vae-mse"}
    two = {name for name, told in captions if "“unsupervised”, “supervised”" in told}
    assert two == {"dae-published", "dae-classifier", "cae-published", "cae-classifier"}
    # Beside each stage, the Chinese has the words of the picture
    stages = re.findall(r"“无监督”（`after (?:the )?unsupervised stage`）、“有监督”", chinese)
    assert len(stages) == english.count("“unsupervised”, “supervised”")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_kind_of_figure_has_a_name_and_a_caption(root, language):
    text = read_site(root / "report").whole(language)
    captions = re.findall(r"^\*`.*\*$", text, re.M)
    assert len(captions) > 300
    assert not [told for told in [*captions, *(alt for alt, _ in pictures(text))] if ".png" in told]


def test_a_figure_that_is_not_there_is_not_linked(site_of, write_output):
    output = write_output()
    (output / "ae" / "loss.png").unlink()
    english, _ = site_of(output=output).both()
    assert "/ae/loss.png" not in english
    assert "/ae/code.png" in english


def test_links_stay_relative_when_the_folders_are_far_apart(write_output, tmp_path):
    output = write_output(folder="some where/output")
    report = tmp_path / "a" / "b" / "report"
    text = rendered(output, report).pages["en"]["report"]
    assert link_targets(text)
    for target in link_targets(text):
        assert target.startswith("../../../some%20where/output/")
        assert (report / target.replace("%20", " ")).is_file()


@pytest.mark.parametrize("name", [row.name for row in contents.EXPECTED])
def test_a_missing_experiment_is_named(site_of, name):
    for text in site_of({name: None}).both("report"):
        head, _, rest = text.partition("\n## ")
        assert f"`{name}`" in head
        assert f"`{name}`" in rest


@pytest.mark.parametrize("situation", ["no ae", "no dae", "no cae", "pca only"])
def test_the_main_report_does_not_break_a_paragraph_off_for_want_of_a_result(site_of, situation):
    texts = site_of(*SITUATIONS[situation]).both("report")
    for text, missing in zip(texts, ("A result is missing, so", "缺少结果，无法比较"), strict=True):
        blocks = [block for block in text.split("\n\n") if missing in block]
        assert all(re.match(r"\d\. \*\*", block) for block in blocks), blocks
        assert "\n \n" not in text and ", \n" not in text


def test_rendering_twice_gives_the_same_bytes(site_of):
    assert site_of().pages == site_of().pages


def test_quick_results_warn_at_the_top(site_of):
    english, chinese = site_of({"ae": {"quick": True}}).both("report")
    assert "quick run" in english.split("\n## ")[0]
    assert "快速运行" in chinese.split("\n## ")[0]
    assert "Warning" not in site_of().pages["en"]["report"]


def test_verdicts_are_said_in_words(site_of, write_output):
    words = {
        "holds": ("The claim holds**", "该论断成立**"),
        "holds_in_part": ("The claim holds in part**", "该论断部分成立**"),
        "does_not_hold": ("The claim does not hold**", "该论断不成立**"),
        "not_run": ("The claim was not run in full**", "该论断所需的实验未全部运行**"),
        "needs_three_seeds": ("The claim needs three seeds**", "该论断需要三个随机种子**"),
    }
    for changes in ({}, metrics_flipped(), {"vae-bce": None}):
        texts = site_of(output=write_output(changes, further=True)).both("claims")
        for index, text in enumerate(texts):
            counted = {key: text.count(word[index]) for key, word in words.items()}
            assert sum(counted.values()) == 15
            if not changes:
                assert counted["holds"] == 15
            elif "ae" in changes:
                assert counted["does_not_hold"] >= 7
            else:
                assert counted["not_run"] == 2
    texts = site_of(output=write_output(seeds=1, further=True)).both("claims")
    for index, text in enumerate(texts):
        assert text.count(words["needs_three_seeds"][index]) == 15


def test_the_main_report_lists_every_verdict(site_of):
    for index, text in enumerate(site_of(further=True).both("report")):
        word = ("**holds**", "**成立**")[index]
        assert len(re.findall(rf"^\| \[\d+\]\(.*\| {re.escape(word)} \|", text, re.M)) == 15


def test_the_main_report_says_why_a_verdict_is_what_it_is(site_of):
    def reason(text, claim):
        return re.search(rf"^\| \[{claim}\]\(.*\| ([^|]+) \|$", text, re.M)[1]

    english, chinese = site_of().both("report")
    assert reason(english, 7) == "2 of 2 criteria met"
    assert reason(chinese, 7) == "2 项判据中满足 2 项"
    # No code on an axis: one of three parts fails
    axes = {(U, "axis_fraction", "test"): 0.0}
    english, chinese = site_of({"ae-relu": {"metrics": axes}}).both("report")
    assert reason(english, 1).startswith("2 of 3 criteria met. Not met: “at least")
    assert "1 holds in part (1)" in english
    assert "不满足的：“" in reason(chinese, 1)
    english, _ = site_of({"vae-mse": None}).both("report")
    assert reason(english, 6).endswith("Without a result: 2")


def test_parts_with_several_noise_levels_name_them(site_of):
    for text in site_of().both("claims"):
        part = next(
            line for line in text.splitlines() if "cae-denoising" in line and "<br>" in line
        )
        assert re.findall(r"σ = ([\d.]+)", part) == ["0.25", "0.5", "0.75"]


def test_one_seed_claims_no_difference(site_of):
    of_variant = ("One seed tells nothing of the spread", "波动未知，不声称有差异")
    of_report = ("with one seed no difference", "仅一个随机种子，不声称")
    for seeds in (1, 3):
        site = site_of(seeds=seeds)
        for words, name in ((of_variant, "variants/dae"), (of_report, "report")):
            for said, text in zip(words, site.both(name), strict=True):
                assert (said in text) == (seeds == 1)


def test_no_list_is_torn_by_an_empty_line(site_of):
    site = site_of(further=True)
    for language in site.pages:
        for name, text in site.pages[language].items():
            assert not re.search(r"^- .*\n\n- ", CODE_BLOCK.sub("", text), re.M), (language, name)


def test_sentences_turn_round_with_the_figures(site_of):
    english, chinese = site_of().both("report")
    flipped_en, flipped_zh = site_of(metrics_flipped()).both("report")
    for yes, no, before, after in [
        ("reconstructs better than", "reconstructs worse than", english, flipped_en),
        ("so it is worse than no model", "so it has learned more", english, flipped_en),
        ("and beats both", "and does not beat both", english, flipped_en),
        ("重构误差低于两个", "重构误差高于两个", chinese, flipped_zh),
        ("还不如不用模型", "学到的不止是平均图像", chinese, flipped_zh),
        (
            "，在所有测试过的噪声强度下都优于",
            "，并未在所有测试过的噪声强度下都优于",
            chinese,
            flipped_zh,
        ),
    ]:
        assert yes in before and no not in before
        assert no in after
        # Of two denoisers one still does
        assert yes not in after or "噪声" in yes or "beats" in yes


def test_a_figure_outside_its_tolerance_is_marked_and_kept(site_of):
    last = {(U, "loss_last_epoch", "train"): 150.0}
    english, chinese = site_of({"vae-bce": {"metrics": last}}).both("report")
    assert "7 of 8" in english
    row = next(line for line in english.splitlines() if "145.1 | 150.00" in line and "+" in line)
    assert "**not reproduced**" in row and "+4.90" in row
    assert "**未复现**" in chinese


def test_a_family_without_words_of_its_own_still_appears(write_output, site_of):
    output = write_output()
    place = output / "ladder"
    place.mkdir()
    raw = {**result_of("ae"), "experiment": "ladder", "variant": "ladder", "figures": []}
    (place / "result.json").write_text(json.dumps(raw), encoding="utf-8")
    site = site_of(output=output)
    for text in site.both("variants/ladder"):
        assert text.startswith("# ladder\n") and "`ladder`" in text
    for text in site.both("variants/README"):
        assert "[ladder](ladder.md)" in text


def test_no_results_leave_an_older_report_alone(tmp_path):
    report = tmp_path / "report" / "report.md"
    report.parent.mkdir()
    report.write_text("older")
    with pytest.raises(ResultError, match="run_all"):
        render_reports(tmp_path / "output", report.parent)
    assert report.read_text() == "older"


def test_a_malformed_result_leaves_an_older_report_alone(write_output, site_of, tmp_path):
    output = write_output()
    before = site_of(output=output)
    (output / "ae" / "result.json").write_text("{")
    with pytest.raises(ResultError, match=r"ae/result\.json"):
        render_reports(output, tmp_path / "report")
    assert read_site(tmp_path / "report").pages == before.pages


def test_numbers_are_shown_with_their_metrics_decimals():
    def of(metric, *values, std=None):
        mean = sum(values) / len(values)
        return Measure("ae", U, metric, "test", values, mean, std)

    assert pm(of("mse", 0.07021)) == "0.0702"
    assert pm(of("mse", 0.07, 0.072, std=0.0014)) == "0.0710 ±\xa00.0014"
    assert pm(of("mse", 0.07, 0.07, std=1e-6)) == "0.0700 ±\xa0<0.0001"
    # Sums in another order are no spread
    assert pm(of("mse", 0.07, 0.07, std=1e-17)) == "0.0700 ±\xa00.0000"
    assert pm(of("loss", 145.1234)) == "145.12"
    assert pm(of("psnr_0.5", 3.14159)) == "3.14"
    assert pm(None) == "–"
    assert decimals("seconds", 0.1) == 2
    assert fixed(-0.00001, 4) == "0.0000"
    assert signed(-0.0017, 4) == "−0.0017"
    assert signed(0.0017, 4) == "+0.0017"
    assert signed(0.0, 4) == "0.0000"


@pytest.mark.parametrize("published", [True, False])
def test_the_tanh_account_is_told_where_tanh_was_run(site_of, published):
    site = site_of({} if published else {"ae-tanh": None})
    for account, summary, words in zip(
        site.both("variants/ae"),
        site.both("report"),
        (
            (
                "The published tanh figure",
                "correlation 0.998",
                "measured once from the published picture)",
            ),
            ("原报告的 tanh 数值", "相关系数 0.998", "只由原报告的图片测定过一次）"),
        ),
        strict=True,
    ):
        assert (f"## {words[0]}" in account) == published
        assert [word in summary for word in words[1:]] == [published] * 2


@pytest.mark.parametrize(
    ("loss", "error", "seeds", "english", "chinese"),
    [
        (0.0562, 0.00005, 3, "contradicts the pictures", "与旁边的图片相矛盾"),
        (0.0685, 0.00005, 3, "and so is the figure", "为它印出的数值也已复现"),
        (0.0562, 0.00005, 1, "takes several seeds", "需要多个随机种子才能判断"),
        # A range of twice the figure decides nothing
        (0.0562, 0.1, 3, "these seeds do not decide", "这些随机种子不足以判断"),
    ],
)
def test_the_conclusion_on_tanh_follows_its_range(
    write_output, site_of, loss, error, seeds, english, chinese
):
    last = {(U, "loss_last_epoch", "train"): loss}
    output = write_output({"ae-tanh": {"metrics": last}}, seeds, error=error)
    texts = site_of(output=output).both("variants/ae")
    for text, words in zip(texts, (english, chinese), strict=True):
        assert words in text


def test_the_whole_curves_have_a_table_where_there_is_a_history(write_output, site_of):
    output = write_output()
    assert "## The whole curves" not in site_of(output=output).whole("en")
    curve = published_curves()["vae-mse", "unsupervised", "loss"]
    rows = [
        f"{seed},unsupervised,{epoch},loss,train,{value + 0.25}"
        for seed in range(3)
        for epoch, value in enumerate(curve.values, 1)
    ]
    text = "\n".join(["seed,stage,epoch,metric,split,value", *rows])
    (output / "vae-mse" / "history.csv").write_text(text, encoding="utf-8")
    english, chinese = site_of(output=output).both("runs")
    assert shape(english) == shape(chinese)
    table = english.split("## The whole curves")[1].split("\n##")[0]
    (row,) = [line for line in table.splitlines() if line.startswith("| `vae-mse`")]
    assert "| 0.250 | 1 | 0.250 | 0 / 50 |" in row


def test_each_run_s_time_tells_its_seeds_and_where_noted_its_groups(write_output, site_of):
    output = write_output()
    times = {"wall_seconds": 90.0, "jobs": 2, "trained": 3, "kept": 0}
    runs = [{**times, "seeds": 1}, {**times, "seeds": 3, "groups": ["causes", "published"]}]
    (output / "runs.json").write_text(json.dumps(runs))
    english, chinese = site_of(output=output).both("runs")
    assert "run 1 (1 seed): 1.5 min" in english
    assert "run 2 (3 seeds of `causes`, `published`): 1.5 min" in english
    assert "（第 2 次运行，`causes`、`published`，3 个随机种子）：1.5 分钟" in chinese


def test_the_explorer_is_linked_where_it_is(write_output, tmp_path):
    output, report = write_output(), tmp_path / "report"
    for there in (False, True):
        if there:
            (report / "explorer.html").write_text("<!doctype html>")
        for text in rendered(output, report).both("report"):
            assert ("](explorer.html)" in text) == there


def test_a_composite_takes_the_place_of_a_family_s_pictures(write_output, site_of):
    output = write_output()
    apart = [target for target in link_targets(site_of(output=output).pages["en"]["report"])]
    assert any("/ae/" in target or "/ae-relu/" in target for target in apart)
    (output / "families").mkdir()
    for name in ("ae.png", "ae.zh.png", "dae.png"):
        (output / "families" / name).write_bytes(tiny_png())
    english, chinese = map(link_targets, site_of(output=output).both("report"))
    assert "../output/families/ae.png" in english and "../output/families/ae.zh.png" in chinese
    # One without words in Chinese is better than none
    assert "../output/families/dae.png" in english and "../output/families/dae.png" in chinese
    assert not any("/ae/" in target or "/ae-relu/" in target for target in english)


def test_drawings_of_ideas_lie_beside_the_report_and_stand_on_the_pages(site_of, monkeypatch):
    svg = '<svg xmlns="http://www.w3.org/2000/svg"/>'
    monkeypatch.setattr(render, "drawing", lambda name: svg if name in ("vae", "tied") else None)
    site = site_of()
    assert {path.stem for path in (site.folder / "ideas").iterdir()} == {"vae", "tied"}
    assert (site.folder / "ideas" / "vae.svg").read_text("utf-8") == svg
    for language in site.pages:
        shown = [(n, t) for n, text in site.pages[language].items() for _, t in pictures(text)]
        ideas = [(name, target) for name, target in shown if target.endswith(".svg")]
        assert sorted(ideas) == sorted(
            (name, f"../../ideas/{variant}.svg")
            for variant in ("vae", "tied")
            for name in (f"variants/{variant}", "variants/README")
        )
    assert not site_of().pages["en"]["variants/ae"].count(".svg")


def test_what_was_not_run_is_one_line(site_of):
    site = site_of()
    for text in site.both("variants/vq_vae"):
        assert "```math" in text and "class VQVAE" in text and "`vq-vae-16`" in text
        assert "|" not in CODE_BLOCK.sub("", text)
    for text in site.both("uses"):
        assert len([line for line in text.splitlines() if "--only common" in line]) == 1
        assert "|" not in text
    for name in ("common", "other-papers"):
        for text in site.both(name):
            assert "`python run_all.py --only" in text and "| --- |" not in text
