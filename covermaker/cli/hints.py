"""The next step of an error, where the command line knows a better one than who raised it."""

from __future__ import annotations

from contextlib import suppress
from difflib import get_close_matches
from typing import TYPE_CHECKING

from covermaker.errors import CovermakerError, ProjectError

if TYPE_CHECKING:
    from pathlib import Path


def hint_of(error: CovermakerError) -> str | None:
    """Return what to do next; for a project that is not here but in the library, where it is."""
    if not isinstance(error, ProjectError):
        return error.hint
    from covermaker.project.load import NoProjectError

    found = _meant(error.place) if isinstance(error, NoProjectError) else None
    return f"did you mean '{found}'?" if found is not None else error.hint


def _meant(place: Path) -> Path | None:
    """Return the project of the library with the name of a place; or the one that is called nearly so, here or there.

    None where there is none.
    """
    from covermaker.project.load import FILE_NAME, folder_of
    from covermaker.tui.settings import load_settings, projects_folder

    folder = folder_of(place)
    if not folder.name:
        return None
    roots = [folder.parent]
    with suppress(CovermakerError):
        library = projects_folder(load_settings())
        if (library / folder.name / FILE_NAME).is_file():
            return library / folder.name
        roots.append(library)
    for root in roots:
        names = [one.parent.name for one in root.glob(f"*/{FILE_NAME}")]
        if close := get_close_matches(folder.name, names, n=1):
            return root / close[0]
    return None
