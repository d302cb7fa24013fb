"""Autoencoders from 1986 to today, trained and compared on MNIST."""

import os
import re
import subprocess
import sys

from Code.foundation.errors import WRONG_INPUT
from Code.foundation.keras_import import quietly
from Code.foundation.moved import answer_to_old_names, command_now, module_asked, way_to

# Hide TensorFlow's messages about the processor, which do not help the user
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# TensorFlow takes oneDNN's convolutions by itself on a few processors only; on others too they
# halve the time of a convolutional network
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

answer_to_old_names()
# While Python searches for the module of `python -m`, sys.argv[0] is "-m"
if sys.argv[:1] == ["-m"]:
    if line := way_to(sys.orig_argv):
        print(line, file=sys.stderr)
        now = command_now(sys.orig_argv)
        # A process of its own, since Python has begun to look for the old module
        sys.exit(WRONG_INPUT if now is None else subprocess.call([sys.executable, *now[1:]]))
    # A variant's module imports Keras before its command line could silence it
    if re.fullmatch(r"Code\.(?!use$)\w+", module_asked(sys.orig_argv) or ""):
        with quietly():
            import keras  # noqa: F401
