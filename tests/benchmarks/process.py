"""Starting workers and letting them take turns."""

import contextlib
import json
import os
import random
import select
import subprocess
import sys
import tempfile
from pathlib import Path

from Code.runs.machine import memory_gb

ROOT = Path(__file__).resolve().parents[2]
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
INHERITED = ("TF_NUM_INTEROP_THREADS", "XLA_FLAGS", "TF_XLA_FLAGS", "KERAS_BACKEND")
WORKER_GB = 2.0


class Worker:
    """A contender's process.

    Parameters
    ----------
    task : what `tests.benchmarks.worker` is to do.
    threads : how many threads, and cores, it may use.
    patience : seconds after which a start or a round that is not done is given up.
    backend : Keras's backend.
    """

    def __init__(self, task, threads, patience, backend="tensorflow"):
        self._patience = patience
        environment = {k: v for k, v in os.environ.items() if k not in INHERITED}
        environment.update(dict.fromkeys(THREADS, str(threads)))
        environment.update(
            KERAS_BACKEND=backend,
            CUDA_VISIBLE_DEVICES="",
            JAX_PLATFORMS="cpu",
            TF_CPP_MIN_LOG_LEVEL="3",
            PYTHONWARNINGS="ignore",
        )
        task = {**task, "threads": threads, "pinned": True}
        # A file, since a pipe that nobody reads stops a talkative library.
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.worker", json.dumps(task)],
            cwd=ROOT,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        self.result = None
        self._listen()

    def turn(self):
        """Let it run one round; return when it is done with it."""
        if self.result is None:
            self._tell("go")
            self._listen()

    def end(self):
        """Let it finish and return what it measured: ``{..}`` or ``{"error": why}``."""
        if self.result is None:
            self._tell("end")
            self._listen()
        return self.result or {"error": "ended before its last round"}

    def close(self):
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def _tell(self, word):
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(word + "\n")
            self._process.stdin.flush()

    def _listen(self):
        # Nothing is ever left in the buffer: a worker says one line and waits.
        if not select.select([self._process.stdout], [], [], self._patience)[0]:
            self._process.kill()
            self.result = {"error": f"given up after {self._patience:g} s (--patience)"}
            return
        message = self._process.stdout.readline()
        if not message:
            status = self._process.wait()
            self._errors.seek(0)
            said = self._errors.read().strip().splitlines() or [f"exit status {status}"]
            self.result = {"error": said[-1][:300]}
        elif not (message := json.loads(message)).get("ready"):
            self.result = message
            # Taking a library down is work: done before the next worker's turn, not beside it
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(self._patience)


def take_turns(starts, rounds, tell, beside=()):
    """Run workers round by round, all in turn, so that a slow minute slows all of them.

    The order is drawn anew each round: who comes first, or after whom, costs some of them time.

    Parameters
    ----------
    starts : ``{name: function that starts a Worker}``.
    beside : workers that also get a turn every round.

    Returns
    -------
    ``{name: what it measured}``; as many live at a time as the memory holds.
    """
    names = list(starts)
    at_once = max(1, int(memory_gb() / WORKER_GB))
    results = {}
    for first in range(0, len(names), at_once):
        workers = {}
        try:
            for name in names[first : first + at_once]:
                workers[name] = starts[name]()
            for i in range(rounds):
                order = random.Random(i).sample(sorted(workers), len(workers))
                for name in order:
                    tell(f"{name}, round {i} of {rounds - 1}" if i else f"{name}, warming up")
                    workers[name].turn()
                for worker in beside:
                    worker.turn()
            results.update({name: worker.end() for name, worker in workers.items()})
        finally:
            for worker in workers.values():
                worker.close()
    return results
