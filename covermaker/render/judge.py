"""What an edit of a project must not write, as far as the document's own model does not know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from covermaker.errors import CovermakerError
from covermaker.render.automation import read_lanes
from covermaker.render.checks import check, check_convert, find_guide, parse_racks
from covermaker.render.patching import check_patch
from covermaker.render.singers import Singer, check_singing

if TYPE_CHECKING:
    from covermaker.project.load import Project


def judge_desk(project: Project) -> None:
    """Raise what is wrong with racks, with who gets sound from whom, or with what moves; asks for no file but theirs.

    Raises
    ------
    PlaceError
        With the path inside the document.
    """
    racks = parse_racks(project)
    check_patch(project.cover, racks)
    read_lanes(project.cover.automation, project.document.values, racks, song_seconds=None)


def judge_singing(project: Project) -> None:
    """Raise what is wrong with `[convert]`; a voice that is not there, or cannot sing yet, is no reason.

    Raises
    ------
    PlaceError
        With the path inside the document.
    """
    from covermaker.voices.library import find_voice

    cover = project.cover
    check_convert(cover.convert)
    find_guide(project)
    if cover.voice.train is not None:
        return
    try:
        voice = find_voice(cover.voice.name, project.root)
    except CovermakerError:
        return
    card = voice.card
    check_singing(cover.convert, Singer(card.name, card.rights, card.content.encoder, voice=voice))


def judge(project: Project) -> None:
    """Raise the first thing that a render would refuse; `covermaker.project.edits.apply` asks for it before it saves.

    Racks come first: a voice that is not on this machine must not hide a parameter out of its range.

    Raises
    ------
    PlaceError
        With the path inside the document.
    ProjectError, WeightsError
        When something outside of the document is missing.
    """
    parse_racks(project)
    check(project)
