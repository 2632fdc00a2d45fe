"""How loud a file is: ITU-R BS.1770-5 and EBU R 128 (Tech 3341, 3342), streaming.

libebur128 (pyebur128) weighs the signal and gives the energy of each 100 ms. Momentary and short-term loudness are
means over those, updated ten times a second as Tech 3341 asks. So are the windows of the integrated loudness and of
the loudness range, which are gated here: libebur128 itself would sum every sample again for each window. One channel
is weighed as one channel, so a mono file reads 3 LU less than the same signal on two.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from covermaker.audio.beside import Beside
from covermaker.audio.files import blocks, probe
from covermaker.audio.truepeak import TruePeakMeter
from covermaker.progress import Progress, silent
from covermaker.units import gain_to_db

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Audio, Samples

MOMENTARY_HOPS = 4  # of 100 ms
_SHORT_TERM_HOPS = 30
_RANGE_HOPS = 10  # from one short-term value of the loudness range to the next
_OFFSET_LUFS = -0.691  # BS.1770-5, equation 2
_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0
_RANGE_GATE_LU = -20.0  # Tech 3342
_RANGE_PERCENTILES = (0.1, 0.95)


@dataclass(frozen=True, slots=True)
class Loudness:
    """Measured levels. Silence is ``-inf``; None means that the signal is too short, or was not asked for.

    Parameters
    ----------
    integrated_lufs : float or None
        Gated loudness of the whole; ``-inf`` when everything is below the -70 LUFS gate, None under 0.4 s.
    range_lu : float or None
        Loudness range, None under 3 s.
    momentary_max_lufs, short_term_max_lufs : float or None
        Loudest 0.4 s and 3 s; None when the signal is shorter than that.
    true_peak_dbtp : float or None
        Loudest point between or on the samples; None when not asked for.
    sample_peak_dbfs : float
        Loudest sample.
    frames : int
        Length measured.
    sample_rate : int
        In Hz.
    """

    integrated_lufs: float | None
    range_lu: float | None
    momentary_max_lufs: float | None
    short_term_max_lufs: float | None
    true_peak_dbtp: float | None
    sample_peak_dbfs: float
    frames: int
    sample_rate: int


def measure_file(path: Path, *, true_peak: bool = True, progress: Progress = silent) -> Loudness:
    """Measure a file in blocks; the true peak runs beside the loudness on a second thread.

    Raises
    ------
    AudioInputError
        When the file cannot be read.
    """
    info = probe(path)
    meter = LoudnessMeter(info.channels, info.sample_rate)
    peak = TruePeakMeter(info.channels, info.sample_rate)
    with Beside(peak.push) as beside:
        for block in blocks(path):
            if true_peak:
                beside.push(block)
            meter.push(block)
            progress(min(1.0, meter.frames / max(1, info.frames)))
    return meter.finish(true_peak=peak.finish() if true_peak else None)


def measure(audio: Audio, *, true_peak: bool = True) -> Loudness:
    """Measure sound that is in memory."""
    meter = LoudnessMeter(audio.channels, audio.sample_rate)
    meter.push(audio.samples)
    if not true_peak:
        return meter.finish()
    peak = TruePeakMeter(audio.channels, audio.sample_rate)
    peak.push(audio.samples)
    return meter.finish(true_peak=peak.finish())


class LoudnessMeter:
    """Loudness of (channels, n) blocks; any cut into blocks reads the same.

    Parameters
    ----------
    channels : int
        1 to 64, in WAVE order.
    sample_rate : int
        In Hz.
    """

    def __init__(self, channels: int, sample_rate: int) -> None:
        import pyebur128

        self._library = pyebur128
        self._state = pyebur128.R128State(channels, sample_rate, pyebur128.MeasurementMode.MODE_M)
        self.hop = (sample_rate + 5) // 10  # as libebur128 rounds its 100 ms
        self._filled = 0
        self._energies = array("d")  # 0.3 MB an hour
        self._peak = 0.0
        self._channels, self._rate = channels, sample_rate
        self.frames = 0

    def push(self, block: Samples) -> None:
        """Take the next samples in."""
        flat = np.ascontiguousarray(block.T).reshape(-1)
        at, count = 0, block.shape[1]
        while at < count:
            take = min(self.hop - self._filled, count - at)
            self._state.add_frames(flat[at * self._channels : (at + take) * self._channels], take)
            at += take
            self._filled += take
            if self._filled == self.hop:
                self._filled = 0
                self._end_hop()
        self._peak = max(self._peak, float(np.abs(block).max(initial=0.0)))
        self.frames += count

    def finish(self, *, true_peak: float | None = None) -> Loudness:
        """Return the reading; `true_peak` is an amplitude measured elsewhere."""
        momentary, short_term = self.energies(MOMENTARY_HOPS), self.energies(_SHORT_TERM_HOPS)
        return Loudness(
            integrated_lufs=gated_lufs(momentary) if len(momentary) else None,
            range_lu=_range_lu(short_term[::_RANGE_HOPS]) if len(short_term) else None,
            momentary_max_lufs=_lufs(float(momentary.max())) if len(momentary) else None,
            short_term_max_lufs=_lufs(float(short_term.max())) if len(short_term) else None,
            true_peak_dbtp=None if true_peak is None else gain_to_db(true_peak),
            sample_peak_dbfs=gain_to_db(self._peak),
            frames=self.frames,
            sample_rate=self._rate,
        )

    def energies(self, hops: int) -> NDArray[np.float64]:
        """Return the K-weighted energies of the complete windows of `hops` times 100 ms, one every 100 ms."""
        if len(self._energies) < hops:
            return np.zeros(0)
        means: NDArray[np.float64] = sliding_window_view(np.array(self._energies), hops).mean(axis=1)
        return means

    def _end_hop(self) -> None:
        self._energies.append(_energy(self._library.get_loudness_window(self._state, 100)))


def gated_lufs(momentary: NDArray[np.float64]) -> float:
    """Return the integrated loudness of 400 ms energies (BS.1770-5: two gates); ``-inf`` when none is above -70."""
    loud = momentary[momentary >= _energy(_ABSOLUTE_GATE_LUFS)]
    if not len(loud):
        return -math.inf
    relative_gate = loud.mean() * 10.0 ** (_RELATIVE_GATE_LU / 10.0)
    return _lufs(float(loud[loud >= relative_gate].mean()))


def _range_lu(short_term: NDArray[np.float64]) -> float:
    """Return the loudness range of 3 s energies (Tech 3342); the percentiles are taken as libebur128 takes them."""
    loud = np.sort(short_term[short_term >= _energy(_ABSOLUTE_GATE_LUFS)])
    if not len(loud):
        return 0.0
    loud = loud[loud >= loud.mean() * 10.0 ** (_RANGE_GATE_LU / 10.0)]
    low, high = (_lufs(float(loud[int((len(loud) - 1) * share + 0.5)])) for share in _RANGE_PERCENTILES)
    return high - low


def _energy(lufs: float) -> float:
    return 10.0 ** ((lufs - _OFFSET_LUFS) / 10.0) if lufs > -math.inf else 0.0


def _lufs(energy: float) -> float:
    return _OFFSET_LUFS + 10.0 * math.log10(energy) if energy > 0.0 else -math.inf
