"""What was dropped on the Voices screen, by the names of files: recordings, or a voice of another program."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from covermaker.audio.names import is_audio

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LOOK_SECONDS: Final = 1.0
# What a file is, its content decides; these hold models.
_MODELS: Final = (".pth", ".pt", ".zip")
_INDEX: Final = ".index"


@dataclass(frozen=True)
class Dropped:
    """What files and folders hold.

    Attributes
    ----------
    has_sound : bool
        There is a recording among them, or a folder is too large to be looked through.
    models : tuple of Path
        Which of the dropped files and folders may be a voice of another program.
    index : Path or None
        An index that was dropped beside a model.
    """

    has_sound: bool = False
    models: tuple[Path, ...] = ()
    index: Path | None = None


def is_model(path: Path) -> bool:
    """Tell whether a file's name says that it may hold a model."""
    return path.suffix.lower() in _MODELS


def is_of_voice(path: Path) -> bool:
    """Tell whether a name can be of nothing but a voice: a file of one, or a folder with a model and no recording."""
    if path.suffix.lower() in (*_MODELS[:2], _INDEX):
        return True
    return is_model_folder(path) and not any(is_audio(file) for file in path.iterdir())


def is_model_folder(path: Path) -> bool:
    """Tell whether a model lies in a folder itself."""
    try:
        return path.is_dir() and any(is_model(file) for file in path.iterdir())
    except OSError:
        return False


def look_into(paths: Sequence[Path]) -> Dropped:
    """Look at the names of what was dropped; of folders, at what is in them, for a second."""
    until = time.monotonic() + _LOOK_SECONDS
    has_sound, models, indexes = False, [], []
    for path in paths:
        files = [path] if path.is_file() else list(_files_of(path, until))
        has_sound = has_sound or any(map(is_audio, files)) or time.monotonic() > until
        if any(map(is_model, files)):
            models.append(path)
        elif path.suffix.lower() == _INDEX:
            indexes.append(path)
    # Of so-vits-svc: the centres go with the model beside them, and what judges it in training is no voice.
    helpers = [one for one in models if one.is_file() and one.name.lower().startswith(("kmeans", "d_"))]
    voices = [one for one in models if one not in helpers] or models
    return Dropped(has_sound, tuple(voices), indexes[0] if len(indexes) == 1 else None)


def why_nothing(paths: Sequence[Path]) -> str:
    """Say why there is nothing to take in of what holds neither a recording nor a model."""
    if any(path.suffix.lower() == _INDEX for path in paths):
        return "an index alone is no voice: drop its .pth file, or the folder with both"
    return "there is neither a recording nor a voice's model (.pth, .zip) in it"


def _files_of(folder: Path, until: float) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        if time.monotonic() > until:
            return
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(place, name) for name in names if not name.startswith("."))
