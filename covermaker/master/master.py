"""The master: rack, tone of a reference, then loudness to a target under a true-peak ceiling, measured afterwards.

The song goes through the rack once and is analysed on its way (`blocks`), the drive into the limiter is found on the
blocks (`prediction`), a real pass is written and measured on its way; what the prediction missed is added to the next
pass. Mostly one pass is enough. The true peaks are measured beside all the rest. Everything streams; work files live
beside `out` and nowhere else.
"""

from __future__ import annotations

import math
import os
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.beside import Beside
from covermaker.audio.files import blocks, probe, wav_writer
from covermaker.audio.loudness import MOMENTARY_HOPS, LoudnessMeter, measure_file
from covermaker.errors import AudioInputError
from covermaker.master.blocks import BlockAnalyser, output_meter
from covermaker.master.limiter import CHUNK_BLOCKS, GainCurve
from covermaker.master.prediction import LoudnessModel
from covermaker.master.settings import LOUDEST_LUFS, QUIETEST_LUFS, MasterReport
from covermaker.master.settings import MasterSettings as MasterSettings
from covermaker.master.solve import rising_root
from covermaker.master.source import open_mix
from covermaker.progress import Progress, part, silent
from covermaker.units import db_to_gain, gain_to_db

if TYPE_CHECKING:
    from covermaker.audio.files import AudioInfo
    from covermaker.audio.loudness import Loudness
    from covermaker.master.source import Matched, OpenMix

_TOLERANCE_LU = 0.1
_GOOD_ENOUGH_LU = 0.04
_MAX_PASSES = 6
# The limiter aims this far below the ceiling: multiplying by a moving gain shifts peaks a little, and meters with
# other oversampling filters read a little differently.
_MARGIN_DB = 0.1
# Readings of meters that follow one standard differ by this much at most.
_METER_ERROR_DB = 0.002


def master_file(
    mix: Path, out: Path, *, settings: MasterSettings, progress: Progress = silent
) -> MasterReport:
    """Master a mix to a float32 WAV.

    Parameters
    ----------
    mix : Path
        Mono or stereo.
    out : Path
        Replaced only when the master is finished.
    settings : MasterSettings
        Rack, target and ceiling. The ceiling is always kept, by `audio.loudness` and by our own meter; the target
        is reached to 0.1 LU or the report says why not.
    progress : callable
        Told the finished fraction.

    Raises
    ------
    AudioInputError
        When the mix or the reference cannot be read, is empty or holds NaN or infinity.
    """
    info = probe(mix)
    if not info.frames:
        raise AudioInputError(f"{mix.name} holds no samples to master")
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder:
        work = Path(folder)
        begin = 0.0 if settings.match is None else 0.4
        source = open_mix(mix, work, settings, info, progress=part(progress, 0.0, begin))
        song = _Song.analyse(source, info, progress=part(progress, begin, 0.5))
        finished = work / "master.wav"
        report = _Run(song, settings, finished, source.matched).report(progress=part(progress, 0.5, 1.0))
        os.replace(finished, out)
    progress(1.0)
    return report


@dataclass(frozen=True, slots=True)
class _Song:
    """What one reading of the mix tells; `path` is what the passes read."""

    path: Path
    info: AudioInfo
    curve: GainCurve
    model: LoudnessModel
    lufs: float | None
    true_peak: float

    @classmethod
    def analyse(cls, source: OpenMix, info: AudioInfo, *, progress: Progress) -> _Song:
        """Learn the song on its way into the file that the passes read, or out of it."""
        analyser = BlockAnalyser(channels=info.channels, sample_rate=info.sample_rate)
        meter = LoudnessMeter(info.channels, info.sample_rate)
        # The meter stays on this thread: libebur128 holds Python's lock, a third thread would only wait for it.
        with closing(source.stream), Beside(analyser.push) as peaks_beside:
            done = 0
            for block in source.stream:
                peaks_beside.push(block)
                meter.push(block)
                done += block.shape[1]
                progress(min(1.0, done / info.frames))
        peaks, energies = analyser.finish()
        return cls(
            source.path,
            info,
            GainCurve(peaks, block=analyser.block, sample_rate=info.sample_rate),
            LoudnessModel(meter.energies(MOMENTARY_HOPS), energies, meter.hop),
            meter.finish().integrated_lufs,
            float(peaks.max()),
        )


@dataclass(frozen=True, slots=True)
class _Pass:
    """What was measured on a written pass: `peak_db` by the strictest meter, in dBTP."""

    loudness: Loudness
    peak_db: float


class _Run:
    """The passes of one master."""

    def __init__(self, song: _Song, settings: MasterSettings, out: Path, matched: Matched | None) -> None:
        self._song = song
        self._out = out
        self._matched = matched
        self._ceiling_db = settings.true_peak_dbtp
        self._peak_db = gain_to_db(song.true_peak)
        self._max_drive_db = settings.max_drive_db
        self._highest_db = self._ceiling_db + settings.max_drive_db - self._peak_db
        # Without a measurable loudness there is no gain, only the ceiling.
        self._wanted = _wanted(settings, matched)
        self._input_lufs = _level(song.lufs)
        self._target = self._wanted if math.isfinite(self._input_lufs) else None
        self._excess_db = 0.0  # by how much a meter found a pass above the ceiling
        self._correction_lu = 0.0  # measured minus predicted loudness
        self._reduction_db = 0.0

    def report(self, *, progress: Progress) -> MasterReport:
        """Write passes until loudness and ceiling fit, and say how it went."""
        for number in range(1, _MAX_PASSES + 1):
            # One or two passes are usual; every one takes half of what is left of the bar.
            share = part(progress, 1.0 - 0.5 ** (number - 1), 1.0 - 0.5**number)
            drive_db = self._drive_db()
            made = self._write(drive_db, progress=share)
            loudness, lufs = made.loudness, _level(made.loudness.integrated_lufs)
            if number < _MAX_PASSES and not self._settled(drive_db, lufs):
                self._learn(drive_db, lufs)
                continue
            over_db = made.peak_db + _METER_ERROR_DB - self._ceiling_db
            if over_db <= 0.0:
                break
            if number == _MAX_PASSES:
                loudness = self._trim(over_db)
                drive_db -= over_db
            else:
                self._learn(drive_db, lufs)
                self._excess_db += over_db + 0.01
        reached, reason = self._judge(drive_db, loudness.integrated_lufs)
        return MasterReport(
            sample_rate=self._song.info.sample_rate,
            frames=self._song.info.frames,
            input_lufs=self._song.lufs,
            input_true_peak_dbtp=self._peak_db,
            integrated_lufs=loudness.integrated_lufs,
            loudness_range_lu=loudness.range_lu,
            true_peak_dbtp=_level(loudness.true_peak_dbtp),
            sample_peak_dbfs=loudness.sample_peak_dbfs,
            gain_db=drive_db,
            max_gain_reduction_db=self._reduction_db,
            passes=number,
            reached=reached,
            reason=reason,
            target_lufs=self._wanted,
            match=None if self._matched is None else self._matched.summary(),
        )

    def _limit_db(self, drive_db: float) -> float:
        """Return the ceiling for the limiter: the real one when no peak reaches it, else one below it."""
        limit_db = self._ceiling_db - self._excess_db
        return limit_db if self._peak_db + drive_db <= limit_db else limit_db - _MARGIN_DB

    def _predict(self, drive_db: float) -> float:
        drive, ceiling = db_to_gain(drive_db), db_to_gain(self._limit_db(drive_db))
        return self._song.model.predict(self._song.curve, drive=drive, ceiling=ceiling) + self._correction_lu

    def _drive_db(self) -> float:
        """Return the gain that should reach the target, within `max_drive_db`."""
        if self._target is None:
            return 0.0
        target = self._target
        # A limiter only takes away: less than the plain gain is never enough.
        lowest_db = target - self._input_lufs - max(self._correction_lu, 0.0)
        return rising_root(
            lambda drive_db: self._predict(drive_db) - target,
            low=lowest_db,
            high=self._highest_db,
            tolerance=0.1 * _GOOD_ENOUGH_LU,
        )

    def _settled(self, drive_db: float, lufs: float) -> bool:
        if self._target is None or abs(lufs - self._target) <= _GOOD_ENOUGH_LU:
            return True
        return drive_db >= self._highest_db and lufs < self._target

    def _learn(self, drive_db: float, lufs: float) -> None:
        """Correct the prediction by a measured pass."""
        if self._target is not None:
            self._correction_lu += lufs - self._predict(drive_db)

    def _write(self, drive_db: float, *, progress: Progress) -> _Pass:
        """Write one pass and measure it."""
        song = self._song
        channels, rate = song.info.channels, song.info.sample_rate
        drive = db_to_gain(drive_db)
        meter, peaks = LoudnessMeter(channels, rate), output_meter(channels, rate)
        least = 1.0

        with (
            wav_writer(self._out, sample_rate=rate, channels=channels) as writer,
            Beside(peaks.push) as peaks_beside,
        ):
            curve = song.curve.nodes(drive=drive, ceiling=db_to_gain(self._limit_db(drive_db)))
            pieces = blocks(song.path, block_frames=CHUNK_BLOCKS * song.curve.block)
            for block, nodes in zip(pieces, curve, strict=True):
                louder = song.curve.apply(block, nodes, drive=drive)
                peaks_beside.push(louder)
                meter.push(louder)
                if nodes is not None:
                    least = min(least, float(nodes.min()))
                writer.write(louder)
                progress(writer.frames / song.info.frames)
        self._reduction_db = max(0.0, -gain_to_db(least))
        true_peak, ours = peaks.finish()
        # Where only a gain was applied, the limiter's own readings are those of the mix: nothing to check.
        highest = max(true_peak, ours) if self._reduction_db > 0.0 else true_peak
        return _Pass(meter.finish(true_peak=true_peak), gain_to_db(highest))

    def _trim(self, over_db: float) -> Loudness:
        """Turn the finished file down: what no further pass could shape is left to a plain gain."""
        louder = self._out.with_name("untrimmed.wav")
        os.replace(self._out, louder)
        gain = np.float32(db_to_gain(-over_db))
        info = self._song.info
        with wav_writer(self._out, sample_rate=info.sample_rate, channels=info.channels) as writer:
            for block in blocks(louder):
                writer.write(block * gain)
        louder.unlink()
        return measure_file(self._out, true_peak=True)

    def _judge(self, drive_db: float, lufs: float | None) -> tuple[bool, str]:
        """Return whether the target is reached, and why not."""
        if self._wanted is None:
            return True, ""
        if self._song.true_peak == 0.0:
            return False, "the mix is silent: no gain was given"
        if self._target is None or lufs is None:
            why = (
                "the mix is shorter than 0.4 s"
                if self._song.lufs is None
                else "nothing in the mix is above -70 LUFS"
            )
            return False, f"{why}, so it has no loudness: only the ceiling was kept"
        if abs(lufs - self._target) <= _TOLERANCE_LU:
            return True, ""
        if drive_db >= self._highest_db - _TOLERANCE_LU:
            return False, (
                f"{self._target:g} LUFS under {self._ceiling_db:g} dBTP would push peaks more than "
                f"{self._max_drive_db:g} dB over the ceiling (max_drive_db): it stays at {lufs:.1f} LUFS; compress "
                "the mix, or ask for less loudness"
            )
        return False, f"the limiter came no closer than {lufs:.2f} LUFS under {self._ceiling_db:g} dBTP"


def _wanted(settings: MasterSettings, matched: Matched | None) -> float | None:
    """Return the loudness to reach; that of a reference is kept within what a master may have."""
    if not isinstance(settings.loudness_lufs, str):
        return settings.loudness_lufs
    assert matched is not None
    return min(max(matched.lufs, QUIETEST_LUFS), LOUDEST_LUFS)


def _level(reading: float | None) -> float:
    return -math.inf if reading is None else reading
