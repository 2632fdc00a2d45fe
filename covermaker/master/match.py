"""A mix takes on the tone of a reference: its averaged spectrum, on the middle and on the sides.

Both songs are averaged over their whole length (Welch's method, power, so that loud passages count most), the middle
and the side signal apart. The difference of the two spectra, over bands of a third of an octave, is the curve that the
mix is filtered by: bounded, scaled by an amount, without a part that would only make everything louder. The filter is
a linear-phase FIR whose delay is taken off, run as overlap-save on a fixed grid: the length, the place of every attack
and the bits do not depend on how the stream is cut.

Where one of the songs holds next to nothing (above the low-pass of an MP3, below the lowest note) there is nothing to
compare: the curve keeps the value of the nearest band there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from covermaker.audio.files import blocks
from covermaker.audio.loudness import LoudnessMeter
from covermaker.audio.truepeak import Chunks
from covermaker.errors import AudioInputError, ProjectError
from covermaker.progress import Progress, part, silent

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from covermaker.audio.buffer import Samples

_LIMIT_DB = 12.0
_LOWEST_HZ = 20.0
_POINTS_PER_OCTAVE = 24
_SMOOTHING_OCTAVES = 1.0 / 3.0
_NOTHING_DB = -80.0  # of the loudest band: what an encoder leaves above its low-pass
_LEVEL_RANGE_HZ = (60.0, 12_000.0)  # where the curve's mean is taken off
_FRAMES_PER_CHUNK = 16
_SHOWN_HZ = tuple(1000.0 * 10.0 ** (n / 10.0) for n in range(-16, 14))  # IEC 61260: 25 Hz to 20 kHz

Power = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a mix is matched to.

    Parameters
    ----------
    reference : Path
        A song of any format and rate.
    amount : float
        0 leaves the tone alone, 1 takes the whole difference.

    Raises
    ------
    ProjectError
        When the amount is outside its range.
    """

    reference: Path
    amount: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.amount <= 1.0:
            raise ProjectError(f"master.match_amount is {self.amount:g}, it must be 0 to 1")


@dataclass(frozen=True, slots=True)
class Tone:
    """The averaged power spectra of a song, (1, bins) mono or (2, bins) middle and side, and how loud it is."""

    power: Power
    sample_rate: int
    lufs: float | None


@dataclass(frozen=True, slots=True)
class Curve:
    """What a mix is filtered by, in dB at `hz`: the middle, and the sides (None for a mono mix).

    `bounded` tells that somewhere more than the bound was asked for.
    """

    hz: NDArray[np.float64]
    middle_db: NDArray[np.float64]
    side_db: NDArray[np.float64] | None
    bounded: bool

    def summary(self) -> dict[str, Any]:
        """Return the curve at the third-octave bands that lie inside it, as plain numbers."""
        shown = [hz for hz in _SHOWN_HZ if hz <= self.hz[-1]]

        def at(db: NDArray[np.float64] | None) -> list[float] | None:
            return None if db is None else [round(float(x), 2) for x in np.interp(shown, self.hz, db)]

        return {
            "hz": [round(hz, 1) for hz in shown],
            "middle_db": at(self.middle_db),
            "side_db": at(self.side_db),
            "bounded": self.bounded,
        }


class SpectrumMeter:
    """Averages the power spectrum of (channels, n) blocks; any cut into blocks reads the same.

    Parameters
    ----------
    channels : int
        1 or 2; two are read as middle and side.
    sample_rate : int
        In Hz.
    """

    def __init__(self, channels: int, sample_rate: int) -> None:
        size = window_frames(sample_rate)
        self._hop = size // 2
        self._window = np.hanning(size + 1)[:-1]
        self._chunks = Chunks(
            channels, frames=self._hop * _FRAMES_PER_CHUNK, overlap=size - self._hop, lead=0
        )
        self._sum = np.zeros((channels, size // 2 + 1))
        self._frames = self._windows = 0

    def push(self, block: Samples) -> None:
        """Take the next samples in."""
        self._frames += block.shape[1]
        for chunk in self._chunks.push(block):
            self._add(chunk)

    def finish(self) -> Power:
        """Return the mean power of the windows, (channels, bins).

        Only those count that lie inside the stream: its hard start and end are no part of its tone. A stream that is
        shorter than one is filled up.
        """
        inside = max(1, (self._frames - len(self._window)) // self._hop + 1)
        for chunk in self._chunks.finish(self._hop * (inside - 1) + 1):
            self._add(chunk, inside - self._windows)
        return self._sum / self._windows

    def _add(self, chunk: Samples, count: int = _FRAMES_PER_CHUNK) -> None:
        count = min(count, _FRAMES_PER_CHUNK)
        for row, signal in enumerate(middle_and_side(chunk)):
            windows = np.lib.stride_tricks.sliding_window_view(signal, len(self._window))[:: self._hop]
            spectra = np.fft.rfft(windows[:count] * self._window, axis=1)
            self._sum[row] += (spectra.real**2 + spectra.imag**2).sum(axis=0)
        self._windows += count


@dataclass(slots=True)
class ToneFilter:
    """The filter of a `Curve` for one stream; see `filtered`."""

    curve: Curve
    sample_rate: int
    _taps: list[NDArray[np.float64]] = field(init=False)

    def __post_init__(self) -> None:
        wanted = [self.curve.middle_db, *([] if self.curve.side_db is None else [self.curve.side_db])]
        self._taps = [_linear_phase(self.curve.hz, db, self.sample_rate) for db in wanted]

    def filtered(self, source: Iterable[Samples]) -> Generator[Samples]:
        """Yield the filtered stream, as long as `source` and not later than it."""
        taps = len(self._taps[0])
        size = 4 * (taps - 1)
        step = size - (taps - 1)
        responses = [np.fft.rfft(row, size) for row in self._taps]
        chunks = Chunks(len(responses), frames=step, overlap=taps - 1, lead=(taps - 1) // 2)
        taken = given = 0
        for block in source:
            taken += block.shape[1]
            for chunk in chunks.push(block):
                yield _convolved(chunk, responses, taps)
                given += step
        for chunk in chunks.finish(taken):
            yield _convolved(chunk, responses, taps)[:, : taken - given]
            given += step


def window_frames(sample_rate: int) -> int:
    """Return the length of the analysis window, the power of two nearest to 0.19 s: 8192 at 44.1 and 48 kHz."""
    return int(2 ** round(float(np.log2(sample_rate * 0.19))))


def tone_of(source: Iterable[Samples], *, channels: int, sample_rate: int) -> Tone:
    """Measure the tone and the loudness of a stream."""
    spectrum, loudness = SpectrumMeter(channels, sample_rate), LoudnessMeter(channels, sample_rate)
    for block in source:
        spectrum.push(block)
        loudness.push(block)
    return Tone(spectrum.finish(), sample_rate, loudness.finish().integrated_lufs)


def reference_tone(reference: Path, work: Path, *, sample_rate: int, progress: Progress = silent) -> Tone:
    """Measure a reference of any format at the rate of the mix.

    Parameters
    ----------
    reference : Path
        The song.
    work : Path
        Folder for its decoded copy, which is taken away again.

    Raises
    ------
    AudioInputError
        When it cannot be read, is silent, or too short to have a loudness.
    """
    from covermaker.audio.decode import decode_song

    decoded = work / "reference.wav"
    decode_song(reference, decoded, sample_rate=sample_rate, progress=part(progress, 0.0, 0.5))
    tone = tone_of(blocks(decoded), channels=2, sample_rate=sample_rate)
    decoded.unlink()
    progress(1.0)
    if tone.lufs is None or not np.isfinite(tone.lufs):
        why = "shorter than 0.4 s" if tone.lufs is None else "silent"
        raise AudioInputError(
            f"the reference '{reference.name}' is {why}", hint="choose a song that sounds as yours should"
        )
    return tone


def curve_between(mix: Tone, reference: Tone, *, amount: float) -> Curve | None:
    """Return what brings a mix to the tone of a reference; None where the mix is silent.

    Raises
    ------
    ValueError
        When their rates differ.
    """
    if mix.sample_rate != reference.sample_rate:
        raise ValueError("the two tones are of different rates")
    hz = _grid(mix.sample_rate)
    middle = _difference(mix.power[0], reference.power[0], hz, mix.sample_rate)
    if middle is None:
        return None
    low, high = _LEVEL_RANGE_HZ
    level = middle[(hz >= low) & (hz <= high)].mean()
    middle = middle - level
    side = None
    if len(mix.power) > 1:
        side = _difference(mix.power[1], reference.power[1], hz, mix.sample_rate)
        # Nothing on the sides of one of the two: they go with the middle.
        side = middle if side is None else side - level
    every = [middle] if side is None else [middle, side]
    bounded = any(bool((np.abs(db) > _LIMIT_DB).any()) for db in every)
    middle, side = (
        None if db is None else amount * np.clip(db, -_LIMIT_DB, _LIMIT_DB) for db in (middle, side)
    )
    assert middle is not None
    return Curve(hz, middle, side, bounded)


def middle_and_side(samples: Samples) -> list[NDArray[np.float64]]:
    """Return the middle and the side of stereo, or the one channel of mono."""
    if len(samples) == 1:
        return [samples[0].astype(np.float64)]
    left, right = samples.astype(np.float64)
    return [0.5 * (left + right), 0.5 * (left - right)]


def _grid(sample_rate: int) -> NDArray[np.float64]:
    octaves = np.log2(0.5 * sample_rate / _LOWEST_HZ)
    return _LOWEST_HZ * 2.0 ** (np.arange(int(octaves * _POINTS_PER_OCTAVE) + 1) / _POINTS_PER_OCTAVE)


def _difference(
    mix: NDArray[np.float64], reference: NDArray[np.float64], hz: NDArray[np.float64], sample_rate: int
) -> NDArray[np.float64] | None:
    """Return reference over mix in dB at the grid, None where no band of both holds anything."""
    heard = _heard(mix, hz, sample_rate) & _heard(reference, hz, sample_rate)
    # A band that reaches into silence tells of its edge, not of the tone.
    reach = round(0.5 * _SMOOTHING_OCTAVES * _POINTS_PER_OCTAVE)
    whole = np.convolve(heard, np.ones(2 * reach + 1), "same") > 2 * reach
    heard = whole if whole.any() else heard
    if not heard.any():
        return None
    before, after = (_bands(power, hz, sample_rate, _SMOOTHING_OCTAVES)[heard] for power in (mix, reference))
    return np.interp(np.log(hz), np.log(hz[heard]), 10.0 * np.log10(after / before))


def _heard(power: NDArray[np.float64], hz: NDArray[np.float64], sample_rate: int) -> NDArray[np.bool_]:
    """Tell at which points of the grid there is anything."""
    narrow = _bands(power, hz, sample_rate, 1.0 / _POINTS_PER_OCTAVE)
    heard: NDArray[np.bool_] = narrow > 10.0 ** (_NOTHING_DB / 10.0) * max(float(narrow.max()), 1e-20)
    return heard


def _bands(
    power: NDArray[np.float64], hz: NDArray[np.float64], sample_rate: int, octaves: float
) -> NDArray[np.float64]:
    """Return the power in a band of some octaves around each point of the grid, by the running sum of the bins."""
    half = 2.0 ** (0.5 * octaves)
    width = 0.5 * sample_rate / (len(power) - 1)
    edges = (np.arange(len(power) + 1) - 0.5) * width
    total = np.concatenate([[0.0], np.cumsum(power)])
    bands: NDArray[np.float64] = np.interp(hz * half, edges, total) - np.interp(hz / half, edges, total)
    return bands


def _linear_phase(
    hz: NDArray[np.float64], gain_db: NDArray[np.float64], sample_rate: int
) -> NDArray[np.float64]:
    """Return an odd, symmetric FIR of a curve, by frequency sampling and a Hann window."""
    taps = window_frames(sample_rate) + 1
    size = 2 * (taps - 1)
    at = np.fft.rfftfreq(size, 1.0 / sample_rate)
    gains = 10.0 ** (np.interp(np.log(np.maximum(at, hz[0])), np.log(hz), gain_db) / 20.0)
    impulse = np.roll(np.fft.irfft(gains), taps // 2)[:taps]
    return impulse * np.hanning(taps + 2)[1:-1]


def _convolved(chunk: Samples, responses: list[NDArray[np.complex128]], taps: int) -> Samples:
    parts = [
        np.fft.irfft(np.fft.rfft(signal) * response)[taps - 1 :]
        for signal, response in zip(middle_and_side(chunk), responses, strict=True)
    ]
    made = parts[0][None] if len(parts) == 1 else np.stack([parts[0] + parts[1], parts[0] - parts[1]])
    return made.astype(np.float32)
