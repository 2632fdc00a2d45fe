"""One gain for all songs of an album, so that they keep their relation and together reach the target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from covermaker.render.gauge import BINS_PER_LU, together

if TYPE_CHECKING:
    from collections.abc import Iterable

    from covermaker.batch.queue import Queue
    from covermaker.batch.rows import Song

# The passes of a song: how loud its mix is, then its master at what that gives.
GAUGE: Final = "gauge"
MASTER: Final = "master"

_LOUDNESS_LUFS: Final = (-40.0, -5.0)  # what a document may ask of a master


class Album:
    """Which songs of an album were measured, and what that makes of their masters.

    A song counts while it is to be done or is done; one that fails or is cancelled changes what the others have.

    Parameters
    ----------
    queue : Queue
        Songs that it holds as done, with the mix they were measured by, need not be measured again.
    """

    def __init__(self, queue: Queue, album_lufs: float) -> None:
        self._queue = queue
        self._lufs = album_lufs
        self._gauged = {song.id for song in queue.songs("done") if "gauge" in song.result}
        self._levels: dict[int, float] | None = None

    def trust(self, song: Song, mix_key: str) -> bool:
        """Take a song as measured whose mix is still the one that was; tells whether it is."""
        if mix_key and song.result.get("gauge", {}).get("key") == mix_key:
            self._gauged.add(song.id)
        return song.id in self._gauged

    def gauged(self, song: int) -> None:
        """Note that a song was measured."""
        self._gauged.add(song)
        self._levels = None

    def forget(self, song: int) -> None:
        """Note that a song has to be measured again, or is no longer of the album."""
        self._gauged.discard(song)
        self._levels = None

    def needs_gauge(self, song: Song) -> bool:
        """Tell whether a song has to be measured before anything is mastered."""
        return song.id not in self._gauged

    def levels(self) -> dict[int, float] | None:
        """Return what each master is to have, by the song's number; None while songs are still to be measured."""
        if self._levels is None:
            songs = self._queue.songs("waiting", "running", "done")
            if any(self.needs_gauge(song) for song in songs):
                return None
            self._levels = targets(songs, self._lufs)
        return self._levels


def targets(songs: Iterable[Song], album_lufs: float) -> dict[int, float]:
    """Return the integrated loudness that each song's master is to have, by the song's number.

    A song whose mix is silent has none. The relation of the songs is that of their mixes.

    Parameters
    ----------
    songs : iterable of Song
        Those whose mixes were measured: ``result["gauge"]`` as `covermaker.render.gauge.gauge` returns it.
    album_lufs : float
        What all together shall have.
    """
    gauged = [song for song in songs if song.result.get("gauge", {}).get("lufs") is not None]
    album = together(song.result["gauge"]["bins"] for song in gauged)
    if album is None:
        return {}
    gain_db = album_lufs - album
    low, high = _LOUDNESS_LUFS
    return {song.id: round(min(high, max(low, song.result["gauge"]["lufs"] + gain_db)), 2) for song in gauged}


def reached(songs: Iterable[Song]) -> float | None:
    """Return how loud the masters of some songs are together, gated over all of them, in LUFS; None for silence.

    Parameters
    ----------
    songs : iterable of Song
        Those that are done. What a master is louder than its mix moves the histogram of the mix.
    """
    return together(_moved(song) for song in songs)


def _moved(song: Song) -> dict[str, int]:
    gauge, lufs = song.result.get("gauge") or {}, song.result.get("loudness_lufs")
    if lufs is None or gauge.get("lufs") is None:
        return {}
    by = round((lufs - gauge["lufs"]) * BINS_PER_LU)
    return {str(number): count for bin_, count in gauge["bins"].items() if (number := int(bin_) + by) >= 0}
