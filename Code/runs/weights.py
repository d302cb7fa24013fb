"""The trained models that are committed: which, in what precision, within how much room.

A run with ``--extend`` checks every model of which the reports speak: its figures are computed from
its weights, once as they are, then rounded, with ever more bits until none moves more than it may.
What is then written into ``<output>/reference/weights`` is described in `Code.foundation.shipped`.
"""

import hashlib
import json
import math
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from Code.experiments.common import CODE_DIMS
from Code.experiments.table import EXPERIMENTS, of_group
from Code.foundation import shipped
from Code.foundation.atomic import write_json, write_with
from Code.foundation.keras_import import import_keras
from Code.reporting import reference
from Code.reporting.rules import HALF_PRECISION, SAME_ROUNDING
from Code.reporting.uses import load_uses
from Code.runs.progress import DEFAULT_WEIGHT, say
from Code.runs.side_by_side import side_by_side
from Code.runs.store import Store
from Code.runs.unit import dataset, told

MOST_BYTES = 8_000_000
"""Room for all models together: what a repository can bear."""

HALF, FULL = "half", "full"

BITS = (5, 6, 7, 9, 10, 11, 13)
"""To so many bits of their fraction weights are rounded on trial, the fewest first; half precision
has ten."""

CHECKED, FILE = "weights.json", "weights.keras"
"""What a check leaves in the folder of the run that it is of."""


@dataclass(frozen=True)
class WeightsUnit:
    """The model of one finished run, to be checked; scheduled like a ``Code.runs.unit.Unit``."""

    name: str
    seed: int
    data: str
    quick: bool
    output: str


def wanted(uses):
    """The experiments whose models are to be committed, those first that must not lack.

    These are the published comparison, what the explorer opens with, what the report recommends
    for a use (the most often recommended first), and what else the explorer shows.

    Parameters
    ----------
    uses : the measured uses, a `Code.reporting.uses.Uses`, or None where none are.
    """
    # It imports Matplotlib, for which a run that begins does not wait
    from Code.explorer.page import MOST, PLANES, SLIDERS

    published = [row.name for row in of_group("published") if row.model]
    opening = [*PLANES[:2], *SLIDERS[:1]]
    answers = uses.answers(CODE_DIMS) if uses else []
    best = [name for name, _ in Counter(answer.best.name for answer in answers).most_common()]
    shown = [name for kind, most in MOST.items() for name in kind[:most]]
    return [n for n in dict.fromkeys([*published, *opening, *best, *shown]) if n in EXPERIMENTS]


def within(sizes, room):
    """The names of ``{name: bytes}`` that find room: in their order, each that still fits."""
    taken = []
    for name, size in sizes.items():
        if size <= room:
            taken.append(name)
            room -= size
    return taken


def ship(output, data="mnist", quick=False, jobs=1):
    """Check the wanted models of finished runs, and write those that find room beside the results.

    A model that is there already stays if its run is no longer on disk and its experiment's result
    is still the one of that run.

    Returns
    -------
    Names of the experiments whose models are there now.
    """
    store, folder = Store(output), shipped.folder_of(output)
    names = wanted(load_uses(output))
    units = [unit for name in names if (unit := _unit(store, name, data, quick))]
    known = reference.figures(store.output / "results.csv", reference.MEASURE)
    prints = {(u.name, u.seed): identity(u, store, known) for u in units}
    todo = [u for u in units if not _checked(store, u, prints[u.name, u.seed])]
    weights = dict.fromkeys(((u.name, u.seed) for u in todo), DEFAULT_WEIGHT)
    failed = {}

    def ended(unit, failure):
        if failure:
            failed[unit.name] = failure

    side_by_side(todo, prints, weights, store, jobs, ended, work, "models are checked")
    ready = {u.name: _checked(store, u, prints[u.name, u.seed]) for u in units}
    ready = {name: entry for name, entry in ready.items() if entry}
    files = {u.name: store.folder(u.name, u.seed) / FILE for u in units if u.name in ready}
    for name, entry in shipped.told(folder).items():
        file = shipped.file_of(output, name)
        if name not in ready and file.is_file():
            if not _of_result(entry, _read(Path(output, name, "result.json"))):
                say(f"{file}: not the model of {name}'s result; it is removed")
                continue
            ready[name], files[name] = entry, file
    sizes = {name: files[name].stat().st_size for name in names if name in ready}
    chosen = within(sizes, MOST_BYTES)
    _write(output, {name: ready[name] for name in chosen}, files)
    _tell(folder, ready, sizes, chosen, failed)
    if ready and (lacking := [name for name in names if name not in ready and name not in failed]):
        say(f"No weights, because no run of theirs is here, of {', '.join(lacking)}")
    return chosen


def identity(unit, store, known):
    """What the check of a model depends on: its run, the rules, and its spreads in the table."""
    record = store.record(unit.name, unit.seed)
    facts = [record["fingerprint"], HALF_PRECISION, SAME_ROUNDING, BITS]
    spreads = sorted([*key, std] for key, std in spreads_of(unit.name, known).items())
    return hashlib.sha256(json.dumps([*facts, spreads]).encode()).hexdigest()[:16]


def spreads_of(name, known):
    """Standard deviation of each figure of an experiment, None for a single seed.

    ``known`` is a table as `Code.reporting.reference.figures` reads it.
    """
    return {key[1:]: figure.std for key, figure in known.items() if key[0] == name}


def work(unit, fingerprint):
    """Check one model and keep what is to be committed of it; return why it failed, or None."""
    store = Store(unit.output)
    try:
        store.tell(unit.name, unit.seed, 0.0)
        check(unit, fingerprint, store)
    except Exception as error:  # whatever it is, the other models are checked
        return told(error, store.scratch / f"weights-{unit.name}.seed-{unit.seed}.error.txt")
    return None


def check(unit, fingerprint, store):
    """Compute a model's figures as it is and rounded, and keep it as small as costs nothing.

    The kept entry tells what moved most, as a share of what it may.
    """
    from threadpoolctl import threadpool_limits

    keras = import_keras()
    from Code.runs import half, recompute

    keras.backend.clear_session()
    row, data = EXPERIMENTS[unit.name], dataset(unit.data, unit.quick)
    folder, record = store.folder(unit.name, unit.seed), store.record(unit.name, unit.seed)
    known = reference.figures(store.output / "results.csv", reference.MEASURE)
    spreads = spreads_of(unit.name, known)
    with tempfile.TemporaryDirectory() as scratch, threadpool_limits(1):

        def rounded(bits):
            file = Path(scratch, f"{bits}.keras")
            half.rewrite(folder / "model.keras", file, bits)
            return file, recompute.figures(row, file, data, unit.seed)[0]

        whole, full = rounded(None)
        for i, bits in enumerate(BITS):
            store.tell(unit.name, unit.seed, (i + 1) / (len(BITS) + 2))
            source, found = rounded(bits)
            worst, share = moved(full, found, spreads)
            if share <= 1:
                break
        else:
            source, bits = whole, None
        write_with(folder / FILE, lambda part: shutil.copyfile(source, part))
    entry = {
        "seed": unit.seed,
        "precision": HALF if bits is not None and bits <= half.HALF else FULL,
        "bits": bits,
        "moved_most": worst and {"figure": list(worst), "of_what_it_may": _finite(share)},
        "sha256": shipped.digest(folder / FILE),
        "quick": unit.quick,
        "data": _read(store.output / unit.name / "result.json")["data"],
        "code_version": record["code_version"],
        "figures": _figures(record),
    }
    write_json(folder / CHECKED, {"fingerprint": fingerprint, "entry": entry})


def moved(full, half, spreads):
    """The figure that half precision moves most, and how far in units of what it may (rule 9).

    Parameters
    ----------
    full, half : the figures in both precisions, ``{(stage, metric, split): value}``.
    spreads : standard deviation over the seeds, None or absent where it is unknown.
    """
    shares = {}
    for key, value in full.items():
        allowed = HALF_PRECISION * (spreads.get(key) or SAME_ROUNDING * abs(value))
        # A figure that is no number in half precision is not there, and has moved out of all bounds
        shares[key] = _share(abs(half[key] - value), allowed) if key in half else math.inf
    worst = max(shares, key=shares.get, default=None)
    return worst, shares.get(worst, 0.0)


def _share(distance, allowed):
    if not distance:
        return 0.0
    return distance / allowed if allowed else math.inf


def _finite(number):
    return number if math.isfinite(number) else None


def _unit(store, name, data, quick):
    """The run of the lowest seed of an experiment's result; None if its model is not here."""
    result = _read(store.output / name / "result.json") or {}
    seed = min(result.get("seeds", ()), default=0)
    record = store.record(name, seed)
    if not record or not (store.folder(name, seed) / "model.keras").is_file():
        return None
    if not _of_result({"seed": seed, "figures": _figures(record)}, result):
        return None
    return WeightsUnit(name, seed, data, quick, str(store.output.resolve()))


def _checked(store, unit, fingerprint):
    """What an earlier check left of a run; None if there was none of that identity."""
    folder = store.folder(unit.name, unit.seed)
    found = _read(folder / CHECKED)
    whole = found and found["fingerprint"] == fingerprint and (folder / FILE).is_file()
    return found["entry"] if whole else None


def _of_result(entry, result):
    """Whether a model is the one that a ``result.json`` tells of: all its figures are there."""
    try:
        at = result["seeds"].index(entry["seed"])
        values = {(m["stage"], m["metric"], m["split"]): m["values"][at] for m in result["metrics"]}
        return all(values.get(tuple(key)) == value for *key, value in entry["figures"])
    except (ValueError, LookupError, TypeError):
        return False


def _figures(record):
    """The figures of a run's record as they are kept."""
    return [[m["stage"], m["metric"], m["split"], m["value"]] for m in record["metrics"]]


def _read(path):
    """What a file of JSON holds; None where there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _write(output, entries, files):
    """Make the committed models these and no others; what is told of them is written last.

    A file of the same model stays as it is: a repository keeps every version of it for good.
    """
    from Code.runs import half

    folder = shipped.folder_of(output)
    for name, entry in entries.items():
        target = shipped.file_of(output, name)
        if not (target.is_file() and half.same(files[name], target)):
            write_with(target, lambda part, source=files[name]: shutil.copyfile(source, part))
        entry["sha256"] = shipped.digest(target)
    if entries or folder.is_dir():
        write_json(folder / shipped.INDEX, entries)
        for file in folder.glob("*.keras"):
            if file.stem not in entries:
                file.unlink()


def _tell(folder, ready, sizes, chosen, failed):
    for name, failure in failed.items():
        say(f"{name}: its weights could not be checked, and are not in {folder}: {failure}")
    if not ready:
        return
    full = [name for name in chosen if ready[name]["precision"] == FULL]
    room = sum(sizes[name] for name in chosen) / 1e6
    say(
        f"Weights of {len(chosen)} models: {folder} ({room:.1f} MB"
        + (f"; in full precision: {', '.join(full)}" if full else "")
        + ")"
    )
    if left := [name for name in sizes if name not in chosen]:
        say(f"No room for the weights of {', '.join(left)} ({MOST_BYTES / 1e6:g} MB in all)")
