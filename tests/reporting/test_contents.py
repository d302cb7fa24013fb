from dataclasses import replace

from invented import TABLE

from Code.experiments.table import EXPERIMENTS
from Code.reporting.contents import EXPECTED, FAMILIES, VARIANTS, families, home, missing, ordered
from Code.reporting.results import load_results


def test_every_variant_of_the_table_has_one_place_and_no_other_has():
    assert set(VARIANTS) == {home(row) for row in EXPERIMENTS.values()}
    assert len(set(VARIANTS)) == len(VARIANTS)


def test_a_family_is_told_as_published_then_its_baseline_then_corrected(write_output):
    results = load_results(write_output())
    names = [result.experiment for result in ordered(results)]
    assert names == [row.name for row in EXPECTED]
    assert names[:4] == ["ae-relu", "ae-tanh", "pca-2", "ae"]
    first = families(results)[0]
    assert [result.experiment for result in first.corrected] == ["pca-2", "ae"]


def test_what_has_no_result_is_missing_from_its_family():
    assert set(missing({})) == set(TABLE)
    found = families({})
    assert [family.variant for family in found] == list(FAMILIES)
    assert found[0].missing_of("published") == ["ae-relu", "ae-tanh"]
    assert found[0].missing_of("corrected", "baseline") == ["pca-2", "ae"]


def test_other_variants_come_in_the_table_s_order_and_unknown_ones_last(write_output):
    result = load_results(write_output())["ae"]
    others = ("zebra", "vq_vae", "ladder", "sparse", "emphasised")
    results = {
        name: replace(result, experiment=name, variant=name, group="papers") for name in others
    }
    told = [family.variant for family in families(results)]
    assert told == [*FAMILIES, "sparse", "emphasised", "vq_vae", "ladder", "zebra"]
