"""Changes of a queue's rows that both the coordinator makes and whoever asks while there is none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.batch.queue import Queue
    from covermaker.batch.rows import Song

# What a song becomes that is tried again on demand.
AGAIN: Final[Mapping[str, Any]] = {
    "state": "waiting",
    "tries": 0,
    "not_before": 0.0,
    "cause": "",
    "hint": None,
    "exit_code": 0,
}
BROKEN_PLACE: Final = "broken: "


def is_broken(song: Song) -> bool:
    """Tell whether a row is an entry of the list that names no song: only the list itself can be mended."""
    return song.place.startswith(BROKEN_PLACE)


def swap_turns(queue: Queue, number: int | None, by: int) -> bool:
    """Let a song that waits change places with the one before or after it; tells whether there was one."""
    waiting = queue.songs("waiting")
    at = next((index for index, song in enumerate(waiting) if song.id == number), None)
    if at is None or not 0 <= at + by < len(waiting):
        return False
    one, other = waiting[at], waiting[at + by]
    with queue.writing():
        queue.change(one.id, turn=other.turn)
        queue.change(other.id, turn=one.turn)
    return True


def move_here(queue: Queue) -> None:
    """Let a batch whose folder was moved find its projects and covers again."""
    before = queue.fact("folder")
    if before == str(queue.folder):
        return
    with queue.writing():
        for song in queue.songs() if before else ():
            files = [_moved(file, before, queue.folder) for file in song.result.get("files", ())]
            result = {**song.result, "files": files} if files else song.result
            project = song.project if song.kept else _moved(song.project, before, queue.folder)
            if (project, result) != (song.project, song.result):
                queue.change(song.id, project=project, result=result)
        queue.note(folder=str(queue.folder))


def _moved(place: str, before: str, now: Path) -> str:
    if not place or not Path(place).is_relative_to(before):
        return place
    return str(now / Path(place).relative_to(before))
