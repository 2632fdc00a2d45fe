"""Driving a Ray cluster of three nodes on one machine, and batches on it."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import soundfile

from covermaker.audio.files import read
from covermaker.batch.engines import ENGINES
from covermaker.batch.engines.base import Setting, Sized, Task
from covermaker.batch.options import Options
from covermaker.batch.queue import Queue
from covermaker.batch.work import begin, work
from covermaker.graph.events import SongDone, SongFailed

INSIDE = "COVERMAKER_TESTS_INSIDE" in os.environ

DEMO = Path(__file__).parents[3] / "projects" / "demo" / "audio" / "song.flac"
BEGINS = (0.0, 4.8, 9.6, 16.0)

# Of a node; Ray would take a third of the machine for objects that we do not have.
_NODE = {"num_cpus": 1, "object_store_memory": 80 << 20, "memory": 4 << 30}


class Cluster:
    """Nodes ``node-1`` (the head), ``node-2`` …, of one CPU each."""

    def __init__(self, count: int = 3) -> None:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        from ray.cluster_utils import Cluster as RayCluster

        head = {**_NODE, "node_name": "node-1", "include_dashboard": False}
        self._cluster = RayCluster(initialize_head=True, head_node_args=head)
        self.address = self._cluster.address
        self._nodes = {}
        for number in range(2, count + 1):
            self.add(f"node-{number}")

    def add(self, name):
        self._nodes[name] = self._cluster.add_node(**_NODE, node_name=name)

    def wait_for(self, count):
        """Wait until so many nodes are there, also those that were started otherwise."""
        until = time.monotonic() + 60
        while len(self._cluster.global_state._live_node_ids()) < count:
            assert time.monotonic() < until
            time.sleep(0.1)

    def kill(self, name):
        """End all processes of a node with SIGKILL."""
        self._cluster.remove_node(self._nodes.pop(name), allow_graceful=False)

    def shutdown(self):
        self._cluster.shutdown()


def write_songs(folder, seconds=3.0):
    """Write four stretches of the demo song, and a list of them."""
    folder.mkdir(parents=True, exist_ok=True)
    demo = read(DEMO)
    for number, begin_seconds in enumerate(BEGINS, start=1):
        first = int(begin_seconds * demo.sample_rate)
        cut = demo.samples[:, first : first + int(seconds * demo.sample_rate)]
        soundfile.write(folder / f"song {number}.flac", cut.T, demo.sample_rate, subtype="PCM_24")
    place = folder / "list.m3u8"
    place.write_text("".join(f"song {number}.flac\n" for number in range(1, len(BEGINS) + 1)))
    return place


def batch(songs, out, tell=lambda event: None, **options):
    """Run a batch to its end; returns its exit code."""
    with begin(out, Options(playlist=str(songs), score=False, retries=0, **options)) as queue:
        return work(queue, tell)


def covers(out):
    """Return the sha256 of each finished file."""
    return {
        str(file.relative_to(out)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(out.glob("*/out/*"))
        if file.suffix != ".json"
    }


def made_steps(out):
    """Return how many steps of each song were made the last time."""
    with Queue(out) as queue:
        return [sum(not step.kept for step in queue.steps(song.id)) for song in queue.songs()]


def engine_at(address, folder, store, *, device="cpu", cores=2, **more):
    """Make an engine that is not open yet."""
    setting = Setting(folder, Sized(cores, cores, 8 << 30), str(store), device, address, more)
    return ENGINES.load("ray")(setting)


def task(number, project, job="render", **more):
    return Task(number, {"job": job, "project": str(project), "score": False, "strict": False}, **more)


def hear_until(engine, done, seconds=120.0):
    """Hear until `done` is true of what was heard; returns all of it."""
    heard = []
    until = time.monotonic() + seconds
    while not done(heard):
        assert time.monotonic() < until, [told.event.to_json()[:200] for told in heard]
        heard += engine.hear(0.2)
    return heard


def ends(heard):
    """Return the ends of songs, by number."""
    return {told.song: told.event for told in heard if isinstance(told.event, SongDone | SongFailed)}
