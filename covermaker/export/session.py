"""A cover as a session of another program: its channels, what they play, what moves, the song's beats and parts.

Effects of ours run nowhere else, so what a channel plays comes from behind its rack. Of a group or a bus with a rack a
recording is played, and what goes into it is silent: the tracks' clips, the sends. Without a rack they are mixed there
as here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias
from uuid import NAMESPACE_URL, uuid5

import numpy as np

from covermaker.effects.automation import Curve
from covermaker.units import db_to_gain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from covermaker.effects.automation import Automation
    from covermaker.effects.rack import EffectSettings
    from covermaker.export.tempo_map import TempoMap

Kind: TypeAlias = Literal["track", "group", "bus"]

# A line in dB is a curve in gain: pieces of so many dB are within 0.02 dB of it.
_PIECE_DB = 1.0
_SMOOTH_PIECES = 32


@dataclass(frozen=True, slots=True)
class Clip:
    """A file from the song's beginning on.

    Attributes
    ----------
    source : Path
        Where it lies.
    file : str
        What it is called in the session.
    sounds : bool
        False for one that is in a group's recording already.
    fade_seconds : float
        At its end, or where the song ends.
    """

    source: Path
    file: str
    sample_rate: int
    channels: int
    seconds: float
    sounds: bool = True
    fade_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Send:
    """What a channel sends to a bus; one that is off is in the bus's recording already."""

    bus: str
    gain_db: float
    pre_fader: bool = False
    on: bool = True
    course: Automation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A track, group or bus.

    Attributes
    ----------
    moves : mapping of str to Automation
        Of ``gain_db``, ``pan`` and ``mute``.
    rack : sequence of EffectSettings
        What the recording of it went through.
    """

    name: str
    kind: Kind = "track"
    gain_db: float = 0.0
    pan: float = 0.0
    mute: bool = False
    solo: bool = False
    group: str = ""
    sends: Sequence[Send] = ()
    moves: Mapping[str, Automation] = field(default_factory=dict)
    rack: Sequence[EffectSettings] = ()
    clip: Clip | None = None

    @property
    def gain(self) -> float:
        """The fader as a factor."""
        return db_to_gain(self.gain_db)

    def effects(self) -> str:
        """Return its rack in words."""
        return ", ".join(map(_words, self.rack))


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """All of it.

    Attributes
    ----------
    seconds : float
        Length of the mix.
    sections : sequence of (float, float, str)
        Begin, end and name of the song's parts.
    tags : mapping of str to str
        As for the finished cover; see `tags.KEYS`.
    notes : sequence of str
        For the person who opens it.
    """

    title: str
    sample_rate: int
    seconds: float
    channels: Sequence[Channel]
    tempo: TempoMap
    sections: Sequence[tuple[float, float, str]] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def inside(self, group: str) -> list[Channel]:
        """List what stands in a group; with an empty name, what stands in none: buses come last."""
        tracks = [one for one in self.channels if one.kind != "bus" and one.group == group]
        return tracks if group else [*tracks, *(one for one in self.channels if one.kind == "bus")]

    def in_order(self) -> list[Channel]:
        """List the channels, each group before what stands in it."""
        return list(self._in_order(""))

    def _in_order(self, group: str) -> Iterator[Channel]:
        for channel in self.inside(group):
            yield channel
            if channel.kind == "group":
                yield from self._in_order(channel.name)

    def id_of(self, *names: str) -> str:
        """Return an identifier of something in the session; the same names give the same one."""
        return str(uuid5(NAMESPACE_URL, "/".join(["covermaker:session", self.title, *names]))).upper()


def gains(course: Automation) -> list[tuple[float, float]]:
    """Return a course of dB as (seconds, factor), to be joined by lines, or held where it holds."""
    return [(seconds, db_to_gain(value)) for seconds, value in _pieces(course, piece=_PIECE_DB)]


def values(course: Automation) -> list[tuple[float, float]]:
    """Return a course as (seconds, value), to be joined by lines, or held where it holds."""
    return _pieces(course, piece=float("inf"))


def _pieces(course: Automation, *, piece: float) -> list[tuple[float, float]]:
    if course.shape == "hold":
        return list(course.points)
    curve = Curve(course, 1)
    found = [course.points[0]]
    for (begin, before), (end, after) in zip(course.points, course.points[1:], strict=False):
        count = int(np.ceil(abs(after - before) / piece)) if np.isfinite(piece) else 1
        if course.shape == "smooth" and after != before:
            count = max(2 * count, _SMOOTH_PIECES)
        times = np.linspace(begin, end, max(count, 1) + 1)[1:-1]
        found += list(zip(times.tolist(), curve.at(times).tolist(), strict=True))
        found.append((end, after))
    return found


def _words(row: EffectSettings) -> str:
    told = []
    for spec in row.specs():
        value = row.value_of(spec)
        if value != spec.default:
            text = f"{value:g}" if isinstance(value, float) else str(value)
            told.append(f"{spec.name} {text}")
    off = ["off"] if row.bypass else []
    listens = [f"listens to {row.sidechain}"] if row.sidechain else []
    inside = ", ".join([*off, *told, *listens])
    return f"{row.title} ({inside})" if inside else row.title
