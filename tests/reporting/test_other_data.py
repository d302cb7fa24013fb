"""The report of results on other data than MNIST, from invented figures."""

import json
import re
from types import SimpleNamespace

import pytest
from invented import LETTERS, PUBLISHED, TABLE, S, U, result_of, tiny_png
from pages import pictures, rendered
from test_render import CJK, NUMBER, link_targets, shape
from test_uses import RAW, metric

from Code.experiments.for_data import for_data
from Code.experiments.table import EXPERIMENTS
from Code.reporting.left_out import left_out, load_left_out
from Code.reporting.other_data import described, short_name, title
from Code.reporting.render import render_reports
from Code.reporting.results import ResultError, load_results
from Code.reporting.uses import uses_of
from Code.tasks import USES

UNLABELLED = {**LETTERS, "name": "photos/", "classes": [], "split": False}
COLOUR = {**LETTERS, "name": "cifar10", "image_shape": [32, 32, 3], "classes": ["cat", "dog"]}
OLDER = {key: LETTERS[key] for key in ("name", "sha256", "n_train", "n_test", "image_shape")}
# What needs labels
TOLD = ("knn_accuracy", "accuracy", "accuracy_last_epoch")


@pytest.fixture
def output_of(write_output):
    """``output_of(data, names, **fields)`` → a folder of results on ``data``, by default of all."""

    def of(data=LETTERS, names=tuple(TABLE), seeds=3, **fields):
        changes = dict.fromkeys(TABLE) | {n: {"data": data, **fields} for n in names}
        return write_output(changes, seeds)

    return of


def texts_of(output, tmp_path):
    """The English and the Chinese report of a folder."""
    return rendered(output, tmp_path / "report").both("report")


def without_labels(name):
    """An invented result on images without labels."""
    metrics = {key[1] for key in TABLE[name][4]}
    return {"data": UNLABELLED, "kept": tuple(metrics - set(TOLD))}


def test_the_data_give_the_report_its_title_in_both_languages(output_of, tmp_path):
    english, chinese = texts_of(output_of(), tmp_path)
    assert english.startswith("# Autoencoders on letters26\n")
    assert chinese.startswith("# letters26 上的自编码器\n")


def test_the_data_are_described(output_of, tmp_path):
    site = rendered(output_of(), tmp_path / "report")
    english, chinese = site.both("report")
    for text in (english, chinese):
        told = text.split("## ")[2]
        for fact in ("5,200", "800", "20×24", "26", "`A`", "`Z`"):
            assert fact in told
        assert LETTERS["source"] in told
    for text in site.both("runs"):
        for fact in ("5,200", "800", LETTERS["sha256"], LETTERS["source"]):
            assert fact in text
    assert "grey" in english and "one image in 7 was drawn" in english
    assert "灰度" in chinese and "每 7 幅图像中抽出一幅" in chinese


def test_what_was_done_when_the_data_were_read_is_told(output_of, tmp_path):
    scaled = "pictures of 30×20 to 300×200 pixels were scaled to 28×28"
    notes = [scaled, "no test images: one image in 7 was drawn for them"]
    english, chinese = texts_of(output_of({**LETTERS, "notes": notes}), tmp_path)
    assert f"- **When they were read.** `{scaled}`.\n" in english
    assert f"程序提示**（英文）：`{scaled}`。\n" in chinese
    assert "When they were read" not in texts_of(output_of(), tmp_path / "without")[0]


def test_of_one_seed_nothing_is_called_indistinguishable(output_of, tmp_path):
    raw = json.loads(json.dumps(RAW))
    raw["seeds"] = raw["seeds"][:1]
    for use in raw["uses"].values():
        for values in use["values"].values():
            values.update({name: found[:1] for name, found in values.items()})
    output = output_of(seeds=1)
    (output / "uses.json").write_text(json.dumps(raw), encoding="utf-8")
    english, chinese = texts_of(output, tmp_path)
    assert "Without an autoencoder, " in english and "distinguishable" not in english
    assert "不用自编码器时，最好的是" in chinese and "无法区分" not in chinese


def test_many_classes_are_shortened(output_of):
    data = {**LETTERS, "classes": [f"class `{i}`\n" for i in range(100)]}
    (told,) = described(load_results(output_of(data)))
    assert len(told.first_classes) < 20 < len(told.classes) == 100
    assert told.classes[-1] == "class '99'"


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("letters26.npz", "letters26"),
        ("emnist-letters/", "emnist-letters"),
        ("train.csv.gz", "train"),
        ("train.tsv", "train"),
        ("fashion_mnist", "Fashion-MNIST"),
        ("mnist", "mnist"),
    ],
)
def test_a_data_set_is_called_by_its_short_name(name, short):
    assert short_name(name) == short


def test_nothing_that_was_published_for_mnist_stands_in_it(output_of, tmp_path):
    output = output_of()
    (output / "uses.json").write_text(json.dumps(RAW), encoding="utf-8")
    english, chinese = rendered(output, tmp_path / "report").both()
    last = {f"{value:g}" for value in PUBLISHED.values() if value > 1}
    for text in (english, chinese):
        assert not last & set(NUMBER.findall(text))
        assert not re.search(r"MNIST|Zang|benchmark|\b784\b|\b392\b", text)
    assert not re.search(r"outside|reproduced|claim|recalled|dashed", english)
    assert not re.search("超出容差|原报告|复现|论断|虚线|已发表", chinese)
    assert "digit" not in english.replace("handwritten digits", "")
    assert "数字" not in chinese.replace("手写数字", "")


def test_published_figures_in_older_results_are_not_read(output_of):
    results = load_results(output_of(OLDER))
    assert not any(m.published or m.published_error for r in results.values() for m in r.measures)


def test_results_on_mnist_beside_others_keep_the_published_report(write_output, tmp_path):
    english, _ = texts_of(write_output({"ae": {"data": LETTERS}}), tmp_path)
    assert english.startswith("# Autoencoders on MNIST") and "not on MNIST" in english


def test_two_data_sets_in_one_folder_are_both_named(write_output, tmp_path):
    changes = {name: {"data": LETTERS} for name in TABLE} | {"ae": {"data": UNLABELLED}}
    output = write_output(changes)
    assert title(load_results(output)) == "photos, letters26"
    for text in texts_of(output, tmp_path):
        assert "### photos" in text and "### letters26" in text
        assert "letters26.npz 5200/800" in text.split("##")[0]


SITUATIONS = {
    "all rows": {},
    "one row": {"names": ("vae-bce",)},
    "one row, one seed, quick": {"names": ("ae",), "seeds": 1, "quick": True},
    "pca": {"names": ("pca-2",)},
    "colour": {"data": COLOUR},
    "one class": {"data": {**LETTERS, "classes": ["dot"]}},
    "an older result": {"data": OLDER},
    "nothing measured": {"names": ("ae",), "kept": ()},
}


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("uses", [True, False], ids=["uses", "no uses"])
def test_both_languages_say_the_same_in_every_situation(output_of, tmp_path, situation, uses):
    output = output_of(**SITUATIONS[situation])
    if uses:
        (output / "uses.json").write_text(json.dumps(RAW), encoding="utf-8")
    site = rendered(output, tmp_path / "report")
    assert site.pages["en"].keys() == site.pages["zh"].keys() == {"report", "runs"}
    for name in site.pages["en"]:
        check(*site.both(name))


def check(english, chinese):
    """Both reports are whole: the same figures and links, no empty table, no empty section."""
    assert sorted(NUMBER.findall(english)) == sorted(NUMBER.findall(chinese))
    assert shape(english) == shape(chinese)
    assert link_targets(english) == link_targets(chinese)
    assert not CJK.search(english.replace("[中文]", ""))
    for text in (english, chinese):
        assert not re.search(r"\bNone\b(?!:)", text) and not re.search(r"\bnan\b", text)
        assert "** " in text and not re.search(r"\*\*\s*$", text, re.M)
        assert not re.search(r"[{}]", re.sub(r"```math.*?```", "", text, flags=re.S))
        blocks = text.strip().split("\n\n")
        for block, following in zip(blocks, [*blocks[1:], "#"], strict=True):
            lines = block.splitlines()
            if block.startswith("|"):
                assert len(lines) > 2, block
                assert len({line.replace(r"\|", "").count("|") for line in lines}) == 1, block
            if block.startswith("#"):
                level = len(block) - len(block.lstrip("#"))
                assert not re.match(rf"#{{1,{level}}} ", following), block
                assert len(lines) == 1, block


def test_without_labels_there_is_no_accuracy(write_output, tmp_path):
    names = ("pca-2", "ae", "dae", "vae-bce")
    output = write_output(dict.fromkeys(TABLE) | {name: without_labels(name) for name in names})
    english, chinese = texts_of(output, tmp_path)
    check(english, chinese)
    assert "accuracy" not in english and "准确率" not in chinese
    assert "by class" not in english and "按类别着色" not in chinese
    assert "the images have no labels" in english and "图像没有标签" in chinese


def test_of_a_single_class_no_accuracy_is_praised(output_of, tmp_path):
    output = output_of({**LETTERS, "classes": ["dot"]})
    english, chinese = texts_of(output, tmp_path)
    summary = english.split("## Summary")[1].split("## ")[0]
    assert "accuracy" not in summary and "MSE" in summary
    assert "准确率" not in chinese.split("## 摘要")[1].split("## ")[0]
    assert "Only one, `dot`" in english and "只有一个，即 `dot`" in chinese


def test_a_use_that_no_model_has_has_no_column_and_no_answer(output_of, tmp_path):
    raw = json.loads(json.dumps(RAW))
    raw["uses"]["cluster"]["values"] = {}
    output = output_of()
    (output / "uses.json").write_text(json.dumps(raw), encoding="utf-8")
    english, chinese = texts_of(output, tmp_path)
    check(english, chinese)
    assert "lustering" not in english and "聚类" not in chinese


def test_where_a_use_lacks_its_main_metric_the_first_measured_one_stands_for_it(
    write_output, tmp_path
):
    raw = json.loads(json.dumps(RAW))
    metrics = [metric(n, main=n == "knn_accuracy_2d") for n in ("knn_accuracy_2d", "continuity")]
    values = {"continuity": {"ae-16": [0.8, 0.8, 0.8], "pca-2": [0.7, 0.7, 0.7]}}
    raw["uses"] = {"reduce": {"metrics": metrics, "values": values, "seconds": 1.0}}
    output = write_output(dict.fromkeys(TABLE) | {"ae": without_labels("ae")})
    (output / "uses.json").write_text(json.dumps(raw), encoding="utf-8")
    (output / "uses").mkdir()
    (output / "uses" / "reduce.png").write_bytes(tiny_png())
    english, chinese = texts_of(output, tmp_path)
    check(english, chinese)
    assert "A map in two dimensions:** `ae-16`: `continuity` 0.800" in english
    assert "*A map in two dimensions: test images in the plane; trustworthiness 1" in english
    assert "二维可视化：测试图像在平面上的位置；可信度" in chinese


def test_one_model_alone_has_its_scores_and_no_rank(output_of, tmp_path):
    raw = json.loads(json.dumps(RAW))
    raw["models"] = ["ae-16"]
    for use in raw["uses"].values():
        for values in use["values"].values():
            values.pop("vae-16", None)
            values.pop("ae-2", None)
    output = output_of()
    (output / "uses.json").write_text(json.dumps(raw), encoding="utf-8")
    for text in texts_of(output, tmp_path):
        assert re.search(
            r"^\| `ae-16` \| – \| 0\.0110 ±\s0\.0010 \| 0\.600 ±\s0\.100 \|", text, re.M
        )


def test_the_pictures_of_all_seeds_stages_have_captions(output_of, tmp_path):
    for text in texts_of(output_of(), tmp_path):
        captions = re.findall(r"^\*`.*\*$", text, re.M)
        assert len(captions) == len(pictures(text)) == 11 * 3
        assert not [told for told in captions if ".png" in told]


# --- what was left out ----------------------------------------------------------------------------


def told_left_out(n_classes):
    """What a run tells of the whole table on data of so many classes."""
    return for_data(list(EXPERIMENTS.values()), n_classes)[1]


def test_what_was_left_out_is_told_with_its_reason(output_of, tmp_path):
    output = output_of(names=("ae", "dae-published"), left_out={f"diagnostics of stage {S}": "odd"})
    rows = {"cvae-2": "trained with labels, and the data have none"}
    rows |= {"dae-published": "without its head: the data have no labels"}
    (output / "left_out.json").write_text(json.dumps(rows), encoding="utf-8")
    raw = json.loads(json.dumps(RAW))
    raw["uses"]["style"] = {"metrics": [metric("transferred", main=True)], "values": {}}
    raw["uses"]["style"] |= {"seconds": None, "left_out": {}}
    for name in (*raw["models"], "baselines"):
        raw["uses"]["style"]["left_out"][name] = (
            f"KeyError: 'x' (traceback in {output}/.work/uses-{name}.txt)"
        )
    (output / "uses.json").write_text(json.dumps(raw), encoding="utf-8")
    english, chinese = texts_of(output, tmp_path)
    check(english, chinese)
    part = english.split("## What was left out")[1].split("## ")[0]
    assert len(re.findall("^- ", part, re.M)) == 4
    assert "**Not trained:** `cvae-2`: labels are needed" in part
    assert "**Trained in part:** `dae-published`: without" in part
    assert "transferring style: this failed, with `KeyError: 'x'`." in part
    assert "after the stage “supervised” (`ae`, `dae-published`): odd." in part
    part = chinese.split("## 未包含的内容")[1].split("## ")[0]
    assert "**未训练：** `cvae-2`。原因：训练需要标签，而数据没有标签。" in part
    assert "风格迁移。原因：运行出错" in part and "“有监督”阶段之后" in part


def test_nothing_is_told_where_nothing_was_left_out(output_of, tmp_path):
    output = output_of()
    (output / "left_out.json").write_text("{}", encoding="utf-8")
    english, chinese = texts_of(output, tmp_path)
    assert "left out" not in english and "未包含" not in chinese


def test_equal_reasons_stand_together(output_of):
    rows = told_left_out(0)
    assert len(rows) > 5
    results = load_results(output_of(names=("dae-published",)))
    found = left_out(results, None, rows)
    assert [one.kind for one in found].count("part") == 1
    assert len(found) <= 3
    assert {name for one in found for name in one.names} == set(rows)


def test_some_models_without_a_use_are_named():
    raw = json.loads(json.dumps(RAW))
    raw["uses"]["cluster"]["left_out"] = {"vae-16": "odd"}
    (one,) = left_out({}, uses_of(raw), {})
    assert (one.kind, one.names, one.what) == ("use", ("vae-16",), ("cluster",))


@pytest.mark.parametrize("n_classes", [0, 1, 26, 1000])
def test_the_reasons_of_the_program_are_told_in_chinese(output_of, tmp_path, n_classes):
    output = output_of()
    (output / "left_out.json").write_text(json.dumps(told_left_out(n_classes)), encoding="utf-8")
    _, chinese = texts_of(output, tmp_path)
    for line in re.findall("^- .*原因：.*$", chinese, re.M):
        assert CJK.search(line.split("原因：")[1]) and "程序提示" not in line, line


def test_the_reasons_of_the_uses_are_told_in_chinese(output_of, tmp_path):
    from Code.runs.use_units import module_of
    from Code.tasks.task import not_for

    def data(labelled=True, has_classes=True, shape=(8, 8), n_images=1000):
        images = [None] * n_images
        return SimpleNamespace(
            labelled=labelled,
            has_classes=has_classes,
            image_shape=shape,
            x_train=images,
            x_test=images,
        )

    poor = (
        data(labelled=False, has_classes=False),
        data(has_classes=False),
        data(shape=(8, 8, 3)),
        data(n_images=1),
    )
    raw, output = json.loads(json.dumps(RAW)), output_of()
    for use in raw["uses"].values():
        use["left_out"] = {}
    reasons = {not_for(module_of(use), of) for use in USES for of in poor} - {None}
    assert len(reasons) == len(poor)
    for i, reason in enumerate(sorted(reasons)):
        raw["uses"]["cluster"]["left_out"][f"model-{i}"] = reason
    (output / "uses.json").write_text(json.dumps(raw), encoding="utf-8")
    _, chinese = texts_of(output, tmp_path)
    lines = re.findall("^- .*原因：(.*)$", chinese, re.M)
    assert len(lines) == len(reasons)
    assert all(CJK.search(line) and "程序提示" not in line for line in lines)


def test_where_all_was_left_out_the_run_says_so(tmp_path):
    (tmp_path / "left_out.json").write_text('{"cvae-2": "odd"}', encoding="utf-8")
    with pytest.raises(ResultError, match=r"everything was left out \(cvae-2: odd\)"):
        render_reports(tmp_path, tmp_path / "report")


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}'])
def test_a_broken_file_of_reasons_is_one_line(tmp_path, text):
    (tmp_path / "left_out.json").write_text(text, encoding="utf-8")
    with pytest.raises(ResultError, match=r"left_out\.json.*delete it"):
        load_left_out(tmp_path)


@pytest.mark.parametrize(
    "data", [{**LETTERS, "classes": "AB"}, {**LETTERS, "split": 1}, {**LETTERS, "source": 3}]
)
def test_a_malformed_description_is_refused(output_of, data):
    with pytest.raises(ResultError, match="data: "):
        load_results(output_of(data))


def test_results_on_mnist_tell_what_was_left_out_too(write_output, tmp_path):
    output = write_output()
    (output / "left_out.json").write_text('{"lstm": "odd"}', encoding="utf-8")
    english, chinese = rendered(output, tmp_path / "report").both("runs")
    assert "**Not trained:** `lstm`: odd." in english and "**未训练：** `lstm`" in chinese


def test_a_missing_row_of_the_published_comparison_is_no_gap(output_of, tmp_path):
    site = rendered(output_of(names=("vae-bce",)), tmp_path / "report")
    english, chinese = site.both()
    for name in set(TABLE) - {"vae-bce"}:
        assert f"`{name}`" not in english and f"`{name}`" not in chinese
    assert result_of("vae-bce")["metrics"] and U in english
