"""Finished runs on disk: one folder for each experiment and seed, complete or absent."""

import csv
import io
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np

from Code.foundation.atomic import write_json, write_text

HISTORY_COLUMNS = ("stage", "epoch", "metric", "split", "value")


class Store:
    """The runs below one output folder.

    ``<output>/<experiment>/runs/seed-<n>/`` holds ``record.json`` (metrics, history, times),
    ``views.npz`` (arrays that figures are drawn from) and ``model.keras``. The folder is moved
    into place when it is complete, so a run that was killed leaves no trace in it.
    """

    def __init__(self, output):
        self.output = Path(output)
        self.scratch = self.output / ".work"

    def folder(self, experiment, seed):
        return self.output / experiment / "runs" / f"seed-{seed}"

    def record(self, experiment, seed, fingerprint=None):
        """The record of a finished run, or None if there is none (with that fingerprint)."""
        try:
            record = json.loads((self.folder(experiment, seed) / "record.json").read_text())
        except (OSError, ValueError):
            return None
        same = fingerprint is None or record.get("fingerprint") == fingerprint
        return record if same else None

    def views(self, experiment, seed):
        """The arrays of a finished run, by name."""
        with np.load(self.folder(experiment, seed) / "views.npz", allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}

    def keep(self, experiment, seed, record, views, model):
        """Move a finished run into place, whole."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f"{experiment}-{seed}-", dir=self.scratch))
        np.savez_compressed(part / "views.npz", **views)
        if model is not None:
            model.save(part / "model.keras")
        write_json(part / "record.json", record)
        part.chmod(0o755)
        folder = self.folder(experiment, seed)
        folder.parent.mkdir(parents=True, exist_ok=True)
        self.forget(experiment, seed)
        part.rename(folder)

    def forget(self, experiment, seed):
        """Remove a finished run, if there is one."""
        folder = self.folder(experiment, seed)
        if folder.exists():
            # Renamed first: a kill in the middle of the removal must not leave half a run in place
            old = Path(tempfile.mkdtemp(prefix="old-", dir=_made(self.scratch)))
            folder.rename(old / "run")
            shutil.rmtree(old)

    # Progress of the runs under way, told by the workers through small files -----------------

    def progress_file(self, experiment, seed):
        """Where a run tells how far it is; it is there from the run's beginning."""
        return self.scratch / "progress" / f"{experiment}.{seed}"

    def tell(self, experiment, seed, done):
        """Say that ``done`` (0 to 1) of a run is behind it."""
        write_text(self.progress_file(experiment, seed), f"{done:.6f}")

    def told(self, experiment, seed):
        """What was last told of a run: None if it has not begun."""
        try:
            return float(self.progress_file(experiment, seed).read_text())
        except (OSError, ValueError):
            return None

    def clear_progress(self):
        """Forget what earlier runs told, and their unfinished work."""
        shutil.rmtree(self.scratch / "progress", ignore_errors=True)
        if self.scratch.exists():
            for part in self.scratch.iterdir():
                if part.is_dir():
                    shutil.rmtree(part, ignore_errors=True)
                elif part.name.endswith(".error.txt"):
                    part.unlink()


def csv_text(columns, rows):
    """Rows (dicts) as CSV; floats in the shortest form that reads back the same."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: "" if row[key] is None else row[key] for key in columns})
    return text.getvalue()


def _made(folder):
    folder.mkdir(parents=True, exist_ok=True)
    return folder
