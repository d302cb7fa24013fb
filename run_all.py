"""Train every experiment, draw every figure, write both reports: ``python run_all.py``."""

import sys

from Code.main import main

if __name__ == "__main__":
    sys.exit(main())
