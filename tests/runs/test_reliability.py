"""What can go wrong while a run is under way, and what must be left afterwards."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from Code.data.datasets import DataError, load_dataset
from tests.support import examples

FEW = ("--quick", "--jobs", "1", "--only", "ae-relu", "ae-tanh")
TWO_JOBS = ("--jobs", "2")


def start(root, output, *arguments, before=()):
    """run_all.py under way, in a process group of its own."""
    command = [*before, sys.executable, "run_all.py", *arguments, "--output", str(output)]
    return subprocess.Popen(
        command,
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_ctrl_c,
    )


def heed_ctrl_c():
    """Tests that run in the background have been told to ignore it, and so would the run be."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for(condition, process, seconds=300):
    deadline = time.monotonic() + seconds
    while not condition() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition(), process.communicate()[1]


def progress(output):
    return list(output.glob(".work/progress/*"))


@pytest.fixture(scope="module")
def undisturbed(root, tmp_path_factory):
    output = tmp_path_factory.mktemp("undisturbed")
    process = start(root, output, *FEW)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    return (output / "results.csv").read_bytes()


def whole_files(output):
    """Every JSON and npz that a run may leave can be read to its end."""
    for path in output.rglob("*.json"):
        json.loads(path.read_text(encoding="utf-8"))
    for path in output.rglob("runs/*/views.npz"):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None


def finish(root, output, expected):
    process = start(root, output, *FEW)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert (output / "results.csv").read_bytes() == expected


@pytest.mark.slow
def test_killed_at_random_moments(root, tmp_path, undisturbed):
    """Kills are spread over a run's whole course; ``KILLS=20`` makes it as many as one likes."""
    rng = np.random.default_rng(0)
    for _ in range(int(os.environ.get("KILLS", "1"))):
        process = start(root, tmp_path, *FEW)
        time.sleep(rng.uniform(0.5, 12))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        whole_files(tmp_path)
    finish(root, tmp_path, undisturbed)


@pytest.mark.slow
def test_ctrl_c_stops_and_leaves_what_can_be_resumed(root, tmp_path, undisturbed):
    process = start(root, tmp_path, *FEW, *TWO_JOBS)
    wait_for(lambda: len(progress(tmp_path)) >= 2, process)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    print(f"stopped after {time.monotonic() - began:.1f} s")
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert errors.strip().splitlines()[-1].startswith("Stopped.")
    whole_files(tmp_path)
    finish(root, tmp_path, undisturbed)


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced(root, tmp_path, undisturbed):
    process = start(root, tmp_path, *FEW, *TWO_JOBS)
    wait_for(lambda: progress(tmp_path), process)
    workers = subprocess.run(
        ["pgrep", "-g", str(process.pid), "-f", "loky"], capture_output=True, text=True
    ).stdout.split()
    assert workers, "there are workers to kill"
    os.kill(int(workers[-1]), signal.SIGKILL)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert (tmp_path / "results.csv").read_bytes() == undisturbed


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.slow
def test_a_full_disk_is_a_clear_line(root, small_disk):
    (small_disk / "ballast").write_bytes(b"0" * 700_000)
    process = start(root, small_disk, *FEW)
    _, errors = process.communicate()
    assert process.returncode in (1, 2)
    assert "No space left" in errors
    assert "Traceback" not in errors
    whole_files(small_disk)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed")
def test_a_run_needs_no_network(root, tmp_path, undisturbed):
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        pytest.skip("a network of one's own needs root")
    process = start(root, tmp_path, *FEW, before=("unshare", "-n"))
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert (tmp_path / "results.csv").read_bytes() == undisturbed


@pytest.fixture(scope="module")
def archive(mnist, tmp_path_factory):
    """A good data file, small enough to be mangled thousands of times."""
    path = tmp_path_factory.mktemp("data") / "good.npz"
    few = mnist.subset(12, 4)
    np.savez(path, x_train=few.x_train, y_train=few.y_train, x_test=few.x_test, y_test=few.y_test)
    return path.read_bytes()


@settings(
    max_examples=examples(1000),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    changes=st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 255)), max_size=6),
    cut=st.none() | st.integers(0, 20_000),
    more=st.binary(max_size=30),
)
def test_any_data_file_is_data_or_one_line(archive, tmp_path, changes, cut, more):
    content = bytearray(archive[:cut])
    for place, value in changes:
        if place < len(content):
            content[place] = value
    path = tmp_path / "mangled.npz"
    path.write_bytes(bytes(content) + more)
    try:
        data = load_dataset(str(path))
    except DataError as error:
        assert str(error) and "\n" not in str(error)
    else:
        assert data.x_train.dtype == np.uint8


@settings(
    max_examples=examples(500),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.binary(max_size=200))
def test_any_bytes_are_no_data_file(tmp_path, content):
    path = tmp_path / "noise.npz"
    path.write_bytes(content)
    with pytest.raises(DataError):
        load_dataset(str(path))
