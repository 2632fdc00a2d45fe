"""The VITS networks that are trained here, as their programs have them: RVC v2 at three rates, so-vits-svc 4.1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from covermaker.errors import ProjectError
from covermaker.voices.networks.vits_config import VitsConfig

if TYPE_CHECKING:
    from covermaker.training.profiles import Vits

VERSION: Final = 2  # raise it when the same takes give another voice
RVC_SPEAKERS: Final = 109  # rows that its files have, however many sing


@dataclass(frozen=True)
class Stock:
    """What a program has for a sample rate.

    Attributes
    ----------
    rates, kernels : tuple of int
        Of the decoder's stages.
    bins, mels : int
        Of the spectrogram that the posterior encoder reads, and of the loss.
    segment_frames : int
        That are decoded of a cut.
    """

    rates: tuple[int, ...]
    kernels: tuple[int, ...]
    bins: int
    mels: int
    segment_frames: int


STOCK: Final = {
    ("rvc", 32_000): Stock((10, 8, 2, 2), (20, 16, 4, 4), 513, 80, 40),
    ("rvc", 40_000): Stock((10, 10, 2, 2), (16, 16, 4, 4), 1025, 125, 32),
    ("rvc", 48_000): Stock((12, 10, 2, 2), (24, 20, 4, 4), 1025, 128, 36),
    ("sovits", 44_100): Stock((8, 8, 2, 2, 2), (16, 16, 4, 4, 4), 1025, 80, 20),
}
_FAMILIES: Final[dict[str, dict[str, Any]]] = {
    "rvc": {"window": 10, "flow_layers": 3, "harmonics": 1, "units": "repeat"},
    "sovits": {
        "window": 4, "flow_layers": 4, "harmonics": 9, "units": "nearest", "pitch_decoder": True, "hop_samples": 512,
    },
}  # fmt: skip


def stock_of(shape: Vits | VitsConfig) -> Stock:
    """Return what the family's program has for a rate.

    Raises
    ------
    ProjectError
        When it has none.
    """
    found = STOCK.get((shape.family, shape.sample_rate))
    if found is None:
        known = [f"{rate}" for family, rate in STOCK if family == shape.family]
        raise ProjectError(
            f"vits.sample_rate = {shape.sample_rate} is none of '{shape.family}'",
            hint="known: " + ", ".join(known),
        )
    return found


def segment_frames(shape: Vits) -> int:
    """Return how much of a cut is decoded: what the profile says, or what the family's program has."""
    return shape.segment_frames or stock_of(shape).segment_frames


def least_segment_frames(shape: Vits) -> int:
    """Return how short a segment may be: its spectrogram mirrors what its outer windows reach beyond it."""
    hop = _family(shape)["hop_samples"]
    context = (2 * (stock_of(shape).bins - 1) - hop) // 2
    return int(context // hop + 1)


def _family(shape: Vits) -> dict[str, Any]:
    return {"hop_samples": shape.sample_rate // 100, **_FAMILIES[shape.family]}


def vits_config(shape: Vits, content_dim: int, singers: int) -> VitsConfig:
    """Return the network of a profile.

    Raises
    ------
    ProjectError
        When there is no such network.
    """
    stock = stock_of(shape)
    values: dict[str, Any] = {
        **_family(shape),
        "speakers": max(singers, RVC_SPEAKERS) if shape.family == "rvc" else singers,
    }
    config = VitsConfig(
        family=shape.family,  # type: ignore[arg-type]
        sample_rate=shape.sample_rate,
        content_dim=content_dim,
        latent=shape.latent,
        hidden=shape.hidden,
        filter=shape.filter,
        heads=shape.heads,
        layers=shape.layers,
        upsample_rates=stock.rates,
        upsample_kernels=stock.kernels,
        upsample_channels=shape.upsample_channels,
        speaker_dim=shape.speaker_dim,
        spectrum=stock.bins,
        **values,
    )
    return VitsConfig.from_mapping(config.to_mapping())
