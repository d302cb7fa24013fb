"""What several tests use that is no fixture."""

import sys

from Code.commands import use


def run_use(name, arguments):
    """``python -m Code.use name arguments`` in this process; it ends by SystemExit as that does."""
    sys.exit(use.main([name, *map(str, arguments)]))
