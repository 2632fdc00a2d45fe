"""How long the studio takes to be there and to answer.

python benchmarks/bench_tui.py [SONGS]

First paint is measured on a pseudo-terminal, from the start of the process to the first drawing that holds a song's
title. Key to screen is measured inside a running app of 120 by 40, from a key's arrival to the drawing that follows it,
while the demo song is rendered, from nothing, again and again.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

ROUNDS = 7
KEYS = 200
ROOT = Path(__file__).resolve().parent.parent
RENDERS = """
import shutil, subprocess, sys
project, scratch = sys.argv[1:]
shutil.copytree(project, scratch + "/busy", ignore=shutil.ignore_patterns("out", ".covermaker"))
while True:
    command = [sys.executable, "-m", "covermaker", "render", scratch + "/busy", "--store", scratch + "/busy-store"]
    subprocess.run(command, check=True, capture_output=True)
    shutil.rmtree(scratch + "/busy-store")
"""


def library(root: Path, songs: int) -> Path:
    """Make a folder of projects of the demo song, which they share."""
    text = (ROOT / "projects" / "demo" / "cover.toml").read_text(encoding="utf-8")
    song = ROOT / "projects" / "demo" / "audio" / "song.flac"
    for number in range(songs):
        folder = root / f"song-{number:04}"
        folder.mkdir(parents=True)
        own = text.replace("Blue Harbor", f"Song {number:04}").replace("audio/song.flac", str(song))
        (folder / "cover.toml").write_text(own, encoding="utf-8")
    return root


def first_paint(root: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Return seconds until anything is drawn and until a song's title is."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    started = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "covermaker", "ui", str(root)],
        stdin=terminal, stdout=terminal, stderr=terminal, env=environment, start_new_session=True,
    )  # fmt: skip
    os.close(terminal)
    seen, drawn, titled = b"", 0.0, 0.0
    while not titled and time.perf_counter() - started < 20.0:
        if select.select([controller], [], [], 0.1)[0]:
            seen += os.read(controller, 1 << 16)
            drawn = drawn or (time.perf_counter() - started if b"Library" in seen else 0.0)
            titled = time.perf_counter() - started if b"Song 0000" in seen else 0.0
    child.send_signal(signal.SIGTERM)
    while child.poll() is None:
        if select.select([controller], [], [], 0.05)[0]:
            try:
                os.read(controller, 1 << 16)
            except OSError:
                break
    child.wait()
    os.close(controller)
    return drawn, titled


async def key_to_screen(root: Path) -> list[float]:
    """Return the seconds from each of many keys to the drawing that follows it."""
    from covermaker.tui.app import Studio
    from covermaker.tui.settings import Settings

    sys.setswitchinterval(0.001)  # as `covermaker.tui.app.run` does
    app, times = Studio(root, Settings(charset="unicode")), []
    async with app.run_test(size=(120, 40)) as pilot:
        while app.library is None or not app.library.shelf.songs:
            await pilot.pause(0.05)
        drawn = asyncio.Event()
        display = app._display

        def told(screen, renderable):
            display(screen, renderable)
            drawn.set()

        app._display = told
        for number in range(KEYS):
            drawn.clear()
            started = time.perf_counter()
            app.simulate_key("down" if number % 40 < 20 else "up")
            await asyncio.wait_for(drawn.wait(), 5.0)
            times.append(time.perf_counter() - started)
            await asyncio.sleep(0.02)
        loaded = [name for name in ("torch", "pedalboard", "faster_whisper") if name in sys.modules]
        print(f"of networks and native effects loaded: {', '.join(loaded) or 'nothing'}")
    return times


def main() -> None:
    """Measure and print."""
    songs = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with tempfile.TemporaryDirectory() as scratch:
        root = library(Path(scratch) / "library", songs)
        environment = {
            **os.environ, "TERM": "xterm-256color", "COVERMAKER_CONFIG": f"{scratch}/config.toml",
            "COVERMAKER_STORE": f"{scratch}/store", "COVERMAKER_CACHE": f"{scratch}/cache",
        }  # fmt: skip
        os.environ.update({name: environment[name] for name in environment if name.startswith("COVERMAKER_")})
        paints = [first_paint(root, environment) for _ in range(ROUNDS)]
        for name, values in zip(("first paint", "first title"), zip(*paints, strict=True), strict=True):
            print(
                f"{name} with {songs} projects: median {statistics.median(values):.2f} s, worst {max(values):.2f} s"
            )
        busy = subprocess.Popen([sys.executable, "-c", RENDERS, str(ROOT / "projects" / "demo"), scratch],
                                start_new_session=True)  # fmt: skip
        try:
            times = sorted(asyncio.run(key_to_screen(root)))
        finally:
            os.killpg(busy.pid, signal.SIGKILL)
            busy.wait()
        at = times[int(0.95 * len(times))]
        print(
            f"key to screen: median {1000 * statistics.median(times):.0f} ms, 95th percentile {1000 * at:.0f} ms"
        )
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
