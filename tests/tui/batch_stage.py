"""Batches on a stage: queues that are filled, and somebody who seems to work on them."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

from covermaker.batch.holding import working_on
from covermaker.batch.known import note_batch
from covermaker.batch.options import Options
from covermaker.batch.queue import Queue
from covermaker.batch.rows import Song


def song(number, state="waiting", title="", **more):
    """Return a row; its title is told by its number."""
    named = title or f"Song {number}"
    place = f"/music/{named.lower().replace(' ', '_')}.flac"
    return Song(
        number, float(number), place, place, origin=f"spring.m3u8:{number}", title=named, state=state, **more
    )


def batch(folder, songs, *, state="over", known=True, **facts):
    """Make a queue of songs in a folder; returns it, to be written by the test as by another process."""
    queue = Queue.made(folder)
    queue.put(songs)
    options = Options(wishes={"voice": "Aria v3", "preset": "airy pop"}, score=False)
    queue.note(title="spring covers", options=options.to_json(), state=state, **facts)
    if known:
        note_batch(queue.folder)
    return queue


@contextmanager
def worked_on(queue, state="running"):
    """Hold the lock of a queue as the one who works on it, whose heart has just beaten."""
    with working_on(queue):
        queue.note(state=state, heartbeat=time.time())
        yield


class Ear:
    """Collects what a watch tells; `until` waits for it."""

    def __init__(self):
        self.watch = None
        self.all = []
        self._told = threading.Condition()

    def wake(self):
        with self._told:
            self._told.notify_all()

    def until(self, is_so, *, seconds=10.0):
        """Wait until something is true of all that was heard; returns that."""
        end = time.monotonic() + seconds
        with self._told:
            while True:
                while self.watch.heard:
                    self.all.append(self.watch.heard.popleft())
                if is_so(self.all):
                    return self.all
                left = end - time.monotonic()
                assert left > 0.0, f"it was never heard; what was: {self.all[-3:]}"
                self._told.wait(min(left, 0.2))
