"""How NumPy and TensorFlow compute in a process of a run: one thread, and the fastest kernels.

With one thread the result of a run does not depend on how many runs are in parallel. Small
networks also gain more from several processes than from several threads: on two cores, two
processes of two threads each wait for one another.
"""

import os
from importlib.metadata import PackageNotFoundError, version

# NumPy and TensorFlow read these only once, when they are loaded
ONE_THREAD = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
# XLA's small matrix products by YNNPACK, as JAX has them. It was measured to save up to a sixth
# of an epoch with AVX2 and a twentieth with AVX-512. XLA ends a process whose flag it does not
# know, so only the version that the project pins gets it
YNNPACK = "--xla_cpu_experimental_ynn_fusion_type"
KINDS = "dot,reduce"
KNOWN_TO = "2.21."


def prepare():
    """Set the environment of this process and of those that it starts.

    To be called before TensorFlow is loaded, and in none but the project's own processes: another
    program may want its threads, and have a second XLA that does not know the flag.
    """
    os.environ.update(ONE_THREAD)
    set_xla_flags()


def set_xla_flags():
    """Let XLA take the fastest kernels that it has, before it compiles anything in this process."""
    if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
        flags = xla_flags(os.environ.get("XLA_FLAGS", ""), _tensorflow_version())
        if flags:
            os.environ["XLA_FLAGS"] = flags


def xla_flags(given, tensorflow_version):
    """The flags for XLA: those that are ``given``, and YNNPACK's where they do not name it."""
    if YNNPACK in given or not tensorflow_version.startswith(KNOWN_TO):
        return given
    return f"{given} {YNNPACK}={KINDS}".strip()


def _tensorflow_version():
    try:
        return version("tensorflow")
    except PackageNotFoundError:
        return ""
