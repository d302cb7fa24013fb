"""Other terminals, locales and systems; and the project as an installed package."""

import json
import os
import re
import subprocess
import sys
import tomllib

import pytest

NO_FCNTL = "import sys; sys.modules['fcntl'] = None; from Code.commands.run_all import main; "


def run(root, words, **environment):
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=root,
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
@pytest.mark.parametrize(
    "words", [("run_all.py", "--list"), ("-m", "Code.use", "--help")], ids=["list", "help"]
)
def test_a_terminal_that_cannot_show_a_letter_shows_a_replacement(root, encoding, words):
    done = run(root, words, PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert done.stdout and b"Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux's shell and devices")
@pytest.mark.parametrize(
    ("where", "status", "says"),
    [(">&-", 0, ""), (">/dev/full", 2, "cannot be written"), (">&- 2>&-", 0, "")],
)
def test_a_standard_output_that_takes_nothing_is_no_traceback(root, where, status, says):
    words = f"{sys.executable} run_all.py --list {where}"
    done = subprocess.run(words, shell=True, cwd=root, capture_output=True, text=True)
    assert done.returncode == status
    assert says in done.stderr and done.stderr.count("\n") == bool(says)


@pytest.mark.slow
def test_without_a_lock_of_unix_it_runs_as_well(root, tmp_path):
    """Windows has no ``fcntl``."""
    words = ["--quick", "--only", "ae", "--dry-run", "--output", str(tmp_path)]
    done = run(root, ["-c", f"{NO_FCNTL}sys.exit(main({words!r}))"])
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_one_writes_to_a_folder_where_locks_are_soft(root, tmp_path):
    code = NO_FCNTL + (
        "from Code.runs.schedule import sole_use\n"
        f"with sole_use({str(tmp_path)!r}):\n"
        f"    sys.exit(main(['--quick', '--only', 'pca-2', '--output', {str(tmp_path)!r}]))"
    )
    done = run(root, ["-c", code])
    assert done.returncode == 2
    assert b"another run is writing" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["C", "de_DE"])
def test_files_are_utf_8_whatever_the_locale(root, tmp_path, encoding):
    locale = {"LC_ALL": encoding, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for _ in range(2):  # the second time from what is finished
        done = run(root, ["run_all.py", "--quick", "--only", "ae", "--output", tmp_path], **locale)
        assert done.returncode == 0, done.stderr
    text = (tmp_path / "ae" / "result.json").read_text("utf-8")
    assert "Ã" not in json.dumps(json.loads(text), ensure_ascii=False)
    report = (tmp_path / "report" / "report.zh.md").read_text("utf-8")
    assert "自编码器" in report


def test_an_installed_copy_needs_what_the_project_is_tested_with(root):
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    lines = (root / "requirements.txt").read_text("utf-8").splitlines()
    pinned = [line for line in lines if line and not line.startswith("#")]
    assert set(project["dependencies"]) < set(pinned)
    of_tests = {re.split("==", line)[0] for line in set(pinned) - set(project["dependencies"])}
    assert of_tests == {"pytest", "pytest-xdist", "hypothesis", "ruff", "import-linter", "grimp"}


@pytest.mark.slow
def test_pip_installs_it(root, tmp_path):
    """As an importable package with its data and two commands; the packages are those of here."""
    source, target = tmp_path / "source", tmp_path / "target"
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{root}", source], check=True)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", target, source]
    subprocess.run(pip, check=True)
    environment = {**os.environ, "PYTHONPATH": str(target)}
    code = (
        "import Code; from Code.data.datasets import load_dataset; "
        "print(Code.__path__[0], len(load_dataset('mnist').x_train))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.stdout.split() == [str(target / "Code"), "60000"], done.stderr
    listed = subprocess.run(
        [target / "bin" / "autoencoders", "--list"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert listed.returncode == 0 and "vae-bce" in listed.stdout, listed.stderr
    words = ["--quick", "--only", "pca-2", "--jobs", "1"]
    done = subprocess.run(
        [target / "bin" / "autoencoders", *words],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "output" / "quick" / "report" / "report.md").exists()
