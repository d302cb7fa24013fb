"""Train every experiment, draw every figure, write both reports: ``python run_all.py``."""

import sys

from Code.commands.run_all import main

if __name__ == "__main__":
    sys.exit(main())
