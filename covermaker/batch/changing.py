"""Changes of a queue's rows that both the coordinator makes and whoever asks while there is none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from covermaker.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.batch.queue import Queue
    from covermaker.batch.rows import Song

# What a song becomes that is tried again on demand; why it failed is known until it is begun.
AGAIN: Final[Mapping[str, Any]] = {"state": "waiting", "tries": 0, "not_before": 0.0, "exit_code": 0}
# What the answer to an ask begins with of which nothing came.
NOTHING: Final = "nothing"
BROKEN_PLACE: Final = "broken: "
# A broken entry is no song: it fails before it begins, with this code, and is asked about again when the list is read.
BROKEN: Final = ExitCode.USAGE


def is_broken(song: Song) -> bool:
    """Tell whether a row is an entry of the list that names no song: only the list itself can be mended."""
    return song.place.startswith(BROKEN_PLACE)


def is_hopeless(song: Song) -> bool:
    """Tell whether a row that failed fails again, and with fewer words: it names no song, or none that is there."""
    is_of_list = song.state == "failed" and song.exit_code == BROKEN
    return is_broken(song) or (is_of_list and not os.path.exists(song.place))


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


def left(queue: Queue) -> int:
    """Return how many songs are not over; one that ran when its process was killed waits again."""
    counts = queue.counts()
    return counts.get("waiting", 0) + counts.get("running", 0)
