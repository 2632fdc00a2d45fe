"""The first pass: chunks of frames are sung with context, joined, resampled, and written.

What crosses a border is made once for the whole song, the pitch and its phase, or depends on a frame's number, the
noise. A network that looks a known way to either side sings the same however it is cut, and 40 ms join its chunks. One
with attention looks at all it is given: it is cut at fixed places of the song (`Grid`), so that neither the length of a
chunk nor a region changes what is sung, and its chunks cross-fade for longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.files import wav_writer
from covermaker.audio.overlap import Chunk, OverlapAdd, plan
from covermaker.audio.resample import Resampler
from covermaker.errors import WeightsError
from covermaker.features.clock import FRAME_RATE, frame_count

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples
    from covermaker.convert.span import Span
    from covermaker.convert.told import Content
    from covermaker.progress import Progress
    from covermaker.voices.networks.base import SungPitch, Synthesizer

JOIN_FRAMES = 4  # with enough context both sides agree there


@dataclass(frozen=True, slots=True)
class Grid:
    """Fixed places of a song at which it is cut, whatever is asked for.

    Parameters
    ----------
    frames : int
        Of a chunk.
    join_frames : int
        Over which neighbours cross-fade.
    context_frames : int
        That a chunk is given on both sides.
    """

    frames: int
    join_frames: int
    context_frames: int

    def pieces(self, total: int, first: int, last: int) -> Iterator[tuple[Chunk, int, int]]:
        """Yield what is kept of each chunk of a song of `total` frames that lies between `first` and `last`.

        Yields
        ------
        chunk : Chunk
            Counted from `first`; together they cover the frames up to before `last`.
        begin, end : int
            What the chunk is given, counted from the song's start; may lie outside the song.
        """
        index = 0
        for chunk in plan(total, chunk=self.frames, overlap=self.join_frames):
            stop = min(chunk.stop, last)
            # What would end inside the next one's fade is left to that.
            if not index and stop < last and stop - first <= self.join_frames:
                continue
            start, fade_in = (chunk.start, chunk.fade_in) if index else (max(chunk.start, first), 0)
            kept = Chunk(index, start - first, stop - first, fade_in, stop == last)
            yield kept, chunk.start - self.context_frames, chunk.stop + self.context_frames
            if stop == last:
                return
            index += 1


@dataclass(frozen=True, slots=True)
class Score:
    """What a network is to sing: of the whole song, on the feature clock.

    Attributes
    ----------
    content : Content
    pitch : SungPitch
    loudness_db : array (n,)
        Of the source.
    speaker : int or list of float
        As `Synthesizer.render` takes it.
    seed : int
        Of the noise.
    formant_ratio : float
    noise_scale : float or None
    """

    content: Content
    pitch: SungPitch
    loudness_db: NDArray[np.floating[Any]]
    speaker: int | list[float]
    seed: int
    formant_ratio: float = 1.0
    noise_scale: float | None = None


def sing(
    singer: Synthesizer,
    score: Score,
    sung: Path,
    span: Span,
    *,
    name: str,
    chunk_seconds: float,
    grid: Grid | None,
    progress: Progress,
) -> int:
    """Sing a span into a file at the song's rate; return the number of chunks.

    Parameters
    ----------
    singer : Synthesizer
    score : Score
    sung : Path
        Written: mono float32 WAV.
    span : Span
    name : str
        The voice's, for messages.
    chunk_seconds : float
        Sung at a time where there is no grid.
    grid : Grid or None
    progress : Progress

    Raises
    ------
    WeightsError
        When the network sings no finite sound.
    """
    hop, known = singer.hop_samples, len(score.pitch)
    first = span.first_frame
    last = min(known, first + frame_count(span.sung_samples, span.sample_rate))
    if grid is None:
        joined = JOIN_FRAMES
        chunks = plan(last - first, chunk=round(chunk_seconds * FRAME_RATE), overlap=joined)
        pieces = [
            (chunk, first + chunk.start - singer.context_frames, first + chunk.stop + singer.context_frames)
            for chunk in chunks
        ]
    else:
        joined = grid.join_frames
        pieces = list(grid.pieces(known, first, last))
    join = OverlapAdd()

    def parts() -> Iterator[Samples]:
        for chunk, begin, end in pieces:
            begin, end = max(0, begin), min(known, end)
            start, stop = first + chunk.start, first + chunk.stop
            block = singer.render(
                score.content(begin, end),
                score.pitch.part(begin, end),
                np.asarray(score.loudness_db[begin:end]),
                first_frame=begin,
                seed=score.seed,
                speaker=score.speaker,
                formant_ratio=score.formant_ratio,
                noise_scale=score.noise_scale,
                keep=slice(start - begin, stop - begin),
            )
            if not np.isfinite(block).all():
                raise WeightsError(
                    f"voice '{name}' sings no finite sound at {start / FRAME_RATE:.2f} s",
                    hint="its weights are damaged or badly trained",
                )
            yield join.push(_samples(chunk, hop), block, next_overlap=joined * hop)
            progress(chunk.stop / (last - first))

    def resampled() -> Iterator[Samples]:
        resampler = Resampler(singer.sample_rate, span.sample_rate, 1)
        for sound in parts():
            yield resampler.push(sound[np.newaxis])
        yield resampler.finish()

    left = span.sung_samples
    with wav_writer(sung, sample_rate=span.sample_rate, channels=1) as writer:
        # The last frame reaches past the last sample, so there is always enough to take.
        for block in resampled():
            writer.write(block[:, :left])
            left -= min(left, block.shape[1])
    return len(pieces)


def _samples(chunk: Chunk, hop: int) -> Chunk:
    return Chunk(chunk.index, chunk.start * hop, chunk.stop * hop, chunk.fade_in * hop, chunk.last)
