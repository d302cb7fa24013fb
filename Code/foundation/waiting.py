"""A line on a terminal while a person waits for something that says nothing by itself."""

import contextlib
import sys


@contextlib.contextmanager
def while_waiting(line):
    """Show ``line`` on the terminal and take it away afterwards; a file or a pipe gets nothing."""
    shown = sys.stderr is not None and sys.stderr.isatty()
    if shown:
        print(line, end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        if shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
