"""What a finished file says of itself: texts, a picture, lyrics, and how loud it is."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from covermaker.errors import ProjectError
from covermaker.units import db_to_gain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# https://wiki.hydrogenaudio.org: ReplayGain 2.0 plays everything as if it had this loudness.
REPLAYGAIN_LUFS = -18.0
R128_LUFS = -23.0  # what the gain of an Opus file refers to, RFC 7845

_LARGEST_PICTURE_BYTES = 10_000_000  # a block of FLAC holds 16 MB
_PICTURE_SIZES = (64, 6000)
_PICTURE_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png"}
_LARGEST_LYRICS_BYTES = 200_000
_ID_TAG = re.compile(r"\[(ar|al|ti|au|lr|length|by|offset|re|tool|ve|la|id|#)\s*:(.*)\]$", re.IGNORECASE)
_STAMP = re.compile(r"\[(\d{1,3}):(\d{1,2}(?:[.:]\d{1,3})?)\]")


@dataclass(frozen=True, slots=True)
class Picture:
    """A cover: the file's bytes as they are, its MIME type, its size in pixels."""

    data: bytes = field(repr=False)
    mime: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Lyrics:
    """The words of a song; `lines` are (milliseconds, line), empty when nobody knows when they are sung."""

    text: str
    lines: tuple[tuple[int, str], ...] = ()

    @property
    def lrc(self) -> str:
        """The words with their times, as LRC files have them."""
        return "\n".join(
            f"[{ms // 60_000:02d}:{ms // 1000 % 60:02d}.{ms // 10 % 100:02d}]{line}"
            for ms, line in self.lines
        )


@dataclass(frozen=True, slots=True)
class Level:
    """How loud a file is: None without a loudness; the peak is the true one."""

    integrated_lufs: float | None
    true_peak_dbtp: float | None

    def louder(self, gain_db: float, true_peak_dbtp: float | None) -> Level:
        """Return the level of the same song turned by `gain_db`; a peak that was measured holds."""
        lufs, peak = self.integrated_lufs, self.true_peak_dbtp
        return Level(
            None if lufs is None else lufs + gain_db,
            true_peak_dbtp if true_peak_dbtp is not None else None if peak is None else peak + gain_db,
        )

    @property
    def known(self) -> bool:
        """Whether there is a loudness to refer to."""
        return self.integrated_lufs is not None and math.isfinite(self.integrated_lufs)


@dataclass(frozen=True, slots=True)
class Labels:
    """All of it; `text` has the keys of `tags.KEYS`, or others."""

    text: Mapping[str, str] = field(default_factory=dict)
    picture: Picture | None = None
    lyrics: Lyrics | None = None
    level: Level | None = None

    def clean(self) -> dict[str, str]:
        """Return the texts, without empty ones and what no container can hold: NUL, halves of surrogate pairs."""
        text = dict(self.text)
        if self.lyrics is not None:
            text["lyrics"] = self.lyrics.text
        clean = {
            key: value.replace("\0", " ").encode("utf-8", "replace").decode() for key, value in text.items()
        }
        return {key: value for key, value in clean.items() if value.strip()}

    def replaygain(self) -> dict[str, str]:
        """Return the ReplayGain 2.0 tags; none without a loudness."""
        level = self.level
        if level is None or not level.known:
            return {}
        assert level.integrated_lufs is not None
        rows = {"replaygain_track_gain": f"{REPLAYGAIN_LUFS - level.integrated_lufs:.2f} dB"}
        if level.true_peak_dbtp is not None:
            rows["replaygain_track_peak"] = f"{db_to_gain(level.true_peak_dbtp):.6f}"
        return rows


def read_picture(path: Path) -> Picture:
    """Read a cover.

    Raises
    ------
    ProjectError
        When it is missing, no JPEG or PNG, damaged, or of a size that players refuse.
    """
    from PIL import Image, UnidentifiedImageError

    advice = "a square JPEG or PNG of 1000 to 3000 pixels suits every player"
    try:
        if path.stat().st_size > _LARGEST_PICTURE_BYTES:
            raise ProjectError(
                f"the picture '{path.name}' has {path.stat().st_size / 1e6:.1f} MB, at most "
                f"{_LARGEST_PICTURE_BYTES // 1_000_000} are allowed",
                hint=advice,
            )
        data = path.read_bytes()
        with Image.open(path) as image:
            width, height = image.size
            kind = image.format or ""
            image.verify()
    except FileNotFoundError as error:
        raise ProjectError(f"there is no picture {path}", hint="check the path") from error
    except UnidentifiedImageError as error:
        raise ProjectError(f"'{path.name}' is no picture", hint=advice) from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ProjectError(f"the picture '{path.name}' cannot be read: {error}", hint=advice) from error
    if kind not in _PICTURE_TYPES:
        raise ProjectError(f"the picture '{path.name}' is {kind or 'unknown'}, not JPEG or PNG", hint=advice)
    low, high = _PICTURE_SIZES
    if not (low <= width <= high and low <= height <= high):
        raise ProjectError(
            f"the picture '{path.name}' has {width} x {height} pixels, {low} to {high} are allowed",
            hint=advice,
        )
    return Picture(data, _PICTURE_TYPES[kind], width, height)


def read_lyrics(path: Path) -> Lyrics:
    """Read words: plain text, or LRC with a time before each line (``[01:12.50]``).

    Raises
    ------
    ProjectError
        When it is missing, no UTF-8 text, empty, or longer than any song.
    """
    try:
        if path.stat().st_size > _LARGEST_LYRICS_BYTES:
            raise ProjectError(
                f"the lyrics '{path.name}' have more than {_LARGEST_LYRICS_BYTES // 1000} kB",
                hint="is it the right file?",
            )
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ProjectError(f"there are no lyrics {path}", hint="check the path") from error
    except OSError as error:
        raise ProjectError(f"the lyrics '{path.name}' cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ProjectError(
            f"the lyrics '{path.name}' are no UTF-8 text", hint="save them as UTF-8"
        ) from error
    found = parse_lyrics(text)
    if not found.text.strip():
        raise ProjectError(f"the lyrics '{path.name}' are empty", hint="take the key out, or write the words")
    return found


def parse_lyrics(text: str) -> Lyrics:
    """Read words from their text: LRC when a line begins with a time, else as they are.

    In LRC, a line without a time belongs to the one before it, or to the begin of the song; ``[offset:500]`` says that
    all is sung 500 ms earlier than the times tell.
    """
    rows = [row.rstrip() for row in text.splitlines()]
    if not any(_STAMP.match(row) for row in rows):
        return Lyrics("\n".join(rows).strip())
    timed: list[tuple[int, str]] = []
    stamps: list[int] = []
    offset_ms = 0
    for row in rows:
        if tag := _ID_TAG.match(row):
            if tag[1].lower() == "offset" and re.fullmatch(r"\s*[+-]?\d{1,7}\s*", tag[2]):
                offset_ms = int(tag[2])
            continue
        if row.strip() and not _STAMP.match(row):
            last = timed[len(timed) - len(stamps) :] or [(0, "")]
            timed[len(timed) - len(stamps) :] = [(at, f"{line} {row.strip()}".strip()) for at, line in last]
            stamps = stamps or [0]
            continue
        if not row.strip():
            continue
        stamps = []
        while match := _STAMP.match(row):
            seconds = float(match[2].replace(":", "."))
            stamps.append(round(1000 * (60 * int(match[1]) + seconds)))
            row = row[match.end() :]
        timed += [(stamp, row.strip()) for stamp in stamps]
    timed = sorted(((max(0, at - offset_ms), line) for at, line in timed), key=lambda one: one[0])
    return Lyrics("\n".join(line for _, line in timed).strip(), tuple(timed))
