"""Import Keras without the lines that its backend prints at start."""

import contextlib
import logging
import os
import warnings


def import_keras():
    """Keras, its backend loaded and its first device used, with nothing printed."""
    with warnings.catch_warnings(), _stderr_closed():
        warnings.simplefilter("ignore")
        import keras

        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            tf.constant(0)  # the first use of a device is what prints
            logging.getLogger("tensorflow").setLevel(logging.ERROR)
    return keras


@contextlib.contextmanager
def _stderr_closed():
    """File descriptor 2 to nowhere: the backend's C++ code prints past Python."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
