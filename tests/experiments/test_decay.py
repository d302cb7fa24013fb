"""Learning rates that fall to 0 do so by the last step, however many images there are."""

import math
from dataclasses import replace

import numpy as np
import pytest

from Code.experiments.row import adam, decaying_adam, over_own_steps
from Code.experiments.table import EXPERIMENTS
from Code.runs.run import planned
from Code.runs.unit import scheduled

DECAYING = [row for row in EXPERIMENTS.values() if any(stage.decays for stage in row.stages)]


def steps(stage):
    return stage.optimizer["config"]["learning_rate"]["config"]["decay_steps"]


def test_the_digits_change_nothing():
    assert [over_own_steps(row, 60_000) for row in DECAYING] == DECAYING
    assert {"ae-2", "ae-16", "iwae-5", "sdae-3-10k"} <= {row.name for row in DECAYING}


@pytest.mark.parametrize("n", [3, 200, 8001, 112_800])
def test_the_last_step_has_the_rate_0(n):
    for row in DECAYING:
        taken = min(n, row.settings.get("n_train", n))
        for before, stage in zip(row.stages, over_own_steps(row, n).stages, strict=True):
            assert replace(stage, optimizer={}) == replace(before, optimizer={})
            if stage.decays:
                assert steps(stage) == stage.epochs * math.ceil(taken / stage.batch_size)
            else:
                assert stage is before


def test_a_schedule_of_one_s_own_is_left_alone():
    row = EXPERIMENTS["ae"]
    for optimizer in (decaying_adam(1e-3, 7), adam(1e-3)):
        own = replace(row, stages=(replace(row.stages[0], optimizer=optimizer),))
        assert over_own_steps(own, 100) is own


@pytest.mark.parametrize("name", ["ae-16", "stacked-2", "pca-16"])
def test_a_longer_run_multiplies_every_stage(name):
    before, after = EXPERIMENTS[name], scheduled(EXPERIMENTS[name], longer=7)
    assert [s.epochs for s in after.stages] == [7 * s.epochs for s in before.stages]
    assert scheduled(EXPERIMENTS[name]) == before


def test_a_longer_run_on_few_images_has_the_steps_of_the_whole_and_decays_over_them(tmp_path):
    data = tmp_path / "few.npz"
    rng = np.random.default_rng(0)
    np.savez(data, x_train=rng.random((1500, 8, 8)), x_test=rng.random((10, 8, 8)))
    plan = planned([EXPERIMENTS["ae-16"]], tmp_path / "output", data, longer=40)
    assert [steps(stage) for stage in plan.rows[0].stages] == [30 * 40 * 8]


def test_a_quick_run_decays_over_its_own_steps(tmp_path):
    plan = planned([EXPERIMENTS["ae-16"]], tmp_path, quick=True)
    assert [steps(stage) for stage in plan.rows[0].stages] == [2 * 2000 // 200]
