"""The mixing desk on a stretch: as `covermaker.mix.mixer` mixes, all at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from covermaker.errors import UsageError
from covermaker.mix.desk import Desk
from covermaker.mix.strips import alone

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from covermaker.audio.buffer import Samples
    from covermaker.effects.rack import EffectSettings
    from covermaker.mix.desk import Sound
    from covermaker.mix.strips import Node, Strip
    from covermaker.project.document import Cover, Track
    from covermaker.render.automation import Lanes, Whose
    from covermaker.render.sounds import Sounds
    from covermaker.render.stretch import Stretch


@dataclass(frozen=True, slots=True)
class Desked:
    """A stretch on the desk, lead included, everything at its own place.

    Attributes
    ----------
    mix : float64 array (2, frames)
    placed : dict
        What each strip gives; silence where it is not heard.
    entering : dict
        What the rack of a group or a bus reads; only of those that anything goes to.
    heard : dict
        What side chains hear of tracks and groups, by name.
    """

    mix: Sound
    placed: dict[Node, Sound]
    entering: dict[Node, Samples]
    heard: dict[str, Samples]


@dataclass(frozen=True, slots=True)
class Patched:
    """A project's desk, read and checked.

    Attributes
    ----------
    racks : mapping
        By whose they are, their synced effects in the song's tempo.
    lanes : Lanes
        What moves.
    """

    cover: Cover
    sounds: Sounds
    racks: Mapping[Whose, tuple[EffectSettings, ...]]
    lanes: Lanes

    def track(self, name: str) -> Track:
        """Return a track by its name."""
        for track in self.cover.tracks:
            if track.name == name:
                return track
        raise UsageError(f"there is no track '{name}'")

    def source_of(self, name: str) -> Path:
        """Return the file that a track plays."""
        found = self.sounds.tracks.get(self.track(name).name)
        if found is None or found.source is None:
            raise UsageError(f"{name} has no sound yet", hint="render the song first")
        return found.source


def mix_stretch(
    strips: Sequence[Strip],
    sound_of: Callable[[str], Samples],
    stretch: Stretch,
    *,
    solo: Collection[str] = (),
    until: Node | None = None,
) -> Desked:
    """Mix a stretch.

    Parameters
    ----------
    strips : sequence of Strip
        The desk.
    sound_of : callable
        Gives a track's stretch, from behind its rack.
    solo : collection of str
        Tracks and groups that are soloed for listening.
    until : tuple, optional
        The group or bus whose rack's input is all that is wanted; what does not reach it is left out.
    """
    soloed = [replace(one, solo=one.solo or (one.kind != "bus" and one.name in solo)) for one in strips]
    desk = Desk(
        soloed if until is None else alone(soloed, until), sample_rate=stretch.rate, start=stretch.start
    )
    late = desk.latency_samples
    sources = {name: np.pad(sound_of(name), ((0, 0), (0, late))) for name in desk.needed}
    gathered = desk.gather(sources, stretch.frames + late)
    mixed = desk.mix(gathered)
    silence = np.zeros((2, stretch.frames))
    placed = {strip.node: silence for strip in strips}
    placed |= {node: sound[:, : stretch.frames] for node, sound in gathered.placed.items()}
    entering = {}
    for node, made in mixed.placed.items():
        read, left = desk.late(node)
        placed[node] = made[:, left : left + stretch.frames]
        entering[node] = mixed.entering[node][:, read : read + stretch.frames]
    heard = {name: key[:, : stretch.frames] for name, key in gathered.keys.items()}
    for node, sound in mixed.racked.items():
        if node[0] == "group":  # a bus may have the name of a track
            heard[node[1]] = sound[:, desk.late(node)[1] :][:, : stretch.frames]
    tracks = {strip.name for strip in strips if strip.kind == "track"}
    # The rack that is wanted was left out, and with it what it listens to.
    for name in (name for strip in strips if strip.node == until for name in strip.listens_to):
        if name not in heard:
            heard[name] = sound_of(name) if name in tracks else silence.astype(np.float32)
    return Desked(mixed.mix[:, late:], placed, entering, heard)
