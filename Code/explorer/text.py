"""Numbers and bytes as text for JSON and HTML, with nine tenths of the length of base64."""

import zlib

import numpy as np

# All printable characters of ASCII except ", \, < and the space: safe in JSON and HTML
LETTERS = "".join(chr(c) for c in range(33, 127) if chr(c) not in '"\\<')


def as_text(*arrays):
    """Whole numbers as deflated text: sign in the lowest bit, all lowest bytes first.

    The upper bytes of all numbers are similar; stored apart from the low ones they deflate well.
    """
    numbers = np.concatenate([np.ravel(array) for array in arrays]).astype("<i4")
    folded = (numbers << 1) ^ (numbers >> 31)  # 0, −1, 1, −2, 2 … become 0, 1, 2, 3, 4 …
    planes = folded.view(np.uint8).reshape(-1, 4).T
    return letters(zlib.compress(planes.tobytes(), 9))


def letters(data):
    """Bytes as text: every 13 bits become two of the 91 `LETTERS`; base64 has 6 bits per letter.

    The first letter tells how many padding bits the last group of 13 contains.
    """
    bits = np.unpackbits(np.frombuffer(data, np.uint8))
    missing = -len(bits) % 13
    groups = np.pad(bits, (0, missing)).reshape(-1, 13)
    pairs = np.divmod(groups @ (1 << np.arange(12, -1, -1)), len(LETTERS))
    return LETTERS[missing] + "".join(np.array(list(LETTERS))[np.column_stack(pairs).ravel()])


def grid_data(numbers, bits=13):
    """Numbers for JSON: whole multiples of a step, of which the largest number is 2^bits steps."""
    step = float(np.abs(numbers).max()) / 2**bits or 1.0
    return {"step": step, "numbers": as_text(np.round(numbers / step))}
