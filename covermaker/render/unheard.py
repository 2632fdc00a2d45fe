"""Whether anything of what the voice sings is heard in a cover, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from covermaker.mix.strips import MUTE, Strip, groups_above, heard
from covermaker.project.document import CONVERTED, Group

if TYPE_CHECKING:
    from covermaker.project.document import Cover, Track

_SAYS = "the voice is not heard: "


def unheard(cover: Cover) -> str:
    """Return why no voice is heard in a cover; "" where one is.

    Tracks that play the song's own vocal are no voice; a fader at its lowest still lets it through, and so does a mute
    that moves and is off somewhere.
    """
    sung = [track for track in cover.tracks if track.source == CONVERTED or track.voice is not None]
    if not sung:
        return f"{_SAYS}no track plays what it sings"
    channels: list[Track | Group] = [*cover.tracks, *cover.groups]
    strips = [_strip(channel, cover) for channel in channels]
    is_heard = heard(strips)
    why = []
    for track in sung:
        strip = next(one for one in strips if one.node == ("track", track.name))
        if is_heard[strip.node]:
            continue
        muted = next((group for group in groups_above(strip, strips) if group.mute), None)
        if strip.mute:
            why.append(f"track '{track.name}' is muted")
        elif muted is not None:
            why.append(f"track '{track.name}' is silent because its group '{muted.name}' is muted")
        else:
            why.append(f"track '{track.name}' is silent because another track is soloed")
    return _SAYS + ", ".join(why) if len(why) == len(sung) else ""


def _strip(channel: Track | Group, cover: Cover) -> Strip:
    """Return as much of a strip as decides who is heard."""
    is_group = isinstance(channel, Group)
    place = f"{'groups' if is_group else 'tracks'}.{channel.name}.{MUTE}"
    course = next((lane.points for lane in cover.automation if lane.target == place), None)
    return Strip(
        name=channel.name,
        kind="group" if is_group else "track",
        mute=channel.mute if course is None else all(value for _, value in course),
        solo=channel.solo,
        group=channel.group if channel.group in {group.name for group in cover.groups} else "",
    )
