"""How long a song takes and how much memory, before anything of it is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from covermaker.batch.entries import LONGEST_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Seconds a minute of song, one song at a time on two cores; docs/benchmarks.md says how they were measured.
TABLE_CORES: Final = 2.0
_SEPARATION: Final[Mapping[str, float]] = {"spleeter": 3.2, "demucs": 60.0, "provided": 0.3}
_REST: Final = 6.5
_SCORE: Final = 6.0
_EACH: Final = 1.0  # whatever its length

# Of a worker that holds every network it has used, and of a song beside that, a minute of it.
WORKER_BYTES: Final = 1_400 << 20
_SONG_BYTES: Final = 100 << 20
_MINUTE_BYTES: Final[Mapping[str, int]] = {"spleeter": 4 << 20, "demucs": 40 << 20, "provided": 4 << 20}

# Of a song whose length nobody knows yet.
USUAL_SECONDS: Final = 210.0

# So many finished songs say more than the table does.
_ENOUGH: Final = 3


def usual(lengths: Iterable[float | None]) -> float:
    """Return what a song is taken to last of which nobody knows, in seconds: as long as the others in the mean."""
    known = [length for length in lengths if length is not None and length > 0.0]
    return sum(known) / len(known) if known else USUAL_SECONDS


def seconds_of(
    song_seconds: float | None,
    separator: str,
    *,
    score: bool,
    usual_seconds: float = USUAL_SECONDS,
    cores: float = TABLE_CORES,
) -> float:
    """Return what a song takes from nothing, by the table.

    Parameters
    ----------
    usual_seconds : float
        How long it is taken to last where `song_seconds` is not known.
    cores : float
        How many it has for itself.
    """
    minutes = _minutes(song_seconds, usual_seconds)
    rate = _SEPARATION.get(separator, _SEPARATION["demucs"]) + _REST + (_SCORE if score else 0.0)
    return (_EACH + rate * minutes) * TABLE_CORES / cores


def score_seconds(song_seconds: float | None) -> float:
    """Return what scoring a finished song takes, on two cores."""
    return _EACH + _SCORE * _minutes(song_seconds, USUAL_SECONDS)


def memory_of(song_seconds: float | None, separator: str) -> int:
    """Return what a song takes beside what its worker holds, in bytes."""
    minutes = _minutes(song_seconds, USUAL_SECONDS)
    return int(_SONG_BYTES + _MINUTE_BYTES.get(separator, _MINUTE_BYTES["demucs"]) * minutes)


def _minutes(song_seconds: float | None, usual_seconds: float) -> float:
    told = (
        song_seconds if song_seconds is not None and song_seconds > 0.0 else usual_seconds
    )  # nan is not, too
    return min(told, LONGEST_SECONDS) / 60.0


def learned(done: Iterable[tuple[float, float]]) -> float:
    """Return how many times as long songs take as they were thought to.

    Parameters
    ----------
    done : iterable of (float, float)
        Of each song that was made: how long it took, and how long it was thought to take.
    """
    pairs = list(done)
    thought = sum(one for _, one in pairs)
    return sum(one for one, _ in pairs) / thought if len(pairs) >= _ENOUGH and thought > 0.0 else 1.0


def seconds_left(expected: Iterable[float], *, workers: int) -> float | None:
    """Return how long the rest takes.

    Parameters
    ----------
    expected : iterable of float
        What each song that is left takes; of one that runs, its rest.
    workers : int
        How many run at once.

    Returns
    -------
    float or None
        None where nothing is left.
    """
    rest = list(expected)
    if not rest:
        return None
    return max(sum(rest) / max(1, min(workers, len(rest))), max(rest))


def cores_of(cores: int, workers: int) -> int:
    """Return how many cores each of some workers has."""
    return max(1, cores // max(1, workers))


def workers_for(cores: int, memory_bytes: int, songs: int, wanted: int | None) -> int:
    """Return how many songs to render at once.

    More than one a core only wait for each other; more than memory holds make the machine swap.
    """
    each = WORKER_BYTES + memory_of(None, "spleeter")
    fit = max(1, memory_bytes // each)
    return max(1, min(wanted or cores, fit, max(1, songs)))
