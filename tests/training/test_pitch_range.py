"""What a card says of pitch is a matter of the takes and the profile, and agrees with what is made."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from covermaker.training import material
from covermaker.training.augment import Voice
from covermaker.training.material import Source, make, plan
from covermaker.training.pitch_range import Sung, on_card, taken_range, trained_range
from covermaker.training.profiles import Augmentation

RATE = 16_000
AUGMENTATION = Augmentation(made_minutes=20.0, throats=0, separated=0.0)


def cents(a: float, b: float) -> float:
    return 1200.0 * float(np.log2(a / b))


def speech(seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    curves = [200.0 * 2.0 ** rng.normal(0.0, 0.15, 3000) for _ in range(4)]
    return [np.where(rng.random(3000) < 0.3, 0.0, curve).astype(np.float32) for curve in curves]


SPEECH = Sung(speech(), 480.0, 200.0)


def test_the_takes_range_leaves_unvoiced_frames_out() -> None:
    low, median, high = taken_range([SPEECH])
    assert median == pytest.approx(200.0, rel=0.01)
    assert cents(high, low) == pytest.approx(2 * 1.645 * 0.15 * 1200, rel=0.03)


def test_the_trained_range_reaches_further_and_is_no_matter_of_luck() -> None:
    first = trained_range([SPEECH], AUGMENTATION)
    assert first == trained_range([SPEECH], AUGMENTATION)
    assert first[0] < taken_range([SPEECH])[0]
    assert first[2] > 1.3 * taken_range([SPEECH])[2]
    # Other frames of the same singer: the same range to a few cents.
    other = trained_range([Sung(speech(1), 480.0, 200.0)], AUGMENTATION)
    assert abs(cents(other[1], first[1])) < 20.0


def test_the_card_says_both() -> None:
    part = on_card(taken_range([SPEECH]), trained_range([SPEECH], AUGMENTATION))
    assert part.takes_median_hz == pytest.approx(200.0, rel=0.01)
    assert part.median_hz > part.takes_median_hz


def test_without_anything_made_it_is_the_takes_range() -> None:
    trained = trained_range([SPEECH], replace(AUGMENTATION, made_minutes=0.0))
    assert all(abs(cents(a, b)) < 20.0 for a, b in zip(trained, taken_range([SPEECH]), strict=True))


def test_two_singers_are_moved_around_their_own_middles() -> None:
    deep = Sung([curve / 2 for curve in speech(2)], 480.0, 100.0)
    low, _, high = trained_range([SPEECH, deep], AUGMENTATION)
    alone, lower = (trained_range([one], AUGMENTATION) for one in (SPEECH, deep))
    assert abs(cents(low, lower[0])) < 400.0
    assert abs(cents(high, alone[2])) < 400.0
    assert taken_range([SPEECH, deep])[0] < 90.0


def test_it_is_the_range_of_what_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the sound is left out: what is sung is drawn as `make` draws it."""
    rng = np.random.default_rng(4)

    def heard(samples: np.ndarray, rate: int, **_: object) -> np.ndarray:
        frames = len(samples) // (RATE // 200) + 1
        return 200.0 * 2.0 ** np.cumsum(rng.normal(0.0, 0.01, frames))

    def analysed(samples: np.ndarray, rate: int, f0_hz: np.ndarray) -> Voice:
        return Voice(f0_hz, np.ones((len(f0_hz), 2)), np.ones((len(f0_hz), 2)), rate)

    monkeypatch.setattr(Voice, "analyse", analysed)
    monkeypatch.setattr(Voice, "pitch_of", heard)
    monkeypatch.setattr(Voice, "synthesize", lambda voice: np.zeros(voice.frames * (RATE // 200), np.float32))
    monkeypatch.setattr(
        material, "read_cut", lambda path, rate, start, seconds: np.zeros(int(seconds * rate), np.float32)
    )
    sources = [Source(Path("a.wav"), f"{n:064x}", 8.0) for n in range(60)]
    pieces = plan(sources, AUGMENTATION, seed=1)
    found = [make(piece, AUGMENTATION, RATE, seed=1, median_hz=200.0).f0_hz for piece in pieces]
    plain = [f0_hz for piece, f0_hz in zip(pieces, found, strict=True) if piece.kind == "plain"]
    seconds = sum(piece.seconds for piece in pieces if piece.kind == "plain")
    told = trained_range([Sung(plain, seconds, 200.0)], AUGMENTATION)
    # A hundred melodies are no law of large numbers: within a semitone.
    assert all(
        abs(cents(a, b)) < 100.0 for a, b in zip(told, taken_range([Sung(found, 0.0, 200.0)]), strict=True)
    )
