"""Names that stand for classes and functions: Keras's registry and import paths."""

import importlib

# Keras registers the project's classes under this package name in saved models
PACKAGE = "autoencoders"


def load(path):
    """Import the object at an import path ``"module:name"``.

    Raises
    ------
    ImportError, AttributeError
        If there is no such module, or no such name in it.
    """
    module, name = path.split(":")
    return getattr(importlib.import_module(module), name)
