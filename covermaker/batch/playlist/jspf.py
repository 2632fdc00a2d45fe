"""JSPF: XSPF as JSON. Tracks are told by their number: such files often are a single line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from covermaker.batch.entries import Problem
from covermaker.batch.playlist.rows import Called, Row, one_line, seconds_of
from covermaker.batch.playlist.text import whole
from covermaker.errors import ProjectError
from covermaker.texts import writable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from covermaker.batch.playlist.rows import Found


def read(file: Path, origin: str) -> Iterator[Found]:
    """Yield what a list says; see `rows.Reader`."""
    try:
        document = json.loads(whole(file))
    except (ValueError, RecursionError) as error:
        words = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise ProjectError(f"{origin} is no JSPF: {words}", hint="export the list again") from error
    playlist = _part(document, "playlist", dict, origin)
    yield Called(_text(playlist.get("title")))
    for number, track in enumerate(_part(playlist, "track", list, origin), 1):
        yield _track(track, f"{origin}, track {number}")


def _part(holder: Any, name: str, kind: type, origin: str) -> Any:
    found = holder.get(name) if isinstance(holder, dict) else None
    if not isinstance(found, kind):
        raise ProjectError(f"{origin} is no JSPF: it has no '{name}'", hint="export the list again")
    return found


def _track(track: object, origin: str) -> Found:
    if not isinstance(track, dict):
        return Problem(origin, "the track is no table", "take it out")
    title, artist = _text(track.get("title")), _text(track.get("creator"))
    locations = track.get("location")
    named = filter(None, map(_text, locations if isinstance(locations, list) else [locations]))
    location = next(named, "")
    if not location:
        return Problem(origin, "the track has no location", "add one, or take the track out", title)
    seconds = seconds_of(track.get("duration"), unit_seconds=0.001)
    return Row(location, origin, title, artist, seconds, escaped=True)


def _text(value: object) -> str:
    """Return a text without the halves of characters that JSON can write and nothing else."""
    return one_line(writable(value)) if isinstance(value, str) else ""
