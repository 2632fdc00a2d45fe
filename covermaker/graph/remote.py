"""A store behind a URL (``s3://…``, ``gs://…``), with a folder of this machine before it.

Steps are made in the folder, as in any store, and then pushed: files first, ``meta.json`` last, so that a step is there
whole or not at all. What another machine made is known by its ``meta.json``; its files are fetched when they are about
to be read, which `Store.verify` is asked before. Two machines may make the same step at the same time: both push the
same bytes. A lock keeps that to one for each machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from covermaker.disk import disk_errors, file_sha256, told_by
from covermaker.errors import CovermakerError, ResourceError, UsageError
from covermaker.graph.store import META, Entry, Store

if TYPE_CHECKING:
    from collections.abc import Iterator

# Of the folder, when nobody says; what is dropped from it is fetched again.
_NEAR_BYTES: Final = 50 << 30
_LOOK_EVERY_SECONDS: Final = 60.0

# They have no folders; asked for one, they would make the bucket that somebody has misspelt.
_WITHOUT_FOLDERS: Final = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oss", "oci"})


class RemoteStore(Store):
    """Finished steps by key, behind a URL.

    Parameters
    ----------
    url : str
        As fsspec takes it. Credentials are found as the file system's own package finds them.
    near : Path, optional
        The folder before it; in the user's cache folder unless it is said.
    near_bytes : int
        How much of it is kept, at least as long as nothing runs.

    Raises
    ------
    UsageError
        When nothing here can read such a URL.
    ResourceError
        From any method, when the place refuses.
    """

    def __init__(self, url: str, near: Path | None = None, *, near_bytes: int = _NEAR_BYTES) -> None:
        super().__init__(near or near_folder(url))
        self.url = url
        self._far, self._base = far_place(url)
        self._near_bytes = near_bytes
        self._looked = time.monotonic()

    def get(self, key: str) -> Entry | None:
        """Return a finished step, or None; its files may still be far."""
        meta = self._known(key) or self._asked(key)
        return None if meta is None else Entry(key, self._steps / key, meta)

    def verify(self, key: str, files: list[str] | None = None) -> bool:
        """Fetch a step's files (all, or the named ones), and tell whether they have their sha256."""
        entry = self.get(key)
        if entry is None:
            return False
        for name, facts in entry.meta["files"].items():
            if (files is None or name in files) and not self._fetched(entry, name, facts["sha256"]):
                return False
        return super().verify(key, files)

    def keep(self, key: str, folder: Path, meta: dict[str, Any]) -> Entry:
        """Make a folder of finished files the step `key`, here and there."""
        entry = super().keep(key, folder, meta)
        with self._refusals():
            far = f"{self._base}/steps/{key}"
            make_folder(self.url, self._far, far)
            for name in (*entry.meta["files"], META):
                self._far.put_file(str(entry.folder / name), f"{far}/{name}")
        return entry

    @contextmanager
    def session(self) -> Iterator[None]:
        """As of `Store`; afterwards the folder is brought to its size, now and then."""
        with super().session():
            yield
        if time.monotonic() - self._looked > _LOOK_EVERY_SECONDS:
            self._looked = time.monotonic()
            self.collect(self._near_bytes)

    def _known(self, key: str) -> dict[str, Any] | None:
        """Return what is written here of a step; None when a file has another size than it says."""
        folder = self._steps / key
        try:
            meta: dict[str, Any] = json.loads((folder / META).read_text(encoding="utf-8"))
            for name, facts in meta["files"].items():
                file = folder / name
                if file.exists() and file.stat().st_size != facts["bytes"]:
                    return None
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return meta

    def _asked(self, key: str) -> dict[str, Any] | None:
        """Ask far away for a step, and write down here what it is."""
        with self._refusals():
            try:
                said = self._far.cat_file(f"{self._base}/steps/{key}/{META}")
            except FileNotFoundError:
                return None
        try:
            meta: dict[str, Any] = json.loads(said)
            dict(meta["files"])
        except (ValueError, KeyError, TypeError):
            return None
        with self.making(key) as folder, disk_errors(self.root):
            (folder / META).write_bytes(said)
            self._steps.mkdir(parents=True, exist_ok=True)
            with suppress(OSError):  # another process was quicker
                folder.rename(self._steps / key)
        return meta

    def _fetched(self, entry: Entry, name: str, sha256: str) -> bool:
        """Have a file of a step here; False when it is gone, or is not what it was."""
        file = entry.folder / name
        if file.exists():
            return True
        with self.making(entry.key) as folder, self._refusals():
            try:
                self._far.get_file(f"{self._base}/steps/{entry.key}/{name}", str(folder / name))
            except FileNotFoundError:
                return False
            with suppress(CovermakerError):
                if file_sha256(folder / name) != sha256:
                    return False
                with disk_errors(self.root):
                    os.replace(folder / name, file)
        return file.exists()

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """Say in our words what the place's own package says; they share no base."""
        try:
            yield
        except CovermakerError:
            raise
        except Exception as error:
            said = str(error) or type(error).__name__
            raise ResourceError(
                f"the store {self.url} refuses: {said}", hint="look at its credentials and its name"
            ) from error


def near_folder(url: str) -> Path:
    """Return the folder of this machine that stands before a URL."""
    from platformdirs import user_cache_dir

    root = told_by("COVERMAKER_CACHE") or Path(user_cache_dir("covermaker"))
    return root / "stores" / hashlib.sha256(url.encode()).hexdigest()[:16]


def far_place(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path in it.

    Raises
    ------
    UsageError
        When nothing here can read such a URL.
    """
    try:
        import fsspec

        system, path = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise UsageError(
            f"the store {url} cannot be opened: {str(error).rstrip('.')}",
            hint="pip install 'covermaker[cluster]', and what fsspec needs for it: s3fs, gcsfs, adlfs",
        ) from error
    return system, str(path).rstrip("/")


def make_folder(url: str, system: Any, path: str) -> None:
    """Make a folder on the file system of a URL, where it has folders."""
    if url.partition("://")[0] not in _WITHOUT_FOLDERS:
        system.makedirs(path, exist_ok=True)
