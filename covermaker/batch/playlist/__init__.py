"""A place on disk as a list of songs: a playlist, a folder, a pattern, one song, or a project that is there already.

``read("friday.m3u8")`` gives the entries in their order and what is wrong with the others. A file a format; each
yields what its list says (`rows`), and `gathering` looks where that lies. No song is opened, nothing is fetched.
"""

from __future__ import annotations

import os
from pathlib import Path
from stat import S_ISDIR

from covermaker.batch.entries import Playlist
from covermaker.errors import UsageError

_HINT = "name a playlist, a folder of songs, a pattern as in 'songs/*.flac', or a project"


def read(place: str | Path) -> Playlist:
    """Return the songs of a place, and what is wrong with the entries that cannot be used.

    Parameters
    ----------
    place : str or Path
        - A playlist: M3U, M3U8, PLS, XSPF, JSPF, CSV, TSV, TOML.
        - A folder: its audio files in natural order (2 before 10); where it has none, the projects in it; where it
          has none either, the songs and projects of the folders in it, to the ground.
        - A pattern (`glob`, ``**`` for folders at any depth): the audio files, projects and, where its last part ends
          like one, playlists that it matches. What lies inside a project below the pattern's root is no song.
        - A project's folder, or its ``cover.toml``.
        - An audio file.

    Raises
    ------
    UsageError
        When there is no such place, or no entry in it, not even a broken one.
    ProjectError
        When it is a list that cannot be read.
    """
    from covermaker.batch.playlist.gathering import Gathering
    from covermaker.batch.playlist.places import NotThereError, find
    from covermaker.batch.playlist.scanning import fixed_part, has_magic, next_step

    text = os.path.expanduser(os.fspath(place))
    here = os.getcwd()
    try:
        path, info = find(text, here)
    except NotThereError as error:
        if not has_magic(text):
            hint = Gathering(here).near(error.path) or _HINT
            raise UsageError(f"there is no {text}", hint=hint) from error
        pattern = os.path.join(here, text)
        root = fixed_part(pattern)
        found = Gathering(root)
        if not found.pattern(pattern):
            raise UsageError(f"no song matches {text}", hint=next_step(pattern)) from error
        title = os.path.basename(root)
    else:
        whole = Path(path)
        found = Gathering(str(whole.parent))
        title = found.place(whole, info) or (whole.name if S_ISDIR(info.st_mode) else whole.stem)
    return Playlist(title, tuple(found.entries), tuple(found.problems), tuple(found.remarks))
