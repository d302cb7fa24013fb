"""A run on disk is whole or absent."""

import numpy as np
import pytest

from Code.foundation.atomic import write_text, write_with
from Code.runs.store import Store, csv_text


def test_kept_and_read_back(tmp_path):
    store = Store(tmp_path)
    store.keep("ae", 3, {"fingerprint": "f", "x": 0.1}, {"a": np.arange(3)}, None)
    assert store.record("ae", 3, "f")["x"] == 0.1
    assert store.record("ae", 3, "other") is None
    assert store.record("ae", 4) is None
    np.testing.assert_array_equal(store.views("ae", 3)["a"], [0, 1, 2])


def test_a_second_keep_replaces_the_first(tmp_path):
    store = Store(tmp_path)
    for value in (1, 2):
        store.keep("ae", 0, {"fingerprint": "f", "x": value}, {"a": np.zeros(1)}, None)
    assert store.record("ae", 0)["x"] == 2


def test_a_truncated_record_counts_as_absent(tmp_path):
    store = Store(tmp_path)
    store.keep("ae", 0, {"fingerprint": "f"}, {"a": np.zeros(1)}, None)
    record = store.folder("ae", 0) / "record.json"
    record.write_text(record.read_text()[:5])
    assert store.record("ae", 0, "f") is None


def test_a_failed_keep_leaves_nothing_in_place(tmp_path):
    store = Store(tmp_path)

    class Unsavable:
        def save(self, path):
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        store.keep("ae", 0, {"fingerprint": "f"}, {"a": np.zeros(1)}, Unsavable())
    assert not store.folder("ae", 0).exists()


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = write_text(tmp_path / "a.txt", "old")

    def fail(part):
        part.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_with(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_csv_reads_back_the_same_floats():
    text = csv_text(("a", "b"), [{"a": 0.1 + 0.2, "b": None, "c": "ignored"}])
    assert text == "a,b\n0.30000000000000004,\n"
