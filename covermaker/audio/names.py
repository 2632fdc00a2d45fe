"""Which files hold sound, by their names: a song to choose, recordings in a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SUFFIXES: Final = (
    ".wav .wave .w64 .rf64 .flac .aif .aiff .aifc .caf .au .ogg .oga .opus .mp3 .m4a .mp4 .aac .mov .webm .mka .mkv"
    " .wma .ac3 .amr .ape .wv .tta"
)
AUDIO_SUFFIXES: Final = frozenset(_SUFFIXES.split())


def is_audio(path: Path) -> bool:
    """Tell whether a file's name says that it holds sound."""
    return path.suffix.lower() in AUDIO_SUFFIXES


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
