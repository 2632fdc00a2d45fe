"""Twenty mixes that have little in common, mastered to -14 and to -9, and the MP3s made of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from master_signals import RATE, libebur128_peak_db, noise, real_song, sine, square, stereo, true_peak_db
from numpy.typing import NDArray

from covermaker.audio.files import read
from covermaker.audio.loudness import measure_file
from covermaker.export.files import Wishes, export_master
from covermaker.master.master import MasterSettings, master_file

Signal = NDArray[np.floating]
SECONDS = 8.0
CEILING_DBTP = -1.0


def coloured(slope_db: float, *, level: float = 0.1, seed: int = 0) -> Signal:
    """Noise that falls by `slope_db` an octave above 40 Hz."""
    frames = round(SECONDS * RATE)
    hz = np.maximum(np.fft.rfftfreq(frames, 1 / RATE), 40.0)
    spectra = np.fft.rfft(np.random.default_rng(seed).standard_normal((2, frames)))
    samples = np.fft.irfft(spectra * 10 ** (-slope_db * np.log2(hz / 40.0) / 20), frames)
    return level * samples / samples.std()


def times() -> Signal:
    return np.arange(round(SECONDS * RATE)) / RATE


def speech_like(*, level: float = 0.1) -> Signal:
    """Syllables four times a second, a pause every third second, buzz and hiss."""
    t = times()
    syllables = np.maximum(0.0, np.sin(2 * np.pi * 3.7 * t)) ** 2 * (t % 3 < 2.2)
    buzz = sum(np.sin(2 * np.pi * 130 * n * t + n) / n for n in range(1, 25))
    return level * stereo((buzz * 0.5 + coloured(0.0, seed=3)[0]) * syllables)


def beat(*, level: float = 0.8, per_second: float = 2.0) -> Signal:
    """A kick, a snare, a hat: sparse and peaky."""
    t = times()
    kick = np.sin(2 * np.pi * 55 * (t % (1 / per_second))) * np.exp(-20 * (t % (1 / per_second)))
    late = (t + 0.5 / per_second) % (1 / per_second)
    snare = np.exp(-35 * late) * noise(SECONDS, level=0.5)
    hat = np.exp(-90 * (t % (0.25 / per_second))) * noise(SECONDS, level=0.15, seed=4)
    return level * (stereo(kick) + snare + hat)


def chords(*, level: float = 0.1) -> Signal:
    t = times()
    left, right = (
        sum(np.sin(2 * np.pi * hz * t + hz) for hz in np.outer(row, range(1, 7)).reshape(-1))
        for row in ((220.0, 277.2, 329.6), (220.7, 276.5, 330.4))
    )
    return level * np.stack([left, right]) / 3.0


def gated(samples: Signal, begin: float, end: float) -> Signal:
    return samples * ((times() >= begin) & (times() < end))


MIXES: dict[str, Callable[[], Signal]] = {
    "speech-like": speech_like,
    "quiet speech": lambda: speech_like(level=0.004),
    "dense": lambda: np.tanh(3.0 * coloured(3.0, level=0.4)),
    "peaky": beat,
    "slow and peaky": lambda: beat(per_second=0.7),
    "beat under chords": lambda: beat(level=0.5) + chords(),
    "sparse clicks": lambda: chords(level=0.02) + 0.9 * (times() % 1.0 < 0.0005),
    "quiet": lambda: coloured(4.0, level=0.0008),
    "heavy lows": lambda: coloured(9.0, level=0.2),
    "bass and beat": lambda: stereo(sine(45.0, SECONDS, level_db=-9.0)) + beat(level=0.3),
    "clipped": lambda: np.clip(2.5 * (chords(level=0.3) + beat()), -1.0, 1.0),
    "clipped beyond full scale": lambda: 1.6 * np.clip(coloured(3.0, level=0.5), -0.9, 0.9),
    "mono": lambda: stereo(coloured(3.0)[0]),
    "one side": lambda: coloured(3.0) * np.array([[1.0], [0.0]]),
    "out of phase": lambda: coloured(3.0)[:1] * np.array([[1.0], [-1.0]]),
    "long silence": lambda: gated(coloured(3.0), 2.0, 3.5),
    "swelling": lambda: coloured(3.0, level=0.3) * np.linspace(0.001, 1.0, len(times())) ** 2,
    "white": lambda: coloured(0.0),
    "square wave": lambda: 0.5 * square(220.0, SECONDS),
    "a real song": lambda: real_song(SECONDS),
}


def check(wav: Callable[..., Path], names: list[str], target_lufs: float) -> dict[str, str]:
    """Master mixes and make their MP3s; returns those that did not reach the target, with the reason."""
    told = {}
    for name in names:
        mix = wav(MIXES[name]())
        out = mix.with_name("master.wav")
        settings = MasterSettings(loudness_lufs=target_lufs, true_peak_dbtp=CEILING_DBTP)
        report = master_file(mix, out, settings=settings)
        made = read(out)
        assert true_peak_db(made.samples) <= CEILING_DBTP + 0.05, name
        assert libebur128_peak_db(made.samples) <= CEILING_DBTP + 0.05, name
        lufs = measure_file(out, true_peak=False).integrated_lufs
        if report.reached:
            assert lufs == pytest.approx(target_lufs, abs=0.1), name
        else:
            assert "would push peaks more than 18 dB over the ceiling" in report.reason, name
            told[name] = report.reason
        (mp3,) = export_master(
            out, mix.parent / "out", formats=["mp3-192"], stem_name="s", tags={}, seed=0,
            wishes=Wishes(ceiling_dbtp=CEILING_DBTP),
        )  # fmt: skip
        decoded = read(mix.parent / "out" / mp3.name)
        assert decoded.frames == made.frames, name
        assert libebur128_peak_db(decoded.samples) <= CEILING_DBTP + 0.05, name
        assert true_peak_db(decoded.samples) <= CEILING_DBTP + 0.15, name
    return told


def test_there_are_twenty() -> None:
    assert len(MIXES) == 20


def test_some_of_them(wav: Callable[..., Path]) -> None:
    assert check(wav, ["speech-like", "clipped", "heavy lows"], -14.0) == {}


@pytest.mark.slow
@pytest.mark.parametrize("target_lufs", [-14.0, -9.0])
def test_all_of_them(wav: Callable[..., Path], target_lufs: float) -> None:
    told = check(wav, list(MIXES), target_lufs)
    print(f"{target_lufs:g} LUFS: {len(MIXES) - len(told)} of {len(MIXES)} reached, not: {', '.join(told)}")
    assert len(told) <= (2 if target_lufs == -14.0 else 11)
