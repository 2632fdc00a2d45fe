"""A recording without what lies deeper than anybody sings: a Butterworth high-pass, run both ways, so without delay.

It is read in pieces with what lies around them, which join as if the file had been filtered in one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from covermaker.audio.files import BLOCK_FRAMES, probe, read, wav_writer
from covermaker.disk import replacing
from covermaker.progress import silent

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.audio.buffer import Samples
    from covermaker.progress import Progress

CORNER_HZ: Final = (
    48.0  # under the lowest sung note (a bass' E2 is 82 Hz); -6 dB there, for it is passed twice
)
_CONTEXT_SECONDS: Final = 0.5  # in which the filter forgets how it started


def without_rumble(path: Path, start: int, end: int, *, order: int) -> Samples:
    """Read samples `start` to `end` of the mean of a file's channels, (1, n) float32, at its own rate.

    Parameters
    ----------
    path : Path
        Any readable file.
    start, end : int
        Samples; past the file's end nothing comes.
    order : int
        Of the filter that is run in each direction.

    Raises
    ------
    AudioInputError
        When the file cannot be read.
    """
    from scipy.signal import butter, sosfiltfilt

    rate = probe(path).sample_rate
    context = round(_CONTEXT_SECONDS * rate)
    first = max(0, start - context)
    around = read(path, start=first, frames=end + context - first).samples.mean(axis=0, dtype=np.float64)
    if len(around) <= start - first:
        return np.zeros((1, 0), np.float32)
    sections = butter(order, CORNER_HZ, "highpass", fs=rate, output="sos")
    # At the file's own ends the signal is mirrored, so that one that begins in a vowel has no step.
    filtered = sosfiltfilt(sections, around, padlen=min(context, len(around) - 1))
    piece: Samples = filtered[None, start - first : end - first].astype(np.float32)
    return piece


def write_without_rumble(path: Path, out: Path, *, order: int, progress: Progress = silent) -> int:
    """Write the whole of it as a mono float32 WAV of the same rate and length; return its samples.

    Raises
    ------
    AudioInputError
        When the file cannot be read.
    ResourceError
        When `out` cannot be written.
    """
    info = probe(path)
    with replacing(out) as temporary, wav_writer(temporary, sample_rate=info.sample_rate, channels=1) as file:
        for start in range(0, info.frames, BLOCK_FRAMES):
            file.write(without_rumble(path, start, start + BLOCK_FRAMES, order=order))
            progress(min(1.0, (start + BLOCK_FRAMES) / info.frames))
    return info.frames
