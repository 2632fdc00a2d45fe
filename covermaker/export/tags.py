"""Title, artist and the rest, in the words of each container: ID3v2.4 for MP3 and WAV, Vorbis comments for FLAC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from covermaker.disk import encoder_error, write_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

# Our key: (ID3v2.4 frame, Vorbis field). A key that is not here becomes a TXXX frame or a field of its own name.
KEYS: dict[str, tuple[str, str]] = {
    "title": ("TIT2", "TITLE"),
    "artist": ("TPE1", "ARTIST"),
    "album": ("TALB", "ALBUM"),
    "albumartist": ("TPE2", "ALBUMARTIST"),
    "composer": ("TCOM", "COMPOSER"),
    "original_artist": ("TOPE", "ORIGINALARTIST"),
    "genre": ("TCON", "GENRE"),
    "date": ("TDRC", "DATE"),
    "track": ("TRCK", "TRACKNUMBER"),
    "copyright": ("TCOP", "COPYRIGHT"),
    "isrc": ("TSRC", "ISRC"),
    "bpm": ("TBPM", "BPM"),
    "key": ("TKEY", "INITIALKEY"),
    "comment": ("COMM", "COMMENT"),
    "lyrics": ("USLT", "LYRICS"),
}


def write_mp3_tags(path: Path, tags: Mapping[str, str]) -> None:
    """Write an ID3v2.4 header.

    Raises
    ------
    ResourceError
        When the disk refuses.
    """
    from mutagen.mp3 import MP3

    _save(path, MP3, lambda file: _fill_id3(file, tags))


def write_wav_tags(path: Path, tags: Mapping[str, str]) -> None:
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
    _save(path, WAVE, lambda file: _fill_id3(file, tags))


def write_flac_tags(path: Path, tags: Mapping[str, str]) -> None:
    """Write Vorbis comments.

    Raises
    ------
    ResourceError
        When the disk refuses.
    """
    from mutagen.flac import FLAC

    def fill(file: Any) -> None:
        for key, text in _clean(tags).items():
            file[KEYS[key][1] if key in KEYS else key.upper()] = text

    _save(path, FLAC, fill)


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


def _fill_id3(file: Any, tags: Mapping[str, str]) -> None:
    from mutagen import id3

    if file.tags is None:
        file.add_tags()
    for key, text in _clean(tags).items():
        name = KEYS[key][0] if key in KEYS else "TXXX"
        extra = {
            "TXXX": {"desc": key},
            "COMM": {"lang": "und", "desc": ""},
            "USLT": {"lang": "und", "desc": ""},
        }
        file.tags.add(getattr(id3, name)(encoding=id3.Encoding.UTF8, text=text, **extra.get(name, {})))


def _clean(tags: Mapping[str, str]) -> dict[str, str]:
    """Drop empty tags; take out what no container can hold: NUL and halves of surrogate pairs."""
    clean = {key: text.replace("\0", " ").encode("utf-8", "replace").decode() for key, text in tags.items()}
    return {key: text for key, text in clean.items() if text.strip()}
