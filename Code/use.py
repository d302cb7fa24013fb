"""Use a trained autoencoder: ``python -m Code.use denoise --model output/dae``.

``python -m Code.use --help`` lists the uses. In Python, each use is a module of ``Code.tasks``, and
``from Code.use import load_model`` gives it a model.
"""

import sys

from Code.commands.models import load_model
from Code.commands.use import main

__all__ = ["load_model", "main"]

if __name__ == "__main__":
    sys.exit(main())
