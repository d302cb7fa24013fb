"""Types of options that several commands have, for argparse."""

import argparse


def positive(text):
    """A whole number above 0."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def natural(text):
    """A seed: a whole number that every random generator takes."""
    if not text.isdecimal() or int(text) > 2**31 - 2:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 2147483646")
    return int(text)
