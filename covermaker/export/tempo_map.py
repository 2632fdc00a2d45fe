"""A song's beats as the tempo of a session: every beat of the song on a beat of the grid, time 0 on tick 0.

A song that was played to a click gets one tempo, also where a few of its beats were found beside their places; one
that breathes gets a tempo a beat. Sessions count whole
microseconds a beat; each tempo is chosen so that the next beat is met from where the ones before really led.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from covermaker.features.song.music import Music

TICKS_PER_BEAT = 960
DEFAULT_BPM = 120.0  # of a song without a beat
_STEADY_SECONDS = 0.03  # so far a beat may be off a straight line: less than anyone plays, more than is found
_STEADY_SHARE = (
    0.9  # of the beats: some are found beside where they were played, also of a song made to a click
)
_LONGEST_MISS = 4  # beats in a row: a song that slows down at its end is off the line for longer


@dataclass(frozen=True)
class TempoMap:
    """Tempo and metre of a session.

    Attributes
    ----------
    tempi : tuple of (int, int)
        From which tick on a beat takes how many microseconds; the first at tick 0.
    metres : tuple of (int, int)
        From which tick on a bar has how many beats.
    """

    tempi: tuple[tuple[int, int], ...]
    metres: tuple[tuple[int, int], ...] = ((0, 4),)

    def ticks(self, seconds: float) -> int:
        """Return the tick nearest to a time."""
        begins = self._begins()
        part = max(0, int(np.searchsorted(begins, seconds, side="right")) - 1)
        tick, length = self.tempi[part]
        return tick + round((seconds - begins[part]) * 1e6 * TICKS_PER_BEAT / length)

    def seconds(self, tick: int) -> float:
        """Return the time of a tick."""
        part = max(0, int(np.searchsorted([at for at, _ in self.tempi], tick, side="right")) - 1)
        begin, length = self.tempi[part]
        return float(self._begins()[part]) + (tick - begin) * length / TICKS_PER_BEAT / 1e6

    def _begins(self) -> list[float]:
        """Return when each tempo begins, in seconds."""
        begins = [0.0]
        for (tick, length), (after, _) in zip(self.tempi, self.tempi[1:], strict=False):
            begins.append(begins[-1] + (after - tick) * length / TICKS_PER_BEAT / 1e6)
        return begins


def tempo_map(music: Music) -> TempoMap:
    """Return the tempo map of a song; `DEFAULT_BPM` where it has no beat."""
    bpm = music.tempo_bpm or DEFAULT_BPM
    if len(music.beats) < 3:
        return TempoMap(((0, round(60e6 / bpm)),))
    beats, first = np.array(music.beats), music.first_downbeat
    line = _line(beats)
    steady = _is_steady(np.abs(beats - line))
    beats = np.maximum(line, 0.0) if steady else beats
    # Beats before the first one that was found: at least one, at about the song's tempo.
    lead = max(1, round(float(beats[0]) * bpm / 60.0))
    if beats[0] < 0.5 * 60.0 / bpm:
        beats, first = beats[1:], first - 1
    times = beats[[0, -1]] if steady else beats
    tempi = _met(times.tolist(), [lead, *([len(beats) - 1] if steady else [1] * (len(beats) - 1))])
    return TempoMap(tempi, _bars(music.beats_per_bar, lead + first))


def _line(beats: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the straight line through most of the beats, by the least squares of those that are near to it.

    Which these are says the median of the slopes over half of the beats, which a few that are off do not move.
    """
    number, half = np.arange(len(beats)), len(beats) // 2
    slope = float(np.median(beats[half:] - beats[: len(beats) - half])) / half
    start = float(np.median(beats - slope * number))
    near = np.abs(beats - start - slope * number) <= _STEADY_SECONDS
    if np.count_nonzero(near) > 1:
        slope, start = map(float, np.polyfit(number[near], beats[near], 1))
    return np.asarray(start + slope * number, dtype=np.float64)


def _is_steady(off_seconds: NDArray[np.float64]) -> bool:
    """Tell whether so much off a straight line is a matter of finding the beats, not of playing them."""
    missed = off_seconds > _STEADY_SECONDS
    if np.count_nonzero(missed) > (1.0 - _STEADY_SHARE) * len(missed):
        return False
    return not np.convolve(missed, np.ones(_LONGEST_MISS + 1, dtype=int)).max() > _LONGEST_MISS


def _met(times: Sequence[float], counts: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Return tempi that lead from 0 to the times in turn, with so many beats to each."""
    tempi: list[tuple[int, int]] = []
    tick, now = 0, 0.0
    for time, count in zip(times, counts, strict=True):
        length = max(1, round((time - now) * 1e6 / count))
        if not tempi or length != tempi[-1][1]:
            tempi.append((tick, length))
        tick, now = tick + count * TICKS_PER_BEAT, now + count * length / 1e6
    return tuple(tempi)


def _bars(per_bar: int | None, before: int) -> tuple[tuple[int, int], ...]:
    """Return the metres of a song with so many beats before its first whole bar."""
    if per_bar is None:
        return ((0, 4),)
    pickup = before % per_bar
    whole = (pickup * TICKS_PER_BEAT, per_bar)
    return ((0, pickup), whole) if pickup else (whole,)
