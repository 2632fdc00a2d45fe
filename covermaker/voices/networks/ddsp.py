"""A small singer that filters a buzz and a hiss: differentiable DSP with a convolutional conductor.

After Engel et al. 2020 ("DDSP: Differentiable Digital Signal Processing"): a network of about two million weights
reads content, pitch and level a hundred times a second and sets two filters; the sound is a band-limited pulse
train on the wanted pitch through the first and white noise through the second. The network never sees a waveform,
so it learns in minutes on a CPU, and the pitch it sings is the pitch it is given.

A real singer's content lies far from what a voice trained on little has met. The network keeps a memory of its own
content rows and leans on it: each row is drawn towards those it resembles, so that it sounds like something
the voice can say (the idea of retrieval in RVC and kNN-VC, Baas et al. 2023, with a soft choice over a few thousand
cluster means in place of an index of every row).

Of the source's level it sees a mean over `level_frames`. How loud an "m" is beside an "a" belongs to who sings: a
network that reads the level of every frame takes the source's singer over with it (measured with the target's true
spectra on a source's timing: speaker similarity 0.81 at the source's level, 0.86 at its mean over 0.4 s).

Controls (`DdspNetwork.controls`) and signal (`DdspNetwork.signal`) are apart. Every layer is a convolution over
frames with a stated reach, every hop of noise is drawn from its position on the song's clock, and the phase comes from
outside: frames away from a chunk's ends do not know that there are chunks.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from covermaker.errors import ProjectError, WeightsError
from covermaker.features.clock import FRAME_RATE
from covermaker.voices.networks.base import voiced_edges
from covermaker.voices.networks.ddsp_signal import as_minimum_phase, band_shape, hop_noise, pulse_train

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_HARMONIC_HOPS = 3  # Hann windows of 3 and 2 hops overlap to a constant
_NOISE_HOPS = 2
_SIGNAL_CONTEXT = 4  # frames that the two overlap-adds reach, with the filters' tails
# A voice through a minimum-phase filter rings after each pulse: its energy comes 1.0 to 1.5 ms late (envelope lag
# measured on sung takes). Pulses are set that much early, so the voice neither lags its source nor its own breath.
_PULSE_LEAD_SECONDS = 0.00125
_LOG_RANGE = (-14.0, 6.0)  # nepers: filters stay between -121 dB and +52 dB
_LOUDNESS_FLOOR_DB = -100.0
_RECALL = 0.75  # how far content is drawn to the memory when singing
_RECALL_SHARPNESS = 30.0  # of the soft choice: rows 0.1 below the best cosine weigh a twentieth
_DB_TO_NEPER = np.log(10.0) / 20.0


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


class FrameNorm(nn.Module):
    """Layer norm over the channels of each frame alone: no frame sees another through it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels, 1))
        self.bias = nn.Parameter(torch.zeros(channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (B, C, T)."""
        mean = x.mean(dim=1, keepdim=True)
        spread = (x - mean).square().mean(dim=1, keepdim=True)
        return (x - mean) * torch.rsqrt(spread + 1e-5) * self.gain + self.bias


class Block(nn.Module):
    """Residual block: norm, convolution of 3 frames, GELU, 1x1 back."""

    def __init__(self, channels: int, inner: int, dilation: int) -> None:
        super().__init__()
        self.norm = FrameNorm(channels)
        self.mix = nn.Conv1d(channels, inner, 3, padding=dilation, dilation=dilation)
        self.back = nn.Conv1d(inner, channels, 1)
        nn.init.zeros_(self.back.weight)
        assert self.back.bias is not None
        nn.init.zeros_(self.back.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, T) to the same shape."""
        change: Tensor = self.back(functional.gelu(self.mix(self.norm(x))))
        return x + change


class DdspNetwork(nn.Module):
    """The network and its two filters; see the module's text."""

    content_mean: Tensor
    content_spread: Tensor
    memory: Tensor
    harmonic_shape: Tensor
    noise_shape: Tensor
    harmonic_window: Tensor
    noise_window: Tensor
    level_window: Tensor

    def __init__(self, config: DdspConfig) -> None:
        super().__init__()
        self.config = config
        hidden = config.hidden
        self.register_buffer("content_mean", torch.zeros(config.content_dim))
        self.register_buffer("content_spread", torch.ones(config.content_dim))
        self.register_buffer("memory", torch.zeros(config.memory_rows, config.content_dim))
        self.content_in = nn.Conv1d(config.content_dim, hidden, 1)
        self.curves_in = nn.Conv1d(4, hidden, 1)  # log f0, voiced, loudness, log f0 squared
        self.speaker_in = nn.Embedding(config.speakers, hidden)
        nn.init.normal_(self.speaker_in.weight, std=0.02)
        self.blocks = nn.Sequential(*(Block(hidden, config.inner, d) for d in config.dilations))
        self.norm_out = FrameNorm(hidden)
        self.out = nn.Conv1d(hidden, config.harmonic_bands + config.noise_bands, 1)
        nn.init.normal_(self.out.weight, std=0.01)
        with torch.no_grad():
            assert self.out.bias is not None
            self.out.bias.fill_(-2.0)
        rate, hop = config.sample_rate, config.hop_samples
        fixed = {
            "harmonic_shape": band_shape(config.harmonic_bands, config.harmonic_fft, rate),
            "noise_shape": band_shape(config.noise_bands, config.noise_fft, rate),
            "harmonic_window": torch.hann_window(_HARMONIC_HOPS * hop) / (_HARMONIC_HOPS / 2),
            "noise_window": torch.hann_window(_NOISE_HOPS * hop) / (_NOISE_HOPS / 2),
            "level_window": torch.hann_window(config.level_frames + 2, periodic=False)[1:-1],
        }
        for name, value in fixed.items():
            self.register_buffer(name, value, persistent=False)

    def controls(
        self,
        content: Tensor,
        f0_hz: Tensor,
        loudness_db: Tensor,
        speaker: Tensor,
        *,
        recall: Tensor | float = _RECALL,
    ) -> dict[str, Tensor]:
        """Read the features, set the filters.

        Parameters
        ----------
        content : (B, T, content_dim)
        f0_hz, loudness_db : (B, T)
        speaker : (B,) int or (B, speakers) float
            A row of the speaker table, or the weight of each row in a blend.
        recall : float or (B, 1, 1)
            0..1: how far content is drawn to the memory.

        Returns
        -------
        dict
            ``harmonic`` (B, harmonic_bands, T) and ``noise`` (B, noise_bands, T): log amplitudes in nepers, the
            slow level of the source already in them, so that 6 dB more in is 6 dB more out.
        """
        loudness_db = self.slow_level(loudness_db.clamp(min=_LOUDNESS_FLOOR_DB))
        voiced = (f0_hz > 0).to(content.dtype)
        pitch = torch.log2(f0_hz.clamp(min=20.0) / 220.0) * voiced
        curves = torch.stack(
            [pitch, voiced, (loudness_db / 20.0 + 1.5).clamp(-3.0, 1.5), pitch.square()], dim=1
        )
        standard = self.standardised(content)
        standard = standard + recall * (self.remembered(standard) - standard)
        x = self.content_in(standard.transpose(1, 2))  # (B, hidden, T)
        who = speaker @ self.speaker_in.weight if speaker.is_floating_point() else self.speaker_in(speaker)
        x = x + self.curves_in(curves) + who[:, :, None]
        x = self.out(functional.gelu(self.norm_out(self.blocks(x))))
        level = (loudness_db * _DB_TO_NEPER)[:, None, :]
        harmonic, noise = x.split([self.config.harmonic_bands, self.config.noise_bands], dim=1)
        return {"harmonic": harmonic.clamp(*_LOG_RANGE) + level, "noise": noise.clamp(*_LOG_RANGE) + level}

    def slow_level(self, loudness_db: Tensor) -> Tensor:
        """Return the level (B, T) of the mean power around each frame, in dB; past the ends there is nothing."""
        if len(self.level_window) == 1:
            return loudness_db
        # In float32 whatever the trunk computes in: powers span ten decades.
        with torch.autocast(loudness_db.device.type, enabled=False):
            power = (loudness_db.float() * (2.0 * _DB_TO_NEPER)).exp()
            window = self.level_window[None, None]
            reach = len(self.level_window) // 2
            both = torch.cat([power, torch.ones_like(power)])[:, None]
            summed, weight = functional.conv1d(both, window, padding=reach)[:, 0].chunk(2)
            slow: Tensor = (summed / weight).log() / (2.0 * _DB_TO_NEPER)
            return slow.to(loudness_db.dtype)

    def standardised(self, content: Tensor) -> Tensor:
        """Return content in units of each column's own deviation: Whisper has a few columns that dwarf the rest."""
        return ((content - self.content_mean) / self.content_spread).clamp(-8.0, 8.0)

    @torch.no_grad()
    def remembered(self, standard: Tensor) -> Tensor:
        """Return the memory's answer (B, T, D) to standardised content: its rows, weighted by likeness."""
        alike = functional.normalize(standard, dim=2) @ functional.normalize(self.memory, dim=1).T
        return (alike * _RECALL_SHARPNESS).softmax(dim=2) @ self.memory

    def signal(
        self,
        controls: dict[str, Tensor],
        left_hz: Tensor,
        right_hz: Tensor,
        phase_cycles: Tensor,
        noise: Tensor,
        *,
        formant_ratio: float = 1.0,
    ) -> Tensor:
        """Sound the filters.

        Parameters
        ----------
        controls : dict
            As `controls` gives them.
        left_hz, right_hz : (B, T)
            Pitch at both ends of each hop (`base.voiced_edges`), 0 in hops without voice.
        phase_cycles : (B, T)
            At each hop's start; whole cycles may be missing.
        noise : (B, T * hop)
            White, unit variance.
        formant_ratio : float
            Both filters' curves are stretched along the frequency axis by this; see `Synthesizer.render`.

        Returns
        -------
        (B, T * hop)
        """
        pulses = pulse_train(
            left_hz, right_hz, phase_cycles, self.config.sample_rate, self.config.hop_samples
        )
        harmonic_shape, noise_shape = self._shapes(formant_ratio)
        voice = self._filtered(
            pulses, controls["harmonic"], harmonic_shape, self.harmonic_window, minimum_phase=True
        )
        breath = self._filtered(noise, controls["noise"], noise_shape, self.noise_window, minimum_phase=False)
        return voice + breath

    def _shapes(self, formant_ratio: float) -> tuple[Tensor, Tensor]:
        if formant_ratio == 1.0:
            return self.harmonic_shape, self.noise_shape
        config, device = self.config, self.harmonic_shape.device
        sizes = (
            (config.harmonic_bands, config.harmonic_fft),
            (config.noise_bands, config.noise_fft),
        )
        harmonic, noise = (band_shape(*size, config.sample_rate, formant_ratio).to(device) for size in sizes)
        return harmonic, noise

    def _filtered(
        self, source: Tensor, bands: Tensor, shape: Tensor, window: Tensor, *, minimum_phase: bool
    ) -> Tensor:
        """Filter windowed frames of `source` in the frequency domain and overlap-add them.

        A window longer than one hop reaches over both ends: one frame is added before the first and two after
        the last, with their neighbours' filters.
        """
        hop, fft = self.config.hop_samples, 2 * (shape.shape[1] - 1)
        length, size = source.shape[1], window.shape[0]
        bands = functional.pad(bands, (1, 2), mode="replicate")  # frames -1 .. T + 1
        log_gain = torch.einsum("bkt,kf->btf", bands, shape)
        gain = as_minimum_phase(log_gain, fft) if minimum_phase else log_gain.exp()
        # Frame i's window is centred on sample i * hop.
        before = hop + size // 2
        frames = functional.pad(source, (before, before + 2 * hop)).unfold(1, size, hop)[:, : bands.shape[2]]
        # A zero-phase filter rings to both sides of its frame, a minimum-phase one only after it.
        lead = 0 if minimum_phase else (fft - size) // 2
        early = round(_PULSE_LEAD_SECONDS * self.config.sample_rate) if minimum_phase else 0
        spectrum = torch.fft.rfft(functional.pad(frames * window, (lead, fft - size - lead)))
        rung = torch.fft.irfft(spectrum * gain, n=fft)  # (B, frames, fft)
        total = (rung.shape[1] - 1) * hop + fft
        summed = functional.fold(
            rung.transpose(1, 2), output_size=(1, total), kernel_size=(1, fft), stride=(1, hop)
        )[:, 0, 0]  # starts `before + lead` samples before the source
        first = before + lead + early
        return summed[:, first : first + length]


class DdspSynthesizer:
    """A loaded `DdspNetwork` behind the `Synthesizer` protocol.

    Parameters
    ----------
    network : DdspNetwork
    device : str
    """

    def __init__(self, network: DdspNetwork, *, device: str = "cpu") -> None:
        config = network.config
        self.network = network.to(device).eval()
        self.sample_rate = config.sample_rate
        self.hop_samples = config.hop_samples
        self.content_dim = config.content_dim
        self.context_frames = config.context_frames
        self._device = device

    def render(
        self,
        content: NDArray[np.float32],
        f0_hz: NDArray[np.floating[Any]],
        loudness_db: NDArray[np.floating[Any]],
        *,
        phase_cycles: NDArray[np.float64],
        first_frame: int,
        seed: int,
        speaker: int | Sequence[float] = 0,
        formant_ratio: float = 1.0,
    ) -> NDArray[np.float32]:
        """Sing; see `Synthesizer.render`."""
        frames = len(f0_hz)
        if frames == 0:
            return np.zeros(0, dtype=np.float32)
        left, right = voiced_edges(f0_hz)

        def batch(values: NDArray[Any]) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))[None].to(self._device)

        with torch.inference_mode():
            who = self._who(speaker)
            controls = self.network.controls(batch(content), batch(f0_hz), batch(loudness_db), who)
            # Whole cycles are dropped in float64: hours into a song float32 would have no fraction left.
            phase = batch(phase_cycles - np.floor(phase_cycles))
            noise = batch(hop_noise(seed, first_frame, frames, self.hop_samples))
            sung = self.network.signal(
                controls, batch(left), batch(right), phase, noise, formant_ratio=formant_ratio
            )
            sound: NDArray[np.float32] = sung[0].cpu().numpy()
        return sound

    def _who(self, speaker: int | Sequence[float]) -> Tensor:
        """Return one row's number as (1,), or the weights of a blend as (1, speakers), adding up to 1."""
        count = self.network.config.speakers
        if isinstance(speaker, int):
            if not 0 <= speaker < count:
                raise ProjectError(
                    f"the voice has no singer {speaker}", hint=f"it has {count}, counted from 0"
                )
            return torch.tensor([speaker], device=self._device)
        weights = torch.tensor([list(speaker)], dtype=torch.float32, device=self._device)
        if weights.shape[1] != count or not bool((weights >= 0).all()) or not float(weights.sum()) > 0.0:
            raise ProjectError(
                f"a blend of singers needs {count} weights of 0 and above, not {list(speaker)}",
                hint="one for each singer of the voice, not all 0",
            )
        return weights / weights.sum()


def load_synthesizer(config: Mapping[str, Any], weights: Path, device: str = "cpu") -> DdspSynthesizer:
    """Build a network from a card's table and load its weights.

    Raises
    ------
    ProjectError
        When the table is refused.
    WeightsError
        When the file is missing, damaged or made for another configuration.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    network = DdspNetwork(DdspConfig.from_mapping(config))
    try:
        network.load_state_dict(load_file(weights))
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{weights} cannot be read as safetensors: {error}") from error
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise WeightsError(f"{weights} does not fit the card's network: {reason}") from error
    return DdspSynthesizer(network, device=device)
