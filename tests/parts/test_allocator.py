"""Freed memory stays in the process, and a C library without the setting is no error."""

import ctypes

from Code.parts import allocator


def test_it_is_asked_for_once_and_for_all_three(monkeypatch):
    asked = []

    class Library:
        def mallopt(self, parameter, value):
            asked.append((parameter, value))
            return 1

    monkeypatch.setattr(ctypes, "CDLL", lambda _: Library())
    allocator.keep_freed_memory.cache_clear()
    allocator.keep_freed_memory()
    allocator.keep_freed_memory()
    assert sorted(parameter for parameter, _ in asked) == [-3, -2, -1]


def test_other_c_libraries_are_left_alone(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    allocator.keep_freed_memory.cache_clear()
    allocator.keep_freed_memory()
