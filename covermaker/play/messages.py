"""What the audio process says: one event a line of JSON, ``{"event": "position", "seconds": 1.5, …}``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Literal, TypeAlias

Side: TypeAlias = Literal["a", "b"]


@dataclass(frozen=True, slots=True)
class Message:
    """Base of all events."""

    KIND: ClassVar[str] = ""

    def to_json(self) -> str:
        """Write the event as one line of JSON."""
        return json.dumps({"event": self.KIND, **asdict(self)}, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Position(Message):
    """Where the sound is; `peak` is the highest absolute sample since the last one, left and right."""

    KIND: ClassVar[str] = "position"
    seconds: float
    playing: bool
    hearing: Side
    peak: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Loaded(Message):
    """Files are ready to be heard; lengths are of the time line, in seconds."""

    KIND: ClassVar[str] = "loaded"
    a: str
    b: str | None
    seconds: float
    sample_rate: int


@dataclass(frozen=True, slots=True)
class Ended(Message):
    """The end of the longer file was heard."""

    KIND: ClassVar[str] = "ended"


@dataclass(frozen=True, slots=True)
class Device(Message):
    """Which device is open. `name` is None where there is none: `words` then says so in a sentence."""

    KIND: ClassVar[str] = "device"
    name: str | None
    sample_rate: int = 0
    words: str = ""


@dataclass(frozen=True, slots=True)
class Devices(Message):
    """The names of the devices of this machine, the system's choice first."""

    KIND: ClassVar[str] = "devices"
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gap(Message):
    """Files were read too slowly, and silence was heard for so long."""

    KIND: ClassVar[str] = "gap"
    seconds: float


@dataclass(frozen=True, slots=True)
class Problem(Message):
    """A command could not be carried out; of files that cannot be loaded, `a` is the first."""

    KIND: ClassVar[str] = "error"
    message: str
    hint: str | None = None
    a: str | None = None


@dataclass(frozen=True, slots=True)
class Died(Message):
    """The audio process is gone; said by the client. The next command starts another where this one was."""

    KIND: ClassVar[str] = "died"
    message: str
    log: str


_KINDS: dict[str, type[Message]] = {
    kind.KIND: kind for kind in (Position, Loaded, Ended, Device, Devices, Gap, Problem, Died)
}


def from_json(line: str) -> Message:
    """Read an event.

    Raises
    ------
    ValueError
        When the line is none.
    """
    value: dict[str, Any] = json.loads(line)
    kind = _KINDS.get(value.pop("event", ""))
    if kind is None:
        raise ValueError(f"no event of the audio process: {line!r}")
    known = {field.name for field in fields(kind)}
    return kind(
        **{
            key: tuple(item) if isinstance(item, list) else item
            for key, item in value.items()
            if key in known
        }
    )
