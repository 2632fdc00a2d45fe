"""From clips to examples: which clip is sung how, and through whose ears it is heard.

`plan` writes the list of pieces; `make` makes one of them. Both depend on nothing but the clips' content, the profile
and the seed. A longer plan holds a shorter one, so what was made is used again when there is more time; and a
piece is what it is whatever other clips there are, so one take more or less changes which pieces are made, not what
is in them.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.buffer import fit
from covermaker.features.clock import f0_at_clock, frame_count
from covermaker.features.loudness import samples_loudness_db
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
MAX_SECONDS = 29.0  # a piece must fit into one window of the content encoder
_MADE_SECONDS = 14.0  # two readings of a piece share a window
_KINDS = ("transposed", "sung", "held")  # what is made
# Of `augment.channel_strip`: 3 to 23 dB more at 2 kHz than at 200 Hz, on top of a lively take.
_BRIGHTNESS = (0.2, 1.4)
_DEEP_HZ = 165.0  # a usual pitch below this is taken for a man's
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
        """Return what decides how the piece sounds: no path, and no row of the speaker table."""
        return [
            self.source.sha256,
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
    """Decide what is made of the clips; of several singers each one gets the share that their takes are of all.

    Returns
    -------
    list of Piece
        Plain ones first, then those of changing kind; of several singers, one after the other.
    """
    minutes = augmentation.made_minutes if made_minutes is None else made_minutes
    speakers = sorted({source.speaker for source in sources})
    if len(speakers) < 2:
        return _plan_of_one(sources, augmentation, seed, minutes)
    whole = sum(source.seconds for source in sources)
    pieces: list[Piece] = []
    for speaker in speakers:
        own = [source for source in sources if source.speaker == speaker]
        share = sum(source.seconds for source in own) / whole
        wanted = replace(augmentation, plain_minutes=share * augmentation.plain_minutes)
        pieces += _plan_of_one(own, wanted, seed, share * minutes)
    return sorted(pieces, key=lambda piece: piece.kind != "plain")


def _plan_of_one(
    sources: Sequence[Source], augmentation: Augmentation, seed: int, made_minutes: float
) -> list[Piece]:
    circle = sorted(sources, key=lambda one: (_place(seed, one), one.path.name))
    pieces: list[Piece] = []
    left = augmentation.plain_minutes * 60.0
    for source in circle:
        if left <= 0:
            break
        pieces += _plain(source)
        left -= source.seconds

    wanted = 60.0 * made_minutes
    shares = np.array([getattr(augmentation, kind) for kind in _KINDS], dtype=np.float64)
    if shares.sum() <= 0:
        return pieces
    shares /= shares.sum()
    places = [_place(seed, source) for source in circle]
    # Every kind walks round the circle from a start of its own, as far from the next one's as its share: no clip comes
    # twice before nearly every one came once, and which piece a clip becomes depends on no other clip.
    starts = np.searchsorted(places, np.cumsum(shares) - shares) % len(circle)
    taken = np.zeros(len(_KINDS), dtype=np.int64)
    done = np.zeros(len(_KINDS))
    while done.sum() < wanted:
        which = int(
            np.argmax(shares * (done.sum() + 1.0) - done)
        )  # the kind that is furthest behind its share
        position = int(starts[which] + taken[which])
        lap = int(taken[which]) // len(circle)
        piece, seconds = _made(circle[position % len(circle)], _KINDS[which], lap, seed)
        pieces.append(piece)
        taken[which] += 1
        done[which] += seconds
    return pieces


def _place(seed: int, source: Source) -> float:
    """Return where on the circle a clip lies, 0..1: by its content, not by the number of clips before it."""
    return _number(seed, source.sha256) / 2.0**63


def _number(*facts: Any) -> int:
    """Return 63 bits that stand for some facts."""
    return int.from_bytes(hashlib.sha256(repr(facts).encode()).digest()[:8], "big") >> 1


def _plain(source: Source) -> list[Piece]:
    """Return a clip as it is; one longer than what is read at once in pieces of one length, so none of it is lost."""
    cuts = max(1, math.ceil(source.seconds / MAX_SECONDS))
    seconds = source.seconds / cuts
    return [
        Piece(source, "plain", _number(source.sha256, "plain", cut), cut * seconds, seconds)
        for cut in range(cuts)
    ]


def _made(source: Source, kind: str, lap: int, seed: int) -> tuple[Piece, float]:
    """Return what a kind makes of a clip when it comes by for the `lap`-th time, and how many seconds it will have."""
    number = _number(source.sha256, kind, lap)
    rng = np.random.default_rng([seed, 2, number])
    ratio = {"transposed": 1.0, "sung": rng.uniform(1.4, 2.4), "held": rng.uniform(2.0, 5.0)}[kind]
    longer = ratio if kind != "held" else 0.5 * (1.0 + ratio)
    seconds = min(source.seconds, _MADE_SECONDS / longer)
    start = float(rng.uniform(0.0, source.seconds - seconds))
    piece = Piece(source, kind, number, round(start, 3), round(seconds, 3), round(float(ratio), 4))
    return piece, float(seconds * longer)


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
    f0_hz = Voice.pitch_of(target, rate, method=augmentation.pitch)
    if augmentation.presence > 0.0:
        # After the pitch was read: with little left of its fundamental, a voice is taken for half as high.
        target = channel_strip(target, rate, amount=augmentation.presence)
    if (
        piece.kind == "plain" and not augmentation.throats
    ):  # nothing is made of it: it need not be taken apart
        nothing = np.empty((0, 0))
        voice = Voice(f0_hz, nothing, nothing, rate)
    else:
        voice = Voice.analyse(target, rate, f0_hz)
    if piece.kind == "transposed":
        voice = voice.transposed(transposition(rng, median_hz))
    elif piece.kind in ("sung", "held"):
        voice = voice.stretched(piece.ratio) if piece.kind == "sung" else voice.held(piece.ratio)
        low_hz, high_hz = melody_bounds(rng, median_hz)
        voice = voice.sing(rng, low_hz=low_hz, high_hz=high_hz)
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
        if rng.random() < augmentation.bright:
            other = channel_strip(other, HEARD_RATE, amount=float(rng.uniform(*_BRIGHTNESS)))
        heard.append(colour(other, HEARD_RATE, rng) if rng.random() < augmentation.coloured else other)
    if separate is not None and rng.random() < augmentation.separated:
        heard.append(through_separator(heard[int(rng.integers(len(heard)))], HEARD_RATE, rng, separate))

    times = np.arange(voice.frames) * WORLD_FRAME_SECONDS
    sung_hz = f0_at_clock(voice.f0_hz, times, frame_count(len(target), rate))
    return Material(target, sung_hz, samples_loudness_db(target, rate), heard)


def transposition(rng: np.random.Generator, median_hz: float) -> float:
    """Draw by how many semitones a piece is moved; a deep voice goes further up."""
    return float(rng.uniform(-5.0, 14.0 if median_hz > _DEEP_HZ else 19.0))


def melody_bounds(rng: np.random.Generator, median_hz: float) -> tuple[float, float]:
    """Draw the lowest and the highest note of a melody around a singer's usual pitch, in Hz."""
    low_hz = median_hz * 2.0 ** rng.uniform(-0.5, 0.85)
    return low_hz, low_hz * float(rng.uniform(1.5, 2.1))


def throat(rng: np.random.Generator, which: int, median_hz: float) -> tuple[float, float]:
    """Draw another singer: formant ratio and semitones. Even ones are of the other sex, odd ones of the same."""
    if which % 2:
        return float(rng.uniform(0.93, 1.22)), float(rng.uniform(-4.0, 6.0))
    if median_hz > _DEEP_HZ:
        return float(rng.uniform(0.78, 0.93)), float(rng.uniform(-13.0, -3.0))
    return float(rng.uniform(1.07, 1.28)), float(rng.uniform(3.0, 14.0))


def _at_heard_rate(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    if rate == HEARD_RATE:
        return samples
    import soxr

    return np.asarray(soxr.resample(samples, rate, HEARD_RATE), dtype=np.float32)
