"""The next step of an error, where the command line knows a better one than who raised it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from covermaker.errors import CovermakerError, ProjectError

if TYPE_CHECKING:
    from pathlib import Path


def hint_of(error: CovermakerError) -> str | None:
    """Return what to do next; for a project that is not here but in the library, where it is."""
    if not isinstance(error, ProjectError):
        return error.hint
    from covermaker.project.load import NoProjectError

    found = _in_library(error.place) if isinstance(error, NoProjectError) else None
    return f"did you mean '{found}'?" if found is not None else error.hint


def _in_library(place: Path) -> Path | None:
    """Return the project of the library that is called as the last part of a place; None where there is none."""
    from covermaker.project.load import FILE_NAME
    from covermaker.tui.settings import load_settings, projects_folder

    try:
        library = projects_folder(load_settings())
    except CovermakerError:
        return None
    name = place.parent.name if place.name == FILE_NAME else place.name
    found = library / name
    return found if name and (found / FILE_NAME).is_file() else None
