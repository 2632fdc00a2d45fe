"""Memory and time by length: separation, mix and master of a 10-minute and a 60-minute song.

    python benchmarks/bench_memory.py [--minutes 10 60]

Peak resident memory is that of the largest process of the render, as the operating system counted it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from songs import covermaker, long_song

DOCUMENT = """
schema = 1
title = "memory"
[song]
file = "song.wav"
[[tracks]]
name = "vocals"
source = "vocals"
sends = { reverb = -16.0 }
rack = [{ effect = "gate" }, { effect = "high_pass" }, { effect = "eq" }, { effect = "compressor" }]
[[tracks]]
name = "instrumental"
source = "instrumental"
[[buses]]
name = "reverb"
rack = [{ effect = "reverb" }]
"""

# Runs a command and prints the peak resident size of its largest descendant, in kB.
MEASURE = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, text=True)
sys.stdout.write(done.stdout)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(done.returncode)
"""


def measure(minutes: float) -> tuple[float, float, dict[str, float]]:
    """Return peak MB, seconds, and seconds by step."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        project = Path(folder) / "project"
        project.mkdir()
        long_song(project / "song.wav", 60.0 * minutes)
        (project / "cover.toml").write_text(DOCUMENT, encoding="utf-8")
        command = covermaker(
            "render", str(project), "--until", "master", "--store", f"{folder}/store", "--json"
        )
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, *command], check=True, stdout=subprocess.PIPE, text=True
        )
        seconds = time.perf_counter() - started
        *events, peak = done.stdout.splitlines()
        finished = [event for line in events if (event := json.loads(line))["event"] == "step.finished"]
        return int(peak) / 1000.0, seconds, {event["name"]: event["seconds"] for event in finished}


def main() -> None:
    """Measure each length and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, nargs="+", default=[10.0, 60.0])
    rows = [(minutes, *measure(minutes)) for minutes in parser.parse_args().minutes]
    print("minutes   peak MB   seconds   s/minute   by step")
    for minutes, peak, seconds, steps in rows:
        where = ", ".join(f"{name} {spent:.0f}" for name, spent in steps.items())
        print(f"{minutes:7.1f} {peak:9.0f} {seconds:9.1f} {seconds / minutes:10.2f}   {where}")
    if len(rows) > 1:
        print(
            f"peak of the longest / shortest: {rows[-1][1] / rows[0][1]:.3f} (asked: within 15 %, below 2500 MB)"
        )


if __name__ == "__main__":
    main()
