"""Why an action of the Library cannot be done now, in one line each; None when it can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from covermaker.tui.screens.library import LibraryScreen

_READING: Final = "the songs are being read"
NOTHING_STALE: Final = "nothing is stale"
BUSY: Final = "it is being rendered: {library.cancel} cancels that first"


def _no_song(screen: LibraryScreen) -> str:
    return "there is no song yet: {library.add} adds one" if screen.is_read else _READING


def _no_render(screen: LibraryScreen) -> str | None:
    chosen = screen.chosen()
    if not chosen:
        return _no_song(screen)
    if all(screen.is_busy(folder) for folder in chosen):
        return "it is being rendered: {library.cancel} cancels"
    problem = screen.shelf.songs[chosen[0]].problem
    return problem if problem and len(chosen) == 1 else None


def _no_stale(screen: LibraryScreen) -> str | None:
    return None if screen.stale else NOTHING_STALE


def _no_cancel(screen: LibraryScreen) -> str | None:
    busy = any(screen.is_busy(folder) for folder in screen.chosen())
    return None if busy else "no render of this song runs or waits"


def _no_remove(screen: LibraryScreen) -> str | None:
    chosen = screen.chosen()
    if not chosen:
        return "there is no song to remove" if screen.is_read else _READING
    if any(screen.is_busy(folder) for folder in chosen):
        return BUSY
    return "this folder is the project itself; open the folder above it" if screen.root in chosen else None


def _no_play(screen: LibraryScreen) -> str | None:
    if screen.app.is_web:
        return (
            "in a browser there is no sound: {library.open} opens the song, where its files can be downloaded"
        )
    if screen.selected is None:
        return _no_song(screen)
    if screen.selected not in screen.shelf.states:
        return "still looking at it"
    return None if screen.heard().first is not None else "neither its song nor a render of it is there"


def _no_switch(screen: LibraryScreen) -> str | None:
    heard = screen.sound.heard
    if heard is None:
        return "nothing plays: {library.play} plays the song"
    return None if heard.cover and heard.original else "there is nothing to compare it with"


def _no_position(screen: LibraryScreen) -> str | None:
    return "nothing plays: {library.play} plays the song" if screen.sound.heard is None else None


REFUSALS: Final[dict[str, Callable[[LibraryScreen], str | None]]] = {
    "library.render": _no_render,
    "library.render-stale": _no_stale,
    "library.cancel": _no_cancel,
    "library.remove": _no_remove,
    "library.play": _no_play,
    "library.switch": _no_switch,
    "library.rewind": _no_position,
    "library.forward": _no_position,
}
