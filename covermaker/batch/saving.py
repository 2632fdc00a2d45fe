"""A queue as a list again: its songs in their order, with all that is said of each, for another batch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from covermaker.batch.changing import is_broken
from covermaker.batch.options import Options
from covermaker.batch.playlist.columns import from_text
from covermaker.disk import write_text
from covermaker.errors import UsageError
from covermaker.texts import one_line

if TYPE_CHECKING:
    from covermaker.batch.queue import Queue
    from covermaker.batch.rows import Song

LIST_NAME: Final = "songs.toml"


def save(queue: Queue, to: Path | None = None, *, force: bool = False) -> Path:
    """Write the songs of a queue as a TOML list, which `batch` reads; return where.

    What was said of all songs stands at each of them, but not at projects that were there before the batch. Entries
    that could not be used stand in comments.

    Parameters
    ----------
    to : Path, optional
        By default `LIST_NAME` in the queue's folder, which may be replaced.
    force : bool
        Replace the file at `to`.

    Raises
    ------
    UsageError
        When there is a file at `to`.
    ResourceError
        When the disk refuses.
    """
    place = (to or queue.folder / LIST_NAME).absolute()
    if to is not None and not force and place.exists():
        raise UsageError(f"{to} is there already", hint="name another file, or replace it with --force")
    write_text(place, _text(queue))
    return place


def _text(queue: Queue) -> str:
    import tomlkit

    document = tomlkit.document()
    document.add("title", tomlkit.string(one_line(str(queue.fact("title", "")))))
    rows = tomlkit.aot()
    wishes = Options.of(queue.fact("options", {})).wishes
    for song in queue.songs():
        if is_broken(song):
            document.add(tomlkit.comment(f"cannot be used: {one_line(song.origin)}: {one_line(song.cause)}"))
            continue
        row = tomlkit.table()
        for name, value in _said(song, wishes).items():
            row.add(name, value)
        rows.append(row)
    if not len(rows):
        raise UsageError("the batch has no song that could be listed")
    document.add("songs", rows)
    return tomlkit.dumps(document)


def _said(song: Song, of_all: dict[str, object]) -> dict[str, object]:
    plain = {"file": song.place, "title": song.title, "artist": song.artist}
    wishes = song.wishes if song.kept else {**of_all, **song.wishes}
    said = {**plain, **{name: from_text(name, str(value)) for name, value in wishes.items()}}
    return {name: value for name, value in said.items() if value != ""}
