"""Making A and B equally loud, so that a comparison is not won by the louder one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from covermaker.audio.files import BLOCK_FRAMES, probe
from covermaker.audio.loudness import LoudnessMeter
from covermaker.play.tape import Tape

if TYPE_CHECKING:
    from pathlib import Path


def matching_gains(a: Path, b: Path, *, stretch: tuple[float, float] | None = None) -> tuple[float, float]:
    """Return the gains in dB that bring the louder file down to the quieter one.

    Parameters
    ----------
    a, b : Path
        Any readable files.
    stretch : tuple of two seconds, optional
        Measure only this part of both.

    Returns
    -------
    tuple of float
        For A and B, one of them 0 and none above: matching never clips. Both 0 when one is silent or shorter than
        the 400 ms that integrated loudness (ITU-R BS.1770-5) needs.

    Raises
    ------
    AudioInputError
        When a file cannot be read.
    """
    loud_a, loud_b = _lufs(a, stretch), _lufs(b, stretch)
    if not (math.isfinite(loud_a) and math.isfinite(loud_b)):
        return 0.0, 0.0
    quieter = min(loud_a, loud_b)
    return quieter - loud_a, quieter - loud_b


def _lufs(path: Path, stretch: tuple[float, float] | None) -> float:
    """Measure a file as it is heard, in stereo: one channel on two speakers is 3 dB louder than it measures alone."""
    rate = probe(path).sample_rate
    tape, meter = Tape(path, rate), LoudnessMeter(2, rate)
    start, end = (0, tape.frames) if stretch is None else (round(at * rate) for at in stretch)
    tape.seek(start)
    for at in range(start, min(end, tape.frames), BLOCK_FRAMES):
        meter.push(tape.read(min(BLOCK_FRAMES, end - at, tape.frames - at)))
    loudness = meter.finish().integrated_lufs
    return -math.inf if loudness is None else loudness
