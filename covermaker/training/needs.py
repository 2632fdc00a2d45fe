"""What a training of a profile reads beside the takes: weights and versions, for its key and for an early refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from covermaker.convert.convert import VERSION as CONVERT_VERSION
from covermaker.features.content import VERSION as CONTENT_VERSION
from covermaker.features.encoders import content_weights, encoders_of
from covermaker.features.pitch import METHODS
from covermaker.features.pitch import versions_of as pitch_versions_of
from covermaker.stems.spleeter import SpleeterSeparator
from covermaker.takes.analysis import VERSION as ANALYSIS_VERSION
from covermaker.takes.clips import VERSION as CLIPS_VERSION
from covermaker.training.gather import SEPARATOR
from covermaker.training.gather import VERSION as GATHER_VERSION
from covermaker.training.heldout import PITCH_METHOD
from covermaker.training.vits_shapes import VERSION as VITS_VERSION

if TYPE_CHECKING:
    from covermaker.training.profiles import Profile

# Held-out phrases are likened to the singer, and their words are read.
_SCORES = ("ge2e-speaker", "whisper-base")


def weights_of(profile: Profile) -> tuple[str, ...]:
    """Return the catalog names of all weights that decide about the voice a profile trains.

    Raises
    ------
    UsageError
        When the profile's encoder or pitch method is unknown.
    """
    separated = SEPARATOR if profile.augmentation.separated > 0.0 else ()
    pitch = METHODS.load(profile.augmentation.pitch).WEIGHTS
    scores = (*METHODS.load(PITCH_METHOD).WEIGHTS, *_SCORES)
    return tuple(dict.fromkeys((*content_weights(profile.encoder), *pitch, *separated, *scores)))


def versions_of(profile: Profile) -> dict[str, Any]:
    """Return the versions of all code that decides about the voice a profile trains."""
    versions: dict[str, Any] = {
        "analysis": ANALYSIS_VERSION,
        "clips": CLIPS_VERSION,
        "examples": GATHER_VERSION,
        "pitch": pitch_versions_of(profile.augmentation.pitch),
        "content": [CONTENT_VERSION, *(one.VERSION for one in encoders_of(profile.encoder))],
        "scores": [CONVERT_VERSION, *pitch_versions_of(PITCH_METHOD)],
    }
    if profile.network == "vits":
        from covermaker.training.vits_base import installed_base

        versions["vits"] = [VITS_VERSION, installed_base(profile)]
    if profile.augmentation.separated > 0.0:
        versions["separator"] = SpleeterSeparator.VERSION
    return versions
