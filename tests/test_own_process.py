"""The environment in which a run computes."""

import os
import subprocess
import sys

import numpy as np
import pytest

from Code.foundation.own_process import KINDS, YNNPACK, xla_flags

FLAG = f"{YNNPACK}={KINDS}"


@pytest.mark.parametrize(
    ("given", "tensorflow_version", "flags"),
    [
        ("", "2.21.0", FLAG),
        ("--xla_dump_to=here", "2.21.1", f"--xla_dump_to=here {FLAG}"),
        (f"{YNNPACK}=", "2.21.0", f"{YNNPACK}="),
        ("", "2.22.0", ""),
        ("--xla_dump_to=here", "", "--xla_dump_to=here"),
    ],
)
def test_a_flag_is_added_only_where_it_is_known_and_not_given(given, tensorflow_version, flags):
    assert xla_flags(given, tensorflow_version) == flags


PROGRAM = """
import sys
from Code.foundation.own_process import prepare
prepare()
import tensorflow as tf
x = tf.random.stateless_normal((64, 784), [1, 2])
w = tf.random.stateless_normal((784, 128), [3, 4])
f = tf.function(lambda x, w: tf.nn.relu(x @ w), jit_compile=True)
f(x, w).numpy().tofile(sys.argv[1])
"""


@pytest.mark.slow
def test_the_products_are_the_same_but_for_rounding(root, tmp_path):
    """And it is another way to them: were they equal to the bit, the flag would do nothing."""
    found = {}
    for name, flags in (("as it is", ""), ("without", f"{YNNPACK}=")):
        file = tmp_path / name
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(file)],
            cwd=root,
            env={**os.environ, "XLA_FLAGS": flags},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        found[name] = np.fromfile(file, np.float32)
    assert not np.array_equal(found["as it is"], found["without"])
    np.testing.assert_allclose(found["as it is"], found["without"], atol=1e-3)
