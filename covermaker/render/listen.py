"""Is what shall be converted a lone vocal? A whole song, sung by a voice, is noise.

Two signs, both plain: a song never falls silent, while a singer breathes; and a separator finds more than a voice in
it. The second costs most of a second and is only asked where the first is there.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.files import probe, read, wav_writer
from covermaker.takes.bleed import EXCERPT_SECONDS, bleed_db

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_SECONDS = 2.0
SILENCE_DB = -60.0
FRAME_RATE = 100
# Between the quiet tenth of the frames and the loud twentieth. Songs (two real ones, our demo) read 7 to 10 dB, dry
# vocals and speech 29 and more, a separated vocal with a long reverb 18.
ALWAYS_LOUD_DB = 15.0
# Of what is no voice against the voice. Songs read -1 and above, vocals -13 and below, but for one in seventy clips.
MUSIC_DB = -4.0

NOTE = (
    "this sounds like a whole song: covermaker new, or covermaker separate, takes the vocal out of it first"
)


def music_db(vocal: Path, level_db: NDArray[np.floating[Any]]) -> float | None:
    """Return the level of the music in a recording over that of the voice, where it sounds like a whole song.

    Parameters
    ----------
    vocal : Path
        The recording.
    level_db : float array (frames,)
        Its loudness, 100 frames a second.

    Returns
    -------
    float or None
        In dB; None for what may be a lone voice.
    """
    start, stop = _loudest(level_db)
    if stop - start < LEAST_SECONDS * FRAME_RATE:
        return None
    quiet_db, loud_db = np.percentile(level_db[start:stop], [10, 95])
    if loud_db < SILENCE_DB or loud_db - quiet_db > ALWAYS_LOUD_DB:
        return None
    info = probe(vocal)
    first, last = (min(at * info.sample_rate // FRAME_RATE, info.frames) for at in (start, stop))
    with TemporaryDirectory() as scratch:
        excerpt = Path(scratch) / "excerpt.wav"
        with wav_writer(excerpt, sample_rate=info.sample_rate, channels=1) as file:
            file.write(read(vocal, start=first, frames=last - first).samples.mean(axis=0, keepdims=True))
        found = bleed_db(excerpt, [(0, last - first)], info.sample_rate, None, "")
    return found if found is not None and found > MUSIC_DB else None


def _loudest(level_db: NDArray[np.floating[Any]]) -> tuple[int, int]:
    """Return first and last frame of the loudest stretch that the separator hears at once."""
    length = min(len(level_db), int(EXCERPT_SECONDS * FRAME_RATE))
    energy = np.concatenate(([0.0], np.cumsum(10.0 ** (np.asarray(level_db, np.float64) / 10.0))))
    start = int(np.argmax(energy[length:] - energy[: len(energy) - length]))
    return start, start + length
