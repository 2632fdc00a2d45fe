"""Whether anything of what the voice sings is heard in a cover, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from covermaker.project.document import CONVERTED

if TYPE_CHECKING:
    from covermaker.project.document import Cover

_SAYS = "the voice is not heard: "


def unheard(cover: Cover) -> str:
    """Return why no voice is heard in a cover; "" where one is.

    Tracks that play the song's own vocal are no voice; a fader at its lowest still lets it through.
    """
    sung = [track for track in cover.tracks if track.source == CONVERTED or track.voice is not None]
    if not sung:
        return f"{_SAYS}no track plays what it sings"
    soloed = any(track.solo for track in cover.tracks)
    why = []
    for track in sung:
        if track.mute:
            why.append(f"track '{track.name}' is muted")
        elif soloed and not track.solo:
            why.append(f"track '{track.name}' is silent because another track is soloed")
    return _SAYS + ", ".join(why) if len(why) == len(sung) else ""
