"""MP3, 320 kbit/s: LAME through pedalboard.

Of the three LAME builds that our packages carry, all gapless on read-back, pedalboard's needs a quarter of the time
of libsndfile's for the same error spectrum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from covermaker.audio.files import blocks, probe
from covermaker.audio.resample import Resampler, resampled_frames
from covermaker.export.tags import write_mp3_tags

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from covermaker.audio.buffer import Samples
    from covermaker.progress import Progress

_RATES = (32_000, 44_100, 48_000)  # of MPEG-1 layer III


@dataclass(frozen=True, slots=True)
class Mp3Format:
    """Constant bit rate, LAME header with exact delay and padding."""

    kbps: int
    suffix: str = ".mp3"
    label: str = "320k"

    def frames(self, frames: int, sample_rate: int) -> int:
        """Return the length at the rate that MP3 has for it."""
        return resampled_frames(frames, sample_rate, mp3_rate(sample_rate))

    def encode(self, master: Path, out: Path, *, seed: int, progress: Progress) -> int:
        """Write the file; the encoder takes float, nothing is clipped here."""
        from pedalboard.io import AudioFile

        info = probe(master)
        rate = mp3_rate(info.sample_rate)
        wanted = self.frames(info.frames, info.sample_rate)
        done = 0
        # A Python file, since pedalboard names no reason when it writes one itself.
        with (
            out.open("w+b") as handle,
            AudioFile(handle, "w", rate, info.channels, quality=self.kbps, format="mp3") as file,
        ):
            for block in _resampled(master, Resampler(info.sample_rate, rate, info.channels)):
                file.write(block)
                done += block.shape[1]
                progress(min(1.0, done / wanted))
        return 0

    def tag(self, path: Path, tags: Mapping[str, str]) -> None:
        """Write an ID3v2.4 header."""
        write_mp3_tags(path, tags)


def mp3_rate(sample_rate: int) -> int:
    """Return the MP3 rate for a master: its own, else half of it, else 48 kHz."""
    return next((rate for rate in (sample_rate, sample_rate // 2) if rate in _RATES), 48_000)


def _resampled(master: Path, resampler: Resampler) -> Iterator[Samples]:
    for block in blocks(master, block_frames=16_384):
        out = resampler.push(block)
        if out.shape[1]:
            yield out
    tail = resampler.finish()
    if tail.shape[1]:
        yield tail


MP3_320 = Mp3Format(320)
