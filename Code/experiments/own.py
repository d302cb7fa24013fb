"""The user's own experiments from a TOML file; every key is checked before training.

A file holds any number of tables such as

    [[experiment]]
    name = "wide-dae"
    model = "Code.dae:DAE"              # or "my_module:MyClass", found beside the file
    settings = { code_dim = 32, hidden = [512], level = 0.3 }

    [[experiment.stages]]
    name = "unsupervised"
    epochs = 10
    batch_size = 128
    learning_rate = 0.002
"""

import difflib
import importlib
import inspect
import re
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

from Code.experiments.row import Experiment, Stage, Told, adam
from Code.experiments.table import EXPERIMENTS, GROUPS
from Code.foundation.errors import UserError
from Code.foundation.keras_import import import_keras

GROUP = KIND = VARIANT = "own"
STAGES = ("unsupervised", "supervised")
LARGEST_FILE = 1_000_000
KEYS = {
    "experiment": {"name", "title", "model", "settings", "stages", "noise_once"},
    "stage": {"name", "epochs", "batch_size", "learning_rate", "optimizer"},
}


class ConfigError(UserError, ValueError):
    """An error in the file; the message is one line with the file, the line and the key."""


def load_experiments(path, image_shape=(28, 28)):
    """The experiments of a TOML file.

    Parameters
    ----------
    path : the file; modules that it names are also searched for in its folder.
    image_shape : (height, width) of the images for which each model must be buildable.

    Returns
    -------
    list of ``Experiment``, in the file's order.

    Raises
    ------
    ConfigError
        If the file cannot be read or any key, type, name or setting is wrong.
    """
    text = _text(path)
    here = _Place(path, text)
    tables = _parsed(text, here)
    folder = str(Path(path).resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    rows = []
    for i, table in enumerate(tables):
        row = _experiment(table, here.inside(i))
        here.inside(i).demand(row.name not in [r.name for r in rows], "name", "stands twice")
        model = _check_model(row, image_shape, here.inside(i))
        if model.n_labels_told is not None:
            row = replace(row, told=Told())
        rows.append(row)
    return rows


class _Place:
    """A part of the file, found by its text, because ``tomllib`` does not tell line numbers."""

    def __init__(self, path, text, first=0, last=None, what=""):
        self.path, self.text, self.what = path, text, what
        self.lines = text.split("\n")
        self.first, self.last = first, len(self.lines) if last is None else last

    def inside(self, i, header=r"\[\[\s*experiment\s*\]\]"):
        """The part of the file that belongs to the i-th table with this header."""
        numbered = range(self.first, self.last)
        starts = [n for n in numbered if re.match(rf"\s*{header}", self.lines[n])]
        if i >= len(starts):
            return self
        last = starts[i + 1] if i + 1 < len(starts) else self.last
        return _Place(self.path, self.text, starts[i], last, self.what)

    def line_of(self, key):
        """The number (from 1) of the line that sets ``key``; without one, of the first line."""
        pattern = re.compile(rf"(^|[\s{{,.\"'])({re.escape(str(key))})[\"']?\s*[=.\]]")
        for n in range(self.first, self.last):
            if pattern.search(self.lines[n].split("#")[0]):
                return n + 1
        return min(self.first + 1, len(self.lines))

    def wrong(self, key, problem):
        """A ConfigError about ``key``, for the caller to raise."""
        where = f"{self.path}, line {self.line_of(key)}"
        return ConfigError(f"{where}: {key!r} {problem}" if key else f"{where}: {problem}")

    def demand(self, condition, key, problem):
        if not condition:
            raise self.wrong(key, problem)


def _text(path):
    try:
        # A stream, since what is no file states no size
        with Path(path).open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise ConfigError(
                f"{path}: larger than {LARGEST_FILE:,} bytes; that is no settings file"
            )
        # Editors on Windows put a mark of the encoding before the first line
        return content.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not a text file in UTF-8") from None
    except ValueError as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{path!r}: {error}") from None


def _parsed(text, here):
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        problem = " ".join(str(error).split()) or type(error).__name__
        raise ConfigError(f"{here.path}: {problem}") from None
    _known(document, {"experiment"}, here)
    tables = document.get("experiment")
    listed = isinstance(tables, list) and tables and all(isinstance(t, dict) for t in tables)
    here.demand(listed, "experiment", "must be one or more tables [[experiment]]")
    return tables


def _experiment(table, here):
    _known(table, KEYS["experiment"], here)
    name = table.get("name")
    here.demand(
        isinstance(name, str) and re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", name),
        "name",
        "must be up to 40 small letters, digits and hyphens",
    )
    here.demand(
        name not in EXPERIMENTS, "name", f"{name!r} is an experiment of the project; choose another"
    )
    here.demand(name not in GROUPS and name != "quick", "name", f"{name!r} is taken")
    model = table.get("model")
    here.demand(
        isinstance(model, str) and re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", model),
        "model",
        'must be an import path such as "Code.dae:DAE"',
    )
    settings = table.get("settings", {})
    here.demand(isinstance(settings, dict), "settings", "must be a table")
    title = table.get("title", name)
    here.demand(isinstance(title, str) and title.isprintable(), "title", "must be a line of text")
    noise = table.get("noise_once")
    here.demand(noise is None or _number(noise, low=0), "noise_once", "must be a number from 0")
    stages = table.get("stages")
    here.demand(
        isinstance(stages, list) and stages,
        "stages",
        "is missing: at least one [[experiment.stages]]",
    )
    header = r"\[\[\s*experiment\.stages\s*\]\]"
    parts = [_stage(stage, here.inside(i, header)) for i, stage in enumerate(stages)]
    heads = settings.get("n_classes") is not None or all(s.name != "supervised" for s in parts)
    here.demand(heads, "stages", "has a supervised stage, which needs n_classes in the settings")
    return Experiment(
        name, VARIANT, KIND, title, model, dict(settings), tuple(parts), noise, group=GROUP
    )


def _stage(table, here):
    here.demand(isinstance(table, dict), "stages", "must be tables [[experiment.stages]]")
    _known(table, KEYS["stage"], here)
    name = table.get("name", "unsupervised")
    here.demand(name in STAGES, "name", f"of a stage must be one of {', '.join(STAGES)}")
    for key, most in (("epochs", 100_000), ("batch_size", 1_000_000)):
        here.demand(key in table, key, f"of a stage is missing: a number from 1 to {most:,}")
        value = table[key]
        whole = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most
        here.demand(whole, key, f"of a stage must be a whole number from 1 to {most:,}")
    rate, optimizer = table.get("learning_rate"), table.get("optimizer")
    here.demand(rate is None or optimizer is None, "optimizer", "and learning_rate exclude another")
    here.demand(
        rate is None or (_number(rate, low=0) and rate > 0),
        "learning_rate",
        "must be a number above 0",
    )
    if optimizer is not None:
        _check_optimizer(optimizer, here)
    return Stage(name, table["epochs"], table["batch_size"], optimizer or adam(rate or 1e-3))


def _check_optimizer(optimizer, here):
    keras = import_keras()
    form = 'must look like { class_name = "sgd", config = { learning_rate = 0.1 } }'
    here.demand(
        isinstance(optimizer, dict) and set(optimizer) == {"class_name", "config"},
        "optimizer",
        form,
    )
    try:
        keras.optimizers.get(optimizer)
    except Exception as error:  # Keras passes on whatever the optimiser's class raises
        raise here.wrong("optimizer", _first_line(error)) from None


def _check_model(row, image_shape, here):
    """Import the class, compare the settings with its parameters, and return it, built once."""
    import_keras()
    from Code.base import BaseAutoencoder

    module, _, name = row.model.partition(":")
    try:
        found = getattr(importlib.import_module(module), name, None)
    except Exception as error:  # the import of a user's module can fail in any way
        problem = f"{module} cannot be imported ({type(error).__name__}: {_first_line(error)})"
        raise here.wrong("model", problem) from None
    is_ours = inspect.isclass(found) and issubclass(found, BaseAutoencoder)
    here.demand(is_ours, "model", f"{row.model} is not a subclass of Code.base:BaseAutoencoder")
    _known(row.settings, parameters_of(found) - {"image_shape"}, here)
    try:
        return found(image_shape=image_shape, **row.settings)
    except Exception as error:  # a class may raise anything for a wrong setting
        raise here.wrong("settings", f"do not fit {name}: {_first_line(error)}") from None


def parameters_of(model):
    """Names of the keyword arguments of a variant, including those of its base classes."""
    names = set()
    for cls in model.__mro__:
        if "__init__" not in vars(cls):
            continue
        given = inspect.signature(cls.__init__).parameters.values()
        names |= {p.name for p in given if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        if cls.__name__ == "BaseAutoencoder" or all(p.kind != p.VAR_KEYWORD for p in given):
            break
    return names - {"self"}


def _known(table, names, here):
    for key in table:
        near = difflib.get_close_matches(key, names, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(names))}"
        here.demand(key in names, key, f"is not known here; {hint}")


def _number(value, low):
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return numeric and low <= value < float("inf")


def _first_line(error):
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0].strip() if lines else type(error).__name__
