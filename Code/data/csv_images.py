"""Images as rows of a CSV file: a label and the pixels, or the pixels alone."""

import csv
import gzip
import io
import math
import re
import warnings
import zlib
from itertools import islice
from pathlib import Path

import numpy as np

from Code.data.array_file import check_size
from Code.foundation.errors import UserError, in_a_line

LABEL_NAMES = ("label", "labels", "class", "target", "y", "digit", "character")
SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
INDEX_NAMES = ("", "id", "index", "image_id", "imageid", "file", "filename", "path")
_GZIP_MAGIC = b"\x1f\x8b"
_LAYOUT = (
    "each row must hold an image's pixels, as many as a square has (such as 784), after its label "
    "or without one"
)


class CsvError(UserError, ValueError):
    """A CSV file that cannot be used; the message says in one line what is wrong."""


def read_csv(path):
    """Read images, and their labels where there is a column more than the pixels of a square.

    The first row may name the columns. A column called ``label`` (or class, target, y) holds the
    labels; without such a name it is the one at either end that is text or is not named like the
    pixels, and otherwise the first, or the last if the first holds one value only, as a pixel of
    the border does. Columns called ``id``, ``filename`` or without a name are not read.

    Returns
    -------
    ``{"images": array (n, side, side)}``, with ``"labels"``, text ``(n,)``, where there are some;
    and lines that tell which column is taken for what.

    Raises
    ------
    CsvError
        If the file cannot be read, its rows are of different lengths, a pixel is no number, or
        there are not as many pixels as a square has.
    """
    path = Path(path)
    # Excel for the Macintosh ends lines so, and NumPy knows no such lines
    text = _text(path).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    delimiter = _delimiter(text)
    first, second = _first_rows(path, text, delimiter)
    names = first if first is not None and _is_header(first) else None
    row = first if names is None else second
    if row is None:
        raise CsvError(f"{path}: there are no images in it; {_LAYOUT}")
    if names is not None and len(names) != len(row):
        raise CsvError(f"{path}: {len(names):,} names for {len(row):,} columns; {_LAYOUT}")
    pixels, place = _columns(path, row, names)
    reading = {
        "delimiter": delimiter,
        "skiprows": int(names is not None),
        "encoding": "utf-8-sig",
        "quotechar": '"',
        "comments": None,
        "ndmin": 2,
    }
    notes = []

    def read(kind, columns):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of empty lines, which are no images
            return np.loadtxt(io.BytesIO(text), kind, usecols=columns, **reading)

    def column(i):
        return read(str, [i])[:, 0]

    try:
        if names is None and place == 0 and _is_number(row[-1]):
            first, last = (len(np.unique(column(i))) for i in (0, -1))
            if first == 1 < last:
                pixels, place = [i - 1 for i in pixels], len(row) - 1
        images = read(np.float32, pixels)
        found = {"images": _as_numbers(images).reshape(len(images), *_square(pixels))}
        if place is not None:
            found["labels"] = labels = column(place)
            name = (
                f"column {place + 1}" if names is None else f"the column {names[place].strip()!r}"
            )
            n = len(np.unique(labels))
            notes.append(f"{name} holds the labels: {n:,} class{'es' if n > 1 else ''}")
    except (ValueError, UnicodeDecodeError, MemoryError) as error:
        raise CsvError(f"{path}: {in_a_line(error, 200)}; {_LAYOUT}") from error
    n_marks = (len(row) - 1) * (len(images) + (names is not None))
    if b'"' not in text and text.count(delimiter.encode()) != n_marks:
        raise CsvError(f"{path}: its rows are not all of {len(row):,} columns; {_LAYOUT}")
    return found, notes


def _is_header(row):
    """Whether a row names the columns; a label may be text, so the cells between ends decide."""
    inner = row[1:-1]
    if not all(map(_is_number, inner)):
        return True
    # pandas calls columns without names 0, 1, 2, …
    numbers = np.array([float(cell) for cell in inner])
    return len(numbers) > 1 and bool((np.diff(numbers) == 1).all())


def _columns(path, row, names):
    """The columns of the pixels, and that of the labels, or None without labels.

    A label's column is called so, or is text, or is at either end and not named like the pixels
    (``pixel0``, ``1x1``); of columns without names it is the first.
    """
    names = [name.strip().lower() for name in names] if names else ["?"] * len(row)
    # pandas writes the index as a column without a name
    columns = [
        i for i, name in enumerate(names) if name not in INDEX_NAMES and "unnamed:" not in name
    ]
    if _square(columns):
        return columns, None
    ends = (columns[:1] + columns[-1:])[:2]
    # "pixel12" and "12" are kinds of names that occur again and again
    kinds = [re.sub(r"\d+", "0", name) for name in names]
    candidates = [
        *(i for i in columns if names[i] in LABEL_NAMES),
        *(i for i in ends if not _is_number(row[i])),
        *(i for i in ends if kinds.count(kinds[i]) == 1),
        *columns[:1],
        None,
    ]
    pixels = [i for i in columns if i != candidates[0]]
    if not _square(pixels):
        raise CsvError(f"{path}: rows of {len(row):,} columns; {_LAYOUT}")
    return pixels, candidates[0]


def _square(columns):
    """``(side, side)`` of an image with so many pixels, or None if they are no square."""
    side = math.isqrt(len(columns))
    return (side, side) if side > 1 and side**2 == len(columns) else None


def _as_numbers(images):
    """Whole numbers as integers, unless all are 0 and 1, as bits are."""
    with np.errstate(invalid="ignore"):  # of infinities, which are refused later
        whole = images.max(initial=0) > 1 and not (images % 1).any()
    return images.astype(np.int64) if whole else images


def _delimiter(text):
    line = text[:1_000_000].split(b"\n", 1)[0]
    return max(",;\t| ", key=lambda mark: line.count(mark.encode()))


def _text(path):
    """The unpacked bytes of the file."""
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == _GZIP_MAGIC
            raw.seek(0)
            if not zipped:
                check_size(path, path.stat().st_size, "of text")
                return raw.read()
            with gzip.open(raw, "rb") as unzipped:
                _count(path, unzipped)
            raw.seek(0)
            with gzip.open(raw, "rb") as unzipped:
                return unzipped.read()
    except UserError:
        raise
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise CsvError(f"{path}: the gzip data is damaged ({in_a_line(error)})") from error
    except OSError as error:
        raise CsvError(f"{path}: cannot be read ({error.strerror or error})") from error


def _count(path, stream):
    """Refuse a gzip bomb piece by piece, before it is kept."""
    size = 0
    while piece := stream.read(1 << 20):
        size += len(piece)
        check_size(path, size, "and more when unpacked")


def _first_rows(path, text, delimiter):
    try:
        # Lines, because bytes may end within a letter
        lines = io.TextIOWrapper(io.BytesIO(text), encoding="utf-8-sig", newline="")
        rows = islice(filter(None, csv.reader(lines, delimiter=delimiter)), 2)
        return (*rows, None, None)[:2]
    except (UnicodeDecodeError, csv.Error) as error:
        raise CsvError(
            f"{path}: not a CSV file in UTF-8 ({in_a_line(error)}); save it as UTF-8"
        ) from error


def _is_number(cell):
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False
