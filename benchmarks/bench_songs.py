"""Warm songs: ten renders of a 10 s song, each as a command of its own, against the ten through a worker.

    python benchmarks/bench_songs.py [--songs 10] [--seconds 10] [--workers 2]

Every song is made from nothing into a store of its own, and all must give the same files. Commands and songs of the
one worker take turns, so that what else the machine does falls on both. Prints seconds of wall time, with the start of
the worker in its first song, and its resident memory after the first and the last song and at the most; then the same
songs through several workers at once, which share the cores.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from covermaker.jobs.launch import COMMAND, environment
from songs import covermaker, long_song


class Worker:
    """A process that renders songs, and what it tells."""

    def __init__(self, threads: int, heard: queue.SimpleQueue[tuple[Worker, dict[str, Any]]]) -> None:
        self.child = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
        )
        self._heard = heard
        self.memory: list[tuple[int, int]] = []
        self.say({"job": "songs", "keep_bytes": None, "threads": threads})
        threading.Thread(target=self._read, daemon=True).start()

    def say(self, said: dict[str, Any]) -> None:
        """Write a line."""
        assert self.child.stdin is not None
        self.child.stdin.write(json.dumps(said).encode() + b"\n")
        self.child.stdin.flush()

    def weigh(self) -> None:
        """Note its resident memory, now and at the most, in kB."""
        status = Path(f"/proc/{self.child.pid}/status").read_text("ascii")
        sizes = dict(line.split(":", 1) for line in status.splitlines())
        self.memory.append((int(sizes["VmRSS"].split()[0]), int(sizes["VmHWM"].split()[0])))

    def _read(self) -> None:
        assert self.child.stdout is not None
        for line in self.child.stdout:
            self._heard.put((self, json.loads(line)))


class Crew:
    """Workers, and the events of all."""

    def __init__(self, count: int) -> None:
        self._heard: queue.SimpleQueue[tuple[Worker, dict[str, Any]]] = queue.SimpleQueue()
        threads = max(1, (os.cpu_count() or 1) // count)
        self.workers = [Worker(threads, self._heard) for _ in range(count)]
        self.step_seconds = 0.0

    def render(self, requests: list[dict[str, Any]]) -> list[float]:
        """Render songs, as many at once as there are workers; returns the seconds of each."""
        left = list(enumerate(requests))
        started: dict[Worker, float] = {}
        songs: list[float] = []

        def give(worker: Worker) -> None:
            if left:
                song, request = left.pop(0)
                started[worker] = time.perf_counter()
                worker.say({"song": song, "request": request})

        for worker in self.workers:
            give(worker)
        while len(songs) < len(requests):
            worker, event = self._heard.get()
            if event["event"] in ("song.failed", "render.failed"):
                raise SystemExit(event["message"])
            if event["event"] == "step.finished":
                self.step_seconds += event["seconds"]
            if event["event"] == "song.done":
                songs.append(time.perf_counter() - started[worker])
                worker.weigh()
                give(worker)
        return songs

    def end(self) -> None:
        """Let the workers go."""
        for worker in self.workers:
            worker.child.kill()
            worker.child.wait()


def projects(folder: Path, count: int, song: Path) -> list[dict[str, Any]]:
    """Make projects of one song, each with a store of its own; returns their requests."""
    first = folder / "0"
    subprocess.run(
        covermaker("new", str(song), "--folder", str(first / "cover")), check=True, capture_output=True
    )
    for number in range(1, count):
        shutil.copytree(first, folder / str(number))
    return [
        {"job": "render", "project": str(place / "cover"), "store": str(place / "store")}
        for place in (folder / str(number) for number in range(count))
    ]


def digest(requests: list[dict[str, Any]]) -> set[str]:
    """Return the hash of every project's master: one, if all are alike."""
    masters = [next(Path(request["project"], "out").glob("*.wav")) for request in requests]
    return {hashlib.sha256(master.read_bytes()).hexdigest() for master in masters}


def in_turns(folder: Path, song: Path, count: int) -> set[str]:
    """Measure commands against one worker and print it; returns what `digest` says."""
    alone, through = projects(folder / "alone", count, song), projects(folder / "warm", count, song)
    alone_seconds: list[float] = []
    songs: list[float] = []
    crew = Crew(1)
    steps = 0.0
    for command, request in zip(alone, through, strict=True):
        began = time.perf_counter()
        arguments = covermaker("render", command["project"], "--store", command["store"])
        subprocess.run(arguments, check=True, capture_output=True)
        alone_seconds.append(time.perf_counter() - began)
        songs += crew.render([request])
        if len(songs) == 1:
            steps, crew.step_seconds = crew.step_seconds, 0.0
    crew.end()
    print(f"{count} commands    {sum(alone_seconds):7.1f} s, {min(alone_seconds):.2f} s at the least")
    print(
        f"one worker     {sum(songs):7.1f} s, {sum(alone_seconds) / sum(songs):.2f} times as fast; "
        f"the first song {songs[0]:.2f} s (steps {steps:.2f}), then {min(songs[1:]):.2f} s at the least"
    )
    later = (count - 1) or 1
    outside = (sum(songs[1:]) - crew.step_seconds) / later
    print(
        f"               a warm song spends {outside:.2f} s of {sum(songs[1:]) / later:.2f} s outside its steps"
    )
    show_memory(crew.workers[0])
    return digest(alone) | digest(through)


def at_once(folder: Path, song: Path, count: int, workers: int) -> set[str]:
    """Measure several workers and print it; returns what `digest` says."""
    requests = projects(folder / "at once", count, song)
    began = time.perf_counter()
    crew = Crew(workers)
    crew.render(requests)
    seconds = time.perf_counter() - began
    crew.end()
    print(f"{workers} workers      {seconds:7.1f} s")
    show_memory(crew.workers[0])
    return digest(requests)


def show_memory(worker: Worker) -> None:
    """Print what a worker took."""
    (first, first_peak), (last, peak) = (
        [kb / 1000 for kb in pair] for pair in (worker.memory[0], worker.memory[-1])
    )
    print(
        f"               {first:.0f} MB after the first song (most {first_peak:.0f}), "
        f"{last:.0f} MB after the last (most {peak:.0f})"
    )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--songs", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        song = long_song(folder / "song.wav", options.seconds)
        kinds = in_turns(folder, song, options.songs) | at_once(folder, song, options.songs, options.workers)
        print("all files alike" if len(kinds) == 1 else f"FILES DIFFER: {len(kinds)} kinds")


if __name__ == "__main__":
    main()
