"""What is sung, apart from who sings it: a content encoder's rows, 50 a second.

`encoders` has the networks; here their windows are joined. A long vocal is read in windows of 30 s of which only the
middle 26 s are kept, joined over 1 s: rows near a window's edge lack context on one side and are never used inside a
song. Whatever rate an encoder has, its rows come out on one grid, row i centred at i / 50 s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.files import blocks, probe
from covermaker.audio.overlap import OverlapAdd, plan
from covermaker.errors import CovermakerError
from covermaker.features.clock import frame_count
from covermaker.features.encoders import ENCODERS, content_fingerprint, content_weights, encoders_of
from covermaker.features.encoders.base import SAMPLE_RATE, WINDOW_SAMPLES
from covermaker.features.encoders.grid import GRID_HZ, at_grid
from covermaker.progress import Progress, part, silent
from covermaker.weights.catalog import find
from covermaker.weights.device import NETWORK_THREADS
from covermaker.weights.warm import loaded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.features.encoders import ContentEncoder, Encode

VERSION = 1  # of the joining; every encoder has a version of its own
ENCODER = "whisper-base"  # the encoder of voices that name no other
CONTENT_RATE = GRID_HZ  # rows per second
CONTENT_DIM = 512  # numbers a row of `ENCODER`

_ROW_SAMPLES = SAMPLE_RATE // CONTENT_RATE
_WINDOW_ROWS = WINDOW_SAMPLES // _ROW_SAMPLES
_KEPT_ROWS = 1300  # the middle 26 s of a window
_MARGIN_ROWS = 100  # context on each side of them
_JOIN_ROWS = 50  # neighbours cross-fade over 1 s
_PACK_GAP_ROWS = 20  # silence between clips that share a window
_FLOAT16_GROWTH = 2  # Whisper lies in float16 on the disk


def opened(name: str, device: str = "cpu", threads: int = NETWORK_THREADS) -> Encode:
    """Load the network of one encoder, once a process."""
    size = sum(file.stat().st_size for weight in content_weights(name) for file in find(weight).files)
    return loaded(
        ("content", name, device, threads),
        content_fingerprint(name),
        lambda: ENCODERS.load(name).open(device=device, threads=threads),
        size_bytes=size * _FLOAT16_GROWTH,
        shared=True,
    )


def extract_content(
    vocal: Path, *, encoder: str = ENCODER, progress: Progress = silent, device: str = "cpu"
) -> NDArray[np.float16]:
    """Read the content of a vocal.

    Parameters
    ----------
    vocal : Path
        Any file of `covermaker.audio.files`; channels are averaged.
    encoder : str
        A name of `encoders.ENCODERS`, or several joined by ``+``.
    progress : callable
        Called with 0..1.
    device : str
        ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.

    Returns
    -------
    float16 array (ceil(clock frames / 2), width)
        Row i is centred at i / 50 s; `content_at` reads it at the clock. A fusion's rows are those of its encoders
        side by side, in the name's order.

    Raises
    ------
    AudioInputError, UsageError, WeightsError
    """
    info = probe(vocal)
    total = -(-frame_count(info.frames, info.sample_rate) // 2)
    readers = encoders_of(encoder)
    rows = [
        _read_stream(
            _at_16k(vocal, info.sample_rate),
            total,
            reader,
            device=device,
            threads=NETWORK_THREADS,
            progress=part(progress, index / len(readers), (index + 1) / len(readers)),
        )
        for index, reader in enumerate(readers)
    ]
    content = rows[0] if len(rows) == 1 else np.concatenate(rows, axis=1)
    if not np.isfinite(content).all():
        raise CovermakerError(f"the content encoder '{encoder}' gave NaN for {vocal.name}")
    return content


def encode_clips(
    clips: Sequence[NDArray[np.float32]],
    *,
    encoder: str = ENCODER,
    progress: Progress = silent,
    threads: int = NETWORK_THREADS,
    device: str = "cpu",
) -> list[NDArray[np.float16]]:
    """Read many 16 kHz clips: the way training data is read.

    An encoder that always reads 30 s gets several clips a window, with silence between; a clip too long to share one
    is read as a vocal is. The rows of a clip depend on those it shares a window with, see `clip_groups`.

    Parameters
    ----------
    clips : sequence of float32 array (n,)
        16 kHz mono.
    encoder : str
        A name of `encoders.ENCODERS`, or several joined by ``+``.
    progress : callable
        Called with 0..1.
    threads : int
        For encoders that run on the CPU outside torch. Another number adds in another order: rows agree to three
        digits, not to the last bit.
    device : str
        ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.

    Returns
    -------
    list of float16 array (ceil(samples / 320), width)
    """
    readers = encoders_of(encoder)
    rows: list[list[NDArray[np.float16]]] = []
    lengths = [len(clip) for clip in clips]
    for index, reader in enumerate(readers):
        told = part(progress, index / len(readers), (index + 1) / len(readers))
        read: list[NDArray[np.float16]] = []
        for group in clip_groups(lengths, reader):
            read += read_group([clips[number] for number in group], reader, device=device, threads=threads)
            told(len(read) / len(clips))
        rows.append(read)
    progress(1.0)
    return [
        np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0] for parts in zip(*rows, strict=True)
    ]


def clip_groups(lengths: Sequence[int], encoder: ContentEncoder) -> list[tuple[int, ...]]:
    """Say which clips are read in one window, by their `lengths` in samples: neighbours, as many as fit."""
    if not encoder.FIXED_WINDOW:
        return [(index,) for index in range(len(lengths))]
    groups: list[tuple[int, ...]] = []
    batch: tuple[int, ...] = ()
    used = 0
    for index, length in enumerate(lengths):
        need = _rows(length) + _PACK_GAP_ROWS
        if batch and used + need > _WINDOW_ROWS:
            groups.append(batch)
            batch, used = (), 0
        batch += (index,)
        used += need
    return [*groups, batch] if batch else groups


def read_group(
    clips: Sequence[NDArray[np.float32]],
    encoder: ContentEncoder,
    *,
    device: str = "cpu",
    threads: int = NETWORK_THREADS,
) -> list[NDArray[np.float16]]:
    """Read one group of `clip_groups`; returns a float16 array (ceil(samples / 320), WIDTH) for each clip."""
    if len(clips) == 1 and len(clips[0]) > WINDOW_SAMPLES - _PACK_GAP_ROWS * _ROW_SAMPLES:
        total = _rows(len(clips[0]))
        return [_read_stream(iter(clips), total, encoder, device=device, threads=threads)]
    starts = np.cumsum([0, *(_rows(len(clip)) + _PACK_GAP_ROWS for clip in clips)])
    window = np.zeros(WINDOW_SAMPLES if encoder.FIXED_WINDOW else len(clips[0]), dtype=np.float32)
    for start, clip in zip(starts, clips, strict=False):
        window[start * _ROW_SAMPLES : start * _ROW_SAMPLES + len(clip)] = clip
    rows = _encode(encoder, window, int(starts[-1]), device=device, threads=threads).astype(np.float16)
    return [rows[start : start + _rows(len(clip))].copy() for start, clip in zip(starts, clips, strict=False)]


def content_at(
    content: NDArray[np.floating[Any]], start_frame: int, count: int, *, held: bool = False
) -> NDArray[np.float32]:
    """Read content at `count` frames of the 100 frames-a-second clock from `start_frame` on.

    Even frames fall on a row, odd ones between two and take their mean. Past the ends the end row holds.

    Parameters
    ----------
    content : float array (rows, width)
        50 rows a second.
    start_frame, count : int
    held : bool
        Odd frames repeat the row before them instead.

    Returns
    -------
    float32 array (count, width)
    """
    if not len(content):
        return np.zeros((count, content.shape[1]), dtype=np.float32)
    frames = np.arange(start_frame, start_frame + count)
    last = len(content) - 1
    before = content[np.clip(frames // 2, 0, last)].astype(np.float32)
    if held:
        return before
    after = content[np.clip((frames + 1) // 2, 0, last)].astype(np.float32)
    return (before + after) * np.float32(0.5)


def _rows(samples: int) -> int:
    return -(-samples // _ROW_SAMPLES)


def _read_stream(
    parts: Iterator[NDArray[np.float32]],
    total: int,
    encoder: ContentEncoder,
    *,
    device: str,
    threads: int,
    progress: Progress = silent,
) -> NDArray[np.float16]:
    """Read `total` rows of a stream of 16 kHz samples, window by window."""
    content = np.zeros((total, encoder.WIDTH), dtype=np.float16)
    join = OverlapAdd()
    written = 0
    heard = _Window(parts)
    for chunk in plan(total, chunk=_KEPT_ROWS, overlap=_JOIN_ROWS):
        first = max(0, chunk.start - _MARGIN_ROWS)
        # What reads any length is not given silence after the end: it would look at it.
        length = (
            WINDOW_SAMPLES if encoder.FIXED_WINDOW else min(WINDOW_SAMPLES, (total - first) * _ROW_SAMPLES)
        )
        window = heard.read(first * _ROW_SAMPLES, length)
        rows = _encode(encoder, window, chunk.stop - first, device=device, threads=threads)
        done = join.push(chunk, rows[chunk.start - first :].T, next_overlap=_JOIN_ROWS).T
        content[written : written + len(done)] = done
        written += len(done)
        progress(chunk.stop / total)
    return content


def _encode(
    encoder: ContentEncoder, window: NDArray[np.float32], count: int, *, device: str, threads: int
) -> NDArray[np.float32]:
    """Return the first `count` rows of a window on the grid; silence is zeros and loads no network."""
    if not window.any():
        return np.zeros((count, encoder.WIDTH), dtype=np.float32)
    rows = opened(encoder.NAME, device, threads)(window)
    return at_grid(rows, count, rate_hz=encoder.RATE_HZ, first_seconds=encoder.FIRST_ROW_SECONDS)


def _at_16k(vocal: Path, sample_rate: int) -> Iterator[NDArray[np.float32]]:
    """Stream a file as 16 kHz mono."""
    import soxr

    if sample_rate == SAMPLE_RATE:
        for block in blocks(vocal):
            yield block.mean(axis=0)
        return
    resampler = soxr.ResampleStream(sample_rate, SAMPLE_RATE, 1, dtype="float32")
    for block in blocks(vocal):
        yield resampler.resample_chunk(block.mean(axis=0))
    yield resampler.resample_chunk(np.zeros(0, dtype=np.float32), last=True)


class _Window:
    """A window that moves forward over a stream of samples; zeros past the end."""

    def __init__(self, parts: Iterator[NDArray[np.float32]]) -> None:
        self._parts = parts
        self._held = np.zeros(0, dtype=np.float32)
        self._start = 0

    def read(self, start: int, length: int) -> NDArray[np.float32]:
        """Return `length` samples from `start` on; `start` never falls from call to call."""
        pieces = [self._held[start - self._start :]]
        have = len(pieces[0])
        while have < length and (part := next(self._parts, None)) is not None:
            pieces.append(part)
            have += len(part)
        self._held, self._start = np.concatenate(pieces), start
        window = np.zeros(length, dtype=np.float32)
        window[: min(have, length)] = self._held[:length]
        return window
