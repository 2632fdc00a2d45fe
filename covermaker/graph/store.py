"""The store: a folder of finished steps, shared by any number of processes.

::

    store/
      steps/<key>/…        the files of one step and its meta.json; appears whole, by one rename
      tmp/<key>.<random>/  a step being made; swept when its maker is gone
      locks/<key>.lock     held while a step is being made
      sessions/<id>.lock   held while a render runs, so that collection spares what it uses

Whoever makes a step holds its lock; the operating system drops the lock when the process dies, so a killed render
blocks nobody. Readers need no lock: a step's folder is complete from the moment it exists.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from covermaker.disk import disk_errors, file_sha256, flush_and_hash, sync, told_by
from covermaker.errors import CovermakerError
from covermaker.locks import held, is_held

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

META = "meta.json"

_FILES_AT_ONCE = 2
_PRIVATE = 0o700
_RANDOM = 12


def default_root() -> Path:
    """Return where the store is when nobody says: COVERMAKER_STORE, else the user's cache folder."""
    from platformdirs import user_cache_path

    return told_by("COVERMAKER_STORE") or user_cache_path("covermaker") / "store"


@dataclass(frozen=True)
class Entry:
    """One finished step in the store."""

    key: str
    folder: Path
    meta: dict[str, Any]

    @property
    def bytes(self) -> int:
        """Size of its files."""
        return sum(int(file["bytes"]) for file in self.meta["files"].values())

    @property
    def last_used(self) -> float:
        """When a render last asked for it, in seconds since the epoch."""
        try:
            return (self.folder / META).stat().st_mtime
        except OSError:
            return 0.0


class Store:
    """Finished steps by key.

    Parameters
    ----------
    root : Path
        Created on first use.
    attended : bool
        Somebody else holds a session for us, and sweeps. Where many work on one store, each looking after what all the
        others do would cost more than their work.

    Raises
    ------
    ResourceError
        From any method that writes, when the place is full, read-only or forbidden.
    """

    def __init__(self, root: Path, *, attended: bool = False) -> None:
        self.root = root.absolute()
        self._steps = self.root / "steps"
        self._attended = attended

    def get(self, key: str) -> Entry | None:
        """Return a finished step, or None. Does not check the content; see `verify`."""
        folder = self._steps / key
        try:
            meta = json.loads((folder / META).read_text(encoding="utf-8"))
            complete = all(
                (folder / name).stat().st_size == file["bytes"] for name, file in meta["files"].items()
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return Entry(key, folder, meta) if complete else None

    def touch(self, key: str) -> None:
        """Note that a step is in use. A store that cannot be written is left as it is."""
        with suppress(OSError):
            os.utime(self._steps / key / META)

    def verify(self, key: str, files: list[str] | None = None) -> bool:
        """Tell whether a step's files (all, or the named ones) have their sha256."""
        entry = self.get(key)
        if entry is None:
            return False
        try:
            return all(
                file_sha256(entry.folder / name) == file["sha256"]
                for name, file in entry.meta["files"].items()
                if files is None or name in files
            )
        except CovermakerError:
            return False  # Another process has just dropped it.

    def drop(self, key: str) -> int:
        """Remove a step, whole or damaged; returns the bytes that became free. Hold its lock."""
        entry = self.get(key)
        folder = self._steps / key
        if not folder.exists():
            return 0
        with disk_errors(self.root):
            before = self._aside(key)
            if before is not None:
                shutil.rmtree(before, ignore_errors=True)
        return entry.bytes if entry else 0

    def _aside(self, key: str) -> Path | None:
        """Move a step out of the way by one rename: nobody ever sees half of it. Returns what to remove afterwards."""
        if not (self._steps / key).exists():
            return None
        doomed = self._temporary(key)
        with suppress(FileNotFoundError):
            (self._steps / key).replace(doomed)
        return doomed

    @contextmanager
    def lock(self, key: str, on_wait: Callable[[], Exception | None]) -> Iterator[None]:
        """Hold the right to make a step; asks `on_wait` again and again while another process holds it.

        What it returns is raised; None waits on.
        """
        with held(self._folder("locks") / f"{key}.lock", 0.0, on_wait):
            yield

    @contextmanager
    def making(self, key: str) -> Iterator[Path]:
        """Give an empty folder for a step's files; removed afterwards unless `keep` took it. Hold the lock."""
        folder = self._temporary(key)
        try:
            # Named before it is there: Ctrl-C may come in the very moment it is made.
            with disk_errors(self.root):
                folder.mkdir(mode=_PRIVATE)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def keep(self, key: str, folder: Path, meta: dict[str, Any]) -> Entry:
        """Make a folder of finished files the step `key`: hash, flush, write its meta.json, rename."""
        with disk_errors(self.root):
            files = _facts(sorted(folder.iterdir()))
            whole = {"key": key, **meta, "files": files}
            text = json.dumps(whole, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
            # As it is: the folder's own rename makes it appear whole.
            (folder / META).write_text(text, encoding="utf-8")
            sync(folder / META)
            sync(folder)
            self._steps.mkdir(parents=True, exist_ok=True)
            target = self._steps / key
            before = self._aside(key)
            folder.replace(target)
            sync(self._steps)
            if before is not None:
                shutil.rmtree(before, ignore_errors=True)
        return Entry(key, target, whole)

    @contextmanager
    def session(self) -> Iterator[None]:
        """Mark a render as running, and sweep what killed ones left behind, before and after."""
        if self._attended:
            yield
            return
        folder = self._folder("sessions")
        with disk_errors(self.root):
            self.sweep()
        path = folder / f"{uuid.uuid4().hex}.lock"
        try:
            with held(path, 0.0, lambda: None):
                yield
        finally:
            path.unlink(missing_ok=True)
            # Once more: what was killed just before we began may have lived on for a moment.
            with suppress(OSError):
                self.sweep()

    def sweep(self) -> int:
        """Remove half-made steps and sessions of processes that are gone; returns how many."""
        removed = 0
        for folder in self._list("tmp"):
            key = folder.name.partition(".")[0]
            if not self._is_being_made(key):
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
        for path in self._list("sessions"):
            if not is_held(path, unknown=True):
                path.unlink(missing_ok=True)
                removed += 1
        return removed

    def entries(self) -> list[Entry]:
        """List the finished steps, least recently used first."""
        found = [entry for folder in self._list("steps") if (entry := self.get(folder.name)) is not None]
        return sorted(found, key=lambda entry: (entry.last_used, entry.key))

    def collect(self, max_bytes: int) -> tuple[int, int]:
        """Drop the least recently used steps until at most `max_bytes` stay; what running renders use is spared.

        Returns
        -------
        (steps, bytes) : tuple of int
            How much went.
        """
        self.sweep()
        started = [path.stat().st_mtime for path in self._list("sessions") if is_held(path, unknown=True)]
        spared_since = min(started, default=time.time() + 1.0)
        for folder in self._list("steps"):
            if self.get(folder.name) is None and not self._is_being_made(folder.name):
                self.drop(folder.name)
        entries = self.entries()
        stored = sum(entry.bytes for entry in entries)
        steps = freed = 0
        for entry in entries:
            if stored - freed <= max_bytes:
                break
            if entry.last_used < spared_since:
                freed += self.drop(entry.key)
                steps += 1
        return steps, freed

    def _is_being_made(self, key: str) -> bool:
        return is_held(self.root / "locks" / f"{key}.lock", unknown=True)

    def _temporary(self, key: str) -> Path:
        return self._folder("tmp") / f"{key}.{uuid.uuid4().hex[:_RANDOM]}"

    def _folder(self, name: str) -> Path:
        folder = self.root / name
        with disk_errors(self.root):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _list(self, name: str) -> list[Path]:
        folder = self.root / name
        return sorted(folder.iterdir()) if folder.is_dir() else []


def _facts(paths: list[Path]) -> dict[str, dict[str, Any]]:
    """Flush finished files to the disk and return their sha256 and size by name."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_FILES_AT_ONCE) as pool:
        hashes = list(pool.map(flush_and_hash, paths))
    return {
        path.name: {"sha256": sha256, "bytes": path.stat().st_size}
        for path, sha256 in zip(paths, hashes, strict=True)
    }
