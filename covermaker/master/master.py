"""The master: rack, then loudness to a target under a true-peak ceiling, measured afterwards.

The song is read once to learn its blocks (`blocks`), the drive into the limiter is found on those (`prediction`), a
real pass is written and its loudness measured; what the prediction missed is added to the next pass. Two passes are
usual, one where nothing has to be limited. Everything streams; work files live beside `out` and nowhere else.
"""

from __future__ import annotations

import math
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.files import BLOCK_FRAMES, blocks, probe, wav_writer
from covermaker.audio.loudness import Loudness, measure_file
from covermaker.errors import ProjectError, ResourceError
from covermaker.master.blocks import BlockAnalyser
from covermaker.master.limiter import CHUNK_BLOCKS, GainCurve
from covermaker.master.prediction import LoudnessModel, StreamMeter
from covermaker.master.solve import rising_root
from covermaker.progress import Progress, part, silent
from covermaker.units import db_to_gain, gain_to_db

if TYPE_CHECKING:
    from covermaker.audio.files import AudioInfo
    from covermaker.effects.rack import EffectSettings

_TOLERANCE_LU = 0.1
_GOOD_ENOUGH_LU = 0.04
_MAX_PASSES = 6
# The limiter aims this far below the ceiling: multiplying by a moving gain shifts peaks a little, and meters with
# other oversampling filters read a little differently.
_MARGIN_DB = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterSettings:
    """What the master must be.

    Parameters
    ----------
    loudness_lufs : float or None
        Integrated loudness to reach, -40..-5 LUFS; None leaves the level alone and only keeps the ceiling.
    true_peak_dbtp : float
        Ceiling, -12..0 dBTP.
    rack : sequence of effect settings
        Effects on the whole mix, before the loudness.
    max_drive_db : float
        How far the loudest peak may be pushed over the ceiling, 0..40 dB; what the limiter would have to take off
        beyond that is refused, and the master stays quieter than its target.

    Raises
    ------
    ProjectError
        When a value is outside its range.
    """

    loudness_lufs: float | None = -14.0
    true_peak_dbtp: float = -1.0
    rack: tuple[EffectSettings, ...] = ()
    max_drive_db: float = 18.0

    def __post_init__(self) -> None:
        ranges = (
            ("loudness_lufs", self.loudness_lufs, -40.0, -5.0, "LUFS"),
            ("true_peak_dbtp", self.true_peak_dbtp, -12.0, 0.0, "dBTP"),
            ("max_drive_db", self.max_drive_db, 0.0, 40.0, "dB"),
        )
        for name, value, low, high, unit in ranges:
            if value is not None and not low <= value <= high:
                raise ProjectError(f"master.{name} is {value:g}, it must be {low:g} to {high:g} {unit}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterReport:
    """What the master became. Levels are `-inf` for silence.

    Parameters
    ----------
    before, after : Loudness
        Measured on the mix behind the rack (its true peak by our own 8-times oversampling, its range not) and on the
        finished file.
    """

    sample_rate: int
    frames: int
    input_lufs: float
    input_true_peak_dbtp: float
    integrated_lufs: float
    loudness_range_lu: float
    true_peak_dbtp: float
    sample_peak_dbfs: float
    gain_db: float
    max_gain_reduction_db: float
    passes: int
    reached: bool
    reason: str
