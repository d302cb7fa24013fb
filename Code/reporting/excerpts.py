"""The few lines of a module that make its variant, read from the source and never imported.

They are the methods that the class defines itself: the loss first, or what else tells most, then
what it calls, as many as `LINES` hold. Docstrings are left out. A class that defines nothing of its
own is told by the classes that it is made of. Where something else makes the variant, `MAKING`
names it.
"""

import ast
import functools
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINES = 16
# The most telling first; methods of other names follow in the order of the source
TELLING = (
    "loss_terms",
    "contrastive_divergence",
    "reconstruction_error",
    "build_layer",
    "pairs",
    "build_encoder",
    "build_decoder",
    "hidden_layers",
)
# Functions of the module and methods of the class, where the loss alone does not tell the variant
MAKING = {
    "Code.aae:AAE": ("update",),
    "Code.gaussian_vae:GaussianVAE": (
        "gaussian_negative_log_likelihood",
        "log_var",
        "reconstruction_error",
    ),
    "Code.masked:MaskedAE": ("loss_terms", "masked_error"),
    "Code.sparse:L1Sparse": ("l1_norm", "kl_to_rate", "keep_largest"),
    "Code.vq_vae:VQVAE": ("nearest_entries", "straight_through", "loss_terms"),
}
# What every class has: settings, measures, pictures, and the loop around the training
SILENT = {"__init__", "get_config", "from_config", "diagnostics", "views", "fit", "compile", "call"}

Defined = ast.ClassDef | ast.FunctionDef


@dataclass(frozen=True)
class Excerpt:
    """``code``, and the module that it comes from as a path below the project's folder."""

    path: str
    code: str


@functools.cache
def excerpt(model: str) -> Excerpt | None:
    """The excerpt of a class ``"module:Class"``; None where its source cannot be read.

    Raises
    ------
    SyntaxError
        If the module is no Python.
    LookupError
        If it lacks what `MAKING` names.
    """
    module, _, name = model.partition(":")
    if model in MAKING and (parsed := _parsed(module)):
        return _named(parsed, name, MAKING[model])
    found = _telling_class(module, name)
    if found is None:
        return None
    path, lines, node = found
    methods = "\n\n".join(_text(method, lines) for method in _chosen(node))
    return Excerpt(path.relative_to(ROOT).as_posix(), f"{_head(node)}\n{methods}")


def _named(
    parsed: tuple[Path, list[str], ast.Module], class_name: str, names: tuple[str, ...]
) -> Excerpt:
    """These functions, then these methods of the class."""
    path, lines, tree = parsed
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    (owner,) = (n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == class_name)
    methods = {node.name: node for node in owner.body if isinstance(node, ast.FunctionDef)}
    if absent := set(names) - {*functions, *methods}:
        raise LookupError(f"{path}: {', '.join(sorted(absent))} are not there")
    parts = [_text(functions[name], lines) for name in names if name in functions]
    if own := [_text(methods[name], lines) for name in names if name in methods]:
        parts.append(f"{_head(owner)}\n" + "\n\n".join(own))
    return Excerpt(path.relative_to(ROOT).as_posix(), "\n\n\n".join(parts))


def _head(node: ast.ClassDef) -> str:
    return f"class {node.name}({', '.join(map(ast.unparse, node.bases))}):"


@functools.cache
def _parsed(module: str) -> tuple[Path, list[str], ast.Module] | None:
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8")
    return path, text.splitlines(), ast.parse(text)


def _telling_class(module: str, name: str) -> tuple[Path, list[str], ast.ClassDef] | None:
    """The class itself, or the first that it is made of, if that defines something telling.

    Classes of the same module come before imported ones.
    """
    parsed = _parsed(module)
    if parsed is None:
        return None
    path, lines, tree = parsed
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    node = classes.get(name)
    if node is None:
        return None
    if _own(node):
        return path, lines, node
    named = list(dict.fromkeys(n.id for n in ast.walk(node) if isinstance(n, ast.Name)))
    imported = {
        alias.asname or alias.name: source.module
        for source in tree.body
        if isinstance(source, ast.ImportFrom)
        for alias in source.names
    }
    inner = [(module, other) for other in named if other in classes]
    outer = [(imported[other], other) for other in named if other in imported]
    return next(filter(None, (_telling_class(*place) for place in inner + outer)), None)


def _own(node: ast.ClassDef) -> list[ast.FunctionDef]:
    """The methods that tell something, the most telling first."""
    methods = [
        m
        for m in node.body
        if isinstance(m, ast.FunctionDef)
        and m.name not in SILENT
        and not m.name.startswith("_")
        and not m.decorator_list
    ]
    ranks = {name: rank for rank, name in enumerate(TELLING)}
    return sorted(methods, key=lambda m: ranks.get(m.name, len(ranks)))


def _chosen(node: ast.ClassDef) -> list[ast.FunctionDef]:
    """The most telling method, what it calls of the same class, then others that still fit."""
    first, *others = _own(node)
    called = {n.attr for n in ast.walk(first) if isinstance(n, ast.Attribute)}
    others.sort(key=lambda m: m.name not in called)
    chosen, left = [first], LINES - _length(first)
    for method in others:
        if method.name not in called and method.name not in TELLING:
            continue
        if _length(method) <= left:
            chosen.append(method)
            left -= _length(method)
    return chosen


def _length(method: ast.FunctionDef) -> int:
    return method.end_lineno - method.lineno + 1 - _docstring(method)


def _docstring(method: ast.FunctionDef) -> int:
    """Lines of the docstring."""
    if ast.get_docstring(method) is None:
        return 0
    return method.body[0].end_lineno - method.body[0].lineno + 1


def _text(method: ast.FunctionDef, lines: list[str]) -> str:
    # A decorator such as `property` stands above the line that ast gives
    start = min([method.lineno, *(d.lineno for d in method.decorator_list)])
    kept = lines[start - 1 : method.end_lineno]
    if _docstring(method):
        first = method.body[0].lineno - start
        del kept[first : first + _docstring(method)]
    return "\n".join(kept).rstrip()
