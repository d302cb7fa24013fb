"""How every command ends: an exit status, and one line on standard error where one is due."""

import os
import sys

from Code.foundation.errors import INTERRUPTED, OK, WRONG_INPUT, UserError, in_a_line


def status_of(work, speaker="error", stopped=None):
    """Do ``work()`` and return its exit status; what the person can put right becomes a line.

    Parameters
    ----------
    work : function without arguments that returns an exit status, or None for success.
    speaker : what the line begins with.
    stopped : what to say after Ctrl-C, or None for nothing.
    """
    try:
        status = work() or OK
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        return without_a_reader()
    except UserError as error:
        print(f"{speaker}: {in_a_line(error)}", file=sys.stderr)
        return WRONG_INPUT
    except KeyboardInterrupt:
        if stopped:
            print(stopped, file=sys.stderr)
        return INTERRUPTED


def without_a_reader():
    """The exit status when whoever reads standard output has gone, as ``head`` does.

    The reader has what it wanted. What Python would still write as it exits goes nowhere.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK
