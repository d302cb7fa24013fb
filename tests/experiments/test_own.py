"""Experiments of one's own: what a file may say, and what is told of a wrong one."""

import json
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from Code.experiments.own import ConfigError, load_experiments
from Code.runs.fingerprint import forget
from tests.support import examples, run_here

GOOD = """\
# A wider denoiser
[[experiment]]
name = "wide-dae"
title = "Wide denoiser"
model = "Code.dae:DAE"
settings = { code_dim = 3, hidden = [32], level = 0.3 }

[[experiment.stages]]
name = "unsupervised"
epochs = 1
batch_size = 128
learning_rate = 0.002

[[experiment]]
name = "narrow"
model = "Code.ae:AE"
[experiment.settings]
code_dim = 2
n_classes = 10
[[experiment.stages]]
epochs = 2
batch_size = 64
[[experiment.stages]]
name = "supervised"
epochs = 1
batch_size = 64
"""

OWN_MODULE = '''\
"""A variant of one's own."""

import keras

from Code.ae import AE


@keras.saving.register_keras_serializable(package="mine")
class Mine(AE):
    """An autoencoder with an opinion."""

    def __init__(self, opinion=1.0, **kwargs):
        super().__init__(**kwargs)
        self.opinion = opinion

    def get_config(self):
        return {**super().get_config(), "opinion": self.opinion}
'''


@pytest.fixture
def file(tmp_path):
    def write(text, name="mine.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_file_becomes_rows_of_the_table(file):
    wide, narrow = load_experiments(file(GOOD))
    assert (wide.name, wide.title, wide.group) == ("wide-dae", "Wide denoiser", "own")
    assert wide.settings == {"code_dim": 3, "hidden": [32], "level": 0.3}
    assert wide.stages[0].optimizer["config"]["learning_rate"] == 0.002
    assert [stage.name for stage in narrow.stages] == ["unsupervised", "supervised"]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("level = 0.3", "levle = 0.3", 6, "'levle' is not known here; did you mean 'level'?"),
        ("code_dim = 3", "code_dim = -3", 6, "do not fit DAE"),
        ("hidden = [32]", 'hidden = "x"', 6, "do not fit DAE"),
        ("Code.dae:DAE", "Code.dae:NoSuch", 5, "not a subclass of Code.base:BaseAutoencoder"),
        ("Code.dae:DAE", "no_such_module:X", 5, "cannot be imported (ModuleNotFoundError"),
        ("Code.dae:DAE", "os.path", 5, "must be an import path"),
        ("epochs = 1\n", "epochs = 0\n", 10, "whole number from 1"),
        ("epochs = 1\n", "epochs = true\n", 10, "whole number from 1"),
        ("batch_size = 128", 'batch_size = "128"', 11, "whole number from 1"),
        ("batch_size = 128\n", "", 8, "is missing: a number from 1"),
        ("learning_rate = 0.002", "learning_rate = nan", 12, "number above 0"),
        ("learning_rate = 0.002", "learning_rat = 0.1", 12, "did you mean 'learning_rate'?"),
        ('"wide-dae"', '"vae-bce"', 3, "is an experiment of the project"),
        ('"wide-dae"', '"../up"', 3, "small letters, digits and hyphens"),
        ('"wide-dae"', '"narrow"', 15, "stands twice"),
        ("n_classes = 10\n", "", 14, "needs n_classes"),
        ("title", "titel", 4, "did you mean 'title'?"),
        ("# A wider denoiser", "experiments = 1", 1, "did you mean"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(file, old, new, line, said):
    assert old in GOOD
    path = file(GOOD.replace(old, new, 1))
    with pytest.raises(ConfigError) as told:
        load_experiments(path)
    text = str(told.value)
    assert said in text
    assert "\n" not in text
    if said != "needs n_classes":
        assert f"{path}, line {line}:" in text


@pytest.mark.parametrize("text", ["", "x = ", "experiment = 3", "[experiment]", "[[experiment]]"])
def test_a_file_that_is_none_is_one_line(file, text):
    with pytest.raises(ConfigError):
        load_experiments(file(text))


def test_a_mark_of_the_encoding_is_no_part_of_the_file(file):
    assert load_experiments(file("\ufeff" + GOOD))[0].name == "wide-dae"


@pytest.mark.skipif(sys.platform != "linux", reason="a device of Linux")
def test_a_file_without_an_end_is_refused():
    with pytest.raises(ConfigError, match="larger than 1,000,000 bytes"):
        load_experiments("/dev/zero")


def test_a_folder_a_missing_and_a_binary_file(file, tmp_path):
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path, tmp_path / "none.toml", tmp_path / "binary.toml"):
        with pytest.raises(ConfigError, match=str(path)):
            load_experiments(path)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
KEYS = st.sampled_from(
    [
        "name",
        "model",
        "title",
        "settings",
        "stages",
        "epochs",
        "batch_size",
        "learning_rate",
        "optimizer",
        "noise_once",
        "experiment",
    ]
)
LINES = st.one_of(
    st.sampled_from(GOOD.split("\n")),
    st.text(max_size=20),
    st.builds(lambda key, value: f"{key} = {json.dumps(value)}", KEYS, VALUES),
)


@settings(
    max_examples=examples(1500, 100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(LINES, max_size=14))
def test_any_text_is_rows_or_one_line(file, lines):
    try:
        rows = load_experiments(file("\n".join(lines)))
    except ConfigError as error:
        assert str(error) and "\n" not in str(error)
    else:
        assert all(row.stages for row in rows)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The command line on a small file with a variant of the user's own."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "my_variant.py").write_text(OWN_MODULE, encoding="utf-8")
    text = GOOD.replace("Code.ae:AE", "my_variant:Mine").replace("code_dim = 2", "opinion = 2.0")
    (folder / "mine.toml").write_text(text, encoding="utf-8")

    def command(*words):
        return run_here("--config", folder / "mine.toml", *words)

    return folder, command


@pytest.mark.slow
def test_own_experiments_train_and_stand_in_the_report(run):
    folder, command = run
    words = ("--quick", "--jobs", "1", "--output", str(folder / "out"), "--json")
    done = command(*words)
    assert done.returncode == 0, done.stderr
    names = [result["experiment"] for result in json.loads(done.stdout)]
    assert names == ["wide-dae", "narrow"]
    page = folder / "out" / "report" / "en" / "variants" / "own.md"
    report = page.read_text(encoding="utf-8")
    assert "Wide denoiser" in report and "`narrow`" in report

    again = json.loads(command(*words, "--dry-run").stdout)
    assert [step["finished"] for step in again["runs"]] == [True, True]
    assert again["seconds"] == 0

    def finished_after(change):
        with (folder / "my_variant.py").open("a", encoding="utf-8") as module:
            module.write(change)
        forget()  # as a new process would
        return json.loads(command(*words, "--dry-run").stdout)

    remarked = finished_after("\n# a comment is none\n")
    assert [step["finished"] for step in remarked["runs"]] == [True, True]
    changed = finished_after("\nOPINION = 3.0\n")
    assert [step["finished"] for step in changed["runs"]] == [True, False]
    assert changed["seconds"] > 0


def test_the_list_holds_own_experiments(run):
    _, command = run
    listed = json.loads(command("--list", "--json").stdout)
    assert {"wide-dae", "narrow", "vae-bce"} <= {row["name"] for row in listed}


def test_a_wrong_file_ends_with_status_2(tmp_path):
    (tmp_path / "bad.toml").write_text("nonsense")
    done = run_here("--config", tmp_path / "bad.toml")
    assert done.returncode == 2
    assert done.stderr.startswith("run_all.py: ") and len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_a_file_is_read_without_messages_of_the_backend(tmp_path):
    """An optimiser is checked by Keras, of which nothing need have been loaded before."""
    optimizer = 'optimizer = { class_name = "sgd", config = { learning_rate = 0.1 } }'
    text = GOOD.replace("learning_rate = 0.002", optimizer)
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    command = [sys.executable, "run_all.py", "--config", tmp_path / "mine.toml", "--list"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "wide-dae" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("model", "uses_labels"), [("Code.cvae:CVAE", True), ("Code.ae:AE", False)]
)
def test_a_row_knows_whether_its_model_learns_from_labels(file, model, uses_labels):
    (row,) = load_experiments(
        file(
            GOOD.split('\n[[experiment]]\nname = "narrow')[0]
            .replace("Code.dae:DAE", model)
            .replace(", level = 0.3", "")
        )
    )
    assert row.uses_labels is uses_labels
