"""Songs on this machine: some workers, each a process that keeps its networks from song to song."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from covermaker.batch.engines.base import Place, Told
from covermaker.batch.estimate import WORKER_BYTES, cores_of
from covermaker.disk import disk_errors
from covermaker.errors import ExitCode
from covermaker.graph.events import Failed, Finished, SongDone, SongFailed, from_json
from covermaker.jobs.launch import COMMAND, death, environment

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.batch.engines.base import Setting, Task
    from covermaker.graph.events import Event

# How long a worker may take to drop a step that is cancelled before it is ended.
_GRACE_SECONDS: Final = 5.0

_FOLDER: Final = "logs"


@dataclass(eq=False)
class _Worker:
    """A process and what it renders."""

    name: str
    log: Path
    child: subprocess.Popen[bytes]
    task: Task | None = None
    cancelled_at: float | None = None
    spoke: threading.Thread | None = field(default=None, repr=False)

    def say(self, said: dict[str, Any]) -> None:
        """Tell it something; one that has died is noticed by its reader."""
        assert self.child.stdin is not None
        with suppress(OSError):
            self.child.stdin.write(json.dumps(said).encode() + b"\n")
            self.child.stdin.flush()


class LocalEngine:
    """Renders songs in processes of this machine; see `covermaker.batch.engines.base.Engine`."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._sized = setting.sized
        self._workers: list[_Worker] = []
        self._heard: queue.SimpleQueue[tuple[_Worker, Event | None]] = queue.SimpleQueue()

    def open(self) -> None:
        """Make room for logs; workers begin with their first songs."""
        with disk_errors(self._logs):
            self._logs.mkdir(parents=True, exist_ok=True)

    def places(self) -> list[Place]:
        """Tell what the workers do."""
        names = {worker.name: worker for worker in self._workers}
        places = []
        for name in self._names():
            worker = names.get(name)
            task = worker.task if worker else None
            cores = cores_of(self._sized.cores, self._sized.workers)
            places.append(Place(name, (task.song,) if task else (), 0 if task else 1, cores=cores))
        return places

    def takes(self, task: Task) -> bool:
        """Tell whether a worker is free, and memory enough. A single song is always begun."""
        running = [worker.task for worker in self._workers if worker.task is not None]
        if not running:
            return True
        if task.alone or any(one.alone for one in running) or len(running) >= self._sized.workers:
            return False
        needed = sum(WORKER_BYTES + one.memory_bytes for one in (*running, task))
        return needed <= self._sized.memory_bytes

    def submit(self, task: Task) -> None:
        """Give a song to a worker; one that must be careful gets a fresh one."""
        worker = next((one for one in self._workers if one.task is None), None)
        if worker is not None and task.careful:
            self._end(worker)
            worker = None
        if task.alone:
            for idle in [one for one in self._workers if one.task is None]:
                self._end(idle)
            worker = None
        if worker is None:
            worker = self._begin(task)
        worker.task, worker.cancelled_at = task, None
        worker.say({"song": task.song, "request": task.request})

    def hear(self, seconds: float) -> list[Told]:
        """Return what was told since; a worker that died tells of its song's end."""
        told: list[Told] = []
        until = time.monotonic() + seconds
        while True:
            left = until - time.monotonic()
            try:
                worker, event = self._heard.get(timeout=max(0.0, left if not told else 0.0))
            except queue.Empty:
                break
            told += self._one(worker, event)
        self._end_the_deaf()
        return told

    def cancel(self, song: int) -> None:
        """Ask a worker to drop its song; one that does not within some seconds is ended."""
        for worker in self._workers:
            if worker.task is not None and worker.task.song == song and worker.cancelled_at is None:
                worker.cancelled_at = time.monotonic()
                worker.say({"song": song, "cancel": True})

    def close(self) -> None:
        """Interrupt the workers, all at once, and wait until they are gone; idle ones have nothing to drop."""
        for worker in [one for one in self._workers if one.task is None]:
            self._end(worker)
        for worker in self._workers:
            if worker.child.poll() is None:
                with suppress(OSError):
                    worker.child.send_signal(signal.SIGINT)
        until = time.monotonic() + _GRACE_SECONDS
        for worker in list(self._workers):
            with suppress(subprocess.TimeoutExpired):
                worker.child.wait(max(0.05, until - time.monotonic()))
            self._end(worker)

    # Workers

    @property
    def _logs(self) -> Path:
        return self._setting.folder / _FOLDER

    def _names(self) -> list[str]:
        return [f"worker {number + 1}" for number in range(self._sized.workers)]

    def _begin(self, task: Task) -> _Worker:
        taken = {worker.name for worker in self._workers}
        name = next(name for name in self._names() if name not in taken)
        log = self._logs / f"{name.replace(' ', '-')}.log"
        threads = cores_of(self._sized.cores, 1 if task.alone else self._sized.workers)
        with disk_errors(log), log.open("ab") as errors:
            child = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**environment(), **_threads(threads)},
                start_new_session=True,
            )
        worker = _Worker(name, log, child)
        keep = 0 if task.careful else max(0, self._sized.memory_bytes // self._sized.workers)
        worker.say({"job": "songs", "keep_bytes": keep, "threads": threads})
        worker.spoke = threading.Thread(target=self._read, args=(worker,), daemon=True)
        worker.spoke.start()
        self._workers.append(worker)
        return worker

    def _read(self, worker: _Worker) -> None:
        assert worker.child.stdout is not None
        with suppress(OSError, ValueError), worker.child.stdout as lines:
            for line in lines:
                if line.endswith(b"\n"):
                    self._heard.put((worker, from_json(line.decode("utf-8"))))
        self._heard.put((worker, None))

    def _one(self, worker: _Worker, event: Event | None) -> list[Told]:
        task = worker.task
        if event is None:
            return self._died(worker)
        if task is None or isinstance(event, Finished | Failed):
            return []  # the worker's own end, which its death tells
        if isinstance(event, SongDone | SongFailed):
            worker.task = worker.cancelled_at = None
            if task.careful or (isinstance(event, SongFailed) and event.out_of_memory):
                self._end(worker)
        return [Told(task.song, worker.name, event)]

    def _died(self, worker: _Worker) -> list[Told]:
        status = worker.child.wait()
        task, was_cancelled = worker.task, worker.cancelled_at is not None
        self._end(worker)
        if task is None:
            return []
        error = death(status, worker.log)
        code = int(ExitCode.INTERRUPTED) if was_cancelled else int(error.exit_code)
        killed = status == -signal.SIGKILL and not was_cancelled
        return [
            Told(
                task.song, worker.name,
                SongFailed(task.song, error.message, error.hint, code, out_of_memory=killed),
            )
        ]  # fmt: skip

    def _end_the_deaf(self) -> None:
        now = time.monotonic()
        for worker in self._workers:
            if worker.cancelled_at is not None and now - worker.cancelled_at > _GRACE_SECONDS:
                worker.child.kill()

    def _end(self, worker: _Worker) -> None:
        """Let a worker go, running or not."""
        if worker.child.poll() is None:
            with suppress(OSError):
                os.killpg(worker.child.pid, signal.SIGKILL)
            worker.child.wait()
        if worker.child.stdin is not None:
            with suppress(OSError):
                worker.child.stdin.close()
        worker.task = None
        if worker in self._workers:
            self._workers.remove(worker)


def _threads(count: int) -> dict[str, str]:
    """Return what tells libraries how many threads they may use; they read it when they are loaded."""
    return {"OMP_NUM_THREADS": str(count), "COVERMAKER_CORES": str(count)}
