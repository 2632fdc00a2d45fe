"""Plug-ins that failed at work, with which settings: what is remembered of them, so that nobody waits for it again."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from covermaker.disk import disk_errors, write_text
from covermaker.effects.plugins.places import known_folder
from covermaker.errors import ResourceError
from covermaker.locks import held

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FILE: Final = "failed.json"
_LOCK: Final = "failed.lock"

# What a disk refused: it is known as long as this process lives.
_unwritten: dict[str, Failure] = {}


class PluginFailed(ResourceError):
    """A plug-in crashed, hung or gave what is no sound.

    Attributes
    ----------
    plugin : str
        Its name.
    settings : str
        What it was and how it was set; see `covermaker.effects.plugins.row.settings_digest`.
    """

    plugin: str = ""
    settings: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """What happened to a plug-in at work.

    Attributes
    ----------
    plugin : str
        Its name.
    words : str
        What happened.
    when : float
        Seconds since the epoch.
    """

    plugin: str
    words: str
    when: float


def failures() -> dict[str, Failure]:
    """Return what failed, by its settings; what cannot be read is nothing."""
    try:
        said: Any = json.loads(_file().read_text(encoding="utf-8"))
        return {settings: Failure(**one) for settings, one in said.items()} | _unwritten
    except (OSError, ValueError, TypeError, AttributeError):
        return dict(_unwritten)


def remember(error: PluginFailed) -> None:
    """Note a failure: with these settings the plug-in is left out until somebody asks for it again."""
    failure = Failure(error.plugin, error.message, time.time())
    try:
        with _changing():
            _write({**failures(), error.settings: failure})
    except ResourceError:
        _unwritten[error.settings] = failure


def forget(plugin: str | None = None) -> list[str]:
    """Forget the failures of a plug-in, or all; returns whose they were."""
    if not failures():
        return []
    with _changing():
        known = failures()
        _unwritten.clear()
        gone = {settings: one for settings, one in known.items() if plugin in {None, one.plugin}}
        if gone:
            _write({settings: one for settings, one in known.items() if settings not in gone})
    return sorted({one.plugin for one in gone.values()})


@contextmanager
def _changing() -> Iterator[None]:
    """Let nobody else change the file between what is read of it and what is written."""
    folder = known_folder()
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with held(folder / _LOCK, 0.0, lambda: None):
        yield


def _write(known: dict[str, Failure]) -> None:
    rows = {settings: asdict(one) for settings, one in known.items()}
    write_text(_file(), json.dumps(rows, indent=1, ensure_ascii=False) + "\n")


def _file() -> Path:
    return known_folder() / _FILE


def keep_log(log: Path, words: bytes) -> bool:
    """Write a plug-in's last words where a person can read them; tells whether that went well."""
    with suppress(OSError):
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(words)
        return True
    return False
