"""Running steps: only those whose result is missing, each made once, whoever else is rendering."""

from __future__ import annotations

import errno
import platform
import threading
import time
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from covermaker import __version__
from covermaker.disk import ALMOST_FULL_BYTES, file_sha256, free_bytes, write_error
from covermaker.errors import AudioInputError, CovermakerError, ResourceError, UsageError, nearest
from covermaker.graph.events import (
    StepCached,
    StepFailed,
    StepFinished,
    StepProgress,
    StepStarted,
    StepWaiting,
)
from covermaker.graph.step import From, Outside, Step, Work
from covermaker.weights.device import cores, is_out_of_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from concurrent.futures import Future

    from covermaker.graph.events import Event, Listener
    from covermaker.graph.store import Entry, Store
    from covermaker.progress import Progress

# A step reports progress far more often than anyone can read it.
_PROGRESS_EVERY_SECONDS = 0.1


@dataclass(frozen=True)
class PlannedStep:
    """One step of a plan and whether it has to run; `again` is one that is there and made nevertheless."""

    step: Step
    cached: bool
    needed: bool
    again: bool = False

    @property
    def will_run(self) -> bool:
        """True when the next render makes this step."""
        return self.needed and not self.cached


def plan(store: Store, targets: Sequence[Step], *, again: Collection[str] = ()) -> list[PlannedStep]:
    """Say, upstream first, which steps `targets` consist of and which of them have to run.

    Steps whose keys are in `again` have to run though they are there. A step whose result nobody needs, since
    everything made from it is there, neither runs nor counts as needed, also when its own files were collected.
    """
    order = in_order(targets)
    cached = {id(step): step.key not in again and store.get(step.key) is not None for step in order}
    needed = {id(step) for step in targets}
    for step in reversed(order):
        if id(step) in needed and not cached[id(step)]:
            needed.update(id(up) for up in step.upstream())
    return [PlannedStep(step, cached[id(step)], id(step) in needed, step.key in again) for step in order]


def in_order(targets: Sequence[Step]) -> list[Step]:
    """List `targets` and all they depend on, each once, upstream first."""
    order: list[Step] = []
    seen: set[int] = set()

    def visit(step: Step) -> None:
        if id(step) in seen:
            return
        seen.add(id(step))
        for up in step.upstream():
            visit(up)
        order.append(step)

    for target in targets:
        visit(target)
    return order


def from_here(targets: Sequence[Step], name: str) -> frozenset[str]:
    """Return the keys of the step of this name and of all that is made from it.

    Raises
    ------
    UsageError
        When there is no such step.
    """
    order = in_order(targets)
    if all(step.name != name for step in order):
        raise UsageError(f"no step '{name}'", hint=nearest(name, [step.name for step in order]))
    found: dict[int, str] = {}
    for step in order:
        if step.name == name or any(id(up) in found for up in step.upstream()):
            found[id(step)] = step.key
    return frozenset(found.values())


def run(
    store: Store,
    targets: Sequence[Step],
    *,
    listener: Listener,
    device: str = "auto",
    again: Collection[str] = (),
) -> list[Entry]:
    """Make `targets` and what they need; returns the targets' entries, their files checked against their sha256.

    Steps whose keys are in `again` are made again; what they made before stays until then.

    Raises
    ------
    CovermakerError
        The first failure; finished steps stay in the store.
    """
    with store.session(), _Checks(store) as checks:
        runner = _Runner(store, _in_turn(listener), device, checks, frozenset(again))
        for step in targets:
            checks.begin(step, again=again)
        return [runner.make(step) for step in targets]


class _Checks:
    """Whether files of the store have their sha256, each asked once a run.

    What a run will read is hashed ahead on a thread, while the first steps work.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sound: set[tuple[str, str]] = set()
        self._begun: dict[tuple[str, str], Future[bool]] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="check")

    def begin(self, step: Step, file: str | None = None, *, again: Collection[str] = ()) -> None:
        """Begin with the files (None: all) of a finished step, or with those that go into one that has to run."""
        entry = self._store.get(step.key) if step.key not in again else None
        if entry is None:
            for source in step.inputs.values():
                if isinstance(source, From):
                    self.begin(source.step, source.file, again=again)
            return
        for name in entry.meta["files"] if file is None else [file]:
            if (entry.key, name) not in self._begun:
                self._begun[entry.key, name] = self._pool.submit(self._store.verify, entry.key, [name])

    def sound(self, key: str, names: Sequence[str]) -> bool:
        """Tell whether these files are as they were made; what was found damaged is looked at anew."""
        for name in names:
            if (key, name) in self._sound:
                continue
            begun = self._begun.pop((key, name), None)
            if not (begun.result() if begun else self._store.verify(key, [name])):
                return False
            self._sound.add((key, name))
        return True

    def made(self, entry: Entry) -> None:
        """Note an entry of this run."""
        self._sound.update((entry.key, name) for name in entry.meta["files"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._pool.shutdown(cancel_futures=True)


class _Runner:
    """One run."""

    def __init__(
        self, store: Store, listener: Listener, device: str, checks: _Checks, again: frozenset[str]
    ) -> None:
        self._store = store
        self._listener = listener
        self._device = device
        self._done: dict[str, Entry] = {}
        self._checks = checks
        self._again = again
        self._stopped = threading.Event()

    def make(self, step: Step, files: Sequence[str] | None = None) -> Entry:
        """Return a step's entry, made if need be; `files` are those whose content will be read (None: all)."""
        again = step.key in self._again and step.key not in self._done
        entry = None if again else self._done.get(step.key) or self._store.get(step.key)
        if entry is not None and self._sound(entry, files):
            return self._cached(step, entry)
        self._done.pop(step.key, None)
        with self._store.lock(step.key, self._waiting(step)):
            # Looked at again: another process may have made it, or replaced a damaged one, while we waited.
            if not again:
                entry = self._store.get(step.key)
                if entry is not None and self._sound(entry, files):
                    return self._cached(step, entry)
                self._store.drop(step.key)
            entry = self._execute(step, self._inputs(step))
        self._done[step.key] = entry
        self._checks.made(entry)
        return entry

    def _waiting(self, step: Step) -> Callable[[], Exception | None]:
        told = False

        def ask() -> Exception | None:
            nonlocal told
            if not told:
                told = True
                self._listener(StepWaiting(step.name, step.key))
            return _Stopped() if self._stopped.is_set() else None

        return ask

    def _cached(self, step: Step, entry: Entry) -> Entry:
        if step.key not in self._done:
            self._store.touch(step.key)
            self._done[step.key] = entry
            self._listener(StepCached(step.name, step.key))
        return entry

    def _sound(self, entry: Entry, files: Sequence[str] | None) -> bool:
        return self._checks.sound(entry.key, list(entry.meta["files"]) if files is None else files)

    def _inputs(self, step: Step) -> dict[str, Path]:
        """Make what `step` reads and return the files by input name."""
        self._make_beside(step.upstream())
        paths: dict[str, Path] = {}
        for name, source in step.inputs.items():
            if isinstance(source, Outside):
                paths[name] = source.path
                continue
            entry = self.make(source.step, [source.file])
            if source.file not in entry.meta["files"]:
                made = ", ".join(sorted(entry.meta["files"]))
                raise CovermakerError(f"step '{source.step.name}' made no {source.file}, only {made}")
            paths[name] = entry.folder / source.file
        return paths

    def _make_beside(self, steps: Sequence[Step]) -> None:
        """Make those of these steps that are missing and may run side by side, as many at once as there are cores."""
        if cores() < 2:
            return
        left = [step for step in steps if step.beside and not self._is_there(step)]
        while len(left) > 1:
            # One that reads another's files waits for it; what several of them read is made first.
            ready = [step for step in left if not any(up in left for up in step.upstream())]
            for source in (source for step in ready for source in step.inputs.values()):
                if isinstance(source, From):
                    self.make(source.step, [source.file])
            with ThreadPoolExecutor(min(len(ready), cores()), thread_name_prefix="step") as pool:
                futures = [pool.submit(self.make, step) for step in ready]
                try:
                    for future in wait(futures, return_when=FIRST_EXCEPTION).done:
                        future.result()
                except BaseException:
                    self._stopped.set()
                    pool.shutdown(cancel_futures=True)
                    raise
            left = [step for step in left if step not in ready]

    def _is_there(self, step: Step) -> bool:
        again = step.key in self._again and step.key not in self._done
        return not again and (step.key in self._done or self._store.get(step.key) is not None)

    def _execute(self, step: Step, inputs: dict[str, Path]) -> Entry:
        self._listener(StepStarted(step.name, step.key))
        started = time.monotonic()
        tell = _throttled(lambda fraction: self._listener(StepProgress(step.name, fraction)))

        def progress(fraction: float) -> None:
            if self._stopped.is_set():
                raise _Stopped
            tell(fraction)

        try:
            with self._store.making(step.key) as folder:
                work = Work(folder, inputs, progress, step.seed, self._device, self._listener)
                report = step.run(work)
                _refuse_changed(step)
                seconds = time.monotonic() - started
                entry = self._store.keep(step.key, folder, _meta(step, report, seconds))
        except _Stopped:
            raise
        except Exception as error:
            mapped = _mapped(error, step, self._store)
            self._listener(StepFailed(step.name, str(mapped)))
            if mapped is error:
                raise
            raise mapped from error
        self._listener(StepFinished(step.name, step.key, round(seconds, 3), report))
        return entry


def _in_turn(listener: Listener) -> Listener:
    """Return a listener that one thread at a time talks to."""
    lock = threading.Lock()

    def tell(event: Event) -> None:
        with lock:
            listener(event)

    return tell


class _Stopped(Exception):
    """Another step failed, or the person interrupted."""


def _refuse_changed(step: Step) -> None:
    """Refuse to keep what was made of a file that was replaced after its hash entered the key."""
    for source in step.inputs.values():
        if isinstance(source, Outside) and file_sha256(source.path) != source.sha256:
            raise AudioInputError(f"{source.path} changed while it was read", hint="render again")


def _throttled(tell: Progress) -> Progress:
    last = -_PROGRESS_EVERY_SECONDS

    def progress(fraction: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _PROGRESS_EVERY_SECONDS:
            last = now
            tell(min(max(fraction, 0.0), 1.0))

    return progress


def _meta(step: Step, report: dict[str, Any], seconds: float) -> dict[str, Any]:
    return {
        "step": step.kind,
        "version": step.version,
        "params": dict(step.params),
        "inputs": step.input_hashes,
        "weights": dict(step.weights),
        "report": report,
        "seconds": round(seconds, 3),
        "versions": {"covermaker": __version__, "python": platform.python_version()},
    }


def _mapped(error: Exception, step: Step, store: Store) -> Exception:
    """Give what broke inside a step the words of our own errors; an unknown defect stays what it is."""
    if isinstance(error, CovermakerError):
        return error
    if isinstance(error, OSError) and error.errno:
        return write_error(error, Path(str(error.filename or store.root)))
    if is_out_of_memory(error):
        return ResourceError(
            f"step '{step.name}' ran out of memory",
            hint="close other programs, or render on a larger machine",
        )
    if free_bytes(store.root) < ALMOST_FULL_BYTES:
        # libsndfile and others report a full disk only as a failed write.
        return write_error(OSError(errno.ENOSPC, ""), store.root)
    return error
