"""Import Keras without the messages that its backend prints at startup; the device it uses."""

import contextlib
import logging
import os
import sys
import warnings

from Code.foundation.waiting import while_waiting


def import_keras():
    """Import Keras, load its backend and use its first device once, with nothing printed.

    On a GPU, TensorFlow takes memory as it needs it and not all at once, so that other programs
    have some.
    """
    with quietly():
        import keras

        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            with contextlib.suppress(RuntimeError):  # it is too late once a device was used
                for gpu in tf.config.list_physical_devices("GPU"):
                    tf.config.experimental.set_memory_growth(gpu, True)
            tf.constant(0)  # TensorFlow prints at the first use of a device
            logging.getLogger("tensorflow").setLevel(logging.ERROR)
    return keras


@contextlib.contextmanager
def quietly():
    """A context in which importing Keras prints nothing; a terminal shows what one waits for."""
    first = "keras" not in sys.modules
    told = while_waiting("Loading Keras and its backend…") if first else contextlib.nullcontext()
    with told, warnings.catch_warnings(), _stderr_closed():
        warnings.simplefilter("ignore")
        yield


def device():
    """The device on which Keras computes in this process: ``"CPU"``, or the name of a GPU."""
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        found = tf.config.list_physical_devices("GPU")
        if not found:
            return "CPU"
        return tf.config.experimental.get_device_details(found[0]).get("device_name", "GPU")
    if backend == "jax":
        import jax

        first = jax.devices()[0]
        return "CPU" if first.platform == "cpu" else first.device_kind
    if backend == "torch":
        import torch

        return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "CPU"
    return "unknown"


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
