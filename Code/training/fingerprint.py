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
# They decide what is run, kept and shown, not what is measured
WITHOUT_INFLUENCE = (
    "Code.figures",
    "Code.reporting",
    "Code.experiments",
    "Code.tables",
    "Code.atomic",
    "Code.main",
    "Code.training.alone",
    "Code.training.assemble",
    "Code.training.fingerprint",
    "Code.training.machine",
    "Code.training.progress",
    "Code.training.schedule",
    "Code.training.store",
    "Code.training.threads",
    "Code.training.unit",
)


def code_version(*modules):
    """Hash of the sources of ``modules`` and of all project modules that they import.

    Parameters
    ----------
    modules : dotted names such as ``"Code.vae"``.

    Returns
    -------
    12 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for name in sorted(_closure(modules)):
        digest.update(f"{name}\n{_source(name)}".encode())
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


def _closure(modules):
    found, waiting = set(), list(modules)
    while waiting:
        name = waiting.pop()
        if name not in found and not name.startswith(WITHOUT_INFLUENCE) and _path(name):
            found.add(name)
            waiting.extend(_imports(name))
    return found


@cache
def _imports(name):
    names = set()
    for node in ast.walk(ast.parse(_source(name))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("Code"):
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names if alias.name.startswith("Code"))
    return names


@cache
def _source(name):
    return _path(name).read_text(encoding="utf-8")


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
