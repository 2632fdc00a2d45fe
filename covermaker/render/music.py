"""The step that finds out the music of a song, and what others ask of it: tempo, key, beats, parts.

What the document says wins, and then nothing is listened to: a step that needs the tempo of a song whose document
has one does not read this step.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from covermaker.convert.scales import MODES, scale_classes
from covermaker.documents.document import PlaceError, placed
from covermaker.errors import ProjectError
from covermaker.export.tempo_map import DEFAULT_BPM
from covermaker.features.song.music import VERSION, Music, read_music
from covermaker.graph.step import From
from covermaker.render.steps import make_step

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.graph.step import Report, Step, Work
    from covermaker.graph.store import Store
    from covermaker.project.document import Cover

FILE_NAME = "music.json"
_NOTES_OF_A_KEY = 7


def music_step(decode: Step, cover: Cover) -> Step:
    """Find out tempo, beats, bars, key and parts of the song."""
    tempo_bpm = cover.song.tempo_bpm
    return make_step(
        "music",
        "music",
        {"version": VERSION, "tempo_bpm": tempo_bpm},
        {"song": From(decode, "song.wav")},
        partial(music, tempo_bpm=tempo_bpm),
    )


def music(work: Work, *, tempo_bpm: float | None) -> Report:
    """song.wav -> music.json."""
    from covermaker.features.song.music import listen, write_music

    found = listen(work.inputs["song"], tempo_bpm=tempo_bpm, progress=work.progress)
    write_music(found, work.folder / FILE_NAME)
    report = found.as_dict()
    return {**report, "beats": len(found.beats)}


def known_music(step: Step, store: Store, cover: Cover) -> Music | None:
    """Return the music of a song with what its document says, if the step has been made; runs nothing."""
    entry = store.get(step.key)
    return None if entry is None else told(read_music(entry.folder / FILE_NAME), cover)


def told(found: Music, cover: Cover) -> Music:
    """Return what was found with what the document says: its tempo went into the step, here are key and parts."""
    sections = [(section.name, section.from_seconds) for section in cover.sections]
    return found.told(key=cover.song.key, sections=sections)


def tempo_source(cover: Cover, step: Step) -> float | From:
    """Return the tempo that the document says, or what finds it."""
    return cover.song.tempo_bpm or From(step, FILE_NAME)


def key_source(cover: Cover, step: Step) -> str | From:
    """Return the key that the document says, or what finds it."""
    return cover.song.key or From(step, FILE_NAME)


def tempo_of(file: Path, wants: str) -> float:
    """Return the tempo that was found.

    Parameters
    ----------
    file : Path
        What `music` wrote.
    wants : str
        Who needs it, for the message: ``"the delay of 'vocals'"``.

    Raises
    ------
    ProjectError
        When the song has no tempo that could be found.
    """
    tempo_bpm = read_music(file).tempo_bpm
    if tempo_bpm is None:
        raise ProjectError(
            f"{wants} follows the song's tempo, and none was found",
            hint="write tempo_bpm under [song], as in: covermaker set PROJECT song.tempo_bpm 120",
        )
    return tempo_bpm


def key_of(file: Path, wants: str) -> str:
    """Return the key that was found; see `tempo_of`.

    Raises
    ------
    ProjectError
        When the song is in no key that could be found.
    """
    key = read_music(file).key
    if key is None:
        raise ProjectError(
            f"{wants} follows the song's key, and none was found",
            hint="write key under [song], as in: covermaker set PROJECT song.key 'C major'",
        )
    return key


def check_key(key: str | None) -> None:
    """Refuse a song's key that is none.

    Raises
    ------
    PlaceError
        With the allowed modes.
    """
    if key is None:
        return
    modes = [mode for mode, steps in MODES.items() if len(steps) == _NOTES_OF_A_KEY]
    with placed("song.key"):
        classes = scale_classes(key)
    mode = " ".join(key.lower().split()[1:])
    if mode not in modes or len(classes) != _NOTES_OF_A_KEY:
        raise PlaceError("song.key", f"= '{key}' is no key", hint=f"a note and one of: {', '.join(modes)}")


def words(found: Music) -> list[tuple[str, str]]:
    """Return rows for people: what was found and how sure it is, or what a person said."""
    from covermaker.units import clock

    rows: list[tuple[str, str]] = []
    if found.tempo_bpm is None:
        rows.append(("tempo", f"none found: the grid is {DEFAULT_BPM:g} bpm"))
    else:
        is_told = found.tempo_confidence == 1.0
        sure = "" if is_told else f" (confidence {found.tempo_confidence:.2f})"
        rows.append(("tempo", f"{found.tempo_bpm:g} bpm{sure}"))
    if found.beats:
        bars: Any = f", {found.beats_per_bar} a bar" if found.beats_per_bar else ", bars unclear"
        rows.append(("beats", f"{len(found.beats)}{bars}, the first at {found.beats[0]:.2f} s"))
    rows.append(("key", found.key_words or "none found"))
    parts = [f"{part.name} {clock(part.from_seconds)}" for part in found.sections]
    rows.append(("sections", ", ".join(parts) or "none found"))
    return rows
