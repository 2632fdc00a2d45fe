"""Beginning a batch from the studio: what is asked for is looked at first, then a process of its own begins."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from covermaker.batch import detached
from covermaker.batch.options import STANDARD, Options
from covermaker.batch.queue import LOCK_NAME
from covermaker.errors import CovermakerError, UsageError
from covermaker.locks import is_held

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class NewBatch:
    """What a batch is asked to do.

    Attributes
    ----------
    playlist : str
        As `covermaker.batch.playlist.read` takes it.
    voice, preset : str
        Who sings, and the rack.
    master : str
        The master preset.
    folder : str
        Where covers go; "" is beside the list.
    where : str
        Where songs are rendered: an engine's name, or the address of a cluster.
    """

    playlist: str
    voice: str = STANDARD["voice"]
    preset: str = STANDARD["preset"]
    master: str = STANDARD["master"]
    folder: str = ""
    where: str = Options.engine


class RefusedError(CovermakerError):
    """What is asked for is refused because of one field."""

    def __init__(self, field: str, why: CovermakerError) -> None:
        super().__init__(why.message, hint=why.hint)
        self.field = field


@dataclass(frozen=True, slots=True)
class Begun:
    """A batch whose process was started: where it is, how much of its list can be used, and what is odd about that."""

    folder: Path
    process: subprocess.Popen[bytes]
    songs: int
    problems: int
    remarks: tuple[str, ...] = ()


def beside(playlist: Path) -> Path:
    """Return where the covers of a list go unless said otherwise: a folder beside it that is called like it."""
    last = next((one for one in (playlist, *playlist.parents) if not set(one.name) & set("*?[")), playlist)
    name = last.stem if last.suffix and not last.is_dir() else last.name
    return last.parent / f"{name or 'batch'} covers"


def begin(new: NewBatch) -> Begun:
    """Look at what is asked for, and start the process.

    Raises
    ------
    RefusedError
        When a voice, a preset, an engine or the list is refused, or another process works in the folder.
    ResourceError
        When the system refuses.
    """
    from covermaker.batch.playlist import read
    from covermaker.batch.work import check

    place = os.path.abspath(os.path.expanduser(new.playlist))
    wishes = {"voice": new.voice, "preset": new.preset, "master": new.master}
    engine = _engine(new.where)
    for name, wish in wishes.items():
        with _about(name):
            check(Options(wishes={name: wish}))
    with _about("where"):
        check(Options(engine=engine["engine"]))
    with _about("playlist"):
        found = read(place)
    folder = Path(new.folder).expanduser().absolute() if new.folder else beside(Path(place))
    if is_held(folder / LOCK_NAME, unknown=False):
        raise RefusedError(
            "folder", UsageError(f"a batch runs in {folder} already", hint="name another folder")
        )
    process = detached.begin(place, folder, {**wishes, **engine})
    remarks = tuple(map(str, found.remarks))
    return Begun(folder, process, len(found.entries), len(found.problems), remarks)


def _engine(where: str) -> dict[str, str]:
    """Read a field that holds the name of an engine or, of Ray, an address."""
    is_address = ":" in where or where == "auto"
    return {"engine": "ray", "address": where} if is_address else {"engine": where}


@contextmanager
def _about(field: str) -> Iterator[None]:
    try:
        yield
    except CovermakerError as error:
        raise RefusedError(field, error) from error
