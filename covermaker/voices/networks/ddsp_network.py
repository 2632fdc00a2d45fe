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

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from covermaker.voices.networks.ddsp_config import DdspConfig
from covermaker.voices.networks.ddsp_signal import as_minimum_phase, band_shape, pulse_train

_HARMONIC_HOPS = 3  # Hann windows of 3 and 2 hops overlap to a constant
_NOISE_HOPS = 2
# A voice through a minimum-phase filter rings after each pulse: its energy comes 1.0 to 1.5 ms late (envelope lag
# measured on sung takes). Pulses are set that much early, so the voice neither lags its source nor its own breath.
_PULSE_LEAD_SECONDS = 0.00125
_LOG_RANGE = (-14.0, 6.0)  # nepers: filters stay between -121 dB and +52 dB
_LOUDNESS_FLOOR_DB = -100.0
# How far content is drawn to the memory when singing. Further costs words (spoken set: 2.2 points of CER at 0.75) and
# gains no likeness.
_RECALL = 0.4
_RECALL_SHARPNESS = 30.0  # of the soft choice: rows 0.1 below the best cosine weigh a twentieth
_DB_TO_NEPER = np.log(10.0) / 20.0


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
