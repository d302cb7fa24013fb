"""Many units on few cores: side by side through joblib, the longest first, skipping the finished.

joblib's own backends carry the same call to a Dask or a Ray cluster; there is no scheduler here.
"""

import fcntl
import json
import os
from contextlib import contextmanager
from pathlib import Path

from Code.training.machine import cores, memory_gb
from Code.training.progress import DEFAULT_WEIGHT
from Code.training.store import Store
from Code.training.unit import ONE_THREAD, work

# One worker with TensorFlow, the data and an epoch's buffers; measured at most 2.1 GB
GB_PER_JOB = 3.0
CRASHES_ALLOWED = 1


class OutputInUse(RuntimeError):
    """Another run is writing to the output folder."""


def default_jobs():
    """As many runs side by side as there are cores, fewer where memory would not hold them."""
    return max(1, min(cores(), int(memory_gb() / GB_PER_JOB)))


def expected_seconds(unit):
    """Expected seconds of a unit: what its last run took, here or where it was committed.

    The committed results count even for another output folder: only the ratios between the units
    matter, for the order and for the time left.
    """
    for output in (unit.output, "output"):
        try:
            result = json.loads(Path(output, unit.name, "result.json").read_text(encoding="utf-8"))
            return max(sum(result["seconds_in_all"]) / len(result["seconds_in_all"]), 1.0)
        except (OSError, ValueError, KeyError, ZeroDivisionError):
            continue
    return DEFAULT_WEIGHT


def run_units(units, fingerprints, jobs, on_done):
    """Run units side by side; call ``on_done(unit, failure)`` as each ends.

    A worker that is killed (by the kernel, for want of memory) takes down those beside it; what
    was not finished runs again, and a unit that was under way in two crashes counts as failed.

    Parameters
    ----------
    units : list of ``Unit``, in the order in which to begin them.
    fingerprints : the identity of each unit, by (name, seed).
    jobs : runs side by side.
    """
    from joblib import Parallel, delayed, parallel_config
    from joblib.externals.loky import get_reusable_executor
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    os.environ.update(ONE_THREAD)
    waiting, crashes = list(units), {}
    while waiting:
        ended = set()
        for unit in waiting:
            _progress_file(unit).unlink(missing_ok=True)
        try:
            with parallel_config(backend="loky", n_jobs=jobs, inner_max_num_threads=1):
                results = Parallel(return_as="generator_unordered", pre_dispatch="all")(
                    delayed(_work_and_say_which)(i, unit, fingerprints[unit.name, unit.seed])
                    for i, unit in enumerate(waiting)
                )
            for i, failure in results:
                ended.add(i)
                on_done(waiting[i], failure)
        except TerminatedWorkerError:
            pass
        except KeyboardInterrupt:
            get_reusable_executor().shutdown(wait=False, kill_workers=True)
            raise
        left = []
        for i, unit in enumerate(waiting):
            if i in ended:
                continue
            if _progress_file(unit).exists():
                key = unit.name, unit.seed
                crashes[key] = crashes.get(key, 0) + 1
                if crashes[key] > CRASHES_ALLOWED:
                    on_done(unit, "its worker was killed twice; too little memory? try --jobs 1")
                    continue
            left.append(unit)
        waiting = left


def _work_and_say_which(i, unit, fingerprint):
    return i, work(unit, fingerprint)


def _progress_file(unit):
    return Store(unit.output).progress_file(unit.name, unit.seed)


@contextmanager
def sole_use(output):
    """Hold the output folder for this process.

    Raises
    ------
    OutputInUse
        If another process holds it.
    OSError
        If the folder cannot be made or written to.
    """
    scratch = Store(output).scratch
    scratch.mkdir(parents=True, exist_ok=True)
    with open(scratch / "lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputInUse(
                f"another run is writing to {output}; wait for it or give another --output"
            ) from None
        yield
