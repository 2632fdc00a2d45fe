"""Opening any audio file: which decoder reads it, how long it really is, what is damaged.

Two backends. libsndfile (soundfile) reads what it reads to the sample: WAV, AIFF, CAF, AU, W64, FLAC, Ogg Vorbis and
Opus. ffmpeg (PyAV) reads everything else, MP3 too: both are gapless there, but libsndfile's MP3 decoder writes its
troubles to stderr. More than two channels go to ffmpeg first, since only it tells which channel is which.
A lossy file's length comes from its own record of delay and padding: Xing/LAME header, MP4 edit list or iTunSMPB,
Opus pre-skip and end trimming.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from stat import S_ISDIR
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from covermaker.errors import AudioInputError, ResourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from covermaker.audio.buffer import Samples

BLOCK_FRAMES = 1 << 16
_SNIFF_BYTES = 4096

# First bytes of what libsndfile reads exactly.
_SNDFILE_MAGIC = (b"RIFF", b"RIFX", b"RF64", b"FORM", b"fLaC", b"OggS", b"caff", b"riff", b".snd")
# Timestamps of real files wander by less than this; a longer jump is a hole.
_HOLE_SECONDS = 0.02
_LONGEST_HOLE_SECONDS = 60.0


class Source(Protocol):
    """An open-able file, one backend."""

    backend: str
    sample_rate: int
    channels: int
    channel_names: tuple[str, ...]
    format: str
    # Exact length by the file's own headers, None when they do not say.
    claimed_frames: int | None
    # What the last run of `blocks` met.
    problem: str | None
    holes: list[tuple[int, int]]

    def blocks(self) -> Iterator[Samples]:
        """Decode from the start: float32 (channels, n), n > 0. Ends early, with `problem` set, at damage."""


class SoundFileSource:
    """libsndfile."""

    backend = "libsndfile"

    def __init__(self, path: Path) -> None:
        import soundfile

        self.path = path
        self.problem: str | None = None
        self.holes: list[tuple[int, int]] = []
        self.channel_names: tuple[str, ...] = ()
        with soundfile.SoundFile(native_name(path)) as file:
            self.sample_rate, self.channels = int(file.samplerate), int(file.channels)
            self.format = f"{file.format} {file.subtype}"
            self.claimed_frames = _claimed_by_sndfile(file.frames, file.extra_info)
            if file.format == "OGG" and not _ogg_is_complete(path):
                self.claimed_frames = None
                self._cut = "the last page is missing"
            else:
                self._cut = ""

    def blocks(self) -> Iterator[Samples]:
        """Decode from the start."""
        import soundfile

        self.problem = self._cut or None
        with soundfile.SoundFile(native_name(self.path)) as file:
            while True:
                try:
                    data = file.read(BLOCK_FRAMES, dtype="float32", always_2d=True)
                except soundfile.LibsndfileError as error:
                    self.problem = error.error_string
                    return
                if not len(data):
                    return
                yield np.ascontiguousarray(data.T)


class AvSource:
    """ffmpeg, through PyAV."""

    backend = "ffmpeg"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem: str | None = None
        self.holes: list[tuple[int, int]] = []
        with self._stream() as (container, stream):
            self.format = f"{container.format.name.split(',')[0]} {stream.codec_context.name}"
            first = next(_decoded(container, stream), None)
            if first is None:
                raise AudioInputError("no audio frame can be decoded")
            # From a decoded frame: the headers of HE-AAC name half the rate.
            self.sample_rate = int(first.sample_rate)
            names = tuple(channel.name for channel in first.layout.channels)
            self.channels, self.channel_names = len(names), names
        self.claimed_frames = self._claim()

    def blocks(self) -> Iterator[Samples]:
        """Decode from the start; holes in the timestamps are filled with silence, so that offsets stay true."""
        self.problem, self.holes = None, []
        position, origin, at_zero = 0, None, 0
        limit = self.claimed_frames
        tolerance = round(_HOLE_SECONDS * self.sample_rate)
        with self._stream() as (container, stream):
            for frame in _decoded(container, stream, self._note):
                if frame.sample_rate != self.sample_rate or len(frame.layout.channels) != self.channels:
                    self.problem = "the sample rate or the channels change in the middle"
                    return
                block = _to_float(frame)
                if frame.pts is not None and frame.time_base is not None:
                    if origin is None:
                        origin, at_zero = frame.pts, position
                    wanted = at_zero + round((frame.pts - origin) * frame.time_base * self.sample_rate)
                    gap = wanted - position
                    if abs(gap) > _LONGEST_HOLE_SECONDS * self.sample_rate:
                        origin, at_zero = frame.pts, position  # a new clock (chained streams), not a hole
                    elif gap > tolerance:
                        self.holes.append((position, gap))
                        yield np.zeros((self.channels, gap), np.float32)
                        position = wanted
                    elif gap < -tolerance:
                        block = np.ascontiguousarray(block[:, -gap:])
                if limit is not None:
                    block = block[:, : max(0, limit - position)]
                if block.shape[1]:
                    position += block.shape[1]
                    yield np.ascontiguousarray(block)
        if limit is not None and position >= limit:
            self.problem = None  # e.g. foreign tags after the last frame of an MP3

    def _note(self, problem: str) -> None:
        self.problem = problem

    @contextmanager
    def _stream(self) -> Iterator[tuple[Any, Any]]:
        import av

        with av.open(str(self.path)) as container:
            if not container.streams.audio:
                raise AudioInputError("it holds no audio stream")
            stream = container.streams.audio[0]
            stream.codec_context.thread_count = 1  # same result, no idle threads
            yield container, stream

    def _claim(self) -> int | None:
        with self._stream() as (container, stream):
            rule = _CLAIMS.get(container.format.name.split(",")[0])
            return None if rule is None else rule(self, container, stream)


def open_sources(path: Path) -> tuple[list[Source], list[str]]:
    """Return the backends that can open a file, best first, and what the others said.

    Raises
    ------
    AudioInputError
        When there is no such file, it is a folder, it is empty, or no backend can open it.
    """
    head = sniff(path)
    kinds: list[type[SoundFileSource] | type[AvSource]] = [AvSource]
    if head.startswith(_SNDFILE_MAGIC):
        kinds.insert(0, SoundFileSource)
    sources: list[Source] = []
    said: list[str] = []
    backend_errors = _backend_errors()
    for kind in kinds:
        try:
            sources.append(kind(path))
        except backend_errors as error:
            said.append(f"{kind.backend}: {_plain(error)}")
    if not sources:
        raise unreadable(path, said)
    if len(sources) == 2 and sources[0].channels > 2:
        sources.reverse()
    return sources, said


def unreadable(path: Path, said: list[str]) -> AudioInputError:
    """Return the error for a file of which nothing can be decoded, naming what each backend said."""
    if _looks_like_text(sniff(path)):
        return AudioInputError(
            f"'{path}' is no audio file: it holds text", hint="the download may be a web page, not the song"
        )
    return AudioInputError(
        f"'{path}' cannot be read as audio: {'; '.join(said)}",
        hint="is the file complete? try to play it, or convert it to WAV or FLAC",
    )


def native_name(path: Path) -> str | bytes:
    """Return a name that `soundfile` opens whatever is in it: as bytes also one that is not UTF-8."""
    return os.fsencode(path) if os.name == "posix" else str(path)


def sniff(path: Path) -> bytes:
    """Return a file's first bytes.

    Raises
    ------
    AudioInputError
        When there is no such file, it cannot be reached, it is a folder or it is empty.
    ResourceError
        When it may not be read.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise AudioInputError(f"'{path}' does not exist", hint="check the path") from error
    except ValueError as error:
        raise AudioInputError(f"{str(path)!r} holds a NUL character", hint="check the path") from error
    except OSError as error:
        raise AudioInputError(
            f"'{path}' cannot be reached: {error.strerror}",
            hint="check the path and who may read its folders",
        ) from error
    if S_ISDIR(mode):
        raise AudioInputError(f"'{path}' is a folder, not an audio file", hint="name one file in it")
    try:
        with path.open("rb") as file:
            head = file.read(_SNIFF_BYTES)
    except PermissionError as error:
        raise ResourceError(f"'{path}' cannot be opened: permission denied") from error
    except OSError as error:
        raise AudioInputError(f"'{path}' cannot be opened: {error.strerror}") from error
    if not head:
        raise AudioInputError(f"'{path}' is empty (0 bytes)", hint="copy or download the file again")
    return head


def _looks_like_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        # A character cut by the end of the sniffed part is no sign of binary data.
        if error.start < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8")
    return all(char.isprintable() or char in "\r\n\t\f" for char in text)


def _backend_errors() -> tuple[type[Exception], ...]:
    import av
    import soundfile

    return AudioInputError, ValueError, OSError, av.error.FFmpegError, soundfile.SoundFileError


def _plain(error: Exception) -> str:
    """Shorten a backend's message: no path, no error number."""
    text = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
    return str(text).rstrip(". ")


def _decoded(container: Any, stream: Any, note: Callable[[str], None] = lambda _: None) -> Iterator[Any]:
    """Yield the decoded frames; packets that cannot be decoded are passed over and noted."""
    import av

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except (av.error.FFmpegError, OSError) as error:
            note(_plain(error))
            return
        if packet is None:
            return
        try:
            frames = packet.decode()
        except (av.error.FFmpegError, OSError) as error:
            note(_plain(error))
            continue
        yield from frames


_FULL_SCALE = {"s16": 1 << 15, "s32": 1 << 31, "s64": 1 << 63, "flt": 1, "dbl": 1}


def _to_float(frame: Any) -> Samples:
    """Return a decoded frame as float32 (channels, n), scaled by exact powers of two."""
    data = frame.to_ndarray()
    if not frame.format.is_planar:
        data = data.reshape(-1, len(frame.layout.channels)).T
    name = frame.format.name.removesuffix("p")
    if name == "u8":
        data, scale = data.astype(np.float32) - 128.0, 128
    else:
        scale = _FULL_SCALE[name]
    samples: Samples = np.ascontiguousarray(data if scale == 1 else data / scale, dtype=np.float32)
    return samples


def _claimed_by_sndfile(frames: int, log: str) -> int | None:
    """Return the header's length: libsndfile silently shortens it to what the file can hold."""
    if frames >= 1 << 60:  # FLAC that was streamed
        return None
    cut = re.search(r"^\s*(?:data|SSND) *: (\d+) \(should be (\d+)\)", log, re.MULTILINE)
    if cut is None or int(cut[1]) >= 0x7FFFFF00 or int(cut[2]) == 0:  # "unknown" of a recorder that was piped
        return frames
    return max(frames, round(frames * int(cut[1]) / int(cut[2])))


def _ogg_is_complete(path: Path) -> bool:
    """Tell whether the last Ogg page is marked as the end of its stream (RFC 3533, header type flag 4)."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 65536 - 282))  # the longest page
        tail = file.read()
    page = tail.rfind(b"OggS")
    return page >= 0 and len(tail) > page + 5 and bool(tail[page + 5] & 4)


def _by_duration(source: AvSource, _container: Any, stream: Any) -> int | None:
    if stream.duration is None or stream.time_base is None:
        return None
    frames: int = round(stream.duration * stream.time_base * source.sample_rate)
    return frames


def _by_xing(source: AvSource, _container: Any, _stream: Any) -> int | None:
    """Length of an MP3 by its Xing/Info header and the LAME extension of it.

    ffmpeg mistrusts the header when other data follows the last frame, and without it guesses from the file's size.
    """
    with source.path.open("rb") as file:
        head = file.read(10)
        tag_bytes = 0
        if head[:3] == b"ID3":
            tag_bytes = 10 + sum(
                (byte & 127) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True)
            )
        file.seek(tag_bytes)
        data = file.read(1024)
    at = max(data.find(b"Xing"), data.find(b"Info"))
    flags = int.from_bytes(data[at + 4 : at + 8], "big")
    if at < 0 or not flags & 1:
        return None
    mp3_frames = int.from_bytes(data[at + 8 : at + 12], "big")
    lame = at + 8 + sum(size for bit, size in ((1, 4), (2, 4), (4, 100), (8, 4)) if flags & bit)
    trimmed = 0
    if data[lame : lame + 4] in (b"LAME", b"Lavf", b"Lavc"):
        both = int.from_bytes(data[lame + 21 : lame + 24], "big")
        trimmed = (both >> 12) + (both & 0xFFF)  # encoder delay and padding
    samples_each = 1152 if source.sample_rate >= 32_000 else 576  # MPEG-1, MPEG-2 and 2.5
    return max(0, mp3_frames * samples_each - trimmed) or None


def _by_edit_list(source: AvSource, container: Any, stream: Any) -> int | None:
    """Length of an MP4 track: iTunSMPB, else the edit list, mended by the last packet's duration.

    Edit lists count in the movie's clock, often milliseconds; a last packet that is shorter than the others tells the
    true end to the sample.
    """
    smpb = container.metadata.get("iTunSMPB", "").split()
    if len(smpb) > 3 and int(smpb[3], 16) > 0:
        return int(smpb[3], 16)
    claimed = _by_duration(source, container, stream)
    if claimed is None:
        return None
    last, longest = None, 0
    for packet in container.demux(stream):
        if packet.pts is not None and packet.duration:
            last, longest = packet, max(longest, packet.duration)
    if last is not None:
        end: int = round((last.pts + last.duration) * stream.time_base * source.sample_rate)
        near = abs(end - claimed) <= source.sample_rate / 600 + 1
        if near and (last.duration < longest or end < claimed):
            return end
    return claimed


_CLAIMS: dict[str, Callable[[AvSource, Any, Any], int | None]] = {
    "mov": _by_edit_list,
    "mp3": _by_xing,
    "flac": _by_duration,
    "wav": _by_duration,
    "aiff": _by_duration,
    "caf": _by_duration,
}
