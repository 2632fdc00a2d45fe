"""Lossy files are looked at as players hear them: encoded, decoded, their true peak measured, turned down if needed.

A lossy encoder changes the wave, and with it the peaks: behind it a master at its ceiling may reach beyond. The file
is then encoded again from the master turned down by what was too much. The other files stay as they are: a master is
not made quieter for one codec.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from covermaker.audio.files import blocks, probe
from covermaker.audio.truepeak import TruePeakMeter
from covermaker.progress import part
from covermaker.units import gain_to_db

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.export.formats import Encoding, Format
    from covermaker.progress import Progress

_MAX_PASSES = 5
_STEP_DB = 0.01  # more than what is too much, so that the next pass lies below


@dataclass(frozen=True, slots=True)
class Encoded:
    """What an encoder made: `true_peak_dbtp` of the decoded file, None when it was not looked at."""

    clipped: int
    true_peak_dbtp: float | None = None
    lowered_db: float = 0.0


def encode(
    form: Format,
    master: Path,
    out: Path,
    *,
    settings: Encoding,
    ceiling_dbtp: float | None,
    progress: Progress,
) -> Encoded:
    """Encode a master so that what a lossy format decodes to stays below a ceiling.

    Parameters
    ----------
    ceiling_dbtp : float or None
        Of the decoded file's true peak; None does not look.

    Returns
    -------
    Encoded
        With its last reading: that is above the ceiling when `_MAX_PASSES` were not enough.
    """
    if not form.lossy or ceiling_dbtp is None:
        return Encoded(form.encode(master, out, settings=settings, progress=progress))
    lowered_db = 0.0
    for number in range(1, _MAX_PASSES + 1):
        # Two passes are usual; every one takes half of what is left of the bar.
        share = part(progress, 1.0 - 0.5 ** (number - 1), 1.0 - 0.5**number)
        quieter = replace(settings, gain_db=settings.gain_db - lowered_db)
        clipped = form.encode(master, out, settings=quieter, progress=share)
        peak_db = decoded_peak_db(out)
        over_db = peak_db - ceiling_dbtp
        if over_db <= 0.0 or number == _MAX_PASSES:
            break
        lowered_db += over_db + _STEP_DB * number
    progress(1.0)
    return Encoded(clipped, peak_db, lowered_db)


def decoded_peak_db(path: Path) -> float:
    """Return the true peak of what a file decodes to, in dBTP; ``-inf`` for silence."""
    info = probe(path)
    meter = TruePeakMeter(info.channels, info.sample_rate)
    for block in blocks(path):
        meter.push(block)
    return gain_to_db(meter.finish())
