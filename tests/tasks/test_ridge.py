"""The best linear map: scikit-learn's, with the strength that held-out images ask for."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from Code.parts.images import to_unit
from Code.tasks.ridge import ridge


@pytest.fixture(scope="module")
def pairs(mnist):
    clean = to_unit(mnist.x_train[:1200])
    rng = np.random.default_rng(0)
    return clean + 0.5 * rng.standard_normal(clean.shape, np.float32), clean


def test_it_is_that_of_scikit_learn(pairs):
    given, clean = (part.reshape(1200, -1) for part in pairs)
    centred = given[200:] - given[200:].mean(axis=0)
    strength = 0.1 * np.square(centred).sum() / centred.shape[1]
    expected = Ridge(strength).fit(given[200:], clean[200:]).predict(given[:50])
    found = ridge(*pairs, strengths=(0.1,))(pairs[0][:50])
    assert found.shape == (50, 28, 28)
    assert np.allclose(found.reshape(50, -1), np.clip(expected, 0, 1), atol=1e-3)


def test_the_strength_is_the_best_on_the_held_out_sixth(pairs):
    given, clean = pairs
    errors = {
        s: np.square(ridge(given, clean, (s,))(given[:200]) - clean[:200]).mean()
        for s in (1e-3, 1.0, 30.0)
    }
    chosen = ridge(given, clean, tuple(errors))(given[:200])
    assert np.square(chosen - clean[:200]).mean() == min(errors.values())
    assert min(errors, key=errors.get) == 1.0


def test_a_linear_map_is_found(pairs):
    clean = pairs[1][:, 8:20, 8:20]
    mirrored = ridge(clean, clean[:, ::-1])(clean)
    assert np.allclose(mirrored, clean[:, ::-1], atol=0.02)


def test_few_images_and_images_all_alike(digits):
    assert ridge(digits[:1], digits[:1])(digits) == pytest.approx(np.repeat(digits[:1], 16, 0))
    alike = np.repeat(digits[:1], 30, axis=0)
    assert ridge(alike, alike)(alike) == pytest.approx(alike, abs=1e-5)
