"""What the benchmark says of a contender's process is of that process alone."""

import subprocess
import sys

from tests.benchmarks.worker import peak_memory_mb

ASK = "from tests.benchmarks.worker import peak_memory_mb; print(peak_memory_mb())"


def test_the_peak_memory_is_not_that_of_the_process_that_started_it(root):
    held = bytearray(300_000_000)
    asked = subprocess.run(
        [sys.executable, "-c", ASK], cwd=root, capture_output=True, text=True, check=True
    )
    assert peak_memory_mb() > len(held) / 1e6 > 3 * float(asked.stdout) > 0
