"""A new project with everything it starts from: the song's tags, a rack preset, a master preset, two buses."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from covermaker.audio.files import probe
from covermaker.effects.presets import load_preset
from covermaker.errors import AudioInputError, UsageError, nearest
from covermaker.project.create import NewProject, create, slug
from covermaker.stems import SEPARATORS
from covermaker.voices.library import find_voice, is_place

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.project.load import Project

# Every project has a reverb and a delay to send to, also where the preset brings only one of them.
_BUSES: dict[str, list[dict[str, str | float]]] = {
    "reverb": [{"effect": "reverb", "wet_db": 0.0, "dry_db": -100.0}],
    "delay": [{"effect": "delay", "wet_db": 0.0, "dry_db": -100.0}],
}


@dataclass(frozen=True)
class Wishes:
    """What a person may say of a new project; the defaults are those of the command line.

    Attributes
    ----------
    title : str or None
        None takes the song's tag, or the name of its file.
    reference : bool
        Leave the song where it is instead of copying it.
    """

    title: str | None = None
    artist: str = ""
    voice: str = "demo"
    preset: str = "natural"
    master: str = "streaming"
    separator: str = "spleeter"
    reference: bool = False


def begin(
    song: Path, root: Path, wishes: Wishes | None = None, *, folder: Path | None = None, numbered: bool = True
) -> Project:
    """Make a project of a song.

    Parameters
    ----------
    song : Path
        The song.
    root : Path
        Where the project's folder is made, named after the title.
    numbered : bool
        When that name is taken, add a number; otherwise it is refused.
    folder : Path, optional
        The project's folder itself; then it must not exist, or be empty.

    Raises
    ------
    AudioInputError
        When the song is no audio, or holds no samples.
    CovermakerError
        When something it starts from is not there, or the folder cannot be written.
    """
    from covermaker.features.pitch import METHODS

    wishes = wishes or Wishes()
    if not probe(song).frames:
        raise AudioInputError(f"'{song}' holds no samples")
    rack = load_preset("racks", wishes.preset)
    target = load_preset("masters", wishes.master)
    if wishes.separator not in SEPARATORS:
        hint = nearest(wishes.separator, SEPARATORS.names())
        raise UsageError(f"unknown separator '{wishes.separator}'", hint=hint)
    assert target.loudness_lufs is not None, "a master has a loudness"
    assert target.true_peak_dbtp is not None, "a master has a ceiling"
    tagged_title, tagged_artist = _tags(song)
    title = _writable(wishes.title or tagged_title or song.stem)
    start = NewProject(
        title=title,
        artist=_writable(wishes.artist),
        song_artist=_writable(tagged_artist),
        voice=_lasting(wishes.voice),
        rack=rack.rack,
        sends=rack.sends,
        buses={**_BUSES, **rack.buses},
        separator=wishes.separator,
        loudness_lufs=target.loudness_lufs,
        true_peak_dbtp=target.true_peak_dbtp,
        master_rack=target.rack,
        pitch_methods=METHODS.names(),
    )
    named = _free(root, slug(title)) if numbered else root / slug(title)
    return create(song, folder or named, start, copy_song=not wishes.reference)


def _free(root: Path, name: str) -> Path:
    """Return a folder of that name that is not there yet."""
    folder, number = root / name, 2
    while os.path.lexists(folder):
        folder, number = root / f"{name}-{number}", number + 1
    return folder


def _writable(text: str) -> str:
    """Put U+FFFD for what a file name held that was not UTF-8."""
    return "".join("\ufffd" if 0xD800 <= ord(char) <= 0xDFFF else char for char in text)


def _lasting(voice: str) -> str:
    """Return how the document calls the voice: a path is read from the project's folder there, so it is made whole."""
    found = find_voice(voice)
    return str(found.folder.absolute()) if is_place(voice) else voice


def _tags(song: Path) -> tuple[str, str]:
    """Return title and artist from the file's tags; empty where there are none."""
    import mutagen

    try:
        found = mutagen.File(song, easy=True)
    except mutagen.MutagenError:
        return "", ""
    tags = (found and found.tags) or {}
    title, artist = (str((tags.get(key) or [""])[0]) for key in ("title", "artist"))
    return title, artist
