"""What the channels of a mixer have and have not: why an action is refused, the scale of a fader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from covermaker.tui.widgets.scales import NO_SEND_DB, DbScale, NumberScale, SendScale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.tui.project_channels import Channel
    from covermaker.tui.widgets.scales import Scale

# What the faders show, where it is not the sends to a bus.
GAIN: Final = "gain"

_MIXED, _PLACED = ("track", "group", "bus"), ("track", "group")
# Which kinds of channels have what is done.
HAVE: Final = {
    **dict.fromkeys(("project.mute", "project.pan-left", "project.pan-right"), _MIXED),
    **dict.fromkeys(("project.point", "project.moves", "project.remove"), _MIXED),
    **dict.fromkeys(("project.solo", "project.group", "project.pre"), _PLACED),
}
_NONE: Final = {
    _MIXED: "has none of it: tracks, groups and buses do",
    _PLACED: "has none of it: tracks and groups do",
}


def refused(action_id: str, row: Channel, shows: str, buses: Sequence[str]) -> str | None:
    """Say why something cannot be done with a channel while the faders show this; None when it can."""
    kinds = HAVE.get(action_id, ())
    if kinds and row.kind not in kinds:
        return f"{row.name} {_NONE[kinds]}"
    if action_id == "project.pre" and shows == GAIN:
        return "the faders show the gains: {project.sends} turns them to the sends"
    is_off = shows != GAIN and shows not in (row.sends or {})
    if action_id in ("project.pre", "project.point") and is_off:
        return f"{row.name} is not sent to {shows}: push its fader up first"
    if action_id == "project.sends" and not buses:
        return "the project has no bus to send to: {project.add} adds one"
    if action_id == "project.bypass" and row.kind == "master":
        return "a preview is the mix before the master: there is nothing to bypass"
    if action_id == "project.bypass" and not row.effects:
        return f"{row.name} has no rack"
    return None


def key_of(row: Channel, shows: str) -> str:
    """Return what the document calls the value of a channel's fader."""
    if shows != GAIN:
        return f"sends.{shows}"
    return "loudness_lufs" if row.kind == "master" else "gain_db"


def shown_of(row: Channel, shows: str) -> float | None:
    """Return what a channel's fader shows; None where there is nothing to show."""
    if shows == GAIN:
        return row.value
    if row.kind == "master" or (row.kind, row.name) == ("bus", shows):
        return None
    return (row.sends or {}).get(shows, NO_SEND_DB)


def nothing_of(row: Channel, shows: str) -> str:
    """Say what stands in place of a value where a channel's fader has none: how loud a master is to be, no send."""
    return row.loudness if shows == GAIN else "no send"


def scale_of(row: Channel, shows: str) -> Scale:
    """Return the scale of a channel's fader."""
    if shows == GAIN and row.kind == "master":
        return NumberScale("LUFS", -40.0, -5.0, default=-14.0)
    return DbScale() if shows == GAIN else SendScale()
