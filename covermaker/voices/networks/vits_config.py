"""What a VITS voice is built from: the two families whose published voices we sing, and their sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from covermaker.errors import ProjectError
from covermaker.features.clock import FRAME_RATE

if TYPE_CHECKING:
    from collections.abc import Mapping

Family: TypeAlias = Literal["rvc", "sovits"]
UnitMode: TypeAlias = Literal["repeat", "nearest", "left"]

FAMILIES: Final = ("rvc", "sovits")
UNIT_MODES: Final = ("repeat", "nearest", "left")
LARGEST: Final = 65_536  # of any size: far above every published voice, far below what fills a memory


@dataclass(frozen=True)
class VitsConfig:
    """What a network is built from; goes into the voice card as it is.

    Parameters
    ----------
    family : str
        ``"rvc"`` (RVC v1, v2) or ``"sovits"`` (so-vits-svc 4.0, 4.1 and its fork).
    sample_rate, hop_samples : int
        Of the sound, in Hz, and samples a frame of the network's own clock: RVC has 100 frames a second,
        so-vits-svc 44100 / 512.
    content_dim : int
        Width of a content row.
    latent, hidden, filter : int
        Channels of the latent, of the text encoder's blocks, and inside their feed-forward part.
    heads, layers, kernel : int
        Of the text encoder.
    window : int
        How many frames to each side have a relative position of their own in attention.
    flows, flow_layers, flow_kernel : int
        Coupling layers, and convolutions inside each.
    resblock_kernels : tuple of int
    resblock_dilations : tuple of tuple of int
    upsample_rates, upsample_kernels : tuple of int
        Stages of the decoder; the product of the rates is `hop_samples`.
    upsample_channels : int
        Before the first stage; each halves them.
    speakers, speaker_dim : int
        Rows and width of the speaker table.
    pitched : bool
        Whether it is told a pitch.
    harmonics : int
        Sines of the source.
    volume : bool
        Whether it is told the source's level.
    pitch_decoder : bool
        Whether it can make up a pitch for speech.
    units : str
        How content rows of 50 a second come onto the network's clock: ``"repeat"`` each twice, or so-vits-svc's
        ``"nearest"`` and ``"left"``.
    fork : bool
        Whether so-vits-svc 4.0 or its fork made it, not 4.1: they read a pitch a little differently, see
        `vits_pitch`.
    spectrum : int
        Bins of the spectrogram that its posterior encoder reads: for training and for export.
    """

    family: Family = "rvc"
    sample_rate: int = 40_000
    hop_samples: int = 400
    content_dim: int = 768
    latent: int = 192
    hidden: int = 192
    filter: int = 768
    heads: int = 2
    layers: int = 6
    kernel: int = 3
    window: int = 10
    flows: int = 4
    flow_layers: int = 3
    flow_kernel: int = 5
    resblock_kernels: tuple[int, ...] = (3, 7, 11)
    resblock_dilations: tuple[tuple[int, ...], ...] = field(default=((1, 3, 5),) * 3)
    upsample_rates: tuple[int, ...] = (10, 10, 2, 2)
    upsample_kernels: tuple[int, ...] = (16, 16, 4, 4)
    upsample_channels: int = 512
    speakers: int = 109
    speaker_dim: int = 256
    pitched: bool = True
    harmonics: int = 1
    volume: bool = False
    pitch_decoder: bool = False
    units: UnitMode = "repeat"
    fork: bool = False
    spectrum: int = 1025

    @property
    def frames_per_second(self) -> float:
        """Of the network's own clock."""
        return self.sample_rate / self.hop_samples

    @property
    def strides(self) -> tuple[int, ...]:
        """Samples of the sound to a sample of each of the decoder's stages; the last is 1."""
        return tuple(math.prod(self.upsample_rates[stage + 1 :]) for stage in range(len(self.upsample_rates)))

    @property
    def noise_scale(self) -> float:
        """How much of the latent's spread is sung unless somebody says otherwise, as in the original programs."""
        return 0.66666 if self.family == "rvc" else 0.4

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> VitsConfig:
        """Read a card's table.

        Raises
        ------
        ProjectError
            When a key is unknown or a value is of the wrong kind or size.
        """
        known = {one.name: one for one in fields(cls)}
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise ProjectError(
                f"network.config: unknown key '{unknown[0]}'", hint="known: " + ", ".join(sorted(known))
            )
        config = cls(**{name: _frozen(value) for name, value in values.items()})
        for name, plain in cls().to_mapping().items():
            value = getattr(config, name)
            if not _fits(value, plain):
                raise ProjectError(f"network.config.{name} must be like {plain!r}, not {values.get(name)!r}")
        config._check()
        return config

    def _check(self) -> None:
        stages, blocks = len(self.upsample_rates), len(self.resblock_kernels)
        rvc = self.family == "rvc"
        wrong = {
            "family": self.family not in FAMILIES,
            "units": self.units not in UNIT_MODES or rvc != (self.units == "repeat"),
            "pitched": not (self.pitched or rvc),
            "fork": self.fork and rvc,
            "volume": self.volume and rvc,
            "pitch_decoder": self.pitch_decoder and rvc,
            "hop_samples": rvc and self.hop_samples * FRAME_RATE != self.sample_rate,
            # The source is brought to each stage by a convolution with half its stride as padding.
            "upsample_rates": math.prod(self.upsample_rates) != self.hop_samples
            or any(stride > 1 and stride % 2 for stride in self.strides),
            "upsample_kernels": len(self.upsample_kernels) != stages
            or any(
                k < u or (k - u) % 2 for k, u in zip(self.upsample_kernels, self.upsample_rates, strict=False)
            ),
            "resblock_kernels": any(kernel % 2 == 0 for kernel in self.resblock_kernels),
            "flow_kernel": self.flow_kernel % 2 == 0,
            "upsample_channels": self.upsample_channels % 2**stages != 0,
            "resblock_dilations": len(self.resblock_dilations) != blocks
            or len({len(row) for row in self.resblock_dilations}) != 1,
            "hidden": self.hidden % self.heads != 0,
            "latent": self.latent % 2 != 0,
            "kernel": self.kernel % 2 == 0,
            "sample_rate": not 8_000 <= self.sample_rate <= 96_000 or self.sample_rate % 100 != 0,
        }
        for name, is_wrong in wrong.items():
            if is_wrong:
                raise ProjectError(f"network.config.{name} does not fit the rest: {getattr(self, name)!r}")

    def to_mapping(self) -> dict[str, Any]:
        """Return the card's table."""
        return {one.name: _thawed(getattr(self, one.name)) for one in fields(self)}


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, (list, tuple)) else value


def _thawed(value: Any) -> Any:
    return [_thawed(one) for one in value] if isinstance(value, tuple) else value


def _fits(value: Any, plain: Any) -> bool:
    """Tell whether a value is of the kind of its default: numbers whole, above 0 and bounded, lists not empty."""
    if isinstance(plain, (bool, str)):
        return type(value) is type(plain)
    if isinstance(plain, list):
        return (
            isinstance(value, tuple) and 0 < len(value) <= 16 and all(_fits(one, plain[0]) for one in value)
        )
    return type(value) is int and 0 < value <= LARGEST
