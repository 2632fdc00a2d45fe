"""A take as it is measured and cut: one channel, cleaned if asked, at its own rate, in a file that can be sought."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.files import blocks, probe, wav_writer
from covermaker.disk import file_sha256, replacing
from covermaker.progress import part, silent
from covermaker.takes import denoise
from covermaker.takes.cache import key_of, scratch
from covermaker.takes.signal import Facts, read_facts, to_mono

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from covermaker.audio.buffer import Samples
    from covermaker.progress import Progress
    from covermaker.takes.document import Cleaning

SEPARATOR = "spleeter"
VERSION = 1
_CLEAN = "clean-"  # how the names of kept copies begin


def working_key(sha256: str, cleaning: Cleaning) -> str:
    """Return what decides about a working copy's samples."""
    if not (cleaning.separate or cleaning.denoise):
        return key_of(VERSION, sha256)
    from covermaker.stems import SEPARATORS

    facts: list[object] = [VERSION, sha256]
    if cleaning.separate:
        separator = SEPARATORS.load(SEPARATOR)(device="cpu")
        facts += [SEPARATOR, separator.VERSION, separator.params(), *separator.weights_used()]
    if cleaning.denoise:
        facts += [denoise.PACKAGE, denoise.VERSION]
    return key_of(*facts)


@contextmanager
def working_copy(
    take: Path, cleaning: Cleaning, cache: Path | None, *, progress: Progress = silent
) -> Iterator[Path]:
    """Yield a take's working copy.

    Cleaned ones are kept in `cache`, as they cost time; the others are deleted in the end.

    Raises
    ------
    AudioInputError
        When the take cannot be read.
    ResourceError
        When cleaning is asked for and its package is missing, or the disk is full.
    """
    if not (cleaning.separate or cleaning.denoise):
        with scratch(cache) as folder:
            plain = folder / "mono.wav"
            mono_file(take, plain, facts_of(take))
            progress(1.0)
            yield plain
        return
    with scratch(cache) as folder:
        kept = folder / "clean.wav"
        if cache is not None:
            kept = cache / f"{_CLEAN}{working_key(file_sha256(take), cleaning)}.wav"
        if not kept.exists():
            with replacing(kept) as temporary:
                clean(take, temporary, cleaning, folder, progress=progress)
        yield kept


def forget_copies(cache: Path | None, keys: Collection[str]) -> None:
    """Delete the cleaned copies that no take needs any more: of one that was changed or removed, or cleaned otherwise.

    Parameters
    ----------
    cache : Path, optional
        The voice's, see `cache_folder`.
    keys : collection of str
        The `working_key` of every take.
    """
    for copy in cache.glob(f"{_CLEAN}*.wav") if cache is not None else ():
        if copy.stem.removeprefix(_CLEAN) not in keys:
            copy.unlink(missing_ok=True)


def facts_of(take: Path) -> Facts:
    """Measure a take's samples as they came."""
    return read_facts(take, blocks(take))


def mono_file(take: Path, out: Path, facts: Facts) -> None:
    """Write a take as one channel; inverted channels are turned right first."""
    with wav_writer(out, sample_rate=probe(take).sample_rate, channels=1) as file:
        for block in blocks(take):
            file.write(to_mono(block, inverted=facts.inverted))


def clean(take: Path, out: Path, cleaning: Cleaning, folder: Path, *, progress: Progress = silent) -> None:
    """Write a take as one channel without music, noise or both; `folder` holds what comes between."""
    facts = facts_of(take)
    mono = folder / "mono.wav"
    if cleaning.separate:
        separate_vocal(take, mono, facts, folder, progress=part(progress, 0.0, 0.8))
    else:
        mono_file(take, mono, facts)
    if cleaning.denoise:
        denoise.denoise(mono, out, progress=part(progress, 0.8 if cleaning.separate else 0.0, 1.0))
    else:
        with wav_writer(out, sample_rate=probe(mono).sample_rate, channels=1) as file:
            for block in blocks(mono):
                file.write(block)
    progress(1.0)


def separate_vocal(take: Path, out: Path, facts: Facts, folder: Path, *, progress: Progress = silent) -> None:
    """Write the vocal of a song with music as one channel."""
    song = folder / "song.wav"
    with wav_writer(song, sample_rate=probe(take).sample_rate, channels=2) as file:
        for block in blocks(take):
            file.write(_stereo(block, inverted=facts.inverted))
    split_song(song, folder / "stems", progress=progress)
    vocals = folder / "stems" / "vocals.wav"
    with wav_writer(out, sample_rate=probe(vocals).sample_rate, channels=1) as file:
        for block in blocks(vocals):
            file.write(to_mono(block, inverted=False))


def split_song(song: Path, out: Path, *, progress: Progress = silent) -> None:
    """Separate a stereo WAV with the default separator into ``vocals.wav`` and the rest."""
    from covermaker.stems import SEPARATORS

    out.mkdir(parents=True, exist_ok=True)
    SEPARATORS.load(SEPARATOR)(device="cpu").separate(song, out, progress=progress)


def _stereo(block: Samples, *, inverted: bool) -> Samples:
    if block.shape[0] == 2 and not inverted:
        return block
    if block.shape[0] == 2:
        return np.ascontiguousarray(block * np.array([[1.0], [-1.0]], np.float32))
    return np.repeat(to_mono(block, inverted=False), 2, axis=0)
