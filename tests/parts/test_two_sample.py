"""What the two-sample test sees, and what it does not, beside the best possible classifier."""

import numpy as np
import pytest

from Code.parts.two_sample import PRIOR_MET, classifier_accuracy, energy_distance, moments_matched

N = 4000


def best_accuracy(units, scale):
    """Of the likelihood ratio between N(0, scale² I) and N(0, I), by simulation."""
    rng = np.random.default_rng(1)
    wide, plain = scale * rng.standard_normal((N, units)), rng.standard_normal((N, units))

    def says_wide(x):
        return (x**2).sum(axis=1) * (1 - scale**-2) / 2 > units * np.log(scale)

    return (says_wide(wide).mean() + (~says_wide(plain)).mean()) / 2


def codes(units, scale, seed=0):
    rng = np.random.default_rng(seed)
    return scale * rng.standard_normal((N, units)), rng.standard_normal((N, units))


@pytest.mark.parametrize("scale", [0.8, 1.3])
def test_with_two_units_it_sees_a_wrong_scale_as_well_as_can_be(scale):
    assert classifier_accuracy(*codes(2, scale)) > best_accuracy(2, scale) - 0.03


@pytest.mark.parametrize("scale", [0.8, 1.3])
def test_with_many_units_it_hardly_sees_a_wrong_scale_but_the_energy_distance_does(scale):
    """As the methods say of rule 11."""
    assert best_accuracy(16, scale) > 0.7
    assert classifier_accuracy(*codes(16, scale)) < 0.55
    equal = [abs(energy_distance(*codes(16, 1.0, seed))) for seed in range(5)]
    assert energy_distance(*codes(16, scale)) > 5 * max(equal)


def test_with_many_units_it_sees_clusters():
    rng = np.random.default_rng(0)
    centres = 1.5 * rng.standard_normal((10, 16))
    clustered = centres[rng.integers(0, 10, N)] + 0.3 * rng.standard_normal((N, 16))
    draws = rng.standard_normal((N, 16))
    assert classifier_accuracy(moments_matched(clustered, draws), draws) > PRIOR_MET + 0.1
