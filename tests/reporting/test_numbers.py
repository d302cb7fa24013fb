"""Figures as the pages print them."""

import pytest

from Code.reporting.numbers import as_read


@pytest.mark.parametrize(
    ("value", "metric", "text"),
    [
        (0.0701895, "loss", "0.0702"),
        (145.122, "loss", "145.12"),
        (145.1, "loss", "145.1"),
        (0.953, "accuracy", "0.953"),
        (86.76, "nll", "86.76"),
    ],
)
def test_a_published_figure_has_no_more_decimals_than_ours(value, metric, text):
    assert as_read(value, metric) == text
