"""How many covers a Ray cluster makes, from 1 to 1,000 nodes and 1 to 1,000,000 songs, and what limits it.

    python benchmarks/cluster_model.py [--minutes 3.5] [--cores 16] [--no-score] [--png model.png]

Nothing is run: the figures below were measured, the rest follows from them. A song asks something of each resource
(actors, CPUs, the store's bandwidth and calls, the one driver); no more songs a second come out than the busiest of
them allows, nor more than as many songs as are begun can bring through their longest chain of steps. `simulate` plays a
cluster step by step with the engine's own rules, and says how often a step finds its input on its own node.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from covermaker.batch.engines.ray_needs import SINGING, Share, divide
from covermaker.batch.engines.ray_song import Piece, RaySong
from covermaker.batch.engines.ray_waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MB: Final = 1e6
GB: Final = 1e9

# python benchmarks/bench_steps.py --cores 1 --minutes 1 3 6, on two cores that others used too: CPU seconds of one
# core. Beside them megabytes for each minute of song that are made, and what is read of which step.
_LENGTHS: Final = (1.0, 3.0, 6.0)
_MEASURED: Final[Mapping[str, tuple[tuple[float, float, float], float, Mapping[str, float]]]] = {
    "decode": ((0.13, 0.17, 0.38), 21.2, {}),
    "separate": ((2.27, 4.50, 8.67), 42.3, {"decode": 21.2}),
    "content": ((2.83, 6.38, 11.77), 3.1, {"separate": 21.2}),
    "pitch": ((2.76, 6.10, 10.49), 0.0, {"separate": 21.2}),
    "loudness": ((0.02, 0.04, 0.07), 0.0, {"separate": 21.2}),
    "convert": ((0.88, 2.48, 4.77), 10.6, {"separate": 21.2, "content": 3.1, "pitch": 0.0, "loudness": 0.0}),
    "level": ((0.02, 0.06, 0.12), 0.0, {"convert": 10.6}),
    "rack": ((0.25, 0.67, 1.27), 21.2, {"convert": 10.6, "level": 0.0}),
    "mix": ((0.31, 0.75, 1.38), 21.2, {"rack": 21.2, "separate": 21.2}),
    "master": ((0.36, 0.90, 1.64), 21.2, {"mix": 21.2}),
    "export": ((0.08, 0.15, 0.28), 15.9, {"master": 21.2}),
    "score": ((12.77, 33.59, 62.98), 0.0, {"separate": 21.2, "convert": 10.6, "pitch": 0.0}),
}
_SONG_MB: Final = 10.6  # a WAV of 16 bits; every node that works on a song reads it once
_COVER_MB: Final = 15.9  # copied out of the store at the end
# The beginning and the end of a song: a plan, and the end of a render of which everything is made.
_ENDS_SECONDS: Final = 0.05

# python benchmarks/bench_cluster.py: the driver's CPU for a piece of work. The queue's own work for a song, its rows
# and commits, and for each that waits when one is begun, seen with an engine that renders nothing.
_DRIVER_PIECE_SECONDS: Final = 0.0013
_QUEUE_SONG_SECONDS: Final = 0.026
_QUEUE_WAITING_SECONDS: Final = 12e-6
# More songs are several batches, one after another.
_QUEUE_SONGS: Final = 10_000

# strace of a song of 12 steps, made in 14 pieces: what it asks of the folder of the store and of the project. Through
# a URL it is requests, most of them if every piece is on a node of its own.
_FILE_CALLS: Final = 2600
_URL_REQUESTS: Final = 126

NODES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)
SONGS: Final = (1, 100, 10_000, 1_000_000)


@dataclass(frozen=True)
class Storage:
    """What holds the store: bytes and calls a second, in all; and the network of one node, in bytes a second."""

    name: str
    bandwidth: float
    calls: float
    of_song: int
    link: float = 1.25 * GB


STORAGES: Final = (
    Storage("a file server, 1 GB/s", 1.0 * GB, 20_000.0, _FILE_CALLS),
    Storage("a parallel file system, 20 GB/s", 20.0 * GB, 200_000.0, _FILE_CALLS),
    Storage("S3, as fast as its requests", 1000.0 * GB, 3_500.0, _URL_REQUESTS),
)


@dataclass(frozen=True)
class Work:
    """A song's steps: seconds of one core, bytes made, bytes read of other steps, by kind."""

    seconds: Mapping[str, float]
    made: Mapping[str, float]
    read: Mapping[str, Mapping[str, float]]
    song_bytes: float
    cover_bytes: float

    @property
    def pieces(self) -> int:
        """Steps, the beginning and the end."""
        return len(self.seconds) + 2

    def of(self, *, sings: bool) -> float:
        """Return the seconds of the steps with networks, or of the others."""
        ends = 0.0 if sings else 2.0 * _ENDS_SECONDS
        return ends + sum(seconds for kind, seconds in self.seconds.items() if (kind in SINGING) == sings)

    @property
    def chain(self) -> float:
        """Seconds of the longest chain of steps, the beginning and the end: no song is faster."""
        until: dict[str, float] = {}
        for kind, seconds in self.seconds.items():
            until[kind] = seconds + max((until[up] for up in self.read[kind]), default=0.0)
        return max(until.values()) + 2.0 * _ENDS_SECONDS


def work(minutes: float, *, score: bool = True) -> Work:
    """Return what a song of a length takes: between and beyond what was measured, a straight line."""
    kinds = [kind for kind in _MEASURED if score or kind != "score"]
    seconds = {}
    for kind in kinds:
        slope, fixed = np.polyfit(_LENGTHS, _MEASURED[kind][0], 1)
        seconds[kind] = max(0.0, float(fixed)) + float(slope) * minutes
    size = minutes * MB
    return Work(
        seconds,
        {kind: _MEASURED[kind][1] * size for kind in kinds},
        {kind: {up: read * size for up, read in _MEASURED[kind][2].items()} for kind in kinds},
        _SONG_MB * size,
        _COVER_MB * size,
    )


@dataclass(frozen=True)
class Cluster:
    """Nodes of one kind, and what holds the store."""

    nodes: int
    storage: Storage
    cores: int = 16
    memory_bytes: float = 64 * GB

    @property
    def share(self) -> Share:
        """How the engine divides a node."""
        return divide({"CPU": float(self.cores), "memory": self.memory_bytes}, gpus=False)

    @property
    def songs(self) -> int:
        """How many are begun at most."""
        return self.nodes * self.share.songs


def demands(cluster: Cluster, song: Work, songs: int, moved: float) -> dict[str, float]:
    """Return for how many seconds each of `songs` keeps a resource busy.

    Parameters
    ----------
    moved : float
        Share of what is read that another node has made; the rest is in the node's memory.
    """
    share, nodes, storage = cluster.share, cluster.nodes, cluster.storage
    read = sum(sum(ups.values()) for ups in song.read.values())
    written = sum(song.made.values()) + 2.0 * song.cover_bytes  # into the store, and out of it
    carried = written + moved * read + song.song_bytes
    return {
        "networks": song.of(sings=True) / (nodes * share.singers),
        "other steps": song.of(sings=False) / (nodes * share.plain),
        "cores": (song.of(sings=True) + song.of(sings=False)) / (nodes * cluster.cores),
        "store: bytes": carried / min(storage.bandwidth, nodes * storage.link),
        "store: calls": storage.of_song / storage.calls,
        "scheduler": song.pieces * _DRIVER_PIECE_SECONDS + queue_seconds(songs),
    }


def queue_seconds(songs: int) -> float:
    """Return what the queue does for a song, on the mean of a batch."""
    return _QUEUE_SONG_SECONDS + _QUEUE_WAITING_SECONDS * min(songs, _QUEUE_SONGS) / 2.0


def predict(cluster: Cluster, song: Work, songs: int, moved: float) -> tuple[float, float, str]:
    """Return the songs a second of a long batch, the seconds of one of `songs`, and what limits it.

    Bounds of operational analysis (Denning and Buzen 1978): they are never slower than the truth.
    """
    asked = demands(cluster, song, songs, moved)
    limit = max(asked, key=lambda name: asked[name])
    rate = 1.0 / asked[limit]
    by_chain = min(songs, cluster.songs) / song.chain
    if by_chain < rate:
        limit, rate = "one song's steps", by_chain
    return rate, max(song.chain, songs / rate), limit


# A cluster step by step


@dataclass
class _Line:
    """A resource that serves one after another."""

    free_at: float = 0.0

    def serve(self, now: float, seconds: float) -> float:
        self.free_at = max(now, self.free_at) + seconds
        return self.free_at


@dataclass
class _Node:
    name: str
    free: dict[bool, int]
    songs: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Outcome:
    """What a simulation saw: seconds for all songs, songs a second, and the share of bytes read from elsewhere."""

    seconds: float
    rate: float
    moved: float
    pieces: int


class _Simulation:
    def __init__(self, cluster: Cluster, song: Work, songs: int) -> None:
        share = cluster.share
        self.cluster, self.work, self.left = cluster, song, iter(range(songs))
        self.queue_seconds = queue_seconds(songs)
        self.nodes = {
            f"{number}": _Node(f"{number}", {True: share.singers, False: share.plain})
            for number in range(cluster.nodes)
        }
        self.order = dict.fromkeys(self.nodes)  # the longest free first, as in the engine's crew
        self.driver, self.store = _Line(), _Line()
        self.waiting = Waiting()
        self.made_at: dict[tuple[int, str], str] = {}
        self.read = self.moved = 0.0
        self.pieces = 0
        self.events: list[tuple[float, int, Callable[[float], None]]] = []
        self.count = itertools.count()
        self.begun = 0
        self.now = 0.0

    def run(self) -> None:
        for _ in range(self.cluster.songs):
            self.begin(0.0)
        while self.events:
            self.now, _, what = heapq.heappop(self.events)
            what(self.now)

    def at(self, when: float, what: Callable[[float], None]) -> None:
        heapq.heappush(self.events, (when, next(self.count), what))

    def begin(self, now: float) -> None:
        number = next(self.left, None)
        if number is None:
            return
        task: Any = SimpleNamespace(song=number, careful=False, alone=False)
        song = RaySong(task, number)
        piece = song.begin()
        assert piece is not None
        self.want(now, piece)

    def want(self, now: float, piece: Piece) -> None:
        free = [name for name in (piece.song.last, *self.order) if self.has(name, piece)]
        if free:
            self.start(now, piece, self.nodes[free[0]])
        else:
            self.waiting.put(piece)

    def has(self, name: str, piece: Piece) -> bool:
        return name in self.nodes and self.nodes[name].free[piece.sings] > 0

    def start(self, now: float, piece: Piece, node: _Node) -> None:
        node.free[piece.sings] -= 1
        self.order.pop(node.name)
        self.order[node.name] = None
        piece.song.last = node.name
        self.pieces += 1
        number = piece.song.task.song
        carried = 0.0
        if number not in node.songs:
            node.songs.add(number)
            carried += self.work.song_bytes
        for up, size in self.work.read.get(piece.kind, {}).items():
            self.read += size
            if self.made_at[number, up] != node.name:
                self.moved += size
                carried += size
        seconds = self.work.seconds.get(piece.kind, _ENDS_SECONDS)
        made = self.work.made.get(piece.kind, 2.0 * self.work.cover_bytes if piece.do == "end" else 0.0)
        per_song = self.queue_seconds if piece.do == "begin" else 0.0
        handed = self.driver.serve(now, _DRIVER_PIECE_SECONDS + per_song)
        read = self.carry(handed, carried)
        self.at(
            read + seconds,
            lambda then: self.at(self.carry(then, made), lambda end: self.over(end, piece, node)),
        )

    def carry(self, now: float, size: float) -> float:
        storage = self.cluster.storage
        calls = storage.of_song / self.work.pieces / 2.0 / storage.calls
        shared = self.store.serve(now, size / storage.bandwidth + calls)
        return max(shared, now + size / storage.link)

    def over(self, now: float, piece: Piece, node: _Node) -> None:
        song = piece.song
        song.flying.discard(piece)
        node.free[piece.sings] += 1
        if piece.do == "end":
            node.songs.discard(song.task.song)
            self.begin(now)
            new: Sequence[Piece] = ()
        elif piece.do == "begin":
            new = song.planned(self.plan(), 1.0)
        else:
            self.made_at[song.task.song, piece.kind] = node.name
            new = song.done(piece)
        for one in new:
            self.want(now, one)
        for sings in (True, False):
            while node.free[sings] > 0 and (found := self.waiting.take(node.name, sings=sings)):
                self.start(now, found, node)

    def plan(self) -> list[dict[str, Any]]:
        return [
            {"key": kind, "name": kind, "kind": kind, "needs": list(self.work.read[kind])}
            for kind in self.work.seconds
        ]


def simulate(cluster: Cluster, song: Work, songs: int) -> Outcome:
    """Play a batch step by step: the engine's own rules of what goes where, and lines before driver and store."""
    played = _Simulation(cluster, song, songs)
    played.run()
    return Outcome(played.now, songs / played.now, played.moved / max(1.0, played.read), played.pieces)


# What is printed


def table(
    song: Work, cores: int, storage: Storage, moved: float
) -> list[tuple[int, float, str, list[float]]]:
    """Return for each number of nodes: songs an hour, what limits, and the seconds of each number of songs."""
    rows = []
    for nodes in NODES:
        cluster = Cluster(nodes, storage, cores)
        rate, _, limit = predict(cluster, song, max(SONGS), moved)
        rows.append(
            (nodes, 3600.0 * rate, limit, [predict(cluster, song, songs, moved)[1] for songs in SONGS])
        )
    return rows


def picture(path: Path, rows: Mapping[str, list[tuple[int, float, str, list[float]]]]) -> None:
    """Draw songs an hour over nodes, both logarithmic, a line for each storage."""
    from PIL import Image, ImageDraw

    width, height, edge = 900, 560, 70
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    most = max(rate for one in rows.values() for _, rate, _, _ in one)
    least = min(rate for one in rows.values() for _, rate, _, _ in one)
    low, high = np.floor(np.log10(least)), np.ceil(np.log10(most))

    def place(nodes: float, rate: float) -> tuple[float, float]:
        right = edge + (width - 2 * edge) * np.log10(nodes) / 3.0
        return float(right), float(
            height - edge - (height - 2 * edge) * (np.log10(rate) - low) / (high - low)
        )

    for power in range(int(low), int(high) + 1):
        left, up = place(1, 10.0**power)
        draw.line([(left, up), (width - edge, up)], fill="#dddddd")
        draw.text((8, up - 6), f"{10.0**power:,.0f}", fill="#333333")
    for nodes in (1, 10, 100, 1000):
        right, _ = place(nodes, 10.0**low)
        draw.line([(right, edge), (right, height - edge)], fill="#dddddd")
        draw.text((right - 10, height - edge + 8), f"{nodes:,}", fill="#333333")
    draw.text((edge, 20), "songs an hour, by nodes", fill="#333333")
    for number, (name, one) in enumerate(rows.items()):
        colour = ("#3566b8", "#d1562c", "#2f8f5b")[number % 3]
        points = [place(nodes, rate) for nodes, rate, _, _ in one]
        draw.line(points, fill=colour, width=(9, 5, 2)[number % 3])  # where they are one, all are seen
        draw.text((width - edge - 250, height - edge - 80 + 20 * number), name, fill=colour)
    image.save(path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=3.5)
    parser.add_argument("--cores", type=int, default=16)
    parser.add_argument("--score", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--png", type=Path)
    arguments = parser.parse_args()
    song = work(arguments.minutes, score=arguments.score)
    played = simulate(Cluster(4, STORAGES[1], arguments.cores), song, 400)
    total = song.of(sings=True) + song.of(sings=False)
    print(
        f"a song of {arguments.minutes:g} min: {total:.0f} CPU seconds ({song.of(sings=True):.0f} of them networks),"
        f" {sum(song.made.values()) / MB:.0f} MB into the store; nodes of {arguments.cores} cores"
    )
    elsewhere = f"{played.moved:.0%} of what is read comes from elsewhere"
    print(f"4 nodes, 400 songs, step by step: {3600 * played.rate:.0f} an hour; {elsewhere}")
    found = {}
    for storage in STORAGES:
        rows = found[storage.name] = table(song, arguments.cores, storage, played.moved)
        print(f"\n{storage.name}")
        head = "".join(f"{songs:>14,}" for songs in SONGS)
        print(f"{'nodes':>6} {'songs/h':>10}  {'limit':18}{head}")
        for nodes, rate, limit, seconds in rows:
            hours = "".join(f"{_words(one):>14}" for one in seconds)
            print(f"{nodes:>6} {rate:>10,.0f}  {limit:18}{hours}")
    if arguments.png:
        picture(arguments.png, found)


def _words(seconds: float) -> str:
    for size, name in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2.0 * size:
            return f"{seconds / size:,.1f} {name}"
    return f"{seconds:.0f} s"


if __name__ == "__main__":
    main()
