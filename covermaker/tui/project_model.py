"""What the Project screen asks of the rooms below. Called on threads; neither Textual nor a network is imported."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from covermaker.disk import disk_errors
from covermaker.project.load import hidden_folder, load

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from covermaker.features.song.music import Music
    from covermaker.project.load import Project
    from covermaker.render.sounds import Sounds
    from covermaker.tui.widgets.pyramid import Pyramid

_BUCKETS_PER_SECOND: Final = 50
_MOST_BUCKETS: Final = 60_000
_PITCH_PER_SECOND: Final = 100


@dataclass(frozen=True)
class Pictures:
    """What can be drawn of a project; None where its sound is not made yet.

    Attributes
    ----------
    sounds : Sounds
        The files.
    converted, vocal, master, song : Pyramid or None
        Their peaks.
    tracks : dict of str to Pyramid
        Peaks of the tracks behind their racks, as rendered.
    pitch : (times, hz) or None
        The melody of `vocal`.
    music : Music or None
        Beats, bars and parts of the song, where somebody has listened for them.
    """

    sounds: Sounds
    converted: Pyramid | None = None
    vocal: Pyramid | None = None
    master: Pyramid | None = None
    song: Pyramid | None = None
    tracks: dict[str, Pyramid] = field(default_factory=dict)
    pitch: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    music: Music | None = None


def open_project(folder: Path) -> Project:
    """Read a project; raises `ProjectError` when it cannot be read."""
    return load(folder)


def marks(folder: Path) -> tuple[int, ...]:
    """Return what becomes another when a render of a project ends, whoever began it; costs two looks at the disk."""
    from covermaker.render import ending, record

    found = []
    for file in (folder / "out" / record.FILE_NAME, hidden_folder(folder) / ending.FILE_NAME):
        try:
            found.append(file.stat().st_mtime_ns)
        except OSError:
            found.append(0)
    return tuple(found)


def pictures(project: Project) -> Pictures:
    """Find a project's sounds and draw their peaks.

    Raises
    ------
    CovermakerError
        When the project cannot be rendered as it is, or a file of the store cannot be read.
    """
    from covermaker.graph.store import Store, default_root
    from covermaker.render.music import known_music
    from covermaker.render.sounds import find_sounds

    store = Store(default_root())
    sounds = find_sounds(project, store)
    if sounds.master is None:  # a changed mix has no master yet: the last render is what there is
        sounds = replace(sounds, master=_last_render(project))
    return Pictures(
        sounds,
        _peaks(sounds.converted),
        _peaks(sounds.vocal),
        _peaks(sounds.master),
        _peaks(sounds.song),
        {name: peaks for name, track in sounds.tracks.items() if (peaks := _peaks(track.racked)) is not None},
        _pitch(sounds.pitch),
        known_music(sounds.music, store, project.cover) if sounds.music is not None else None,
    )


def _last_render(project: Project) -> Path | None:
    from covermaker.render.record import last_files

    files = (project.out / name for name in last_files(project.out))
    return next(
        (file for file in sorted(files, key=lambda file: file.suffix != ".wav") if file.is_file()), None
    )


def matching(a: Path, b: Path) -> tuple[float, float]:
    """Return the gains in dB that make two files equally loud."""
    return _matching(a, b, (_written(a), _written(b)))


@lru_cache(maxsize=16)
def _matching(a: Path, b: Path, written: tuple[int, int]) -> tuple[float, float]:
    from covermaker.play.match import matching_gains

    return matching_gains(a, b)


def _peaks(file: Path | None) -> Pyramid | None:
    return peaks_of(file) if file is not None else None


def peaks_of(file: Path) -> Pyramid:
    """Return the peaks of an audio file, remembered while it stays as it is.

    Raises
    ------
    CovermakerError
        When it cannot be read.
    """
    return _outline(file, _written(file))


def _written(file: Path) -> int:
    """Return when a file was written: those of the store never change, a render's output does."""
    with disk_errors(file):
        return file.stat().st_mtime_ns


@lru_cache(maxsize=32)
def _outline(file: Path, written: int) -> Pyramid:
    from covermaker.audio.files import probe
    from covermaker.audio.peaks import outline
    from covermaker.tui.widgets.pyramid import Pyramid

    buckets = min(_MOST_BUCKETS, max(1000, round(probe(file).seconds * _BUCKETS_PER_SECOND)))
    return Pyramid.of(outline(file, buckets=buckets))


def _pitch(file: Path | None) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    return _melody(file, _written(file)) if file is not None else None


@lru_cache(maxsize=8)
def _melody(file: Path, written: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    import numpy as np

    hz = np.asarray(np.load(file, allow_pickle=False), np.float64)
    return np.arange(len(hz)) / _PITCH_PER_SECOND, hz
