"""What several tests use that is no fixture."""

import contextlib
import io
import os
import subprocess
import sys

import pytest

from Code.commands import run_all, use


def examples(n, few=None):
    """So many examples of a kind of input; where slow tests are left out ``few``, or a fifth."""
    if os.environ.get("SLOW_TESTS"):
        return n
    return n // 5 if few is None else few


def some(values, *soon):
    """Parameters, of which all but the named ones are for the slow tests."""
    return [v if v in soon else pytest.param(v, marks=pytest.mark.slow) for v in values]


def trains_on(model, *data, **how):
    """With the slow tests: a loaded model can be trained on.

    The others see it of the variants that have optimisers of their own; each trace takes a second.
    """
    if os.environ.get("SLOW_TESTS"):
        model.fit(*data, epochs=1, verbose=0, **how)


def run_use(name, arguments):
    """``python -m Code.use name arguments`` in this process; it ends by SystemExit as that does."""
    sys.exit(use.main([name, *map(str, arguments)]))


def called(main, *words):
    """A command in this process, which has TensorFlow loaded; what it said, and its exit status."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            status = main([str(word) for word in words])
        except SystemExit as ended:
            status = ended.code
    return subprocess.CompletedProcess(words, status or 0, out.getvalue(), errors.getvalue())


def run_here(*words):
    """``run_all.py words`` in this process: with ``--jobs 1`` it trains here too."""
    return called(run_all.main, *words)
