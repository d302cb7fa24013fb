"""Differences are judged by the rules: Welch's interval, equivalence, Holm, borrowed spreads."""

from dataclasses import replace

import pytest
from scipy import stats

from Code.reporting.differences import alike, compare, of_one_table, order
from Code.reporting.estimates import half_width, not_above
from Code.reporting.results import Measure, load_results
from Code.reporting.rules import SAME_LEVEL


def measured(*values, metric="loss", reference=None):
    """A measure of these values."""
    mean = sum(values) / len(values)
    std = stats.tstd(values) if len(values) > 1 else None
    return Measure("e", "s", metric, "test", values, mean, std, reference=reference)


def test_a_difference_is_one_where_welch_s_interval_excludes_zero():
    a, b = measured(0.9, 1.0, 1.1), measured(1.3, 1.5, 1.9)
    difference = compare(a, b)
    interval = stats.ttest_ind(a.values, b.values, equal_var=False).confidence_interval(0.95)
    assert difference.half_width == pytest.approx((interval.high - interval.low) / 2)
    assert difference.direction == "lower" if interval.high < 0 else "undecided"
    assert compare(measured(1.0, 1.01, 1.02), measured(2.0, 2.01, 2.02)).direction == "lower"
    assert compare(measured(2.0, 2.01, 2.02), measured(1.0, 1.01, 1.02)).direction == "higher"
    assert compare(a, None) is None


def test_the_same_is_shown_and_not_what_a_test_fails_to_refute():
    assert compare(measured(0.70, 0.71, 0.72), measured(0.71, 0.71, 0.72)).direction == "same"
    # Far within the margin of a loss, 3 %, but the interval is wide
    noisy = compare(measured(0.4, 0.7, 1.0), measured(0.41, 0.71, 1.0))
    assert noisy.direction == "undecided"
    # Certain, and too small to matter
    tiny = compare(measured(0.700, 0.7001, 0.7002), measured(0.710, 0.7101, 0.7102))
    assert tiny.p_value < 1e-3 and tiny.direction == "same"


def test_an_order_is_told_only_where_the_differences_are():
    best, middle, worst = (measured(m - 0.01, m, m + 0.01) for m in (3.0, 2.0, 1.0))
    assert order([best, middle, worst]) == "as_given"
    assert order([best, worst, middle]) == "other"
    level = [measured(m - 0.0001, m, m + 0.0001) for m in (3.0, 3.001, 3.0)]
    assert order(level) == "same"
    near = measured(2.9, 3.05, 3.1)
    assert order([near, best, worst]) == order([measured(3.0), measured(2.0)]) == "undecided"


def test_not_above_is_shown_by_the_interval_s_upper_end():
    margin = 0.03
    for below in (0.0, 0.015, 0.045):
        d = compare(measured(0.99 - below, 1.0 - below, 1.01 - below), measured(0.99, 1.0, 1.01))
        one_sided = stats.ttest_ind(
            d.a.values, d.b.values, equal_var=False, alternative="less"
        ).confidence_interval(0.95)
        a, b = d.a.estimate, d.b.estimate
        width = half_width(a, b, SAME_LEVEL)
        assert d.value + width == pytest.approx(one_sided.high)
        assert not_above(a, b, d.margin) == (one_sided.high < d.margin)
        assert not_above(b, a, d.margin) == (width - d.value < d.margin)
        assert d.margin == pytest.approx(margin, rel=0.05)


def test_with_one_seed_the_spread_is_the_reference_s_or_nothing_is_claimed():
    assert compare(measured(1.0), measured(2.0)).direction == "undecided"
    known = compare(measured(1.0, reference=(0.05, 6)), measured(2.0, reference=(0.05, 6)))
    assert known.borrows and known.direction == "lower"
    t = stats.t.ppf(0.975, 10)
    assert known.half_width == pytest.approx(t * 0.05 * 2**0.5)
    # Three seeds of one's own are more than two of the reference
    assert not measured(1.0, 1.1, 1.2, reference=(9.0, 2)).borrows


def test_one_table_is_corrected_by_holm():
    pairs = [
        compare(measured(1.0, 1.1, 1.2), measured(1.3, 1.4, 1.6)),
        compare(measured(1.0, 1.1, 1.2), measured(1.0, 1.1, 1.3)),
        compare(measured(1.0), measured(5.0)),
    ]
    corrected = of_one_table(pairs)
    assert corrected[0].p_value == pytest.approx(2 * pairs[0].p_value)
    assert corrected[1].p_value == pytest.approx(pairs[1].p_value)
    assert corrected[2].p_value is None
    assert pairs[0].direction == "lower" and corrected[0].direction == "undecided"
    assert of_one_table([]) == []
    assert replace(corrected[0], corrected=None) == pairs[0]


def test_only_experiments_that_differ_in_nothing_else_are_compared(root):
    results = load_results(root / "output")
    emphasis = ("alpha", "beta")
    assert alike(results, "emphasised", "emphasised-plain", *emphasis)
    assert not alike(results, "emphasised", "emphasised-plain", "alpha")
    assert not alike(results, "emphasised-16", "emphasised-plain", *emphasis)
    assert not alike(results, "emphasised", "not-there", *emphasis)
    text = (root / "report" / "en" / "variants" / "emphasised.md").read_text(encoding="utf-8")
    told = [line for line in text.splitlines() if "overwritten pixels" in line]
    (full, other) = (
        next(line for line in told if line.startswith(f"- `{name}`: "))
        for name in ("emphasised-full", "emphasised-16")
    )
    assert "Without emphasis" in full and "Without emphasis" not in other
