"""The order of the variants on MNIST beside that on other data, from invented figures."""

import json
import random
import re
from pathlib import Path

import numpy as np
import pytest
import test_pages
from invented import result_of, tiny_png
from pages import pictures, rendered
from scipy import stats
from test_render import NUMBER, shape, well_formed
from test_uses import metric

from Code.reporting import second_data
from Code.reporting.render import render_reports
from Code.reporting.results import load_results
from Code.reporting.rules import CHANGES_NAMED, LEAST_VARIANTS, RELATIVE_MARGIN
from Code.reporting.second_data import (
    Change,
    changes,
    correlation,
    places,
    rows,
    spearman,
    times_drawn,
)
from Code.reporting.uses import FILE, load_uses, uses_of

RULES_OF_CHINESE = (
    test_pages.test_chinese_has_chinese_punctuation,
    test_pages.test_chinese_has_no_english_but_names,
    test_pages.test_chinese_has_one_term_for_one_thing,
)
NAMES = [f"{name}-16" for name in "abcdefghij"]
FASHION = {
    "name": "fashion-mnist/",
    "sha256": "f" * 64,
    "n_train": 60000,
    "n_test": 10000,
    "image_shape": [28, 28],
}


def raw(errors, accuracies=None, seeds=(0,), **more):
    """What ``uses.json`` holds of two uses: figures by variant, the same in every seed."""
    found = {"reconstruct": ("mse", False, errors), "cluster": ("accuracy", True, accuracies or {})}
    return {
        "models": list(dict.fromkeys([*errors, *(accuracies or {})])),
        "seeds": list(seeds),
        "uses": {
            use: {
                "metrics": [metric(name, higher, main=True)],
                "values": {name: {k: [v] * len(seeds) for k, v in values.items()}},
                "seconds": 1.0,
            }
            for use, (name, higher, values) in found.items()
        },
        **more,
    }


def falling(names=NAMES, first=0.1):
    """Errors that grow from the first name to the last."""
    return {name: first * (i + 1) for i, name in enumerate(names)}


# --- the correlation of two orders ----------------------------------------------------------------


def test_it_is_spearman_s_with_and_without_ties():
    rng = np.random.default_rng(1)
    for n in (LEAST_VARIANTS, 15, 30):
        a, b = rng.normal(size=(2, n))
        d = stats.rankdata(a) - stats.rankdata(b)
        assert correlation(a, b).rho == pytest.approx(1 - 6 * sum(d**2) / (n * (n**2 - 1)))
        a, b = rng.permuted([[*range(n), 3, 5, 5]] * 2, axis=1)
        assert correlation(a, b).rho == pytest.approx(stats.spearmanr(a, b).statistic)


def test_a_draw_told_by_counts_is_that_draw_written_out():
    n, seed = 9, 4
    a, b = np.random.default_rng(2).integers(0, 6, (2, n))
    drawn = np.random.default_rng(seed).integers(0, n, (40, n))
    each = [stats.spearmanr(a[one], b[one]).statistic for one in drawn]
    assert spearman(a, b, times_drawn(n, 40, seed)) == pytest.approx(each)


def test_a_draw_of_equal_ones_alone_has_no_correlation():
    assert np.isnan(spearman(np.arange(3), np.arange(3), np.array([0, 3, 0])))


def test_an_equal_order_is_one_for_certain_and_the_reverse_minus_one():
    same = correlation(range(10), [x**3 for x in range(10)])
    assert (same.rho, same.low, same.high, same.n) == (1, 1, 1, 10)
    other = correlation(range(10), [-x for x in range(10)])
    assert (other.rho, other.low, other.high) == (-1, -1, -1)


def test_too_few_and_equal_ones_have_no_order():
    few = range(LEAST_VARIANTS - 1)
    assert correlation(few, few) is None
    # Nor do many that share few figures: a draw may hold one of these alone
    assert correlation([1.0] * 12, range(12)) is None
    assert correlation(range(24), [0.0] * 17 + [*range(1, LEAST_VARIANTS - 1), 1]) is None
    assert correlation(range(24), [0.0] * 17 + [*range(1, LEAST_VARIANTS)]).n == 24
    assert correlation(range(LEAST_VARIANTS), range(LEAST_VARIANTS)).n == LEAST_VARIANTS


def test_its_interval_is_the_same_every_time():
    a, b = np.random.default_rng(3).normal(size=(2, 12))
    one, again, other = correlation(a, b), correlation(a, b), correlation(a, b, seed=1)
    assert one == again and one.rho == other.rho
    assert (one.low, one.high) != (other.low, other.high)
    assert other.low == pytest.approx(one.low, abs=0.05)


def share_held(n, slope, repeats, seed):
    """In how many of so many draws the interval holds what the correlation truly is."""
    rng, held = np.random.default_rng(seed), 0
    # Of two normal variables with the correlation `slope`
    true = 6 / np.pi * np.arcsin(slope / 2)
    for _ in range(repeats):
        a, noise = rng.normal(size=(2, n))
        found = correlation(a, slope * a + np.sqrt(1 - slope**2) * noise)
        held += found.low <= true <= found.high
    return held


def test_of_independent_orders_the_interval_holds_zero_in_95_of_100_draws():
    repeats = 300
    low, high = stats.binom.interval(0.999, repeats, 0.95)
    assert low <= share_held(24, 0.0, repeats, seed=0) <= high < repeats


@pytest.mark.slow
@pytest.mark.parametrize("n", [LEAST_VARIANTS, 12, 24])
@pytest.mark.parametrize("slope", [0.0, 0.5, 0.8])
def test_the_interval_holds_the_truth_of_dependent_orders_too(n, slope):
    repeats = 500
    low, _ = stats.binom.interval(0.999, repeats, 0.95)
    assert low <= share_held(n, slope, repeats, seed=n)


def in_order(names):
    """Places of names, the first 1."""
    return {name: place for place, name in enumerate(names, 1)}


def test_equal_figures_share_the_better_place():
    assert places({"a": 1.0, "b": 2.0, "c": 2.0, "d": 3.0}) == {"a": 1, "b": 2, "c": 2, "d": 4}


def test_the_largest_changes_of_place_come_first():
    found = changes(in_order("abcde"), in_order("ecbda"))
    assert found == [Change("a", 1, 5), Change("e", 5, 1), Change("b", 2, 3), Change("c", 3, 2)]
    assert changes(in_order("abc"), in_order("abc")) == []


# --- a use here and there -------------------------------------------------------------------------


def test_a_use_that_has_the_same_order_holds():
    here, there = uses_of(raw(falling())), uses_of(raw(falling(first=0.3)))
    (row,) = rows(here, there)
    assert (row.winner, row.winner_there, row.place, row.n) == ("a-16", "a-16", 1, 10)
    assert row.outcome == "wins" and row.holds and row.units == 16 and row.changes == ()
    assert row.orders[16].rho == 1 and row.orders[2] is None


def test_it_holds_within_the_margin_and_not_beyond():
    here = uses_of(raw(falling()))
    for factor, outcome in ((0.9, "nearly"), (1.1, "loses")):
        there = falling()
        there["j-16"] = there["a-16"] * (1 - factor * RELATIVE_MARGIN)
        (row,) = rows(here, uses_of(raw(there)))
        assert (row.winner_there, row.place, row.outcome) == ("j-16", 2, outcome)
        assert row.holds is (outcome == "nearly")
        assert row.changes[0] == Change("j-16", 10, 1)
        assert len(row.changes) == CHANGES_NAMED


def test_the_better_is_the_higher_where_it_should_be():
    here, there = falling(), dict(zip(NAMES, falling().values(), strict=True))
    there["a-16"] = 5.0
    of_accuracy = next(
        r
        for r in rows(uses_of(raw(here, here)), uses_of(raw(here, there)))
        if r.metric is not None and r.metric.use == "cluster"
    )
    assert (of_accuracy.winner, of_accuracy.winner_there) == ("j-16", "a-16")
    assert of_accuracy.place == 2


def test_only_those_that_compete_on_both_are_compared():
    here, there = falling([*NAMES, "cvae-16", "mine-16"]), falling([*NAMES, "cvae-16", "your-16"])
    here["mine-16"] = there["cvae-16"] = here["cvae-16"] = there["your-16"] = 0.001
    # A baseline without an autoencoder, and a model of another width
    here["pca-16"] = there["pca-16"] = here["k-2"] = there["k-2"] = 0.001
    both = [raw(here, uses_labels=["cvae-16"]), raw(there, uses_labels=["cvae-16"])]
    for one in both:
        one["models"].remove("pca-16")
    (row,) = rows(*map(uses_of, both))
    assert (row.winner, row.winner_there, row.n) == ("a-16", "a-16", 10)


def test_what_lacks_its_needs_on_one_side_is_left_out():
    here, there = raw(falling()), raw(falling())
    for one, told in ((here, 0.9), (there, 0.1)):
        use = one["uses"]["reconstruct"]
        use["metrics"][0] |= {"needs": "told", "least": 0.5}
        use["values"]["told"] = {name: [0.9] for name in NAMES} | {"a-16": [told]}
    (row,) = rows(uses_of(here), uses_of(there))
    assert (row.winner, row.n) == ("b-16", 9)


def test_a_use_measured_otherwise_or_not_at_all_has_no_row():
    here, there = raw(falling(), falling()), raw(falling(), falling())
    there["uses"]["reconstruct"]["metrics"][0]["name"] = "psnr"
    there["uses"]["reconstruct"]["values"] = {
        "psnr": {name: [value] for name, value in falling().items()}
    }
    found = rows(uses_of(here), uses_of(there))
    assert [row.metric and row.metric.use for row in found] == ["cluster"]
    del there["uses"]["cluster"]
    assert rows(uses_of(here), uses_of(there)) == []


def test_two_units_have_a_row_where_no_wider_code_has_the_use():
    names = [name.replace("-16", "-2") for name in NAMES]
    (row,) = rows(uses_of(raw(falling(names))), uses_of(raw(falling(names))))
    assert row.units == 2 and row.orders[16] is None and row.orders[2].rho == 1


def test_the_mean_rank_is_over_what_both_have():
    here = raw(falling(), falling())
    there = json.loads(json.dumps(here))
    of_uses = rows(uses_of(here), uses_of(there))
    ranks = of_uses[-1]
    # The one use orders them backwards, so that all are equal, and equal ones have no order
    assert ranks.metric is None and ranks.orders[16] is None and ranks.outcome == "wins"
    reverse = dict(zip(NAMES, falling().values(), strict=True))
    down = dict(zip(NAMES, reversed(falling().values()), strict=True))
    here, there = raw(reverse, down), raw(down, reverse)
    ranks = rows(uses_of(here), uses_of(there))[-1]
    assert ranks.orders[16].rho == -1 and ranks.outcome == "loses"
    assert (ranks.winner, ranks.winner_there, ranks.place) == ("a-16", "j-16", 10)


def test_a_lead_that_several_share_is_no_advice():
    values = falling()
    spread = {name: [v - 0.5, v, v + 0.5] for name, v in values.items()}
    here = raw(values, values, seeds=(0, 1, 2))
    for use in here["uses"].values():
        (metric,) = use["values"]
        use["values"][metric] = spread
    (*_, ranks) = rows(uses_of(here), uses_of(raw(values, values)))
    assert len(ranks.leaders) > 1 and ranks.outcome == "shared" and not ranks.holds
    assert len(ranks.places) == len(ranks.leaders)
    assert ranks.best_leader[1] == min(ranks.places)


# --- folders of other data ------------------------------------------------------------------------


def write_folder(output, name="fashion_mnist", data=FASHION, uses=None, models=NAMES, **fields):
    """A folder of other data in ``output``: results of ``models`` and their uses."""
    folder = output / name
    for model in models:
        (folder / model).mkdir(parents=True, exist_ok=True)
        result = result_of("ae", seeds=1) | {"experiment": model, "figures": [], "group": "common"}
        result |= {"kind": "common", "data": data, **fields}
        (folder / model / "result.json").write_text(json.dumps(result), encoding="utf-8")
    if uses is not None:
        (folder / FILE).write_text(json.dumps(uses), encoding="utf-8")
    return folder


@pytest.fixture
def with_uses(write_output):
    """A folder of results on MNIST with uses of ten variants."""
    output = write_output()
    both = raw(falling(), falling(reversed(NAMES)), seeds=(0, 1, 2))
    (output / FILE).write_text(json.dumps(both), encoding="utf-8")
    return output


def test_a_folder_of_other_data_is_no_experiment(write_output):
    output = write_output()
    names = set(load_results(output))
    write_folder(output, uses=raw(falling()))
    assert set(load_results(output)) == names
    assert second_data.folders(output) == ["fashion_mnist"]
    (other,) = second_data.load(output)
    assert other.folder == "fashion_mnist" and other.data.name == "Fashion-MNIST"
    assert other.uses.mains[0].best_model.name == "a-16"
    assert second_data.load(output, ()) == []


def test_quick_runs_mixed_data_and_broken_files_are_no_other_data(write_output):
    output = write_output()
    write_folder(output, "quick", uses=raw(falling()), quick=True)
    write_folder(output, "of_mnist", data={**FASHION, "name": "mnist"}, uses=raw(falling()))
    write_folder(output, "mixed", uses=raw(falling()), models=NAMES[:1])
    write_folder(output, "mixed", data={**FASHION, "sha256": "0" * 64}, models=NAMES[1:])
    (write_folder(output, "broken") / NAMES[0] / "result.json").write_text("{")
    (output / "empty").mkdir()
    assert second_data.folders(output) == []
    (write_folder(output, "half") / FILE).write_text("{")
    write_folder(output, "without_uses")
    assert second_data.folders(output) == ["half", "without_uses"]
    assert second_data.load(output) == []


def failed_there(folder, name):
    """Make a result in a folder of other data worse than the mean image."""
    path = folder / name / "result.json"
    result = json.loads(path.read_text())
    for of, value in (("mean_image_mse", 0.1), ("mse", 0.2)):
        row = {"stage": "unsupervised", "metric": of, "split": "test"}
        of_others = [m for m in result["metrics"] if any(m[key] != row[key] for key in row)]
        row |= {"values": [value], "mean": value, "std": None, "published": None}
        result["metrics"] = [*of_others, row]
    path.write_text(json.dumps(result))


def test_failed_trainings_compete_nowhere(write_output):
    output = write_output()
    failed_there(write_folder(output, uses=raw(falling())), "a-16")
    (other,) = second_data.load(output)
    assert other.uses.mains[0].best_model.name == "b-16"


def test_variants_of_another_version_of_the_code_are_named(with_uses, tmp_path):
    write_folder(with_uses, uses=raw(falling()))
    write_folder(with_uses, "here", uses=raw(falling()), models=NAMES[1:])
    for name in NAMES[:3]:
        path = with_uses / name / "result.json"
        path.parent.mkdir()
        result = json.loads((with_uses / "fashion_mnist" / name / "result.json").read_text())
        result["data"] = {**FASHION, "name": "mnist"}
        if name == "b-16":
            result["code_version"] = "new"
        path.write_text(json.dumps(result))
    fashion, here = second_data.load(with_uses)
    results = load_results(with_uses)
    assert fashion.by_other_code(results) == here.by_other_code(results) == ["b-16"]
    english, chinese = rendered(with_uses, tmp_path / "report").both("uses")
    assert english.count("Another version of the code than on MNIST trained `b-16`.") == 2
    assert chinese.count("训练 `b-16` 的代码版本与 MNIST 上的不同。") == 2


def test_variants_that_other_settings_trained_compete_nowhere(with_uses, tmp_path):
    write_folder(with_uses, uses=raw(falling()))
    of_mnist(with_uses, FASHION, 30)
    results = load_results(with_uses)
    (other,) = second_data.load(with_uses)
    assert other.by_other_settings(results) == []
    before = rendered(with_uses, tmp_path / "before").both("uses")
    path = with_uses / "a-16" / "result.json"
    result = json.loads(path.read_text())
    result["settings"]["noise"] = 0.5
    path.write_text(json.dumps(result))
    results = load_results(with_uses)
    (other,) = second_data.load(with_uses)
    assert other.by_other_settings(results) == ["a-16"]
    (beside,) = second_data.compared(load_uses(with_uses), [other], results)
    named = {name for row in beside.rows for name in (row.winner, row.winner_there)}
    named |= {change.name for row in beside.rows for change in row.changes}
    assert named and "a-16" not in named
    english, chinese = rendered(with_uses, tmp_path / "report").both("uses")
    assert "other settings than on MNIST trained them there: `a-16`." in english
    assert "因所用设置与 MNIST 上的不同而略去的有：`a-16`。" in chinese
    assert not any("a-16`." in page and "settings" in page for page in before)


# --- the pages ------------------------------------------------------------------------------------


def of_mnist(output, data, epochs):
    """Results on MNIST of the models of a folder of other data, with so many epochs there."""
    stage = {"name": "unsupervised", "epochs": 30, "batch_size": 200}
    for name in NAMES:
        path = output / "fashion_mnist" / name / "result.json"
        result = json.loads(path.read_text())
        result |= {"data": data, "settings": {"stages": [{**stage, "epochs": epochs}]}}
        path.write_text(json.dumps(result))
        result |= {"data": {**FASHION, "name": "mnist"}, "settings": {"stages": [stage]}}
        (output / name).mkdir()
        (output / name / "result.json").write_text(json.dumps(result))


@pytest.mark.parametrize(
    ("n", "epochs", "english", "chinese"),
    [
        (
            1500,
            30,
            "240 steps of training there and 9,000 on MNIST",
            "训练 240 步，在 MNIST 上训练",
        ),
        (
            60_000,
            30,
            "9,000 steps of training there, as on MNIST",
            "训练 9,000 步，与 MNIST 上相同",
        ),
        (1500, 1200, "9,600 steps of training there and 9,000", "训练 9,600 步，在 MNIST 上"),
    ],
)
def test_the_steps_of_training_on_both_are_told(with_uses, tmp_path, n, epochs, english, chinese):
    write_folder(with_uses, uses=raw(falling()))
    of_mnist(with_uses, {**FASHION, "n_train": n}, epochs)
    for text, told in zip(
        rendered(with_uses, tmp_path / "report").both("uses"), (english, chinese), strict=True
    ):
        assert told in text


def test_who_failed_there_is_named(with_uses, tmp_path):
    write_folder(with_uses, uses=raw(falling()))
    failed_there(with_uses / "fashion_mnist", "a-16")
    english, chinese = rendered(with_uses, tmp_path / "report").both("uses")
    assert re.search(r"training failed by \[rule 4\]\([^)]*\): `a-16`\.", english)
    assert re.search(r"依\[规则 4\]\([^)]*\)，训练失败而略去的有：`a-16`。", chinese)


def shuffled(seed):
    values = list(falling().values())
    random.Random(seed).shuffle(values)
    return dict(zip(NAMES, values, strict=True))


def test_both_languages_tell_of_other_data(with_uses, tmp_path):
    write_folder(with_uses, uses=raw(shuffled(1), shuffled(2)))
    folder = write_folder(
        with_uses,
        "small_digits",
        data={**FASHION, "name": "small_digits.npz", "sha256": "d" * 64, "image_shape": [8, 8]},
        uses=raw(falling(), falling(reversed(NAMES))),
    )
    (folder / "uses").mkdir()
    for use in ("denoise", "cluster", "segment"):
        (folder / "uses" / f"{use}.png").write_bytes(tiny_png())
    site = rendered(with_uses, tmp_path / "report")
    fashion, digits = second_data.compared(
        uses_of(json.loads((with_uses / FILE).read_text())),
        second_data.load(with_uses),
        load_results(with_uses),
    )
    for english, chinese in (site.both("uses"), site.both("report"), site.both("methods")):
        assert NUMBER.findall(english) and shape(english) == shape(chinese)
        well_formed(english, "uses"), well_formed(chinese, "uses")
    chinese = {
        name: test_pages.prose(site.pages["zh"][name]) for name in ("uses", "report", "methods")
    }
    for rule in RULES_OF_CHINESE:
        rule(chinese)
    for name in ("uses", "report"):
        english, chinese = (text.count("Fashion-MNIST") for text in site.both(name))
        assert english == chinese >= 2
    assert (fashion.other.folder, digits.kept, digits.number("wins")) == ("fashion_mnist", 2, 2)
    assert "1.00 [1.00, 1.00]" in site.pages["en"]["uses"]
    assert f"for {fashion.kept} of 2 uses on Fashion-MNIST" in site.pages["en"]["report"]
    # One picture with words for images of anything; folded, those of uses that MNIST has as well
    for language, page, words, like in (
        (
            "en",
            site.pages["en"]["uses"],
            "*scikit-learn's digits, denoising: test images",
            "(#clus",
        ),
        ("zh", site.pages["zh"]["uses"], "手写数字，去噪：测试图像", "(#聚类)"),
    ):
        seen, folded = page[page.index("small_digits") :].split("<details>")
        assert words in seen and like in folded.partition("</details>")[0]
        found = [p[1] for p in pictures(page) if "small_digits" in p[1]]
        assert [Path(path).stem for path in found] == ["denoise", "cluster"]
        assert all((site.path(language, "uses").parent / path).is_file() for path in found)
    limits = "nothing here says how the families compare on others", "不能说明各类模型在其他数据上"
    for text, limit in zip(site.both("report"), limits, strict=True):
        assert limit not in text


def test_without_other_data_the_limit_stays(with_uses, tmp_path):
    write_folder(with_uses, "quick", uses=raw(falling()), quick=True)
    site = rendered(with_uses, tmp_path / "report")
    limits = "nothing here says how the families compare on others", "不能说明各类模型在其他数据上"
    for text, limit in zip(site.both("report"), limits, strict=True):
        assert limit in text
    assert "Fashion" not in site.whole("en") and "## On other data" not in site.pages["en"]["uses"]


def test_a_report_of_the_run_alone_leaves_others_out(with_uses, tmp_path):
    write_folder(with_uses, uses=raw(falling()))
    render_reports(with_uses, tmp_path / "one", None, None, ())
    assert "Fashion" not in (tmp_path / "one" / "en" / "uses.md").read_text("utf-8")
    render_reports(with_uses, tmp_path / "two", None, None, {"fashion_mnist"})
    assert "### Fashion-MNIST" in (tmp_path / "two" / "en" / "uses.md").read_text("utf-8")


def test_other_data_s_own_report_is_as_before(with_uses, tmp_path):
    folder = write_folder(with_uses, uses=raw(falling()))
    text = rendered(folder, tmp_path / "report").pages["en"]["report"]
    assert text.startswith("# Autoencoders on Fashion-MNIST")


def test_its_own_report_links_the_project_s_rules_where_a_training_failed(with_uses, tmp_path):
    folder = write_folder(with_uses, uses=raw(falling()))
    failed_there(folder, "a-16")
    report = tmp_path / "report"
    render_reports(folder, report)
    for language, main in (("en", "report.md"), ("zh", "report.zh.md")):
        pages = [report / main, report / language / "runs.md"]
        links = [
            page.parent / link
            for page in pages
            for link in re.findall(r"\]\(([^)#]*methods\.md)#", page.read_text("utf-8"))
        ]
        assert links and all(link.is_file() for link in links)
