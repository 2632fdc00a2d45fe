"""One gain for all songs of an album, so that they keep their relation and together reach the target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from covermaker.render.gauge import together

if TYPE_CHECKING:
    from collections.abc import Iterable

    from covermaker.batch.rows import Song

# The passes of a song: how loud its mix is, then its master at what that gives.
GAUGE: Final = "gauge"
MASTER: Final = "master"

_LOUDNESS_LUFS: Final = (-40.0, -5.0)  # what a document may ask of a master


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
