"""Tables of numbers: what is read, and what is refused in a line."""

import numpy as np
import pytest

from Code.data.tables import read_table
from Code.foundation.errors import UserError


def test_a_table_with_empty_cells(tmp_path):
    (tmp_path / "a.csv").write_text("a;b\n1;\nNA;2.5\n", encoding="utf-8")
    header, cells, table = read_table(tmp_path / "a.csv")
    assert header == ["a", "b"] and cells == [["1", ""], ["NA", "2.5"]]
    np.testing.assert_array_equal(table, [[1, np.nan], [np.nan, 2.5]])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no rows"),
        (b"a,b\n", "no rows"),
        (b"1,2\n3\n", "data row 2 has 1 cells, not 2"),
        (b"a,b\n1,x\n", "'x' is not a number"),
        (b"\xff\xfe1", "UTF-8"),
        (b"1" * 200_000 + b"\n", "not a CSV file"),
    ],
)
def test_what_is_no_table_is_a_line(content, says, tmp_path):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(UserError, match=says) as told:
        read_table(tmp_path / "a.csv")
    assert "\n" not in str(told.value)


def test_a_table_that_is_no_file_or_too_large_is_not_read(tmp_path, monkeypatch):
    from Code.data import array_file

    for path in (tmp_path, tmp_path / "none.csv", "/dev/zero"):
        with pytest.raises(UserError, match="no such file"):
            read_table(path)
    monkeypatch.setattr(array_file, "MAX_BYTES", 10)
    (tmp_path / "a.csv").write_text("1,2\n" * 10, encoding="utf-8")
    with pytest.raises(UserError, match="GB of text"):
        read_table(tmp_path / "a.csv")
