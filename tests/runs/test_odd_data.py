"""Uses of data other than ten kinds of grey digits: what can be measured is, others say why."""

import numpy as np
import pytest

from Code.data.datasets import Dataset
from Code.runs import use_units
from Code.tasks import USES, generate, segment
from Code.tasks.task import not_for
from Code.vae import VAE

LABELLED = {"cluster", "features", "style"}
GREY = {"disentangle", "segment", "style"}
# What each kind of data cannot be used for; of one image there is nothing to compare
LEFT_OUT = {
    "no labels, colour, odd sides": LABELLED | GREY | {"resize"},
    "one class": LABELLED,
    "26 classes": set(),
    "4×4 pixels": set(),
    "black": {"segment"},
    "four images": set(),
    "one image": LABELLED | {"reduce", "generate"},
}


def coloured(images):
    """Images of different colours."""
    hues = np.random.default_rng(0).random((len(images), 1, 1, 3))
    return (images[..., None] * hues).astype(np.uint8)


def data_of(kind, mnist):
    """A few images of a kind."""
    x, y, xt, yt = mnist.x_train[:80], mnist.y_train[:80], mnist.x_test[:40], mnist.y_test[:40]
    if kind == "no labels, colour, odd sides":
        x, xt = (coloured(part[:, :27, :25]) for part in (x, xt))
        return Dataset("odd", x, None, xt, None, kind, ())
    classes = tuple("0123456789")
    if kind == "one class":
        y, yt, classes = np.zeros_like(y), np.zeros_like(yt), ("all",)
    if kind == "26 classes":
        y, yt = np.arange(len(y)) % 26, np.arange(len(yt)) % 26
        classes = tuple("abcdefghijklmnopqrstuvwxyz")
    if kind == "4×4 pixels":
        x, xt = x[:, ::7, ::7], xt[:, ::7, ::7]
    if kind == "black":
        x, xt = np.zeros_like(x), np.zeros_like(xt)
    if kind == "one image":
        x, y, xt, yt = x[:1], y[:1], xt[:1], yt[:1]
    if kind == "four images":
        x, y, xt, yt = x[:4], y[:4], xt[:4], yt[:4]
    return Dataset("odd", x, y, xt, yt, kind, classes)


@pytest.fixture
def brief(monkeypatch):
    """A reader of few steps, and few samples and pictures."""
    monkeypatch.setattr(generate, "READER_STEPS", 20)
    monkeypatch.setattr(generate, "N_SAMPLES", 100)
    monkeypatch.setattr(segment, "N_TEST", 4)


QUICK = ("no labels, colour, odd sides",)
KINDS = [k if k in QUICK else pytest.param(k, marks=pytest.mark.slow) for k in LEFT_OUT]


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_each_use_that_can_be_measured_is(kind, mnist, brief, seeded):
    data = data_of(kind, mnist)
    model = VAE(image_shape=data.image_shape, hidden=(16,), code_dim=4)
    left_out = set()
    for use in USES:
        module = use_units.module_of(use)
        if not_for(module, data) is not None:
            left_out.add(use)
            continue
        try:
            measured = module.measure(model, data, 0)
        except ValueError as error:
            assert str(error), use
            left_out.add(use)
            continue
        assert use_units.finite(measured.values), use
        module.figure({"model": measured})
    assert left_out == LEFT_OUT[kind]


@pytest.mark.slow
@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("kind", [*list(LEFT_OUT)[:3], "black", "four images"])
def test_the_rivals_of_each_use_are_measured(kind, mnist, brief, seeded):
    data = data_of(kind, mnist)
    for use in set(USES) - LEFT_OUT[kind]:
        module = use_units.module_of(use)
        for name, measured in module.baselines(data, 0).items():
            # What is filled without an error has an infinite ratio
            perfect = kind == "black" and use == "fill"
            assert perfect or use_units.finite(measured.values), (use, name)
