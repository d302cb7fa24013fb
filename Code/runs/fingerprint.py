"""What a result depends on, in one hash: while it stays the same, no run need be repeated."""

import ast
import hashlib
import json
import os
import re
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NUMERICAL_PACKAGES = ("tensorflow", "keras", "numpy", "scikit-learn")
# Rooms whose code decides what is measured, beside the modules that stand directly in `Code`: the
# base and the variants. The other rooms say what is run, kept and shown.
ROOMS = ("parts", "data", "training", "tasks")
# Of the data the hash of the arrays counts, however they were read
READERS = ("Code.data.datasets", "Code.data.idx", "Code.data.pictures", "Code.data.tables")


def code_version(*modules):
    """Hash of what ``modules`` say, and all project modules that they import, to the interpreter.

    Comments, docstrings and layout do not count.

    Parameters
    ----------
    modules : dotted names such as ``"Code.vae"``.

    Returns
    -------
    12 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for name in sorted(_closure(modules)):
        digest.update(f"{name}\n{_meaning(name)}\n".encode())
    return digest.hexdigest()[:12]


def fingerprint(experiment, data, seed):
    """Hash of settings, data, seed, code, numerical packages and backend: a run's identity."""
    identity = {
        "settings": experiment.fingerprinted,
        "data": [data.sha256, data.x_train.shape, data.x_test.shape],
        "seed": seed,
        "code": code_version(*modules_of(experiment)),
        "versions": {name: version(name) for name in NUMERICAL_PACKAGES},
    }
    # Named only where it is another one, for the results that are there were all TensorFlow's
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        identity["backend"] = backend
    text = json.dumps(identity, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def modules_of(experiment):
    """The modules named in an experiment's row: its model, its procedure, its settings' classes."""
    named = re.findall(r"\b(Code\.\w[\w.]*):\w", repr(experiment.settings))
    paths = [path.split(":")[0] for path in (experiment.model, experiment.procedure) if path]
    return list(dict.fromkeys([*paths, *named]))


def counts(name):
    """Whether a result can depend on a module: by the room in which it stands.

    A module outside ``Code``, which an experiment of the user's own names, always does.
    """
    first, *rest = name.split(".")
    if first != "Code" or not rest:
        return first != "Code"
    return name not in READERS and (len(rest) == 1 or rest[0] in ROOMS)


def _closure(modules):
    found, waiting = set(), list(modules)
    while waiting:
        name = waiting.pop()
        if name not in found and counts(name) and _path(name):
            found.add(name)
            waiting.extend(_imports(name))
    return found


@cache
def _imports(name):
    names = set()
    for node in ast.walk(_tree(name)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("Code"):
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names if alias.name.startswith("Code"))
    return names


@cache
def _meaning(name):
    """The source of a module without comments and docstrings, in one layout."""
    tree = _tree(name)
    for node in ast.walk(tree):
        holds = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if holds and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def forget():
    """Read all sources anew: one of them has changed while this process runs."""
    _imports.cache_clear()
    _meaning.cache_clear()


def _tree(name):
    return ast.parse(_path(name).read_text(encoding="utf-8"))


def _path(name):
    path = ROOT / (name.replace(".", "/") + ".py")
    if not path.is_file() and not name.startswith("Code"):
        path = _path_of_own(name)
    return path if path and path.is_file() else None


def _path_of_own(name):
    """The source of a module of the user's, which an experiment of theirs names."""
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None
