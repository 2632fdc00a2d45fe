"""The instrumental in another key: the same length to the sample, the same time, other notes.

When the melody moves by anything but octaves, everything with a pitch has to move along. Rubber Band (through
pedalboard) does it. What was measured about it (pedalboard 0.9.26) decides how it is called here:

- only its fine engine keeps tones steady and at their level (the faster one: up to 8 dB off on a chord);
- that engine drifts, because it rounds its hops: 30 s moved by +3 semitones end 38 ms late, by -12 87 ms early. The
  rate of the drift and a constant delay are measured on a known signal and taken off by resampling. The pitch
  moves by the same rate with it: 3.1 cents at most for up to 7 semitones, 5.3 for an octave;
- once it has drifted by 70 ms or more, the engine begins to correct itself by leaps that cannot be foretold: a piece
  must end before that;
- pedalboard's streaming effect loses what it holds between two calls, so a file is cut into long pieces with some
  context. Two neighbours differ in phase; they are joined within their overlap where they are most alike.

Strokes and notes then come within 1 ms of their place on average, from -5 to 7 semitones and at every time of a song.
Memory holds one piece. Drums have no key: leave their stem as it is.
"""

from __future__ import annotations

import math
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

VERSION = 2
MAX_SEMITONES = 12
PIECE_SECONDS = 60.0
_SHORTEST_PIECE_SECONDS = 10.0
_MOST_DRIFT_SECONDS = 0.05  # within a piece
_CONTEXT_SECONDS = 1.0  # before and after a piece: Rubber Band needs a quarter second to settle
_SEARCH_SECONDS = 2.0  # of overlap in which the join is looked for
_FADE_SECONDS = 0.03
_CALIBRATION_SECONDS = 24
_SOUND_SECONDS = 0.08
_STROKE_DECAY_SECONDS = 0.006
_REACH_SECONDS = 0.08  # around where a sound is looked for: neighbours are 0.2 s away


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
        Shifted at a time, at least 10; shorter where the engine drifts faster. Changes memory.
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
        step = round(max(min(piece_seconds, _steady_seconds(clock)), _SHORTEST_PIECE_SECONDS) * rate)
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


def _steady_seconds(clock: _Clock) -> float:
    """Return how long a piece may be before the engine has drifted too far."""
    drift = abs(clock.rate - 1.0)
    whole = _MOST_DRIFT_SECONDS / drift if drift else math.inf
    return whole - _SEARCH_SECONDS - 2.0 * _CONTEXT_SECONDS


@lru_cache(maxsize=32)
def _calibrated(semitones: int, rate: int) -> _Clock:
    """Measure the engine's clock at this interval and sample rate: where it puts sounds of known places.

    Every other one is a stroke of noise and a note; notes come up to 1.3 ms later, and the delay is the mean of both.
    """
    sounds, places = _known_sounds(rate)
    late = _lateness(_rubber_band(sounds[np.newaxis], semitones, rate)[0], places, rate)
    kinds = np.arange(len(places)) % 2 == np.arange(2)[:, np.newaxis]
    terms = np.stack([places, *kinds], axis=1)  # a common drift, and a delay of each kind
    kept = np.ones(len(places), bool)
    for _ in range(2):
        found = np.linalg.lstsq(terms[kept], late[kept], rcond=None)[0]
        # Some sounds get an echo, and seem to be elsewhere.
        rest = np.abs(late - terms @ found)
        kept = rest <= 3.0 * np.median(rest)
    return _Clock(1.0 + float(found[0]), round(float(found[1:].mean())))


def _known_sounds(rate: int) -> tuple[Samples, NDArray[np.float64]]:
    """Return strokes and notes by turns, and the places of their centres in samples."""
    generator = np.random.default_rng(1)
    whole = np.zeros(_CALIBRATION_SECONDS * rate)
    time = np.arange(round(_SOUND_SECONDS * rate)) / rate
    starts = np.arange(0.2, _CALIBRATION_SECONDS - 0.5, 0.25)
    starts = np.round((starts + generator.uniform(0.0, 0.05, len(starts))) * rate).astype(int)
    places = np.empty(len(starts))
    for index, start in enumerate(starts):
        if index % 2:
            hz = generator.uniform(200.0, 700.0)
            sound = np.hanning(len(time)) * np.sin(2.0 * np.pi * hz * time)
        else:
            sound = np.exp(-time / _STROKE_DECAY_SECONDS) * generator.standard_normal(len(time))
        whole[start : start + len(time)] = 0.3 * sound
        places[index] = start + _centre(sound)
    return whole.astype(np.float32), places


def _lateness(moved: Samples, places: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """Return by how many samples each sound is late; each is looked for where the one before leads to."""
    reach = round(_REACH_SECONDS * rate)
    late = np.empty(len(places))
    expected = 0.0
    for index, place in enumerate(places):
        for _ in range(2):
            start = max(0, round(place + expected) - reach)
            expected = start + _centre(moved[start : start + 2 * reach]) - place
        late[index] = expected
    return late


def _centre(sound: Samples | NDArray[np.float64]) -> float:
    """Return the centre of a sound's energy, in samples from its start."""
    power = np.square(sound, dtype=np.float64)
    total = float(power.sum())
    return float((power * np.arange(len(power))).sum()) / total if total else len(power) / 2


def _on_time(moved: Samples, clock: _Clock, rate: int) -> Samples:
    """Undo the engine's drift."""
    import soxr

    if not moved.shape[1]:
        return moved
    straight = soxr.resample(np.ascontiguousarray(moved.T), rate * clock.rate, rate, quality="VHQ")
    return np.ascontiguousarray(straight.T)


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
