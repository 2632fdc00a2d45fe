"""What an edit of a project must not write, as far as the document's own model does not know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from covermaker.effects.rack import parse_rack
from covermaker.render.checks import check

if TYPE_CHECKING:
    from covermaker.project.load import Project


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
    cover = project.cover
    for index, track in enumerate(cover.tracks):
        parse_rack(track.rack, where=f"tracks[{index}].rack")
    for index, bus in enumerate(cover.buses):
        parse_rack(bus.rack, where=f"buses[{index}].rack")
    parse_rack(cover.master.rack, where="master.rack")
    check(project)
