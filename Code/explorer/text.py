"""Numbers and bytes as text that JSON and HTML hold, in nine tenths of the room of base64."""

import zlib

import numpy as np

# What JSON, HTML and people can read: all printable of ASCII but for ", \, < and the space
LETTERS = "".join(chr(c) for c in range(33, 127) if chr(c) not in '"\\<')


def as_text(*arrays):
    """Whole numbers as text: with the sign last, byte by byte from the lowest, deflated.

    The upper bytes of all numbers are much alike; apart from the low ones they deflate well.
    """
    numbers = np.concatenate([np.ravel(array) for array in arrays]).astype("<i4")
    folded = (numbers << 1) ^ (numbers >> 31)  # 0, −1, 1, −2, 2 … become 0, 1, 2, 3, 4 …
    planes = folded.view(np.uint8).reshape(-1, 4).T
    return letters(zlib.compress(planes.tobytes(), 9))


def letters(data):
    """Bytes as text: every 13 bits are two of the 91 `LETTERS`, where base64 has 6 a letter.

    The first letter says by how many bits the last 13 were filled up.
    """
    bits = np.unpackbits(np.frombuffer(data, np.uint8))
    missing = -len(bits) % 13
    groups = np.pad(bits, (0, missing)).reshape(-1, 13)
    pairs = np.divmod(groups @ (1 << np.arange(12, -1, -1)), len(LETTERS))
    return LETTERS[missing] + "".join(np.array(list(LETTERS))[np.column_stack(pairs).ravel()])


def grid_data(numbers, bits=13):
    """Numbers as JSON can hold them: multiples of the step that divides the largest in 2^bits."""
    step = float(np.abs(numbers).max()) / 2**bits or 1.0
    return {"step": step, "numbers": as_text(np.round(numbers / step))}
