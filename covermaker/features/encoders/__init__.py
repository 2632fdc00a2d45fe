"""What is sung: one contract for every network that reads it, and names for several of them together.

A name with ``+`` in it, as in ``whisper-base+contentvec``, is a fusion: the rows of several encoders side by side,
brought to one time grid (`grid`), without any training. Encoders that were trained for different ends keep different
things, and networks that read several get the words right more often.

References
----------
X. Zhang et al., "Leveraging Diverse Semantic-based Audio Pretrained Models for Singing Voice Conversion", SLT 2024.
"""

from __future__ import annotations

import hashlib

from covermaker.errors import UsageError
from covermaker.features.encoders.base import ContentEncoder, Encode
from covermaker.registry import Registry

ENCODERS: Registry[ContentEncoder] = Registry(
    "content encoder",
    "covermaker.content_encoders",
    {
        "whisper-base": "covermaker.features.encoders.whisper:BASE",
        "whisper-tiny.en": "covermaker.features.encoders.whisper:TINY_EN",
        "whisper-tiny": "covermaker.features.encoders.whisper:TINY",
        "whisper-base.en": "covermaker.features.encoders.whisper:BASE_EN",
        "whisper-small.en": "covermaker.features.encoders.whisper:SMALL_EN",
        "whisper-small": "covermaker.features.encoders.whisper:SMALL",
        "whisper-medium.en": "covermaker.features.encoders.whisper:MEDIUM_EN",
        "whisper-medium": "covermaker.features.encoders.whisper:MEDIUM",
        "whisper-large-v1": "covermaker.features.encoders.whisper:LARGE_V1",
        "whisper-large-v2": "covermaker.features.encoders.whisper:LARGE_V2",
        "whisper-large-v3": "covermaker.features.encoders.whisper:LARGE_V3",
        "whisper-large-v3-turbo": "covermaker.features.encoders.whisper:LARGE_V3_TURBO",
        "contentvec": "covermaker.features.encoders.contentvec:CONTENTVEC",
        "contentvec-256": "covermaker.features.encoders.contentvec:CONTENTVEC_256",
        "contentvec-768l12": "covermaker.features.encoders.contentvec:CONTENTVEC_768L12",
        "contentvec-256l9": "covermaker.features.encoders.contentvec:CONTENTVEC_256L9",
    },
)


def encoders_of(name: str) -> tuple[ContentEncoder, ...]:
    """Return the encoders a name stands for, in its order, without loading their networks.

    Parameters
    ----------
    name : str
        A name of `ENCODERS`, or several joined by ``+``.

    Raises
    ------
    UsageError
        When one of them is unknown or named twice.
    """
    names = [part.strip() for part in name.split("+")]
    if len(set(names)) < len(names):
        raise UsageError(f"the content encoder '{name}' names one encoder twice")
    return tuple(ENCODERS.load(part) for part in names)


def content_width(name: str) -> int:
    """Return how many numbers a row of this encoder, or fusion, has."""
    return sum(encoder.WIDTH for encoder in encoders_of(name))


def content_weights(name: str) -> tuple[str, ...]:
    """Return the catalog names of all weights that this encoder, or fusion, reads."""
    return tuple(dict.fromkeys(weight for encoder in encoders_of(name) for weight in encoder.WEIGHTS))


def content_fingerprint(name: str) -> str:
    """Return the sha256 of an encoder's weights; of a fusion, or of several files, one over all their hashes.

    Raises
    ------
    UsageError
        When no encoder of this name is known.
    WeightsError
        When its weights are missing; the hint says how to get them.
    """
    from covermaker.weights.catalog import fingerprint

    hashes = [fingerprint(weight) for weight in content_weights(name)]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()


__all__ = [
    "ENCODERS",
    "ContentEncoder",
    "Encode",
    "content_fingerprint",
    "content_weights",
    "content_width",
    "encoders_of",
]
