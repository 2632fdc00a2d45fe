"""What is sung, apart from who sings it: Whisper's encoder read at 50 rows a second.

Whisper (Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision") reads 30 s windows of
log-mel spectrum; its second convolution has stride 2 over 10 ms frames, so row i of the encoder is centred at
i / 50 s of the window. A long vocal is read in windows of which only the middle 26 s are kept, joined over 1 s:
rows near a window's edge lack context on one side and are never used inside a song.

The encoder runs in float32: int8 is 1.4 times faster on a CPU but moves rows by 4 % on average and some by more
than their own length.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.files import blocks, probe
from covermaker.audio.overlap import OverlapAdd, plan
from covermaker.errors import CovermakerError, WeightsError
from covermaker.features.clock import frame_count
from covermaker.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

VERSION = 1
ENCODER = "whisper-base"  # name in the weights catalog
CONTENT_RATE = 50  # rows per second
CONTENT_DIM = 512

SAMPLE_RATE = 16_000  # what Whisper hears
WINDOW_ROWS = 1500  # 30 s, the only length the encoder knows
_ROW_SAMPLES = SAMPLE_RATE // CONTENT_RATE
_WINDOW_SAMPLES = WINDOW_ROWS * _ROW_SAMPLES
_KEPT_ROWS = 1300  # the middle 26 s of a window
_MARGIN_ROWS = 100  # context on each side of them
_JOIN_ROWS = 50  # neighbours cross-fade over 1 s
_PACK_GAP_ROWS = 20  # silence between clips that share a window
_THREADS = 2


class ContentEncoder:
    """The loaded encoder.

    Parameters
    ----------
    folder : Path
        Holds model.bin, config.json, tokenizer.json and the vocabulary, as CTranslate2 wants them.
    device : str
        ``"cpu"`` or ``"cuda"``.
    threads : int
        Used on a CPU.

    Raises
    ------
    WeightsError
        When the folder does not hold a Whisper base encoder.
    """

    def __init__(self, folder: Path, *, device: str = "cpu", threads: int = _THREADS) -> None:
        from faster_whisper import WhisperModel

        try:
            # local_files_only: a wrong folder must fail here, not go looking on a hub.
            self._model: Any = WhisperModel(
                str(folder), device=device, compute_type="float32", cpu_threads=threads, local_files_only=True
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise WeightsError(
                f"{ENCODER} cannot be loaded from {folder}: {error}", hint="run: covermaker models verify"
            ) from error
        # CTranslate2 replicas are not re-entrant for one host array: one call at a time.
        self._lock = threading.Lock()

    def encode(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """Encode at most 30 s of 16 kHz mono sound.

        Returns
        -------
        float32 array (1500, 512)
            Row i is centred at i / 50 s. All zeros for digital silence, which is not sent through the network.
        """
        if len(window) > _WINDOW_SAMPLES:
            raise ValueError(f"a window holds {_WINDOW_SAMPLES} samples, not {len(window)}")
        if not window.any():
            return np.zeros((WINDOW_ROWS, CONTENT_DIM), dtype=np.float32)
        padded = np.zeros(_WINDOW_SAMPLES, dtype=np.float32)
        padded[: len(window)] = window
        mel = self._model.feature_extractor(padded)[:, : 2 * WINDOW_ROWS]  # (80, 3000)
        with self._lock:
            rows = np.array(self._model.encode(mel))[0]  # (1500, 512)
        if rows.shape != (WINDOW_ROWS, CONTENT_DIM):
            raise WeightsError(
                f"{ENCODER} gives rows of shape {rows.shape}, not {(WINDOW_ROWS, CONTENT_DIM)}"
            )
        return np.asarray(rows, dtype=np.float32)

    def encode_clips(
        self, clips: Sequence[NDArray[np.float32]], *, progress: Progress = silent
    ) -> list[NDArray[np.float16]]:
        """Encode many short 16 kHz clips, several to a window: the way training data is read.

        Parameters
        ----------
        clips : sequence of float32 array
            Each at most 30 s.

        Returns
        -------
        list of float16 array (ceil(samples / 320), 512)
        """
        rows: list[NDArray[np.float16]] = []
        batch: list[NDArray[np.float32]] = []
        used = 0
        for index, clip in enumerate(clips):
            need = -(-len(clip) // _ROW_SAMPLES) + _PACK_GAP_ROWS
            if batch and used + need > WINDOW_ROWS:
                rows += self._encode_pack(batch)
                batch, used = [], 0
                progress(index / len(clips))
            batch.append(clip)
            used += need
        if batch:
            rows += self._encode_pack(batch)
        progress(1.0)
        return rows

    def _encode_pack(self, clips: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float16]]:
        window = np.zeros(_WINDOW_SAMPLES, dtype=np.float32)
        spans: list[tuple[int, int]] = []
        row = 0
        for clip in clips:
            clip = clip[: _WINDOW_SAMPLES - row * _ROW_SAMPLES]
            window[row * _ROW_SAMPLES : row * _ROW_SAMPLES + len(clip)] = clip
            count = -(-len(clip) // _ROW_SAMPLES)
            spans.append((row, row + count))
            row += count + _PACK_GAP_ROWS
        encoded = self.encode(window).astype(np.float16)
        return [encoded[start:stop].copy() for start, stop in spans]


@lru_cache(maxsize=1)
def encoder(device: str = "cpu") -> ContentEncoder:
    """Load the catalog's encoder once a process."""
    from covermaker.weights.catalog import locate

    return ContentEncoder(locate(ENCODER), device=device)


def extract_content(vocal: Path, *, progress: Progress = silent, device: str = "cpu") -> NDArray[np.float16]:
    """Read the content of a vocal.

    Parameters
    ----------
    vocal : Path
        Any file of `covermaker.audio.files`; channels are averaged.
    progress : callable
        Called with 0..1.
    device : str
        ``"cpu"`` or ``"cuda"``.

    Returns
    -------
    float16 array (ceil(clock frames / 2), 512)
        Row i is centred at i / 50 s; `content_at` reads it at the clock.

    Raises
    ------
    AudioInputError, WeightsError
    """
    info = probe(vocal)
    total = -(-frame_count(info.frames, info.sample_rate) // 2)
    content = np.zeros((total, CONTENT_DIM), dtype=np.float16)
    join = OverlapAdd()
    written = 0
    heard = _Window(_at_16k(vocal, info.sample_rate))
    for chunk in plan(total, chunk=_KEPT_ROWS, overlap=_JOIN_ROWS):
        first = max(0, chunk.start - _MARGIN_ROWS)
        window = heard.read(first * _ROW_SAMPLES, _WINDOW_SAMPLES)
        if window.any():
            rows = encoder(device).encode(window)[chunk.start - first : chunk.stop - first]
        else:
            rows = np.zeros((chunk.length, CONTENT_DIM), dtype=np.float32)
        done = join.push(chunk, rows.T, next_overlap=_JOIN_ROWS).T
        content[written : written + len(done)] = done
        written += len(done)
        progress(chunk.stop / total)
    if not np.isfinite(content).all():
        raise CovermakerError(f"the content encoder gave NaN for {vocal.name}")
    return content


def content_at(content: NDArray[np.float16], start_frame: int, count: int) -> NDArray[np.float32]:
    """Read content at `count` frames of the 100 frames-a-second clock from `start_frame` on.

    Even frames fall on a row, odd ones between two and take their mean. Past the ends the end row holds.

    Returns
    -------
    float32 array (count, 512)
    """
    if not len(content):
        return np.zeros((count, content.shape[1]), dtype=np.float32)
    frames = np.arange(start_frame, start_frame + count)
    last = len(content) - 1
    before = content[np.clip(frames // 2, 0, last)].astype(np.float32)
    after = content[np.clip((frames + 1) // 2, 0, last)].astype(np.float32)
    return (before + after) * np.float32(0.5)


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
