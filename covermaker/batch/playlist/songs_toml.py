"""TOML lists, which people write by hand.

::

title = "Friday"

[[songs]]
file = "songs/blue harbor.flac"
voice = "anna"
transpose = -2
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from covermaker.batch.playlist.columns import row_of
from covermaker.batch.playlist.rows import Called, one_line
from covermaker.batch.playlist.text import whole
from covermaker.documents.document import Document
from covermaker.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from covermaker.batch.playlist.rows import Found


class SongList(BaseModel):
    """The document; what a song says is checked song by song, so that one mistake spoils no other."""

    model_config = ConfigDict(strict=True, extra="forbid")

    title: str = ""
    songs: list[dict[str, Any]]


def read(file: Path, origin: str) -> Iterator[Found]:
    """Yield what a list says; see `rows.Reader`."""
    try:
        text = whole(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProjectError(f"{origin} is no TOML: it is not UTF-8 text", hint="save it as UTF-8") from error
    document = Document.parse(text, origin)
    hint = "begin each song with [[songs]] and a line as in: file = 'song.flac'"
    found = document.checked(SongList, hints={"songs": hint})
    yield Called(one_line(found.title))
    for number, song in enumerate(found.songs):
        place = partial(_place, document, f"songs[{number}]")
        yield row_of(song, place(""), place)


def _place(document: Document, where: str, key: str) -> str:
    return document.place(f"{where}.{key}" if key else where)
