"""Names that stand for classes and functions: Keras's registry and import paths."""

import importlib

# Under this name Keras files the project's classes in saved models
PACKAGE = "autoencoders"


def load(path):
    """The object that an import path ``"module:name"`` names.

    Raises
    ------
    ImportError, AttributeError
        If there is no such module, or no such name in it.
    """
    module, name = path.split(":")
    return getattr(importlib.import_module(module), name)
