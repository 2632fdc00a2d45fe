"""How long the command line takes to start.

python benchmarks/bench_start.py
"""

from __future__ import annotations

import statistics
import subprocess
import time

from songs import covermaker

ROUNDS = 15


def median_seconds(*arguments: str) -> float:
    """Return the median wall time of a command."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        subprocess.run(covermaker(*arguments), check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


if __name__ == "__main__":
    for line in (
        "--help",
        "--version",
        "render --help",
        "presets list",
        "voices list",
        "status projects/demo",
    ):
        print(f"covermaker {line:<24} {1000 * median_seconds(*line.split()):6.0f} ms")
