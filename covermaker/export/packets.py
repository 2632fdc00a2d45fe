"""Opus and AAC: ffmpeg's encoders through PyAV.

Both codecs need samples before the first one. The containers say how many are to be dropped, and where the last packet
ends, so that a decoder gives the master's length with nothing before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from covermaker.audio.files import probe
from covermaker.audio.resample import resampled_frames
from covermaker.disk import encoder_error
from covermaker.export.lossy import sound_for
from covermaker.export.tags import write_mp4_tags, write_opus_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from covermaker.export.formats import Encoding
    from covermaker.export.labels import Labels
    from covermaker.progress import Progress

_AAC_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)


@dataclass(frozen=True, slots=True)
class PacketFormat:
    """A codec in a container of ffmpeg.

    Parameters
    ----------
    codec, container : str
        As ffmpeg calls them.
    kbps : int
        Bit rate of stereo, in kbit/s; mono gets 60 % of it.
    rates : sequence of int
        What the codec takes, in Hz; others become the first that is 48 kHz.
    write_tags : callable
        Takes the file and the labels.
    codec_options, container_options : mapping
        Passed on.
    """

    codec: str
    container: str
    kbps: int
    rates: tuple[int, ...]
    suffix: str
    label: str
    signable: bool
    write_tags: Callable[[Path, Labels], None]
    codec_options: Mapping[str, str] = field(default_factory=dict)
    lossy: bool = True

    def rate(self, sample_rate: int) -> int:
        """Return the rate that a master of `sample_rate` is encoded at."""
        return sample_rate if sample_rate in self.rates else 48_000

    def frames(self, frames: int, sample_rate: int) -> int:
        """Return the length at the codec's rate."""
        return resampled_frames(frames, sample_rate, self.rate(sample_rate))

    def encode(self, master: Path, out: Path, *, settings: Encoding, progress: Progress) -> int:
        """Write the file; the encoders take float, nothing is clipped here."""
        import av

        info = probe(master)
        rate = self.rate(info.sample_rate)
        wanted = self.frames(info.frames, info.sample_rate)
        layout = "mono" if info.channels == 1 else "stereo"
        done = 0
        try:
            # A Python file: what the disk refuses comes out as it is.
            with (
                out.open("w+b") as handle,
                av.open(
                    handle, "w", format=self.container, options=self._muxing(rate), io_open=_reopened(handle)
                ) as container,
            ):
                stream: Any = container.add_stream(self.codec, rate=rate, options=dict(self.codec_options))
                stream.codec_context.layout = layout
                stream.codec_context.bit_rate = self.kbps * (1000 if info.channels > 1 else 600)
                stream.codec_context.thread_count = 1
                for block in sound_for(master, rate, settings.gain_db):
                    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), "fltp", layout)
                    frame.sample_rate, frame.pts = rate, done
                    container.mux(stream.encode(frame))
                    done += block.shape[1]
                    progress(min(1.0, done / wanted))
                container.mux(stream.encode(None))
        except av.error.FFmpegError as error:
            raise encoder_error(out, str(getattr(error, "strerror", error))) from error
        return 0

    def tag(self, path: Path, labels: Labels) -> None:
        """Write the labels as the container has them."""
        self.write_tags(path, labels)

    def _muxing(self, rate: int) -> dict[str, str]:
        # Bit exact: no clock and no random serial number. MP4 counts its edit list in the movie's time: in samples.
        exact = {"fflags": "+bitexact"}
        if self.container != "ipod":
            return exact
        # What is in it stands in front of it, so that it plays before all of it has come over a network.
        return {**exact, "movie_timescale": str(rate), "movflags": "+faststart"}


def _reopened(handle: BinaryIO) -> Callable[[str, int, dict[str, str]], BinaryIO]:
    """Return what opens a file once more to be read, with all that was written to it until then."""

    def opened(url: str, flags: int, options: dict[str, str]) -> BinaryIO:
        handle.flush()
        return Path(url).open("rb")

    return opened


OPUS = PacketFormat(
    "libopus", "opus", 192, (48_000,), ".opus", "opus", signable=False, write_tags=write_opus_tags
)
M4A = PacketFormat(
    "aac", "ipod", 256, _AAC_RATES, ".m4a", "aac", signable=True, write_tags=write_mp4_tags,
    codec_options={"flags": "+bitexact"},
)  # fmt: skip
