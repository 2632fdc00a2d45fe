"""Networks that stay loaded: a process that renders many songs reads each from the disk once.

A single render holds a network for as long as a step needs it, and only those that several steps ask for longer.
Inside `kept` all stay, up to a number of bytes; the least recently used goes first. What is kept is known by the sha256
of its files, so a voice that was trained again is another one. It must keep no state between two uses.
"""

from __future__ import annotations

import gc
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from covermaker.weights.catalog import find, fingerprint, locate
from covermaker.weights.device import threads_unchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator
    from pathlib import Path

T = TypeVar("T")

# Outside `kept`: as many as the steps of one render share.
_MOST_SHARED = 8


@dataclass(frozen=True, slots=True)
class _Held:
    thing: Any
    size_bytes: int


_lock = threading.RLock()
_things: dict[Hashable, _Held] = {}  # the least recently used first
_keeping = False
_max_bytes: int | None = None


@contextmanager
def kept(max_bytes: int | None = None) -> Iterator[None]:
    """Keep what is loaded inside the block; at its end all goes.

    Parameters
    ----------
    max_bytes : int, optional
        So much may stay, counted by the size of the files; without it, all.
    """
    global _keeping, _max_bytes
    before = _keeping, _max_bytes
    _keeping, _max_bytes = True, max_bytes
    try:
        yield
    finally:
        _keeping, _max_bytes = before
        drop()


def loaded(what: Hashable, sha256: str, load: Callable[[], T], *, size_bytes: int, shared: bool = False) -> T:
    """Return what `load` gives, or gave before.

    Parameters
    ----------
    what : hashable
        Tells apart what is made of the same files: how, on which device, with which options.
    sha256 : str
        Of the files.
    load : callable
        Reads them.
    size_bytes : int
        About what it takes in memory.
    shared : bool
        Several steps of one render ask for it, so it stays also outside `kept`.
    """
    if not (_keeping or shared):
        return load()
    key = (what, sha256)
    with _lock:
        held = _things.pop(key, None)
        if held is None:
            _make_room(size_bytes)
            with threads_unchanged():
                held = _Held(load(), size_bytes)
        if _fits(size_bytes):
            _things[key] = held
        return cast("T", held.thing)


def catalog_network(
    name: str, build: Callable[[Path, str], T], device: str, *, shared: bool = True, growth: float = 1.0
) -> T:
    """Return the network of a catalog entry; see `loaded`.

    Parameters
    ----------
    name : str
        A name of the weights catalog.
    build : callable
        Makes the network from its file, or folder, and the device; a module-level function, which tells networks of
        one file apart.
    device : str
        Where it runs.
    shared : bool
        As in `loaded`.
    growth : float
        Bytes in memory for each on the disk.

    Raises
    ------
    WeightsError
        When the weights are missing or damaged.
    """
    path = locate(name)
    size = sum(file.stat().st_size for file in find(name).files)
    return loaded(
        (build, device),
        fingerprint(name),
        partial(build, path, device),
        size_bytes=round(size * growth),
        shared=shared,
    )


def drop() -> None:
    """Let go of all that is kept, and give its memory back to the system and to the device."""
    with _lock:
        _things.clear()
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    trim()


def trim() -> None:
    """Hand what is free back to the system: glibc, told to keep it for use in a song, does so only when asked."""
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def held_bytes() -> int:
    """Return about how many bytes are kept."""
    with _lock:
        return sum(held.size_bytes for held in _things.values())


def _fits(size_bytes: int) -> bool:
    return not _keeping or _max_bytes is None or size_bytes <= _max_bytes


def _make_room(size_bytes: int) -> None:
    """Let go of the least recently used until another one may come."""
    while _things and (
        held_bytes() + size_bytes > _max_bytes
        if _keeping and _max_bytes is not None
        else not _keeping and len(_things) >= _MOST_SHARED
    ):
        del _things[next(iter(_things))]
