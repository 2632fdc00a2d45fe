"""How much memory the studio takes while it plays a loop and renders, again and again.

python benchmarks/bench_soak.py [MINUTES]

The studio runs in a real terminal (tmux) on a copy of the demo project, which is rendered first. Then it plays, and
the song is changed and rendered again and again. Its resident memory is read every ten seconds; growth is
the median of the last minute less the median of the second minute: the first one loads what is loaded late.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from terminal import Terminal  # noqa: E402  (it lies beside the other scripts)

EVERY_SECONDS = 10.0


def resident_mb(process: int) -> float:
    """Return the resident memory of a process."""
    for line in Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000.0
    raise SystemExit("the studio is gone")


def main() -> None:
    """Play, render, read, print."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with tempfile.TemporaryDirectory(prefix="soak-") as scratch:
        home = Path(scratch)
        song = home / "songs" / "demo"
        shutil.copytree(ROOT / "projects" / "demo", song, ignore=shutil.ignore_patterns("out", ".covermaker"))
        environment = {"HOME": scratch, "COVERMAKER_CONFIG": str(home / "config.toml"),
                       "COVERMAKER_PROJECTS": str(home / "songs"), "COVERMAKER_STORE": str(home / "store"),
                       "COVERMAKER_CACHE": str(home / "cache")}  # fmt: skip
        (home / "config.toml").write_text('audio_device = "none"\n', encoding="utf-8")
        call = [sys.executable, "-m", "covermaker"]
        subprocess.run(
            [*call, "render", str(song)], env={**os.environ, **environment}, check=True, capture_output=True
        )
        with Terminal([*call, "ui"], columns=120, rows=40, folder=home, environment=environment) as terminal:
            terminal.wait_for("Blue Harbor")
            terminal.press("enter")
            terminal.wait_for("Mixer")
            terminal.wait_for("0:05")
            terminal.press("[", ".", ".", "]", "space")
            terminal.wait_for("► 0:")
            seen: list[tuple[float, float]] = []
            started = time.monotonic()
            renders = 0
            while (now := time.monotonic() - started) < 60.0 * minutes:
                seen.append((now, resident_mb(terminal.pid)))
                if "► " not in terminal.text().splitlines()[0]:  # no job is told of beside the tabs
                    gain_db = -0.1 * (renders % 40)
                    subprocess.run([*call, "set", str(song), "tracks.vocals.gain_db", f"{gain_db:.1f}"],
                                   env={**os.environ, **environment}, check=True, capture_output=True)  # fmt: skip
                    terminal.press("r")
                    renders += 1
                time.sleep(EVERY_SECONDS)
            screen = terminal.text()
            terminal.press("q")
    first = statistics.median(mb for at, mb in seen if 60.0 <= at < 120.0 or minutes < 3)
    last = statistics.median(mb for at, mb in seen if at >= 60.0 * (minutes - 1.0))
    print(screen)
    print(f"{minutes:g} minutes, {renders} renders, playing a loop")
    print(f"resident: {first:.1f} MB in the second minute, {last:.1f} MB in the last: {last - first:+.1f} MB")
    print(f"highest {max(mb for _, mb in seen):.1f} MB")


if __name__ == "__main__":
    main()
