"""The same run on a cluster: joblib carries it there."""

import subprocess
import sys

import pytest

from Code.runs import schedule
from tests.support import run_here

FEW = ("pca-2", "ae")


def run(root, *arguments):
    return subprocess.run(
        [sys.executable, "run_all.py", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=root,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.needs("dask")
def test_a_dask_cluster_gives_the_same_results(root, tmp_path):
    """Two workers on loopback, each a process with one thread."""
    import distributed

    tables = []
    options = ("--quick", "--only", *FEW, "--output")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        for name, more in (
            ("here", ()),
            ("dask", ("--backend", "dask", "--address", cluster.scheduler_address)),
        ):
            finished = run(root, *options, tmp_path / name, *more)
            assert finished.returncode == 0, finished.stderr
            tables.append((tmp_path / name / "results.csv").read_bytes())
    assert tables[0] == tables[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--address", "tcp://127.0.0.1:1"), "--address belongs to a cluster"),
        (("--backend", "dask", "--address", "tcp://127.0.0.1:1"), "dask"),
    ],
    ids=["an address without a cluster", "a cluster that is not there"],
)
def test_wrong_clusters_are_one_clear_line(tmp_path, monkeypatch, options, said):
    monkeypatch.setattr(schedule, "ANSWER_SECONDS", 2)
    finished = run_here("--quick", "--only", *FEW, "--output", tmp_path / "out", *options)
    assert finished.returncode == 2
    assert "Traceback" not in finished.stderr
    assert said in finished.stderr.strip().splitlines()[-1]
