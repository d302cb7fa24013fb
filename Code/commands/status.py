"""How every command ends: with an exit status and, after an error, one line on standard error."""

import errno
import os
import sys

from Code.foundation.errors import INTERRUPTED, OK, WRONG_INPUT, UserError, in_a_line


def any_terminal():
    """Let a terminal that cannot show a letter show a replacement instead of an error.

    Streams that whoever calls has closed are as empty ones.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (for good)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def status_of(work, speaker="error", stopped=None):
    """Call ``work()`` and return its exit status; print an error that the user can fix as one line.

    Parameters
    ----------
    work : function without arguments that returns an exit status, or None for success.
    speaker : first word of that line.
    stopped : text to print after Ctrl-C, or None for nothing.
    """
    try:
        status = work() or OK
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        return without_a_reader()
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT) or error.filename is not None:
            raise
        without_a_reader()
        print(f"{speaker}: standard output cannot be written ({error.strerror})", file=sys.stderr)
        return WRONG_INPUT
    except UserError as error:
        print(f"{speaker}: {in_a_line(error)}", file=sys.stderr)
        return WRONG_INPUT
    except KeyboardInterrupt:
        if stopped:
            print(stopped, file=sys.stderr)
        return INTERRUPTED


def without_a_reader():
    """The exit status when the reader of standard output has closed it, as ``head`` does.

    The reader has what it wanted. Output that Python would still write at exit is discarded.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK
