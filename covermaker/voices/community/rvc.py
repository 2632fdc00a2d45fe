"""What files of RVC and Applio say: the small model, whose settings are in it, and the checkpoint of a training."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from covermaker.errors import WeightsError
from covermaker.voices.community.facts import READINGS, Facts
from covermaker.voices.community.settings import plain_text, told_by_config, told_by_list

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.voices.card import VoiceCard
    from covermaker.voices.community.shapes import Told
    from covermaker.voices.networks.vits_config import VitsConfig

_VERSIONS: Final = {256: "v1", 768: "v2"}
_VOCODER: Final = "hifi-gan"
_EMBEDDER: Final = "contentvec"
_SEGMENT_FRAMES: Final = 32  # of a training piece; it is written into every file
_MOST_SPEAKERS: Final = 1000

# What the card keeps, by our names; all of it is optional.
_KEPT: Final = {
    "epochs": "epoch", "steps": "step", "iteration": "iteration", "made": "creation_date",
    "author": "author", "title": "model_name",
}  # fmt: skip


def told(content: Mapping[str, Any], config: Mapping[str, Any] | None) -> Told:
    """Return what is said of the network.

    Raises
    ------
    WeightsError
        When it needs a vocoder or a content encoder that is not here.
    """
    vocoder, embedder = (plain_text(content.get(name), 40) for name in ("vocoder", "embedder_model"))
    if vocoder and vocoder.lower() != _VOCODER:
        raise WeightsError(
            f"it is an Applio model with the vocoder '{vocoder}', which cannot be taken in",
            hint="sing with it at home, or look for one with the standard vocoder",
        )
    if embedder and embedder.lower() != _EMBEDDER:
        raise WeightsError(
            f"it was trained on the content encoder '{embedder}', which is not here: with another one it sings noise",
            hint="take in models that were trained on contentvec",
        )
    own = told_by_list(content.get("config"), content.get("sr"))
    if config is None or own.rates is not None:  # what lies beside it may be another model's
        return own
    beside = told_by_config(config)
    known = {name: value for name, value in vars(own).items() if value is not None}
    return replace(beside, hop_samples=None, **known)  # always a hundredth of a second


def facts(content: Mapping[str, Any], config: Mapping[str, Any] | None, network: VitsConfig) -> Facts:
    """Return what else is said.

    Raises
    ------
    WeightsError
        When its content is of no known width.
    """
    width = network.content_dim
    if width not in READINGS:
        raise WeightsError(
            f"it reads content of width {width}, of which nothing says who made it",
            hint="models that were trained on contentvec have 256 or 768",
        )
    version, said = _VERSIONS[width], content.get("version")
    notes = []
    if said in ("v1", "v2") and said != version:
        notes.append(f"the file calls itself {said}, its tensors are of {version}")
    pitch = "" if network.pitched else ", without pitch: for speech"
    training = {
        ours: value
        for ours, theirs in _KEPT.items()
        if (value := _plain(content.get(theirs))) not in ("", None)
    }
    if info := plain_text(content.get("info")):
        training["info"] = info
    return Facts(
        origin=f"RVC {version}, {network.sample_rate / 1000:g} kHz{pitch}",
        encoder=READINGS[width],
        singers=_singers(content.get("speakers_id"), network.speakers),
        training=training,
        notes=tuple(notes),
    )


def _plain(value: Any) -> Any:
    return value if type(value) is int and 0 <= value < 2**53 else plain_text(value)


def _singers(count: Any, rows: int) -> tuple[str, ...]:
    """Name those of several speakers by their numbers: the file has no names."""
    if type(count) is not int or not 1 < count <= min(rows, _MOST_SPEAKERS):
        return ()
    return tuple(f"speaker {number}" for number in range(count))


def small_model(config: VitsConfig, weights: Mapping[str, Any], card: VoiceCard) -> dict[str, Any]:
    """Return what RVC saves of a finished voice, ``weights`` and all that its program needs to know of them."""
    epochs = card.training.get("epochs")
    settings = [
        config.spectrum, _SEGMENT_FRAMES, config.latent, config.hidden, config.filter, config.heads, config.layers,
        config.kernel, 0, "1", list(config.resblock_kernels), [list(row) for row in config.resblock_dilations],
        list(config.upsample_rates), config.upsample_channels, list(config.upsample_kernels), config.speakers,
        config.speaker_dim, config.sample_rate,
    ]  # fmt: skip
    return {
        "weight": weights,
        "config": settings,
        "info": str(
            card.training.get("info") or (f"{epochs}epoch" if isinstance(epochs, int) else "Covermaker")
        ),
        "sr": f"{config.sample_rate // 1000}k",
        "f0": int(config.pitched),
        "version": _VERSIONS[config.content_dim],
        **({"speakers_id": len(card.singers)} if len(card.singers) > 1 else {}),  # as Applio has it
    }
