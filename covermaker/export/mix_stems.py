"""The channels of a mix as files whose sum is the mix.

Rounding each file by itself would leave an error in the sum that grows with their number. Here each sample's error is
handed on to the next channel that sounds, so that the sum is within half a step of the mix, however many they are.
What is silent stays silent.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.files import blocks, probe
from covermaker.audio.wav import FORMATS, RIFF_LIMIT, WavWriter
from covermaker.disk import replacing
from covermaker.errors import AudioInputError
from covermaker.export.labels import Labels
from covermaker.export.tags import write_wav_tags
from covermaker.progress import Progress, part, silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples

_FULL = 2.0**23
STEP = 1.0 / _FULL  # the last bit of 24
# Louder than this a sample has no place among 24-bit integers.
_CEILING = 1.0 - 2.0 * STEP
_TAG_ROOM = 1 << 24


@dataclass(frozen=True, slots=True)
class Summed:
    """What was written.

    Attributes
    ----------
    bits : int
        24, or 32 for float, where a channel is louder than integers can hold.
    error_steps : float
        How far the sum of the files is from the mix at most, in steps of 24 bits.
    """

    files: tuple[str, ...]
    bits: int
    frames: int
    error_steps: float


def write_mix_stems(
    parts: Mapping[Path, Path],
    mix: Path,
    *,
    labels: Mapping[Path, Labels],
    progress: Progress = silent,
) -> Summed:
    """Write parts of a mix as 24-bit WAVs that sum to it, or as float ones where 24 bits would clip.

    Parameters
    ----------
    parts : mapping of Path to Path
        The file to write, and the float32 WAV to read, of each channel; all as long as the mix.
    mix : Path
        Float32 WAV.
    labels : mapping of Path to Labels
        Tags of the files to write.

    Raises
    ------
    AudioInputError
        When a part is not as long as the mix.
    ResourceError
        When the disk refuses.
    """
    info = probe(mix)
    for source in parts.values():
        if probe(source) != info:
            raise AudioInputError(
                f"'{source.name}' is no part of '{mix.name}': they have not the same length"
            )
    peak = max((_peak(source) for source in parts.values()), default=0.0)
    form = "int24" if peak < _CEILING else "float32"
    data_bytes = info.frames * info.channels * FORMATS[form].sample_bytes
    error = 0.0
    with ExitStack() as stack:
        temporary = {path: stack.enter_context(replacing(path)) for path in parts}
        with ExitStack() as open_files:
            writers = [
                open_files.enter_context(
                    WavWriter(
                        place,
                        sample_rate=info.sample_rate,
                        channels=info.channels,
                        sample_format=form,
                        reserve=data_bytes + _TAG_ROOM > RIFF_LIMIT,
                    )
                )
                for place in temporary.values()
            ]
            done = 0
            for heard, *sounds in zip(blocks(mix), *map(blocks, parts.values()), strict=True):
                rounded = _together(heard, sounds, form)
                for writer, samples in zip(writers, rounded, strict=True):
                    writer.write(samples)
                scale = STEP if form == "int24" else 1.0
                total = np.sum([samples * scale for samples in rounded], axis=0, dtype=np.float64)
                error = max(error, float(np.abs(total - heard).max(initial=0.0)))
                done += heard.shape[1]
                part(progress, 0.2, 1.0)(done / info.frames)
        for path, place in temporary.items():
            write_wav_tags(place, labels[path])
    return Summed(
        tuple(path.name for path in parts), 24 if form == "int24" else 32, info.frames, error * _FULL
    )


def _peak(path: Path) -> float:
    return max((float(np.abs(block).max(initial=0.0)) for block in blocks(path)), default=0.0)


def _together(heard: Samples, sounds: Sequence[Samples], form: str) -> list[NDArray[Any]]:
    """Round the parts of a block of the mix to the samples of their files."""
    exact = [sound.astype(np.float64) for sound in sounds]
    # What the mix is off their sum is rounding too. More than that is no error to be hidden: something sounds otherwise
    # the second time, and the sum then tells.
    over = np.clip(heard - np.sum(exact, axis=0, dtype=np.float64), -STEP, STEP)
    rounded: list[NDArray[Any]] = []
    for sound in exact:
        wanted = sound + over
        if form == "int24":
            made = np.clip(np.rint(wanted * _FULL), -_FULL, _FULL - 1.0)
            made[sound == 0.0] = 0.0
            rounded.append(made.astype(np.int32))
            over = over + sound - made * STEP
        else:
            single = wanted.astype(np.float32)
            single[sound == 0.0] = 0.0
            rounded.append(single)
            over = over + sound - single
    return rounded
