"""What a tweak costs: cold render, render again, after an effect tweak, and a preview after a tweak.

    python benchmarks/bench_rerender.py [--seconds 180] [--formats wav24 mp3]

Prints seconds of wall time, steps that ran, and the ratio of the re-render to the cold render; then cold render, tweak
and ratio once more with the formats of ``--formats`` (an MP3 is made by one thread and cannot be made in part). The
package is compiled to bytecode first, as an installer does.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

import covermaker as package
from songs import covermaker, long_song

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def timed(*arguments: str) -> tuple[float, dict[str, float]]:
    """Run a command; returns its seconds and the seconds of each step that ran."""
    started = time.perf_counter()
    done = subprocess.run(
        covermaker(*arguments, "--json"), capture_output=True, text=True, check=True, env=ENVIRONMENT
    )
    seconds = time.perf_counter() - started
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return seconds, {event["name"]: event["seconds"] for event in events if event["event"] == "step.finished"}


def tweak(document: Path, threshold_db: float) -> None:
    """Change one parameter of the vocal's rack: the compressor's threshold."""
    text = document.read_text(encoding="utf-8")
    changed = re.sub(
        r"(effect = \"compressor\", threshold_db = )-?[\d.]+", rf"\g<1>{threshold_db}", text, count=1
    )
    if changed == text:
        raise SystemExit("the preset has no compressor to tweak")
    document.write_text(changed, encoding="utf-8")


def project_of(song: Path, folder: Path, formats: list[str]) -> tuple[str, ...]:
    """Make a project and return the arguments that render it into a store of its own."""
    project = folder / "project"
    subprocess.run(covermaker("new", str(song), "--folder", str(project)), check=True, capture_output=True)
    document = project / "cover.toml"
    text = re.sub(
        r"^formats = \[.*?\]", f"formats = {json.dumps(formats)}", document.read_text("utf-8"), flags=re.M
    )
    document.write_text(text, encoding="utf-8")
    return str(project), "--store", str(folder / "store")


def main() -> None:
    """Run the renders and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--formats", nargs="*", default=["wav24", "mp3"])
    options = parser.parse_args()
    compileall.compile_dir(Path(str(package.__file__)).parent, quiet=1)
    region = ("--preview", "1:00-1:15") if options.seconds >= 75 else ("--preview", "0:02-0:08")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        song = long_song(folder / "song.wav", options.seconds)
        place = project_of(song, folder / "one", ["wav24"])
        document = Path(place[0]) / "cover.toml"
        rows = [
            ("cold render", *timed("render", *place)),
            ("again, nothing changed", *timed("render", *place)),
        ]
        tweak(document, -21.5)
        rows.append(("after an effect tweak", *timed("render", *place)))
        rows.append(("first preview", *timed("render", *place, *region)))
        tweak(document, -22.5)
        rows.append(("preview after a tweak", *timed("render", *place, *region)))
        start = process_start()
        others = []
        if options.formats:
            place = project_of(song, folder / "two", options.formats)
            others.append(("cold render", *timed("render", *place)))
            tweak(Path(place[0]) / "cover.toml", -21.5)
            others.append(("after an effect tweak", *timed("render", *place)))
    print(f"song of {options.seconds:.0f} s, as wav24")
    show(rows)
    print(f"process start            {start:7.2f} s")
    print(f"ratio re-render / cold   1/{rows[0][1] / rows[2][1]:.1f} (asked: at most 1/8)")
    print(f"preview beyond start     {rows[4][1] - start:.2f} s (asked: at most 2 s)")
    if others:
        print(f"the same as {', '.join(options.formats)}")
        show(others)
        print(f"ratio re-render / cold   1/{others[0][1] / others[1][1]:.1f}")


def process_start() -> float:
    """Return the seconds that a command takes which does nothing."""
    started = time.perf_counter()
    subprocess.run(covermaker("--version"), check=True, capture_output=True, env=ENVIRONMENT)
    return time.perf_counter() - started


def show(rows: list[tuple[str, float, dict[str, float]]]) -> None:
    """Print renders with the steps that ran."""
    for name, total, ran in rows:
        where = ", ".join(f"{step} {spent:.2f}" for step, spent in ran.items()) or "no step ran"
        print(f"{name:<24} {total:7.2f} s   {where}")


if __name__ == "__main__":
    main()
