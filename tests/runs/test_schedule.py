"""Many units side by side: each is done once, by workers that do not grow old."""

import os
from dataclasses import dataclass

import pytest

from Code.experiments.table import EXPERIMENTS
from Code.foundation.own_process import ONE_THREAD
from Code.runs import machine, schedule
from Code.runs.side_by_side import side_by_side
from Code.runs.store import Store
from Code.runs.unit import Unit


@dataclass(frozen=True)
class Fake:
    """What the schedule asks of a unit."""

    name: str
    seed: int
    output: str


def tells_its_process(unit, fingerprint):
    return f"{fingerprint} {os.getpid()}"


def dies_once(unit, fingerprint):
    """Kill the worker at the first unit, and only the first time."""
    store = Store(unit.output)
    store.tell(unit.name, unit.seed, 0.0)
    mark = store.output / "died"
    if unit.seed == 0 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), 9)
    return f"{fingerprint} done"


def run(output, work, n=7):
    units = [Fake("ae", seed, str(output)) for seed in range(n)]
    done = []
    with schedule.backend("loky", jobs=2):
        prints = {("ae", seed): f"print-{seed}" for seed in range(n)}
        schedule.run_units(units, prints, lambda unit, said: done.append((unit.seed, said)), work)
    return dict(done), [seed for seed, _ in done]


@pytest.fixture(autouse=True)
def environment_as_it_was(monkeypatch):
    for name in (*ONE_THREAD, "XLA_FLAGS"):
        monkeypatch.setenv(name, os.environ.get(name, ""))


@pytest.mark.slow
def test_each_unit_is_done_once_and_workers_are_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(schedule, "UNITS_A_WORKER", 1)
    said, seeds = run(tmp_path, tells_its_process, n=5)
    assert sorted(seeds) == list(range(5))
    assert all(said[seed].startswith(f"print-{seed} ") for seed in seeds)
    first, last = ({said[seed].split()[1] for seed in part} for part in ((0, 1), (3, 4)))
    assert not first & last


@pytest.mark.slow
def test_a_unit_whose_worker_died_is_done_again(tmp_path):
    said, seeds = run(tmp_path, dies_once)
    assert sorted(seeds) == list(range(7))
    assert said[0] == "print-0 done"


def test_what_measures_time_has_the_machine_to_itself(tmp_path, monkeypatch):
    rows = [EXPERIMENTS[name] for name in ("keras-times", "ae", "pca-2")]
    units = [Unit(row, seed, "mnist", True, str(tmp_path)) for row in rows for seed in (0, 1)]
    calls = []
    monkeypatch.setattr(
        schedule, "run_units", lambda units, *_: calls.append([(u.name, u.seed) for u in units])
    )
    prints = {(u.name, u.seed): "" for u in units}
    weights = dict.fromkeys(prints, 1.0)
    side_by_side(units, prints, weights, Store(tmp_path), 2, print, print, "runs")
    assert calls == [
        [("ae", 0), ("ae", 1), ("pca-2", 0), ("pca-2", 1)],
        [("keras-times", 0)],
        [("keras-times", 1)],
    ]


def test_on_a_gpu_one_run_at_a_time_is_the_default(monkeypatch):
    monkeypatch.setattr(machine.glob, "glob", lambda _: ["/dev/nvidia0"])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert schedule.default_jobs() == 1
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert not machine.has_gpu()


def test_without_unix_the_memory_is_a_guess(monkeypatch):
    monkeypatch.delattr(machine.os, "sysconf")
    assert machine.memory_gb() == 8


def test_a_result_names_the_device():
    assert machine.machine()["device"] == "CPU" or machine.has_gpu()
