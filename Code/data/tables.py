"""Tables of numbers with missing cells, as CSV files."""

import csv
import io
import math
from pathlib import Path

import numpy as np

from Code.data.array_file import check_size
from Code.foundation.atomic import write_text
from Code.foundation.errors import UserError

MISSING_WORDS = ("", "na", "n/a", "nan", "null", "none", "?")


def read_table(path):
    """Read a CSV file: ``header, cells, table``, where NaN in ``table`` marks a missing cell.

    ``header`` and ``cells`` are texts, ``table`` holds the numbers. Cells are separated by commas,
    semicolons or tabs; an empty cell, NA, NaN, null, None and ? count as missing. The first row is
    the header if one of its cells is neither a number nor missing; otherwise the header is None.

    Raises
    ------
    UserError
        If there is no such file, it has more than 1 GB or cannot be read, its rows differ in
        length, or a cell is not a number.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    check_size(path, path.stat().st_size, "of text")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not a text file in UTF-8 ({error.reason})") from error
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        cells = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row]
    except csv.Error as error:
        raise UserError(f"{path}: not a CSV file ({error})") from error
    header = None
    if cells and any(_number(cell) is None for cell in cells[0]):
        header, cells = cells[0], cells[1:]
    if not cells:
        raise UserError(f"{path}: no rows of numbers")
    width = len(header or cells[0])
    table = np.empty((len(cells), width))
    for i, row in enumerate(cells):
        if len(row) != width:
            raise UserError(f"{path}: data row {i + 1} has {len(row)} cells, not {width}")
        for j, cell in enumerate(row):
            number = _number(cell)
            if number is None:
                name = header[j] if header else j + 1
                raise UserError(
                    f"{path}: data row {i + 1}, column {name}: {cell!r} is not a number; "
                    "leave out columns of words, leave missing cells empty"
                )
            table[i, j] = number
    return header, cells, table


def _number(cell):
    word = cell.strip()
    if word.lower() in MISSING_WORDS:
        return math.nan
    try:
        return float(word)
    except ValueError:
        return None


def write_table(path, header, cells, table):
    """Write a filled table as CSV: known cells as they were read, filled ones with 6 digits."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    if header:
        writer.writerow(header)
    for texts, numbers in zip(cells, table, strict=True):
        writer.writerow(
            [
                f"{number:.6g}" if math.isnan(_number(cell)) else cell
                for cell, number in zip(texts, numbers, strict=True)
            ]
        )
    write_text(path, lines.getvalue())
