"""What CSV, TSV and TOML lists say of a song, checked as a project's document would."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, get_args

from covermaker.batch.entries import COLUMNS, Problem
from covermaker.batch.playlist.rows import Row, one_line
from covermaker.documents.complaint import complaint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import BaseModel

    from covermaker.batch.playlist.rows import Found

FILE = "file"
_HINTS = {FILE: "name the song's file, or take the line out"}


def row_of(values: Mapping[str, Any], origin: str, place: Callable[[str], str] | None = None) -> Found:
    """Return the row of a song, or what is wrong with it.

    Parameters
    ----------
    values : mapping
        By the names of `COLUMNS`, and `FILE`. Empty text counts as left out.
    origin : str
        Where the song stands.
    place : callable, optional
        Where one of its values stands, by its name; by default at `origin`.
    """
    from pydantic import ValidationError

    given = {name: value for name, value in values.items() if value != ""}
    model = _song()
    try:
        song: dict[str, Any] = model.model_validate(given).model_dump(exclude_unset=True)
    except ValidationError as error:
        found = complaint(model, error.errors(), hints=_HINTS, patterns={})
        said = one_line(given.get("title")) or one_line(given.get(FILE))
        return Problem(place(found.where) if place else origin, found.words, found.hint, said)
    text, title, artist = (song.pop(name, "") for name in (FILE, "title", "artist"))
    wishes = {name: COLUMNS[name](value) for name, value in song.items()}
    return Row(text, origin, one_line(title), one_line(artist), wishes=wishes)


def from_text(name: str, text: str) -> str | int | float:
    """Return the value of a cell: a number where one is expected and can be read, else the text."""
    if COLUMNS.get(name) is float or name == "transpose":
        plain = text.replace("\N{MINUS SIGN}", "-").replace(",", ".")  # as spreadsheets write them
        for kind in (int, float):
            try:
                return kind(plain)
            except ValueError:
                continue
    return text


@cache
def _song() -> type[BaseModel]:
    """Return the model of a song: the ranges are those of a project's document."""
    from pydantic import ConfigDict, create_model

    from covermaker.project.document import Convert, Master

    loudness = Master.model_fields["loudness_lufs"].annotation
    kinds: dict[str, Any] = {
        "transpose": Convert.model_fields["transpose"].annotation,
        "loudness_lufs": get_args(loudness)[0],  # the number, not `off` or `reference`
    }
    fields: dict[str, Any] = {name: (kinds.get(name, kind), None) for name, kind in COLUMNS.items()}
    fields[FILE] = (str, ...)
    made: type[BaseModel] = create_model(
        "Song", __config__=ConfigDict(strict=True, extra="forbid", allow_inf_nan=False), **fields
    )
    return made
