"""The second pass: what was sung gets its level, is silent where the source is, and is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.files import blocks, wav_writer
from covermaker.convert.cleanup import silence_curve
from covermaker.convert.curves import FrameCurve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples
    from covermaker.convert.levels import Correction, Pair
    from covermaker.progress import Progress


def clean(
    pair: Pair,
    out: Path,
    correction: Correction,
    *,
    heard: NDArray[np.floating[Any]] | None,
    progress: Progress,
) -> float:
    """Clean what was sung and write the region; return its peak.

    Parameters
    ----------
    pair : Pair
    out : Path
        Mono float32 WAV at the vocal's rate.
    correction : Correction
    heard : array (n,), optional
        0 to 1 on the feature clock: where a second voice rests.
    progress : Progress
    """
    span, rate = pair.span, pair.span.sample_rate
    source = {"start": span.sung_start, "frames": span.sung_samples}
    silence = silence_curve(blocks(pair.vocal, block_frames=rate, **source), rate)
    rests = None if heard is None else FrameCurve(heard[pair.frames], rate)

    def blended() -> Iterator[Samples]:
        position = 0
        for raw, original in zip(blocks(pair.sung), blocks(pair.vocal, **source), strict=True):
            level = raw[0] * correction.gain.at(position, raw.shape[1])
            position += raw.shape[1]
            if correction.consonants is not None:
                level = correction.consonants.push(level, original.mean(axis=0))
            yield level
            progress(position / span.sung_samples)
        if correction.consonants is not None:
            yield correction.consonants.finish()

    position, peak = 0, 0.0  # in what was sung
    first, last = span.start - span.sung_start, span.stop - span.sung_start
    with wav_writer(out, sample_rate=rate, channels=1) as writer:
        for block in blended():
            sound = block * silence.at(position, len(block))
            if rests is not None:
                sound = sound * rests.at(position, len(block))
            kept = sound[max(0, first - position) : max(0, last - position)]
            if len(kept):
                peak = max(peak, float(np.abs(kept).max()))
                writer.write(kept[np.newaxis])
            position += len(block)
    return peak
