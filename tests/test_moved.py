"""What was saved before the rooms were moved still loads, and old names say where they went.

``fixtures/before_the_move.zip`` was written by the code of that time: four trained models, what
they made of eight images, a TOML file with a module of one's own, and the output folder of a run.
"""

import json
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from Code.commands import run_all
from Code.experiments.own import load_experiments
from Code.foundation import moved
from Code.foundation.errors import OK
from Code.parts import losses as new_losses
from Code.parts.images import to_unit
from Code.training.trained import load_model

VARIANTS = ("ae", "cae", "vae", "vq_vae")


@pytest.fixture(scope="module")
def before(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("before")
    with zipfile.ZipFile(root / "tests" / "fixtures" / "before_the_move.zip") as archive:
        archive.extractall(folder)
    return folder


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_saved_model_loads_and_computes(before, variant):
    with np.load(before / "models" / "images.npz") as arrays:
        images = arrays["images"]
    with np.load(before / "models" / "reconstructions.npz") as arrays:
        expected = arrays[variant]
    model = load_model(before / "models" / f"{variant}.keras")
    # They were kept as halves
    np.testing.assert_allclose(model.reconstruct(images), expected, atol=1e-3)


@pytest.mark.parametrize(
    "variant", ["ae", *(pytest.param(v, marks=pytest.mark.slow) for v in VARIANTS if v != "ae")]
)
@pytest.mark.slow
def test_a_saved_model_trains_on(before, variant):
    with np.load(before / "models" / "images.npz") as arrays:
        images = arrays["images"]
    model = load_model(before / "models" / f"{variant}.keras")
    labels = np.arange(8) % 3
    model.fit(to_unit(images), labels, batch_size=4, epochs=1, verbose=0)
    if variant == "ae":
        assert model.classifier.predict(to_unit(images), verbose=0).shape == (8, 3)


def test_a_toml_file_with_a_module_of_one_s_own_loads(before, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.warns(DeprecationWarning, match=r"Code\.noise is now Code\.parts\.noise"):
        sys.modules.pop("Code.noise", None)
        sys.modules.pop("mine", None)
        rows = load_experiments(before / "mine.toml")
    assert [row.name for row in rows] == ["wide-dae", "noisy"]


def test_an_output_folder_gets_its_report_anew(before, tmp_path, capsys):
    shutil.copytree(before / "output", tmp_path / "output")
    assert run_all.main(["--report-only", "--output", str(tmp_path / "output")]) == OK
    report = (tmp_path / "output" / "report" / "report.md").read_text("utf-8")
    result = json.loads((before / "output" / "pca-2" / "result.json").read_text("utf-8"))
    mse = next(m for m in result["metrics"] if (m["metric"], m["split"]) == ("mse", "test"))
    assert f"{mse['mean']:.4f}" in report


def test_old_modules_are_found_where_they_are_now(root, monkeypatch):
    for old, new in moved.MODULES.items():
        assert (root / f"{new.replace('.', '/')}.py").is_file() or (
            root / new.replace(".", "/")
        ).is_dir(), old
    monkeypatch.delitem(sys.modules, "Code.losses", raising=False)
    with pytest.warns(DeprecationWarning, match=r"Code\.losses is now Code\.parts\.losses"):
        from Code.losses import squared_error
    assert squared_error is new_losses.squared_error
    assert sys.modules["Code.losses"] is new_losses
    assert new_losses.__spec__.name == new_losses.__name__


@pytest.mark.parametrize("name", moved.PARTED)
def test_a_module_that_was_parted_says_where_its_parts_are(name):
    with pytest.raises(ModuleNotFoundError, match=r"is no more: .* Code\."):
        __import__(name)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Code.tasks.denoise", "python -m Code.use denoise"),
        ("Code.tasks.generate", "python -m Code.use generate"),
        ("Code.export", "python -m Code.use export"),
        ("Code.explorer", "python -m Code.use explorer"),
    ],
)
def test_an_old_command_says_where_it_went(old, new):
    words = ["/usr/bin/python3", "-X", "dev", "-m", old, "--model", "output/dae"]
    assert f"{old} is now {new}" in moved.way_to(words)
    now = [*words[:3], *new.split()[1:], "--model", "output/dae"]
    assert moved.command_now(words) == now


def test_an_old_command_goes_on_under_its_new_name(root):
    done = subprocess.run(
        [sys.executable, "-m", "Code.tasks.compress", "--model", "output/dae"],
        cwd=root,
        capture_output=True,
        text=True,
    )
    # No such use: what says so is the new command
    assert done.returncode == 2 and "argument USE: invalid choice: 'compress'" in done.stderr
    assert done.stderr.startswith(
        "python -m Code.tasks.compress is now python -m Code.use compress"
    )


def test_an_old_command_that_is_no_module_only_says_its_new_name(root):
    done = subprocess.run(
        [sys.executable, "-m", "Code.main"], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.strip().endswith("is now python run_all.py; its options are the same")


def test_a_command_that_has_not_moved_is_left_alone():
    assert moved.way_to(["python", "-m", "Code.vae", "--quick"]) is None
    assert moved.way_to(["python", "-m", "Code.use", "denoise"]) is None
    assert moved.way_to(["python", "run_all.py"]) is None
