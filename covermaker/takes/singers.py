"""Whether all takes are sung by one person.

Each take is embedded in pieces of about ten seconds (`evaluate.speaker_encoder`). The piece that is most like all
others, weighed by their length, stands for the singer; pieces within `SAME_SINGER` of it make the singer's mean, twice.
What stays below `SAME_SINGER` of that mean is somebody else, or the singer in a very different voice.

The threshold lies between what was measured on four synthetic voices: pieces of one voice 0.90 and more to each
other, the two nearest voices 0.70 to 0.79.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.files import read, wav_writer
from covermaker.evaluate.speaker_encoder import NoVoiceError, embed
from covermaker.takes.cache import Arrays, cached, scratch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

VERSION = 1
SAME_SINGER = 0.80
PIECE_SECONDS = 8.0  # at least, where the take has as much
LEAST_PIECE_SECONDS = 1.6  # one stretch of the encoder; less is a guess
_ROUNDS = 2

Cut = tuple[int, int]


def singer_pieces(
    mono: Path, cuts: Sequence[Cut], sample_rate: int, cache: Path | None, key: str
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Embed a take.

    Parameters
    ----------
    mono : Path
        Its working copy.
    cuts : sequence of (int, int)
        Its clips in samples.
    sample_rate : int
        Of both.
    cache, key
        Where the result is kept, and under which hash of the copy.

    Returns
    -------
    embeddings : float32 array (pieces, 256)
    seconds : float64 array (pieces,)
    """
    from covermaker.takes.cache import key_of

    pieces = _pieces(cuts, sample_rate)

    def make() -> Arrays:
        rows: list[NDArray[np.float32]] = []
        lengths: list[float] = []
        with scratch(cache) as folder:
            for piece in pieces:
                path = folder / "piece.wav"
                with wav_writer(path, sample_rate=sample_rate, channels=1) as file:
                    for start, end in piece:
                        file.write(read(mono, start=start, frames=end - start).samples)
                try:
                    rows.append(embed(path))
                except NoVoiceError:
                    continue
                lengths.append(sum(end - start for start, end in piece) / sample_rate)
        return {"rows": np.array(rows, np.float32).reshape(-1, 256), "seconds": np.array(lengths)}

    name = f"singer-{VERSION}-{key_of(key, [list(map(list, piece)) for piece in pieces])}"
    found = cached(cache, name, make)
    return found["rows"], found["seconds"]


def likeness(rows: NDArray[np.float32], seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how like each piece is to the singer of most of them, 0..1; see the rule above.

    Parameters
    ----------
    rows : float32 array (n, 256)
        Embeddings of length one, n >= 1.
    seconds : float64 array (n,)
        How much sound each stands for.
    """
    every = rows.astype(np.float64)
    like: NDArray[np.float64] = (every @ every.T)[int(np.argmax((every @ every.T) @ seconds))]
    for _ in range(_ROUNDS):
        own = like >= SAME_SINGER
        mean = (every[own] * seconds[own, None]).sum(axis=0)
        like = every @ (mean / np.linalg.norm(mean))
    return like


def _pieces(cuts: Sequence[Cut], sample_rate: int) -> list[list[Cut]]:
    """Put neighbouring clips together until there is enough to know a singer by."""
    pieces: list[list[Cut]] = []
    held: list[Cut] = []
    length = 0.0
    for start, end in cuts:
        held.append((start, end))
        length += (end - start) / sample_rate
        if length >= PIECE_SECONDS:
            pieces.append(held)
            held, length = [], 0.0
    if held and pieces and length < PIECE_SECONDS / 2:
        pieces[-1].extend(held)
    elif held and length >= LEAST_PIECE_SECONDS:
        pieces.append(held)
    return pieces
