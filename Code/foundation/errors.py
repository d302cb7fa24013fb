"""Errors that the user can fix, and the exit statuses of every command."""

OK, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130


class UserError(Exception):
    """An error that the user can fix; the message is one line that says how."""


def printable(text):
    """A text with a replacement for what UTF-8 cannot hold, as bytes in a file's name may be."""
    return str(text).encode("utf-8", "replace").decode("utf-8")


def in_a_line(value, longest=None):
    """A text or an error as one line, cut to ``longest`` characters if that is given."""
    nothing = type(value).__name__ if isinstance(value, BaseException) else ""
    return (" ".join(str(value).split()) or nothing)[:longest]
