"""A melody that the voice makes up itself, for speech: so-vits-svc's automatic pitch, phrase by phrase.

The network's pitch decoder looks at all that was said so far and takes the mean off what it hears, so it is asked for a
phrase at a time, cut in the middle of the longest pauses. Where nobody pauses for long, the cut is hard; the phase runs
on through it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from covermaker.features.clock import FRAME_RATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from covermaker.convert.told import Content
    from covermaker.voices.networks.base import SungPitch, Synthesizer
    from covermaker.voices.networks.vits import VitsSynthesizer

SHORTEST_SECONDS = 5.0
LONGEST_SECONDS = 20.0


def invented_pitch(
    singer: Synthesizer,
    content: Content,
    f0_hz: NDArray[np.floating[Any]],
    loudness_db: NDArray[np.floating[Any]],
    speaker: int | Sequence[float],
) -> SungPitch:
    """Return the pitch that a voice makes up for what is said; what was unvoiced stays so.

    Parameters
    ----------
    singer : Synthesizer
        Of a voice that can, see `manners.makes_up_pitch`.
    content : Content
    f0_hz, loudness_db : arrays (n,)
        Of the source, on the feature clock.
    speaker : int or sequence of float
        As `Synthesizer.render` takes it.
    """
    inventor = cast("VitsSynthesizer", singer)
    heard = inventor.pitch(f0_hz)
    invented = [
        inventor.guess_f0(
            content(begin, end),
            heard.part(begin, end),
            np.asarray(loudness_db[begin:end]),
            first_frame=begin,
            speaker=speaker,
        )
        for begin, end in phrases(heard.voiced)
    ]
    return inventor.pitch(np.concatenate(invented or [np.zeros(0)]), voiced=heard.voiced)


def phrases(voiced: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Cut frames (n,) into phrases, each from begin to before end: none is longer than `LONGEST_SECONDS`.

    Each cut lies in the middle of the longest pause between `SHORTEST_SECONDS` and `LONGEST_SECONDS` after the last.
    """
    shortest, longest = round(SHORTEST_SECONDS * FRAME_RATE), round(LONGEST_SECONDS * FRAME_RATE)
    found, begin = [], 0
    while len(voiced) - begin > longest:
        pauses = np.concatenate(([False], ~voiced[begin + shortest : begin + longest], [False]))
        edges = np.flatnonzero(np.diff(pauses.astype(np.int8))).reshape(-1, 2)
        cut = longest
        if len(edges):
            start, stop = edges[np.argmax(np.diff(edges, axis=1))]
            cut = shortest + max(1, (start + stop) // 2)
        found.append((begin, begin + int(cut)))
        begin += int(cut)
    return [*found, (begin, len(voiced))] if begin < len(voiced) else found
