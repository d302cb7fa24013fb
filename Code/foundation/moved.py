"""Old names: a moved command says its new name and goes on, a moved module is still found."""

import importlib
import importlib.abc
import importlib.machinery
import re
import sys
import warnings

COMMANDS = {
    "Code.export": "python -m Code.use export",
    "Code.explorer": "python -m Code.use explorer",
    "Code.main": "python run_all.py",
}
USE = re.compile(r"Code\.tasks\.([a-z]+)")
# Old names from which the README, the guide and the walk-through used to import
MODULES = {
    **{
        f"Code.{name}": f"Code.parts.{name}"
        for name in ("losses", "noise", "latent", "two_sample", "subpixel")
    },
    "Code.disentangled": "Code.beta_vae",
    "Code.export": "Code.tasks.export",
    "Code.own_experiments": "Code.experiments.own",
    "Code.pca": "Code.training.pca",
    "Code.tables.common": "Code.experiments.common",
    "Code.tables": "Code.experiments",
    "Code.training.whole_epoch": "Code.parts.whole_epoch",
}
PARTED = {
    "Code.tasks.cli": "load_images and save_images are in Code.data.pictures, load_model in "
    "Code.training.trained",
    "Code.training.unit": "import_keras is in Code.foundation.keras_import, prepare in "
    "Code.foundation.own_process",
}


def way_to(words):
    """One line that names the new command for an old one; None if the command has not moved.

    Parameters
    ----------
    words : the words of the command that started Python, as in ``sys.orig_argv``.
    """
    module = module_asked(words)
    if module is None:
        return None
    use = USE.fullmatch(module)
    new = f"python -m Code.use {use[1]}" if use else COMMANDS.get(module)
    return new and f"python -m {module} is now {new}; its options are the same"


def command_now(words):
    """The words of the command that does what an old one asks for; None if that has no module.

    Parameters
    ----------
    words : the words of a command for which `way_to` has a line.
    """
    i = words.index("-m") + 1
    use = USE.fullmatch(words[i])
    new = f"python -m Code.use {use[1]}" if use else COMMANDS[words[i]]
    _, flag, *rest = new.split()
    return [*words[:i], *rest, *words[i + 1 :]] if flag == "-m" else None


def module_asked(words):
    """The module of ``python -m module``, or None; ``words`` as in ``sys.orig_argv``."""
    return words[words.index("-m") + 1] if "-m" in words[:-1] else None


class OldNames(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds moved modules under their old names.

    Raises
    ------
    ModuleNotFoundError
        For a module whose contents are now in several modules; the message names them.
    """

    def find_spec(self, name, path=None, target=None):
        if name in PARTED:
            raise ModuleNotFoundError(f"{name} is no more: {PARTED[name]}", name=name)
        return importlib.machinery.ModuleSpec(name, self) if name in MODULES else None

    def create_module(self, spec):
        new = MODULES[spec.name]
        warnings.warn(f"{spec.name} is now {new}", DeprecationWarning, stacklevel=2)
        module = importlib.import_module(new)
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module):
        # Python has just replaced the module's own specification by that of the old name
        module.__spec__ = module.__spec__.loader_state


def answer_to_old_names():
    """Let Python ask `OldNames` for modules that it finds nowhere else."""
    if not any(isinstance(finder, OldNames) for finder in sys.meta_path):
        sys.meta_path.append(OldNames())
