"""Audacity label tracks: one ``start<TAB>end<TAB>text`` a line, in seconds.

Lines that start with a backslash hold the frequencies of a spectral selection and are passed over.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from covermaker.disk import write_text
from covermaker.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Labels are dragged to the end of the track by eye; this much past it is cut off without a word.
_PAST_END_SECONDS = 0.1
LEAST_SECONDS = 0.05


def write_labels(path: Path, cuts: Sequence[tuple[int, int]], sample_rate: int) -> None:
    """Write cuts, in samples, as labels of six decimals: enough to find every sample again up to 192 kHz."""
    lines = [
        f"{start / sample_rate:.6f}\t{end / sample_rate:.6f}\tclip {number}\n"
        for number, (start, end) in enumerate(cuts, 1)
    ]
    write_text(path, "".join(lines))


def read_labels(path: Path, sample_rate: int, frames: int) -> list[tuple[int, int]]:
    """Read the cuts of a take.

    Parameters
    ----------
    path : Path
        The label track, UTF-8 text.
    sample_rate, frames : int
        Of the take.

    Returns
    -------
    list of (int, int)
        First sample and the one after the last, rising, without overlap.

    Raises
    ------
    ProjectError
        When a line is no label, a label leaves the take, is a point, or overlaps another (its sound would be
        trained twice), or there is none.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ProjectError(f"{path} is no label track: it is not UTF-8 text") from error
    except OSError as error:
        raise ProjectError(f"{path} cannot be read: {error.strerror}") from error
    cuts: list[tuple[int, int, int]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("\\"):
            continue
        start, end = _times(path, number, line)
        if start < 0 or end > frames / sample_rate + _PAST_END_SECONDS:
            raise ProjectError(
                f"{path} line {number}: the label leaves the take, which ends at {frames / sample_rate:.3f} s"
            )
        if end - start < LEAST_SECONDS:
            raise ProjectError(
                f"{path} line {number}: a clip needs a start and an end, {LEAST_SECONDS:g} s apart at least",
                hint="draw the label over a region, or delete it",
            )
        cuts.append((round(start * sample_rate), min(frames, round(end * sample_rate)), number))
    if not cuts:
        raise ProjectError(f"{path} holds no label", hint="delete the file to have the take cut by itself")
    cuts.sort()
    for (_, end, first), (start, _, second) in pairwise(cuts):
        if start < end:
            raise ProjectError(
                f"{path}: the labels of lines {first} and {second} overlap",
                hint="a clip begins where another ends",
            )
    return [(start, end) for start, end, _ in cuts]


def _times(path: Path, number: int, line: str) -> tuple[float, float]:
    fields = line.split("\t")
    try:
        start, end = float(fields[0]), float(fields[1])
    except (ValueError, IndexError) as error:
        raise ProjectError(
            f"{path} line {number} is no label: {line[:60]!r}", hint="write start, tab, end, tab, text"
        ) from error
    if not (math.isfinite(start) and math.isfinite(end)):
        raise ProjectError(f"{path} line {number}: {line[:60]!r} is no time")
    return start, end
