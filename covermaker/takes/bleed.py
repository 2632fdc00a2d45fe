"""How much music a take holds beside the voice: a separator's own judgement of one excerpt.

Separating costs a few seconds of computing a take, so the excerpt is 12 s at most (one segment of the separator), and
only taken when asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.files import blocks, read, wav_writer
from covermaker.takes.cache import Arrays, cached, key_of, scratch
from covermaker.takes.working import SEPARATOR, split_song

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

VERSION = 1
EXCERPT_SECONDS = 11.8


def bleed_db(
    mono: Path, cuts: Sequence[tuple[int, int]], sample_rate: int, cache: Path | None, key: str
) -> float | None:
    """Return the level of what is no voice in dB under (negative) or over the voice; None when nothing is sung.

    Measured in the longest clip.
    """
    if not cuts:
        return None
    start, end = max(cuts, key=lambda cut: cut[1] - cut[0])
    end = min(end, start + round(EXCERPT_SECONDS * sample_rate))

    def make() -> Arrays:
        with scratch(cache) as folder:
            song = folder / "excerpt.wav"
            excerpt = read(mono, start=start, frames=end - start).samples
            with wav_writer(song, sample_rate=sample_rate, channels=2) as file:
                file.write(np.repeat(excerpt, 2, axis=0))
            split_song(song, folder / "stems")
            voice, total = 0.0, 0.0
            for stem in sorted((folder / "stems").glob("*.wav")):
                energy = sum(float(np.square(block, dtype=np.float64).sum()) for block in blocks(stem))
                total += energy
                voice += energy if stem.stem == "vocals" else 0.0
        ratio = 10.0 * np.log10(max(total - voice, 1e-12) / max(voice, 1e-12))
        return {"bleed_db": np.array(ratio)}

    name = f"bleed-{VERSION}-{key_of(key, SEPARATOR, start, end)}"
    return float(cached(cache, name, make)["bleed_db"])
