"""The sound decides about the octave: wrong readings are moved, right ones never, whatever the spectrum lacks."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from covermaker.features.pitch import estimate_pitch
from covermaker.features.pitch.octaves import hear_octaves
from covermaker.features.pitch.recording import SAMPLE_RATE, Recording
from covermaker.features.pitch.repair import FACTORS, repair_octaves

# Amplitudes of the harmonics 1, 2, …
SOUNDS = {
    "sine": [1.0],
    "sawtooth": [1 / k for k in range(1, 31)],
    "square": [k % 2 / k for k in range(1, 31)],
    "triangle": [k % 2 / k**2 for k in range(1, 31)],
    "no fundamental": [0.0] + [1 / k for k in range(2, 31)],
    "third to sixth only": [0.0, 0.0, 1.0, 1.0, 1.0, 1.0],
    "loud second": [0.1, 1.0, 0.1, 0.1, 0.05],
}
NOTES_HZ = (61.0, 82.4, 110.0, 165.0, 247.0, 392.0, 587.0, 880.0, 1318.5, 1490.0)


def sound_of(f0_hz, amplitudes):
    """Sum harmonics along a frequency (samples,) in Hz, none above 7.5 kHz."""
    phase = 2 * np.pi * np.cumsum(f0_hz) / SAMPLE_RATE
    parts = [a * np.sin(k * phase) * (k * f0_hz < 7500) for k, a in enumerate(amplitudes, 1) if a]
    return (0.2 * sum(parts)).astype(np.float32)


def reading_of(f0_hz):
    """Return what a perfect method reads of it: float32 (frames,)."""
    return np.append(f0_hz, f0_hz[-1])[::160].astype(np.float32)[: len(f0_hz) // 160 + 1]


def recording_of(sound, piece_frames=3000):
    heard = np.ones(len(sound) // 160 + 1, dtype=bool)
    return Recording(lambda: iter([sound]), heard, piece_frames=piece_frames)


def supported(sound, reading, piece_frames=3000):
    return hear_octaves(recording_of(sound, piece_frames), reading, f0_min_hz=50.0, f0_max_hz=1600.0)


def mended(sound, reading):
    return repair_octaves(reading, supported(sound, reading))


def steady(hz, seconds=0.6):
    return np.full(round(seconds * SAMPLE_RATE), float(hz))


@pytest.mark.parametrize("hz", NOTES_HZ)
@pytest.mark.parametrize("name", SOUNDS)
def test_a_right_reading_stays(name, hz):
    reading = reading_of(steady(hz))
    np.testing.assert_array_equal(mended(sound_of(steady(hz), SOUNDS[name]), reading), reading)


@pytest.mark.parametrize(
    ("name", "factor", "hz"),
    [
        (name, factor, hz)
        for name, factors, highest_hz in (
            ("sawtooth", (2, 3, 1 / 2, 1 / 3), 1500),
            # Above, too few harmonics are left under 4 kHz to outvote the one that is missing.
            ("no fundamental", (2, 3, 1 / 2, 1 / 3), 300),
            ("sine", (2, 1 / 2, 1 / 3), 1500),
        )
        for factor in factors
        for hz in NOTES_HZ
        if hz < highest_hz and 50 <= hz * factor <= 1600
    ],
)
def test_a_wrong_reading_of_a_whole_note_is_moved(name, factor, hz):
    truth = reading_of(steady(hz))
    found = mended(sound_of(steady(hz), SOUNDS[name]), (truth * factor).astype(np.float32))
    np.testing.assert_allclose(found, truth, rtol=1e-6)


@pytest.mark.parametrize("cents", [-20, 20])
def test_a_reading_a_little_out_of_tune_is_moved_too_and_stays_when_right(cents):
    truth = reading_of(steady(131)) * np.float32(2 ** (cents / 1200))
    sound = sound_of(steady(131), SOUNDS["sawtooth"])
    np.testing.assert_array_equal(mended(sound, truth), truth)
    np.testing.assert_allclose(mended(sound, 2 * truth), truth, rtol=1e-6)


@pytest.mark.parametrize("name", ["sine", "sawtooth", "square", "no fundamental"])
@pytest.mark.parametrize("ends_hz", [(60, 1500), (1500, 60)])
def test_a_right_reading_of_a_chirp_stays(name, ends_hz):
    curve = np.geomspace(*ends_hz, 3 * SAMPLE_RATE)
    reading = reading_of(curve)
    np.testing.assert_array_equal(mended(sound_of(curve, SOUNDS[name]), reading), reading)


@pytest.mark.parametrize("factor", [2, 1 / 2])
def test_a_wrong_reading_of_a_chirp_is_moved(factor):
    curve = np.geomspace(120, 700, 3 * SAMPLE_RATE)
    truth = reading_of(curve)
    found = mended(sound_of(curve, SOUNDS["sawtooth"]), (truth * factor).astype(np.float32))
    np.testing.assert_allclose(found, truth, rtol=1e-6)


@pytest.mark.parametrize("hz", [98, 220, 523, 1100])
@pytest.mark.parametrize("depth_cents", [50, 200])
def test_vibrato_stays_and_is_moved_as_a_whole(hz, depth_cents):
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    curve = hz * 2 ** (depth_cents * np.sin(2 * np.pi * 6 * time) / 1200)
    truth = reading_of(curve)
    sound = sound_of(curve, SOUNDS["sawtooth"])
    np.testing.assert_array_equal(mended(sound, truth), truth)
    if 2 * truth.max() < 1600 and depth_cents < 100:
        np.testing.assert_allclose(mended(sound, 2 * truth), truth, rtol=1e-6)


@pytest.mark.parametrize("semitones", [12, -12, 19, 24, -24])
@pytest.mark.parametrize("name", ["sawtooth", "square", "sine"])
def test_real_leaps_stay(name, semitones):
    curve = np.repeat([330.0, 330.0 * 2 ** (semitones / 12), 330.0], SAMPLE_RATE // 4)
    reading = reading_of(curve)
    # At the frame of the leap itself both notes sound.
    moved = np.flatnonzero(mended(sound_of(curve, SOUNDS[name]), reading) != reading)
    assert set(moved) <= {25, 50}


def test_only_the_half_that_was_read_too_high_is_moved():
    curve = np.repeat([131.0, 147.0], SAMPLE_RATE // 2)
    truth = reading_of(curve)
    reading = truth.copy()
    reading[len(reading) // 2 :] *= 2
    np.testing.assert_allclose(mended(sound_of(curve, SOUNDS["sawtooth"]), reading), truth, rtol=1e-6)


def test_breath_changes_nothing_about_a_right_reading():
    for hz in (110.0, 220.0, 440.0):
        sound = sound_of(steady(hz, 2.0), SOUNDS["sawtooth"])
        noise = np.random.default_rng(4).normal(0, np.sqrt(np.mean(sound**2)), len(sound))
        reading = reading_of(steady(hz, 2.0))
        np.testing.assert_array_equal(mended((sound + noise).astype(np.float32), reading), reading)


@pytest.mark.parametrize("below_db", [-30, -20])
@pytest.mark.parametrize("hz", [131.0, 220.0, 392.0])
def test_a_faint_bass_an_octave_below_is_not_the_singer(hz, below_db):
    sound = sound_of(steady(hz, 1.5), SOUNDS["sawtooth"])
    bass = sosfilt(
        butter(2, 600, fs=SAMPLE_RATE, output="sos"), sound_of(steady(hz / 2, 1.5), SOUNDS["sawtooth"])
    )
    bass *= np.sqrt(np.mean(sound**2) / np.mean(bass**2)) * 10 ** (below_db / 20)
    reading = reading_of(steady(hz, 1.5))
    np.testing.assert_array_equal(mended((sound + bass).astype(np.float32), reading), reading)


def test_a_rough_voice_keeps_its_pitch():
    """Every second period a tenth louder: partials at the odd halves, 26 dB below their neighbours."""
    curve = steady(196.0, 1.5)
    rough = 1 + 0.1 * np.cos(np.pi * np.cumsum(curve) / SAMPLE_RATE)
    sound = (rough * sound_of(curve, SOUNDS["sawtooth"])).astype(np.float32)
    np.testing.assert_array_equal(mended(sound, reading_of(curve)), reading_of(curve))


def test_support_is_told_for_voiced_frames_within_the_limits():
    curve = steady(110.0, 1.0)
    reading = (2 * reading_of(curve)).astype(np.float32)
    reading[:30] = 0
    support = supported(sound_of(curve, SOUNDS["sawtooth"]), reading)
    assert support.shape == (len(reading), len(FACTORS))
    assert not support[:30].any()
    assert not support[:, FACTORS == 1.0].any()
    assert (support[35:-10, FACTORS == 0.5] == 1.0).all()
    assert (support[35:-10, FACTORS == 2.0] <= 0.0).all()
    right = supported(sound_of(curve, SOUNDS["sawtooth"]), reading_of(curve))
    assert (right[10:-10, FACTORS != 1.0][:, np.isfinite(right[50, FACTORS != 1.0])] == -1.0).all()
    limited = hear_octaves(
        recording_of(sound_of(curve, SOUNDS["sawtooth"])), reading, f0_min_hz=120.0, f0_max_hz=400.0
    )
    assert np.isneginf(limited[30:, FACTORS == 0.5]).all()
    assert np.isneginf(limited[30:, FACTORS == 2.0]).all()
    np.testing.assert_array_equal(repair_octaves(reading, limited), reading)


@pytest.mark.parametrize("piece_frames", [1, 37, 100])
def test_what_is_heard_does_not_depend_on_the_pieces(piece_frames):
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    curve = 150 * 2**time
    sound = sound_of(curve, SOUNDS["sawtooth"])
    reading = (2 * reading_of(curve)).astype(np.float32)
    reading[40:45] = 0
    np.testing.assert_allclose(supported(sound, reading, piece_frames), supported(sound, reading), atol=1e-5)


@pytest.mark.parametrize("samples", [0, 1, 159, 160, 700])
def test_short_sounds_and_silence_say_nothing(samples):
    frames = samples // 160 + 1
    reading = np.full(frames, 220.0, dtype=np.float32)
    found = mended(np.zeros(samples, dtype=np.float32), reading)
    np.testing.assert_array_equal(found, reading)
    assert not supported(np.zeros(samples, dtype=np.float32), np.zeros(frames, dtype=np.float32)).any()


def test_a_method_that_reads_an_octave_too_high_is_corrected_by_default(write_wav, monkeypatch):
    from covermaker.features.pitch.dio import Dio

    curve = steady(110.0, 1.0)
    wrong = (2 * reading_of(curve)).astype(np.float32)
    monkeypatch.setattr(Dio, "track", lambda self, vocal, **limits: iter([wrong.copy()]))
    path = write_wav(sound_of(curve, SOUNDS["sawtooth"]), SAMPLE_RATE)
    np.testing.assert_array_equal(estimate_pitch(path, method="dio"), wrong / 2)
    np.testing.assert_array_equal(estimate_pitch(path, method="dio", repair_octaves=False), wrong)
    # Where the half is no allowed pitch the reading stays.
    np.testing.assert_array_equal(estimate_pitch(path, method="dio", f0_min_hz=130.0), wrong)


def test_a_long_vocal_needs_the_memory_of_a_piece():
    seconds = 120
    block = sound_of(steady(220.0, 1.0), SOUNDS["sawtooth"])
    frames = seconds * 100 + 1
    vocal = Recording(lambda: (block for _ in range(seconds)), np.ones(frames, dtype=bool), piece_frames=500)
    reading = np.full(frames, 220.0, dtype=np.float32)
    tracemalloc.start()
    try:
        hear_octaves(vocal, reading, f0_min_hz=50.0, f0_max_hz=1600.0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 32e6
