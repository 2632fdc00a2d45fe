"""A song on its way through the cluster: which of its steps wait, run and are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from covermaker.batch.engines.ray_needs import SINGING
from covermaker.graph.events import Note, Planned, StepCached, StepFinished, StepStarted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from covermaker.batch.engines.base import Task
    from covermaker.batch.engines.ray_deaths import Cause
    from covermaker.graph.events import Event

# A project that is edited as fast as it is planned is given up.
_MOST_PLANS = 20


@dataclass(eq=False)
class Piece:
    """One piece of work.

    Attributes
    ----------
    do : str
        ``"begin"``, ``"step"`` or ``"end"``.
    key, name, kind : str
        Of the step.
    needs : tuple of str
        Keys of what it reads that was made just now, perhaps on another node.
    interrupted : dict
        How often, by cause.
    """

    song: RaySong
    do: str
    key: str = ""
    name: str = ""
    kind: str = ""
    needs: tuple[str, ...] = ()
    interrupted: dict[Cause, int] = field(default_factory=dict)

    @property
    def sings(self) -> bool:
        """Whether it needs networks."""
        return self.kind in SINGING

    @property
    def order(self) -> tuple[int, int]:
        """Songs that came first go first, and of a song what lies downstream."""
        return self.song.turn, -len(self.song.made)


@dataclass(eq=False)
class RaySong:
    """A song that the engine took.

    Attributes
    ----------
    turn : int
        Which one it was.
    made : list of str
        Keys of the steps that were made for it.
    flying : set of Piece
        What runs, or waits for a place.
    failed : list of dict
        Plug-ins that failed at it; every node leaves them out.
    last : str
        The node that did something for it last: it has the files at hand.
    """

    task: Task
    turn: int
    minutes: float = 0.0
    made: list[str] = field(default_factory=list)
    flying: set[Piece] = field(default_factory=set)
    failed: list[dict[str, str]] = field(default_factory=list)
    last: str = ""
    _plans: int = 0
    _needs: dict[str, set[str]] = field(default_factory=dict)
    _parts: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _told: set[object] = field(default_factory=set)

    def begin(self) -> Piece | None:
        """Return the piece that plans it; None when it was planned too often."""
        self._plans += 1
        if self._plans > _MOST_PLANS:
            return None
        self._needs.clear()
        self._parts.clear()
        self._told.discard(("planned",))
        return self._fly(Piece(self, "begin"))

    def planned(self, parts: Iterable[Mapping[str, Any]], minutes: float) -> list[Piece]:
        """Take the plan; returns what can be done first."""
        self.minutes = minutes
        self._parts = {part["key"]: part for part in parts}
        self._needs = {key: set(part["needs"]) for key, part in self._parts.items()}
        return self._ready()

    def done(self, piece: Piece) -> list[Piece]:
        """Take that a step is made; returns what can be done now."""
        if piece.key not in self.made:
            self.made.append(piece.key)
        for needs in self._needs.values():
            needs.discard(piece.key)
        return self._ready()

    def _ready(self) -> list[Piece]:
        """Take the steps out that wait for nothing; when none is left and none runs, the end follows."""
        keys = [key for key, needs in self._needs.items() if not needs]
        if self.task.careful:
            keys = keys[: 0 if self.flying else 1]
        pieces = []
        for key in keys:
            del self._needs[key]
            part = self._parts[key]
            pieces.append(
                self._fly(Piece(self, "step", key, part["name"], part["kind"], tuple(part["needs"])))
            )
        if not self._needs and not self.flying:
            read = {need for part in self._parts.values() for need in part["needs"]}
            last = tuple(key for key in self._parts if key not in read)
            pieces.append(self._fly(Piece(self, "end", needs=last)))
        return pieces

    def _fly(self, piece: Piece) -> Piece:
        self.flying.add(piece)
        return piece

    def news(self, event: Event) -> bool:
        """Tell whether an event is new: a song is told each thing once, as one render would tell it."""
        match event:
            case StepStarted(key=key) if key:
                said: object = ("started", key)
            case StepCached(key=key):
                said = ("there", key)
            case StepFinished(key=key) if key:
                self._told.add(("there", key))
                return True
            case Planned():
                said = ("planned",)
            case Note(text=text):
                said = ("note", text)
            case _:
                return True
        if said in self._told:
            return False
        self._told.add(said)
        return True

    def again(self, piece: Piece) -> None:
        """Take that a piece begins once more."""
        self._told.discard(("started", piece.key))
