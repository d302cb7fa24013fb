"""What a person sees while experiments train, on a terminal and in a log."""

import io
import re
import time
from types import SimpleNamespace

import pytest
from rich.console import Console

from Code.runs import progress
from Code.runs.progress import Display, duration

COLOUR = re.compile(r"\x1b\[[0-9;]*[349]\d[0-9;]*m")
UNITS = [SimpleNamespace(name=name, seed=0) for name in ("ae", "vae")]
WEIGHTS = {("ae", 0): 10.0, ("vae", 0): 30.0}


class Told:
    """A store that knows only how far the runs are."""

    def __init__(self, **fractions):
        self.fractions = fractions

    def told(self, name, seed):
        return self.fractions.get(name)


def shown(store, monkeypatch, done=(), **options):
    """What a display writes while it stands for a second."""
    monkeypatch.setattr(progress, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(progress, "QUIET_LINE_SECONDS", 0.1)
    file = io.StringIO()
    with Display(UNITS, WEIGHTS, store, 1, Console(file=file, width=100, **options)) as display:
        time.sleep(0.5)
        for unit, failure in zip(UNITS, done, strict=False):
            display.done(unit, failure)
        time.sleep(0.2)
    return file.getvalue()


def test_a_log_gets_whole_lines_and_no_control_characters(monkeypatch):
    text = shown(Told(ae=0.5), monkeypatch, done=(None, "it diverged"))
    assert not re.search(r"[\x1b\r]", text)
    assert "ae seed 0 50%" in text
    assert "[1/2] ae, seed 0: done" in text
    assert "[2/2] vae, seed 0: failed: it diverged" in text


def test_a_terminal_gets_bars(monkeypatch):
    text = shown(Told(ae=0.5, vae=0.0), monkeypatch, force_terminal=True)
    assert "\x1b" in text
    assert "all experiments" in text and "ae, seed 0" in text and " 50 %" in text
    assert COLOUR.search(text)


def test_no_color_is_obeyed(monkeypatch):
    text = shown(Told(ae=0.5), monkeypatch, force_terminal=True, _environ={"NO_COLOR": "1"})
    assert "all experiments" in text
    assert not COLOUR.search(text)


@pytest.mark.parametrize("dumb", ["dumb", "unknown"])
def test_a_dumb_terminal_gets_lines(monkeypatch, dumb):
    text = shown(Told(ae=0.5), monkeypatch, force_terminal=True, _environ={"TERM": dumb})
    assert "\r" not in text and "ae seed 0 50%" in text


def test_the_time_left_is_in_proportion_to_what_is_left(monkeypatch):
    display = Display(UNITS, WEIGHTS, Told(ae=1.0, vae=1 / 3), 1, Console(file=io.StringIO()))
    monkeypatch.setattr(time, "monotonic", lambda: display.start + 20)
    assert display.left() == pytest.approx(20)


def test_the_time_left_before_anything_is_done_is_what_is_expected(monkeypatch):
    display = Display(UNITS, WEIGHTS, Told(), 2, Console(file=io.StringIO()))
    monkeypatch.setattr(time, "monotonic", lambda: display.start + 6)
    assert display.left() == pytest.approx(20)


def test_durations_read_like_durations():
    assert [duration(s) for s in (5, 83, 3600 + 120)] == ["5 s", "1 min 23 s", "1 h 02 min"]
