"""Learning rates that fall to 0 do so by the last step, however many images there are."""

import math
from dataclasses import replace

import pytest

from Code.experiments.row import adam, decaying_adam, over_own_steps
from Code.experiments.table import EXPERIMENTS
from Code.runs.run import planned

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


def test_a_quick_run_decays_over_its_own_steps(tmp_path):
    plan = planned([EXPERIMENTS["ae-16"]], tmp_path, quick=True)
    assert [steps(stage) for stage in plan.rows[0].stages] == [2 * 2000 // 200]
