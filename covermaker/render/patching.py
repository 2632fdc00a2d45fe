"""Who gets sound from whom on a project's desk, and what is refused of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from covermaker.documents.document import PlaceError, placed
from covermaker.errors import nearest
from covermaker.mix.strips import Strip, working_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from covermaker.effects.rack import EffectSettings
    from covermaker.project.document import Bus, Cover, Group, Track
    from covermaker.render.automation import Lanes, Whose

    Racks = Mapping[Whose, Sequence[EffectSettings]]


def strips_of(
    cover: Cover, racks: Racks, lanes: Lanes, *, track_names: Mapping[str, str] | None = None
) -> list[Strip]:
    """Return the strips of a project's desk: tracks, groups, buses.

    Parameters
    ----------
    racks : mapping
        By whose they are; those of tracks are left out: a track comes from behind its rack.
    lanes : Lanes
        What moves.
    track_names : mapping, optional
        What the tracks are called in the strips, where that is something else than in the project.
    """
    names = track_names or {}
    tracks = [
        Strip(**_common(track), **_placed_in(track), moves=lanes.of_strip("tracks", track.name))
        for track in cover.tracks
    ]
    groups = [
        Strip(
            kind="group", **_common(group), **_placed_in(group), moves=lanes.of_strip("groups", group.name),
            rack=_listening(racks["groups", group.name], names), rack_moves=lanes.of_rack("groups", group.name),
        )
        for group in cover.groups
    ]  # fmt: skip
    buses = [
        Strip(
            kind="bus", **_common(bus), moves=lanes.of_strip("buses", bus.name),
            rack=_listening(racks["buses", bus.name], names), rack_moves=lanes.of_rack("buses", bus.name),
        )
        for bus in cover.buses
    ]  # fmt: skip
    return [*(replace(track, name=names.get(track.name, track.name)) for track in tracks), *groups, *buses]


def _common(channel: Track | Group | Bus) -> dict[str, Any]:
    return channel.model_dump(include={"name", "gain_db", "pan", "mute", "sends"})


def _placed_in(channel: Track | Group) -> dict[str, Any]:
    return channel.model_dump(include={"solo", "group", "pre_fader"})


def _listening(rack: Sequence[EffectSettings], names: Mapping[str, str]) -> tuple[EffectSettings, ...]:
    return tuple(
        replace(row, sidechain=names.get(row.sidechain, row.sidechain)) if row.sidechain else row
        for row in rack
    )


def check_patch(cover: Cover, racks: Racks) -> None:
    """Refuse groups, sends and side chains that lead nowhere, or round in a circle.

    Raises
    ------
    PlaceError
        With the path inside the document and the nearest name.
    """
    tracks = [track.name for track in cover.tracks]
    groups = [group.name for group in cover.groups]
    buses = [bus.name for bus in cover.buses]
    for index, name in enumerate(groups):
        if name in tracks:
            raise PlaceError(
                f"groups[{index}].name", f"= '{name}' is the name of a track", hint="use another name"
            )
    for where, channel in _channels(cover):
        for bus in channel.sends:
            _known(f"{where}.sends.{bus}", "bus", bus, buses)
        if not hasattr(channel, "group"):
            continue
        if channel.group:
            _known(f"{where}.group", "group", channel.group, groups)
        for number, bus in enumerate(channel.pre_fader):
            _known(f"{where}.pre_fader[{number}]", "send of this channel", bus, channel.sends)
    for whose, rack in racks.items():
        for number, row in enumerate(rack):
            if row.sidechain:
                where = f"{_where(whose, cover)}.rack[{number}].sidechain"
                _known_key(where, whose, row.sidechain, tracks, groups)
    _no_circle(cover, racks)


def _channels(cover: Cover) -> Iterator[tuple[str, Any]]:
    for table in ("tracks", "groups", "buses"):
        for index, channel in enumerate(getattr(cover, table)):
            yield f"{table}[{index}]", channel


def _where(whose: Whose, cover: Cover) -> str:
    if len(whose) == 1:
        return whose[0]
    names = [channel.name for channel in getattr(cover, whose[0])]
    return f"{whose[0]}[{names.index(whose[1])}]"


def _known(where: str, what: str, name: str, names: Mapping[str, Any] | Sequence[str]) -> None:
    if name not in names:
        raise PlaceError(where, f"= '{name}' is no {what}", hint=nearest(name, list(names)))


def _known_key(where: str, whose: Whose, name: str, tracks: Sequence[str], groups: Sequence[str]) -> None:
    if whose == ("master",):
        raise PlaceError(
            where, ": the master listens to its own sound only", hint="put the effect on a group"
        )
    if whose[0] == "tracks" and name in groups:
        raise PlaceError(
            where,
            f"= '{name}' is a group: a track's rack listens to tracks",
            hint="put the effect on a group",
        )
    known = [*tracks, *(groups if whose[0] != "tracks" else ())]
    if name == whose[1] and whose[0] != "buses":
        raise PlaceError(where, f"= '{name}' is this channel itself", hint="leave sidechain out")
    _known(where, "track" if whose[0] == "tracks" else "track or group", name, known)


def _no_circle(cover: Cover, racks: Racks) -> None:
    from covermaker.render.automation import Lanes

    with placed("groups"):
        working_order(strips_of(cover, racks, Lanes()))
    listens = {
        track.name: [row.sidechain for row in racks["tracks", track.name] if row.sidechain]
        for track in cover.tracks
    }
    for index, track in enumerate(cover.tracks):
        way = [track.name]
        stack = [(name, [*way, name]) for name in listens[track.name]]
        while stack:
            name, way = stack.pop()
            if name == track.name:
                raise PlaceError(
                    f"tracks[{index}].rack", f": side chains go round in a circle: {' -> '.join(way)}",
                    hint="take one of them out",
                )  # fmt: skip
            stack += [(one, [*way, one]) for one in listens[name] if one not in way[1:]]
