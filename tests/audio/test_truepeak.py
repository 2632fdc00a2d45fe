"""The meter against the full product it leaves most rows of out: the same bits, for any signal and any cut."""

import math

import numpy as np
import pytest
from audio_signals import song, tone

from covermaker.audio import truepeak
from covermaker.audio.files import read
from covermaker.audio.truepeak import (
    CONTEXT_FRAMES,
    ROW_FRAMES,
    Chunks,
    PeakMeter,
    TruePeakMeter,
    _bounds,
    bs1770_interpolator,
    sinc_interpolator,
)

FRAMES = 70_001
MATRICES = {
    "BS.1770, 4 times": bs1770_interpolator(44_100),
    "BS.1770, twice": bs1770_interpolator(96_000),
    "Kaiser, 8 times": sinc_interpolator(ROW_FRAMES, 8),
}


def noise(level=0.2, seed=7):
    return (np.random.default_rng(seed).standard_normal((2, FRAMES)) * level).astype(np.float32)


def limited():
    """A signal whose every row comes near the peak."""
    return np.clip(noise(2.0), -0.9, 0.9)


def impulse(at):
    samples = np.zeros((2, FRAMES), np.float32)
    samples[0, at] = -0.7
    samples[1, at : at + 2] = 0.5
    return samples


def between_samples():
    """A quarter-rate tone, 3 dB higher between its samples than on them, swelling."""
    at = np.arange(FRAMES)
    swell = 0.5 - 0.5 * np.cos(2 * np.pi * at / FRAMES)
    return np.tile((swell * np.sin(np.pi / 2 * at + np.pi / 4)).astype(np.float32), (2, 1))


SIGNALS = {
    "noise": noise,
    "quiet noise": lambda: noise(1e-6),
    "limited noise": limited,
    "alternating": lambda: np.tile(np.array([1, -1], np.float32), (2, FRAMES // 2)),
    "low tone": lambda: tone(50, 1.5, level_db=0, sample_rate=44_100),
    "high tone": lambda: tone(20_000, 1.5, level_db=0, sample_rate=44_100),
    "between samples": between_samples,
    "impulse at the start": lambda: impulse(0),
    "impulse at a row's edge": lambda: impulse(32 * 1024 - 1),
    "impulse at the end": lambda: impulse(FRAMES - 2),
    "step": lambda: np.full((2, FRAMES), 0.5, np.float32),
    "silence": lambda: np.zeros((2, FRAMES), np.float32),
    "song": lambda: song(FRAMES),
    "one sample": lambda: np.full((1, 1), 0.5, np.float32),
    "nothing": lambda: np.zeros((2, 0), np.float32),
}


def full_product(samples, matrix):
    """Return the highest value over all rows, in order."""
    peak = float(np.abs(samples).max(initial=0.0))
    for channel in samples:
        padded = np.pad(channel, (ROW_FRAMES + CONTEXT_FRAMES, 4096))
        rows = np.lib.stride_tricks.sliding_window_view(padded, len(matrix))[::ROW_FRAMES]
        rows = rows[: len(rows) // 64 * 64].reshape(-1, 64, len(matrix))
        peak = max(peak, *(float(np.abs(batch @ matrix).max(initial=0.0)) for batch in rows))
    return peak


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)
@pytest.mark.parametrize("make", SIGNALS.values(), ids=SIGNALS)
def test_the_reading_is_that_of_the_full_product(make, matrix):
    samples = make()
    meter = PeakMeter(len(samples), matrix)
    meter.push(samples)
    assert meter.finish() == [full_product(samples, matrix)]


@pytest.mark.parametrize("make", [noise, limited, between_samples])
@pytest.mark.parametrize("cut", [13, 32, 4410, 32_768, 65_536])
def test_the_cut_of_the_stream_does_not_matter(cut, make):
    samples = make()
    whole, parts = (PeakMeter(2, *MATRICES.values()) for _ in range(2))
    whole.push(samples)
    for at in range(0, samples.shape[1], cut):
        parts.push(samples[:, at : at + cut])
    assert parts.finish() == whole.finish()


def test_several_interpolators_read_what_each_reads_alone():
    samples = song(FRAMES)
    together = PeakMeter(2, *MATRICES.values())
    together.push(samples)
    alone = []
    for matrix in MATRICES.values():
        meter = PeakMeter(2, matrix)
        meter.push(samples)
        alone += meter.finish()
    assert together.finish() == alone


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)
def test_no_signal_exceeds_the_bound(matrix):
    """Also not the worst one for a position: the signs of its weights."""
    a, b = _bounds(matrix)
    random = np.random.default_rng(3).uniform(-1, 1, (5000, len(matrix)))
    windows = np.concatenate([random, np.sign(random), np.cumsum(random, axis=1), np.sign(matrix.T)])
    values = np.abs(windows @ matrix.astype(np.float64)).max(axis=1)
    level, bend = np.abs(windows).max(axis=1), np.abs(np.diff(windows, 2, axis=1)).max(axis=1)
    assert (values <= (a + 1e-9) * level + b * bend).all()
    assert a < 1.001
    assert b < 0.5, "or hardly a row could be left out"


def test_few_rows_of_music_need_the_product(real_mp3, monkeypatch):
    seen, made = 0, 0

    def counting(rows, matrix, limit, peak):
        nonlocal seen, made
        higher = highest(rows, matrix, limit, peak)
        seen += len(rows)
        made += int((limit > higher).sum())
        return higher

    highest = truepeak._highest
    monkeypatch.setattr(truepeak, "_highest", counting)
    meter = TruePeakMeter(2, 44_100)
    meter.push(read(real_mp3).samples)
    meter.finish()
    assert made < 0.02 * seen


def test_from_192_khz_the_samples_are_read():
    meter = TruePeakMeter(1, 192_000)
    meter.push(np.array([[0.1, -0.6, 0.2]], np.float32))
    assert meter.finish() == pytest.approx(0.6)
    assert bs1770_interpolator(192_000).shape[1] == 0


@pytest.mark.parametrize("ending", [slice(0, 2), slice(-2, None)])
def test_the_very_start_and_end_count(ending):
    samples = np.zeros((1, 1000), np.float32)
    samples[0, ending] = 0.5
    meter = TruePeakMeter(1, 48_000)
    meter.push(samples)
    assert 20 * math.log10(meter.finish()) == pytest.approx(-4.07, abs=0.01)


@pytest.mark.parametrize("cut", [1, 9, 10, 64])
def test_chunks_cover_a_stream_with_their_overlap(cut):
    stream = np.arange(1, 36, dtype=np.float32)[None]
    chunks = Chunks(1, frames=10, overlap=4, lead=2)
    made = [chunk.copy() for at in range(0, 35, cut) for chunk in chunks.push(stream[:, at : at + cut])]
    made += [chunk.copy() for chunk in chunks.finish(37)]
    padded = np.pad(stream, [(0, 0), (2, 20)])
    assert len(made) == 4
    for index, chunk in enumerate(made):
        np.testing.assert_array_equal(chunk, padded[:, 10 * index : 10 * index + 14])
