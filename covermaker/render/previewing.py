"""What a preview is asked and answers; nothing heavy is imported here, so that an app may speak it.

After its first line, ``{"job": "preview", "project": …, "store": …}``, the child takes one `Wish` a line and answers
each with a `Previewed` or a `Refused` that has the wish's `id`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from covermaker.graph.events import Event
from covermaker.project.document import CONVERTED

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.effects.presets import Kind
    from covermaker.project.document import Track
    from covermaker.render.sounds import Sounds

# A loop that is longer is heard as it was rendered.
LONGEST_SECONDS = 30.0
SHORTEST_SECONDS = 0.2
_USUAL_SECONDS = 8.0
PEAKS_PER_SECOND = 20

MIX = "mix"
SUNG = "sung"
MASTERED = "mastered"
DRY = "dry"


def rack_of(place: str) -> str:
    """Return what a `Wish` calls the rack of ``tracks.vocals``, ``buses.room`` or ``master``."""
    return f"{place}.rack"


def heard_on(kind: Kind) -> str:
    """Return what of a song a preset of a kind is heard on.

    A master is heard behind its limiter, driven as far as in the whole song; voice settings in the mix of a stretch
    that is sung anew.
    """
    return {"racks": MIX, "masters": MASTERED, "voices": SUNG}[kind]


def usual_stretch(song_seconds: float, begin_seconds: float = 0.0) -> tuple[float, float]:
    """Return begin and length, in seconds, of what is heard where nobody says: a third into the song, they sing."""
    begin = max(0.0, min(begin_seconds or song_seconds / 3.0, song_seconds - _USUAL_SECONDS))
    return begin, min(_USUAL_SECONDS, song_seconds - begin)


def matched(as_it_is: Previewed, changed: Previewed) -> tuple[float, float]:
    """Return the gains in dB that make both equally loud by turning the louder one down."""
    if as_it_is.out_lufs is None or changed.out_lufs is None:
        return 0.0, 0.0
    quieter = min(as_it_is.out_lufs, changed.out_lufs)
    return quieter - as_it_is.out_lufs, quieter - changed.out_lufs


def stand_in(track: Track, sounds: Sounds) -> tuple[Path | None, str]:
    """Return what a track's rack can be heard on, and words for it when it is not the track's own sound.

    Before the vocal was converted, or while it would be another one now, the separated vocal takes its place.
    """
    found = sounds.tracks.get(track.name)
    if found is not None and found.source is not None:
        return found.source, ""
    if track.source == CONVERTED and sounds.vocal is not None:
        return sounds.vocal, "the original vocal, for the converted one is not rendered yet"
    return None, ""


@dataclass(frozen=True)
class Wish:
    """A stretch of the song, as it would sound.

    Attributes
    ----------
    start_seconds, seconds : float
        Which stretch; at most `LONGEST_SECONDS`.
    what : str
        `MIX`, `MASTERED`, `SUNG`: the mix with the vocal converted anew, a track's name: its rack alone, or a rack with
        all that can be measured of it: see `rack_of`.
    changes : dict
        Values that are not saved, by their places: ``{"tracks.vocals.rack[1].ratio": 3.0}``; `None` is the default.
    solo : tuple of str
        Tracks that are soloed beside those of the document.
    difference : bool
        Hear what the rack adds and takes away, both sides equally loud, in place of what comes out of it.
    """

    id: int
    start_seconds: float
    seconds: float
    what: str = MIX
    changes: dict[str, Any] = field(default_factory=dict)
    solo: tuple[str, ...] = ()
    difference: bool = False

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
        What it is to be compared with: the song, or the track's source, as a file that begins at
        `against_start_seconds`.
    in_lufs, out_lufs : float or None
        Integrated loudness of the stretch of both; None for silence and for less than 400 ms.
    gain_db, against_gain_db : float
        What makes both equally loud by turning the louder one down.
    reductions : list
        ``{"track": …, "index": 0, "effect": "gate", "maximum_db": …, "history_db": […]}``: the mean of each piece of
        `reduction_seconds`.
    peaks : dict
        Name of a track or bus, or `MIX`, to rows of left and right, `PEAKS_PER_SECOND`: the highest absolute sample
        behind the fader. Of a rack: `DRY` is what goes in, `MIX` what comes out.
    took_seconds : float
        How long it was worked on.
    points : list
        Of a rack: ``{"index": …, "lufs": …, "peak_dbfs": …, "spectrum_db": […]}`` as its effects hear it: first, with
        index -1, what goes in, then what is behind each effect that is on.
    spectrum_hz : list
        The centres of the bands of those spectra.
    level_db : float
        How much louder the rack hears its source than it is.
    instead : str
        What was taken in place of the track's own sound, in words.
    notes : list of str
        Which plug-ins are not heard in it, and why.
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
    against_start_seconds: float = 0.0
    points: list[dict[str, Any]] = field(default_factory=list)
    spectrum_hz: list[float] = field(default_factory=list)
    level_db: float = 0.0
    instead: str = ""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Refused(Event):
    """A wish that cannot be fulfilled."""

    KIND: ClassVar[str] = "preview.refused"
    id: int
    message: str
    hint: str | None
