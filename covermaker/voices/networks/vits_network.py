"""A VITS network: text encoder, flow and decoder under the names that its family's files have.

The two families' networks differ in how content, pitch and what else they are told become a prior; flow and decoder are
the same. A state dict has the original names, with a normed convolution's weight as one tensor (``X.weight``) unless
the network is built with torch's weight norm, to be trained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

from torch import Tensor, nn

from covermaker.voices.networks.vits_decoder import Decoder
from covermaker.voices.networks.vits_encoder import RvcEncoder, SovitsEncoder
from covermaker.voices.networks.vits_flow import Flow
from covermaker.voices.networks.vits_layers import Norm, fused, masked
from covermaker.voices.networks.vits_pitch_decoder import PitchDecoder, centred, hertz, melodic

if TYPE_CHECKING:
    from covermaker.voices.networks.vits_config import VitsConfig


@dataclass(frozen=True, slots=True)
class Told:
    """What a network is told of each frame of its own clock; a network takes what it knows.

    Parameters
    ----------
    content : (B, T, content_dim)
    bins : (B, T) int64
        See `vits_pitch.pitch_bins`.
    voiced : (B, T) int64
        0 or 1.
    level : (B, T)
        Root mean square of the source around the frame.
    mask : (B, 1, T), optional
        0 at frames past the end of a batch's item.
    """

    content: Tensor
    bins: Tensor
    voiced: Tensor
    level: Tensor
    mask: Tensor | None = None


class RvcNetwork(nn.Module):
    """RVC v1 and v2.

    Parameters
    ----------
    config : VitsConfig
    norm : Norm
    """

    def __init__(self, config: VitsConfig, norm: Norm = fused) -> None:
        super().__init__()
        self.config = config
        self.enc_p = RvcEncoder(config)
        self.dec = Decoder(config, norm)
        self.flow = Flow(config, norm)
        self.emb_g = nn.Embedding(config.speakers, config.speaker_dim)

    def prior(self, told: Told) -> tuple[Tensor, Tensor]:
        """Return mean and log scale of the encoder's latent, both (B, latent, T)."""
        mean, log_scale = self.enc_p(told.content, told.bins if self.config.pitched else None, told.mask)
        return mean, log_scale


class SovitsNetwork(nn.Module):
    """so-vits-svc 4.0 and 4.1, and its fork.

    Parameters
    ----------
    config : VitsConfig
    norm : Norm
    """

    def __init__(self, config: VitsConfig, norm: Norm = fused) -> None:
        super().__init__()
        self.config = config
        self.emb_g = nn.Embedding(config.speakers, config.speaker_dim)
        if config.volume:
            self.emb_vol = nn.Linear(1, config.hidden)
        self.pre = nn.Conv1d(config.content_dim, config.hidden, 5, padding=2)
        self.enc_p = SovitsEncoder(config)
        self.dec = Decoder(config, norm)
        self.flow = Flow(config, norm)
        if config.pitch_decoder:
            self.f0_decoder = PitchDecoder(config)
        self.emb_uv = nn.Embedding(2, config.hidden)

    def _said(self, told: Told) -> Tensor:
        said = masked(self.pre(told.content.transpose(1, 2)), told.mask)
        said = said + self.emb_uv(told.voiced).transpose(1, 2)
        if self.config.volume:
            said = said + self.emb_vol(told.level[..., None]).transpose(1, 2)
        return cast("Tensor", said)

    def prior(self, told: Told) -> tuple[Tensor, Tensor]:
        """Return mean and log scale of the encoder's latent, both (B, latent, T)."""
        mean, log_scale = self.enc_p(self._said(told), told.bins, told.mask)
        return mean, log_scale

    def guessed_f0(self, told: Told, f0_hz: Tensor, speaker: Tensor) -> Tensor:
        """Make up a pitch for speech.

        Parameters
        ----------
        told : Told
        f0_hz : (B, T)
            The source's, with its gaps filled.
        speaker : (B, speaker_dim, 1 or T)

        Returns
        -------
        (B, T)
            In Hz at every frame, voiced or not.
        """
        return hertz(self.guessed_melody(told, melodic(f0_hz), speaker))

    def guessed_melody(
        self, told: Told, melody: Tensor, speaker: Tensor, stretch: Tensor | float = 1.0
    ) -> Tensor:
        """Make up a pitch on the scale of `melodic`; see `guessed_f0`.

        Parameters
        ----------
        melody : (B, T)
            The source's pitch on that scale.
        stretch : (B, 1) or float
            By how much it moves more around its mean than it does.
        """
        heard = centred(melody, told.voiced.to(melody.dtype), stretch)
        if told.mask is not None:
            heard = heard * told.mask[:, 0]  # past the end of an item nothing lies below the mean
        guessed: Tensor = self.f0_decoder(self._said(told), heard, speaker, told.mask)
        return guessed


VitsNetwork: TypeAlias = RvcNetwork | SovitsNetwork


def build_network(config: VitsConfig, norm: Norm = fused) -> VitsNetwork:
    """Return a network of the configuration's family with weights drawn by torch's generator."""
    return (RvcNetwork if config.family == "rvc" else SovitsNetwork)(config, norm)
