"""The nodes of a cluster and the actors on them: who is free, who is gone."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from covermaker.batch.engines.ray_needs import Share, divide, memory_of
from covermaker.batch.engines.ray_work import Singer, work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from covermaker.batch.engines.base import Told
    from covermaker.batch.engines.ray_cluster import Node
    from covermaker.batch.engines.ray_song import Piece

    Heard = Callable[[Callable[[], list[Told]]], None]

# An actor that does not come up so often is not tried again: something is wrong with its node.
_MOST_STARTS: Final = 3


@dataclass(eq=False)
class Hand:
    """An actor, or the place of one; `up` once it has answered."""

    station: Station
    actor: Any = None
    up: bool = False
    piece: Piece | None = None
    starts: int = 0
    fresh: bool = False

    @property
    def sleeps(self) -> bool:
        """Whether it could be started."""
        return self.actor is None and self.starts < _MOST_STARTS


@dataclass(eq=False)
class Station:
    """A node that may work.

    Attributes
    ----------
    aside : int or None
        The song that has it for itself.
    plain : set of Piece
        Steps without networks that run here.
    note : str
        What a person should know of it.
    """

    node: Node
    share: Share
    log: Path
    hands: list[Hand] = field(default_factory=list)
    plain: set[Piece] = field(default_factory=set)
    alive: bool = True
    aside: int | None = None
    note: str = ""

    @property
    def pieces(self) -> list[Piece]:
        """What runs here."""
        return [*self.plain, *(hand.piece for hand in self.hands if hand.piece is not None)]

    @property
    def songs(self) -> tuple[int, ...]:
        """Whose work runs here."""
        return tuple(sorted({piece.song.task.song for piece in self.pieces}))


class Crew:
    """All stations.

    Parameters
    ----------
    ray : module
        Connected.
    logs : Path
        Where each node's words go.
    gpus : bool
        Networks run on GPUs where there are some.
    heard : callable
        Takes, from any thread, what is to be done on the engine's.
    """

    def __init__(self, ray: Any, logs: Path, *, gpus: bool, heard: Heard) -> None:
        self._ray = ray
        self._logs = logs
        self._gpus = gpus
        self._heard = heard
        self.at = partial(ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy, soft=False)
        self._singer = ray.remote(Singer)
        self._work = ray.remote(work)
        self._tasks: dict[tuple[str, str, int], Any] = {}
        self.stations: dict[str, Station] = {}
        # Those with something free for what needs networks, and for what does not; the longest free first.
        self._free: dict[bool, dict[str, None]] = {True: {}, False: {}}
        self._freed: dict[str, None] = {}
        # Those with actors that nobody has needed yet, and the actors on their way.
        self._asleep: dict[str, None] = {}
        self._rising: set[Hand] = set()

    @property
    def alive(self) -> list[Station]:
        """Those that work."""
        return [station for station in self.stations.values() if station.alive]

    @property
    def songs(self) -> int:
        """How many songs keep all busy."""
        return sum(station.share.songs for station in self.alive)

    def add(self, node: Node) -> None:
        """Let a node work that has proved that it can; also one that came back."""
        share = divide(node.resources, gpus=self._gpus)
        safe = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in node.name)
        station = self.stations[node.id] = Station(node, share, self._logs / f"{safe}.log")
        station.hands = [Hand(station) for _ in range(share.singers)]
        self._sort(station)

    def lose(self, station: Station, note: str) -> None:
        """Take that a node is gone."""
        station.alive, station.note = False, note
        for hand in station.hands:
            self._kill(hand)
        self._sort(station)

    # Work

    def find(self, piece: Piece) -> Station | None:
        """Return where a piece can be done now, preferably where its song was last; None: nowhere."""
        free = self._free[piece.sings]
        if piece.song.task.alone:
            own = self.alone(piece.song.task.song)
            has_it = own is not None and own.node.id in free and set(own.songs) <= {piece.song.task.song}
            return own if has_it else None
        wanted = piece.song.last
        if wanted in free and self.stations[wanted].aside is None:
            return self.stations[wanted]
        return next((self.stations[place] for place in free if self.stations[place].aside is None), None)

    def has_room(self, station: Station, *, sings: bool) -> bool:
        """Tell whether a node takes a piece of any song now."""
        return station.aside is None and station.node.id in self._free[sings]

    def freed(self) -> list[Station]:
        """Return the nodes where something became free since it was asked last."""
        freed = [self.stations[place] for place in self._freed]
        self._freed.clear()
        return freed

    def wake(self, waiting: int, home: str = "") -> None:
        """Let actors come up for pieces that wait, where there are places for more.

        Parameters
        ----------
        waiting : int
            So many pieces wait.
        home : str
            The node that is best for the last of them.
        """
        while len(self._rising) < waiting and self._asleep:
            station = self.stations[home if home in self._asleep else next(iter(self._asleep))]
            self._start(next(hand for hand in station.hands if hand.sleeps))
            self._sort(station)

    def start(
        self, piece: Piece, station: Station, order: dict[str, Any], post: Any
    ) -> tuple[Any, Hand | None]:
        """Begin a piece; returns Ray's reference to its outcome, and the actor that does it."""
        if piece.sings:
            hand = next(hand for hand in station.hands if hand.up and hand.piece is None)
            if station.aside is not None:
                for other in station.hands:
                    if other is not hand:
                        self._kill(other)
            if piece.song.task.careful:
                self._start(hand, fresh=True)
            hand.piece = piece
            reference = hand.actor.work.remote({**order, "threads": station.share.threads}, post)
        else:
            hand = None
            station.plain.add(piece)
            reference = self._task(station, piece).remote({**order, "threads": 1}, post)
        self._sort(station)
        return reference, hand

    def _task(self, station: Station, piece: Piece) -> Any:
        """Return what begins a piece as a task; made once for all that need the same of a node."""
        share, resources = station.share, station.node.resources
        free = resources.get("memory", 0.0) - share.memory_bytes * share.singers
        memory = memory_of(piece.song.minutes, free / max(1, share.plain))
        what = (station.node.id, piece.kind or piece.do, memory)
        if what not in self._tasks:
            self._tasks[what] = self._work.options(
                num_cpus=1,
                memory=memory,
                # What was interrupted is begun again by the engine, which tells of it.
                max_retries=0,
                scheduling_strategy=self.at(station.node.id),
                name=piece.kind or piece.do,
            )
        return self._tasks[what]

    def over(self, piece: Piece, station: Station, hand: Hand | None, *, died: bool) -> None:
        """Take that a piece has ended; an actor that died, or must not keep what it has loaded, is replaced."""
        station.plain.discard(piece)
        if hand is not None and hand.piece is piece:
            hand.piece = None
            if station.alive and (died or hand.fresh):
                self._start(hand)
        self._sort(station)

    def drop(self, piece: Piece, station: Station, hand: Hand | None, reference: Any) -> None:
        """End a piece that runs."""
        if hand is None:
            self._ray.cancel(reference, force=True)
        self.over(piece, station, hand, died=True)

    # A node for one song

    def set_aside(self, song: int) -> None:
        """Keep the node with most memory for one song."""
        stations = [station for station in self.alive if station.aside is None]
        if stations:
            most = max(stations, key=lambda station: station.node.resources.get("memory", 0.0))
            most.aside = song
            if not any(hand.actor for hand in most.hands):
                self._start(most.hands[0])
            self._sort(most)

    def give_back(self, song: int) -> None:
        """Let a node that a song had for itself work for all."""
        for station in self.stations.values():
            if station.aside == song:
                station.aside = None
                self._sort(station)

    def alone(self, song: int) -> Station | None:
        """Return the node that a song has for itself."""
        return next((one for one in self.alive if one.aside == song), None)

    # Actors

    def _start(self, hand: Hand, *, fresh: bool = False) -> None:
        self._kill(hand)
        station, share = hand.station, hand.station.share
        hand.up, hand.fresh, hand.piece = fresh, fresh, None
        hand.starts += 0 if fresh else 1
        hand.actor = self._singer.options(
            num_cpus=share.cpus,
            num_gpus=share.gpus,
            memory=share.memory_bytes,
            max_restarts=0,
            scheduling_strategy=self.at(station.node.id),
        ).remote(share.threads, 0 if fresh else share.memory_bytes, str(station.log))
        if not fresh:
            self._rising.add(hand)
            answered = partial(self._answered, hand, hand.actor)
            hand.actor.ready.remote().future().add_done_callback(answered)

    def _answered(self, hand: Hand, actor: Any, done: Any) -> None:
        self._heard(partial(self._came_up, hand, actor, well=done.exception() is None))

    def _came_up(self, hand: Hand, actor: Any, *, well: bool) -> list[Told]:
        """Take an actor's first answer; one that failed is started again, but not for ever."""
        if hand.actor is not actor:
            return []
        self._rising.discard(hand)
        hand.up = well
        if well:
            hand.starts = 0
        elif hand.starts < _MOST_STARTS:
            self._start(hand)
        else:
            self._kill(hand)
            hand.station.note = f"its actors do not start; log: {hand.station.log}"
        self._sort(hand.station)
        return []

    def _kill(self, hand: Hand) -> None:
        if hand.actor is not None:
            self._ray.kill(hand.actor)
        hand.actor, hand.up = None, False
        self._rising.discard(hand)

    def _sort(self, station: Station) -> None:
        """Note whether a station has something free."""
        has = {
            True: any(hand.up and hand.piece is None for hand in station.hands),
            False: len(station.plain) < station.share.plain,
        }
        for sings, free in self._free.items():
            free.pop(station.node.id, None)
            if station.alive and has[sings]:
                free[station.node.id] = self._freed[station.node.id] = None
        self._asleep.pop(station.node.id, None)
        if station.alive and station.aside is None and any(hand.sleeps for hand in station.hands):
            self._asleep[station.node.id] = None


def rooms(stations: Iterable[Station], free: int) -> dict[str, int]:
    """Divide how many more songs the cluster takes among its nodes, by their names."""
    found: dict[str, int] = {}
    for station in stations:
        room = min(free, max(0, station.share.songs - len(station.songs)))
        found[station.node.name] = room
        free -= room
    for name in found:
        found[name] += free
        break
    return found
