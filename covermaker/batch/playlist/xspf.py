"""XSPF: an XML list of tracks, each with a ``location`` that is an address, relative or not.

A document with a DTD is refused before anything of it is looked up: entities are how a small file becomes a large one,
and how a list would read other files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.parsers import expat

from covermaker.batch.entries import Problem
from covermaker.batch.playlist.rows import Called, Row, one_line, seconds_of
from covermaker.batch.playlist.text import opened
from covermaker.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from covermaker.batch.playlist.rows import Found

_PIECE_BYTES = 1 << 16
_TRACK = ("playlist", "trackList", "track")
_WANTED = {
    ("playlist", "title"),
    *((*_TRACK, name) for name in ("location", "title", "creator", "duration")),
}
_DEEPEST = 64


def read(file: Path, origin: str) -> Iterator[Found]:
    """Yield what a list says, piece by piece; see `rows.Reader`."""
    tracks = _Tracks(origin)
    try:
        with opened(file) as stream:
            while piece := stream.read(_PIECE_BYTES):
                tracks.parser.Parse(piece, False)
                yield from tracks.take()
            tracks.parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # also: an encoding that nobody knows
        raise ProjectError(f"{origin} is no XSPF: {error}", hint="export the list again") from error
    if not tracks.is_playlist:
        raise ProjectError(f"{origin} is no XSPF: it holds no <playlist>", hint="export the list again")


class _Tracks:
    """What the parser tells, gathered into rows."""

    def __init__(self, origin: str) -> None:
        self.is_playlist = False
        self._origin = origin
        self._found: list[Found] = []
        self._path: list[str] = []
        self._said: dict[str, str] = {}
        self._text: list[str] | None = None
        self._line = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._add

    def take(self) -> list[Found]:
        """Return what was found since the last time."""
        found, self._found = self._found, []
        return found

    def _refuse(self, *_: object) -> None:
        raise ProjectError(
            f"{self._origin}:{self.parser.CurrentLineNumber}: a list with a DTD is not read",
            hint="take the <!DOCTYPE …> out, XSPF needs none",
        )

    def _begin(self, name: str, _: dict[str, str]) -> None:
        self._path.append(name.rpartition(" ")[2])
        if len(self._path) > _DEEPEST:
            raise ProjectError(f"{self._origin} is no XSPF that anybody wrote: it is nested too deep")
        path = tuple(self._path)
        if path == _TRACK:
            self._said, self._line = {}, self.parser.CurrentLineNumber
        elif path == ("playlist",):
            self.is_playlist = True
        self._text = [] if path in _WANTED else None

    def _add(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _end(self, _: str) -> None:
        path = tuple(self._path)
        if self._text is not None:
            text = "".join(self._text).strip()
            if len(path) == 2:
                self._found.append(Called(one_line(text)))
            elif text:
                self._said.setdefault(path[-1], text)  # of several locations the first counts
        elif path == _TRACK:
            self._found.append(self._track())
        self._path.pop()
        self._text = None

    def _track(self) -> Found:
        said, origin = self._said, f"{self._origin}:{self._line}"
        title, artist = one_line(said.get("title")), one_line(said.get("creator"))
        if "location" not in said:
            return Problem(origin, "the track has no location", "add one, or take the track out", title)
        seconds = seconds_of(said.get("duration"), unit_seconds=0.001)
        return Row(said["location"], origin, title, artist, seconds, escaped=True)
