"""What a preview is asked and answers; nothing heavy is imported here, so that an app may speak it.

After its first line, ``{"job": "preview", "project": …, "store": …}``, the child takes one `Wish` a line and answers
each with a `Previewed` or a `Refused` that has the wish's `id`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from covermaker.graph.events import Event

# A loop that is longer is heard as it was rendered.
LONGEST_SECONDS = 30.0
SHORTEST_SECONDS = 0.2
PEAKS_PER_SECOND = 20

MIX = "mix"


@dataclass(frozen=True)
class Wish:
    """A stretch of the song, as it would sound.

    Attributes
    ----------
    start_seconds, seconds : float
        Which stretch; at most `LONGEST_SECONDS`.
    what : str
        `MIX`, or a track's name: its rack alone.
    changes : dict
        Values that are not saved, by their places: ``{"tracks.vocals.rack[1].ratio": 3.0}``; `None` is the default.
    solo : tuple of str
        Tracks that are soloed beside those of the document.
    """

    id: int
    start_seconds: float
    seconds: float
    what: str = MIX
    changes: dict[str, Any] = field(default_factory=dict)
    solo: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return what goes into the line."""
        return asdict(self)


@dataclass(frozen=True)
class Previewed(Event):
    """A stretch was made.

    Attributes
    ----------
    file : str
        Float32 stereo WAV of exactly the stretch; the last few stay.
    against : str
        What it is to be compared with: the song, or the track's source, as a file of the whole song.
    in_lufs, out_lufs : float or None
        Integrated loudness of the stretch of both; None for silence and for less than 400 ms.
    gain_db, against_gain_db : float
        What makes both equally loud by turning the louder one down.
    reductions : list
        ``{"track": …, "index": 0, "effect": "gate", "maximum_db": …, "history_db": […]}``: the mean of each piece of
        `reduction_seconds`.
    peaks : dict
        Name of a track or bus, or `MIX`, to rows of left and right, `PEAKS_PER_SECOND`: the highest absolute sample
        behind the fader.
    took_seconds : float
        How long it was worked on.
    """

    KIND: ClassVar[str] = "preview.made"
    id: int
    what: str
    start_seconds: float
    seconds: float
    file: str
    against: str
    in_lufs: float | None
    out_lufs: float | None
    gain_db: float
    against_gain_db: float
    reduction_seconds: float
    reductions: list[dict[str, Any]]
    peaks: dict[str, list[list[float]]]
    took_seconds: float


@dataclass(frozen=True)
class Refused(Event):
    """A wish that cannot be fulfilled."""

    KIND: ClassVar[str] = "preview.refused"
    id: int
    message: str
    hint: str | None
