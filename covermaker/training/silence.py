"""What a content encoder reads in silence, for networks that are taught to be silent.

A rest inside a song has a reading like any other moment, and that is what a voice is told there: digital silence alone
has none (`features.content` gives zeros). So very quiet noise is read, once for an encoder.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

import numpy as np

from covermaker.disk import replacing
from covermaker.features.content import CONTENT_RATE, encode_clips
from covermaker.features.content import VERSION as CONTENT_VERSION
from covermaker.features.encoders import encoders_of
from covermaker.training.material import HEARD_RATE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

VERSION: Final = 1
_SECONDS: Final = 8.0
_EDGE_SECONDS: Final = 0.5  # that are read and not kept: no rest begins and ends with the sound
_LEVEL_DB: Final = -80.0


def read_silence(encoder: str, encoder_sha256: str, folder: Path) -> NDArray[np.float16]:
    """Return what an encoder reads in silence; kept beside the examples.

    Parameters
    ----------
    encoder, encoder_sha256 : str
    folder : Path
        Where it is kept, ``silence-<hash>.npy``; that of another encoder goes.

    Returns
    -------
    float16 array (rows, content_dim)
        Eight seconds.
    """
    versions = [VERSION, CONTENT_VERSION, *(one.VERSION for one in encoders_of(encoder))]
    facts = json.dumps([encoder, encoder_sha256, versions])
    file = folder / f"silence-{hashlib.sha256(facts.encode()).hexdigest()}.npy"
    if not file.exists():
        rows = _read(encoder)
        folder.mkdir(parents=True, exist_ok=True)
        for other in folder.glob("silence-*.npy"):
            other.unlink(missing_ok=True)
        with replacing(file) as temporary, temporary.open("wb") as opened:
            np.save(opened, rows, allow_pickle=False)
    found: NDArray[np.float16] = np.load(file, allow_pickle=False)
    return found


def _read(encoder: str) -> NDArray[np.float16]:
    samples = round((_SECONDS + 2.0 * _EDGE_SECONDS) * HEARD_RATE)
    noise = np.random.default_rng(1).standard_normal(samples, dtype=np.float32)
    (rows,) = encode_clips([noise * np.float32(10.0 ** (_LEVEL_DB / 20.0))], encoder=encoder)
    edge = round(_EDGE_SECONDS * CONTENT_RATE)
    return rows[edge : edge + round(_SECONDS * CONTENT_RATE)]
