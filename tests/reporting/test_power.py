"""The spreads beside the margins are those of trained models, before labels change them."""

import pytest

from Code.reporting.estimates import pooled
from Code.reporting.power import margin_rows
from Code.reporting.results import load_results
from Code.reporting.rules import MARGINS, margin_of


def test_neither_filters_nor_a_labelled_stage_have_a_part_in_the_spread_of_psnr(root):
    results = load_results(root / "output")
    every = [m for r in results.values() for m in r.measures if m.metric.startswith("psnr_")]
    of_models = [m for m in every if m.metric[5:].startswith("0.") and m.stage == "unsupervised"]
    assert 10 < len(of_models) < len(every) / 4
    (row,) = (r for r in margin_rows(results) if r.metric == "psnr")
    assert row.std == pytest.approx(pooled([m.estimate for m in of_models])[0])


def test_the_accuracy_of_a_head_has_one_margin_whichever_stage_names_it():
    assert margin_of("accuracy", 0.98, 0.99) == margin_of("test_accuracy", 0.98, 0.99) == 0.002
    assert all(MARGINS[name] == 0.02 for name in MARGINS if name.startswith("accuracy_"))
