"""From clips to examples: which clip is sung how, and through whose ears it is heard.

`plan` writes the list of pieces; `make` makes one of them. Both depend on nothing but the clips' content, the profile
and the seed. A longer plan begins with a shorter one, so what was made is used again when there is more time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.buffer import fit
from covermaker.features.clock import f0_at_clock, frame_count
from covermaker.training.augment import (
    WORLD_FRAME_SECONDS,
    Voice,
    channel_strip,
    colour,
    through_separator,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from covermaker.training.profiles import Augmentation

HEARD_RATE = 16_000  # what content encoders hear
_FIRST_MADE = 1 << 20  # above the number of any plain piece: numbers seed what is drawn
MAX_SECONDS = 29.0  # a piece must fit into one window of the content encoder
_MADE_SECONDS = 20.0
_RATES = (
    16_000,
    22_000,
    24_000,
    32_000,
    44_100,
    48_000,
)  # 22 000: 22 050 is no whole number of samples a frame


@dataclass(frozen=True)
class Source:
    """A clip of the takes: a mono file, its hash, its length, and whose row of the speaker table it is."""

    path: Path
    sha256: str
    seconds: float
    speaker: int = 0


@dataclass(frozen=True)
class Piece:
    """One example to be made: a cut of a clip, sung in one way.

    Parameters
    ----------
    source : Source
    kind : str
        ``plain``, ``transposed``, ``sung`` or ``held``.
    number : int
        Seeds its random draws, with the profile's seed.
    start_seconds, seconds : float
        The cut of the clip.
    ratio : float
        How much longer it gets.
    """

    source: Source
    kind: str
    number: int
    start_seconds: float
    seconds: float
    ratio: float = 1.0

    def identity(self) -> list[Any]:
        """Return what makes the piece what it is, without a path."""
        return [
            self.source.sha256,
            self.source.speaker,
            self.kind,
            self.number,
            self.start_seconds,
            self.seconds,
            self.ratio,
        ]


@dataclass(frozen=True)
class Material:
    """A piece, made: the target at the voice's rate and everything that the encoder shall hear of it at 16 kHz."""

    target: NDArray[np.float32]
    f0_hz: NDArray[np.float32]
    loudness_db: NDArray[np.float32]
    heard: list[NDArray[np.float32]]
    speaker: int


def voice_rate(band_limits_hz: Sequence[float], seconds: Sequence[float]) -> int:
    """Choose the voice's sample rate: the lowest that holds the band of nearly all takes.

    Parameters
    ----------
    band_limits_hz : sequence of float
        Highest frequency with sound in it, a clip each.
    seconds : sequence of float
        Their lengths; a tenth of the whole may reach higher.

    Returns
    -------
    int
        16 000 to 48 000 Hz.
    """
    order = np.argsort(band_limits_hz)
    share = np.cumsum(np.asarray(seconds, np.float64)[order]) / max(float(np.sum(seconds)), 1e-9)
    limit = float(np.asarray(band_limits_hz)[order][np.searchsorted(share, 0.9).clip(max=len(order) - 1)])
    # Filters of converters and codecs fall off just below half their rate.
    return next((rate for rate in _RATES if limit <= 0.51 * rate), _RATES[-1])


def plan(
    sources: Sequence[Source], augmentation: Augmentation, *, seed: int, made_minutes: float | None = None
) -> list[Piece]:
    """Decide what is made of the clips.

    Returns
    -------
    list of Piece
        Plain ones first, then those of changing kind.
    """
    order = np.random.default_rng([seed, 1]).permutation(len(sources))
    pieces: list[Piece] = []
    left = augmentation.plain_minutes * 60.0
    for index in order:
        if left <= 0:
            break
        source = sources[index]
        # A clip longer than what is read at once becomes several pieces of one length, and none of it is lost.
        cuts = max(1, math.ceil(source.seconds / MAX_SECONDS))
        seconds = source.seconds / cuts
        pieces += [Piece(source, "plain", len(pieces) + cut, cut * seconds, seconds) for cut in range(cuts)]
        left -= source.seconds

    wanted = 60.0 * (augmentation.made_minutes if made_minutes is None else made_minutes)
    kinds = ("transposed", "sung", "held")
    shares = np.array([getattr(augmentation, kind) for kind in kinds], dtype=np.float64)
    rng = np.random.default_rng([seed, 2])
    done = np.zeros(len(kinds))
    queue: list[int] = []
    number = _FIRST_MADE  # a plan's made pieces do not depend on how many are plain
    while done.sum() < wanted and shares.sum() > 0:
        queue = queue or list(rng.permutation(len(sources)))
        source = sources[queue.pop()]
        # The kind that is furthest behind its share.
        which = int(np.argmax(shares / shares.sum() * (done.sum() + 1.0) - done))
        ratio = {"transposed": 1.0, "sung": rng.uniform(1.4, 2.4), "held": rng.uniform(2.0, 5.0)}[
            kinds[which]
        ]
        longer = ratio if kinds[which] != "held" else 0.5 * (1.0 + ratio)
        seconds = min(source.seconds, _MADE_SECONDS / longer)
        start = float(rng.uniform(0.0, source.seconds - seconds))
        pieces.append(
            Piece(source, kinds[which], number, round(start, 3), round(seconds, 3), round(float(ratio), 4))
        )
        done[which] += seconds * longer
        number += 1
    return pieces


def read_cut(source: Path, rate: int, start_seconds: float, seconds: float) -> NDArray[np.float32]:
    """Read a cut of a clip as mono at `rate`."""
    import soxr

    from covermaker.audio.files import probe, read

    native = probe(source).sample_rate
    audio = read(source, start=round(start_seconds * native), frames=round(seconds * native))
    mono = audio.samples.mean(axis=0)
    return np.asarray(mono if native == rate else soxr.resample(mono, native, rate), dtype=np.float32)


def make(
    piece: Piece,
    augmentation: Augmentation,
    rate: int,
    *,
    seed: int,
    median_hz: float,
    separate: Callable[[NDArray[np.float32]], NDArray[np.float32]] | None = None,
) -> Material:
    """Make one piece.

    Parameters
    ----------
    piece : Piece
    augmentation : Augmentation
    rate : int
        The voice's, in Hz.
    seed : int
    median_hz : float
        The singer's usual pitch: melodies go around it, and other throats away from it.
    separate : callable, optional
        Maps a mix at 16 kHz to its vocal; without it nothing is heard through a separator.
    """
    rng = np.random.default_rng([seed, piece.number, 3])
    target = read_cut(piece.source.path, rate, piece.start_seconds, piece.seconds)
    if augmentation.presence > 0.0:
        target = channel_strip(target, rate, amount=augmentation.presence)
    voice = Voice.analyse(target, rate, method=augmentation.pitch)
    if piece.kind == "transposed":
        voice = voice.transposed(rng.uniform(-5.0, 14.0 if median_hz > 165.0 else 19.0))
    elif piece.kind in ("sung", "held"):
        voice = voice.stretched(piece.ratio) if piece.kind == "sung" else voice.held(piece.ratio)
        low_hz = median_hz * 2.0 ** rng.uniform(-0.5, 0.85)
        voice = voice.sing(rng, low_hz=low_hz, high_hz=low_hz * rng.uniform(1.5, 2.1))
    if piece.kind != "plain":
        target = voice.synthesize()
    target = target[: int(MAX_SECONDS * rate)]

    narrow = _at_heard_rate(target, rate)
    heard = [narrow]
    for which in range(augmentation.throats):
        ratio, semitones = throat(rng, which, median_hz)
        # Heard at 16 kHz, so the envelope above 8 kHz is not needed: but WORLD's own rate is the voice's.
        other = _at_heard_rate(voice.other_throat(ratio, semitones).synthesize()[: len(target)], rate)
        other = fit(other, len(narrow))
        heard.append(colour(other, HEARD_RATE, rng) if rng.random() < augmentation.coloured else other)
    if separate is not None and rng.random() < augmentation.separated:
        heard.append(through_separator(heard[int(rng.integers(len(heard)))], HEARD_RATE, rng, separate))

    times = np.arange(voice.frames) * WORLD_FRAME_SECONDS
    f0_hz = f0_at_clock(voice.f0_hz, times, frame_count(len(target), rate))
    return Material(target, f0_hz, loudness(target, rate), heard, piece.source.speaker)


def throat(rng: np.random.Generator, which: int, median_hz: float) -> tuple[float, float]:
    """Draw another singer: formant ratio and semitones. Even ones are of the other sex, odd ones of the same."""
    if which % 2:
        return float(rng.uniform(0.93, 1.22)), float(rng.uniform(-4.0, 6.0))
    if median_hz > 165.0:
        return float(rng.uniform(0.78, 0.93)), float(rng.uniform(-13.0, -3.0))
    return float(rng.uniform(1.07, 1.28)), float(rng.uniform(3.0, 14.0))


def loudness(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Return the level on the feature clock, as `features.loudness` measures a file."""
    import tempfile

    import soundfile

    from covermaker.features.loudness import frame_loudness_db

    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "target.wav"
        soundfile.write(path, samples, rate, subtype="FLOAT")
        return frame_loudness_db(path)


def _at_heard_rate(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    if rate == HEARD_RATE:
        return samples
    import soxr

    return np.asarray(soxr.resample(samples, rate, HEARD_RATE), dtype=np.float32)
