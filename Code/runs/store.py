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
    """The finished runs in one output folder.

    ``<output>/<experiment>/runs/seed-<n>/`` holds ``record.json`` (metrics, history, times),
    ``views.npz`` (arrays from which figures are drawn) and ``model.keras``. The folder is moved
    into place only when it is complete, so a killed run leaves no trace in it.
    """

    def __init__(self, output):
        self.output = Path(output)
        self.scratch = self.output / ".work"

    @property
    def shelf(self):
        """The folder for stages that several rows of a run have in common."""
        return self.scratch / "stages"

    def clear_shelf(self):
        """Remove the common stages, once no row of the run will come to them any more."""
        shutil.rmtree(self.shelf, ignore_errors=True)

    def folder(self, experiment, seed):
        return self.output / experiment / "runs" / f"seed-{seed}"

    def record(self, experiment, seed, fingerprint=None):
        """The record of a finished run, or None if there is none (with that fingerprint)."""
        try:
            record = json.loads((self.folder(experiment, seed) / "record.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        same = fingerprint is None or record.get("fingerprint") == fingerprint
        return record if same else None

    def views(self, experiment, seed):
        """The arrays of a finished run, by name."""
        with np.load(self.folder(experiment, seed) / "views.npz", allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}

    def keep(self, experiment, seed, record, views, model):
        """Move a complete finished run into place."""
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
            # Renamed first: if the removal is interrupted, no half-removed run remains in place
            old = Path(tempfile.mkdtemp(prefix="old-", dir=_made(self.scratch)))
            folder.rename(old / "run")
            shutil.rmtree(old)

    # Progress of the running units, which the workers note in small files --------------------

    def progress_file(self, experiment, seed):
        """The file in which a run notes its progress; it exists from the start of the run."""
        return self.scratch / "progress" / f"{experiment}.{seed}"

    def tell(self, experiment, seed, done):
        """Note that the share ``done`` (0 to 1) of a run is finished."""
        write_text(self.progress_file(experiment, seed), f"{done:.6f}")

    def told(self, experiment, seed):
        """The last noted progress of a run; None if it has not started."""
        try:
            return float(self.progress_file(experiment, seed).read_text("utf-8"))
        except (OSError, ValueError):
            return None

    def clear_progress(self):
        """Remove the progress files and the unfinished work of earlier runs."""
        shutil.rmtree(self.scratch / "progress", ignore_errors=True)
        if self.scratch.exists():
            for part in self.scratch.iterdir():
                if part == self.shelf:
                    continue
                if part.is_dir():
                    shutil.rmtree(part, ignore_errors=True)
                elif part.name.endswith(".error.txt"):
                    part.unlink()


def csv_text(columns, rows):
    """Rows (dicts) as CSV text; floats in the shortest form that reads back exactly."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: "" if row[key] is None else row[key] for key in columns})
    return text.getvalue()


def _made(folder):
    folder.mkdir(parents=True, exist_ok=True)
    return folder
