"""The one way in: file to pitch curve, whatever the method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.mono import mono_blocks
from covermaker.errors import CovermakerError, UsageError
from covermaker.features.loudness import frame_loudness_db
from covermaker.features.pitch import octaves, repair
from covermaker.features.pitch.recording import SAMPLE_RATE, Recording
from covermaker.progress import part, silent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.progress import Progress

VERSION = 1  # of what is done to every method's reading; raised whenever results change
GATE_WINDOW_SECONDS = 0.02
GATE_BELOW_LOUDEST_DB = -60.0  # quieter than this under the loudest frame nothing is heard as sung
GATE_DB = -90.0  # and never below it: dither and rounding of 16 bit files
LOUDEST_DB = -12.0  # methods hear every vocal with its loudest frame here …
MOST_GAIN_DB = 40.0  # … but hiss is not blown up to a voice


def estimate_pitch(
    vocal: Path,
    *,
    method: str = "fcpe",
    f0_min_hz: float = 50.0,
    f0_max_hz: float = 1600.0,
    repair_octaves: bool = True,
    smooth_frames: int = 0,
    device: str = "cpu",
    piece_seconds: float = 30.0,
    progress: Progress = silent,
) -> NDArray[np.float32]:
    """Find the sung pitch of a file at every clock frame.

    The file is read in pieces with enough context that the result does not depend on where they are cut (the
    networks to a cent, the WORLD methods but for single frames at the edge of a note). Frames below the silence
    gate are unvoiced whatever the method says.

    Parameters
    ----------
    vocal : Path
        A vocal without accompaniment, any rate, any channels (they are averaged).
    method : str
        A name of `METHODS`.
    f0_min_hz, f0_max_hz : float
        Where to look. Frames outside are unvoiced, never moved to the border. The default leaves room for the
        vibrato of a note of 1500 Hz, which all methods follow but two: ``"fcpe"`` ends at
        1100 Hz, ``"harvest"`` has gaps above 1400 Hz.
    repair_octaves : bool
        Bring short octave jumps back to their note, and what the sound says is in another octave; see
        `repair.repair_octaves`.
    smooth_frames : int
        Running median over so many frames, odd; 0 for none. See `repair.smooth_pitch`.
    device : str
        ``"cpu"``, ``"cuda"``, ``"mps"``; the WORLD methods ignore it.
    piece_seconds : float
        Length of a piece without its context.
    progress : Progress
        Told the finished fraction.

    Returns
    -------
    float32 array (frame_count,)
        Hz, 0 = unvoiced.

    Raises
    ------
    UsageError
        For an unknown method, limits that leave nothing between them, or a number of frames that has no middle.
    AudioInputError
        When the file cannot be read.
    WeightsError
        When the method's weights are missing or damaged.
    """
    from covermaker.features.pitch import METHODS

    if not 20.0 <= f0_min_hz < f0_max_hz <= 2000.0:
        raise UsageError(
            f"no pitch lies between {f0_min_hz:g} and {f0_max_hz:g} Hz",
            hint="limits go from 20 to 2000 Hz, low first",
        )
    tracker = METHODS.load(method)()
    repair.check_smoothing(smooth_frames)
    level_db = frame_loudness_db(
        vocal, window_seconds=GATE_WINDOW_SECONDS, progress=part(progress, 0.0, 0.05)
    )
    loudest_db = float(level_db.max())
    audible = level_db > max(GATE_DB, loudest_db + GATE_BELOW_LOUDEST_DB)
    f0_hz = np.zeros(len(level_db), dtype=np.float32)
    if not audible.any():
        progress(1.0)
        return f0_hz

    gain = np.float32(10.0 ** (min(LOUDEST_DB - loudest_db, MOST_GAIN_DB) / 20.0))

    def read() -> Iterator[NDArray[np.float32]]:
        for block in mono_blocks(vocal, SAMPLE_RATE):
            yield block[0] * gain

    recording = Recording(read, audible, piece_frames=max(1, round(piece_seconds * 100)))
    done = 0
    for run in tracker.track(recording, f0_min_hz=f0_min_hz, f0_max_hz=f0_max_hz, device=device):
        # The last frame may be missing or doubled by the resampler's rounding: the file's own count rules.
        fitting = run[: len(f0_hz) - done]
        f0_hz[done : done + len(fitting)] = fitting
        done += len(run)
        progress(0.05 + 0.9 * min(1.0, done / len(f0_hz)))
    if done < len(f0_hz) - 1:
        raise CovermakerError(f"pitch method '{method}' answered for {done} of {len(f0_hz)} frames")
    f0_hz[~audible] = 0.0
    if repair_octaves:
        support = octaves.hear_octaves(recording, f0_hz, f0_min_hz=f0_min_hz, f0_max_hz=f0_max_hz)
        f0_hz = repair.repair_octaves(f0_hz, support)
    progress(1.0)
    return repair.smooth_pitch(f0_hz, smooth_frames)
