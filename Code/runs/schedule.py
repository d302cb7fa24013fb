"""Run many units on few cores: in parallel through joblib, the longest unit first.

joblib's backends send the same call to a Dask or a Ray cluster; this module has no scheduler.
"""

import random
import sys
from contextlib import contextmanager

from filelock import FileLock, Timeout

from Code.foundation.errors import UserError
from Code.foundation.own_process import prepare
from Code.runs.last_run import least_seconds, of_last_run
from Code.runs.machine import cores, has_gpu, memory_gb
from Code.runs.progress import DEFAULT_WEIGHT
from Code.runs.store import Store
from Code.runs.unit import work

# Memory of one worker with TensorFlow, the data and an epoch's buffers; at most 2.1 GB measured
GB_PER_JOB = 3.0
CRASHES_ALLOWED = 1
# A cluster that does not answer within this is not there
ANSWER_SECONDS = 30
# TensorFlow never frees what XLA has compiled: 60 MB to 110 MB per run measured
UNITS_A_WORKER = 40
TIMED = ("Code.training.plain_keras:run",)
"""Procedures whose result is a time."""


class OutputInUse(UserError):
    """Another run is writing to the output folder."""


class BackendError(UserError):
    """The cluster does not answer, or its Python package is not installed."""


def default_jobs():
    """Default number of parallel runs: the number of cores, or fewer if memory is short.

    On a GPU it is one: runs side by side would take its memory from each other.
    """
    if has_gpu():
        return 1
    return max(1, min(cores(), int(memory_gb() / GB_PER_JOB)))


def expected_seconds(unit):
    """Expected seconds of a unit: those of its last run in its output folder or in ``output``.

    The committed results serve for other output folders too: only the ratios between units matter,
    for their order and for the time left. Of several seeds it is the least, since other work on the
    machine only adds.
    """
    seconds = of_last_run(unit, least_seconds)
    return DEFAULT_WEIGHT if seconds is None else max(seconds, 1.0)


@contextmanager
def backend(name="loky", address=None, jobs=1):
    """Context in which joblib sends the runs to this machine's cores, or to a Dask or Ray cluster.

    The workers of a cluster must start in the project's folder and see the output folder under the
    same path.

    Parameters
    ----------
    name : ``"loky"``, ``"dask"`` or ``"ray"``.
    address : address of the cluster's scheduler; None for the default of the cluster's library.
    jobs : number of parallel runs on this machine; a cluster decides on its own number.

    Raises
    ------
    BackendError
        If the library is not installed or the cluster does not answer.
    """
    from joblib import parallel_config

    prepare()
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

    with Client(address, timeout=f"{ANSWER_SECONDS}s"):
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


def alone(unit):
    """Whether nothing may run beside a unit, because its result is a time.

    A training beside it slows a small network more than a large one, so even their ratio moves.
    """
    experiment = getattr(unit, "experiment", None)
    return experiment is not None and experiment.procedure in TIMED


def run_units(units, fingerprints, on_done, work=work):
    """Run units in parallel; call ``on_done(unit, failure)`` when a unit ends.

    If a worker is killed (by the kernel, when memory is short), the other workers end too.
    Unfinished units then run again; a unit that was running in two crashes counts as failed.
    The workers are replaced by new ones after ``UNITS_A_WORKER`` units each, and at the end.

    Parameters
    ----------
    units : list of ``Unit``, in the order in which they start.
    fingerprints : the identity of each unit, by (name, seed).
    work : function of a unit and its fingerprint that returns why it failed, or None.

    Call it within the context `backend`.
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
    """Context in which this process alone writes to the output folder.

    Raises
    ------
    OutputInUse
        If another process is writing to it.
    OSError
        If the folder cannot be created or written to.
    """
    scratch = Store(output).scratch
    scratch.mkdir(parents=True, exist_ok=True)
    lock = FileLock(scratch / "lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise OutputInUse(
            f"another run is writing to {output}; wait for it or give another --output"
        ) from None
    try:
        yield
    finally:
        lock.release()
