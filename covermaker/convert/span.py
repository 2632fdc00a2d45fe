"""A region of a song: which samples come out, and which seconds are sung for them.

A region starts to be sung at a whole second at least one second early: there the clocks of every pair of rates
meet, so the region's samples lie on the whole song's grid and equal the same samples of a whole conversion.
"""

from __future__ import annotations

from dataclasses import dataclass

from covermaker.errors import UsageError
from covermaker.features.clock import FRAME_RATE

MARGIN_SECONDS = 1  # sung beyond both ends: longer than any context and any filter's ringing


@dataclass(frozen=True, slots=True)
class Span:
    """Samples of a song, all counts at the file's rate.

    Attributes
    ----------
    start, stop : int
        These come out.
    sung_second, sung_samples : int
        Where singing begins, and for how long.
    sample_rate : int
        In Hz.
    song_samples : int
        Of the whole song.
    """

    start: int
    stop: int
    sung_second: int
    sung_samples: int
    sample_rate: int
    song_samples: int

    @property
    def first_frame(self) -> int:
        """Where singing begins, on the feature clock."""
        return self.sung_second * FRAME_RATE

    @property
    def sung_start(self) -> int:
        """Where singing begins, in samples."""
        return self.sung_second * self.sample_rate


def span_of(
    samples: int,
    sample_rate: int,
    start_seconds: float,
    seconds: float | None,
    *,
    margin_seconds: int = MARGIN_SECONDS,
) -> Span:
    """Return a region of a song of `samples`; without `seconds` it reaches to the end.

    Raises
    ------
    UsageError
        When there is no such region.
    """
    start = round(start_seconds * sample_rate)
    stop = samples if seconds is None else min(samples, start + round(seconds * sample_rate))
    if start < 0 or (start >= samples and samples) or (seconds is not None and seconds <= 0):
        raise UsageError(
            f"no such region: {start_seconds:g} s, {'to the end' if seconds is None else f'{seconds:g} s long'}",
            hint=f"the vocal is {samples / sample_rate:.2f} s long",
        )
    sung_second = max(0, start // sample_rate - margin_seconds)
    sung_stop = min(samples, stop + margin_seconds * sample_rate)
    sung_samples = sung_stop - sung_second * sample_rate
    return Span(start, stop, sung_second, sung_samples, sample_rate, samples)
