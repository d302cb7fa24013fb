"""The README and the user's guide say what is so: commands, links, blocks, error lines."""

import ast
import contextlib
import csv
import importlib
import inspect
import io
import json
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from functools import cache

import pytest

from Code.commands import use as door
from Code.commands import variant
from Code.commands.run_all import chosen, parser
from Code.experiments.table import EXPERIMENTS
from Code.foundation.errors import UserError
from Code.tasks import USES

GUIDES = ("report/guide.md", "report/guide.zh.md")
DOCUMENTS = ("README.md", *GUIDES)
COMMAND = re.compile(
    r"(run_all\.py|python -m Code\.use \w+|python -m (?:Code|tests)\.[\w.]*\w)"
    r"(?![\w.<])([^#&`\n|]*)"
)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
USE_ROW = re.compile(r"^\| (?:`(\w+)`)? ?\| .* \| `(--[^`]*)` \|$", re.M)
PYTHON = re.compile(r"^ *```python\n.*?^ *```$", re.M | re.S)
MARK = re.compile(r"<!--.*?-->")
LINK = re.compile(r"\]\(([^)\s]+)\)")
# Shorter pieces of an error line, between what varies, stand anywhere
LEAST = 8


@cache
def text_of(root, name):
    return (root / name).read_text(encoding="utf-8")


def section(text, title):
    """The part of a document below a heading."""
    return re.split(r"^## ", text.split(f"\n## {title}")[1], flags=re.M)[0]


def blocks(text, language, indent=""):
    fence = rf"^{indent}```{language}\n(.*?)^{indent}```$"
    return [textwrap.dedent(block) for block in re.findall(fence, text, re.M | re.S)]


def commands(root):
    """Every command of both documents: (program, its arguments as text)."""
    found = []
    for name in DOCUMENTS:
        found += COMMAND.findall(MARK.sub("", PYTHON.sub("", text_of(root, name))))
    for guide in GUIDES:
        use = None
        for named, arguments in USE_ROW.findall(text_of(root, guide)):
            use = named or use
            found.append((f"python -m Code.use {use}", arguments))
    return found


@cache
def help_of(program):
    """What a command says with ``--help``, without starting a process."""
    if program == "run_all.py":
        return parser().format_help()
    _, _, name, *use = program.split()
    if name.split(".")[-1] in {row.variant for row in EXPERIMENTS.values()}:
        return variant.parser(name.split(".")[-1]).format_help()
    main = door.main if name == "Code.use" else importlib.import_module(name).main
    with contextlib.redirect_stdout(io.StringIO()) as said, pytest.raises(SystemExit):
        main([*use, "--help"])
    return said.getvalue()


def test_every_option_of_every_command_exists(root):
    found = commands(root)
    uses = {program.split()[-1] for program, _ in found if "Code.use " in program}
    assert uses >= {*USES, *door.BESIDE} and len(found) > 40
    for program, arguments in found:
        known = set(OPTION.findall(help_of(program)))
        assert set(OPTION.findall(arguments)) <= known, f"{program} {arguments}"


def test_every_option_in_the_text_exists(root):
    programs = {program for program, _ in commands(root)}
    known = {option for program in programs for option in OPTION.findall(help_of(program))}
    for name in DOCUMENTS:
        named = re.findall(r"`(--[a-z][a-z-]*)", text_of(root, name))
        assert set(named) <= known, name


def test_every_option_of_run_all_is_in_the_guide(root):
    missing = set(OPTION.findall(help_of("run_all.py"))) - {"--help"}
    for guide in GUIDES:
        assert not missing - set(OPTION.findall(text_of(root, guide))), guide


def test_run_all_takes_its_commands(root):
    lines = [arguments for program, arguments in commands(root) if program == "run_all.py"]
    whole = [shlex.split(line) for line in lines if line.startswith(" -") and "…" not in line]
    assert len(whole) > 10
    for words in whole:
        options = parser().parse_args(words)
        if not options.config:
            chosen(options)


def test_the_check_of_names_can_fail():
    with pytest.raises(UserError):
        chosen(parser().parse_args(["--only", "no-such"]))


def test_every_model_of_a_command_is_an_experiment(root):
    text = "\n".join(arguments for _, arguments in commands(root))
    names = set(re.findall(r"--model output/([\w-]+)", text))
    assert len(names) >= 4 and names <= set(EXPERIMENTS)


@pytest.mark.parametrize("name", [*DOCUMENTS, "report/walkthrough.ipynb"])
def test_every_link_leads_somewhere(root, name):
    text = text_of(root, name)
    if name.endswith(".ipynb"):
        cells = json.loads(text)["cells"]
        text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    links = [link for link in LINK.findall(text) if not link.startswith("http")]
    links += re.findall(r'<a href="([^"]+)"', text)
    assert len(links) > 3
    for link in links:
        path, _, anchor = link.partition("#")
        target = ((root / name).parent / path).resolve() if path else root / name
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), link


def anchors(text):
    """The anchors that GitHub makes of the headings."""
    titles = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_error_line_is_one_of_the_project_s(root):
    rows = re.findall(
        r"^\| `([^`]*)` \|", section(text_of(root, "report/guide.md"), "When some"), re.M
    )
    assert len(rows) > 12
    sources = [path.read_text(encoding="utf-8") for path in (root / "Code").rglob("*.py")]
    said = "\n".join(
        node.value
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    for row in rows:
        parts = [part.strip(" :;,") for part in row.split("…")]
        long = [part for part in parts if len(part) >= LEAST]
        assert long, f"{row}: nothing to look for"
        assert [part for part in long if part not in said] == []


def test_the_keys_of_a_config_are_all_told(root, tmp_path):
    from Code.experiments.own import KEYS, load_experiments

    text = section(text_of(root, "report/guide.md"), "Your own experiments")
    for what, keys in KEYS.items():
        table = re.split(rf"^\| key of an? {what} \|", text, flags=re.M)[1]
        assert set(re.findall(r"^\| `(\w+)` \|", table.split("\n\n")[0], re.M)) == keys
    (tmp_path / "mine.toml").write_text(*blocks(text, "toml"), encoding="utf-8")
    (row,) = load_experiments(tmp_path / "mine.toml")
    assert [stage.name for stage in row.stages] == ["unsupervised", "supervised"]


def test_every_argument_of_keras_is_told(root):
    """As honoured or refused; what is refused is refused, `tests/parts/test_keras_contract.py`."""
    import keras

    text = section(text_of(root, "report/guide.md"), "Every model is a Keras model")
    rows = [row.split("|")[1:4] for row in text.splitlines() if row.startswith("| `")]
    told = {name: row[2] for row in rows for name in re.findall(r"`(\w+)`", row[0])}
    methods = ("compile", "fit", "evaluate", "predict", "train_on_batch", "test_on_batch")
    arguments = {
        name
        for method in methods
        for name in inspect.signature(getattr(keras.Model, method)).parameters
    }
    assert set(told) == arguments - {"self", "kwargs"}
    refused = {"loss", "loss_weights", "metrics", "weighted_metrics", "steps_per_execution"}
    assert {name for name, says in told.items() if "refused" in says} == refused


def test_the_columns_and_keys_of_results_are_all_told(root):
    from Code.runs.results import RESULT_COLUMNS
    from Code.runs.uses_table import COLUMNS

    text = section(text_of(root, "report/guide.md"), "What is in the output folder")
    parts = text.split("**`results.csv`**")[1].split("**`result.json`**")
    table, result = (set(re.findall(r"`(\w+)`", part)) for part in parts)
    assert set(RESULT_COLUMNS) | set(COLUMNS) <= table
    assert set(json.loads(text_of(root, "output/ae/result.json"))) <= result


# Both languages ---------------------------------------------------------------------------------

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.M | re.S)
COMMENT = re.compile(r"(^|  +)# .*$", re.M)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
HALF_WIDTH = re.compile(r"[\u4e00-\u9fff][,;:?!]|[\u4e00-\u9fff]\.(?!\w)|[,;?!][\u4e00-\u9fff]")


def test_both_guides_have_the_same_blocks(root):
    """But for comments, which are said in the reader's language."""
    english, chinese = (FENCE.findall(text_of(root, guide)) for guide in GUIDES)
    assert len(english) == len(chinese) > 25
    for (_, kind, ours), (_, other, theirs) in zip(english, chinese, strict=True):
        assert kind == other
        assert COMMENT.sub("", theirs) == COMMENT.sub("", ours)


def outline(text):
    """What both languages share: levels of headings, sizes of tables, code and links in them."""
    text = FENCE.sub("", text)
    rows = re.findall(r"^\|(.*)\|$", text, re.M)
    # Each guide leads to the pages of its own language
    files = [link.partition("#")[0].replace(".zh.", ".") for link in LINK.findall(text)]
    files = [re.sub("^zh/", "en/", file) for file in files]
    return {
        "headings": re.findall(r"^(#+) ", text, re.M),
        "columns": [row.count(" | ") for row in rows],
        "code in rows": [sorted(re.findall(r"`[^`]+`", row)) for row in rows],
        "code": sorted(set(re.findall(r"`([^`\n]+)`", text))),
        "links": sorted(file for file in files if file),
        "anchors": sum("#" in link for link in LINK.findall(text)),
        "bullets": text.count("\n- "),
        "bold": text.count("**"),
    }


def test_both_guides_say_the_same_things(root):
    english, chinese = (outline(text_of(root, guide)) for guide in GUIDES)
    for what, ours in english.items():
        assert chinese[what] == ours, what


def test_the_chinese_guide_is_chinese(root):
    """Nothing left in English, and Chinese punctuation between Chinese words."""
    text = FENCE.sub("", text_of(root, GUIDES[1]))
    for line in filter(None, (line.strip() for line in text.splitlines())):
        bare = re.sub(r"`[^`]*`|\]\([^)]*\)", "", line)
        assert len(re.findall(r"\b[A-Za-z]{3,}\b", bare)) < 4 or CHINESE.search(bare), line
    assert HALF_WIDTH.findall(text) == []
    # A code host shows a line's end as a space, and Chinese has none
    assert not re.search(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]\n *[\u4e00-\u9fff]", text)
    assert not re.search(r"[\u4e00-\u9fff] 为|[A-Za-z0-9²)`] ?为", text)


def test_the_chinese_guide_uses_the_terms_of_the_report(root):
    """One thing, one term, and one word for the reader."""
    text = FENCE.sub("", text_of(root, GUIDES[1]))
    for term in ("离散程度", "抽样", "衡量", "本文", "我们", "您", "one-hot", "批次", "散列"):
        assert term not in text, term
    assert not re.search("(?<!随机)种子|读作", text)


# Numbers and names ------------------------------------------------------------------------------

MINUTES = re.compile(r"^\| `(published|causes|papers|bakeoff|common)` \| .* \| (\d+) \|$", re.M)
# How far an estimate on another day may lie from the written one
NEAR = 1.3


def test_the_minutes_are_those_of_the_plan(root, tmp_path, monkeypatch):
    """Of two cores and one seed; a committed run that took another time asks for new ones."""
    from Code.experiments.table import GROUPS, of_group
    from Code.runs.plan import steps_of, wall_seconds
    from Code.runs.store import Store
    from Code.runs.unit import Unit, dataset

    monkeypatch.chdir(root)
    data, nothing = dataset("mnist", False), Store(tmp_path)
    for group in GROUPS:
        units = [Unit(row, 0, "mnist", False, str(tmp_path)) for row in of_group(group)]
        steps = steps_of(units, {(u.name, 0): None for u in units}, data, nothing)
        minutes = wall_seconds(steps, jobs=2) / 60
        for name in DOCUMENTS:
            written = dict(MINUTES.findall(text_of(root, name)))
            assert set(written) == set(GROUPS), name
            assert minutes == pytest.approx(int(written[group]), rel=NEAR - 1, abs=0.6), group


def test_every_measure_is_one_of_the_results(root):
    text = section(text_of(root, GUIDES[0]), "What is measured")
    with open(root / "output" / "results.csv", encoding="utf-8") as file:
        measured = {row["metric"] for row in csv.DictReader(file)} | {"seconds_in_all"}
    first = re.findall(r"^\| (`[^|]*) \|", text, re.M)
    named = {name for cell in first for name in re.findall(r"`(\w[\w.]*)`", cell)}
    assert named - set(USES) <= measured and len(named) > 12
    assert named >= set(USES)


# What the uses print ----------------------------------------------------------------------------


def samples(root):
    """The guide's sample of each use: ``{use: (arguments, lines)}``."""
    text = section(text_of(root, GUIDES[0]), "The twelve uses").split("### What they print")[1]
    (block,) = blocks(text, "text")
    found = {}
    for part in block.split("$ Code.use ")[1:]:
        command, *lines = part.rstrip().splitlines()
        use, *arguments = shlex.split(command)
        found.setdefault(use, []).append((arguments, lines))
    return found


NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


def form(lines):
    """Lines without their numbers, their spaces and what a number decides."""
    bare = (NUMBER.sub("#", line.replace("ANOMALOUS", "normal")) for line in lines)
    return [re.sub(r"\(#.*\)", "(#)", " ".join(line.split())) for line in bare]


def test_there_is_a_sample_of_every_use(root):
    assert set(samples(root)) == set(USES)
    named = {
        (use, tuple(arguments)) for use, all_ in samples(root).items() for arguments, _ in all_
    }
    use = None
    for name, arguments in USE_ROW.findall(text_of(root, GUIDES[0])):
        use = name or use
        assert (use, tuple(shlex.split(arguments))) in named


def alike(line, other, within):
    """Whether two lines have one form, and numbers that differ by the share ``within`` at most."""
    ours, theirs = ([float(n) for n in NUMBER.findall(one)] for one in (line, other))
    if form([line]) != form([other]):
        return False
    return within is None or ours == pytest.approx(theirs, rel=within)


# What depends on a training of its own, or on where a clustering starts
OF_FORM_ALONE = ("cluster", "style")
# Half precision, another processor
ROUNDED = 0.01


@pytest.mark.slow
def test_the_samples_are_what_is_printed(root, tmp_path, monkeypatch, capsys, mnist):
    """By the committed models; lines that are left out may stand between."""
    import numpy as np

    from Code.cvae import CVAE
    from Code.data.pictures import save_images
    from Code.parts.images import to_unit
    from Code.tasks import resize, segment

    monkeypatch.chdir(tmp_path)
    (tmp_path / "output" / "cvae-16").mkdir(parents=True)
    (tmp_path / "output" / "reference").symlink_to(root / "output" / "reference")
    CVAE(code_dim=16).save(tmp_path / "output" / "cvae-16" / "model.keras")
    images = to_unit(mnist.x_test[:40])
    np.savez("my.npz", images=images)
    save_images("my.png", images[:1])
    np.savez("small.npz", images=resize.shrink(images, 2))
    np.savez("pictures.npz", images=segment.cluttered(mnist.x_test[:500], 2, seed=1)[0])
    rows = np.round(images[:, 10:14, 10:14].reshape(40, -1), 3).astype(str)
    rows[np.random.default_rng(0).random(rows.shape) < 0.05] = ""
    (tmp_path / "holes.csv").write_text("\n".join(map(",".join, rows)))

    for use, all_ in samples(root).items():
        for arguments, lines in all_:
            capsys.readouterr()
            with contextlib.suppress(SystemExit):
                door.main([use, *arguments])
            said = iter(capsys.readouterr().out.splitlines())
            within = None if use in OF_FORM_ALONE or "--table" in arguments else ROUNDED
            for wanted in (line for line in lines if line.strip() not in ("", "…")):
                assert any(alike(line, wanted, within) for line in said), (use, wanted)
            output = arguments[arguments.index("--output") + 1]
            assert (tmp_path / output).exists(), use


PRELUDE = """
import sys; sys.path.insert(0, sys.argv[1])
from Code.foundation.keras_import import import_keras
import_keras()
from pathlib import Path
from Code.dae import DAE
from Code.tasks.export import export
from Code.vae import VAE
for name, model in (("vae-16", VAE(code_dim=16)), ("vae-bce", VAE()), ("dae", DAE())):
    Path("output", name).mkdir(parents=True)
    model.save(Path("output", name, "model.keras"))
    if name == "vae-16":
        import numpy as np
        export(model, "exported", "tf_saved_model", np.zeros((1, 28, 28), np.float32))
"""


@pytest.mark.slow
def test_the_python_blocks_run(root, tmp_path):
    """In order, in one process, with untrained models where the reader has trained ones."""
    parts = blocks(text_of(root, GUIDES[0]), "python")  # the other has the same, see below
    assert len(parts) >= 8 and not blocks(text_of(root, "README.md"), "python")
    script = "\n".join([PRELUDE, *parts])
    done = subprocess.run(
        [sys.executable, "-c", script, str(root)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    from Code.data.datasets import load_dataset
    from Code.data.pictures import load_images

    assert load_dataset(tmp_path / "small_digits.npz").x_train.shape == (1500, 8, 8)
    assert load_images(tmp_path / "my.png").shape == (1, 28, 28)
    assert load_images(tmp_path / "small.npz").shape == (40, 14, 14)


# What the guide says of additions, done word for word in a copy of the project ------------------


@pytest.fixture(scope="module")
def project(root, tmp_path_factory):
    copy = tmp_path_factory.mktemp("project")
    shutil.copytree(root / "Code", copy / "Code", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "run_all.py", copy)
    return copy


def insert(path, mark, line):
    """Put ``line`` before the first ``mark``."""
    text = path.read_text(encoding="utf-8")
    assert mark in text
    path.write_text(text.replace(mark, line + mark, 1), encoding="utf-8")


def python(project, *words):
    done = subprocess.run(
        [sys.executable, *map(str, words)], cwd=project, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


MEASURED = """
import sys
from Code.foundation.keras_import import import_keras
import_keras()
from Code.data.datasets import load_dataset
from Code.experiments.table import EXPERIMENTS
from Code.reporting.render import render_reports
from Code.commands.use import main
from Code.runs import use_units, uses_table
from Code.training.procedure import build
from Code.runs.store import Store

assert "compress" in use_units.USES
use_units.USES = ("compress",)  # the others take minutes
store = Store(sys.argv[1])
folder = store.folder("ae-16", 0)
folder.mkdir(parents=True)
build(EXPERIMENTS["ae-16"], load_dataset("mnist")).save(folder / "model.keras")
names = ("ae-16", use_units.BASELINES)
units = [use_units.UseUnit(name, 0, "mnist", True, sys.argv[1]) for name in names]
failures = [failure for unit in units if (failure := use_units.work(unit, "identity"))]
if failures:
    sys.exit(failures[0])
uses_table.assemble(units, {(unit.name, 0): "identity" for unit in units}, store)
render_reports(store.output, store.output / "report")
sys.exit(main(["compress", "--model", str(folder), "--quick", "--json"]))
"""


@pytest.mark.slow
def test_a_use_is_one_module_and_three_rows(root, project, tmp_path):
    text = section(text_of(root, "report/guide.md"), "Add a use")
    (module,) = blocks(text, "python", "   ")
    name, titles = blocks(text, "text", "   ")
    (project / "Code" / "tasks" / "compress.py").write_text(module, encoding="utf-8")
    insert(
        project / "Code" / "tasks" / "__init__.py", '    "reconstruct":', f"    {name.strip()}\n"
    )
    for language, title in zip(("en", "zh"), titles.splitlines(), strict=True):
        labels = project / "Code" / "reporting" / "templates" / language / "labels.j2"
        insert(labels, "'reconstruct': ", f"{title} ")
    (tmp_path / "ae-16").mkdir()
    shutil.copy(root / "output" / "ae-16" / "result.json", tmp_path / "ae-16")

    printed = json.loads(python(project, "-c", MEASURED, tmp_path))
    uses = json.loads((tmp_path / "uses.json").read_text(encoding="utf-8"))["uses"]
    psnr = uses["compress"]["values"]["psnr_of_bytes"]
    assert psnr["ae-16"] == [pytest.approx(printed["psnr_of_bytes"])]
    assert psnr["pca-16"] > psnr["ae-16"], "an untrained autoencoder is no rival"
    assert uses["compress"]["values"]["bytes"] == {"ae-16": [16.0], "pca-16": [16.0]}
    assert (tmp_path / "uses" / "compress.png").exists()
    for language, word in (("en", "Compressing"), ("zh", "压缩")):
        page = tmp_path / "report" / language / "uses.md"
        assert word in page.read_text(encoding="utf-8")


SHAPE = """
from Code.data.datasets import load_dataset
print(load_dataset("small_digits").x_test.shape)
"""
CODE_VERSION = """
from Code.runs.fingerprint import code_version
print(code_version("Code.ae", "Code.training.procedure"))
"""


@pytest.mark.slow
def test_a_dataset_is_a_function_and_a_row(root, project):
    text = section(text_of(root, "report/guide.md"), "Add a dataset")
    function, row = blocks(text, "python", "   ")
    module = project / "Code" / "data" / "datasets.py"
    before = python(project, "-c", CODE_VERSION)
    insert(module, "def _bundled_mnist", f"{function}\n\n")
    insert(module, "    if name in _OF_KERAS:", textwrap.indent(row, "    "))

    arguments = ("--data", "small_digits", "--only", "ae-2", "vae-2", "--dry-run", "--json")
    plan = json.loads(python(project, "run_all.py", *arguments))
    assert plan["output"] == "output/small_digits"
    assert [run["finished"] for run in plan["runs"]] == [False, False]
    assert python(project, "-c", SHAPE).strip() == "(297, 8, 8)"
    assert python(project, "-c", CODE_VERSION) == before, "the guide says: it stays"
