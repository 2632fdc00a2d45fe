"""What a network's kind wants of the rest of a conversion: our own voices, and the community's as in their programs.

| voice | source | content | level | consonants of the source |
|---|---|---|---|---|
| ours | as it is | rows drawn, `protect` by row | follows the source (`cleanup`) | yes, by `protect` |
| RVC | from 48 Hz up | frames drawn, `protect` by frame | RVC's envelope mix (`rms_mix`) | no |
| RVC without pitch | from 48 Hz up | frames drawn | the same mix | no |
| so-vits-svc | as it is | frames drawn | the same mix | no |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from covermaker.audio.mono import mono_blocks
from covermaker.convert import rms_mix
from covermaker.convert.levels import Correction, Pair, follow_source, mix_rms
from covermaker.convert.settings import ConvertSettings
from covermaker.convert.singing import Grid
from covermaker.convert.span import MARGIN_SECONDS, Span
from covermaker.convert.told import Content, Source, always_drawn, frames_drawn, rows_drawn
from covermaker.convert.volume import at_frames, hop_levels
from covermaker.voices.networks.vits_config import VitsConfig

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from covermaker.voices.card import VoiceCard
    from covermaker.voices.networks.base import Synthesizer


@dataclass(frozen=True, slots=True)
class Manner:
    """How voices of one kind are told what to sing, and what happens to it afterwards.

    Attributes
    ----------
    content : callable
        What the network hears of the source.
    correct : callable
        What is done to the level of what it sang.
    grid : Grid or None
        Where it is cut while it sings.
    margin_seconds : int
        Sung beyond both ends of a region where the level is corrected over seconds.
    high_pass_order : int or None
        The source is heard without what lies below 48 Hz, through `audio.rumble` of this order; None: as it is.
    without : mapping of str to str
        Settings that have no effect on such a voice, and why, to follow "the voice 'x'".
    """

    content: Callable[[Source, Span, Synthesizer], Content]
    correct: Callable[[Pair], Correction]
    grid: Grid | None = None
    margin_seconds: int = MARGIN_SECONDS
    high_pass_order: int | None = None
    without: Mapping[str, str] = field(default_factory=dict)

    def margin(self, settings: ConvertSettings) -> int:
        """Return the seconds that are sung beyond both ends of a region."""
        return self.margin_seconds if settings.loudness_mix < 1.0 else MARGIN_SECONDS


NO_MELODY: Final = "= true: the voice cannot make up a melody"
WHO_HAS_MELODIES: Final = "so-vits-svc voices that were trained to can; leave auto_pitch out"
_NO_LATENT: Final = {"noise_scale": "has no latent to draw from"}
_NO_FORMANTS: Final = {"formant_semitones": "has its resonances in the network"}
# The community's programs cut at pauses, 5 s to a minute apart, and give 0.5 s to 3 s of context.
_GRID: Final = Grid(frames=1500, join_frames=20, context_frames=300)
OWN: Final = Manner(rows_drawn, follow_source, without=_NO_LATENT)
SOVITS: Final = Manner(always_drawn, mix_rms, _GRID, rms_mix.MARGIN_SECONDS, without=_NO_FORMANTS)
RVC: Final = replace(SOVITS, content=frames_drawn, high_pass_order=5)
RVC_WITHOUT_PITCH: Final = replace(RVC, content=always_drawn)


def manner_of(card: VoiceCard) -> Manner:
    """Return the manner of a voice by its network."""
    return manner_for(card.network.kind, card.network.config)


def manner_for(kind: str, config: Mapping[str, Any]) -> Manner:
    """Return the manner of voices with a network of this kind and config."""
    if kind != "vits":
        return OWN
    if config.get("family", "rvc") != "rvc":
        return SOVITS
    return RVC if config.get("pitched", True) else RVC_WITHOUT_PITCH


def unheard(card: VoiceCard, called: str, settings: ConvertSettings) -> dict[str, str]:
    """Return the settings that ask a voice for what it has no ear for, by name, each with a sentence.

    Parameters
    ----------
    card : VoiceCard
    called : str
        What the sentences call the voice.
    settings : ConvertSettings
    """
    found = {}
    if card.index is None and settings.index_ratio:
        ratio = f"index_ratio {settings.index_ratio:g}"
        found["index_ratio"] = f"voice '{called}' has no index: {ratio} has no effect"
    plain = ConvertSettings()
    for name, why in manner_of(card).without.items():
        value = getattr(settings, name)
        if value != getattr(plain, name):
            found[name] = f"convert.{name} = {value:g} has no effect: the voice '{called}' {why}"
    return found


def makes_up_pitch(card: VoiceCard) -> bool:
    """Tell whether a voice can make up a melody."""
    return card.network.kind == "vits" and bool(card.network.config.get("pitch_decoder"))


def told_loudness(
    vocal: Path, loudness_db: NDArray[np.floating[Any]], card: VoiceCard
) -> NDArray[np.floating[Any]]:
    """Return the source's level as a voice is told it: trained on volume, it hears every hop of its own clock."""
    config = card.network.config
    if card.network.kind != "vits" or not config.get("volume"):
        return loudness_db
    own = VitsConfig.from_mapping(config)
    levels = hop_levels(mono_blocks(vocal, own.sample_rate), own.hop_samples)
    return at_frames(levels, len(loudness_db), own.hop_samples, own.sample_rate)
