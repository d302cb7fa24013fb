"""Every variant trains on JAX and on PyTorch, with TensorFlow out of reach, and learns the same.

One process a backend trains all of them (`tests.backend_course`); one on TensorFlow says what they
should come to.
"""

import importlib
import inspect
import json
import math
import os
import subprocess
import sys
from functools import cache

import pytest

from tests.backend_course import DIGITS, EPOCHS, VARIANTS

pytestmark = pytest.mark.slow
BACKENDS = ("jax", "torch")
THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


@pytest.fixture(scope="module")
def courses(root, tmp_path_factory):
    """A function: what the courses of a backend came to, ``{name: found}``."""
    folder = tmp_path_factory.mktemp("courses")

    @cache
    def of(backend):
        here = folder / backend
        here.mkdir()
        command = [sys.executable, "-m", "tests.backend_course", str(here)]
        if backend != "tensorflow":
            of("tensorflow")
            command += ["--given", str(folder / "tensorflow")]
        environment = {
            **{name: value for name, value in os.environ.items() if name != "XLA_FLAGS"},
            **dict.fromkeys(THREADS, "1"),
            "KERAS_BACKEND": backend,
            "CUDA_VISIBLE_DEVICES": "",
            "JAX_PLATFORMS": "cpu",
            # Compiled for a few steps each
            "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return {row["name"]: row for row in rows}

    return of


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.needs(name)) for name in BACKENDS])
def backend(request):
    return request.param


@pytest.fixture(params=VARIANTS)
def found(request, backend, courses):
    """What a variant's course came to on one of the backends."""
    found = courses(backend)[request.param]
    assert "error" not in found, found["error"]
    return found


@pytest.fixture
def expected(found, courses):
    """The same of TensorFlow."""
    expected = courses("tensorflow")[found["name"]]
    assert "error" not in expected, expected["error"]
    return expected


def judged_by(found):
    """The term that falls: a codebook that learns by gradient lags behind its code at first."""
    return "reconstruction" if "a codebook a unit" in found["name"] else "loss"


def compared(found, term):
    """Where a course has come to by the end.

    Of a network that chooses entries by codes which are normalised over a batch it is the end of
    the first epoch: a choice that rounding decides changes all later steps, of every image.
    """
    if found["name"].startswith("normalised vq-vae"):
        return found["history"][f"val_{term}"][0]
    return found["after"][term]


def test_no_variant_is_left_out(root):
    """Every class of a variant that can be built has a row."""
    import keras

    from Code.base import PACKAGE, BaseAutoencoder
    from Code.foundation.names import load

    for path in sorted((root / "Code").glob("*.py")):
        importlib.import_module(f"Code.{path.stem}")
    classes = {
        cls
        for name, cls in keras.saving.get_custom_objects().items()
        if name.startswith(f"{PACKAGE}>")
        and cls.__module__.startswith("Code.")
        and inspect.isclass(cls)
        and issubclass(cls, BaseAutoencoder)
    }
    assert len(classes) > 20
    assert classes - {load(path) for path, _ in VARIANTS.values()} == set()


def test_it_trains(found):
    for terms in (found["before"], found["after"], found.get("diagnostics", {})):
        assert all(map(math.isfinite, terms.values())), terms
    term = judged_by(found)
    assert found["after"][term] < found["before"][term]
    assert len(found["history"]["val_loss"]) == EPOCHS
    if "level" in found:
        assert found["level"][-1] < found["level"][0]


def test_shapes_are_those_of_tensorflow(found, expected):
    for name in ("output", "code", "code wanted", "decoded", "views"):
        assert found.get(name) == expected.get(name)
    if "code" in found:
        assert found["code"][1:] == found["code wanted"]
        assert found["decoded"] == [DIGITS, 28, 28]


def test_the_same_weights_move(found, expected):
    """A discriminator, a book or a learned variance that stands still would show here."""
    assert found["moved"] == expected["moved"]


def test_it_learns_what_it_learns_on_tensorflow(found, expected):
    """The same first weights and order of images lead to the same losses, where nothing is drawn.

    Noise comes from each backend's own generator: there only the names of what is measured are the
    same, and `test_it_trains` asks that the loss falls.
    """
    assert found["noise"] == expected["noise"]
    if not found["noise"]:
        term = judged_by(expected)
        before, after = expected["before"][term], compared(expected, term)
        assert compared(found, term) == pytest.approx(after, abs=1e-3 * (before - after))
    for name in ("history", "diagnostics"):
        assert found.get(name, {}).keys() == expected.get(name, {}).keys()


def test_saved_and_loaded_predicts_the_same(found):
    assert found["reloaded"] < 1e-5


def test_a_model_saved_on_tensorflow_predicts_the_same(found):
    assert found["given"] < 1e-4
