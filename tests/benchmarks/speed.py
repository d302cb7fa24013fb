"""Time one training epoch here and elsewhere: ``python -m tests.benchmarks.speed``.

Everything runs in one go, in turn, each contender in a process of its own; what is not installed is
left out and named (``pip install -r tests/benchmarks/requirements.txt``). Nothing is asserted.
"""

import argparse
import json
import statistics
import sys
import time
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from Code.figures.bars import ratio_bars
from Code.figures.growth import growth_curves
from Code.figures.style import save
from Code.foundation.atomic import write_json
from Code.reporting.benchmark import (
    BARS,
    FILE,
    GROWTH,
    JOBS_RATIO,
    OURS,
    benchmark_of,
    ours_of,
    paired,
)
from Code.runs.machine import cores, machine, versions
from tests.benchmarks import growth, jobs
from tests.benchmarks.contenders import CONTENDERS
from tests.benchmarks.contenders.ways import WAYS
from tests.benchmarks.networks import BATCH_SIZE, NETWORKS, PIXELS
from tests.benchmarks.process import Worker, take_turns

ALL_IMAGES = 60_000
PARTS = ("epoch", "ways", "inference", "calls", "growth")
BATCHES = (100, 1000)
IMAGES_A_CALL, CALLS = (1, 10), 200
AXES = {
    "images": "images",
    "code_dim": "units of the code",
    "width": "units of the hidden layer",
    "batch_size": "images a batch",
}


def parser():
    """The options."""
    p = argparse.ArgumentParser(prog="python -m tests.benchmarks.speed", description=__doc__)
    p.add_argument(
        "--images",
        type=positive,
        default=ALL_IMAGES,
        metavar="N",
        help="training images (default 60000)",
    )
    p.add_argument(
        "--repeats",
        type=positive,
        default=9,
        metavar="N",
        help="timed rounds, after one that is not (default 9: with fewer than 6, ratios have no "
        "interval)",
    )
    p.add_argument(
        "--only",
        nargs="+",
        choices=NETWORKS,
        default=list(NETWORKS),
        metavar="NETWORK",
        help=f"of {', '.join(NETWORKS)}",
    )
    p.add_argument(
        "--contenders",
        nargs="+",
        choices=CONTENDERS,
        default=list(CONTENDERS),
        metavar="NAME",
        help=f"of {', '.join(CONTENDERS)}",
    )
    p.add_argument(
        "--parts",
        nargs="*",
        choices=PARTS,
        default=list(PARTS),
        metavar="PART",
        help=f"of {', '.join(PARTS)}; the others are kept from the last run on the same"
        " machine and versions",
    )
    p.add_argument(
        "--jobs-ratio",
        action="store_true",
        help="also run_all.py with one job and with as many as cores",
    )
    p.add_argument(
        "--threads",
        type=positive,
        default=cores(),
        metavar="N",
        help="threads of each contender (default: all cores)",
    )
    p.add_argument(
        "--patience",
        type=positive,
        default=180,
        metavar="S",
        help="give up a contender whose round takes longer (default 180 s)",
    )
    p.add_argument(
        "--output",
        metavar="DIR",
        help="where it writes (default output; output/quick where not everything is timed)",
    )
    return p


def positive(text):
    """A whole number above 0."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number above 0")
    return int(text)


def main(arguments=None):
    """Run the command line; return the exit status."""
    options = parser().parse_args(arguments)
    options.threads = min(options.threads, cores())
    options.images = min(options.images, ALL_IMAGES)
    log = Console(stderr=True)
    output = Path(options.output or default_output(options))
    report = kept(output / FILE, head(options), options)

    def keep(parts):
        report.update(parts, finished=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
        write_json(output / FILE, report)

    with log.status("starting") as status:
        tell = partial(say, log, status)
        if "epoch" in options.parts:
            keep(epoch_part(options, tell))
        others = {
            "ways": ways_part,
            "inference": inference_part,
            "calls": calls_part,
            "growth": growth_part,
        }
        for name, part in others.items():
            if name in options.parts:
                keep({name: part(options, tell)})
        if options.jobs_ratio:
            keep({"jobs": jobs.measure(cores(), False, tell)})
    keep({})
    benchmark = benchmark_of(report)
    draw(benchmark, output)
    show(benchmark)
    log.print(f"Written: {output / FILE}")
    return 0


def say(log, status, text):
    """Say what is going on: a live line on a terminal, a plain one elsewhere."""
    if log.is_terminal:
        status.update(text)
    else:
        log.print(text)


def tell_of(tell, what, text):
    """Say it of one network."""
    tell(f"{what}: {text}")


def default_output(options):
    """Where results go if nothing is said: never a partial run on top of the committed one."""
    everything = (
        options.images == ALL_IMAGES
        and options.only == list(NETWORKS)
        and options.contenders == list(CONTENDERS)
    )
    return "output" if everything else "output/quick"


def head(options):
    """What the figures depend on."""
    return {
        "images": options.images,
        "batch_size": BATCH_SIZE,
        "repeats": options.repeats,
        "threads": options.threads,
        "versions": versions() | optional_versions(),
        "machine": machine(),
    }


def optional_versions():
    """Versions of the compared libraries that are installed."""
    found = {}
    for package in ("torch", "jax"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def kept(path, new, options):
    """``new`` with the parts of an earlier run that are not run again and were run alike."""
    try:
        old = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return new
    if any(old.get(key) != value for key, value in new.items()):
        return new
    ran = {"limit", "networks"} if "epoch" in options.parts else set()
    ran |= set(options.parts)
    return {key: value for key, value in old.items() if key not in ran} | new


# The parts -----------------------------------------------------------------------------------


def epoch_part(options, tell):
    """Seconds an epoch of every contender on every network, and the limits."""
    size = 4096 if options.images == ALL_IMAGES else 1024
    dense = {name: NETWORKS[name].shapes for name in options.only if NETWORKS[name].kind != "conv"}
    task = {
        "do": "limit",
        "size": size,
        "copied": BATCH_SIZE * PIXELS,
        "shapes": dense,
        "batch_size": BATCH_SIZE,
    }
    tell("limit")
    limit = Worker(task, options.threads, options.patience)
    networks = {}
    try:
        for name in options.only:
            network = NETWORKS[name]
            rows, starts = [], {}
            for contender in (CONTENDERS[c] for c in options.contenders):
                why = reason_to_skip(contender, name)
                if why:
                    rows.append({"contender": contender.name, "skipped": why})
                else:
                    starts[contender.name] = partial(start, contender, name, "train", options)
            of_network = partial(tell_of, tell, name)
            found = take_turns(starts, options.repeats + 1, of_network, [limit])
            rows += [row(contender, result) for contender, result in found.items()]
            rows.sort(key=lambda r: options.contenders.index(r["contender"]))
            networks[name] = {
                "title": network.title,
                "gflop": network.gflop(options.images),
                "gbytes": network.gbytes(options.images),
                "rows": rows,
            }
        best = limit.end()
    finally:
        limit.close()
    if "error" in best:
        raise SystemExit(f"the limit could not be measured: {best['error']}")
    best["gflops"] = max(best["numpy_gflops"], best["tensorflow_gflops"])
    for name, seconds in best.pop("step_seconds").items():
        networks[name]["products_seconds"] = seconds * options.images / BATCH_SIZE
    return {"limit": {**best, "matrix": size}, "networks": networks}


def ways_part(options, tell):
    """Seconds an epoch of this project with one lever changed, by network."""
    parts = {}
    for name in options.only:
        starts = {
            way.name: partial(start, way, name, "way", options, threads=way.threads)
            for way in WAYS.values()
            if name in way.networks
        }
        found = take_turns(starts, options.repeats + 1, partial(tell_of, tell, f"{name}, ways"))
        parts[name] = [row(way, result) for way, result in found.items()]
    return parts


def inference_part(options, tell):
    """Seconds for the codes of all images, by network and contender."""
    return codes_part(options, tell, "codes", BATCHES)


def calls_part(options, tell):
    """Seconds of one call for the codes of few images, by network and contender."""
    return codes_part(options, tell, "calls", IMAGES_A_CALL, CALLS)


def codes_part(options, tell, what, batch_sizes, calls=None):
    """Codes in batches of each size; with ``calls`` of one batch alone, in so many calls."""
    parts = {}
    for name in options.only:
        rows = []
        for batch_size in batch_sizes:
            starts = {}
            for contender in (CONTENDERS[c] for c in options.contenders):
                if not contender.inference:
                    continue
                why = reason_to_skip(contender, name)
                if why:
                    rows.append(
                        {"contender": contender.name, "batch_size": batch_size, "skipped": why}
                    )
                    continue
                more = {"images": batch_size, "calls": calls} if calls else {"calls": 1}
                starts[contender.name] = partial(
                    start, contender, name, "encode", options, batch_size, **more
                )
            of_network = partial(tell_of, tell, f"{name}, {what}, {batch_size}")
            found = take_turns(starts, options.repeats + 1, of_network)
            for contender, result in found.items():
                rows.append({**row(contender, result), "batch_size": batch_size})
        rows.sort(key=lambda r: (r["batch_size"], options.contenders.index(r["contender"])))
        parts[name] = rows
    return parts


def growth_part(options, tell):
    """Seconds an epoch of this project at every point of every curve."""
    measured = []
    for points in growth.curves(options.images):
        task = {"do": "growth", "points": points, "rounds": options.repeats + 1}
        worker = Worker(task, options.threads, options.patience)
        try:
            for point in points:
                tell(f"growth: {point['network']}, {point['axis']} {point['value']}")
                worker.turn()
            result = worker.end()
        finally:
            worker.close()
        if "error" in result:
            tell(f"left out: {result['error']}")
        else:
            measured += result["points"]
    return measured


def reason_to_skip(contender, network):
    """Why a contender does not run, or None."""
    if network not in contender.networks:
        return "has no such network"
    missing = contender.missing()
    return f"{', '.join(missing)} not installed" if missing else None


def start(contender, network, do, options, batch_size=BATCH_SIZE, threads=None, **more):
    """A worker for one contender, or for one way of this project."""
    task = {
        "do": do,
        "contender": contender.name,
        "network": network,
        "images": options.images,
        "batch_size": batch_size,
        "rounds": options.repeats + 1,
        **more,
    }
    backend = getattr(contender, "backend", "tensorflow")
    return Worker(task, threads or options.threads, options.patience, backend)


def row(contender, result):
    """A row of the JSON from what a worker said; its first round, which compiles, is dropped."""
    if "error" in result:
        return {"contender": contender, "skipped": result["error"]}
    seconds = result["seconds"][1:]
    made = {
        "contender": contender,
        "seconds": statistics.median(seconds),
        "all_seconds": seconds,
        "peak_memory_mb": result["peak_memory_mb"],
    }
    if "losses" in result:
        made["loss"] = result["losses"][-1]
    return made


# What is shown -------------------------------------------------------------------------------


# How the contenders are called in the figure
NAMES = {
    "keras_fit": "Keras, plain fit",
    "keras_tuned": "Keras, tuned fit",
    "keras_jax": "Keras on JAX",
    "jax_epoch": "JAX, compiled epoch",
    "torch_eager": "PyTorch",
    "torch_compile": "PyTorch, compiled",
    "sklearn_mlp": "scikit-learn",
}


def draw(benchmark, output):
    """The two figures, of what there is."""
    bars = {
        network.title: {
            NAMES.get(row.contender, row.contender): network.ratio(row)
            for row in network.timed
            if row.contender != OURS
        }
        for network in benchmark.networks
        if network.row(OURS) and network.fastest_other
    }
    if bars:
        save(ratio_bars(bars, "times the epoch of this project"), output / BARS)
    if benchmark.growth:
        panels = {
            AXES[axis]: {
                network: {p.value: p.seconds for p in benchmark.growth_of(axis, network)}
                for network in benchmark.growth_networks(axis)
            }
            for axis in benchmark.growth_axes()
        }
        save(growth_curves(panels, "seconds an epoch"), output / GROWTH)


def show(benchmark):
    """Print the tables."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    for network in benchmark.networks:
        show_network(console, network)
    if benchmark.networks:
        show_targets(console, "Targets", benchmark.targets())
        show_targets(console, "Asked for earlier", benchmark.earlier_targets())
    if benchmark.ways:
        show_ways(console, benchmark)
    if benchmark.inference:
        title = f"Codes of {benchmark.images:,} images"
        show_codes(console, title, benchmark, benchmark.inference)
    if benchmark.calls:
        show_codes(console, "Codes in one call", benchmark, benchmark.calls)
    if benchmark.growth:
        show_growth(console, benchmark)
    if benchmark.jobs:
        show_jobs(console, benchmark.jobs)


def show_network(console, network):
    table = new_table(
        f"{network.title}: {network.gflop:.2f} GFLOP an epoch, limit {limit_text(network)}",
        "s an epoch",
        "times ours",
        "GFLOP/s",
        "of the limit",
        "MB",
        "loss",
    )
    for row in network.rows:
        if row.skipped:
            table.add_row(row.contender, f"skipped: {row.skipped}")
            continue
        ratio = network.ratio(row)
        table.add_row(
            row.contender,
            f"{row.seconds:.3f}",
            "–" if ratio is None else f"{ratio:.2f}",
            f"{network.gflops(row):.1f}",
            f"{100 * network.share(row):.0f} %",
            f"{row.peak_memory_mb:,.0f}",
            "–" if row.loss is None else f"{row.loss:.4f}",
        )
    console.print(table)


def limit_text(network):
    text = f"{network.arithmetic_seconds:.3f} s at {network.gflops_limit:.0f} GFLOP/s"
    if network.traffic_seconds is None:
        return text
    return f"{text}, {network.traffic_seconds:.3f} s at {network.gb_per_second:.0f} GB/s"


WORDS = {
    "level": "an epoch, times as fast as the fastest other,",
    "products": "an epoch, share of the speed of its matrix products alone",
    "codes": "codes in batches of {images}, times as fast as the fastest other,",
    "call": "ms for one call on {images}",
    "plain": "times as fast as",
    "fastest": "times as fast as the fastest other,",
    "limit": "of the limit",
}
REACHED = {True: "reached", False: "NOT reached", None: "not measured"}


def show_targets(console, title, targets):
    table = new_table(title, "measured", "interval", "target", "")
    for t in targets:
        number = "{:.0%}" if t.kind in ("limit", "products") else "{:.2f}"
        scale = 1000 if t.kind == "call" else 1
        low_high = "–" if t.interval is None else "{:.2f} to {:.2f}".format(*t.interval)
        table.add_row(
            f"{t.title}: {WORDS[t.kind].format(images=t.images)} {t.against or ''}".strip(),
            "–" if t.value is None else number.format(scale * t.value),
            low_high,
            number.format(scale * t.target),
            REACHED[t.reached],
        )
    console.print(table)


def show_ways(console, benchmark):
    table = new_table("This project with one lever changed", "s an epoch", "times ours", "MB")
    for name, rows in benchmark.ways.items():
        ours = next((r.seconds for r in rows if r.contender == OURS), None)
        for row in rows:
            label = f"{benchmark.title(name)}: {row.contender}"
            if row.skipped:
                table.add_row(label, f"skipped: {row.skipped}")
                continue
            ratio = "–" if ours is None else f"{row.seconds / ours:.2f}"
            table.add_row(label, f"{row.seconds:.3f}", ratio, f"{row.peak_memory_mb:,.0f}")
    console.print(table)


def show_codes(console, title, benchmark, by_network):
    table = new_table(title, "images a batch", "ms", "times ours")
    for name, rows in by_network.items():
        for row in rows:
            label = f"{benchmark.title(name)}: {row.contender}"
            if row.skipped:
                table.add_row(label, str(row.batch_size), f"skipped: {row.skipped}")
                continue
            ours = ours_of([r for r in rows if r.batch_size == row.batch_size])
            ratio = "–" if ours is None else f"{paired(ours, row).value:.2f}"
            table.add_row(label, str(row.batch_size), f"{1000 * row.seconds:.3f}", ratio)
    console.print(table)


def show_growth(console, benchmark):
    table = new_table("Growth: seconds an epoch of this project", "value: seconds", "grows with")
    for axis in benchmark.growth_axes():
        for network in benchmark.growth_networks(axis):
            points = benchmark.growth_of(axis, network)
            power = benchmark.exponent(axis, network)
            table.add_row(
                f"{AXES[axis]}, {network}",
                "  ".join(f"{p.value:,}: {p.seconds:.3f}" for p in points),
                "–" if power is None else f"power {power:.2f}",
            )
    console.print(table)


def show_jobs(console, measured):
    reached = "reached" if measured.ratio >= JOBS_RATIO else "NOT reached"
    console.print(
        f"run_all.py: {measured.seconds_one_job:.1f} s with 1 job, {measured.seconds:.1f} s with"
        f" {measured.jobs}: {measured.ratio:.2f} times as fast (target {JOBS_RATIO}: {reached});"
        f" results.csv {'equal' if measured.equal else 'DIFFERENT'}"
    )


def new_table(title, *columns):
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right", overflow="fold")
    return table


if __name__ == "__main__":
    sys.exit(main())
