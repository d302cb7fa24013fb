"""The walk-through: run in order, of the present code, and running still."""

import csv
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


def source(cell):
    return "".join(cell["source"])


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


def has_picture(cell):
    return any("image/png" in output.get("data", {}) for output in cell["outputs"])


def test_pictures_come_before_the_plumbing(code):
    """One cell makes ready; the next trains and shows a picture, before any code is explained."""
    assert [has_picture(cell) for cell in code[:3]] == [False, True, True]
    explains = next(i for i, cell in enumerate(code) if "inspect.getsource" in source(cell))
    assert explains > 6


def test_a_sentence_follows_each_result(notebook):
    cells = notebook["cells"]
    results = [i for i, cell in enumerate(cells) if cell.get("outputs")]
    assert len(results) > 15
    for i in results[1:]:
        after = cells[i + 1]
        assert after["cell_type"] == "markdown", source(cells[i])[:80]
        first = source(after).split("\n\n")[0]
        assert re.search(r"\w\.(?:\s|$)", first) or first.startswith("|"), first


def test_no_number_of_a_run_is_typed_by_hand(notebook):
    texts = [source(c) for c in notebook["cells"] if c["cell_type"] == "markdown"]
    for text in texts:
        bare = re.sub(r"<https?:[^>]*>|\$[^$]*\$|`[^`]*`", "", text)
        assert not re.search(r"\d[.,]\d|\d ?(?:%|nats|dB)", bare), text[:80]


def test_its_numbers_stand_beside_the_report_s(code, root):
    (cell,) = (cell for cell in code if "half_width(" in source(cell))
    said = printed([cell])
    rows = re.findall(r"^(\S+?-\d+) *(\w+) +([\d.]+) +([\d.]+) ± ([\d.]+)$", said, re.M)
    assert len(rows) >= 8
    with open(root / "output" / "results.csv", encoding="utf-8") as file:
        report = {
            (r["experiment"], r["metric"]): float(r["mean"])
            for r in csv.DictReader(file)
            if r["split"] == "test"
        }
    for name, metric, ours, theirs, half in rows:
        assert float(theirs) == pytest.approx(report[name, metric], abs=6e-4), name
        assert abs(float(ours) - float(theirs)) <= float(half) + 1e-3, (name, metric)


def test_its_seed_is_none_of_the_report_s(code, root):
    (seed,) = set(re.findall(r"def trained\(name, seed=(\d+)\)", "".join(map(source, code))))
    for name in ("ae-2", "vae-2", "vae-16"):
        result = json.loads((root / "output" / name / "result.json").read_text(encoding="utf-8"))
        assert int(seed) not in result["seeds"], name


class TestFirstCell:
    """It fetches what is missing and nothing else."""

    @pytest.fixture
    def run(self, code, root, monkeypatch):
        called = []
        monkeypatch.setattr(subprocess, "run", lambda words, **_: called.append(words))
        monkeypatch.chdir(root / "report")
        monkeypatch.setattr(sys, "path", list(sys.path))

        def of(*changes):
            source = "".join(code[0]["source"])
            for change in changes:
                assert change[0] in source
                source = source.replace(*change)
            names = {}
            exec(source, names)
            return called, names

        return of

    def test_fetches_nothing_where_all_is_there(self, run, root, capsys):
        called, names = run()
        assert called == [] and names["ROOT"] == root
        assert capsys.readouterr().out == "installed here: nothing, all is there\n"

    def test_names_what_is_missing(self, run):
        wanted = ["numpy==1.0", "no-such-package==2", "scikit_learn==0", "scikit-nothing==1"]
        assert run()[1]["missing"](wanted) == ["no-such-package==2", "scikit-nothing==1"]

    def test_installs_that_alone(self, run):
        change = ("needed = missing(", "needed = ['no-such-package==2'] or missing(")
        called, _ = run(change)
        assert called == [[sys.executable, "-m", "pip", "install", "-q", "no-such-package==2"]]

    def test_says_what_to_do_where_there_is_no_project(self, run, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SystemExit) as stopped:
            run()
        told = str(stopped.value)
        assert 'ADDRESS = "https://' in told and "run the cell again" in told
        assert "report/walkthrough.ipynb" in told, "or open it where all is there"

    def test_copies_the_project_from_its_address(self, run, root, tmp_path, monkeypatch):
        def clone(words, **_):
            assert words == [
                "git",
                "clone",
                "--depth",
                "1",
                "https://host.example/p.git",
                "project",
            ]
            (tmp_path / "project").symlink_to(root)

        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(subprocess, "run", clone)
        _, names = run(('ADDRESS = ""', 'ADDRESS = "https://host.example/p.git"'))
        assert names["ROOT"].resolve() == root


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
    program = "\n\n".join(map(source, code))
    environment = {**os.environ, "WALKTHROUGH_QUICK": "1", "MPLBACKEND": "Agg"}
    done = subprocess.run(
        [sys.executable, "-"],
        input=program,
        cwd=path.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
