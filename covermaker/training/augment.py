"""Takes made from takes: re-sung melodies, other throats, other rooms.

Two kinds. `Voice.sing` changes what the network has to sing (the target): the same words on another melody,
stretched. `Voice.other_throat` and `colour` change only what the content encoder hears, while the target stays: the
network then learns to ignore who sings and through what.

All take a `numpy.random.Generator`; the same state gives the same samples.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

WORLD_FRAME_SECONDS = 0.005
_SCALE = (0, 2, 4, 5, 7, 9, 11)  # major, in semitones
_SILENCE_RMS = 1e-4
_HOLE_WINDOW = 512  # samples


@dataclass(frozen=True)
class Voice:
    """A recording taken apart by WORLD (Morise et al. 2016) into pitch, envelope and aperiodicity.

    Parameters
    ----------
    f0_hz : float64 array (n,)
        Every 5 ms; 0 where unvoiced.
    envelope, aperiodicity : float64 array (n, bins)
    sample_rate : int
        Hz.
    """

    f0_hz: NDArray[np.float64]
    envelope: NDArray[np.float64]
    aperiodicity: NDArray[np.float64]
    sample_rate: int

    @classmethod
    def analyse(
        cls, samples: NDArray[np.float32], sample_rate: int, f0_hz: NDArray[np.float64] | None = None
    ) -> Voice:
        """Take mono samples apart; `f0_hz` is what `pitch_of` gives for them, or for the same singing untreated."""
        import pyworld

        wave = np.ascontiguousarray(samples, dtype=np.float64)
        times = _world_times(len(wave), sample_rate)
        if f0_hz is None:
            f0_hz = cls.pitch_of(samples, sample_rate)
        envelope = pyworld.cheaptrick(wave, f0_hz, times, sample_rate)
        aperiodicity = pyworld.d4c(wave, f0_hz, times, sample_rate)
        return cls(f0_hz, envelope, aperiodicity, sample_rate)

    @staticmethod
    def pitch_of(
        samples: NDArray[np.float32], sample_rate: int, *, method: str = "dio"
    ) -> NDArray[np.float64]:
        """Return the pitch alone, every 5 ms, 0 where unvoiced.

        `method` is ``"dio"`` (with StoneMask, quick and good on clean takes) or any name of `features.pitch.METHODS`.
        """
        import pyworld

        wave = np.ascontiguousarray(samples, dtype=np.float64)
        if method == "dio":
            coarse, times = pyworld.dio(wave, sample_rate, f0_floor=60.0, f0_ceil=1100.0)
            return np.asarray(pyworld.stonemask(wave, coarse, times, sample_rate), dtype=np.float64)
        times = _world_times(len(wave), sample_rate)
        return _pitch(samples, sample_rate, method, times)

    @property
    def frames(self) -> int:
        """WORLD frames."""
        return len(self.f0_hz)

    def synthesize(self) -> NDArray[np.float32]:
        """Put the voice together again; ``frames * 5 ms`` long.

        WORLD leaves an offset that wanders with the pitch, -20 dB below the voice: what lies below 80 Hz is taken off.
        """
        import pyworld

        wave: NDArray[Any] = pyworld.synthesize(
            self.f0_hz, self.envelope, self.aperiodicity, self.sample_rate, WORLD_FRAME_SECONDS * 1000.0
        )
        return without_rumble(wave, self.sample_rate)

    def stretched(self, ratio: float) -> Voice:
        """Return the voice `ratio` times as long, pitch and formants kept."""
        at = np.clip(np.round(np.arange(int(self.frames * ratio)) / ratio).astype(int), 0, self.frames - 1)
        return Voice(self.f0_hz[at], self.envelope[at], self.aperiodicity[at], self.sample_rate)

    def held(self, ratio: float) -> Voice:
        """Return the voice with its steady vowels about `ratio` times as long and its consonants as they were.

        How singers fill a note: what is voiced, loud and hardly changing is held; the rest keeps its speed.
        """
        logs = np.log(np.maximum(self.envelope, 1e-16))
        change = np.abs(np.diff(logs, axis=0, prepend=logs[:1])).mean(axis=1)
        power = logs.mean(axis=1)
        voiced = self.f0_hz > 0.0
        if not voiced.any():
            return self
        steady = voiced & (change < np.median(change[voiced])) & (power > np.median(power[voiced]) - 3.0)
        width = int(0.04 / WORLD_FRAME_SECONDS)
        slowness = 1.0 + (ratio - 1.0) * np.convolve(
            steady, np.hanning(width + 2)[1:-1] / ((width + 1) / 2), "same"
        )
        ends = np.cumsum(slowness)
        at = np.searchsorted(ends, np.arange(int(ends[-1])) + 0.5).clip(max=self.frames - 1)
        return Voice(self.f0_hz[at], self.envelope[at], self.aperiodicity[at], self.sample_rate)

    def transposed(self, semitones: float) -> Voice:
        """Return the voice with its pitch moved and its formants kept."""
        return Voice(
            self.f0_hz * 2.0 ** (semitones / 12.0), self.envelope, self.aperiodicity, self.sample_rate
        )

    def sing(self, rng: np.random.Generator, *, low_hz: float, high_hz: float) -> Voice:
        """Put the voice on a melody with vibrato and glides between `low_hz` and `high_hz`.

        Frames that were unvoiced stay so.
        """
        melody = melody_hz(self.frames, rng, low_hz=low_hz, high_hz=high_hz)
        return Voice(
            np.where(self.f0_hz > 0.0, melody, 0.0), self.envelope, self.aperiodicity, self.sample_rate
        )

    def other_throat(self, ratio: float, semitones: float) -> Voice:
        """Return another speaker's timing twin: formants times `ratio`, pitch moved, breath changed with it."""
        bins = self.envelope.shape[1]
        source = np.minimum(np.arange(bins) / ratio, bins - 1.0)
        low = source.astype(int)
        high = np.minimum(low + 1, bins - 1)
        weight = source - low

        def warp(spectrum: NDArray[np.float64]) -> NDArray[np.float64]:
            logs = np.log(np.maximum(spectrum, 1e-16))
            return np.ascontiguousarray(np.exp(logs[:, low] * (1 - weight) + logs[:, high] * weight))

        return Voice(
            self.f0_hz * 2.0 ** (semitones / 12.0),
            warp(self.envelope),
            np.minimum(warp(self.aperiodicity), 1.0),
            self.sample_rate,
        )


def _world_times(samples: int, sample_rate: int) -> NDArray[np.float64]:
    """Return the times of WORLD's frames in seconds."""
    count = int(1000 * samples / sample_rate / 5.0) + 1
    return np.asarray(np.arange(count) * WORLD_FRAME_SECONDS, dtype=np.float64)


def _pitch(
    samples: NDArray[np.float32], sample_rate: int, method: str, times: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Read the pitch of samples in memory by a method that reads files."""
    import soundfile

    from covermaker.features.clock import f0_at_times, frame_times
    from covermaker.features.pitch import estimate_pitch

    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "take.wav"
        soundfile.write(path, samples, sample_rate, subtype="FLOAT")
        f0_hz = estimate_pitch(path, method=method)
    return f0_at_times(f0_hz, frame_times(len(f0_hz)), times).astype(np.float64)


def melody_hz(frames: int, rng: np.random.Generator, *, low_hz: float, high_hz: float) -> NDArray[np.float64]:
    """Draw a melody on a major scale: notes of 0.2 to 1.2 s, glides of 40 to 120 ms, late vibrato.

    Returns
    -------
    float64 array (frames,)
        Hz every 5 ms, within half a semitone of the range.
    """
    span = max(1, int(12 * np.log2(high_hz / low_hz)))
    steps = [octave * 12 + note for octave in range(span // 12 + 1) for note in _SCALE]
    steps = [step for step in steps if step <= span]
    position = int(rng.integers(len(steps)))
    semitones = np.zeros(frames)
    vibrato = np.zeros(frames)
    start = 0
    while start < frames:
        length = int(rng.uniform(0.2, 1.2) / WORLD_FRAME_SECONDS)
        stop = min(frames, start + length)
        semitones[start:stop] = steps[position]
        time = np.arange(stop - start) * WORLD_FRAME_SECONDS
        depth = rng.uniform(0.0, 0.45) * np.clip((time - 0.15) / 0.3, 0.0, 1.0)
        vibrato[start:stop] = depth * np.sin(2 * np.pi * rng.uniform(4.5, 6.8) * time)
        position = int(np.clip(position + rng.integers(-3, 4), 0, len(steps) - 1))
        start = stop
    width = int(rng.uniform(0.04, 0.12) / WORLD_FRAME_SECONDS)
    kernel = np.hanning(width + 2)[1:-1]
    padded = np.pad(semitones, (width, width), mode="edge")
    glided = np.convolve(padded, kernel / kernel.sum(), mode="same")[width : width + frames]
    knots = np.arange(0, frames + 60, 60)
    drift = np.interp(np.arange(frames), knots, rng.normal(0.0, 0.06, len(knots)))
    return np.asarray(low_hz * 2.0 ** ((glided + vibrato + drift) / 12.0))


def through_separator(
    samples: NDArray[np.float32],
    sample_rate: int,
    rng: np.random.Generator,
    separate: Callable[[NDArray[np.float32]], NDArray[np.float32]],
) -> NDArray[np.float32]:
    """Bury a take in a band and dig it out again, with the scars that a real separated vocal has.

    Parameters
    ----------
    samples : float32 array (n,)
        Mono.
    separate : callable
        Maps a mix at `sample_rate` to its vocal, both mono and equally long.

    Returns
    -------
    float32 array (n,)
    """
    wave = samples.astype(np.float64)
    if rng.random() < 0.5:
        wave = _room(wave, sample_rate, rng)
    band = _equalise(_band(len(wave), sample_rate, rng), sample_rate, rng)
    mix = wave + band * (_rms(wave) * 10.0 ** (-rng.uniform(-3.0, 9.0) / 20.0) / max(_rms(band), 1e-9))
    mix *= 0.1 / max(_rms(mix), _SILENCE_RMS)
    return separate(mix.astype(np.float32))


def without_rumble(samples: NDArray[Any], sample_rate: int) -> NDArray[np.float32]:
    """Take 24 dB an octave off below 80 Hz; zero phase, nothing else changes."""
    hz = np.maximum(np.fft.rfftfreq(_padded(len(samples), sample_rate), 1.0 / sample_rate), 1.0)
    return _shaped(samples, sample_rate, -24.0 * np.maximum(0.0, np.log2(80.0 / hz)))


def channel_strip(
    samples: NDArray[np.float32], sample_rate: int, *, amount: float = 1.0
) -> NDArray[np.float32]:
    """Send a dull take through what a produced vocal has been through: no rumble, and presence.

    Spoken takes carry most of their power in the fundamental, sung records between 1 and 4 kHz; a content encoder
    hears the two as different worlds, and words sung on high notes are lost under a strong fundamental.
    Rumble goes, 5 dB an octave are added from 200 Hz to 2 kHz, 3 dB an octave taken off above 4 kHz. Zero phase;
    the level stays at the take's RMS. `amount` scales the curve.

    Returns
    -------
    float32 array, as long as `samples`
    """
    hz = np.maximum(np.fft.rfftfreq(_padded(len(samples), sample_rate), 1.0 / sample_rate), 1.0)
    presence_db = amount * 5.0 * np.clip(np.log2(hz / 200.0), 0.0, np.log2(10.0)) - amount * 3.0 * np.maximum(
        0.0, np.log2(hz / 4000.0)
    )
    bright = _shaped(without_rumble(samples, sample_rate), sample_rate, presence_db).astype(np.float64)
    level = _rms(samples.astype(np.float64)) / max(_rms(bright), _SILENCE_RMS)
    return np.asarray(bright * level, dtype=np.float32)


def _padded(length: int, sample_rate: int) -> int:
    """Return the length at which a filter rings over the end into silence, not round to the start."""
    return length + sample_rate // 10


def _shaped(samples: NDArray[Any], sample_rate: int, gain_db: NDArray[np.float64]) -> NDArray[np.float32]:
    size = _padded(len(samples), sample_rate)
    spectrum = np.fft.rfft(samples, size) * 10.0 ** (gain_db / 20.0)
    return np.fft.irfft(spectrum, size)[: len(samples)].astype(np.float32)


def colour(samples: NDArray[np.float32], sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Send a take through a random chain of what a separated vocal has been through.

    Tilt and resonances, a room, the remains of a band (chords, hiss, hits), the holes that a separator leaves, gain.

    Returns
    -------
    float32 array, as long as `samples`
    """
    wave = samples.astype(np.float64)
    if rng.random() < 0.7:
        wave = _equalise(wave, sample_rate, rng)
    if rng.random() < 0.5:
        wave = _room(wave, sample_rate, rng)
    if rng.random() < 0.6:
        wave = wave + _band(len(wave), sample_rate, rng) * _rms(wave) * 10.0 ** (
            -rng.uniform(8.0, 35.0) / 20.0
        )
    if rng.random() < 0.5:
        wave = _holes(wave, rng)
    level = 10.0 ** (rng.uniform(-32.0, -14.0) / 20.0)
    return np.asarray(wave * (level / max(_rms(wave), _SILENCE_RMS)), dtype=np.float32)


def _rms(wave: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(wave**2))) if len(wave) else 0.0


def _equalise(wave: NDArray[np.float64], rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Filter with a random smooth curve of +-8 dB, sometimes cut below and above."""
    spectrum = np.fft.rfft(wave)
    hz = np.fft.rfftfreq(len(wave), 1.0 / rate)
    octaves = np.log2(np.maximum(hz, 20.0) / 20.0)
    knots = np.arange(0.0, 10.0)
    gain_db = np.interp(octaves, knots, rng.normal(0.0, 4.0, len(knots)).clip(-8, 8))
    gain_db += rng.uniform(-2.0, 2.0) * (octaves - 5.0)  # tilt
    if rng.random() < 0.3:
        gain_db -= 24.0 * np.maximum(0.0, np.log2(rng.uniform(80, 250) / np.maximum(hz, 10.0)))
    if rng.random() < 0.3:
        gain_db -= 24.0 * np.maximum(0.0, np.log2(np.maximum(hz, 10.0) / rng.uniform(3000, 7000)))
    return np.fft.irfft(spectrum * 10.0 ** (gain_db / 20.0), len(wave))


def _room(wave: NDArray[np.float64], rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Add a decaying tail of noise, 0.2 to 1.2 s, 6 to 20 dB below the direct sound."""
    from scipy.signal import fftconvolve

    seconds = rng.uniform(0.2, 1.2)
    time = np.arange(int(seconds * rate)) / rate
    tail = rng.normal(0.0, 1.0, len(time)) * 10.0 ** (-3.0 * time / seconds)
    tail[: int(rng.uniform(0.002, 0.02) * rate)] = 0.0
    tail *= 10.0 ** (-rng.uniform(6.0, 20.0) / 20.0) / max(float(np.sqrt(np.sum(tail**2))), 1e-9)
    return np.asarray(wave + fftconvolve(wave, tail)[: len(wave)])


def _band(length: int, rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw the remains of a band at unit level: held chords of decaying partials, hiss, hits."""
    time = np.arange(length) / rate
    out = np.zeros(length)
    beat = int(rng.uniform(0.25, 1.0) * rate)
    for start in range(0, length, beat):
        size = min(beat, length - start)
        fade = np.exp(-time[:size] * rng.uniform(0.5, 4.0))
        root = rng.uniform(70.0, 300.0)
        for note in (0, 4, 7, 12):
            for partial in range(1, int(rng.integers(3, 9))):
                hz = root * 2.0 ** (note / 12.0) * partial
                if hz < rate * 0.45:
                    out[start : start + size] += (
                        fade * np.sin(2 * np.pi * hz * time[:size] + rng.uniform(0, 6)) / partial
                    )
        hit = min(size, int(0.08 * rate))
        out[start : start + hit] += rng.uniform(0, 3) * rng.normal(0, 1, hit) * np.exp(-time[:hit] * 60.0)
    out += rng.normal(0.0, rng.uniform(0.05, 1.0), length)
    return out / max(_rms(out), 1e-9)


def _holes(wave: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Damp random soft patches of the spectrogram: what a mask of a separator takes too much of."""
    from scipy.ndimage import zoom
    from scipy.signal import istft, stft

    if len(wave) < _HOLE_WINDOW:
        return wave
    _, _, spectrum = stft(wave, nperseg=_HOLE_WINDOW)
    coarse = rng.random((spectrum.shape[0] // 12 + 2, spectrum.shape[1] // 6 + 2))
    smooth = zoom(coarse, (12, 6), order=1)[: spectrum.shape[0], : spectrum.shape[1]]
    depth = rng.uniform(0.1, 0.5)
    mask = np.clip((smooth - depth * 0.7) / 0.2, rng.uniform(0.05, 0.4), 1.0)
    _, out = istft(spectrum * mask, nperseg=_HOLE_WINDOW)
    return np.asarray(out[: len(wave)]) if len(out) >= len(wave) else np.pad(out, (0, len(wave) - len(out)))
