"""What is sung, as a network is told it: the source's content, drawn towards the voice's own by its index.

Our own voices hear rows that were drawn before, and at frames between two rows their mean. Imported voices hear every
row twice, drawn and not drawn mixed for each frame by `protect`, as RVC does it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from covermaker.convert.consonants import PROTECT_OFF
from covermaker.convert.span import MARGIN_SECONDS
from covermaker.features.clock import FRAME_RATE
from covermaker.features.content import CONTENT_RATE, content_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from covermaker.convert.span import Span
    from covermaker.voices.networks.base import Synthesizer
    from covermaker.voices.retrieval import Retrieval

# (begin, end) on the feature clock -> float32 array (end - begin, width)
Content: TypeAlias = Callable[[int, int], "NDArray[np.float32]"]

VOICED_HZ = 1.0  # RVC protects frames below
_ROWS_FRAMES = FRAME_RATE // CONTENT_RATE  # to each row
_BLEND_ROWS = 3000  # a minute of content is drawn towards the voice at a time


@dataclass(frozen=True, slots=True)
class Source:
    """What is read of the whole song, and by what it is drawn.

    Attributes
    ----------
    content : float16 array (rows, width)
        50 rows a second.
    f0_hz : array (n,)
        On the feature clock, 0 where unvoiced.
    index : Retrieval or None
        None: nothing is drawn.
    ratio, protect : float
        As in `ConvertSettings`.
    speaker : int
        Who sings, or mostly does, by the order on the card.
    """

    content: NDArray[np.float16]
    f0_hz: NDArray[np.floating[Any]]
    index: Retrieval | None
    ratio: float
    protect: float
    speaker: int = 0


def rows_drawn(source: Source, span: Span, singer: Synthesizer) -> Content:
    """Draw the rows that a span needs; those of consonants less, as `protect` says."""
    rows = _drawn_rows(source, span)
    return lambda begin, end: content_at(rows, begin, end - begin, held=singer.content_held)


def _drawn_rows(source: Source, span: Span) -> NDArray[np.float16]:
    content, index = source.content, source.index
    if index is None or not len(content):
        return content
    voiced = np.zeros(len(content) * _ROWS_FRAMES, dtype=bool)
    voiced[: len(source.f0_hz)] = np.asarray(source.f0_hz[: len(voiced)]) > 0
    share = np.where(voiced.reshape(-1, _ROWS_FRAMES).any(axis=1), 1.0, source.protect / PROTECT_OFF)
    drawn = content.copy()
    sung_seconds = -(-span.sung_samples // span.sample_rate)
    first = max(0, (span.sung_second - MARGIN_SECONDS) * CONTENT_RATE)
    last = min(len(content), (span.sung_second + sung_seconds + MARGIN_SECONDS) * CONTENT_RATE)
    for start in range(first, last, _BLEND_ROWS):
        rows = slice(start, min(start + _BLEND_ROWS, last))
        drawn[rows] = index.blend(content[rows], source.ratio * share[rows], singer=source.speaker)
    return drawn


def frames_drawn(source: Source, span: Span, singer: Synthesizer) -> Content:
    """Draw row by row, then mix at every frame: unvoiced ones have the share `protect` of what was drawn.

    `PROTECT_OFF` leaves voiced and unvoiced frames alike.
    """
    content, index = source.content, source.index
    if index is None or not len(content):
        return lambda begin, end: content_at(content, begin, end - begin, held=singer.content_held)

    def drawn(begin: int, end: int) -> NDArray[np.float32]:
        first = min(begin // _ROWS_FRAMES, len(content) - 1)
        rows = content[first : -(-end // _ROWS_FRAMES) + 1].astype(np.float32)
        at = begin - first * _ROWS_FRAMES
        plain = content_at(rows, at, end - begin, held=singer.content_held)
        there = index.blend(rows, source.ratio, singer=source.speaker)
        there = content_at(there, at, end - begin, held=singer.content_held)
        if source.protect >= PROTECT_OFF:
            return there
        unvoiced = np.asarray(source.f0_hz[begin:end]) < VOICED_HZ
        share = np.where(unvoiced, source.protect, 1.0).astype(np.float32)[:, None]
        return there * share + plain * (1 - share)

    return drawn


def always_drawn(source: Source, span: Span, singer: Synthesizer) -> Content:
    """Draw as `frames_drawn` does, but without its protection, which so-vits-svc does not know."""
    from dataclasses import replace

    return frames_drawn(replace(source, protect=PROTECT_OFF), span, singer)
