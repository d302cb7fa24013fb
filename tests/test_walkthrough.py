"""The walk-through: run in order, of the present code, and running still."""

import inspect
import json
import os
import re
import subprocess
import sys

import pytest

LARGEST = 700_000
# Where a machine's own folders would show: a notebook is read on others
OWN_FOLDERS = re.compile(r"(?<![\w/.])/(?:work|home|root|tmp|usr|Users)/")


@pytest.fixture(scope="module")
def path(root):
    return root / "report" / "walkthrough.ipynb"


@pytest.fixture(scope="module")
def notebook(path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def code(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def outputs(cells):
    return [output for cell in cells for output in cell["outputs"]]


def printed(cells):
    streams = (output for output in outputs(cells) if output["output_type"] == "stream")
    return "".join("".join(stream["text"]) for stream in streams)


def test_every_cell_was_run_in_order(code):
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))


def test_no_cell_failed_or_complained(code):
    assert "error" not in {output["output_type"] for output in outputs(code)}
    assert {output.get("name", "stdout") for output in outputs(code)} == {"stdout"}


def test_it_is_small_and_of_no_one_s_machine(path, notebook, code):
    assert path.stat().st_size < LARGEST
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert not OWN_FOLDERS.search(json.dumps([output.get("text") for output in outputs(code)]))


def test_every_picture_says_what_it_shows(code):
    pictures = [o["data"] for o in outputs(code) if "image/png" in o.get("data", {})]
    assert len(pictures) > 8
    assert all("".join(p["text/plain"]).startswith("[picture: ") for p in pictures)


def test_what_it_shows_is_the_present_code(code):
    from Code.parts.losses import binary_cross_entropy, kl_to_standard_normal
    from Code.vae import VAE

    shown = printed(code)
    for part in (
        VAE.build_encoder,
        VAE.sample,
        VAE.loss_terms,
        kl_to_standard_normal,
        binary_cross_entropy,
    ):
        assert inspect.getsource(part) in shown


def test_every_claim_held_when_it_was_run(code):
    """What a cell says of its numbers, it says as true or false."""
    claims = re.findall(r"^(.*: )(True|False)$", printed(code), re.M)
    assert len(claims) >= 6
    assert [claim for claim, holds in claims if holds == "False"] == []


@pytest.mark.slow
def test_it_runs_on_the_present_code(code, path):
    source = "\n\n".join("".join(cell["source"]) for cell in code)
    environment = {**os.environ, "WALKTHROUGH_QUICK": "1", "MPLBACKEND": "Agg"}
    done = subprocess.run(
        [sys.executable, "-"],
        input=source,
        cwd=path.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
