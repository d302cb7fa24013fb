"""Import Keras without the messages that its backend prints at startup."""

import contextlib
import logging
import os
import warnings


def import_keras():
    """Import Keras, load its backend and use its first device once, with nothing printed."""
    with warnings.catch_warnings(), _stderr_closed():
        warnings.simplefilter("ignore")
        import keras

        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            tf.constant(0)  # TensorFlow prints at the first use of a device
            logging.getLogger("tensorflow").setLevel(logging.ERROR)
    return keras


@contextlib.contextmanager
def _stderr_closed():
    """Discard what is written to file descriptor 2: the backend's C++ code bypasses Python."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
