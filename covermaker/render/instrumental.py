"""The mastered cover without those who sing in it: to sing to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from covermaker.errors import UsageError
from covermaker.export.files import export_file
from covermaker.export.names import safe_name
from covermaker.mix.strips import heard
from covermaker.project.document import CONVERTED
from covermaker.render.finishing import master_step, part_tags
from covermaker.render.mixing import mix_step

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from covermaker.graph.step import Step
    from covermaker.graph.store import Entry
    from covermaker.project.document import Track
    from covermaker.render.pipeline import River

_WORD = "instrumental"
_MIX = f"mix ({_WORD})"


def instrumental_step(river: River) -> Step:
    """Master the mix in which tracks that are sung, by a trained voice or as in the song, are muted.

    Raises
    ------
    UsageError
        When nothing else is heard, or nobody sings.
    """
    patch = river.patch
    numbered = [strip for strip in patch.setting.strips if strip.kind == "track"]
    sung = _sung(river)
    strips = [
        replace(strip, mute=True) if strip.kind == "track" and strip.name in sung else strip
        for strip in patch.setting.strips
    ]
    before, after = heard(patch.setting.strips), heard(strips)
    audible = [strip.node for strip in numbered if before[strip.node]]
    if not any(name in sung for _, name in audible):
        raise UsageError("nobody is heard singing: the cover itself is its instrumental")
    if not any(after[node] for node in audible):
        raise UsageError("nothing but singing is heard, so there is no instrumental", hint="look for a solo")
    params = {**patch.params, "strips": [strip.params() for strip in strips]}
    mix = mix_step(replace(patch, params=params, setting=replace(patch.setting, strips=strips)))
    master = master_step(river.checked, replace(mix, name=_MIX), river.music, None)
    return replace(master, name=f"master ({_WORD})")


def without_own_mutes(river: River, reports: Mapping[str, Any]) -> dict[str, Any]:
    """Return steps' reports by name, without notes that the singing is muted: that is what an instrumental is."""
    own = {f"{name} is muted" for name in _sung(river)}
    found = dict(reports)
    if _MIX in found:
        notes = [text for text in found[_MIX].get("notes") or [] if text not in own]
        found[_MIX] = {**found[_MIX], "notes": notes}
    return found


def write_instrumental(river: River, entry: Entry, out: Path) -> list[Path]:
    """Write it as a 24-bit file."""
    title = f"{river.checked.project.cover.title} ({_WORD})"
    # No trained voice is in it.
    cover_tags = part_tags(river.export.params["tags"])
    tags = {name: text for name, text in cover_tags.items() if name != "comment"}
    file = out / f"{safe_name(title)}.wav"
    export_file(entry.folder / "master.wav", file, format="wav24", tags={**tags, "title": title}, seed=0)
    return [file]


def _sung(river: River) -> set[str]:
    """Return the tracks that are sung, as the desk calls them."""
    strips = [strip for strip in river.patch.setting.strips if strip.kind == "track"]
    tracks = river.checked.project.cover.tracks
    return {strip.name for strip, track in zip(strips, tracks, strict=True) if _is_sung(track)}


def _is_sung(track: Track) -> bool:
    return track.source in (CONVERTED, "vocals") or track.voice is not None
