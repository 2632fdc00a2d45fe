"""Any number of channels to stereo, after ITU-R BS.775-3, annex 4 (table 2).

Front left and right stay, the centre and the surrounds join at -3 dB, a single rear channel at -6 dB on both sides,
the low-frequency effects channel is left out. Nothing is scaled down: the signal is float and may pass full scale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples

_HALF = 0.5**0.5  # -3 dB

# (gain into left, gain into right) of each WAVE/ffmpeg channel name.
GAINS: dict[str, tuple[float, float]] = {
    "FL": (1.0, 0.0),
    "FR": (0.0, 1.0),
    "FC": (_HALF, _HALF),
    "LFE": (0.0, 0.0),
    "BL": (_HALF, 0.0),
    "BR": (0.0, _HALF),
    "SL": (_HALF, 0.0),
    "SR": (0.0, _HALF),
    "FLC": (_HALF, _HALF * 0.5),
    "FRC": (_HALF * 0.5, _HALF),
    "BC": (0.5, 0.5),
    "TFL": (_HALF, 0.0),
    "TFR": (0.0, _HALF),
    "TBL": (_HALF, 0.0),
    "TBR": (0.0, _HALF),
    "TFC": (0.5, 0.5),
    "TBC": (0.5, 0.5),
    "TC": (0.5, 0.5),
    "DL": (1.0, 0.0),
    "DR": (0.0, 1.0),
    "LFE2": (0.0, 0.0),
}

# What a file means that names no channels: the order of WAVE files.
_USUAL = {
    3: ("FL", "FR", "FC"),
    4: ("FL", "FR", "BL", "BR"),
    5: ("FL", "FR", "FC", "BL", "BR"),
    6: ("FL", "FR", "FC", "LFE", "BL", "BR"),
    7: ("FL", "FR", "FC", "LFE", "BC", "SL", "SR"),
    8: ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}


def stereo_matrix(channels: int, names: Sequence[str] = ()) -> NDArray[np.float32]:
    """Return the (2, channels) gains that make stereo of a layout.

    Parameters
    ----------
    channels : int
        1 or more. One channel goes to both sides at full level.
    names : sequence of str
        ffmpeg channel names; empty or unknown ones mean the usual order for that many channels. More than 8
        channels without names go left and right in turn.
    """
    if channels == 1:
        return np.ones((2, 1), np.float32)
    if channels == 2:
        return np.eye(2, dtype=np.float32)
    if len(names) != channels or not all(name in GAINS for name in names):
        names = _USUAL.get(channels, ("FL", "FR") * ((channels + 1) // 2))[:channels]
    return np.array([GAINS[name] for name in names], np.float32).T.copy()


def mix_down(block: Samples, matrix: NDArray[np.float32]) -> Samples:
    """Mix (channels, n) samples down by `stereo_matrix`; one or two channels come back as they are."""
    if block.shape[0] <= 2:
        return block
    # A plain sum in channel order: a matrix product may round differently on another machine.
    out = np.zeros((2, block.shape[1]), np.float32)
    for side, gains in zip(out, matrix, strict=True):
        for gain, row in zip(gains, block, strict=True):
            if gain:
                side += gain * row
    return out


def widen(block: Samples) -> Samples:
    """Return two channels: a single one twice."""
    return np.repeat(block, 2, axis=0) if block.shape[0] == 1 else block
