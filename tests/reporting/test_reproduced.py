import math

import numpy as np
import pytest

from Code.reporting.estimates import Estimate
from Code.reporting.reproduced import accepted, half_width, inside, interval, verdict, verdict_of
from Code.reporting.results import Measure


def measured(*values, error=0.0, published=1.0, departures=()):
    mean, std = float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Measure(
        "ae",
        "unsupervised",
        "loss",
        "train",
        values,
        mean,
        std,
        published,
        "plot",
        published_error=error,
        published_departures=departures,
    )


def test_half_width_by_a_printed_table_of_student_s_quantiles():
    assert half_width(1.0, 3) == pytest.approx(4.303 * math.sqrt(4 / 3), rel=1e-3)
    assert half_width(0.5, 6) == pytest.approx(0.5 * 2.571 * math.sqrt(7 / 6), rel=1e-3)
    # One run, with a spread that is known from ten others
    assert half_width(1.0, 1, degrees=10) == pytest.approx(2.228 * math.sqrt(2), rel=1e-3)


def test_without_a_degree_of_freedom_there_is_no_width():
    with pytest.raises(ValueError, match="no spread"):
        half_width(1.0, 1)


def test_the_reading_error_is_added_as_it_is():
    assert interval(2.0, 0.1, 0.0, 3) == pytest.approx((1.9, 2.1))
    low, high = interval(2.0, 0.1, 1.0, 3)
    assert high - 2.0 == pytest.approx(0.1 + half_width(1.0, 3)) and 2.0 - low == high - 2.0


@pytest.mark.parametrize("n", [2, 3, 6])
def test_a_run_of_the_same_training_is_reproduced_in_95_percent_of_draws(n):
    draws = np.random.default_rng(0).normal(7.0, 0.3, (4000, n + 1))
    # 4,000 draws: a standard error of 0.34 %
    share = np.mean([inside(seeds, one, 0.0) for one, *seeds in draws.tolist()])
    assert share == pytest.approx(0.95, abs=0.0125)


def test_what_counts_as_reproduced_depends_on_the_seeds_spread():
    narrow, wide = measured(1.010, 1.011, 1.012), measured(0.995, 1.011, 1.027)
    assert verdict(narrow) == "not_reproduced" and verdict(wide) == "reproduced"
    assert verdict(measured(1.010, 1.011, 1.012, error=0.02)) == "reproduced"
    # On both sides
    assert verdict(measured(0.988, 0.989, 0.990)) == "not_reproduced"


def test_two_seeds_or_a_spread_that_covers_anything_decide_nothing():
    assert verdict(measured(1.0)) == verdict(measured(1.0, 1.001)) == "undecided"
    assert accepted(measured(1.0, 1.001)) is None
    assert verdict(measured(0.9, 1.0, 1.1)) == "undecided"
    assert inside([1.0], 1.0, 0.1) is None


def test_far_outside_a_wide_range_is_not_reproduced():
    assert verdict(measured(4.9, 5.0, 5.1)) == "not_reproduced"


def test_another_protocol_has_no_verdict_however_near_the_figures_are():
    near = measured(1.0, 1.001, 1.002, departures=("epochs",))
    assert verdict(near) == "different_protocol" and accepted(near) is None


def test_the_range_is_that_of_one_more_run_and_the_published_figure_has_to_lie_in_it():
    ours = measured(1.010, 1.011, 1.012, error=0.003)
    low, high = accepted(ours)
    assert (low + high) / 2 == pytest.approx(ours.mean)
    assert high - ours.mean == pytest.approx(0.003 + half_width(0.001, 3))
    inner, outer = high - ours.mean, 0.003 + half_width(0.001, 3, level=0.98)
    for distance, said in (
        (inner - 1e-6, "reproduced"),
        (inner + 1e-6, "undecided"),
        (outer - 1e-6, "undecided"),
        (outer + 1e-6, "not_reproduced"),
    ):
        for published in (ours.mean - distance, ours.mean + distance):
            told = measured(1.010, 1.011, 1.012, error=0.003, published=published)
            assert verdict(told) == said


def test_no_seed_calls_a_figure_reproduced_that_all_three_call_not_or_the_reverse():
    rng = np.random.default_rng(0)
    for values in rng.normal(1.0, 0.01, (500, 3)):
        whole, std = measured(*values), float(np.std(values, ddof=1))
        for published in np.linspace(0.8, 1.2, 81):
            of_all = verdict_of(whole.estimate, published, 0.0)
            for value in values:
                said = {of_all, verdict_of(Estimate(value, std, 1, 2), published, 0.0)}
                assert said != {"reproduced", "not_reproduced"}


def test_without_a_published_figure_there_is_none():
    assert accepted(measured(1.0, 1.1, published=None)) is None
    assert verdict(measured(1.0, 1.1, 1.2, published=None)) is None
    assert verdict(measured(1.0, 1.0, 1.0, error=None)) == "undecided"
