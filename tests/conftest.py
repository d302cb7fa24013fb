"""Real MNIST for every test, in small portions."""

import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from Code.foundation.own_process import prepare  # noqa: E402

# As the processes of a run, with whose numbers those of the tests are compared
prepare()

import numpy as np  # noqa: E402
import pytest  # noqa: E402

from Code.data.datasets import load_dataset  # noqa: E402
from Code.parts.images import to_unit  # noqa: E402
from tests.extras import EVERYTHING, MOST_SKIPPED, fail_without_extra, sorted_by_extras  # noqa: E402

# The files that take longest begin first, so that no core waits for the other at the end
LONGEST = (
    "test_other_backends.py",
    "test_run_all.py",
    "test_colour.py",
    "test_reliability.py",
    "test_add_a_variant.py",
    "test_walkthrough.py",
    "test_guide.py",
    "test_use.py",
    "test_variants.py",
    "test_whole_epoch.py",
    "test_cluster.py",
    "test_anomaly.py",
    "test_generate.py",
)


def pytest_configure(config):
    if config.option.markexpr != "not slow":
        os.environ["SLOW_TESTS"] = "1"


def pytest_collection_modifyitems(config, items):
    place = {name: i for i, name in enumerate(LONGEST)}

    def order(item):
        # Every variant's file trains, and many of the others do not
        return place.get(item.path.name, len(place) + (item.path.parent.name != "variants"))

    items.sort(key=order)
    items[:], left_out = sorted_by_extras(items)
    if left_out:
        config.hook.pytest_deselected(items=left_out)


def pytest_runtest_setup(item):
    fail_without_extra(item)


def pytest_sessionfinish(session):
    """Where everything is asked for, many skips are a failure."""
    if EVERYTHING and not hasattr(session.config, "workerinput"):
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if len(reporter.stats.get("skipped", ())) > MOST_SKIPPED:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def xla_where_it_is_asked_for(request, monkeypatch):
    """In tests marked ``xla`` the shortest training counts as long enough for XLA.

    Compiling takes longer than most of them train: where slow tests are left out, only those marked
    ``xla(always=True)`` wait for it.
    """
    mark = request.node.get_closest_marker("xla")
    if mark and (os.environ.get("SLOW_TESTS") or mark.kwargs.get("always")):
        from Code.parts import whole_epoch

        monkeypatch.setattr(whole_epoch, "STEPS_WORTH_XLA", 0)


@pytest.fixture(scope="session")
def root():
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def mnist():
    """The whole of MNIST."""
    return load_dataset("mnist")


@pytest.fixture(scope="session")
def digits(mnist):
    """Sixteen test digits as floats in [0, 1]."""
    return to_unit(mnist.x_test[:16])


@pytest.fixture
def seeded():
    """Keras with its seed set."""
    import keras

    keras.utils.set_random_seed(0)
    return keras


@pytest.fixture
def xla_of(monkeypatch):
    """Whether `fit` lets XLA compile a model's training of so many steps; nothing is trained."""
    import keras

    decided = []
    monkeypatch.setattr(
        keras.Model, "fit", lambda model, *a, **k: decided.append(model.jit_compile)
    )

    def of(model, steps, **how):
        model.compile(**how)
        model.fit(np.zeros((1, 28, 28), np.float32), np.zeros(1, int), batch_size=1, epochs=steps)
        return decided.pop()

    return of
