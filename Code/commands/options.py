"""Option types for argparse that several commands share."""

import argparse

# Twice a seed, and one more, are seeds of noise, and a seed is below 2³²
LARGEST_SEED = 2**31 - 2


def positive(text):
    """Return ``text`` as a whole number above 0, or raise ``ArgumentTypeError``."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def natural(text):
    """Return ``text`` as a seed: a whole number that every random generator accepts."""
    if not text.isdecimal() or int(text) > LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to {LARGEST_SEED}")
    return int(text)
