"""Errors that a person can put right, and the exit statuses of every command."""

OK, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130


class UserError(Exception):
    """Something that the person can put right; the message is one line that says how."""


def in_a_line(value, longest=None):
    """A text or an error on one line, cut to ``longest`` characters where that is given."""
    return (" ".join(str(value).split()) or type(value).__name__)[:longest]
