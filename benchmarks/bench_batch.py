"""What a batch gives over single renders, what its queue costs, and whether anything that is killed changes a byte.

    python benchmarks/bench_batch.py [throughput] [playlist] [kills] [plan] [--songs 10] [--kills 20] [--no-score]

``throughput``: ten songs through one warm batch against ten ``covermaker render`` calls, each into a store of its own;
peak memory of the batch's processes, and what its coordinator takes of the cores. ``playlist``: twenty entries, five of
them broken, then again, then with another preset. ``kills``: a worker, the coordinator or all of them are killed at
random moments until a batch is through, and its files are compared with an undisturbed one's. ``plan``: ten thousand
entries planned without anything being done.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from songs import covermaker, real_clip, real_stem_song, varied_songs


def tree(root: int) -> list[int]:
    """Return a process and all that it has started."""
    found = [root]
    try:
        for thread in os.listdir(f"/proc/{root}/task"):
            for child in Path(f"/proc/{root}/task/{thread}/children").read_text(encoding="ascii").split():
                found += tree(int(child))
    except OSError:
        pass
    return found


def resident(processes: list[int]) -> int:
    """Return the bytes that processes hold together; what they share counts once for each."""
    total = 0
    for process in processes:
        try:
            total += int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
        except OSError:
            continue
    return total * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(process: int) -> float:
    """Return what a process itself has taken of the cores."""
    try:
        said = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(said[11]) + int(said[12])) / os.sysconf("SC_CLK_TCK")


class Watch:
    """Looks at a process and its children twenty times a second."""

    def __init__(self, process: int) -> None:
        self.peak_bytes = 0
        self.cpu_seconds = 0.0
        self._process = process
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.05):
            self.peak_bytes = max(self.peak_bytes, resident(tree(self._process)))
            self.cpu_seconds = max(self.cpu_seconds, cpu_seconds(self._process))

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()


def call(*arguments: str, codes: tuple[int, ...] = (0,)) -> str:
    """Run a command and return what it prints."""
    done = subprocess.run(covermaker(*arguments), capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def listed(folder: Path, songs: list[Path | str]) -> Path:
    """Write a list of songs."""
    place = folder / "list.m3u8"
    place.write_text("".join(f"{song}\n" for song in songs), encoding="utf-8")
    return place


def covers(out: Path) -> dict[str, str]:
    """Return the sha256 of every finished file of a batch, by its place in it."""
    return {
        str(file.relative_to(out)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(out.glob("*/out/*"))
        if file.suffix != ".json"
    }


def throughput(folder: Path, count: int, more: list[str]) -> None:
    """Compare a warm batch with single renders."""
    songs = varied_songs(folder / "songs", count)
    score = [] if "--no-score" in more else ["--score"]
    for song in songs:
        call("new", str(song), "--folder", str(folder / "single" / song.stem))
    began = time.perf_counter()
    for song in songs:
        call("render", str(folder / "single" / song.stem), "--store", str(folder / "store 1"), *score)
    single = time.perf_counter() - began
    out, place = folder / "out", listed(folder, list(songs))
    began = time.perf_counter()
    child = subprocess.Popen(
        covermaker("batch", str(place), "--out", str(out), "--store", str(folder / "store 2"), "--json", *more),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    watch = Watch(child.pid)
    assert child.stdout is not None
    loading = 0.0
    for line in child.stdout:
        if '"batch.started"' in line:
            loading = cpu_seconds(child.pid)
    code = child.wait()
    watch.stop()
    batch = time.perf_counter() - began
    if code:
        raise SystemExit(f"the batch ended with {code}")
    mine = {Path(name).name: value for name, value in covers(folder / "single").items()}
    same = {Path(name).name: value for name, value in covers(out).items()} == mine
    print(f"{count} songs, single renders   {single:7.1f} s")
    print(f"{count} songs, one batch        {batch:7.1f} s   {single / batch:.2f} times as fast")
    print(f"same files                {same}")
    print(f"peak memory               {watch.peak_bytes / 2**20:7.0f} MB, all processes")
    queue = watch.cpu_seconds - loading
    cores = os.cpu_count() or 1
    print(
        f"coordinator               {watch.cpu_seconds:7.2f} s of one core: {loading:.2f} s until it begins, "
        f"{queue:.2f} s for its queue, {queue / (cores * batch):.1%} of {cores} cores in the run"
    )


def twenty(folder: Path) -> Path:
    """Write the list: thirteen varied songs, two real clips, five broken entries."""
    songs: list[Path | str] = [*varied_songs(folder / "songs", 13), real_clip(), real_stem_song(folder)]
    (folder / "no audio.wav").write_text("this is no audio")
    (folder / "cut.flac").write_bytes(Path(str(songs[0])).read_bytes()[:40])
    broken = ["gone.mp3", "no audio.wav", "cut.flac", "https://example.org/song.mp3", "notes.txt"]
    for at, entry in zip((2, 5, 9, 14, 17), broken, strict=True):
        songs.insert(at, entry)
    return listed(folder, songs)


def steps_made(lines: str) -> list[str]:
    """Return the steps that were begun, out of a batch's JSON lines."""
    events = [json.loads(line) for line in lines.splitlines()]
    return [
        event["step"]
        for event in events
        if event["event"] == "batch.song"
        and event["state"] == "running"
        and event["step"]
        and not event["fraction"]
    ]


def playlist(folder: Path, more: list[str]) -> None:
    """Run the list of twenty, run it again, and with another preset."""
    place = twenty(folder)
    rest = ["--out", str(folder / "out"), "--store", str(folder / "store"), "--json", *more]
    for words, extra in (("first", []), ("again", []), ("preset", ["--preset", "rock"])):
        began = time.perf_counter()
        said = call("batch", str(place), *rest, *extra, codes=(7,))
        seconds = time.perf_counter() - began
        over = json.loads(said.splitlines()[-1])
        kinds = sorted({re.split(r"[ :]", step)[0] for step in steps_made(said)})
        made = f"{over['counts']}  {len(covers(folder / 'out'))} covers"
        print(f"{words:8} {seconds:6.1f} s  {made}; steps: {', '.join(kinds) or 'none'}")
    status = json.loads(call("batch", "status", str(folder / "out"), "--json"))
    for song in status["songs"]:
        if song["state"] == "failed":
            print(f"  {song['title'] or song['place']}: {song['cause']}")


class Begun:
    """The steps that were begun, song by song, over several runs.

    One that is begun again though its song had come further was made twice; the last of a song was in flight.
    """

    def __init__(self) -> None:
        self.steps: set[tuple[int, str]] = set()
        self.twice: list[tuple[int, str]] = []
        self.in_flight = 0
        self._last: dict[int, str] = {}

    def hear(self, lines: list[str]) -> None:
        """Take in the JSON lines of a run."""
        for line in lines:
            event = json.loads(line)
            if event["event"] != "batch.song" or event["state"] != "running" or event["fraction"]:
                continue
            step = (event["number"], event["step"])
            if not step[1]:
                continue
            if step in self.steps:
                if self._last[step[0]] == step[1]:
                    self.in_flight += 1
                else:
                    self.twice.append(step)
            self.steps.add(step)
            self._last[step[0]] = step[1]


def kills(folder: Path, count: int, more: list[str]) -> None:
    """Kill parts of a batch at random moments until it is through."""
    songs = varied_songs(folder / "songs", 6)
    place = listed(folder, list(songs))
    call("batch", str(place), "--out", str(folder / "calm"), "--store", str(folder / "store 1"), *more)
    calm = covers(folder / "calm")
    draws = random.Random(1)
    done = dict.fromkeys(("worker", "coordinator", "all"), 0)
    out, store = folder / "killed", folder / "store 2"
    made: dict[str, int] = {}
    begun, again, in_flight = Begun(), 0, 0
    while sum(done.values()) < count:
        where = ["--out", str(out), "--store", str(store)]
        child = subprocess.Popen(
            covermaker("batch", str(place), *where, "--retries", "20", "--json", *more),
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        lines: list[str] = []
        reader = threading.Thread(target=lambda to=lines, said=child.stdout: to.extend(said))
        reader.start()
        while child.poll() is None and sum(done.values()) < count:
            time.sleep(draws.uniform(0.2, 4.0))
            what = draws.choice(list(done))
            processes = tree(child.pid)
            victims = {"worker": processes[1:2], "coordinator": processes[:1], "all": processes}[what]
            if not victims or child.poll() is not None:
                continue
            killed = 0
            for victim in victims:
                try:
                    os.kill(victim, signal.SIGKILL)
                    killed += 1
                except ProcessLookupError:
                    continue
            done[what] += killed > 0
            if what != "worker":
                break
        if sum(done.values()) >= count and child.poll() is None:
            child.send_signal(signal.SIGINT)
        child.wait()
        reader.join()
        begun.hear(lines)
        if covers(out) == calm:  # through before all kills were spent: begin anew
            again, in_flight, begun = again + len(begun.twice), in_flight + begun.in_flight, Begun()
            shutil.rmtree(out)
            shutil.rmtree(store)
    begun.hear(
        call("batch", str(place), "--out", str(out), "--store", str(store), "--json", *more).splitlines()
    )
    print(f"killed {done}")
    print(
        f"steps begun again: {in_flight + begun.in_flight} that were in flight, "
        f"{again + len(begun.twice)} that were done"
    )
    differing = sorted(name for name, value in calm.items() if covers(out).get(name) != value)
    print(f"same files as undisturbed: {not differing} {' '.join(differing)}")
    for file in (store / "steps").glob("*/meta.json"):
        kind = json.loads(file.read_text(encoding="utf-8"))["step"]
        made[kind] = made.get(kind, 0) + 1
    print(f"steps in the store: {sum(made.values())}; left half-made: {len(list((store / 'tmp').iterdir()))}")


def plan(folder: Path) -> None:
    """Plan ten thousand entries: all there, all gone."""
    (song,) = varied_songs(folder / "songs", 1)
    (folder / "many").mkdir()
    for number in range(10_000):
        os.link(song, folder / "many" / f"{number}.flac")
    for words, where in (("there", "many"), ("gone", "nowhere")):
        place = listed(folder, [f"{where}/{number}.flac" for number in range(10_000)])
        began = time.perf_counter()
        child = subprocess.Popen(
            covermaker("batch", str(place), "--out", str(folder / "out"), "--dry-run", "--json"),
            stdout=subprocess.DEVNULL,
        )
        watch = Watch(child.pid)
        child.wait()
        watch.stop()
        print(
            f"10,000 entries, all {words:6} planned in {time.perf_counter() - began:.2f} s, "
            f"{watch.peak_bytes / 2**20:.0f} MB"
        )


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=["throughput", "playlist", "kills", "plan", []])
    parser.add_argument("--songs", type=int, default=10)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--no-score", action="store_true")
    given = parser.parse_args()
    more = ["--no-score"] if given.no_score else []
    parts = {
        "throughput": lambda folder: throughput(folder, given.songs, more),
        "playlist": lambda folder: playlist(folder, more),
        "kills": lambda folder: kills(folder, given.kills, more),
        "plan": plan,
    }
    for name in given.parts or parts:
        with tempfile.TemporaryDirectory() as folder:
            print(f"== {name}", flush=True)
            parts[name](Path(folder))


if __name__ == "__main__":
    sys.exit(main())
