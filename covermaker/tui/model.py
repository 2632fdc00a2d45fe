"""What the studio asks of the rooms below about projects, in one place. Imports neither Textual nor a network.

What reads files is called on a thread of the app.
"""

from __future__ import annotations

import filecmp
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from covermaker.disk import disk_errors
from covermaker.errors import UsageError
from covermaker.project.library import scan
from covermaker.project.load import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable

    from covermaker.project.library import Row
    from covermaker.render.state import State

# When the document and the last render of a project were written; 0 for what is not there.
Times: TypeAlias = tuple[float, float]


def list_songs(root: Path) -> list[Row]:
    """List the projects of a folder; none where there is no such folder."""
    try:
        return scan(root)
    except UsageError:
        return []


def look(root: Path) -> dict[Path, Times]:
    """Return which projects there are and when they changed last; reads no file."""
    if (root / FILE_NAME).is_file():
        return {root: changed_at(root)}
    try:
        with os.scandir(root) as entries:
            folders = [Path(entry.path) for entry in entries if not entry.name.startswith(".")]
    except OSError:
        return {}
    return {folder: times for folder in folders if (times := changed_at(folder))[0]}


def changed_at(folder: Path) -> Times:
    """Return when document and last render of a project were written."""
    return _changed(folder / FILE_NAME), _changed(folder / "out" / "render.json")


def _changed(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def state_of(folder: Path) -> State:
    """Find out what is done in a project and what is not, and why; what is wrong with it is part of the answer."""
    # Imported on the thread that asks: this loads numpy and the rooms that know steps.
    from covermaker.graph.store import Store, default_root
    from covermaker.render.state import project_state

    return project_state(folder, Store(default_root()))


def add_song(file: Path, root: Path) -> Path:
    """Make a project of a song in the library and return its folder; the song is copied into it.

    Raises
    ------
    CovermakerError
        When the file is no audio, or the folder cannot be written.
    """
    from covermaker.render.begin import begin

    return begin(file, root).root


def same_song(file: Path, songs: Iterable[Row]) -> Row | None:
    """Return the project of a library whose song is this file, or a copy of it; None where there is none."""
    for song in songs:
        try:
            if song.song is not None and filecmp.cmp(file, song.song, shallow=False):
                return song
        except OSError:
            continue  # what cannot be read is no copy
    return None


def first_run(root: Path) -> bool:
    """Make the library when there is none yet, with the demo project in it; tells whether it did.

    Raises
    ------
    ResourceError
        When it cannot be written.
    """
    if root.exists():
        return False
    demo = demo_source()
    with disk_errors(root):
        root.mkdir(parents=True)
        if demo is not None:
            target = root / "demo"
            (target / "audio").mkdir(parents=True)
            for name in (FILE_NAME, "README.md", "audio/song.flac"):
                if (demo / name).is_file():
                    shutil.copyfile(demo / name, target / name)
    return True


def demo_source() -> Path | None:
    """Return the demo project that came with the package or lies in the source tree."""
    package = Path(__file__).resolve().parent.parent
    places = (package / "demo", package.parent / "projects" / "demo")
    return next((place for place in places if (place / FILE_NAME).is_file()), None)
