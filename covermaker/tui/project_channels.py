"""The channels of a project's mixer as the desk shows them: values, and all about one in words. Draws nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from covermaker.tui.words import level, one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from covermaker.project.document import Cover


@dataclass(frozen=True)
class Channel:
    """A channel of the mixer.

    Attributes
    ----------
    kind : str
        ``"track"``, ``"bus"`` or ``"master"``.
    value : float or None
        The fader's; None for a master without a loudness to reach.
    solo, bypass : bool
        For listening only: heard alone; heard without its rack.
    sends : mapping of str to float
        Level in dB by bus, of a track.
    source, rack : str
        In words.
    effects : int
        How many its rack has.
    """

    kind: str
    name: str
    value: float | None
    pan: float = 0.0
    mute: bool = False
    solo: bool = False
    bypass: bool = False
    sends: Mapping[str, float] | None = None
    source: str = ""
    rack: str = ""
    effects: int = 0

    @property
    def place(self) -> str:
        """Where the document keeps it."""
        return "master" if self.kind == "master" else f"{self.kind}{'e' * (self.kind == 'bus')}s.{self.name}"

    @property
    def owner(self) -> str:
        """What its rack goes by: the name of a track or bus, or ``master``."""
        return "master" if self.kind == "master" else self.name

    def about(self, buses: Sequence[str]) -> str:
        """Return all about it in words; `buses` are those that it could be sent to."""
        parts = [self.source, *(["muted"] if self.mute else []), *(["solo"] if self.solo else [])]
        if self.kind == "track" and self.pan:
            parts.append(f"pan {pan_words(self.pan)}")
        if self.kind == "track" and buses:
            sends = self.sends or {}
            levels = [f"{name} {level(sends[name]) if name in sends else 'off'}" for name in buses]
            parts.append("sends " + ", ".join(levels))
        parts.append(f"{self.rack}, bypassed for listening" if self.bypass else self.rack)
        return "; ".join(part for part in parts if part)


def channels(cover: Cover, solo: Iterable[str] = (), bypassed: Collection[str] = ()) -> list[Channel]:
    """Return a project's channels.

    Parameters
    ----------
    cover : Cover
        The document.
    solo : iterable of str
        Tracks that are soloed for the preview.
    bypassed : collection of str
        Places of channels whose racks the preview leaves out.
    """
    soloed = set(solo)
    found = [
        Channel(
            "track", track.name, track.gain_db, track.pan, track.mute, track.solo or track.name in soloed,
            f"tracks.{track.name}" in bypassed, track.sends,
            track.source if track.voice is None else f"{track.source} sung by {one_line(track.voice)}",
            _rack(track.rack), len(track.rack),
        )
        for track in cover.tracks
    ]  # fmt: skip
    found += [
        Channel(
            "bus", bus.name, bus.gain_db, bypass=f"buses.{bus.name}" in bypassed, source="bus",
            rack=_rack(bus.rack), effects=len(bus.rack),
        )
        for bus in cover.buses
    ]  # fmt: skip
    master = cover.master
    wanted = None if isinstance(master.loudness_lufs, str) else master.loudness_lufs
    source = f"ceiling {master.true_peak_dbtp:.1f} dBTP"
    return [*found, Channel("master", "MASTER", wanted, source=source, rack=_rack(master.rack))]


def pan_words(pan: float) -> str:
    """Write a pan: ``C``, ``L20``, ``R100``."""
    share = round(100 * abs(pan))
    return "C" if not share else f"{'L' if pan < 0 else 'R'}{share}"


def _rack(rack: Sequence[Mapping[str, Any]]) -> str:
    names = [f"({row['effect']})" if row.get("bypass") else str(row["effect"]) for row in rack]
    return "rack " + ", ".join(names) if names else "no rack"
