"""Another pitch at the same time: every partial moves, nothing moves in time.

A phase vocoder that shifts the peaks of the spectrum (J. Laroche, M. Dolson, New phase-vocoder techniques for
pitch-shifting, harmonizing and other exotic effects, WASPAA 1999). Frames stay where they are, a peak with its
surroundings is modulated to its new frequency, and so an onset keeps its place exactly: stretching the time and
resampling would have to round it. Modulation by a constant frequency does not move the energy of what it modulates.

Where a frame holds a stroke (its energy is in one point), all peaks turn by the phase that makes them meet there
again: a click stays a click.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from covermaker.effects.glide import Glide
from covermaker.effects.late_glide import LateGlide
from covermaker.effects.lines import Line
from covermaker.effects.spec import Spec, Value, number, switch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples

_WINDOW_SECONDS = 0.07  # resolves the partials of a low voice
_OVERLAP = 4
_PADDING = 2  # of the transform, over the window
_OVERLAPPED = 1.5  # sum of the squared Hann windows at that overlap
_PEAK_REACH = 3  # bins to either side that a peak must stand out from
_FLOOR = 1e-16  # power below which there is nothing to be shifted
# A frame whose energy lies within this share of the spread that a steady sound has holds a stroke.
_STROKE = 0.4
# Slower than this the envelope is the throat, faster it is the pitch.
_ENVELOPE_SECONDS = 0.0012
_GREATEST_LIFT = 30.0  # factor, either way


class PitchShift:
    """Moves all that has a pitch by `semitones` and `cents`.

    With `formants` the spectrum's envelope stays, so that a voice keeps its throat: a shifted singer and no dwarf.
    The whole output, the direct sound of `mix` included, comes one window late.
    """

    HELP: ClassVar[str] = "Moves the pitch, not the time: harmonies, octaves, a deeper or a higher voice."
    VERSION: ClassVar[int] = 1
    KEEPS_MONO: ClassVar[bool] = True
    SPECS: ClassVar[tuple[Spec, ...]] = (
        Spec("semitones", "semitones", -24.0, 24.0, 0.0, help="How far the pitch moves; 12 is an octave up."),
        Spec("cents", "cents", -100.0, 100.0, 0.0, help="Hundredths of a semitone on top."),
        switch("formants", False, "Keeps the colour of the voice where it is."),
        Spec("mix", "", 0.0, 1.0, 1.0, help="Share of the shifted sound; 0 is the sound alone."),
    )
    MOVES: ClassVar[frozenset[str]] = frozenset({"semitones", "cents", "mix"})

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        self._window = 3 * 2 ** max(4, round(math.log2(_WINDOW_SECONDS * sample_rate / 3.0)))
        self.latency_samples = self._window
        self._sample_rate = sample_rate
        self._semitones, self._cents = number(values, "semitones"), number(values, "cents")
        self._interval = Glide(self._semitones + self._cents / 100.0)
        self._mix = LateGlide(number(values, "mix"), self._window)
        self._dry = Line(self._window, channels)
        self._needed = self._semitones != 0.0 or self._cents != 0.0
        lifter = round(_ENVELOPE_SECONDS * sample_rate) if values["formants"] else None
        self._frames = _Frames(self._window, channels, lifter)

    def process(self, block: Samples) -> Samples:
        """Return the shifted sound, `latency_samples` late."""
        dry = self._dry.process(block)
        interval = self._interval.take(block.shape[1])
        mix = np.asarray(self._mix.take(block.shape[1]), np.float32)
        wet = self._frames.process(block, interval)  # even if nobody hears it yet: it may be moved later
        if not self._needed:
            return dry.copy()
        result: Samples = (1 - mix) * dry + mix * wet
        return result

    def tail_seconds(self) -> float:
        """Return the length of a window: so far the end of a sound may be smeared."""
        return self._window / self._sample_rate if self._needed else 0.0

    def move(self, values: Mapping[str, Value]) -> None:
        """Take new values."""
        if "mix" in values:
            self._mix.to(number(values, "mix"))
        if "semitones" in values or "cents" in values:
            self._semitones = float(values.get("semitones", self._semitones))
            self._cents = float(values.get("cents", self._cents))
            self._interval.to(self._semitones + self._cents / 100.0)
            self._needed = self._needed or self._semitones != 0.0 or self._cents != 0.0


class _Frames:
    """Windowed frames of a stream on a fixed grid, each with its peaks moved, overlapped and added.

    Parameters
    ----------
    window : int
        Samples of a frame, a multiple of `_OVERLAP`; the output is this late.
    channels : int
        They share peaks and phases, so that the stereo image stays.
    lifter : int, optional
        Longest quefrency of the envelope to be kept, in samples.
    """

    def __init__(self, window: int, channels: int, lifter: int | None) -> None:
        self._hop, self._size = window // _OVERLAP, window * _PADDING
        self._hann = np.sin(np.pi * (np.arange(window) + 0.5) / window) ** 2
        self._input = np.zeros((channels, window))
        self._sum = np.zeros((channels, window))
        self._ready: Samples = np.zeros((channels, self._hop), np.float32)
        self._filled = 0
        self._silent = (
            window  # samples until the first that came in comes out: no onset sounds before the stream
        )
        self._intervals: deque[float] = deque(maxlen=_OVERLAP // 2)
        self._bins = np.arange(self._size // 2 + 1)
        self._places = np.arange(window)
        self._steady = _spread(self._places, self._hann**2)[1]
        self._gains = _blending_gains(self._hann, self._size)
        self._lifter = lifter
        # By bin, of the frame before: the phase that its region was turned by, and how far it was moved.
        self._phases = self._shifts = np.zeros(len(self._bins))
        self._turning = False

    def process(self, block: Samples, interval: NDArray[np.float64] | float) -> Samples:
        """Return the next samples; `interval` is in semitones, one number or one for every sample."""
        frames = block.shape[1]
        shifted = np.empty(block.shape, np.float32)
        first = self._input.shape[1] - self._hop
        at = 0
        while at < frames:
            if self._filled == 0:
                self._intervals.append(interval if isinstance(interval, float) else float(interval[at]))
            stop = at + min(self._hop - self._filled, frames - at)
            filled = self._filled + stop - at
            self._input[:, first + self._filled : first + filled] = block[:, at:stop]
            shifted[:, at:stop] = self._ready[:, self._filled : filled]
            at, self._filled = stop, filled
            if self._filled == self._hop:
                self._finish_hop()
        if self._silent:
            shifted[:, : self._silent] = 0.0
            self._silent = max(0, self._silent - frames)
        return shifted

    def _finish_hop(self) -> None:
        """Add the frame that has become complete: what only it and earlier ones reach is ready."""
        self._sum += self._frame(2.0 ** (self._intervals[0] / 12.0))  # the interval at its middle
        self._ready = (self._sum[:, : self._hop] / _OVERLAPPED).astype(np.float32)
        for held in (self._sum, self._input):
            held[:, : -self._hop] = held[:, self._hop :].copy()
            held[:, -self._hop :] = 0.0
        self._filled = 0

    def _frame(self, ratio: float) -> NDArray[np.float64]:
        """Return the latest frame at another pitch, windowed twice."""
        frame = self._input * self._hann
        if ratio == 1.0 and not self._turning:
            unmoved: NDArray[np.float64] = frame * self._hann
            return unmoved
        half = frame.shape[1] // 2
        centred = np.zeros((len(frame), self._size))
        centred[:, :half], centred[:, -half:] = frame[:, half:], frame[:, :half]
        spectrum = np.fft.rfft(centred)
        power = (spectrum.real**2 + spectrum.imag**2).sum(axis=0)
        peaks = _peaks(power)
        if not len(peaks):
            self._phases, self._shifts = np.zeros_like(self._phases), np.zeros_like(self._shifts)
            return np.zeros_like(frame)
        shifts = (ratio - 1.0) * _finely(power, peaks)
        stroke = self._stroke(frame)
        if stroke is None:
            before = self._shifts[peaks] if self._turning else shifts
            phases = self._phases[peaks] + np.pi * self._hop / self._size * (before + shifts)
        else:
            phases = 2.0 * np.pi / self._size * (half - stroke) * shifts
        moved = self._moved(spectrum, power, peaks, shifts, phases % (2.0 * np.pi))
        back = np.fft.irfft(moved, self._size)
        moved_frame: NDArray[np.float64] = (
            np.concatenate([back[:, -half:], back[:, :half]], axis=1) * self._hann
        )
        return moved_frame

    def _stroke(self, frame: NDArray[np.float64]) -> float | None:
        """Return where in the frame its energy is, when it is in one place."""
        edges = np.diff(frame, axis=1, prepend=0.0)
        middle, spread = _spread(self._places, np.square(edges).sum(axis=0))
        return middle if spread < _STROKE * self._steady else None

    def _moved(
        self,
        spectrum: NDArray[np.complex128],
        power: NDArray[np.float64],
        peaks: NDArray[np.intp],
        shifts: NDArray[np.float64],
        phases: NDArray[np.float64],
    ) -> NDArray[np.complex128]:
        """Return the spectrum with each peak and its surroundings at a new place, turned by its phase."""
        region = np.searchsorted((peaks[1:] + peaks[:-1] + 1) // 2, self._bins, side="right")
        self._phases, self._shifts, self._turning = phases[region], shifts[region], True
        whole = np.floor(shifts)
        part = shifts - whole
        turn = np.exp(1j * phases) / np.interp(part, np.linspace(0.0, 1.0, len(self._gains)), self._gains)
        target = self._bins + whole.astype(np.intp)[region]
        last = len(self._bins) - 1
        inside = (target >= 0) & (target < last)
        target, region = target[inside], region[inside]
        turned = spectrum[:, inside] * turn[region]
        if self._lifter is not None:
            envelope = self._envelope(power)
            lift = envelope[target] - envelope[self._bins[inside]]
            limit = math.log(_GREATEST_LIFT)
            turned *= np.exp(np.clip(lift, -limit, limit))
        moved = np.zeros_like(spectrum)
        ahead = part[region]
        # Half of a bin is both neighbours.
        for channel, values in enumerate(turned):
            for share, offset in ((1.0 - ahead, 0), (ahead, 1)):
                for of, weights in (("real", values.real), ("imag", values.imag)):
                    parts = getattr(moved[channel], of)
                    parts += np.bincount(target + offset, weights * share, last + 1)
        return moved

    def _envelope(self, power: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the smooth course of the spectrum, natural logarithm of the amplitude."""
        assert self._lifter is not None
        cepstrum = np.fft.irfft(0.5 * np.log(power + _FLOOR), self._size)
        cepstrum[self._lifter : -self._lifter + 1] = 0.0
        envelope: NDArray[np.float64] = np.fft.rfft(cepstrum).real
        return envelope


def _peaks(power: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the bins that stand out from their neighbours."""
    reach = _PEAK_REACH
    middle = power[reach:-reach]
    found = middle > _FLOOR
    for distance in range(1, reach + 1):
        found &= middle > power[reach - distance : -reach - distance]
        found &= middle >= power[reach + distance : len(power) - reach + distance]
    return np.flatnonzero(found) + reach


def _finely(power: NDArray[np.float64], peaks: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the places of peaks between the bins: the top of the parabola through three levels."""
    low, top, high = (np.log(power[peaks + offset] + 1e-300) for offset in (-1, 0, 1))
    bend = low - 2.0 * top + high
    places: NDArray[np.float64] = peaks.astype(np.float64) + np.clip(
        0.5 * (low - high) / np.where(bend == 0.0, 1.0, bend), -0.5, 0.5
    )
    return places


def _spread(places: NDArray[np.int64], weights: NDArray[np.float64]) -> tuple[float, float]:
    """Return centre and standard deviation of a distribution."""
    total = weights.sum()
    if total <= 0.0:
        return 0.0, math.inf
    middle = float((weights * places).sum() / total)
    return middle, math.sqrt(max(0.0, float((weights * (places - middle) ** 2).sum() / total)))


def _blending_gains(hann: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Return what shifting by a part of a bin leaves of the level, for parts 0 to 1.

    A value between two bins is blended of both, which bends the frame's window a little.
    """
    turn = 2.0j * np.pi * (np.arange(len(hann)) - (len(hann) - 1) / 2) / size
    weight = hann**2 / (hann**2).sum()
    parts = np.linspace(0.0, 1.0, 33)
    return np.array([((1 - f + f * np.exp(turn)) * np.exp(-f * turn) * weight).sum().real for f in parts])
