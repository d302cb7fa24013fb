"""What a caption says of a picture is what the row draws."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from Code.experiments.table import EXPERIMENTS, TABLE
from Code.reporting.numbers import pm
from Code.reporting.pictures import FILTERS, counted

# A row of each variant that draws filters, units or entries, and those with all of them drawn
DRAWN = {
    "sdae-1k": (64, 500),
    "rbm-deep": (64, 1000),
    "sparse-k10": (96, 1000),
    "sparse-kl-16": (96, 256),
    "overcomplete-l1": (96, 1024),
    "tied-linear": (10, 10),
    "contractive": (96, 1000),
    "conv-stacked-1k": (16, 16),
    "beta-vae-16": (10, 16),
    "factor-vae-2": (2, 2),
    "vq-vae-2": (100, 512),
}


def of_row(row):
    """A result as far as it is asked for."""
    return SimpleNamespace(variant=row.variant, settings=dict(row.settings))


def test_every_variant_with_filters_is_looked_at():
    assert {EXPERIMENTS[name].variant for name in DRAWN} >= {*FILTERS, "conv"}


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWN)
def test_as_many_are_counted_as_are_drawn(name, mnist):
    from Code.training.procedure import build

    row = EXPERIMENTS[name]
    # What a training alone is told
    settings = {k: v for k, v in row.settings.items() if k not in ("n_train", "n_labels")}
    model = build(replace(row, settings=settings), mnist)
    views = model.views(mnist.x_test[:20] / 255, mnist.y_test[:20])
    for kind, each in (("filters", 1), ("traversal", 10), ("codebook", 1)):
        if kind in views:
            found = counted(of_row(row), f"{kind}.png")
            assert found == DRAWN[name] and found[0] * each == len(views[kind])


@pytest.mark.parametrize(("name", "found"), DRAWN.items())
def test_the_numbers_are_those_of_the_settings(name, found):
    row = EXPERIMENTS[name]
    files = [f"{kind}.png" for kind in ("filters", "traversal", "codebook")]
    assert found in [counted(of_row(row), file) for file in files]
    assert counted(of_row(row), "code.png") is None


def test_no_number_is_told_where_the_settings_do_not_tell_it():
    for variant in (*FILTERS, "conv", "vq_vae", "one of the user's own"):
        bare = SimpleNamespace(variant=variant, settings={})
        files = ("filters.png", "traversal.png", "codebook.png", "loss.png")
        assert [counted(bare, file) for file in files] == [None] * 4
    assert all(counted(of_row(row), "structure.png") is None for row in TABLE)


def test_a_number_of_units_has_the_decimals_asked_for():
    found = SimpleNamespace(metric="active_units", mean=35 / 3, std=1.1547)
    assert pm(found, 1) == "11.7 ±\N{NO-BREAK SPACE}1.2" and pm(found).startswith("11.67 ±")
    found.std = None
    assert pm(found, 1) == "11.7"
