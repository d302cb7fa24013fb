"""What only some machines have, and the tests that need it.

A test marked ``needs("onnx")`` runs where the extra is there. Elsewhere all the tests of an extra
are one skip; where everything is asked for (``EVERYTHING=1``, as in ``.ci/run``) they fail.
"""

import os
import shutil
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

EVERYTHING = os.environ.get("EVERYTHING") == "1"
# Where everything is asked for, so many tests may still be skipped: what no machine can be given
MOST_SKIPPED = 5
ROOT = Path(__file__).resolve().parents[1]
NODE = shutil.which("node")
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


def explorer_tools():
    """The folder whose ``node_modules`` hold playwright-core, or None."""
    named = os.environ.get("EXPLORER_TOOLS")
    places = [Path(named)] if named else [ROOT, ROOT.parent]
    return next((p for p in places if (p / "node_modules" / "playwright-core").is_dir()), None)


def installed(*packages):
    """A function that says whether these packages can be imported; it looks once."""
    return cache(lambda: all(find_spec(package) for package in packages))


EXTRAS = {
    "jax": installed("jax"),
    "torch": installed("torch"),
    "onnx": installed("tf2onnx", "onnxruntime"),
    "tensorboard": installed("tensorboard"),
    "dask": installed("distributed"),
    "browser": cache(lambda: bool(NODE and CHROMIUM and explorer_tools())),
}


def sorted_by_extras(items):
    """The tests to run and those left out, since an extra is missing; of each extra one is a skip.

    Where everything is asked for, none is left out: `fail_without_extra` lets them fail.
    """
    if EVERYTHING:
        return items, []
    kept, left_out, first = [], [], {}
    for item in items:
        missing = missing_of(item)
        if not missing:
            kept.append(item)
        elif missing not in first:
            first[missing] = item
            kept.append(item)
        else:
            left_out.append(item)
    for missing, item in first.items():
        n = 1 + sum(missing_of(other) == missing for other in left_out)
        item.add_marker(pytest.mark.skip(reason=f"{missing} is not installed: {n} tests"))
    return kept, left_out


def missing_of(item):
    """The extra that a test needs and that is not there, or None."""
    needed = [name for mark in item.iter_markers("needs") for name in mark.args]
    return next((name for name in needed if not EXTRAS[name]()), None)


def fail_without_extra(item):
    """Let a test fail that needs what is not there, where everything is asked for."""
    if EVERYTHING and (missing := missing_of(item)):
        pytest.fail(f"{missing} is not installed: tests/requirements-everything.txt, .ci/run")
