"""The software versions and the machine with which a result was measured."""

import glob
import os
import platform
from importlib.metadata import version
from pathlib import Path

from Code.foundation.keras_import import device

UNKNOWN_MEMORY = 8.0
PACKAGES = ("tensorflow", "keras", "numpy", "scikit-learn", "matplotlib")


def versions():
    """Versions of Python and of the packages that results and figures depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def machine():
    """Processor, cores that this process may use, memory in GB, operating system and device.

    The device is the one on which Keras computes, ``"CPU"`` or a GPU's name.
    """
    return {
        "cpu": _cpu(),
        "cores": cores(),
        "memory_gb": round(memory_gb(), 1),
        "system": f"{platform.system()} {platform.machine()}",
        "device": device(),
    }


def cores():
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def has_gpu():
    """Whether there is an NVIDIA GPU that this process may use; no framework is loaded for it."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in ("", "-1")
    return bool(glob.glob("/dev/nvidia[0-9]*")) and not hidden


def memory_gb():
    """Memory in GB that this process may use: the machine's memory or the container's limit.

    Where the system does not tell it (Windows), 8.
    """
    if not hasattr(os, "sysconf"):
        return UNKNOWN_MEMORY
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.is_file() and (text := limit.read_text(encoding="utf-8").strip()).isdigit():
        total = min(total, int(text))
    return total / 1e9


def _cpu():
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"
