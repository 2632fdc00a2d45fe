"""What single channels are in a mix, as files of its length: the desk runs once more and its parts are kept.

A part is a channel as it enters the mix, or a group or a bus from behind its rack and before its fader. Those that
enter the master sum to the mix; where it fades at its end, they do.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.beside import through
from covermaker.audio.files import probe, wav_writer
from covermaker.effects.lines import Line
from covermaker.mix.desk import Desk, Gathered, Mixed
from covermaker.mix.ending import fade_frames, fade_out, rings
from covermaker.mix.mixer import gathered, opened
from covermaker.mix.strips import sounding
from covermaker.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from covermaker.audio.files import Writer
    from covermaker.mix.desk import Sound
    from covermaker.mix.mixer import Source
    from covermaker.mix.strips import Node, Strip

_BLOCK_FRAMES = 1 << 16


@dataclass(frozen=True, slots=True)
class Part:
    """A channel, where it is listened to.

    Attributes
    ----------
    node : Node
        Which one.
    racked : bool
        From behind the rack of a group or a bus, before its fader; else behind fader and pan.
    """

    node: Node
    racked: bool = False


def entering(strips: Sequence[Strip]) -> list[Strip]:
    """List the channels that enter the mix and are heard: tracks and groups that stand in no group, and buses."""
    sounds = sounding(strips)
    return [strip for strip in strips if not strip.group and sounds[strip.node]]


def write_parts(
    strips: Sequence[Strip],
    sources: Mapping[str, Source],
    mix: Path,
    parts: Mapping[Path, Part],
    *,
    start: int = 0,
    block_frames: int = _BLOCK_FRAMES,
    progress: Progress = silent,
) -> None:
    """Write parts of a mix as float32 stereo WAVs, as long as it is and in time with it.

    Parameters
    ----------
    strips, sources, start, block_frames
        As for `covermaker.mix.mixer.mix_tracks`.
    mix : Path
        What that made of them.
    parts : mapping of Path to Part
        What goes into which file; all of them are heard.

    Raises
    ------
    ProjectError, AudioInputError
        As `covermaker.mix.mixer.mix_tracks`.
    """
    info = probe(mix)
    desk = Desk(strips, sample_rate=info.sample_rate, start=start)
    late = desk.latency_samples
    lines = {path: Line(late - _late(desk, part), 2) for path, part in parts.items()}
    fading = min(fade_frames(info.sample_rate), info.frames)
    last: list[tuple[Sound, list[Sound]]] = []
    with ExitStack() as stack:
        readers = opened(desk, sources, stack, sample_rate=info.sample_rate, start=start)
        writers = [
            stack.enter_context(wav_writer(path, sample_rate=info.sample_rate, channels=2)) for path in parts
        ]
        played = gathered(desk, readers, frames=info.frames + late, block_frames=block_frames)
        early, done = late, 0
        for block, mixed in stack.enter_context(closing(through(lambda one: (one, desk.mix(one)), played))):
            sounds = [lines[path].process(_sound(block, mixed, part)) for path, part in parts.items()]
            cut = slice(early, None)
            early = max(0, early - block.frames)
            last.append((mixed.mix[:, cut], [sound[:, cut] for sound in sounds]))
            done += last[-1][0].shape[1]
            while last and done - last[0][0].shape[1] - _written(writers) >= fading:
                _write(writers, last.pop(0)[1])
            progress(done / info.frames)
        ends = [
            np.concatenate(pieces, axis=1) for pieces in zip(*(sounds for _, sounds in last), strict=True)
        ]
        end = np.concatenate([heard for heard, _ in last], axis=1).astype(np.float32)
        if fading and rings(end[:, -fading:]):
            for sound in ends:
                fade_out(sound[:, -fading:])
        _write(writers, ends)


def _late(desk: Desk, part: Part) -> int:
    return desk.late(part.node)[1]


def _sound(block: Gathered, mixed: Mixed, part: Part) -> Sound:
    if part.racked:
        return mixed.racked[part.node].astype(np.float64)
    return block.placed[part.node] if part.node[0] == "track" else mixed.placed[part.node]


def _written(writers: Sequence[Writer]) -> int:
    return writers[0].frames if writers else 0


def _write(writers: Sequence[Writer], sounds: Sequence[Sound]) -> None:
    for writer, sound in zip(writers, sounds, strict=True):
        writer.write(np.ascontiguousarray(sound, np.float32))
