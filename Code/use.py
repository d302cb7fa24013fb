"""Put a trained autoencoder to use: ``python -m Code.use denoise --model output/dae``.

``python -m Code.use --help`` lists the uses. From Python, each is a module of ``Code.tasks``.
"""

import sys

from Code.commands.use import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
