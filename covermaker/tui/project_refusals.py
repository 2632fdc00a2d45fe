"""Why an action of the Project screen cannot be done now, in one line each; None when it can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from covermaker.tui.project_wave import Wave

if TYPE_CHECKING:
    from collections.abc import Callable

    from covermaker.tui.screens.project import ProjectScreen


def _no_sound(screen: ProjectScreen) -> str | None:
    if screen.app.is_web:
        return "in a browser there is no sound: {project.export} downloads the last render"
    return screen.sound.no_play() if screen.sound is not None else "there is no sound"


def _no_wave(screen: ProjectScreen) -> str | None:
    return None if screen.query_one("#a", Wave).seconds else screen.nothing()


def _no_render(screen: ProjectScreen) -> str | None:
    if screen.is_rendering:
        return "it is being rendered: {project.cancel} cancels"
    return screen.problem or None


def _no_cancel(screen: ProjectScreen) -> str | None:
    return None if screen.is_rendering else "no render of this song runs or waits"


def _no_export(screen: ProjectScreen) -> str | None:
    there = screen.state is not None and screen.state.outputs
    return None if there else "no file yet: {project.render} makes it"


def _no_singing(screen: ProjectScreen) -> str | None:
    return screen.problem or ("it is being read" if screen.edits.project is None else None)


REFUSALS: Final[dict[str, Callable[[ProjectScreen], str | None]]] = {
    **dict.fromkeys(("project.play", "project.preview", "project.switch"), _no_sound),
    **dict.fromkeys(
        (
            "project.listen",
            "project.rewind",
            "project.forward",
            "project.loop-in",
            "project.loop-out",
            "project.loop",
        ),
        _no_wave,
    ),
    "project.render": _no_render,
    "project.singing": _no_singing,
    "project.cancel": _no_cancel,
    "project.export": _no_export,
}
