"""Beginning a batch from the studio: what is asked for is looked at first, then a process of its own begins."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from covermaker.batch import detached
from covermaker.batch.options import STANDARD, Options
from covermaker.batch.queue import LOCK_NAME
from covermaker.errors import UsageError
from covermaker.locks import is_held

if TYPE_CHECKING:
    import subprocess


@dataclass(frozen=True, slots=True)
class NewBatch:
    """What a batch is asked to do.

    Attributes
    ----------
    playlist : str
        As `covermaker.batch.playlist.read` takes it.
    voice, preset : str
        Who sings, and the rack.
    folder : str
        Where covers go; "" is beside the list.
    """

    playlist: str
    voice: str = STANDARD["voice"]
    preset: str = STANDARD["preset"]
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Begun:
    """A batch whose process was started: where it is, and how many of its list's entries are songs or are not."""

    folder: Path
    process: subprocess.Popen[bytes]
    songs: int
    problems: int


def beside(playlist: Path) -> Path:
    """Return where the covers of a list go unless said otherwise: a folder beside it that is called like it."""
    last = next((one for one in (playlist, *playlist.parents) if not set(one.name) & set("*?[")), playlist)
    name = last.stem if last.suffix and not last.is_dir() else last.name
    return last.parent / f"{name or 'batch'} covers"


def begin(new: NewBatch) -> Begun:
    """Look at what is asked for, and start the process.

    Raises
    ------
    CovermakerError
        When voice, preset or list are refused, another process works in the folder, or the system refuses.
    """
    from covermaker.batch.playlist import read
    from covermaker.batch.work import check

    place = os.path.abspath(os.path.expanduser(new.playlist))
    wishes = {"voice": new.voice, "preset": new.preset}
    check(Options(playlist=place, wishes=dict(wishes)))
    found = read(place)
    folder = Path(new.folder).expanduser().absolute() if new.folder else beside(Path(place))
    if is_held(folder / LOCK_NAME, unknown=False):
        raise UsageError(f"a batch runs in {folder} already", hint="name another folder")
    return Begun(folder, detached.begin(place, folder, wishes), len(found.entries), len(found.problems))
