"""What both cores are worth: the same experiments one at a time and side by side."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.process import ROOT

EXPERIMENTS = ("ae", "ae-tanh", "ae-relu", "dae-published")


def measure(jobs, quick, tell):
    """Run ``run_all.py`` on a few experiments with one job and with ``jobs``.

    Returns
    -------
    dict of the experiments, ``jobs``, the seconds of either run, and whether ``results.csv`` is
    the same to the byte.

    Raises
    ------
    RuntimeError
        If a run fails.
    """
    seconds, tables = [], []
    for n in (1, jobs):
        with tempfile.TemporaryDirectory() as folder:
            tell(f"run_all.py --jobs {n}")
            command = [
                sys.executable,
                "run_all.py",
                "--only",
                *EXPERIMENTS,
                "--output",
                folder,
                "--jobs",
                str(n),
                *["--quick"] * quick,
            ]
            began = time.perf_counter()
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            seconds.append(time.perf_counter() - began)
            if done.returncode:
                last = done.stderr.strip().splitlines()[-1:] or [f"status {done.returncode}"]
                raise RuntimeError(f"run_all.py --jobs {n} failed: {last[0]}")
            tables.append(Path(folder, "results.csv").read_bytes())
    return {
        "experiments": list(EXPERIMENTS),
        "quick": quick,
        "jobs": jobs,
        "seconds_one_job": seconds[0],
        "seconds": seconds[1],
        "equal": tables[0] == tables[1],
    }
