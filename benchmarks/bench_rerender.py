"""What a tweak costs: cold render, render again, after an effect tweak, and a preview after a tweak.

    python benchmarks/bench_rerender.py [--seconds 180]

Prints seconds of wall time, steps that ran, and the ratio of the re-render to the cold render.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
import time
from pathlib import Path

from songs import covermaker, long_song


def timed(*arguments: str) -> tuple[float, dict[str, float], str]:
    """Run a command; returns its seconds, the seconds of each step that ran, and the sha256 of the first output."""
    started = time.perf_counter()
    done = subprocess.run(covermaker(*arguments, "--json"), capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - started
    events = [json.loads(line) for line in done.stdout.splitlines()]
    steps = {event["name"]: event["seconds"] for event in events if event["event"] == "step.finished"}
    return seconds, steps, events[-1]["result"]["files"][0]


def tweak(document: Path, room_size: float) -> None:
    """Change one parameter of the vocal's rack: the compressor's threshold."""
    text = document.read_text(encoding="utf-8")
    changed = re.sub(
        r"(effect = \"compressor\", threshold_db = )-?[\d.]+", rf"\g<1>{room_size}", text, count=1
    )
    if changed == text:
        raise SystemExit("the preset has no compressor to tweak")
    document.write_text(changed, encoding="utf-8")


def main() -> None:
    """Run the four renders and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=180.0)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        project, store = base / "project", ("--store", str(base / "store"))
        song = long_song(base / "song.wav", seconds)
        subprocess.run(
            covermaker("new", str(song), "--folder", str(project)), check=True, capture_output=True
        )
        rows = []
        cold, steps, _ = timed("render", str(project), *store)
        rows.append(("cold render", cold, steps))
        again, steps, _ = timed("render", str(project), *store)
        rows.append(("again, nothing changed", again, steps))
        tweak(project / "cover.toml", -21.5)
        warm, steps, _ = timed("render", str(project), *store)
        rows.append(("after an effect tweak", warm, steps))
        region = ("--preview", "1:00-1:15") if seconds >= 75 else ("--preview", "0:02-0:08")
        first, steps, _ = timed("render", str(project), *region, *store)
        rows.append(("first preview", first, steps))
        tweak(project / "cover.toml", -22.5)
        preview, steps, _ = timed("render", str(project), *region, *store)
        rows.append(("preview after a tweak", preview, steps))
        started = time.perf_counter()
        subprocess.run(covermaker("--version"), check=True, capture_output=True)
        start = time.perf_counter() - started
    print(f"song of {seconds:.0f} s")
    for name, total, ran in rows:
        where = ", ".join(f"{step} {spent:.2f}" for step, spent in ran.items()) or "no step ran"
        print(f"{name:<24} {total:7.2f} s   {where}")
    print(f"process start            {start:7.2f} s")
    print(f"ratio re-render / cold   1/{cold / warm:.1f} (asked: at most 1/8)")
    print(f"preview beyond start     {preview - start:.2f} s (asked: at most 2 s)")


if __name__ == "__main__":
    main()
