"""Many units on few cores: side by side through joblib, the longest first, skipping the finished.

joblib's own backends carry the same call to a Dask or a Ray cluster; there is no scheduler here.
"""

import fcntl
import json
import os
import random
import sys
from contextlib import contextmanager
from pathlib import Path

from Code.foundation.errors import UserError
from Code.foundation.threads import ONE_THREAD
from Code.runs.machine import cores, memory_gb
from Code.runs.progress import DEFAULT_WEIGHT
from Code.runs.store import Store
from Code.runs.unit import work

# One worker with TensorFlow, the data and an epoch's buffers; measured at most 2.1 GB
GB_PER_JOB = 3.0
CRASHES_ALLOWED = 1
# TensorFlow never forgets what XLA has compiled: measured 60 MB to 110 MB a run
UNITS_A_WORKER = 40


class OutputInUse(UserError):
    """Another run is writing to the output folder."""


class BackendError(UserError):
    """There is no such cluster, or nothing with which to reach it."""


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


@contextmanager
def backend(name="loky", address=None, jobs=1):
    """Where joblib sends the runs: this machine's cores, or a Dask or Ray cluster.

    The workers of a cluster start in the project's folder and see the output folder under the
    same path.

    Parameters
    ----------
    name : ``"loky"``, ``"dask"`` or ``"ray"``.
    address : of the cluster's scheduler; None is what the cluster's library takes by default.
    jobs : runs side by side on this machine; a cluster knows its own number.

    Raises
    ------
    BackendError
        If the library is not installed or the cluster does not answer.
    """
    from joblib import parallel_config

    os.environ.update(ONE_THREAD)
    if name == "loky":
        with parallel_config(backend="loky", n_jobs=jobs, inner_max_num_threads=1):
            yield
        return
    try:
        with CLUSTERS[name](address), parallel_config(backend=name, n_jobs=-1):
            yield
    except ImportError as error:
        raise BackendError(f"--backend {name}: {error}; pip install '{EXTRAS[name]}'") from None
    except (OSError, TimeoutError) as error:
        reason = str(error).split("\n")[0]
        raise BackendError(f"no {name} cluster at {address}: {reason}") from None


@contextmanager
def _dask(address):
    from dask.distributed import Client

    with Client(address, timeout="30s"):
        yield


@contextmanager
def _ray(address):
    import ray
    from ray.util.joblib import register_ray

    ray.init(address=address, log_to_driver=False)
    register_ray()
    try:
        yield
    finally:
        ray.shutdown()


CLUSTERS = {"dask": _dask, "ray": _ray}
EXTRAS = {"dask": "dask[distributed]", "ray": "ray"}
BACKENDS = ("loky", *CLUSTERS)


def run_units(units, fingerprints, on_done, work=work):
    """Run units side by side; call ``on_done(unit, failure)`` as each ends.

    A worker that is killed (by the kernel, for want of memory) takes down those beside it; what
    was not finished runs again, and a unit that was under way in two crashes counts as failed.
    After ``UNITS_A_WORKER`` units, and at the end, new workers take the place of the old.

    Parameters
    ----------
    units : list of ``Unit``, in the order in which to begin them.
    fingerprints : the identity of each unit, by (name, seed).
    work : function of a unit and its fingerprint that returns why it failed, or None.

    It is called within `backend`.
    """
    from joblib import Parallel, delayed, effective_n_jobs
    from joblib.externals.loky import get_reusable_executor
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    at_once = UNITS_A_WORKER * effective_n_jobs(None)
    later, crashes = list(units), {}
    while later:
        waiting, later = later[:at_once], later[at_once:]
        ended = set()
        for unit in waiting:
            _progress_file(unit).unlink(missing_ok=True)
        try:
            results = Parallel(return_as="generator_unordered", pre_dispatch="all")(
                delayed(_work_and_say_which)(work, i, unit, fingerprints[unit.name, unit.seed])
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
        get_reusable_executor().shutdown()
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
        later = left + later


def _work_and_say_which(work, i, unit, fingerprint):
    # A Dask worker guesses sizes in another thread and draws for it from `random`, from which Keras
    # draws its seeds: without a generator of its own, weights would depend on when it does so
    if sizes := sys.modules.get("dask.sizeof"):
        sizes.random = random.Random()
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
