"""What a person should know before a batch begins, and what stops no song.

Columns that are not read; options that are others than the last time, for one that is not repeated is taken back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from covermaker.batch.estimate import WORKER_BYTES, memory_of
from covermaker.batch.options import Options
from covermaker.units import human_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from covermaker.batch.entries import Playlist

# Options beside the wishes, as people call them.
_CALLED: Final = {
    "playlist": "list",
    "template": "template",
    "album": "album",
    "album_lufs": "album loudness",
    "score": "score",
    "copy": "copy",
    "strict": "strict",
    "retries": "retries",
    "engine": "engine",
    "address": "address",
    "workers": "workers",
    "memory_bytes": "memory",
    "store": "store",
    "device": "device",
}
_WISHES: Final = {"loudness_lufs": "loudness"}
_WRITTEN: Final[Mapping[str, Callable[[Any], str]]] = {"memory_bytes": human_bytes}
_SIGNS: Final[Mapping[object, str]] = {None: "as usual", "": "as usual", True: "yes", False: "no"}


def remarks(playlist: Playlist, options: Options, before: Mapping[str, Any] | None) -> list[str]:
    """Return the lines.

    Parameters
    ----------
    before : mapping or None
        What was asked the last time, as `Options.to_json` writes it.
    """
    said = [str(remark) for remark in playlist.remarks]
    if before is not None:
        said += _otherwise(Options.of(before), options)
    one = WORKER_BYTES + memory_of(None, str(options.wanted({}).get("separator", "spleeter")))
    if options.memory_bytes is not None and options.memory_bytes < one:
        said.append(
            f"memory: one song takes about {human_bytes(one)}, more than the {human_bytes(options.memory_bytes)} "
            "that are allowed; songs are rendered one at a time"
        )
    return said


def _otherwise(before: Options, now: Options) -> list[str]:
    """Say what differs, a line each: ``"preset: cathedral, now natural"``."""
    were, are = before.wanted({}), now.wanted({})
    wishes = [
        f"{_WISHES.get(name, name)}: {_said(name, were.get(name))}, now {_said(name, are.get(name))}"
        for name in dict.fromkeys([*were, *are])
        if were.get(name) != are.get(name)
    ]
    options = [
        f"{called}: {_said(name, getattr(before, name))}, now {_said(name, getattr(now, name))}"
        for name, called in _CALLED.items()
        if getattr(before, name) != getattr(now, name)
    ]
    return wishes + options


def _said(name: str, value: Any) -> str:
    if value is None or isinstance(value, bool) or value == "":
        return _SIGNS[value]
    return _WRITTEN.get(name, str)(value)
