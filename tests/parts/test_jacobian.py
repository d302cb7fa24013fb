"""The Jacobian's norm over the code's variance."""

import numpy as np
import pytest

from Code.ae import AE
from Code.contractive import Contractive
from Code.parts.jacobian import measured_relative_norm, relative_norm


def test_a_linear_code_against_its_closed_form():
    rng = np.random.default_rng(0)
    kernel, x = rng.normal(size=(6, 3)), rng.normal(size=(500, 6))
    codes = x @ kernel
    norms = np.full(500, np.square(kernel).sum())
    expected = np.square(kernel).sum() / np.trace(np.cov(codes.T, bias=True))
    assert relative_norm(norms, codes) == pytest.approx(expected)


def test_shrinking_the_code_changes_the_norm_and_not_the_relative_one(digits, seeded):
    model = Contractive(hidden=(20,), code_dim=3)
    found = [model.diagnostics(digits, None)]
    layer = model.encoder.get_layer("code")
    layer.set_weights([0.1 * weight for weight in layer.get_weights()])
    found.append(model.diagnostics(digits, None))
    absolute, relative = (
        [f[name] for f in found] for name in ("squared_jacobian_norm", "relative_jacobian_norm")
    )
    assert absolute[1] == pytest.approx(0.01 * absolute[0], rel=1e-4)
    assert relative[1] == pytest.approx(relative[0], rel=1e-4)


def test_by_differentiation_it_is_the_closed_form_s(digits, seeded):
    model = Contractive(hidden=(20,), code_dim=3)
    closed = model.diagnostics(digits, None)["relative_jacobian_norm"]
    found = measured_relative_norm(model.encoder, digits, model.encode(digits), batch_size=5)
    assert found == pytest.approx(closed, rel=1e-4)


def test_a_constant_code_has_none(digits, seeded):
    model = AE(code_dim=2)
    model.encoder.set_weights([0 * weight for weight in model.encoder.get_weights()])
    assert np.isnan(measured_relative_norm(model.encoder, digits, model.encode(digits)))
