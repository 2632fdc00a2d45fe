"""How loud a file is: ITU-R BS.1770-5 and EBU R 128 (Tech 3341, 3342), streaming.

Integrated loudness and loudness range come from libebur128 (pyebur128); momentary and short-term loudness are means
over its 100 ms energies, updated ten times a second as Tech 3341 asks. One channel is weighed as one channel, so a
mono file reads 3 LU less than the same signal on two.
"""

from __future__ import annotations

import math
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.files import blocks, probe
from covermaker.audio.truepeak import TruePeakMeter
from covermaker.progress import Progress, silent
from covermaker.units import gain_to_db

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from covermaker.audio.buffer import Audio, Samples

_MOMENTARY_HOPS, _SHORT_TERM_HOPS = 4, 30  # of 100 ms


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
    with ThreadPoolExecutor(1) as pool:
        peak = pool.submit(_true_peak, blocks(path), info.channels, info.sample_rate) if true_peak else None
        meter = LoudnessMeter(info.channels, info.sample_rate)
        for block in blocks(path):
            meter.push(block)
            progress(min(1.0, meter.frames / max(1, info.frames)))
        return meter.finish(true_peak=None if peak is None else peak.result())


def measure(audio: Audio, *, true_peak: bool = True) -> Loudness:
    """Measure sound that is in memory."""
    meter = LoudnessMeter(audio.channels, audio.sample_rate)
    meter.push(audio.samples)
    peak = _true_peak([audio.samples], audio.channels, audio.sample_rate) if true_peak else None
    return meter.finish(true_peak=peak)


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

        mode = pyebur128.MeasurementMode.MODE_I | pyebur128.MeasurementMode.MODE_LRA
        self._state = pyebur128.R128State(channels, sample_rate, mode)
        self._hop_frames = (sample_rate + 5) // 10
        self._filled = 0
        self._energies: deque[float] = deque(maxlen=_SHORT_TERM_HOPS)
        self._momentary = self._short_term = -1.0
        self._peak = 0.0
        self._channels, self._rate = channels, sample_rate
        self.frames = 0

    def push(self, block: Samples) -> None:
        """Take the next samples in."""
        flat = np.ascontiguousarray(block.T).reshape(-1)
        at, count = 0, block.shape[1]
        while at < count:
            take = min(self._hop_frames - self._filled, count - at)
            self._state.add_frames(flat[at * self._channels : (at + take) * self._channels], take)
            at += take
            self._filled += take
            if self._filled == self._hop_frames:
                self._filled = 0
                self._end_hop()
        self._peak = max(self._peak, float(np.abs(block).max(initial=0.0)))
        self.frames += count

    def finish(self, *, true_peak: float | None = None) -> Loudness:
        """Return the reading; `true_peak` is an amplitude measured elsewhere."""
        import pyebur128

        long_enough = self._momentary >= 0.0
        return Loudness(
            integrated_lufs=pyebur128.get_loudness_global(self._state) if long_enough else None,
            range_lu=pyebur128.get_loudness_range(self._state) if self._short_term >= 0.0 else None,
            momentary_max_lufs=_lufs(self._momentary),
            short_term_max_lufs=_lufs(self._short_term),
            true_peak_dbtp=None if true_peak is None else gain_to_db(true_peak),
            sample_peak_dbfs=gain_to_db(self._peak),
            frames=self.frames,
            sample_rate=self._rate,
        )

    def _end_hop(self) -> None:
        import pyebur128

        level = pyebur128.get_loudness_window(self._state, 100)
        self._energies.append(10.0 ** ((level + 0.691) / 10.0) if level > -math.inf else 0.0)
        recent = list(self._energies)
        if len(recent) >= _MOMENTARY_HOPS:
            self._momentary = max(self._momentary, math.fsum(recent[-_MOMENTARY_HOPS:]) / _MOMENTARY_HOPS)
        if len(recent) == _SHORT_TERM_HOPS:
            self._short_term = max(self._short_term, math.fsum(recent) / _SHORT_TERM_HOPS)


def _lufs(energy: float) -> float | None:
    if energy < 0.0:
        return None
    return 10.0 * math.log10(energy) - 0.691 if energy > 0.0 else -math.inf


def _true_peak(parts: Iterable[Samples], channels: int, sample_rate: int) -> float:
    meter = TruePeakMeter(channels, sample_rate)
    for part in parts:
        meter.push(part)
    return meter.finish()
