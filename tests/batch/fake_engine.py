"""An engine that renders nothing: what becomes of a song is written down before."""

from __future__ import annotations

from collections import defaultdict, deque

from covermaker.batch.engines.base import Place, Told
from covermaker.graph.events import SongDone, SongFailed, StepCached, StepFinished, StepProgress, StepStarted


def render_result(lufs=-14.0, files=("a.wav",)):
    """What a render returns, as far as a batch reads it."""
    master = {
        "frames": 44_100,
        "sample_rate": 44_100,
        "integrated_lufs": lufs,
        "true_peak_dbtp": -1.5,
        "reached": True,
    }
    return {"files": list(files), "reports": {"master": master}, "unheard": ""}


def made(song, *, result=None, steps=("decode", "mix"), kept=()):
    """The events of a song that is rendered."""
    events = [StepCached(name, "k") for name in kept]
    for name in steps:
        events += [StepStarted(name, "k"), StepProgress(name, 0.5), StepFinished(name, "k", 0.25)]
    return [*events, SongDone(song, result or render_result())]


def failed(song, message="no luck", *, code=6, memory=False, step="separate"):
    """The events of a song that fails."""
    return [StepStarted(step, "k"), SongFailed(song, message, "look", code, out_of_memory=memory)]


class FakeEngine:
    """Gives each song's tries the events of `script`; a song that has none left is made."""

    def __init__(self, *, workers=1, script=None, hold=()):
        self.workers = workers
        self.script = defaultdict(deque)
        for song, tries in (script or {}).items():
            self.script[song] = deque(tries)
        self.hold = set(hold)  # these begin and do not end
        self.hold_at = "mix"  # the step that they are at
        self.running = {}
        self.tasks = []
        self.most = 0
        self.cancelled = []
        self.closed = 0
        self.before_hearing = lambda engine: None

    def open(self):
        pass

    def places(self):
        rooms = max(0, self.workers - len(self.running))
        return [Place("worker 1", tuple(self.running), rooms)]

    def takes(self, task):
        if any(one.alone for one in self.running.values()) or (task.alone and self.running):
            return False
        return len(self.running) < self.workers

    def submit(self, task):
        self.tasks.append(task)
        self.running[task.song] = task
        self.most = max(self.most, len(self.running))

    def hear(self, seconds):
        self.before_hearing(self)
        told = []
        for song in list(self.running):
            if song in self.hold and song not in self.cancelled:
                told.append(Told(song, "worker 1", StepStarted(self.hold_at, "k")))
                continue
            tries = self.script[song]
            events = tries.popleft() if tries else made(song)
            if song in self.cancelled:
                events = [SongFailed(song, "cancelled", None, 130)]
            told += [Told(song, "worker 1", event) for event in events]
            del self.running[song]
        return told

    def cancel(self, song):
        self.cancelled.append(song)

    def close(self):
        self.closed += 1
