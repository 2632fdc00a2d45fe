"""A song's sections: which comes next, and the list with one more or one less."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.features.song.music import Music
    from covermaker.project.document import Cover

# Where a section begins, in seconds, and its name.
Section: TypeAlias = tuple[float, str]

HERE_SECONDS: Final = 0.05
_AGAIN_SECONDS: Final = 1.5  # so far into a section, going back goes to its beginning


def sections(cover: Cover, music: Music | None = None) -> list[Section]:
    """Return the sections of a project, in the order of the song; without any, those that were heard in it."""
    if not cover.sections and music is not None:
        return sorted((round(section.from_seconds, 2), section.name) for section in music.sections)
    return sorted((section.from_seconds, section.name) for section in cover.sections)


def after(found: Sequence[Section], seconds: float) -> Section | None:
    """Return the section that begins next."""
    return next((one for one in found if one[0] > seconds + HERE_SECONDS), None)


def before(found: Sequence[Section], seconds: float) -> Section | None:
    """Return the section to go back to: the one at hand, or, near its beginning, the one before."""
    return next(
        (one for one in reversed(found) if one[0] < seconds - _AGAIN_SECONDS), found[0] if found else None
    )


def at(found: Sequence[Section], seconds: float) -> Section | None:
    """Return the section at hand."""
    return next((one for one in reversed(found) if one[0] <= seconds + HERE_SECONDS), None)


def put(found: Sequence[Section], seconds: float, name: str) -> list[dict[str, Any]]:
    """Return the document's list with a section that begins here; one that did gets the name."""
    begin = round(seconds, 2)
    kept = [one for one in found if abs(one[0] - begin) > HERE_SECONDS]
    return _rows(sorted([*kept, (begin, name)]))


def without(found: Sequence[Section], gone: Section) -> list[dict[str, Any]] | None:
    """Return the document's list without a section; None for an empty one, whose key can go."""
    return _rows([one for one in found if one != gone]) or None


def _rows(found: Sequence[Section]) -> list[dict[str, Any]]:
    return [{"name": name, "from_seconds": seconds} for seconds, name in found]
