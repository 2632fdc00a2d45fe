"""The strips of the mixing desk: what each is set to, what moves of it, who is heard, in which order they work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from covermaker.effects.rack import listened_to, rack_params
from covermaker.errors import ProjectError, nearest

if TYPE_CHECKING:
    from covermaker.effects.automation import Automation, Move
    from covermaker.effects.rack import EffectSettings

Kind: TypeAlias = Literal["track", "group", "bus"]
Node: TypeAlias = tuple[Kind, str]

# What a strip's moves go by; a send is "sends.<bus>".
GAIN, PAN, MUTE = "gain_db", "pan", "mute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """One channel of the desk.

    Parameters
    ----------
    name : str
        As the project calls it; a track and a group never share one.
    kind : {"track", "group", "bus"}
        A track has its sound from a file that is already through its rack, a group from the tracks in it, a bus from
        what is sent to it.
    gain_db : float
        Fader.
    pan : float
        -1 (left) to 1 (right); see `covermaker.mix.pan`.
    mute, solo : bool
        As on a desk; a bus has no solo.
    group : str
        The group it goes to; empty for the master.
    sends : mapping of str to float
        Bus name to level in dB, after fader and pan.
    pre_fader : sequence of str
        Of these buses: before fader and pan.
    rack : sequence of EffectSettings
        Of a group or a bus.
    rack_moves : sequence of Move
        What moves in it.
    moves : mapping of str to Automation
        What moves of the strip itself: `GAIN`, `PAN`, `MUTE`, ``"sends.<bus>"``.
    """

    name: str
    kind: Kind = "track"
    gain_db: float = 0.0
    pan: float = 0.0
    mute: bool = False
    solo: bool = False
    group: str = ""
    sends: Mapping[str, float] = field(default_factory=dict)
    pre_fader: Sequence[str] = ()
    rack: Sequence[EffectSettings] = ()
    rack_moves: Sequence[Move] = ()
    moves: Mapping[str, Automation] = field(default_factory=dict)

    def params(self) -> dict[str, Any]:
        """Return what decides its sound, in one canonical form, for step keys."""
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "sends": dict(self.sends),
            "pre_fader": sorted(self.pre_fader),
            "rack": rack_params(self.rack, self.rack_moves),
            "listens_to": list(self.listens_to),
            "moves": {name: self.moves[name].params() for name in sorted(self.moves)},
        }

    @property
    def listens_to(self) -> tuple[str, ...]:
        """The tracks and groups that the side chains of its rack name."""
        return listened_to(self.rack, self.rack_moves)

    @property
    def node(self) -> Node:
        """What it goes by on the desk."""
        return (self.kind, self.name)


_PLAIN = ("name", "kind", "gain_db", "pan", "mute", "solo", "group")


def check_strips(strips: Sequence[Strip]) -> None:
    """Refuse a desk that cannot be patched.

    Raises
    ------
    ProjectError
        For a doubled name, a pan outside -1..1, a send, group or side chain that leads nowhere.
    """
    names = {kind: [strip.name for strip in strips if strip.kind == kind] for kind in _PLURALS}
    for kind, found in names.items():
        for name in found:
            if found.count(name) > 1:
                raise ProjectError(f"two {_PLURALS[kind]} are called '{name}'", hint="give each its own name")
    for name in names["group"]:
        if name in names["track"]:
            raise ProjectError(f"a track and a group are called '{name}'", hint="give each its own name")
    for strip in strips:
        if not -1.0 <= strip.pan <= 1.0:
            raise ProjectError(f"'{strip.name}' has pan {strip.pan:g}, it must be -1 (left) to 1 (right)")
        for name in strip.sends:
            _known(strip, "sends to", name, "bus", names["bus"])
        if strip.group:
            _known(strip, "goes to", strip.group, "group", names["group"])
        for name in strip.listens_to:
            _known(strip, "listens to", name, "track or group", [*names["track"], *names["group"]])


_PLURALS: dict[Kind, str] = {"track": "tracks", "group": "groups", "bus": "buses"}


def _known(strip: Strip, does: str, name: str, what: str, names: Sequence[str]) -> None:
    if name not in names:
        raise ProjectError(
            f"{strip.kind} '{strip.name}' {does} '{name}', which is no {what}", hint=nearest(name, names)
        )


def working_order(strips: Sequence[Strip]) -> list[Strip]:
    """List groups and buses so that each comes behind all that it gets sound from.

    Raises
    ------
    ProjectError
        When sound would go round in a circle.
    """
    nodes = {strip.node: strip for strip in strips if strip.kind != "track"}
    sources: dict[Node, list[Node]] = {node: [] for node in nodes}
    for node, strip in nodes.items():
        for target in _targets(strip):
            sources[target].append(node)
        sources[node] += [("group", name) for name in strip.listens_to if ("group", name) in nodes]
    order: list[Strip] = []
    begun: list[Node] = []

    def visit(node: Node) -> None:
        if nodes[node] in order:
            return
        if node in begun:
            names = [name for _, name in begun[begun.index(node) :]]
            raise ProjectError(
                f"sound would go round in a circle: {' -> '.join(reversed([*names, node[1]]))}",
                hint="take one of these sends, groups or side chains out",
            )
        begun.append(node)
        for source in sources[node]:
            visit(source)
        begun.pop()
        order.append(nodes[node])

    for node in nodes:
        visit(node)
    return order


def _targets(strip: Strip) -> list[Node]:
    targets: list[Node] = [("bus", name) for name in strip.sends]
    return [*targets, ("group", strip.group)] if strip.group else targets


def heard(strips: Sequence[Strip]) -> dict[Node, bool]:
    """Tell of every strip whether it is heard.

    A mute wins over a solo, and mutes what is in a group with it; one that moves goes by its automation alone. With any
    solo, tracks are heard that are soloed themselves or stand in a soloed group; a solo silences no bus.
    """
    soloed = any(strip.solo for strip in strips)
    found = {}
    for strip in strips:
        above = groups_above(strip, strips)
        muted = any(one.mute and MUTE not in one.moves for one in [strip, *above])
        alone = strip.solo or any(group.solo for group in above)
        found[strip.node] = not muted and (strip.kind != "track" or alone or not soloed)
    return found


def sounding(strips: Sequence[Strip]) -> dict[Node, bool]:
    """Tell of every strip whether anything comes out of it: groups and buses that nothing goes to stay silent."""
    audible = heard(strips)
    fed: set[Node] = set()
    tracks = [strip for strip in strips if strip.kind == "track"]
    for strip in [*tracks, *working_order(strips)]:
        if audible[strip.node] and (strip.kind == "track" or strip.node in fed):
            fed.update(_targets(strip))
    return {node: is_heard and (node[0] == "track" or node in fed) for node, is_heard in audible.items()}


def groups_above(strip: Strip, strips: Sequence[Strip]) -> list[Strip]:
    """List the groups that a strip stands in, the nearest first."""
    groups = {one.name: one for one in strips if one.kind == "group"}
    found: list[Strip] = []
    while strip.group and groups[strip.group] not in found:
        strip = groups[strip.group]
        found.append(strip)
    return found


def alone(strips: Sequence[Strip], node: Node) -> list[Strip]:
    """Return a desk on which only what reaches the rack of a group or a bus does any work.

    That rack itself is left out, as are those of all groups and buses that it neither gets sound from nor listens to.
    """
    named = {strip.node: strip for strip in strips if strip.kind != "track"}
    needed: set[Node] = set()
    asked = [node]
    while asked:
        one = asked.pop()
        sources = [source for source, strip in named.items() if one in _targets(strip)]
        sources += [("group", name) for name in named[one].listens_to if ("group", name) in named]
        asked += [source for source in sources if source not in needed]
        needed.update(sources)
    found = []
    for strip in strips:
        if strip.node in named and strip.node not in needed:
            # A group that is not needed still passes its tracks on: they may send to the one that is.
            off = strip.kind == "bus" and strip.node != node
            strip = replace(strip, rack=(), rack_moves=(), mute=strip.mute or off)
        found.append(strip)
    return found
