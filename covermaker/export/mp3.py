"""MP3: LAME through pedalboard.

Of the three LAME builds that our packages carry, all gapless on read-back, pedalboard's needs a quarter of the time
of libsndfile's for the same error spectrum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from covermaker.audio.files import probe
from covermaker.audio.resample import resampled_frames
from covermaker.export.lossy import sound_for
from covermaker.export.tags import write_mp3_tags
from covermaker.units import gain_to_db

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.export.formats import Encoding
    from covermaker.export.labels import Labels
    from covermaker.progress import Progress

_RATES = (32_000, 44_100, 48_000)  # of MPEG-1 layer III


@dataclass(frozen=True, slots=True)
class Mp3Format:
    """A constant bit rate in kbit/s, or a variable one ("V0"); a LAME header with exact delay and padding.

    Below 320 kbit/s LAME turns the sound down to leave room for its own errors. The master has been given its loudness
    already, and the decoded file is looked at anyway: `lame_scale` is that factor, which is taken back.
    """

    quality: int | str
    label: str
    lame_scale: float = 1.0
    suffix: str = ".mp3"
    lossy: bool = True
    signable: bool = True

    def frames(self, frames: int, sample_rate: int) -> int:
        """Return the length at the rate that MP3 has for it."""
        return resampled_frames(frames, sample_rate, mp3_rate(sample_rate))

    def encode(self, master: Path, out: Path, *, settings: Encoding, progress: Progress) -> int:
        """Write the file; the encoder takes float, nothing is clipped here."""
        from pedalboard.io import AudioFile

        info = probe(master)
        rate = mp3_rate(info.sample_rate)
        wanted = self.frames(info.frames, info.sample_rate)
        done = 0
        # A Python file, since pedalboard names no reason when it writes one itself.
        with (
            out.open("w+b") as handle,
            AudioFile(handle, "w", rate, info.channels, quality=self.quality, format="mp3") as file,
        ):
            for block in sound_for(master, rate, settings.gain_db - gain_to_db(self.lame_scale)):
                file.write(block)
                done += block.shape[1]
                progress(min(1.0, done / wanted))
        return 0

    def tag(self, path: Path, labels: Labels) -> None:
        """Write an ID3v2.4 header."""
        write_mp3_tags(path, labels)


def mp3_rate(sample_rate: int) -> int:
    """Return the MP3 rate for a master: its own, else half of it, else 48 kHz."""
    return next((rate for rate in (sample_rate, sample_rate // 2) if rate in _RATES), 48_000)


MP3_320 = Mp3Format(320, "320k")
MP3_V0 = Mp3Format("V0", "V0")
MP3_192 = Mp3Format(192, "192k", lame_scale=0.97)
