"""What the master hears: the mix behind its rack, with the tone of a reference when one is to be matched."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.files import blocks, wav_writer
from covermaker.effects.rack import InPlace, Rack, rack_params
from covermaker.errors import AudioInputError
from covermaker.master.match import ToneFilter, curve_between, reference_tone, tone_of
from covermaker.progress import Progress, part, silent

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from pathlib import Path

    from covermaker.audio.buffer import Samples
    from covermaker.audio.files import AudioInfo
    from covermaker.master.match import Curve, Match
    from covermaker.master.settings import MasterSettings


@dataclass(frozen=True, slots=True)
class Matched:
    """How loud the reference is, and what the mix is filtered by: None when the mix is silent, or nothing is asked."""

    lufs: float
    curve: Curve | None

    def summary(self) -> dict[str, Any]:
        """Return it as plain numbers."""
        return {"reference_lufs": self.lufs, **({} if self.curve is None else self.curve.summary())}


@dataclass(frozen=True, slots=True)
class OpenMix:
    """A stream that must be read to its end once, or closed; then `path` holds the same samples."""

    path: Path
    stream: Generator[Samples]
    matched: Matched | None = None


def open_mix(
    mix: Path, work: Path, settings: MasterSettings, info: AudioInfo, *, progress: Progress = silent
) -> OpenMix:
    """Send a mix through rack and match.

    Parameters
    ----------
    work : Path
        Folder for what is written on the way.
    progress : callable
        Told how far the comparison with the reference has come, which needs the whole song.

    Raises
    ------
    AudioInputError
        When mix or reference cannot be used.
    """
    source = _racked(mix, work, settings, info)
    return source if settings.match is None else _matched(source, work, settings.match, info, progress)


def _racked(mix: Path, work: Path, settings: MasterSettings, info: AudioInfo) -> OpenMix:
    if not rack_params(settings.rack, settings.moves):
        return OpenMix(mix, _plain(mix))
    if info.channels > 2:
        raise _too_wide(mix, info)
    racked = work / "racked.wav"
    return OpenMix(racked, _written(_through(mix, settings, info), racked, info))


def _through(mix: Path, settings: MasterSettings, info: AudioInfo) -> Generator[Samples]:
    """Yield what comes out of the rack, as long as what goes in and at its own place."""
    rack = Rack(
        settings.rack,
        sample_rate=info.sample_rate,
        channels=info.channels,
        moves=settings.moves,
        start=settings.start,
    )
    aligned = InPlace(rack, info.channels)
    for block in blocks(mix):
        made = aligned.process(block)
        if made.shape[1]:
            yield made
    rest = aligned.finish()
    if rest.shape[1]:
        yield rest


def _matched(source: OpenMix, work: Path, match: Match, info: AudioInfo, progress: Progress) -> OpenMix:
    """Compare what comes out of the rack with the reference, then filter it."""
    rate = info.sample_rate
    if info.channels > 2:
        raise _too_wide(source.path, info)
    with closing(source.stream):
        reference = reference_tone(match.reference, work, sample_rate=rate, progress=part(progress, 0.0, 0.6))
        assert reference.lufs is not None
        mix = tone_of(source.stream, channels=info.channels, sample_rate=rate)
    progress(1.0)
    curve = curve_between(mix, reference, amount=match.amount)
    if curve is None or match.amount == 0.0:
        return OpenMix(source.path, _plain(source.path), Matched(reference.lufs, None))
    filtered = work / "matched.wav"
    stream = ToneFilter(curve, rate).filtered(blocks(source.path))
    return OpenMix(filtered, _written(stream, filtered, info), Matched(reference.lufs, curve))


def _plain(path: Path) -> Generator[Samples]:
    for block in blocks(path):
        if not np.isfinite(block).all():
            raise AudioInputError(f"{path.name} holds NaN or infinite samples")
        yield block


def _written(source: Iterable[Samples], path: Path, info: AudioInfo) -> Generator[Samples]:
    """Yield a stream, and write it."""
    with wav_writer(path, sample_rate=info.sample_rate, channels=info.channels) as writer:
        for made in source:
            writer.write(made)
            yield made


def _too_wide(path: Path, info: AudioInfo) -> AudioInputError:
    return AudioInputError(f"{path.name} has {info.channels} channels", hint="mix it down to stereo first")
