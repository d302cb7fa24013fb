import pytest

from Code.reporting.differences import alike, compare
from Code.reporting.results import load_results


def test_the_margin_is_two_standard_errors(write_output):
    results = load_results(write_output())
    a, b = (results[n].measure("loss", "train") for n in ("ae-tanh", "ae-relu"))
    difference = compare(a, b)
    assert difference.margin == pytest.approx(2 * ((a.std**2 + b.std**2) / 3) ** 0.5)
    assert difference.direction == "lower"
    assert compare(b, a).direction == "higher"
    assert compare(a, a).direction == "same"
    assert compare(a, None) is None


def test_only_experiments_that_differ_in_nothing_else_are_compared(root):
    results = load_results(root / "output")
    emphasis = ("alpha", "beta")
    assert alike(results, "emphasised", "emphasised-plain", *emphasis)
    assert not alike(results, "emphasised", "emphasised-plain", "alpha")
    assert not alike(results, "emphasised-16", "emphasised-plain", *emphasis)
    assert not alike(results, "emphasised", "not-there", *emphasis)
    text = (root / "report" / "report.md").read_text(encoding="utf-8")
    (full, other) = (
        next(line for line in text.splitlines() if line.startswith(f"- `{name}`: MSE of the over"))
        for name in ("emphasised-full", "emphasised-16")
    )
    assert "Without emphasis" in full and "Without emphasis" not in other
