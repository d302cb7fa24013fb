"""``run_all.py`` as a person uses it."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from Code.commands import variant
from Code.experiments.row import adam
from Code.experiments.table import EXPERIMENTS, of_group
from Code.foundation.errors import INTERRUPTED
from Code.foundation.own_process import ONE_THREAD
from Code.parts.images import to_unit
from Code.reporting.contents import home
from Code.runs import use_units
from tests.support import called, run_here

FEW = ("pca-2", "vae-bce")
# One of each kind of row and of picture
OF_EACH_KIND = ("pca-2", "dae-published", "vae-bce", "ae-16")
# Two uses of the twelve, which would take a minute
TWO_USES = ("reconstruct", "resize")


def run(root, *arguments, **more):
    return subprocess.run(
        [sys.executable, str(root / "run_all.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=more.pop("cwd", root),
        check=False,
        **more,
    )


@pytest.fixture(
    scope="module", params=["some rows", pytest.param("every row", marks=pytest.mark.slow)]
)
def quick(request, root, tmp_path_factory):
    """The whole pipeline, once: some rows in this process, all of them as a person runs it."""
    output = tmp_path_factory.mktemp("quick") / "out"
    if request.param == "every row":
        rows = of_group("published")
        finished = run(root, "--quick", "--output", output)
    else:
        rows = [EXPERIMENTS[name] for name in OF_EACH_KIND]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(use_units, "USES", TWO_USES)
            finished = run_here(
                "--quick", "--jobs", "1", "--only", *OF_EACH_KIND, "--output", output
            )
    assert finished.returncode == 0, finished.stderr
    return output, rows


# Where it is no matter which rows ran
SOME_ROWS = pytest.mark.parametrize("quick", ["some rows"], indirect=True)


def test_every_experiment_leaves_its_result(quick):
    output, rows = quick
    for row in rows:
        result = json.loads((output / row.name / "result.json").read_text())
        assert result["experiment"] == row.name
        assert result["complete"] and result["quick"]
        assert result["parameters"] > 0
        assert {metric["split"] for metric in result["metrics"]} == {"train", "test"}
        assert set(result["versions"]) >= {"tensorflow", "keras", "numpy"}
        for name in result["figures"]:
            assert (output / row.name / name).stat().st_size > 1000
        assert (output / row.name / "history.csv").exists()


def test_every_kind_of_figure_is_there(quick):
    output, rows = quick
    expected = {
        "ae": {"structure", "loss", "reconstructions", "code"},
        # Its other results stand in tables only
        "ae-16": {"reconstructions"},
        "dae": {"structure", "loss", "reconstructions", "code", "denoising", "psnr"},
        "dae-published": {"structure", "loss", "accuracy", "code", "denoising", "psnr"},
        "cae-published": {"structure", "loss", "accuracy", "reconstructions", "code", "denoising"},
        "vae-bce": {"structure", "loss", "loss_terms", "reconstructions", "code", "manifold"},
    }
    names = expected.keys() & {row.name for row in rows}
    assert len(names) >= 3
    for name in names:
        figures = expected[name]
        there = {path.stem for path in (output / name).glob("*.png")}
        assert figures <= there
    shown = {home(row) for row in rows if row.group == "published" and row.kind != "baseline"}
    there = {path.name for path in (output / "families").glob("*.png")}
    assert there == {f"{family}{end}" for family in shown for end in (".png", ".zh.png")}


def test_every_file_that_the_reports_link_is_there(quick):
    output, rows = quick
    pages = sorted((output / "report").rglob("*.md"))
    assert len(pages) > 50
    pictures = 0
    for page in pages:
        links = re.findall(r"\]\(([^)#\s]+)\)", page.read_text(encoding="utf-8"))
        local = [link for link in links if not link.startswith("http")]
        pictures += sum(link.endswith(".png") for link in local)
        missing = [link for link in local if not (page.parent / link).exists()]
        assert not missing, page
    assert pictures > (80 if len(rows) > 10 else 30)


def test_only_takes_groups_and_names():
    from Code.commands.run_all import chosen, parser
    from Code.foundation.errors import UserError

    rows = chosen(parser().parse_args(["--only", "causes", "ae", "causes", "vae-bce"]))
    assert [row.name for row in rows] == [*(r.name for r in of_group("causes")), "ae", "vae-bce"]
    with pytest.raises(UserError, match="no experiment or group named nothing"):
        chosen(parser().parse_args(["--only", "causes", "nothing"]))


def test_results_csv_is_tidy(quick):
    output, trained = quick
    with open(output / "results.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == (
        ["experiment", "variant", "stage", "metric", "split", "mean", "std", "n_seeds", "published"]
    )
    assert {row["experiment"] for row in rows} == {row.name for row in trained}
    keys = [(r["experiment"], r["stage"], r["metric"], r["split"]) for r in rows]
    assert len(keys) == len(set(keys))
    assert all(np.isfinite(float(row["mean"])) for row in rows)
    published = [row for row in rows if row["published"]]
    assert len(published) == sum(len(row.published) for row in trained)


def test_a_second_run_trains_nothing(quick):
    output, _ = quick
    before = (output / "results.csv").read_bytes()
    again = run_here("--quick", "--jobs", "1", "--only", "pca-2", "vae-bce", "--output", output)
    assert again.returncode == 0
    assert "2 of 2 runs are finished and kept" in again.stderr
    assert (output / "results.csv").read_bytes() == before


def test_a_trained_model_loads_and_reconstructs(quick, mnist):
    import keras

    import Code.vae  # noqa: F401, registers the class

    output, _ = quick
    model = keras.saving.load_model(output / "vae-bce" / "model.keras")
    x = to_unit(mnist.x_test[:500])
    result = json.loads((output / "vae-bce" / "result.json").read_text())
    mse = next(m for m in result["metrics"] if m["metric"] == "mse" and m["split"] == "test")
    assert np.square(model.reconstruct(x) - x).mean() == pytest.approx(mse["mean"], rel=1e-4)


def killed_by_hand(root, output, *arguments):
    """A run that is killed as soon as one of its experiments is finished; which are finished."""
    command = [sys.executable, str(root / "run_all.py"), *arguments, "--output", str(output)]
    process = subprocess.Popen(command, cwd=root, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 600
    while not list(output.glob("*/runs/seed-*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (output / "results.csv").exists()
    return {path.parent.parent.name for path in output.glob("*/runs/seed-*")}


def same(one, other, rows=FEW):
    """Both runs left the same results, histories and pictures of these few rows, to the byte."""
    files = [path for row in rows for path in (one / row).iterdir()]
    names = [path.relative_to(one) for path in files if path.suffix in (".png", ".csv")]
    assert len(names) >= 2 * len(rows)
    different = [n for n in names if (one / n).read_bytes() != (other / n).read_bytes()]
    assert different == []
    assert lines_of(one, rows) == lines_of(other, rows)


def lines_of(output, rows):
    lines = (output / "results.csv").read_text("utf-8").splitlines()
    return [line for line in lines if line.split(",")[0] in ("experiment", *rows)]


@SOME_ROWS
def test_stopped_and_resumed_equals_undisturbed(quick, tmp_path, monkeypatch):
    """Ctrl+C in the second row: what was finished is kept, and the rest is the same."""
    rows = ("pca-2", "ae-16")
    arguments = ("--quick", "--no-uses", "--jobs", "1", "--only", *rows, "--output", tmp_path)

    def stop(*told, **more):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("Code.training.pca.run", stop)
        assert run_here(*arguments).returncode == INTERRUPTED
    assert not (tmp_path / "results.csv").exists()
    resumed = run_here(*arguments)
    assert resumed.returncode == 0, resumed.stderr
    assert "1 of 2 runs are finished and kept" in resumed.stderr
    same(quick[0], tmp_path, rows)


@SOME_ROWS
@pytest.mark.slow
def test_killed_and_resumed_equals_undisturbed(quick, root, tmp_path):
    arguments = ("--quick", "--jobs", "1", "--only", *FEW)
    assert killed_by_hand(root, tmp_path, *arguments), "something was finished before the kill"
    resumed = run_here(*arguments, "--output", tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert "finished and kept" in resumed.stderr
    same(quick[0], tmp_path)


@pytest.mark.slow
def test_killed_and_resumed_with_one_job_equals_undisturbed_with_two(root, tmp_path):
    arguments = ("--quick", "--seeds", "2", "--only", *FEW)
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    assert run(root, *arguments, "--jobs", "2", "--output", undisturbed).returncode == 0
    assert killed_by_hand(root, killed, *arguments), "something was finished before the kill"
    resumed = run(root, *arguments, "--jobs", "1", "--output", killed)
    assert resumed.returncode == 0, resumed.stderr
    assert "finished and kept" in resumed.stderr
    same(undisturbed, killed)


def test_a_diverged_experiment_is_named_and_the_others_finish(tmp_path, monkeypatch):
    """A learning rate of 1e30 is in no table."""
    row = EXPERIMENTS["ae"]
    stage = replace(row.stages[0], epochs=3, optimizer=adam(1e30))
    settings = {**row.settings, "output_activation": "linear"}
    wild = replace(row, stages=(stage,), settings=settings)
    monkeypatch.setitem(EXPERIMENTS, "ae", wild)
    done = run_here("--quick", "--jobs", "1", "--only", "ae", "pca-2", "--output", tmp_path)
    assert done.returncode == 1, done.stderr
    assert re.search(r"FAILED ae, seed 0: loss became (nan|inf) in epoch \d of \d", done.stderr)
    assert "Traceback" not in done.stderr
    assert (tmp_path / "pca-2" / "result.json").exists()
    assert not (tmp_path / "ae" / "result.json").exists()


def assert_put_to_use(output, use, rival):
    """The folder holds what the model and its rivals gave in this use and in reconstructing."""
    measured = json.loads((output / "uses.json").read_text())
    assert measured["models"] == ["ae-16"]
    assert set(measured["uses"]) == {"reconstruct", use}
    for name in ("reconstruct", use):
        assert (output / "uses" / f"{name}.png").exists()
    report = (output / "report" / "en" / "uses.md").read_text(encoding="utf-8")
    assert f"uses/{use}.png" in report
    assert all(rival in values for values in measured["uses"][use]["values"].values())
    if use == "denoise":
        assert rival in report


def test_trained_models_of_the_common_group_are_put_to_use(quick):
    output, rows = quick
    if any(row.group == "common" for row in rows):
        assert_put_to_use(output, "resize", "bicubic")
    else:
        assert not (output / "uses.json").exists()


@pytest.mark.slow
def test_a_trained_model_is_put_to_denoising(tmp_path, monkeypatch):
    monkeypatch.setattr(use_units, "USES", ("reconstruct", "denoise"))
    done = run_here("--quick", "--jobs", "1", "--only", "ae-16", "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    assert_put_to_use(tmp_path, "denoise", "median filter")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--only", "no-such"], "no experiment or group named no-such"),
        (["--data", "no-such-data"], "no-such-data"),
        (["--data", "requirements.txt"], "requirements.txt"),
        (["--seeds", "0"], "whole number above 0"),
        (["--seed", "-1"], "seed"),
        (["--seed", "2147483645", "--seeds", "3"], "largest seed, 2147483646"),
        (["--jobs", "x"], "whole number above 0"),
        (["--report-only", "--output", "no-such-folder"], "no-such-folder is not a folder"),
        (["--nonsense"], "unrecognized arguments"),
    ],
)
def test_wrong_input_gets_a_line_and_status_2(root, monkeypatch, arguments, says):
    monkeypatch.chdir(root)
    done = run_here(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--compare", "--verify"], "--compare does nothing with --verify; leave it out"),
        (["--list", "--only", "ae"], "--list does nothing with --only; leave it out"),
        (["--report-only", "--data", "x"], "--report-only does nothing with --data; leave it out"),
        (["--tune", "common", "--quick"], "--tune does nothing with --quick; leave it out"),
        (
            ["--longer", "3"],
            "--longer is for other data; on MNIST the epochs are those of the table",
        ),
        (["--longer", "3", "--quick"], "--longer does nothing with --quick; leave one of them out"),
        (["--list", "--longer", "3"], "--list does nothing with --longer; leave it out"),
        (["--dry-run", "--verify"], "--verify does nothing with --dry-run; leave it out"),
        (["--output", ""], "--output needs the name of a folder"),
    ],
)
def test_what_would_have_no_effect_is_refused(arguments, says):
    done = run_here(*arguments)
    assert (done.returncode, done.stderr) == (2, f"run_all.py: {says}\n")


def test_what_is_committed_with_this_very_code_is_not_to_do(monkeypatch):
    for counts, says in ((True, "0 of 0 runs to do"), (False, "runs to do, 2 at a time")):
        monkeypatch.setattr("Code.runs.run.counts", lambda *_, known=counts: known)
        done = run_here("--only", "pca-2", "--extend", "--dry-run", "--jobs", 2)
        assert done.returncode == 0 and says in done.stdout


def test_bad_data_is_refused_before_anything_is_trained(tmp_path, mnist):
    path = tmp_path / "bad.npz"
    images = mnist.x_train[:50].astype(np.float32) / 255
    images[7, 3, 3] = np.nan
    labels = mnist.y_train[:50]
    np.savez(path, x_train=images, y_train=labels, x_test=images[:20], y_test=labels[:20])
    done = run_here("--data", path, "--output", tmp_path / "out")
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "NaN" in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_output_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    done = run_here("--quick", "--only", "pca-2", "--output", tmp_path / "file")
    assert done.returncode == 2
    assert "cannot write" in done.stderr and "Traceback" not in done.stderr


def test_two_runs_on_one_folder_do_not_mix(tmp_path):
    from Code.runs.schedule import sole_use

    with sole_use(tmp_path):
        done = run_here("--quick", "--only", "pca-2", "--output", tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "another run is writing" in done.stderr


def test_list_names_every_experiment_without_tensorflow(root):
    code = (
        "import sys; from Code.commands.run_all import main; main(['--list']); "
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=False
    )
    assert done.returncode == 0
    assert all(name in done.stdout for name in EXPERIMENTS)


def test_a_reader_that_leaves_is_no_error(root):
    """``run_all.py --list | head -1``: the pipe is closed before the list is written."""
    reading, writing = os.pipe()
    os.close(reading)
    finished = subprocess.run(
        [sys.executable, "run_all.py", "--list"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        cwd=root,
        check=False,
    )
    os.close(writing)
    assert (finished.returncode, finished.stderr) == (0, "")


VAE_ALONE = ("--epochs", "2", "--quick", "--output")


def left_by_a_variant(done, output):
    assert done.returncode == 0, done.stderr
    assert "mse" in done.stdout
    assert (output / "vae-bce" / "manifold.png").exists()
    assert (output / "vae-bce" / "model.keras").exists()


@pytest.mark.slow
def test_one_variant_alone(tmp_path):
    done = called(lambda words: variant.main("vae", words), *VAE_ALONE, tmp_path)
    left_by_a_variant(done, tmp_path)


@pytest.mark.slow
def test_one_variant_alone_in_a_process_of_its_own(root, tmp_path):
    command = [sys.executable, "-m", "Code.vae", *VAE_ALONE, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
    left_by_a_variant(done, tmp_path)


@pytest.mark.slow
def test_two_files_of_one_name_do_not_share_a_folder(tmp_path, monkeypatch, mnist):
    monkeypatch.chdir(tmp_path)
    outputs = {}
    for folder, start in (("a", 0), ("b", 500), ("a", 0)):
        (tmp_path / folder).mkdir(exist_ok=True)
        arrays = {
            f"{kind}_{part}": getattr(mnist, f"{kind}_{part}")[start : start + 300]
            for kind in "xy"
            for part in ("train", "test")
        }
        np.savez(tmp_path / folder / "train.npz", **arrays)
        done = run_here("--only", "pca-2", "--jobs", "1", "--data", f"{folder}/train.npz")
        assert done.returncode == 0, done.stderr
        (output,) = re.findall(r"into (output\S*)/", done.stderr) or [outputs.get(folder)]
        assert outputs.setdefault(folder, output) == output
    assert len(set(outputs.values())) == 2
    assert outputs["a"] == "output/train"


@pytest.mark.parametrize("name", ["reference.npz", "ae/", "Quick.csv", ".npz", "...npy", "x" * 250])
def test_other_data_do_not_take_a_folder_of_the_project(name, tmp_path, monkeypatch, mnist):
    from Code.commands.run_all import default_output, parser

    monkeypatch.chdir(tmp_path)
    data = replace(mnist.subset(10, 10), name=name, sha256="0123456789abcdef")
    folder = default_output(parser().parse_args([]), data)
    assert folder.parent == Path("output") and len(folder.name) < 120
    if len(name) < 100:
        assert folder.name.endswith("01234567")
    usual = default_output(parser().parse_args(["--quick"]), replace(data, name="my digits.npz"))
    assert usual == Path("output", "quick", "my digits")


@pytest.mark.slow
@SOME_ROWS
def test_a_variant_alone_gives_the_numbers_of_the_whole_run(quick, root, tmp_path):
    """In a process of its own, whose environment nothing else has set."""
    row = "vae-bce"
    command = [sys.executable, "-m", "Code.vae", "--experiment", row, "--quick"]
    unset = ("XLA_FLAGS", *ONE_THREAD)
    done = subprocess.run(
        [*command, "--output", str(tmp_path)],
        env={name: value for name, value in os.environ.items() if name not in unset},
        capture_output=True,
        text=True,
        cwd=root,
    )
    assert done.returncode == 0, done.stderr
    alone, whole = (
        json.loads((output / row / "result.json").read_text(encoding="utf-8"))
        for output in (tmp_path, quick[0])
    )
    assert alone["metrics"] == whole["metrics"]
