"""Autoencoders from 1986 to today, trained and compared on MNIST."""

import os
import sys

from Code.foundation.errors import WRONG_INPUT
from Code.foundation.moved import answer_to_old_names, way_to

# Hide TensorFlow's messages about the processor, which do not help the user
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

answer_to_old_names()
# While Python searches for the module of `python -m`, sys.argv[0] is "-m"
if sys.argv[:1] == ["-m"] and (line := way_to(sys.orig_argv)):
    print(line, file=sys.stderr)
    sys.exit(WRONG_INPUT)
