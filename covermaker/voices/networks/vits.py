"""The facade of a VITS voice (RVC, so-vits-svc): a card's table and a weight file become a `Synthesizer`.

The encoder and the flow run over all frames that are given, the decoder over those that are kept and the few beside
them that it reaches. All noise is drawn by the number of a frame of the network's own clock, so it is the same in any
chunk. What still depends on a chunk is what the encoder's attention sees: it looks at everything that it is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from covermaker.errors import ProjectError
from covermaker.features.clock import FRAME_RATE
from covermaker.voices.networks.base import ALL, SungPitch
from covermaker.voices.networks.loading import chosen_singer, load_weights
from covermaker.voices.networks.vits_clock import OwnFrames
from covermaker.voices.networks.vits_config import VitsConfig
from covermaker.voices.networks.vits_decoder import reach_frames
from covermaker.voices.networks.vits_network import SovitsNetwork, Told, VitsNetwork, build_network
from covermaker.voices.networks.vits_pitch import fill_gaps, pitch_bins
from covermaker.voices.networks.vits_source import frame_cycles, sample_cycles
from covermaker.weights.device import computing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

CONTEXT_FRAMES = 100
_PIECE_SECONDS = 3.0  # decoded at a time: a decoder's memory is hundreds of MB for a minute
_SILENT_DB = -80.0
_LINGER_FRAMES = 50  # more than anything rings; less than `CONTEXT_FRAMES`, so that every chunk agrees
_LATENT, _SOURCE, _OFFSETS = range(3)  # what noise is drawn for


class VitsSynthesizer:
    """A loaded `VitsNetwork` behind the `Synthesizer` protocol.

    Parameters
    ----------
    network : RvcNetwork or SovitsNetwork
        Its weights fused.
    device : str
    """

    def __init__(self, network: VitsNetwork, *, device: str = "cpu") -> None:
        config = network.config
        self.network = network.to(device).eval()
        if torch.device(device).type == "cpu":
            self.network.dec.quicken()
        self.config = config
        self.sample_rate = config.sample_rate
        self.hop_samples = config.sample_rate // FRAME_RATE
        self.content_dim = config.content_dim
        self.content_held = True
        self.context_frames = CONTEXT_FRAMES
        self._reach = reach_frames(config)
        self._device = device

    def pitch(
        self, f0_hz: NDArray[np.floating[Any]], *, voiced: NDArray[np.bool_] | None = None
    ) -> SungPitch:
        """Read a whole song's pitch; see `Synthesizer.pitch`.

        RVC keeps 0 where unvoiced; so-vits-svc draws lines over gaps and is told apart where they are.

        Parameters
        ----------
        f0_hz : array (n,)
        voiced : bool array (n,), optional
            Of a pitch that has no zeros, as `guess_f0` gives it.
        """
        told = np.asarray(f0_hz, dtype=np.float64)
        where = told > 0.0 if voiced is None else voiced
        if self.config.family == "sovits":
            told = fill_gaps(told, early=self.config.fork)
        if not len(told):
            return SungPitch(told, where, told)
        own = self._own(0, len(told))
        held = own.linear(told)
        cycles = frame_cycles(held, self.config.hop_samples, self.sample_rate)
        return SungPitch(told, where, own.at_features(cycles, held, self.sample_rate))

    def guess_f0(
        self,
        content: NDArray[np.float32],
        pitch: SungPitch,
        loudness_db: NDArray[np.floating[Any]],
        *,
        first_frame: int = 0,
        speaker: int | Sequence[float] = 0,
    ) -> NDArray[np.float64]:
        """Make up a pitch for speech: what is said, as the voice would say it; for phrases, not for whole songs.

        Parameters
        ----------
        content, pitch, loudness_db, first_frame, speaker
            As in `render`.

        Returns
        -------
        float64 array (n,)
            In Hz, at unvoiced frames too: give it to `pitch` with what was voiced.

        Raises
        ------
        ProjectError
            When the voice was not trained to.
        """
        if not isinstance(self.network, SovitsNetwork) or not self.config.pitch_decoder:
            raise ProjectError(
                "this voice cannot make up a pitch: it was trained without",
                hint="so-vits-svc voices with use_automatic_f0_prediction can",
            )
        if not len(pitch):
            return np.zeros(0)
        own = self._own(first_frame, len(pitch))
        with computing():
            told = self._told(own, content, pitch, loudness_db)
            f0_hz = self._batch(own.linear(pitch.f0_hz))
            guessed = self.network.guessed_f0(told, f0_hz, self._singer(speaker))
            curve = guessed[0].double().cpu().numpy()
        seconds = (np.arange(own.first, own.stop) * self.config.hop_samples) / self.sample_rate
        times = (first_frame + np.arange(len(pitch))) / FRAME_RATE
        f0: NDArray[np.float64] = np.interp(times, seconds, np.maximum(curve, 0.0))
        return f0

    def render(
        self,
        content: NDArray[np.float32],
        pitch: SungPitch,
        loudness_db: NDArray[np.floating[Any]],
        *,
        first_frame: int,
        seed: int,
        speaker: int | Sequence[float] = 0,
        formant_ratio: float = 1.0,
        noise_scale: float | None = None,
        keep: slice = ALL,
    ) -> NDArray[np.float32]:
        """Sing; see `Synthesizer.render`.

        A blend may leave out the last rows of the voice's table: community voices have rows that nobody trained.

        Raises
        ------
        ProjectError
            When there is no such singer, or formants shall move: these networks cannot.
        """
        if formant_ratio != 1.0:
            raise ProjectError(
                "the formants of an RVC or so-vits-svc voice cannot be moved",
                hint="leave convert.formant_semitones at 0",
            )
        start, stop, _ = keep.indices(len(pitch))
        if stop <= start:
            return np.zeros(0, dtype=np.float32)
        own = self._own(first_frame, len(pitch))
        scale = self.config.noise_scale if noise_scale is None else noise_scale
        with computing():
            singer = self._singer(speaker)
            mean, log_scale = self.network.prior(self._told(own, content, pitch, loudness_db))
            noise = _frame_noise(seed, _LATENT, own.first, own.stop, (self.config.latent,)).T
            latent = mean + self._batch(noise) * log_scale.exp() * scale
            latent = self.network.flow(latent, singer, reverse=True)
            kept = self._own(first_frame + start, stop - start)
            heard = own.nearest(_heard(loudness_db))
            sound = self._decoded(latent, own, kept, heard, self._phase(own, pitch), singer, seed)
        skipped = (first_frame + start) * self.hop_samples - kept.first * self.config.hop_samples
        return sound[skipped : skipped + (stop - start) * self.hop_samples]

    def _own(self, first_frame: int, frames: int) -> OwnFrames:
        return OwnFrames(first_frame, frames, self.hop_samples, self.config.hop_samples)

    def _batch(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))[None].to(self._device)

    def _singer(self, speaker: int | Sequence[float]) -> Tensor:
        """Return who sings as (1, speaker_dim, 1)."""
        if not isinstance(speaker, int):
            speaker = [*speaker, *[0.0] * (self.config.speakers - len(speaker))]
        who = chosen_singer(speaker, self.config.speakers, self._device)
        table = self.network.emb_g
        row: Tensor = who @ table.weight if who.is_floating_point() else table(who)
        return row[..., None]

    def _told(
        self,
        own: OwnFrames,
        content: NDArray[np.float32],
        pitch: SungPitch,
        loudness_db: NDArray[np.floating[Any]],
    ) -> Told:
        f0_hz = own.linear(pitch.f0_hz)
        drops_high = self.config.family == "sovits" and not self.config.fork
        level = own.held(10.0 ** (np.asarray(loudness_db, dtype=np.float64) / 20.0))
        return Told(
            content=self._batch(own.held(content)),
            bins=torch.from_numpy(pitch_bins(f0_hz, drops_high=drops_high))[None].to(self._device),
            voiced=torch.from_numpy(own.nearest(pitch.voiced).astype(np.int64))[None].to(self._device),
            level=self._batch(level),
        )

    def _phase(self, own: OwnFrames, pitch: SungPitch) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the pitch that each own frame holds, and the song's cycles before it.

        The middle of what is given says where in the song's phase it lies: at its ends an own frame may begin
        before the first frame.
        """
        held = own.linear(pitch.f0_hz)
        cycles = frame_cycles(held, self.config.hop_samples, self.sample_rate)
        middle = len(pitch) // 2
        here = own.at_features(cycles, held, self.sample_rate)[middle]
        return held, cycles + (pitch.phase_cycles[middle] - here)

    def _decoded(
        self,
        latent: Tensor,
        own: OwnFrames,
        kept: OwnFrames,
        heard: NDArray[np.bool_],
        phase: tuple[NDArray[np.float64], NDArray[np.float64]],
        singer: Tensor,
        seed: int,
    ) -> NDArray[np.float32]:
        """Decode the kept frames piece by piece, each with as many beside it as the decoder reaches.

        Where nothing is heard nothing is decoded: there the sound is 0, and it fades over a frame.
        """
        hop = self.config.hop_samples
        piece = max(1, round(_PIECE_SECONDS * self.config.frames_per_second))
        sound = np.zeros(len(kept) * hop, dtype=np.float32)
        for first, stop in _runs(heard, own.first, kept, piece):
            begin, end = max(own.first, first - self._reach), min(own.stop, stop + self._reach)
            seen = slice(begin - own.first, end - own.first)
            source = self._source(phase[0][seen], phase[1][seen], begin, seed)
            sung = self.network.dec(latent[..., seen], singer, source)[0].cpu().numpy()
            sound[(first - kept.first) * hop : (stop - kept.first) * hop] = sung[
                (first - begin) * hop : (stop - begin) * hop
            ]
        if not heard.all():
            within = heard[kept.first - own.first : kept.stop - own.first]
            before = heard[max(0, kept.first - own.first - 1)]
            after = heard[min(len(heard) - 1, kept.stop - own.first)]
            wide = np.concatenate([[before], within, [after]])
            borders = (wide[:-1] & wide[1:]).astype(
                np.float32
            )  # at the beginning of each kept frame, and at the end
            ramp = np.arange(hop, dtype=np.float32) / hop
            sound *= (borders[:-1, None] * (1 - ramp) + borders[1:, None] * ramp).ravel()
        return sound

    def _source(
        self, f0_hz: NDArray[np.float64], cycles: NDArray[np.float64], first: int, seed: int
    ) -> Tensor | None:
        config = self.config
        if not config.pitched:
            return None
        noise = _frame_noise(seed, _SOURCE, first, first + len(f0_hz), (config.hop_samples, config.harmonics))
        source: Tensor = self.network.dec.m_source(
            self._batch(sample_cycles(f0_hz, cycles, config.hop_samples, config.sample_rate)),
            self._batch(np.repeat(f0_hz > 0.0, config.hop_samples)),
            offsets=self._batch(_offsets(seed, config.harmonics))[0],
            noise=self._batch(noise.reshape(-1, config.harmonics)),
        )
        return source


def _heard(loudness_db: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """Tell at which frames somebody sings, or has half a second before, or will have after."""
    loud = np.asarray(loudness_db) > _SILENT_DB
    wide = np.convolve(loud, np.ones(2 * _LINGER_FRAMES + 1))
    near: NDArray[np.bool_] = wide[_LINGER_FRAMES : _LINGER_FRAMES + len(loud)] > 0.5
    return near


def _runs(heard: NDArray[np.bool_], first: int, kept: OwnFrames, longest: int) -> Iterator[tuple[int, int]]:
    """Yield the kept frames at which something is heard, in pieces: first frame, and one after the last.

    `heard` begins at the own frame `first`.
    """
    marks = heard[kept.first - first : kept.stop - first].astype(np.int8)
    change = np.flatnonzero(np.diff(np.concatenate([[0], marks, [0]])))
    for begin, end in zip(change[::2], change[1::2], strict=True):
        for start in range(int(begin), int(end), longest):
            yield kept.first + start, kept.first + min(start + longest, int(end))


def _frame_noise(
    seed: int, purpose: int, first: int, stop: int, shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """Draw normal numbers for the frames from `first` to before `stop`, (frames, *shape), each frame by its number."""
    return np.stack(
        [
            np.random.default_rng([seed % 2**64, purpose, frame]).standard_normal(shape, dtype=np.float32)
            for frame in range(first, stop)
        ]
    )


def _offsets(seed: int, harmonics: int) -> NDArray[np.float64]:
    """Draw how many cycles each overtone is ahead of the fundamental."""
    offsets = np.random.default_rng([seed % 2**64, _OFFSETS]).random(harmonics)
    offsets[0] = 0.0
    return offsets


def load_synthesizer(config: Mapping[str, Any], weights: Path, device: str = "cpu") -> VitsSynthesizer:
    """Build a network from a card's table and load its weights.

    Raises
    ------
    ProjectError
        When the table is refused.
    WeightsError
        When the file is missing, damaged or made for another configuration.
    """
    with torch.device("meta"):  # weights are not drawn only to be replaced
        network = build_network(VitsConfig.from_mapping(config))
    network.to_empty(device="cpu")
    load_weights(network, weights)
    return VitsSynthesizer(network.requires_grad_(False), device=device)
