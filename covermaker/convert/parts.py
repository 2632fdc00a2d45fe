"""Several singers in one vocal: each sings its stretches of the song, joined by short cross-fades.

Every file holds the whole song on the same clock (a converted vocal does, and so does the source), so joining is
choosing: at each sample one file is heard, around a border two. Blocks in, blocks out.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from covermaker.audio.files import BLOCK_FRAMES, blocks, probe, wav_writer
from covermaker.errors import ProjectError
from covermaker.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples

VERSION = 1
CROSSFADE_SECONDS = 0.03
LONGEST_CROSSFADE_SECONDS = 2.0

Curve = Literal["equal-power", "linear"]


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the song and who is heard in it.

    Parameters
    ----------
    start, stop : float
        Seconds; `stop` may lie past the song's end.
    source : str, optional
        A name among the files; None for silence.
    """

    start: float
    stop: float
    source: str | None


def join_parts(
    sources: Mapping[str, Path],
    parts: Sequence[Part],
    out: Path,
    *,
    default: str | None,
    crossfade_seconds: float = CROSSFADE_SECONDS,
    curve: Curve = "equal-power",
    progress: Progress = silent,
) -> None:
    """Join files of one length into one of the same length.

    Parameters
    ----------
    sources : mapping of str to Path
        Files of one rate and one length: converted vocals, and the source vocal where it is to be kept. Mono files
        are heard on all channels of the widest.
    parts : sequence of Part
        In any order; they may touch, not overlap.
    out : Path
        Written: float32 WAV with as many channels as the widest source.
    default : str, optional
        Who is heard outside all parts; None for silence.
    crossfade_seconds : float
        0..2, centred on each border, and never longer than the shorter of the two stretches beside it.
    curve : "equal-power" or "linear"
        Equal power keeps the level between unlike voices; linear keeps it between two versions of one sound.
    progress : Progress
        Told the finished fraction.

    Raises
    ------
    ProjectError
        When parts overlap or are empty, name no file, or the files do not fit together.
    """
    if not 0.0 <= crossfade_seconds <= LONGEST_CROSSFADE_SECONDS:
        raise ProjectError(
            f"a cross-fade must last 0..{LONGEST_CROSSFADE_SECONDS:g} s, not {crossfade_seconds:g}"
        )
    if not sources:
        raise ProjectError("there is no vocal to join")
    infos = {name: probe(path) for name, path in sources.items()}
    first = next(iter(infos.values()))
    for name, info in infos.items():
        if (info.frames, info.sample_rate) != (first.frames, first.sample_rate):
            raise ProjectError(
                f"vocals differ in length or rate: '{name}' has {info.frames} samples at {info.sample_rate} Hz, "
                f"another {first.frames} at {first.sample_rate} Hz"
            )
    stretches = _stretches(parts, set(sources), default, first.frames, first.sample_rate)
    fades = _fades(stretches, round(crossfade_seconds * first.sample_rate))
    channels = max(info.channels for info in infos.values())
    with ExitStack() as stack:
        writer = stack.enter_context(wav_writer(out, sample_rate=first.sample_rate, channels=channels))
        heard = sorted({name for _, _, name in stretches if name is not None})
        streams = {name: blocks(sources[name], block_frames=BLOCK_FRAMES) for name in heard}
        for start in range(0, first.frames, BLOCK_FRAMES):
            count = min(BLOCK_FRAMES, first.frames - start)
            mixed: Samples = np.zeros((channels, count), np.float32)
            for name, stream in streams.items():
                block = next(stream)
                gain = _gain(stretches, fades, name, start, count, curve)
                if gain is not None:
                    mixed += block * gain
            writer.write(mixed)
            progress((start + count) / first.frames)


def _stretches(
    parts: Sequence[Part], names: set[str], default: str | None, frames: int, rate: int
) -> list[tuple[int, int, str | None]]:
    """Cover the song without gaps: (start, stop, name) in samples; neighbours of one name become one."""
    for name in [part.source for part in parts] + [default]:
        if name is not None and name not in names:
            raise ProjectError(f"no vocal '{name}' to join", hint="known: " + ", ".join(sorted(names)))
    found: list[tuple[int, int, str | None]] = []

    def add(start: int, stop: int, name: str | None) -> None:
        if start >= stop:
            return
        if found and found[-1][2] == name:
            found[-1] = (found[-1][0], stop, name)
        else:
            found.append((start, stop, name))

    position, before = 0, 0.0
    for part in sorted(parts, key=lambda part: part.start):
        if not 0.0 <= part.start < part.stop:
            raise ProjectError(f"no such stretch of a song: {part.start:g} to {part.stop:g} s")
        if part.start < before:
            raise ProjectError(f"parts overlap at {part.start:g} s: one ends at {before:g} s")
        start = min(frames, round(part.start * rate))
        stop = frames if np.isinf(part.stop) else min(frames, round(part.stop * rate))
        add(position, start, default)
        add(start, stop, part.source)
        position, before = max(position, stop), part.stop
    add(position, frames, default)
    return found


def _fades(stretches: list[tuple[int, int, str | None]], wanted: int) -> list[int]:
    """Return the cross-fade's length at the start of each stretch; 0 at the song's start."""
    lengths = [stop - start for start, stop, _ in stretches]
    return [0] + [min(wanted, *pair) for pair in pairwise(lengths)]


def _gain(
    stretches: list[tuple[int, int, str | None]],
    fades: list[int],
    name: str,
    start: int,
    count: int,
    curve: Curve,
) -> NDArray[np.float32] | None:
    """Return the gain (count,) of one file from sample `start` on, None where it is silent throughout."""
    at = np.arange(start, start + count) + 0.5
    total: NDArray[np.float64] | None = None
    for number, (begin, end, who) in enumerate(stretches):
        fade_in = fades[number]
        fade_out = fades[number + 1] if number + 1 < len(fades) else 0
        if who != name or end + fade_out <= start or begin - fade_in >= start + count:
            continue
        rise = (
            np.clip((at - begin) / fade_in + 0.5, 0.0, 1.0) if fade_in else (at >= begin).astype(np.float64)
        )
        fall = np.clip((end - at) / fade_out + 0.5, 0.0, 1.0) if fade_out else (at <= end).astype(np.float64)
        weight = np.minimum(rise, fall)
        if curve == "equal-power":
            weight = np.sin(0.5 * np.pi * weight)
        total = weight if total is None else total + weight
    return None if total is None else total.astype(np.float32)
