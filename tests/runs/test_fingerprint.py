"""A finished run is kept exactly as long as nothing that it depends on has changed."""

from dataclasses import replace

from Code.experiments.table import EXPERIMENTS
from Code.runs import fingerprint as module
from Code.runs.fingerprint import code_version, fingerprint


def test_changes_with_what_matters(mnist):
    row = EXPERIMENTS["dae-published"]
    base = fingerprint(row, mnist, 0)
    stages = (replace(row.stages[0], epochs=3), *row.stages[1:])
    others = [
        fingerprint(row, mnist, 1),
        fingerprint(row, mnist.subset(100, 100), 0),
        fingerprint(replace(row, stages=stages), mnist, 0),
        fingerprint(replace(row, settings={**row.settings, "hidden": (5,)}), mnist, 0),
        fingerprint(replace(row, noise_once=0.4), mnist, 0),
    ]
    assert len({base, *others}) == 6


def test_stays_with_what_does_not(mnist):
    row = EXPERIMENTS["vae-bce"]
    same = replace(row, title="Another title", published=())
    assert fingerprint(row, mnist, 0) == fingerprint(same, mnist, 0)


def test_a_variant_does_not_depend_on_the_others():
    reached = module._closure(["Code.vae"])
    assert {"Code.vae", "Code.base", "Code.parts.losses", "Code.parts.whole_epoch"} <= reached
    others = {"Code.cae", "Code.ae", "Code.figures.style"}
    outside = {"Code.commands.run_all", "Code.commands.variant", "Code.runs.schedule"}
    assert not reached & (others | outside)
    assert code_version("Code.vae") != code_version("Code.ae")


def test_another_backend_is_another_run(mnist, monkeypatch):
    found = []
    for backend in (None, "tensorflow", "torch", "jax"):
        if backend is None:
            monkeypatch.delenv("KERAS_BACKEND", raising=False)
        else:
            monkeypatch.setenv("KERAS_BACKEND", backend)
        found.append(fingerprint(EXPERIMENTS["vae-bce"], mnist, 0))
    assert found[0] == found[1]
    assert len(set(found)) == 3
