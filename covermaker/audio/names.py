"""Which files hold sound, by their names: a song to choose, recordings in a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from covermaker.errors import AudioInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_SUFFIXES: Final = (
    ".wav .wave .w64 .rf64 .flac .aif .aiff .aifc .caf .au .ogg .oga .opus .mp3 .m4a .mp4 .aac .mov .webm .mka .mkv"
    " .wma .ac3 .amr .ape .wv .tta"
)
AUDIO_SUFFIXES: Final = frozenset(_SUFFIXES.split())


def is_audio(path: Path) -> bool:
    """Tell whether a file's name says that it holds sound."""
    return path.suffix.lower() in AUDIO_SUFFIXES


def songs_in(folder: Path) -> list[Path]:
    """List the audio files of a folder by name, without those of folders in it; what is hidden is left out.

    Raises
    ------
    AudioInputError
        When nobody may look into it.
    """
    try:
        files = [file for file in folder.iterdir() if is_audio(file) and file.is_file()]
    except OSError as error:
        raise AudioInputError(f"cannot look into '{folder}': {error.strerror}") from error
    shown = [file for file in files if not file.name.startswith(".")]
    return sorted(shown, key=lambda file: (file.name.casefold(), file.name))


def each_song(places: Iterable[Path]) -> list[Path]:
    """Return files as they are named, and of a folder the audio files in it; each once.

    Raises
    ------
    AudioInputError
        When a folder holds none.
    """
    found: dict[Path, None] = {}
    for place in places:
        # Not Path.is_dir: that raises for a name longer than any file's, and in a folder that is closed.
        songs = songs_in(place) if os.path.isdir(place) else [place]
        if not songs:
            hint = "name a folder with songs in it, or the files themselves"
            raise AudioInputError(f"there is no audio file in '{place}'", hint=hint)
        found |= dict.fromkeys(songs)
    return list(found)


def audio_in(folder: Path, *, is_enough: Callable[[], bool] = lambda: False) -> Iterator[Path]:
    """Yield the audio files of a folder and of those in it, in no order; what is hidden or closed is left out.

    `is_enough` is asked in every folder and ends the walk.
    """
    for place, folders, names in os.walk(folder):
        if is_enough():
            return
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            file = Path(place, name)
            if not name.startswith(".") and is_audio(file) and file.is_file():
                yield file
