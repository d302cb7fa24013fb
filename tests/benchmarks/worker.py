"""One contender in a process of its own: clean thread settings, its own peak memory.

It is started by `tests.benchmarks.process` and speaks JSON lines: it says ``ready`` before each
epoch and waits for ``go``, so that contenders can take turns; at the end it says what it measured.
"""

import json
import os
import resource
import sys
from pathlib import Path

from tests.benchmarks.clock import Clock


class Line:
    """The connection to the process that started this one."""

    def __init__(self):
        # Libraries print; what they print must not get between the messages.
        self._out = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)

    def say(self, **message):
        print(json.dumps(message), file=self._out, flush=True)

    def turn(self):
        """Say ready; return whether to go on."""
        self.say(ready=True)
        return sys.stdin.readline().strip() == "go"

    def wait(self):
        if not self.turn():
            raise SystemExit(0)


def peak_memory_mb():
    """The most memory that this process has held, in MB."""
    status = Path("/proc/self/status")
    if status.is_file():
        # What `getrusage` says began, on Linux, with the peak of the process that started this one
        fields = dict(line.split(":", 1) for line in status.read_text("utf-8").splitlines())
        return int(fields["VmHWM"].split()[0]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def train(task, line):
    network, images, contender = _parts(task)
    clock = Clock(line.wait)
    contender.train(network, images, task["batch_size"], task["rounds"], clock)
    return {"seconds": clock.seconds, "losses": clock.losses}


def encode(task, line):
    """Codes of all images in batches, or of a few images in many calls."""
    network, images, contender = _parts(task)
    encode_batches = contender.encoder(network)
    clock, calls = Clock(line.wait), task["calls"]
    for _ in range(task["rounds"]):
        clock.start()
        for _ in range(calls):
            encode_batches(images, task["batch_size"])
        clock.stop()
    return {"seconds": [seconds / calls for seconds in clock.seconds]}


def _parts(task):
    from tests.benchmarks.contenders import CONTENDERS
    from tests.benchmarks.networks import NETWORKS

    network = NETWORKS[task["network"]]
    return network, network.images(task["images"]), CONTENDERS[task["contender"]].load()


def way(task, line):
    from tests.benchmarks.contenders import ways
    from tests.benchmarks.networks import NETWORKS

    network, clock = NETWORKS[task["network"]], Clock(line.wait)
    images = network.images(task["images"])
    ways.train(task["contender"], network, images, task["batch_size"], task["rounds"], clock)
    return {"seconds": clock.seconds, "losses": clock.losses}


def limit(task, line):
    from tests.benchmarks.limit import measure

    return measure(
        task["size"], task["copied"], task["shapes"], task["batch_size"], task["threads"], line.turn
    )


def growth(task, line):
    from tests.benchmarks.growth import measure

    return measure(task["points"], task["rounds"], line.wait)


TASKS = {"train": train, "encode": encode, "way": way, "limit": limit, "growth": growth}


def main():
    task = json.loads(sys.argv[1])
    if task["pinned"] and hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))[: task["threads"]]
        os.sched_setaffinity(0, allowed)
    line = Line()
    try:
        measured = TASKS[task["do"]](task, line)
    except Exception as error:
        # Whatever a library throws is the reason why its row is empty.
        text = f"{type(error).__name__}: {error}".strip()
        line.say(error=" ".join(text.split())[:300])
        return
    line.say(**measured, peak_memory_mb=peak_memory_mb())


if __name__ == "__main__":
    main()
