"""The floors: imports go down, in no circle, and a module has a place before it has a line."""

import ast
import contextlib
import graphlib
import io
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import grimp
import pytest

# Where the contract of pyproject.toml has a gap: a variant needs no row there
DOORS = ("use", "transformer")
DOOR_OF_A_VARIANT = "Code.commands.variant"
BELOW_BASE = ("data", "parts", "figures", "foundation")


@pytest.fixture(scope="module")
def contract(root):
    with open(root / "pyproject.toml", "rb") as file:
        (contract,) = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    return contract


@pytest.fixture(scope="module")
def rooms(contract):
    return [room.strip() for layer in contract["layers"] for room in layer.split("|")]


@pytest.fixture(scope="module")
def graph(root):
    """Who imports whom, but for the last lines of the variants."""
    graph = grimp.build_graph("Code", cache_dir=None)
    for name in graph.find_modules_that_directly_import(DOOR_OF_A_VARIANT):
        if name.count(".") == 1:
            graph.remove_import(importer=name, imported=DOOR_OF_A_VARIANT)
    return graph


@pytest.fixture(scope="module")
def variants(root, rooms):
    others = {"__init__", "base", *DOORS}
    return sorted({path.stem for path in (root / "Code").glob("*.py")} - others)


def room_of(module):
    """The first name below ``Code``."""
    return module.split(".")[1] if "." in module else None


def reached(graph, name):
    """The first names below ``Code`` of all that a module, or a whole room, imports directly."""
    names = {f"Code.{name}"} | graph.find_descendants(f"Code.{name}")
    found = {
        room_of(other) for one in names for other in graph.find_modules_directly_imported_by(one)
    }
    return found - {name, None}


def test_the_contract_is_kept(root):
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "1 kept, 0 broken" in done.stdout


def test_every_folder_is_a_room_of_the_contract(root, rooms):
    folders = {path.parent.name for path in (root / "Code").glob("*/__init__.py")}
    assert folders == set(rooms)


def test_nothing_imports_in_a_circle(graph):
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    graphlib.TopologicalSorter(imports).prepare()


def test_a_circle_would_be_found():
    with pytest.raises(graphlib.CycleError):
        graphlib.TopologicalSorter({"a": {"b"}, "b": {"a"}}).prepare()


def test_base_imports_what_is_below_it_and_variants_that_and_each_other(graph, variants):
    assert len(variants) > 20
    assert reached(graph, "base") <= set(BELOW_BASE)
    for variant in variants:
        assert reached(graph, variant) <= {*BELOW_BASE, "base", *variants}, variant


def test_no_room_below_the_variants_imports_one(graph, variants):
    for room in BELOW_BASE:
        assert not reached(graph, room) & {"base", *DOORS, *variants}, room


def test_nothing_imports_the_doors(graph):
    for door in DOORS:
        assert not graph.find_modules_that_directly_import(f"Code.{door}")


def test_directly_in_code_stand_base_variants_rooms_and_doors(root, variants):
    """A variant is what registers a class with Keras: anything else belongs into a room."""
    for name in variants:
        assert "register_keras_serializable" in (root / "Code" / f"{name}.py").read_text("utf-8"), (
            name
        )


def test_commands_parse_and_print(graph):
    """Training and measuring are done by the rooms below: no command names Keras or TensorFlow."""
    for name in graph.find_descendants("Code.commands"):
        tree = ast.parse(Path(find_spec(name).origin).read_text("utf-8"))
        nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        named = {alias.name for node in nodes for alias in node.names}
        assert not named & {"tensorflow", "keras"}, name


def test_the_use_door_lists_every_use(root):
    from Code.commands import use
    from Code.tasks import USES

    with contextlib.redirect_stdout(io.StringIO()) as said, pytest.raises(SystemExit) as ended:
        use.main(["--help"])
    assert ended.value.code == 0
    assert len(USES) == 12
    for name, line in USES.items():
        assert f"{name} " in said.getvalue() and line in said.getvalue()
    modules = {path.stem for path in (root / "Code" / "tasks").glob("*.py")}
    assert set(USES) <= modules
