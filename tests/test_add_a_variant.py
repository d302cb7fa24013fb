"""The guide to a new variant, followed word for word in a copy of the project."""

import json
import re
import shutil
import subprocess
import sys
import textwrap

import pytest

BLOCK = re.compile(r"^   ```python\n(.*?)^   ```$", re.M | re.S)


@pytest.fixture(scope="module")
def project(root, tmp_path_factory):
    """A copy of the project with the guide's three blocks put where it says."""
    copy = tmp_path_factory.mktemp("project")
    for name in ("Code", "tests"):
        shutil.copytree(root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("run_all.py", "pyproject.toml"):
        shutil.copy(root / name, copy)
    guide = (root / "report" / "guide.md").read_text(encoding="utf-8")
    guide = guide.split("\n## Add a variant\n")[1]
    module, row, test_row = (textwrap.dedent(block) for block in BLOCK.findall(guide)[:3])
    (copy / "Code" / "noisy_code.py").write_text(module, encoding="utf-8")
    insert(
        copy / "Code" / "experiments" / "common.py",
        "def _rows(k):",
        "    return (\n",
        row.strip() + ",\n",
    )
    tests = copy / "tests" / "test_variants.py"
    insert(tests, "", "MODELS = {\n", test_row)
    text = tests.read_text(encoding="utf-8")
    tests.write_text(
        text.replace("import keras\n", "import keras\nfrom Code.noisy_code import *\n")
    )
    return copy


def insert(path, after, mark, line):
    """Put ``line`` behind the first ``mark`` that follows ``after``."""
    text = path.read_text(encoding="utf-8")
    place = text.index(mark, text.index(after)) + len(mark)
    path.write_text(text[:place] + line + text[place:], encoding="utf-8")


@pytest.mark.slow
def test_the_row_trains_and_stands_in_the_report(project):
    command = [sys.executable, "run_all.py", "--quick", "--no-uses", "--only", "noisy-code-2"]
    finished = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    folder = project / "output" / "quick" / "noisy-code-2"
    assert json.loads((folder / "result.json").read_text())["complete"]
    assert (folder / "reconstructions.png").exists()
    pages = project / "output" / "quick" / "report" / "en"
    assert "Noise on the code" in (pages / "common.md").read_text(encoding="utf-8")
    assert "class NoisyCode" in (pages / "variants" / "noisy_code.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_test_row_passes(project):
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-m", "slow or not slow"]
    command += ["tests/test_variants.py", "-k", "noisy"]
    finished = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout[-2000:]
    passed = re.search(r"(\d+) passed", finished.stdout)
    assert passed and int(passed[1]) >= 5
