"""Labels in the words of each container: ID3v2.4 for MP3 and WAV, Vorbis comments, the atoms of MP4."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from covermaker.disk import encoder_error, write_error
from covermaker.export.labels import R128_LUFS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from covermaker.export.labels import Labels, Picture

_FREE = "----:com.apple.iTunes:"  # what MP4 calls a tag that Apple has no atom for

# Our key: (ID3v2.4 frame, Vorbis field, MP4 atom). A key that is not here becomes a TXXX frame, a field or a free atom
# of its own name.
KEYS: dict[str, tuple[str, str, str]] = {
    "title": ("TIT2", "TITLE", "\xa9nam"),
    "artist": ("TPE1", "ARTIST", "\xa9ART"),
    "album": ("TALB", "ALBUM", "\xa9alb"),
    "albumartist": ("TPE2", "ALBUMARTIST", "aART"),
    "composer": ("TCOM", "COMPOSER", "\xa9wrt"),
    "original_artist": ("TOPE", "ORIGINALARTIST", f"{_FREE}ORIGINALARTIST"),
    "genre": ("TCON", "GENRE", "\xa9gen"),
    "date": ("TDRC", "DATE", "\xa9day"),
    "track": ("TRCK", "TRACKNUMBER", "trkn"),
    "copyright": ("TCOP", "COPYRIGHT", "cprt"),
    "isrc": ("TSRC", "ISRC", f"{_FREE}ISRC"),
    "bpm": ("TBPM", "BPM", "tmpo"),
    "key": ("TKEY", "INITIALKEY", f"{_FREE}initialkey"),
    "comment": ("COMM", "COMMENT", "\xa9cmt"),
    "lyrics": ("USLT", "LYRICS", "\xa9lyr"),
}

_FRAME_HEAD_BYTES = 10  # of ID3v2.4
_FRONT_COVER = 3  # of the picture types that ID3 and FLAC share


def write_mp3_tags(path: Path, labels: Labels) -> None:
    """Write an ID3v2.4 header.

    Raises
    ------
    ResourceError
        When the disk refuses.
    """
    from mutagen.mp3 import MP3

    _save(path, MP3, lambda file: _fill_id3(file, labels))


def write_wav_tags(path: Path, labels: Labels) -> None:
    """Append an ID3v2.4 chunk to a WAV; RF64 files (past 4 GB) stay without tags, no library writes them.

    Raises
    ------
    ResourceError
        When the disk refuses.
    """
    from mutagen.wave import WAVE

    with path.open("rb") as file:
        if file.read(4) != b"RIFF":
            return
    _save(path, WAVE, lambda file: _fill_id3(file, labels))


def write_flac_tags(path: Path, labels: Labels) -> None:
    """Write Vorbis comments and a picture block.

    Raises
    ------
    ResourceError
        When the disk refuses.
    """
    from mutagen.flac import FLAC

    def fill(file: Any) -> None:
        _fill_vorbis(file, labels, labels.replaygain())
        if labels.picture is not None:
            file.add_picture(_flac_picture(labels.picture))

    _save(path, FLAC, fill)


def write_vorbis_tags(path: Path, labels: Labels) -> None:
    """Write the comments of an Ogg Vorbis file, the picture among them.

    Raises
    ------
    ResourceError
        When the disk refuses.
    """
    from mutagen.oggvorbis import OggVorbis

    _save(path, OggVorbis, lambda file: _fill_ogg(file, labels, labels.replaygain()))


def write_opus_tags(path: Path, labels: Labels) -> None:
    """Write the comments of an Opus file; its gain is a number of its own kind there (RFC 7845, 5.2.1).

    Raises
    ------
    ResourceError
        When the disk refuses.
    """
    from mutagen.oggopus import OggOpus

    level, gain = labels.level, {}
    if level is not None and level.known:
        assert level.integrated_lufs is not None
        steps = round(256.0 * (R128_LUFS - level.integrated_lufs))
        gain = {"r128_track_gain": str(min(max(steps, -32768), 32767))}
    _save(path, OggOpus, lambda file: _fill_ogg(file, labels, gain))


def write_mp4_tags(path: Path, labels: Labels) -> None:
    """Write the atoms of an M4A file.

    Raises
    ------
    ResourceError
        When the disk refuses.
    """
    from mutagen.mp4 import MP4

    _save(path, MP4, lambda file: _fill_mp4(file, labels))


def read_back(path: Path) -> dict[str, str]:
    """Return what stands in a file's tags, by the container's own names, without a store of credentials among them."""
    import mutagen
    from mutagen import id3

    try:
        file = mutagen.File(str(path))
        # What signs an MP3 ends its timed lyrics in a zero byte too many, so they are read as they lie there.
        others = {name: frame for name, frame in id3.Frames.items() if name != "SYLT"}
        raw = id3.ID3(str(path), known_frames=others).unknown_frames if path.suffix == ".mp3" else []
    except mutagen.MutagenError as error:
        return {"unreadable": str(error)}
    found = {name: repr(value) for name, value in dict(getattr(file, "tags", None) or {}).items()}
    found |= {f"picture {n}": repr(one.data) for n, one in enumerate(getattr(file, "pictures", ()))}
    if path.suffix == ".mp3":
        found = {name: text for name, text in found.items() if not name.startswith("SYLT")}
        found |= {f"SYLT {n}": repr(one[_FRAME_HEAD_BYTES:].rstrip(b"\0")) for n, one in enumerate(raw)}
    return {name: text for name, text in found.items() if not name.startswith("GEOB:c2pa")}


def _save(path: Path, opener: Callable[[str], Any], fill: Callable[[Any], None]) -> None:
    import mutagen

    try:
        file = opener(str(path))
        fill(file)
        file.save()
    except mutagen.MutagenError as error:
        cause = error.__cause__ or error.__context__ or (error.args[0] if error.args else None)
        if isinstance(cause, OSError):
            raise write_error(cause, path) from error
        raise encoder_error(path, str(error)) from error


def _fill_id3(file: Any, labels: Labels) -> None:
    from mutagen import id3

    if file.tags is None:
        file.add_tags()
    utf8 = id3.Encoding.UTF8
    for key, text in {**labels.clean(), **labels.replaygain()}.items():
        name = KEYS[key][0] if key in KEYS else "TXXX"
        extra = {
            "TXXX": {"desc": key},
            "COMM": {"lang": "und", "desc": ""},
            "USLT": {"lang": "und", "desc": ""},
        }
        file.tags.add(getattr(id3, name)(encoding=utf8, text=text, **extra.get(name, {})))
    if labels.lyrics is not None and labels.lyrics.lines:
        file.tags.add(
            id3.SYLT(
                # Not UTF-8: what signs MP3 files cannot read that here, and drops every frame then.
                encoding=id3.Encoding.UTF16,
                lang="und",
                format=2,  # times in milliseconds
                type=1,  # lyrics
                desc="",
                text=[(line, ms) for ms, line in labels.lyrics.lines],
            )
        )
    picture = labels.picture
    if picture is not None:
        file.tags.add(
            id3.APIC(encoding=utf8, mime=picture.mime, type=_FRONT_COVER, desc="", data=picture.data)
        )


def _fill_ogg(file: Any, labels: Labels, gain: dict[str, str]) -> None:
    _fill_vorbis(file, labels, gain)
    if labels.picture is not None:
        block = base64.b64encode(_flac_picture(labels.picture).write()).decode()
        file["METADATA_BLOCK_PICTURE"] = [block]


def _fill_vorbis(file: Any, labels: Labels, gain: dict[str, str]) -> None:
    for key, text in {**labels.clean(), **gain}.items():
        file[KEYS[key][1] if key in KEYS else key.upper()] = text
    if labels.lyrics is not None and labels.lyrics.lines:
        file["SYNCEDLYRICS"] = labels.lyrics.lrc


def _fill_mp4(file: Any, labels: Labels) -> None:
    from mutagen.mp4 import MP4Cover

    if file.tags is None:
        file.add_tags()
    for key, text in {**labels.clean(), **labels.replaygain()}.items():
        atom = KEYS[key][2] if key in KEYS else f"{_FREE}{key}"
        if atom == "trkn":
            number, _, of = text.partition("/")
            file[atom] = [(int(number), int(of or 0))]
        elif atom == "tmpo":
            file[atom] = [round(float(text))]
        elif atom.startswith(_FREE):
            file[atom] = text.encode()
        else:
            file[atom] = text
    if labels.lyrics is not None and labels.lyrics.lines:
        file[f"{_FREE}SYNCEDLYRICS"] = labels.lyrics.lrc.encode()
    picture = labels.picture
    if picture is not None:
        form = MP4Cover.FORMAT_PNG if picture.mime == "image/png" else MP4Cover.FORMAT_JPEG
        file["covr"] = [MP4Cover(picture.data, imageformat=form)]


def _flac_picture(picture: Picture) -> Any:
    from mutagen.flac import Picture as Block

    block = Block()
    block.type, block.mime, block.desc = _FRONT_COVER, picture.mime, ""
    block.width, block.height, block.depth = picture.width, picture.height, 24
    block.data = picture.data
    return block
