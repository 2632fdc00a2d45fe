"""What a DDSP network is built from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from covermaker.errors import ProjectError
from covermaker.features.clock import FRAME_RATE

if TYPE_CHECKING:
    from collections.abc import Mapping

_SIGNAL_CONTEXT = 4  # frames that the two overlap-adds reach, with the filters' tails


@dataclass(frozen=True)
class DdspConfig:
    """What a network is built from; goes into the voice card as it is.

    Parameters
    ----------
    sample_rate : int
        Hz, a multiple of 100.
    content_dim : int
        Width of a content row.
    hidden, inner : int
        Channels of the trunk and inside its blocks.
    dilations : tuple of int
        One residual block each; a block reaches `dilation` frames to both sides.
    harmonic_bands, noise_bands : int
        Points of each filter, even on the mel scale from 0 Hz to half the sample rate.
    harmonic_fft, noise_fft : int
        Samples of each filter, powers of two above 3 and 2 hops.
    speakers : int
        Rows of the speaker table.
    memory_rows : int
        Content rows that it remembers.
    level_frames : int
        Odd: width of the Hann window over which the source's power is averaged; 1 = every frame as it is.
    """

    sample_rate: int = 16_000
    content_dim: int = 512
    hidden: int = 256
    inner: int = 384
    dilations: tuple[int, ...] = (1, 2, 4, 1)
    harmonic_bands: int = 96
    noise_bands: int = 64
    harmonic_fft: int = 1024
    noise_fft: int = 512
    speakers: int = 1
    memory_rows: int = 2048
    level_frames: int = 1

    @property
    def hop_samples(self) -> int:
        """Samples a frame."""
        return self.sample_rate // FRAME_RATE

    @property
    def context_frames(self) -> int:
        """Frames at each end of a run that may differ from a longer run."""
        return sum(self.dilations) + _SIGNAL_CONTEXT + self.level_frames // 2

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> DdspConfig:
        """Read a card's table.

        Raises
        ------
        ProjectError
            When a key is unknown or a value is of the wrong kind or size.
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ProjectError(
                f"network.config: unknown key '{unknown[0]}'", hint="known: " + ", ".join(sorted(known))
            )
        for name, value in values.items():
            numbers = list(value) if name == "dilations" and isinstance(value, (list, tuple)) else [value]
            if not numbers or not all(
                isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in numbers
            ):
                raise ProjectError(f"network.config.{name} must be whole and above 0, not {value!r}")
        config = cls(**{**values, "dilations": tuple(values.get("dilations", cls.dilations))})
        hop = config.hop_samples
        if config.sample_rate % FRAME_RATE or config.harmonic_fft < 4 * hop or config.noise_fft < 3 * hop:
            raise ProjectError(f"network.config: a hop of {hop} samples needs longer filters or another rate")
        if config.level_frames % 2 == 0:
            raise ProjectError(f"network.config.level_frames must be odd, not {config.level_frames}")
        return config

    def to_mapping(self) -> dict[str, Any]:
        """Return the card's table."""
        table = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**table, "dilations": list(self.dilations)}
