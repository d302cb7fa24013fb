"""Statistics against closed forms, SciPy, and simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from Code.reporting import estimates
from Code.reporting.estimates import Estimate


def of(values):
    """The estimate of a sample."""
    return Estimate(np.mean(values), np.std(values, ddof=1), len(values), len(values) - 1)


CONSTANT = Estimate(1.0, 0.0, 1, math.inf)


def test_welch_s_test_is_scipy_s():
    rng = np.random.default_rng(0)
    for n, m in ((3, 3), (2, 6), (5, 3)):
        a, b = rng.normal(0, 1, n), rng.normal(1, 3, m)
        expected = stats.ttest_ind(a, b, equal_var=False)
        assert estimates.p_value(of(a), of(b)) == pytest.approx(expected.pvalue)
        low, high = expected.confidence_interval(0.95)
        assert 2 * estimates.half_width(of(a), of(b)) == pytest.approx(high - low)


def test_without_chance_any_difference_is_one():
    assert estimates.p_value(CONSTANT, CONSTANT) == 1
    assert estimates.p_value(CONSTANT, Estimate(1.1, 0.0, 1, math.inf)) == 0
    assert estimates.equivalent(CONSTANT, Estimate(1.1, 0.0, 1, math.inf), 0.2)
    sample = of([0.0, 1.0, 2.5])
    expected = stats.ttest_1samp([0.0, 1.0, 2.5], 1.0).pvalue
    assert estimates.p_value(sample, CONSTANT) == pytest.approx(expected)


def test_one_value_with_a_known_spread_uses_its_degrees_of_freedom():
    one = Estimate(0.0, 1.0, 1, 5)
    half = stats.t.ppf(0.975, 10) * math.sqrt(2)
    assert estimates.half_width(one, one) == pytest.approx(half)


SAMPLES = 2000


@pytest.mark.parametrize("spreads", [(1.0, 1.0), (1.0, 3.0)])
def test_of_equal_models_few_are_called_different(spreads):
    rng = np.random.default_rng(1)
    called = [
        estimates.p_value(*(of(rng.normal(0, s, 3)) for s in spreads)) < 0.05
        for _ in range(SAMPLES)
    ]
    assert np.mean(called) <= 0.06


@pytest.mark.parametrize("spreads", [(1.0, 1.0), (1.0, 3.0)])
@pytest.mark.parametrize("margin", [1.0, 4.0, 8.0])
def test_of_models_that_differ_by_the_margin_few_are_called_the_same(spreads, margin):
    rng = np.random.default_rng(2)
    called = [
        estimates.equivalent(
            of(rng.normal(0, spreads[0], 3)), of(rng.normal(margin, spreads[1], 3)), margin
        )
        for _ in range(SAMPLES)
    ]
    assert np.mean(called) <= 0.06


def test_of_many_equal_models_few_tables_hold_a_difference():
    rng = np.random.default_rng(3)
    wrong = 0
    for _ in range(SAMPLES // 4):
        first, *others = (of(rng.normal(0, 1, 3)) for _ in range(8))
        wrong += min(estimates.holm([estimates.p_value(first, o) for o in others])) < 0.05
    assert wrong / (SAMPLES // 4) <= 0.06


def test_holm_by_hand():
    assert estimates.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert estimates.holm([0.5, 0.9]) == [1.0, 1.0]
    assert estimates.holm([]) == []


def test_pooled_spread_by_hand():
    assert estimates.pooled([Estimate(0, 1.0, 3, 2), Estimate(9, 3.0, 3, 2), CONSTANT]) == (
        pytest.approx(math.sqrt(5)),
        4,
    )
    assert estimates.pooled([CONSTANT]) == (0.0, 0.0)


@pytest.mark.parametrize("shape", [(7,), (40, 24)])
def test_ranks_are_those_of_scipy(shape):
    values = np.random.default_rng(0).integers(0, 9, shape).astype(float)
    for more, signed in ((False, values), (True, -values)):
        ours = estimates.ranks(values, higher_is_better=more)
        np.testing.assert_array_equal(ours, stats.rankdata(signed, axis=-1))


def test_intervals_of_ranks():
    def table(*means, std=0.1):
        return {name: Estimate(m, std, 3, 2) for name, m in zip("abc", means, strict=True)}, True

    clear = estimates.mean_rank_intervals([table(3, 2, 1), table(30, 20, 10)], "abc")
    assert clear == {"a": (1, 1), "b": (2, 2), "c": (3, 3)}
    unclear = estimates.mean_rank_intervals([table(3, 2, 1, std=5.0)] * 2, "abc")
    assert all(low < 2 < high for low, high in unclear.values())
    assert estimates.mean_rank_intervals([({"a": CONSTANT}, True)], "abc") == {}


def test_the_interval_of_a_rank_holds_the_true_rank_of_most_draws():
    rng, means, inside = np.random.default_rng(4), dict(zip("abcd", (4, 3, 2, 1), strict=True)), 0
    for _ in range(200):
        table = {name: of(rng.normal(mean, 1, 3)) for name, mean in means.items()}
        low, high = estimates.mean_rank_intervals([(table, True)], "abcd", draws=400)["b"]
        inside += low <= 2 <= high
    assert inside / 200 >= 0.93


def test_the_interval_of_a_mean_rank_holds_the_measured_and_mostly_the_true_one():
    """Six tables of eight models, whose ranks chance drives to the middle."""
    rng, names, n = np.random.default_rng(1), "abcdefgh", 60
    true = [dict(zip(names, 0.7 * rng.permutation(8), strict=True)) for _ in range(6)]

    def mean_rank(tables, name):
        return np.mean([1 + sum(t[other] > t[name] for other in names) for t in tables])

    inside = 0
    for _ in range(n):
        tables = [{name: of(rng.normal(m, 1, 3)) for name, m in t.items()} for t in true]
        measured = [{name: found.mean for name, found in t.items()} for t in tables]
        found = estimates.mean_rank_intervals([(t, True) for t in tables], names, draws=300)
        for name, (low, high) in found.items():
            assert low - 1e-9 <= mean_rank(measured, name) <= high + 1e-9
            inside += low <= mean_rank(true, name) <= high
    assert inside / (n * len(names)) >= 0.93


def test_power_against_simulation():
    rng = np.random.default_rng(5)
    a, b = rng.normal(0, 1, (4000, 3)), rng.normal(3, 1, (4000, 3))
    simulated = np.mean(stats.ttest_ind(a, b, axis=1, equal_var=False).pvalue < 0.05)
    assert estimates.power_to_tell(3, 1, 3) == pytest.approx(simulated, abs=0.03)
    assert estimates.power_to_equate(10, 1, 3) > 0.99
    assert estimates.power_to_equate(1, 1, 3) < 0.06
    assert estimates.power_to_tell(0, 1, 3) <= 0.06
    assert estimates.power_to_tell(500, 1, 3) == 1
    assert estimates.power_to_tell(0, 0, 3) == 0 and estimates.power_to_equate(1, 0, 3) == 1


def test_exceeding_seed_by_seed_is_scipy_s_paired_test():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(200):
        a, b = rng.normal(0.5, 0.5, 3), rng.normal(0, 0.5, 3)
        paired = stats.ttest_rel(a, b)
        found.append(estimates.exceeds(a.tolist(), b.tolist()))
        assert found[-1] == (paired.confidence_interval(0.95).low > 0)
    assert 0 < sum(found) < 200
    assert estimates.exceeds([0.2], [0.1]) and not estimates.exceeds([0.1], [0.1])
    with pytest.raises(ValueError):
        estimates.exceeds([0.1, 0.2], [0.1])
