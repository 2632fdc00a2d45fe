"""How long songs are of which the list does not say it: looked up for a moment; the rest is taken to be like those."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from covermaker.audio.files import probe
from covermaker.batch.projects import length_of
from covermaker.errors import CovermakerError

if TYPE_CHECKING:
    from covermaker.batch.queue import Queue
    from covermaker.batch.rows import Song

_LOOK_SECONDS: Final = 1.5


class Lengths:
    """Looks into files, for as long as a person waits without asking why.

    Attributes
    ----------
    looked_into : int
        How many files were asked for their length.
    """

    def __init__(self) -> None:
        self.looked_into = 0
        self._until = time.monotonic() + _LOOK_SECONDS

    def of(self, song: Song) -> float | None:
        """Return how long a song is, in seconds; None where nobody has said, and there was no time to look.

        Raises
        ------
        CovermakerError
            When it is no song.
        """
        if song.seconds is not None or time.monotonic() >= self._until:
            return song.seconds
        self.looked_into += 1
        return length_of(Path(song.project)) if song.kept else probe(Path(song.place)).seconds


def look_up(queue: Queue) -> None:
    """Write the lengths of songs that wait into a queue; one that is no song says so when its turn comes."""
    lengths = Lengths()
    with queue.writing():
        for song in queue.songs("waiting"):
            try:
                seconds = lengths.of(song)
            except CovermakerError:
                continue
            if seconds != song.seconds:
                queue.change(song.id, seconds=seconds)
