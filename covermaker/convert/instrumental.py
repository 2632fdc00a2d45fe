"""The instrumental in another key: the same length to the sample, the same time, other notes.

When the melody moves by anything but octaves, everything with a pitch has to move along. Rubber Band (through
pedalboard) does it. What was measured about it (pedalboard 0.9.26) decides how it is called here:

- only its fine engine keeps tones steady and at their level (the faster one: up to 8 dB off on a chord);
- that engine drifts, because it rounds its hops: 30 s moved by +3 semitones end 38 ms late, by -12 87 ms early. The
  rate of the drift and a constant delay are measured on a known signal and taken off by resampling. The pitch
  moves by the same rate with it: 3.1 cents at most for up to 7 semitones, 5.3 for an octave;
- pedalboard's streaming effect loses what it holds between two calls, so a file is cut into long pieces with some
  context. Two neighbours differ in phase; they are joined within their overlap where they are most alike.

Memory holds one piece. Drums have no key: leave their stem as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.buffer import fit
from covermaker.audio.files import blocks, probe, read, wav_writer
from covermaker.audio.overlap import fade_in_ramp
from covermaker.errors import ProjectError
from covermaker.progress import Progress, silent

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples

VERSION = 1
MAX_SEMITONES = 12
PIECE_SECONDS = 300.0  # most songs are one piece and have no join
_CONTEXT_SECONDS = 1.0  # before and after a piece: Rubber Band needs a quarter second to settle
_SEARCH_SECONDS = 2.0  # of overlap in which the join is looked for
_FADE_SECONDS = 0.03
_FARTHEST_LAG_SECONDS = 0.1
_CALIBRATION_SECONDS = 24
_CALIBRATION_PARTS = 6


def shift_key(
    source: Path,
    out: Path,
    *,
    semitones: int,
    piece_seconds: float = PIECE_SECONDS,
    progress: Progress = silent,
) -> None:
    """Move a file to another key.

    Parameters
    ----------
    source : Path
        Any channels, any rate.
    out : Path
        Written: float32 WAV of the same channels, rate and length. 0 semitones copy the samples.
    semitones : int
        -12..12.
    piece_seconds : float
        Shifted at a time, at least 10; changes memory.
    progress : Progress
        Told the finished fraction.

    Raises
    ------
    ProjectError
        When the interval is out of range.
    AudioInputError
        When the file cannot be read.
    ResourceError
        When the output cannot be written.
    """
    if isinstance(semitones, bool) or not isinstance(semitones, int) or abs(semitones) > MAX_SEMITONES:
        raise ProjectError(
            f"an instrumental moves by whole semitones from -{MAX_SEMITONES} to {MAX_SEMITONES}, not {semitones!r}"
        )
    info = probe(source)
    rate, total = info.sample_rate, info.frames
    with wav_writer(out, sample_rate=rate, channels=info.channels) as writer:
        if semitones == 0 or total == 0:
            for block in blocks(source):
                writer.write(block)
            progress(1.0)
            return
        clock = _calibrated(semitones, rate)
        search, fade = round(_SEARCH_SECONDS * rate), round(_FADE_SECONDS * rate)
        step = max(round(piece_seconds * rate), 10 * rate)
        held = np.zeros((info.channels, 0), np.float32)  # the older piece's share of the overlap
        for start in range(0, total, step):
            last = start + step + search >= total
            stop = total if last else start + step + search
            piece = _shifted(source, start, stop, total, semitones, rate, clock)
            done = _joined(held, piece[:, : held.shape[1]], fade)
            writer.write(done)
            rest = piece[:, held.shape[1] :]
            keep = 0 if last else search
            writer.write(rest[:, : rest.shape[1] - keep])
            held = rest[:, rest.shape[1] - keep :]
            progress(stop / total)
            if last:
                break


def _shifted(
    source: Path, start: int, stop: int, total: int, semitones: int, rate: int, clock: _Clock
) -> Samples:
    """Return samples ``start .. stop`` of the shifted file."""
    margin = round(_CONTEXT_SECONDS * rate)
    begin, end = max(0, start - margin), min(total, stop + margin)
    # At the file's ends silence stands in for the context, so that nothing is lost in the engine.
    before, after = margin - (start - begin), margin - (end - stop)
    context = np.pad(read(source, start=begin, frames=end - begin).samples, ((0, 0), (before, after)))
    moved = _on_time(_rubber_band(context, semitones, rate), clock, rate)
    return fit(moved[:, margin + clock.lag :], stop - start)


def _rubber_band(samples: Samples, semitones: int, rate: int) -> Samples:
    from pedalboard import time_stretch

    stereo = samples.shape[0] == 2
    moved = time_stretch(
        _turned(samples) if stereo else samples,
        float(rate),
        stretch_factor=1.0,
        pitch_shift_in_semitones=float(semitones),
        preserve_formants=False,
    )
    shaped: Samples = np.asarray(moved, dtype=np.float32).reshape(samples.shape[0], -1)
    return _turned(shaped) if stereo else shaped


def _turned(samples: Samples) -> Samples:
    """Turn left and right into middle and side, or back: the engine's channels do not know of each other."""
    return np.stack([samples[0] + samples[1], samples[0] - samples[1]]) * np.float32(np.sqrt(0.5))


@dataclass(frozen=True, slots=True)
class _Clock:
    """How the engine's time runs: `rate` of its seconds to a true one, and samples late once that is undone."""

    rate: float
    lag: int


@lru_cache(maxsize=32)
def _calibrated(semitones: int, rate: int) -> _Clock:
    """Measure the engine's clock at this interval and sample rate, on bursts of noise with a tone."""
    generator = np.random.default_rng(1)
    count = _CALIBRATION_SECONDS * rate
    time = np.arange(count) / rate
    level = np.zeros(count)
    for begin in np.arange(0.2, _CALIBRATION_SECONDS - 0.5, 0.4):
        start = begin + generator.uniform(0.0, 0.1)
        level[(time >= start) & (time < start + generator.uniform(0.05, 0.2))] = 0.1
    tone = 2.0 * np.sin(2 * np.pi * 330.0 * time)
    bursts = (level * (generator.standard_normal(count) + tone)).astype(np.float32)
    moved = _rubber_band(bursts[np.newaxis], semitones, rate)
    part = _CALIBRATION_SECONDS * rate // _CALIBRATION_PARTS
    starts = np.arange(_CALIBRATION_PARTS) * part
    late = [_delay(moved[0, at : at + part], bursts[at : at + part], rate) for at in starts]
    slope = float(np.polyfit(starts, late, 1)[0])
    clock = _Clock(1.0 + slope, 0)
    return _Clock(clock.rate, _delay(_on_time(moved, clock, rate)[0], bursts, rate))


def _on_time(moved: Samples, clock: _Clock, rate: int) -> Samples:
    """Undo the engine's drift."""
    import soxr

    if not moved.shape[1]:
        return moved
    straight = soxr.resample(np.ascontiguousarray(moved.T), rate * clock.rate, rate, quality="VHQ")
    return np.ascontiguousarray(straight.T)


def _delay(moved: Samples, original: Samples, rate: int) -> int:
    """Return by how many samples the power of `moved` follows that of `original`."""
    window = np.hanning(round(0.02 * rate))

    def level(signal: Samples) -> NDArray[np.float64]:
        power = np.convolve(np.square(signal, dtype=np.float64), window, mode="same")
        root = np.sqrt(np.maximum(power, 0.0))
        centred: NDArray[np.float64] = root - root.mean()
        return centred

    size = 2 * len(original)
    farthest = round(_FARTHEST_LAG_SECONDS * rate)
    likeness = np.fft.irfft(
        np.fft.rfft(level(fit(moved, len(original))), size) * np.conj(np.fft.rfft(level(original), size)),
        size,
    )
    around = np.concatenate([likeness[-farthest:], likeness[: farthest + 1]])
    return int(np.argmax(around)) - farthest


def _joined(older: Samples, newer: Samples, fade: int) -> Samples:
    """Cross-fade two renderings of one stretch, where they are most alike, so that neither dips nor doubles."""
    length = older.shape[1]
    if length < fade:
        return newer
    both = (older * newer).sum(axis=0, dtype=np.float64)
    power = (older**2 + newer**2).sum(axis=0, dtype=np.float64) / 2
    sums = [np.concatenate([[0.0], np.cumsum(values)]) for values in (both, power)]
    alike, level = (total[fade:] - total[:-fade] for total in sums)  # (length - fade + 1,)
    # Silence is the best place of all: there both say the same.
    quiet = 1e-9 * fade
    at = int(np.argmax((alike + quiet) / (level + quiet)))
    likeness = float(np.clip(alike[at] / (level[at] + quiet), 0.0, 1.0))
    ramp = fade_in_ramp(fade)
    # Between unlike sounds powers add, between like ones amplitudes: the gain keeps the sum's power.
    gain = 1.0 / np.sqrt(ramp**2 + (1 - ramp) ** 2 + 2 * ramp * (1 - ramp) * likeness)
    middle = slice(at, at + fade)
    mixed = (older[:, middle] * (1 - ramp) + newer[:, middle] * ramp) * gain
    return np.concatenate([older[:, :at], mixed.astype(np.float32), newer[:, at + fade :]], axis=1)
