"""Progress display during training: finished and running units, and the time left."""

import sys
import threading
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

POLL_SECONDS = 0.5
QUIET_LINE_SECONDS = 60
DEFAULT_WEIGHT = 60.0


class Display:
    """Shows the progress of units, read from the store: bars on a terminal, else plain lines.

    Parameters
    ----------
    units : the units that will be trained.
    weights : expected seconds of each unit, by (name, seed); only their ratios matter in the end.
    store : the store in which the workers note their progress.
    """

    def __init__(self, units, weights, store, jobs, console=None):
        self.units, self.weights, self.store, self.jobs = units, weights, store, jobs
        self.console = console or Console(stderr=True, soft_wrap=True)
        self.live = self.console.is_terminal and not self.console.is_dumb_terminal
        self.start = time.monotonic()
        self.finished = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def done(self, unit, failure=None):
        """Print that a unit has ended, with the reason if it failed."""
        self.finished[unit.name, unit.seed] = failure
        what = f"failed: {failure}" if failure else "done"
        left = f", about {duration(self.left())} left" if self.left() else ""
        self.console.print(
            f"[{len(self.finished)}/{len(self.units)}] {unit.name}, seed {unit.seed}: {what}"
            f" ({duration(time.monotonic() - self.start)} so far{left})",
            markup=False,
            highlight=False,
        )

    def fractions(self):
        """The finished share of each unit, 0 to 1, by (name, seed)."""
        keys = [(unit.name, unit.seed) for unit in self.units]
        return {key: 1.0 if key in self.finished else self.store.told(*key) or 0.0 for key in keys}

    def left(self):
        """Estimated seconds until all units are done, from the speed so far; None if unknown."""
        fractions = self.fractions()
        total = sum(self.weights[key] for key in fractions)
        behind = sum(self.weights[key] * share for key, share in fractions.items())
        elapsed = time.monotonic() - self.start
        if behind <= 0.01 * total:
            return None if not behind and elapsed < 5 else (total - behind) / self.jobs
        return elapsed * (total - behind) / behind

    def _follow(self):
        if self.live:
            self._bars()
            return
        last = time.monotonic()
        while not self._stop.wait(POLL_SECONDS):
            if time.monotonic() - last >= QUIET_LINE_SECONDS:
                last = time.monotonic()
                self.console.print(self._line(), markup=False, highlight=False)

    def _line(self):
        fractions = self.fractions()
        running = [
            f"{name} seed {seed} {share:.0%}"
            for (name, seed), share in fractions.items()
            if 0 < share < 1 and (name, seed) not in self.finished
        ]
        left = self.left()
        return "  ".join([f"about {duration(left)} left" if left else "starting", *running])

    def _bars(self):
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[note]}", markup=False),
        )
        with Progress(*columns, console=self.console, transient=True) as progress:
            overall = progress.add_task("all experiments", total=1.0, note="")
            tasks = {}
            while not self._stop.wait(POLL_SECONDS):
                fractions = self.fractions()
                total = sum(self.weights[key] for key in fractions)
                share = sum(self.weights[k] * f for k, f in fractions.items()) / total
                left = self.left()
                note = f"about {duration(left)} left" if left else ""
                progress.update(overall, completed=share, note=note)
                for key, fraction in fractions.items():
                    started = self.store.told(*key) is not None
                    if key in self.finished:
                        if key in tasks:
                            progress.remove_task(tasks.pop(key))
                    elif started:
                        if key not in tasks:
                            name = f"{key[0]}, seed {key[1]}"
                            tasks[key] = progress.add_task(name, total=1.0, note="")
                        progress.update(tasks[key], completed=fraction)


def duration(seconds):
    """``83`` → ``1 min 23 s``."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"


def say(text):
    """Print one plain line to standard error."""
    print(text, file=sys.stderr, flush=True)
