"""The table of variants × uses, from invented figures."""

import json
import re

import pytest
from invented import tiny_png
from pages import rendered

from Code.reporting.published_uses import comparisons
from Code.reporting.results import ResultError, load_results
from Code.reporting.templating import TEMPLATES
from Code.reporting.uses import DRAWN, FILE, load_uses, pictured_before, uses_of
from Code.tasks import anomaly, denoise


def metric(name, higher=True, main=False):
    return {"name": name, "unit": "", "higher_is_better": higher, "main": main}


RAW = {
    "models": ["ae-16", "vae-16", "ae-2"],
    "seeds": [0, 1, 2],
    "uses": {
        "reconstruct": {
            "metrics": [metric("mse", higher=False, main=True), metric("psnr")],
            "values": {
                "mse": {
                    "ae-16": [0.010, 0.011, 0.012],
                    "vae-16": [0.020, 0.021, 0.022],
                    "ae-2": [0.040, 0.041, 0.042],
                    "pca-16": [0.027, 0.027, 0.027],
                }
            },
            "seconds": 1.5,
        },
        "cluster": {
            "metrics": [metric("accuracy_kmeans", main=True)],
            "values": {
                "accuracy_kmeans": {
                    "ae-16": [0.50, 0.70, 0.60],
                    "vae-16": [0.61, 0.62, 0.60],
                    "pixels": [0.71, 0.72, 0.70],
                }
            },
            "seconds": 1.0,
        },
    },
}


def test_the_best_is_the_best_in_its_direction():
    mse, accuracy = uses_of(RAW).mains
    assert mse.best_model.name == "ae-16"
    assert mse.best_rival.name == "pca-16"
    assert accuracy.best_rival.name == "pixels"
    assert accuracy.ranked()[0].name == "pixels"


def test_beside_a_narrow_code_stand_no_more_components_than_it_has_units():
    raw = json.loads(json.dumps(RAW))
    raw["uses"]["reconstruct"]["values"]["mse"] |= {"pca-2": [0.05] * 3, "mean image": [0.06] * 3}
    mse, _ = uses_of(raw).mains
    assert mse.best_rival.name == mse.best_rival_of(16).name == "pca-16"
    assert mse.best_rival_of(2).name == "pca-2"
    assert mse.best_rival_of(1).name == "mean image"


def test_what_the_models_are_given_stands_in_the_table_however_it_is_ranked():
    raw = json.loads(json.dumps(RAW))
    rivals = {f"filter {i}": [0.001 * i] * 3 for i in range(1, 6)} | {"noisy": [0.5] * 3}
    raw["uses"]["reconstruct"]["values"]["mse"] |= rivals
    uses = uses_of(raw)
    names = [place.score.name for place in uses.table_of(uses.mains[0], (2, 16))]
    assert names[-4:] == ["filter 1", "filter 2", "filter 3", "noisy"]


def test_where_nobody_counts_the_highest_are_shown_and_compared_with_nobody():
    uses = disentangled([0.9] * 3, [0.1, 0.1, 0.1], [0.3, 0.3, 0.3])
    places = uses.table_of(uses.of_use("disentangle")[0], (16,))
    assert [(p.score.name, p.beside) for p in places if p.score.is_model] == [("vae-16", None)]


def test_the_worst_place_of_a_model():
    uses = uses_of(RAW)
    worst = uses.worst_place("ae-16", 16)
    # Both of 16 units are second once; of equal places the use that comes first is told
    assert (worst.metric.use, worst.place, worst.n) == ("cluster", 2, 2)
    assert uses.worst_place("vae-16", 16).metric.use == "reconstruct"
    # Alone with its width it has no place
    assert uses.worst_place("ae-2", 2) is None


def test_what_bounds_the_models_is_no_rival_of_theirs():
    raw = json.loads(json.dumps(RAW))
    raw["uses"]["cluster"]["bounds"] = ["pixels"]
    _, accuracy = uses_of(raw).mains
    assert accuracy.best_rival is None
    assert accuracy.ranked()[0].name == "pixels"


def test_bold_only_where_the_lead_exceeds_the_spread():
    uses = uses_of(RAW)
    mse, accuracy = uses.mains
    names = uses.of_width(16)
    assert names == ["ae-16", "vae-16"]
    assert mse.stands_out(mse.score("ae-16"), names)
    assert not mse.stands_out(mse.score("vae-16"), names)
    assert not any(accuracy.stands_out(s, names) for s in accuracy.scores)


def test_bold_is_corrected_for_all_whom_the_use_s_own_table_corrects_for():
    """Of one width alone the best would stand out; among ten more of another it does not."""
    lead = {"ae-16": [0.010, 0.011, 0.012], "vae-16": [0.0145, 0.0155, 0.0165]}
    further = {f"m{i}-2": [0.0135, 0.0165, 0.0195] for i in range(10)}
    raw = json.loads(json.dumps(RAW))
    raw["models"] = [*lead, *further]
    for values, bold in ((lead, True), ({**lead, **further}, False)):
        raw["uses"] = {"reconstruct": {**RAW["uses"]["reconstruct"], "values": {"mse": values}}}
        (mse,) = (uses := uses_of(raw)).mains
        beside = mse.beside_the_others(mse.best_model, mse.contenders()[1:])
        assert (beside["vae-16"] == "better") is bold
        assert mse.stands_out(mse.best_model, uses.of_width(16)) is bold


def test_uses_in_which_a_width_competes():
    uses = uses_of(RAW)
    assert uses.competed_in(16) == 2
    assert uses.competed_in(2) == 0


def test_uses_of_another_training_are_named(write_output):
    results = load_results(write_output(further=True))
    own = results["ae-16"].measure("mse")
    raw = json.loads(json.dumps(RAW))
    for factor, found in ((1.0, []), (1.2, ["ae-16"])):
        values = [factor * value for value in own.values]
        raw["uses"]["reconstruct"]["values"]["mse"] = {"ae-16": values, "pca-16": [1.0] * 3}
        assert uses_of(raw).of_other_trainings(results) == found


def test_what_is_ranked_by_itself_has_its_winner_among_those_who_meet_their_prior():
    raw = json.loads(json.dumps(RAW))
    names = [f"m{i}-16" for i in range(8)]
    raw["models"] = names
    both = {"mixture": 1.0, "prior": -1.0}
    raw["uses"] = {
        "generate": {
            "metrics": [
                metric("mixture", False, True),
                metric("prior", False) | {"own_column": True},
            ],
            "values": {
                of: {
                    name: [10 + sign * i + e for e in (0, 0.1, 0.2)] for i, name in enumerate(names)
                }
                for of, sign in both.items()
            },
            "seconds": 1.0,
        }
    }
    uses = uses_of(raw)
    # The last is the best by its own prior, and the one before where that did not meet it
    for unmet, best in (((), "m7-16"), (("m7-16",), "m6-16")):
        (answer,) = uses.own_answers("generate", unmet)
        assert (answer.best.name, answer.to_second) == (best, "better")
        shown = [place.score.name for place in uses.table_of(uses.mains[0], (16,), unmet)]
        assert shown == [*names[:5], best]
        assert set(uses.leaders(16, 2, unmet)) == {*names[:2], best}
    assert uses.own_answers("reconstruct") == []


def test_a_picture_of_an_earlier_training_says_so(write_output, tmp_path):
    output = write_output()
    (output / FILE).write_text(json.dumps(RAW), encoding="utf-8")
    (output / "uses").mkdir()
    picture = output / "uses" / "cluster.png"
    picture.write_bytes(tiny_png())
    for then, told in ((0.010, False), (0.013, True)):
        drawn = {"cluster": {"ae-16": then, "vae-16": 0.020, "gone-16": 0.5}}
        picture.with_name(DRAWN).write_text(json.dumps(drawn), encoding="utf-8")
        english, chinese = rendered(output, tmp_path / "report").both("uses")
        assert ("Of `ae-16` it shows an earlier training" in english) is told
        assert ("图中的 `ae-16` 是此前的训练" in chinese) is told
    for text in ("{", "[]", '{"cluster": [1]}'):
        picture.with_name(DRAWN).write_text(text, encoding="utf-8")
        assert pictured_before(output, load_uses(output)) == {}


def test_the_committed_pictures_tell_which_trainings_they_show(root):
    pictures = {path.stem for path in (root / "output" / "uses").glob("*.png")}
    assert set(json.loads((root / "output" / "uses" / DRAWN).read_text("utf-8"))) == pictures


def test_one_seed_never_stands_out():
    raw = json.loads(json.dumps(RAW))
    values = raw["uses"]["reconstruct"]["values"]["mse"]
    raw["uses"]["reconstruct"]["values"]["mse"] = {k: v[:1] for k, v in values.items()}
    mse = uses_of(raw).mains[0]
    assert not mse.stands_out(mse.best_model)
    assert mse.relation(mse.scores[0], mse.scores[1]) == "undecided"


def test_ranks_are_means_over_the_uses():
    (ae, vae) = uses_of(RAW).by_rank(16)
    assert ae[:2] == ("ae-16", 1.5) and vae[:2] == ("vae-16", 1.5)
    # Which of two is better in one of two uses is certain, and in the other it is not
    (ae_low, ae_high), (vae_low, vae_high) = ae[2], vae[2]
    assert ae_low == 1.0 and vae_high == 2.0
    assert 1.5 <= ae_high < 2.0 and 1.0 < vae_low <= 1.5


def test_the_lead_is_shared_by_all_whose_intervals_overlap_the_first_s():
    uses = uses_of(RAW)
    assert uses.sharing_the_lead(16) == ["ae-16", "vae-16"]
    assert uses.best_of(["vae-16", "ae-16"]) == "ae-16", "it reconstructs better"
    apart = json.loads(json.dumps(RAW))
    apart["uses"]["cluster"]["values"]["accuracy_kmeans"]["ae-16"] = [0.90, 0.91, 0.92]
    assert uses_of(apart).sharing_the_lead(16) == ["ae-16"]
    # With one seed nothing is known of the others
    for use in apart["uses"].values():
        for values in use["values"].values():
            values.update({name: of[:1] for name, of in values.items()})
    assert uses_of(apart).sharing_the_lead(16) == ["ae-16"]
    assert uses_of(apart).sharing_the_lead(8) == []


def test_the_relation_of_two_scores_follows_the_rules():
    mse, accuracy = uses_of(RAW).mains
    assert mse.relation(mse.score("ae-16"), mse.score("vae-16")) == "better"
    assert mse.relation(mse.score("vae-16"), mse.score("ae-16")) == "worse"
    noisy = accuracy.relation(accuracy.score("ae-16"), accuracy.score("vae-16"))
    assert noisy == "undecided"


def test_what_is_told_labels_neither_leads_nor_is_ranked():
    raw = json.loads(json.dumps(RAW))
    raw["models"].append("cvae-16")
    raw["uses"]["reconstruct"]["values"]["mse"]["cvae-16"] = [0.001, 0.001, 0.001]
    uses = uses_of(raw)
    mse = uses.mains[0]
    assert mse.score("cvae-16").conditioned
    assert mse.best_model.name == "ae-16"
    assert not mse.stands_out(mse.score("cvae-16"), uses.of_width(16))
    assert mse.stands_out(mse.score("ae-16"), uses.of_width(16))
    assert {n: rank for n, rank, _ in uses.by_rank(16)}["cvae-16"] is None


def test_where_widths_cannot_be_compared_each_has_its_answer():
    raw = json.loads(json.dumps(RAW))
    raw["uses"]["reconstruct"]["metrics"][0]["within_width"] = True
    found = [(a.units, a.best.name) for a in uses_of(raw).answers((2, 16)) if a.metric.main]
    assert found == [(2, "ae-2"), (16, "ae-16"), (None, "vae-16")]


def test_failed_runs_are_left_out():
    uses = uses_of(RAW).without({"ae-16": (0, 1), "vae-16": (0, 1, 2)})
    mse = uses.mains[0]
    assert mse.score("ae-16").values == (0.012,)
    assert mse.score("vae-16") is None


def test_a_model_without_a_use_is_not_ranked_in_it():
    raw = json.loads(json.dumps(RAW))
    del raw["uses"]["cluster"]["values"]["accuracy_kmeans"]["vae-16"]
    assert {n: rank for n, rank, _ in uses_of(raw).by_rank(16)} == {"ae-16": 1.0, "vae-16": 2.0}


def test_both_reports_hold_the_table_and_the_answers(write_output, tmp_path):
    output = write_output()
    (output / FILE).write_text(json.dumps(RAW), encoding="utf-8")
    site = rendered(output, tmp_path / "report")
    for text, pixels in zip(site.both("uses"), ("`pixels`", "原始像素"), strict=True):
        assert "**0.0110 ±\xa00.0010**" in text
        answers = [line for line in text.splitlines() if re.match(r"- \*\*.*\*\* `ae-16`", line)]
        assert len(answers) == 1 and "0.0110 ±\xa00.0010" in answers[0]
        worse = [line for line in text.splitlines() if pixels in line and "**" in line]
        assert worse and f"{pixels} 0.710 ±\xa00.010" in text
    for text in site.both("report"):
        assert "**0.0110**" in text and "`ae-16`" in text, "the spread is on the page of uses"


def test_each_language_says_what_the_rivals_are(write_output, tmp_path):
    output = write_output()
    (output / FILE).write_text(json.dumps(RAW), encoding="utf-8")
    texts = rendered(output, tmp_path / "report").both("uses")
    said = (
        "`pca-16`, sixteen principal components; `pixels`,",
        "16 个主成分（`pca-16`）；原始像素（`pixels`），",
    )
    assert [any(line in text for text in texts) for line in said] == [True, True]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_rivals_have_labels(language):
    template = (TEMPLATES / language / "labels.j2").read_text(encoding="utf-8")
    for name in {*denoise.FILTERS, *anomaly.rivals(), "largest part", "ridge regression"}:
        assert f"'{name}': '" in template, name


def test_without_the_file_there_is_no_table(write_output, tmp_path):
    for text in rendered(write_output(), tmp_path / "report").both():
        assert "accuracy_kmeans" not in text


@pytest.mark.parametrize("text", ["{", "[]", '{"models": [], "seeds": [], "uses": {"a": {}}}'])
def test_a_broken_file_is_one_line(tmp_path, text):
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(ResultError, match=r"uses\.json.*delete it"):
        load_uses(tmp_path)


def test_one_model_and_no_rival_make_an_answer_without_a_comparison(write_output, tmp_path):
    raw = json.loads(json.dumps(RAW))
    raw["models"] = ["ae-16"]
    del raw["uses"]["cluster"]
    values = raw["uses"]["reconstruct"]["values"]
    values["mse"] = {"ae-16": values["mse"]["ae-16"]}
    output = write_output()
    (output / FILE).write_text(json.dumps(raw), encoding="utf-8")
    for text in rendered(output, tmp_path / "report").both("uses"):
        answer = re.search(r"- \*\*.*\*\* `ae-16`.*", text)
        assert answer and answer.group().count("`") == 2


def test_published_figures_stand_beside_ours(write_output, tmp_path):
    raw = json.loads(json.dumps(RAW))
    raw["uses"]["cluster"]["values"]["accuracy_kmeans"]["pixels"] = [0.53, 0.54, 0.53]
    rows = {row.published.method: row for row in comparisons(uses_of(raw))}
    assert rows["k-means on pixels"].verdict == "reproduced"
    assert rows["deep embedded clustering"].verdict == "different_protocol"
    assert rows["k-means on pixels"].ours.name == "pixels"
    assert rows["deep embedded clustering"].ours.name == "vae-16"
    assert "PCA, 2 components" not in rows
    output = write_output()
    (output / FILE).write_text(json.dumps(raw), encoding="utf-8")
    english, chinese = rendered(output, tmp_path / "report").both("uses")
    assert re.search(r"\| 0\.535 \| k-means on pixels; .*\| `pixels` \| 0\.533 ±\s0\.006", english)
    assert re.search(r"\| 0\.535 \| 像素上的 k-means；.*\| 原始像素 \| 0\.533 ±\s0\.006", chinese)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([0.05574] * 3, "reproduced"),
        ([0.0558] * 3, "not_reproduced"),
        ([0.0550, 0.0558, 0.0566], "reproduced"),
        ([0.0500, 0.0558, 0.0616], "undecided"),
        ([0.0557], "undecided"),
    ],
    ids=["to the digits printed", "beyond them", "within the spread", "too wide", "one seed"],
)
def test_figures_for_uses_are_reproduced_by_the_rule_of_all_others(values, verdict):
    raw = json.loads(json.dumps(RAW))
    raw["uses"]["reconstruct"]["values"]["mse"]["pca-2"] = values
    (row, *_) = comparisons(uses_of(raw))
    assert row.published.value == 0.0557
    assert row.verdict == verdict


def disentangled(informativeness, scores, turned):
    """The uses of ``vae-16`` alone, with its values over three seeds."""
    told = metric("dci", main=True) | {"needs": "told", "least": 0.5, "above": "turned"}
    values = {"dci": scores, "told": informativeness, "turned": turned}
    found = {
        "metrics": [told, metric("told"), metric("turned")],
        "values": {name: {"vae-16": each} for name, each in values.items() if each},
        "seconds": 1.0,
    }
    return uses_of({"models": ["vae-16"], "seeds": [0, 1, 2], "uses": {"disentangle": found}})


def disentangling(*values):
    """Whether the score of ``vae-16`` counts."""
    uses = disentangled(*values)
    (main,) = uses.mains
    assert main.name == "dci" and (main.best_model is None) == bool(uses.unanswered())
    return main.score("vae-16").counts


def test_a_metric_counts_only_where_its_needs_are_met():
    high, low = [0.30, 0.31, 0.32], [0.20, 0.21, 0.22]
    assert disentangling([0.6, 0.6, 0.6], high, low)
    assert not disentangling([0.4, 0.4, 0.4], high, low)
    assert not disentangling([], high, low)
    # Above itself turned, beyond the spread of the differences
    assert not disentangling([0.6, 0.6, 0.6], low, high)
    assert not disentangling([0.6, 0.6, 0.6], [0.20, 0.30, 0.20], [0.15, 0.10, 0.24])
    # Files from before have no rotated score
    assert disentangling([0.6, 0.6, 0.6], high, [])


def test_a_model_with_more_seeds_is_named_with_their_number(write_output, tmp_path):
    more = json.loads(json.dumps(RAW))
    more["uses"]["reconstruct"]["values"]["mse"]["vae-16"] += [0.020, 0.030]
    uses = uses_of(more)
    assert uses_of(RAW).of_other_seeds == {} and uses_of(RAW).n_seeds == 3
    assert uses.n_seeds == 3 and uses.of_other_seeds == {"vae-16": 5}
    output = write_output()
    (output / FILE).write_text(json.dumps(more), encoding="utf-8")
    english, chinese = rendered(output, tmp_path / "report").both("uses")
    assert "3 seeds (`vae-16`: 5), mean" in english
    assert "3 个随机种子（`vae-16` 有 5 个），均值" in chinese
