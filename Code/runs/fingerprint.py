"""One hash of everything that a result depends on; while it is unchanged, a run is not repeated."""

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
# Packages whose code influences the measurements, like the modules directly in `Code` (the base
# class and the variants). The other packages decide what is run, kept and shown.
ROOMS = ("parts", "data", "training", "tasks")
# Of the room `data` only these: for the images, the hash of the arrays counts, not the code that
# reads them
COUNTED_DATA = ("Code.data.corruption", "Code.data.filters")


def code_version(*modules):
    """Hash of the code of ``modules`` and of all project modules that they import.

    Comments, docstrings and layout are ignored.

    Parameters
    ----------
    modules : dotted module names such as ``"Code.vae"``.

    Returns
    -------
    12 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for name in sorted(_closure(modules)):
        digest.update(f"{name}\n{_meaning(name)}\n".encode())
    return digest.hexdigest()[:12]


def fingerprint(experiment, data, seed):
    """A run's identity: hash of settings, data, seed, code, numerical packages and backend."""
    identity = {
        "settings": experiment.fingerprinted,
        "data": [data.sha256, data.x_train.shape, data.x_test.shape],
        "seed": seed,
        "code": code_version(*modules_of(experiment)),
        "versions": {name: version(name) for name in NUMERICAL_PACKAGES},
    }
    # The backend is part of the hash only if it is not TensorFlow, so that older results stay valid
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        identity["backend"] = backend
    text = json.dumps(identity, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def modules_of(experiment):
    """The modules that an experiment's row names: of its model, procedure and settings."""
    named = re.findall(r"\b(Code\.\w[\w.]*):\w", repr(experiment.settings))
    paths = [path.split(":")[0] for path in (experiment.model, experiment.procedure) if path]
    return list(dict.fromkeys([*paths, *named]))


def counts(name):
    """Whether a result can depend on a module, decided by the package that contains it.

    A module outside ``Code`` (one that a user's own experiment names) always counts.
    """
    first, *rest = name.split(".")
    if first != "Code" or not rest:
        return first != "Code"
    if rest[0] == "data":
        return name in COUNTED_DATA
    return len(rest) == 1 or rest[0] in ROOMS


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
    """The source of a module in a uniform layout, without comments and docstrings."""
    tree = _tree(name)
    for node in ast.walk(tree):
        holds = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if holds and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def forget():
    """Clear the caches, because a source file has changed while this process runs."""
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
    """Path of a user's module that one of their experiments names."""
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None
