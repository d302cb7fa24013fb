"""The trials of learning rates in the report: what was tried, what failed, what was chosen."""

import pytest
from pages import rendered

from Code.reporting import trials

TABLE = """experiment,rate,objective,value,prior_accuracy,failed,seconds,chosen
ae-2,0.002,loss,0.151,,False,20,
ae-2,0.0005,loss,inf,,True,20,
ae-2,0.001,loss,0.15,0.5,False,20,yes
ae-2,0.004,loss,0.2,,True,20,
aae-2,0.0005,mse,0.0412,0.71,False,20,
aae-2,0.001,mse,0.0402,0.61,False,20,yes
aae-2,0.002,mse,0.0401,0.8,False,20,
aae-2,0.004,mse,0.04,0.9,False,20,
sdae-3,0.001,loss,0.25,,False,20,
sdae-3,0.002,loss,0.14,,False,20,yes
sdae-3,0.004,loss,0.16,,False,20,
"""


@pytest.fixture
def table(tmp_path, monkeypatch):
    path = tmp_path / "tuning.csv"
    path.write_text(TABLE, encoding="utf-8")
    monkeypatch.setattr(trials, "TABLE", path)
    return path


def test_without_a_table_there_are_none(tmp_path):
    assert trials.searches(tmp_path / "none.csv") == []


def test_trials_stand_in_the_order_of_their_rates(table):
    ae, aae, paper = trials.searches()
    assert [one.rate for one in ae.trials] == [5e-4, 1e-3, 2e-3, 4e-3]
    assert [one.failed for one in ae.trials] == [True, False, False, True]
    assert [one.chosen for one in ae.trials] == [False, True, False, False]
    # A prior that is measured beside a loss of one's own decides nothing, so it is not shown
    assert [one.prior_accuracy for one in ae.trials] == [None] * 4
    assert [one.prior_accuracy for one in aae.trials] == [0.71, 0.61, 0.8, 0.9]
    assert [one.on_equal_terms for one in (ae, aae, paper)] == [True, True, False]


def test_the_methods_say_where_the_best_rate_is_the_highest(root, table, tmp_path):
    """A better one may lie beyond it."""
    assert not any(search.at_the_top for search in trials.searches()[:2])
    moved = TABLE.replace("0.2,,True,20,", "0.1,,False,20,yes").replace(
        "0.5,False,20,yes", "0.5,False,20,"
    )
    table.write_text(moved, encoding="utf-8")
    site = rendered(root / "output", tmp_path / "report")
    for language, words in (("en", "For 1 of 2 models"), ("zh", "2 个模型中有 1 个")):
        assert words in site.path(language, "methods").read_text(encoding="utf-8")


def test_the_methods_show_every_trial_and_the_choice(root, table, tmp_path):
    site = rendered(root / "output", tmp_path / "report")
    for language, failed, colon, (left, right) in (
        ("en", "failed", ": ", (" (", ")")),
        ("zh", "失败", "：", "（）"),
    ):
        text = site.path(language, "methods").read_text(encoding="utf-8")
        assert f"| `ae-2` | {failed} | **0.1500** | 0.1510 | {failed} |" in text
        assert f"| 0.0412{left}0.71{right} | **0.0402{left}0.61{right}** |" in text
        cells = (f"0.001{colon}0.2500", f"0.002{colon}**0.1400**", f"0.004{colon}0.1600")
        assert f"| `sdae-3` | {' | '.join(cells)} |" in text
