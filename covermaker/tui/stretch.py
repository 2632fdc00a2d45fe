"""Which stretch of the open song is heard where a screen has no loop of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from covermaker.render.previewing import usual_stretch

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.tui.app import Studio
    from covermaker.tui.screens.base import StudioScreen

_UNKNOWN_SECONDS: Final = 8.0  # of a song whose length is not read yet


def open_stretch(app: Studio, by: StudioScreen, folder: Path | None) -> tuple[float, float]:
    """Return begin and end, in seconds: another screen's loop, or eight seconds from its playhead, or of the song."""
    open_ = (one for one in app.others(by) if getattr(one, "folder", None) == folder)
    sounds: list[Any] = [sound for one in open_ if (sound := getattr(one, "sound", None)) is not None]
    loop: tuple[float, float] | None = next((sound.loop for sound in sounds if sound.loop is not None), None)
    if loop is not None:
        return loop
    playhead = next((sound.seconds for sound in sounds if sound.seconds), 0.0)
    begin, length = usual_stretch(song_seconds(app, folder), playhead)
    return begin, begin + length


def song_seconds(app: Studio, folder: Path | None) -> float:
    """Return how long a song of the library is, as far as that is known."""
    library = app.library
    state = library.shelf.states.get(folder) if library is not None and folder else None
    return state.seconds if state is not None and state.seconds else _UNKNOWN_SECONDS
