"""A file through a rack, tail included."""

from __future__ import annotations

import math
from contextlib import ExitStack, closing
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.files import blocks, probe, wav_writer
from covermaker.audio.stretch import StretchReader
from covermaker.effects.rack import BLOCK_SAMPLES, InPlace, Rack, StageReduction
from covermaker.errors import AudioInputError
from covermaker.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from covermaker.audio.buffer import Samples
    from covermaker.audio.files import Writer
    from covermaker.effects.automation import Move
    from covermaker.effects.rack import EffectSettings

# A tail ends where it falls below this for good; one that would last longer than the cap fades over its last part.
TAIL_FLOOR_DB = -90.0
TAIL_CAP_SECONDS = 10.0
_TAIL_FADE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class RackReport:
    """What `render_rack` wrote: `frames` of the source, `tail_frames`; `peak` is linear, `notes` are the effects'."""

    frames: int
    tail_frames: int
    peak: float
    reductions: tuple[StageReduction, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What a rack listens to: a file, the frame of the song at which it begins, how much louder it is heard."""

    path: Path
    offset: int = 0
    level_db: float = 0.0


def render_rack(
    source: Path,
    out: Path,
    settings: Sequence[EffectSettings],
    *,
    sample_rate: int,
    channels: int = 2,
    start: int = 0,
    frames: int | None = None,
    tail_seconds: float | None = None,
    level_db: float = 0.0,
    moves: Sequence[Move] = (),
    keys: Mapping[str, KeyFile] = MappingProxyType({}),
    offset: int = 0,
    progress: Progress = silent,
) -> RackReport:
    """Stream a file through a rack into a float32 WAV, tail included.

    Parameters
    ----------
    source : Path
        Mono or stereo, at `sample_rate`. A mono source of a stereo rack goes to both channels.
    out : Path
        Written from the start of the region to the end of the tail.
    settings : sequence of EffectSettings
        From `parse_rack`.
    sample_rate : int
        In Hz.
    channels : int
        Of the rack and of `out`, 1 or 2.
    start, frames : int
        The region of `source` in samples; `frames` None is to its end.
    tail_seconds : float, optional
        None keeps the tail until it has fallen below −90 dBFS for good, 10 s at most (then it fades out); a number
        keeps exactly so much.
    level_db : float
        How much louder the rack hears its source than it is; the level is put back behind the rack.
    moves : sequence of Move
        Parameters that move.
    keys : mapping of str to KeyFile
        The sound of every channel that a `sidechain` names.
    offset : int
        Frame of the song at which `source` begins: what moves and what is listened to are on the song's time.
    progress : callable
        Told the finished fraction.

    Raises
    ------
    AudioInputError
        When the source has another rate or more than two channels.
    """
    info = probe(source)
    if info.sample_rate != sample_rate:
        raise AudioInputError(f"{source.name} is at {info.sample_rate} Hz, the rack at {sample_rate} Hz")
    if info.channels > 2:
        raise AudioInputError(
            f"{source.name} has {info.channels} channels", hint="mix it down to stereo first"
        )
    taken = min(info.channels, channels)
    rack = Rack(
        settings,
        sample_rate=sample_rate,
        channels=channels,
        source_channels=taken,
        moves=moves,
        start=offset + start,
    )
    aligned = InPlace(rack, taken)
    expected = max(1, info.frames - start if frames is None else frames)
    peak = 0.0
    before = np.float32(10.0 ** (level_db / 20.0))
    behind = np.float32(10.0 ** (-level_db / 20.0))
    with ExitStack() as stack, wav_writer(out, sample_rate=sample_rate, channels=channels) as writer:
        readers = {
            name: stack.enter_context(
                closing(StretchReader(key.path, offset=key.offset, start=offset + start))
            )
            for name, key in keys.items()
            if name in rack.listens_to
        }
        louder = {name: np.float32(10.0 ** (key.level_db / 20.0)) for name, key in keys.items()}

        def heard(count: int) -> dict[str, Samples]:
            return {
                name: _stereo_at_most(reader.take(count)) * louder[name] for name, reader in readers.items()
            }

        def write(made: Samples) -> None:
            nonlocal peak
            if made.shape[1]:
                writer.write(made * behind)
                peak = max(peak, float(np.abs(made).max()) * float(behind))

        for block in blocks(source, start=start, frames=frames):
            write(aligned.process(_mean(block, taken) * before, heard(block.shape[1])))
            progress(min(1.0, writer.frames / expected))
        if rack.latency_samples:
            write(aligned.finish(heard(rack.latency_samples)))
        body = writer.frames
        tail = _Tail(rack, taken, sample_rate, tail_seconds, behind, heard)
        peak = max(peak, tail.write(writer))
        total = writer.frames
    progress(1.0)
    return RackReport(body, total - body, peak, rack.reductions(), rack.notes())


class _Tail:
    """What a rack gives after its input: silence goes in until nothing more comes out."""

    def __init__(
        self,
        rack: Rack,
        channels: int,
        sample_rate: int,
        seconds: float | None,
        gain: np.float32,
        keys: Callable[[int], Mapping[str, Samples]],
    ) -> None:
        self._rack, self._gain, self._keys = rack, gain, keys
        self._channels = channels
        wanted = rack.tail_seconds() if seconds is None else seconds
        capped = seconds is None and wanted > TAIL_CAP_SECONDS
        self._frames = math.ceil((TAIL_CAP_SECONDS if capped else wanted) * sample_rate)
        self._fade_frames = round(_TAIL_FADE_SECONDS * sample_rate) if capped else 0
        self._floor = 10.0 ** (TAIL_FLOOR_DB / 20.0) if seconds is None else -1.0

    def write(self, writer: Writer) -> float:
        """Append the tail, return its peak. Quiet stretches wait until sound follows them, as between echoes."""
        peak = 0.0
        quiet: list[Samples] = []
        for at in range(0, self._frames, BLOCK_SAMPLES):
            length = min(BLOCK_SAMPLES, self._frames - at)
            silence = np.zeros((self._channels, length), dtype=np.float32)
            block = self._rack.process(silence, self._keys(length)) * self._gain
            if self._fade_frames:
                left = self._frames - np.arange(at, at + length)
                block *= np.minimum(1.0, left / self._fade_frames).astype(np.float32)
            level = np.abs(block).max(axis=0)
            peak = max(peak, float(level.max()))
            loud = np.flatnonzero(level > self._floor)
            if not len(loud):
                quiet.append(block)
                continue
            end = int(loud[-1]) + 1
            for part in (*quiet, block[:, :end]):
                writer.write(part)
            quiet = [block[:, end:]]
        return peak


def _stereo_at_most(block: Samples) -> Samples:
    return block if len(block) <= 2 else _mean(block, 1)


def _mean(block: Samples, channels: int) -> Samples:
    """Return a block of one channel or two as `channels`, of which it has that many or more."""
    if block.shape[0] == channels:
        return block
    mean: Samples = block.mean(axis=0, keepdims=True, dtype=np.float64).astype(np.float32)
    return mean
