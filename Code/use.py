"""Use a trained autoencoder: ``python -m Code.use denoise --model output/dae``.

``python -m Code.use --help`` lists the uses. In Python, each use is a module of ``Code.tasks``.
"""

import sys

from Code.commands.use import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
