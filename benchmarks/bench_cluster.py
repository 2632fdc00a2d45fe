"""What Ray and our scheduling take themselves: pieces of work a second, and seconds of the driver for each song.

python benchmarks/bench_cluster.py [--songs 200] [--cpus 4]

Starts a cluster on this machine and hands out songs whose steps do nothing: everything else is real. Then songs of
which everything is made already, as a second run of a batch has them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from covermaker.batch.engines import ray_crew, ray_work
from covermaker.batch.engines.base import Setting, Sized, Task
from covermaker.batch.engines.ray import RayEngine
from covermaker.graph.events import SongDone, SongFailed
from songs import covermaker, varied_songs

_KINDS = (
    "decode", "separate", "content", "pitch", "loudness", "convert",
    "level", "rack", "mix", "master", "export", "score",
)  # fmt: skip


def empty(order: dict[str, Any], post: Any = None) -> dict[str, Any]:
    """Stands where `ray_work.work` does, and does nothing."""
    if order["do"] == "begin":
        song = order["song"]
        names = [f"{song} {kind}" for kind in _KINDS]
        parts = [
            {"key": name, "name": kind, "kind": kind, "needs": names[max(0, at - 1) : at]}
            for at, (name, kind) in enumerate(zip(names, _KINDS, strict=True))
        ]
        outcome: dict[str, Any] = {"parts": parts, "minutes": 3.0}
    elif order["do"] == "end":
        outcome = {"result": {"files": []}}
    else:
        outcome = {"made": order["key"]}
    return {**outcome, "events": [], "seconds": 0.0}


class EmptySinger:
    """Stands where `ray_work.Singer` does."""

    def __init__(self, *setting: Any) -> None:
        pass

    def ready(self) -> int:
        """Answer, as the real one does."""
        return os.getpid()

    def work(self, order: dict[str, Any], post: Any = None) -> dict[str, Any]:
        """Do nothing."""
        return empty(order, post)


def through(engine: RayEngine, tasks: list[Task]) -> tuple[float, float]:
    """Render songs; returns the seconds that passed, and the driver's own CPU seconds."""
    left, ended = list(tasks), 0
    wall, cpu = time.monotonic(), time.process_time()
    while ended < len(tasks):
        while left and engine.takes(left[0]):
            engine.submit(left.pop(0))
        for told in engine.hear(0.25):
            if isinstance(told.event, SongFailed):
                raise SystemExit(told.event.message)
            ended += isinstance(told.event, SongDone)
    return time.monotonic() - wall, time.process_time() - cpu


def opened(folder: Path, cpus: int, songs: int | None = None) -> RayEngine:
    setting = Setting(
        folder / "out", Sized(cpus, cpus, 64 << 30), str(folder / "store"), "cpu", "local", {"songs": songs}
    )
    engine = RayEngine(setting)
    engine.open()
    return engine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=200)
    parser.add_argument("--cpus", type=int, default=4)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        real = ray_crew.work, ray_crew.Singer
        ray_crew.work, ray_crew.Singer = empty, EmptySinger  # type: ignore[assignment,misc]
        engine = opened(folder, arguments.cpus)
        request = {"job": "render", "project": str(folder), "score": True, "strict": False}
        through(engine, [Task(number, request) for number in range(20)])
        wall, cpu = through(engine, [Task(number, request) for number in range(arguments.songs)])
        engine.close()
        pieces = arguments.songs * (len(_KINDS) + 2)
        print(
            f"empty steps: {pieces / wall:.0f} pieces a second; the driver takes {1000 * cpu / pieces:.2f} ms of CPU"
            f" for a piece, {cpu / arguments.songs:.4f} s for a song of {len(_KINDS)} steps"
        )
        ray_crew.work, ray_crew.Singer = real  # type: ignore[misc]
        assert ray_work.work is real[0]
        engine = opened(folder, 2)
        tasks = []
        for number, song in enumerate(varied_songs(folder / "songs", 4)):
            project = folder / f"project {number}"
            subprocess.run(
                covermaker("new", str(song), "--folder", str(project)), check=True, capture_output=True
            )
            tasks.append(
                Task(number, {"job": "render", "project": str(project), "score": False, "strict": False})
            )
        through(engine, tasks)
        again = [Task(100 + number, tasks[number % len(tasks)].request) for number in range(100)]
        wall, cpu = through(engine, again)
        engine.close()
        print(
            f"songs with everything made: {len(again) / wall:.0f} a second; driver {cpu / len(again):.4f} s each"
        )


if __name__ == "__main__":
    main()
