"""Octave jumps are mended where they are errors and left where they are music; smoothing keeps vibrato."""

from __future__ import annotations

import numpy as np
import pytest

from covermaker.errors import UsageError
from covermaker.features.pitch import estimate_pitch
from covermaker.features.pitch.repair import repair_octaves, smooth_pitch


def melody(seed=0, frames=1500):
    """Notes of a scale with glides, vibrato, drift and unvoiced gaps: a curve as it is measured."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames) / 100
    steps = np.cumsum(rng.choice([-5, -4, -2, -1, 1, 2, 4, 5, 7], size=frames // 50 + 2))
    semitones = np.repeat(np.clip(steps, -12, 14), 50)[:frames].astype(float)
    semitones = np.convolve(np.pad(semitones, 4, mode="edge"), np.ones(9) / 9, mode="valid")
    semitones += 0.4 * np.sin(2 * np.pi * 5.5 * time) + rng.normal(0, 0.05, frames)
    f0_hz = 220 * 2 ** (semitones / 12)
    for start in rng.integers(0, frames - 40, 8):
        f0_hz[start : start + rng.integers(2, 30)] = 0
    return f0_hz.astype(np.float32)


@pytest.mark.parametrize("factor", [2, 0.5, 3, 1 / 3, 4])
@pytest.mark.parametrize("frames", [1, 2, 7, 15])
def test_planted_jumps_are_repaired(factor, frames):
    truth = melody(1)
    planted = truth.copy()
    voiced = np.flatnonzero(truth > 0)
    # Well inside long voiced stretches: both sides say what the note is.
    runs = [run for run in np.split(voiced, np.flatnonzero(np.diff(voiced) > 1) + 1) if len(run) > 100]
    assert len(runs) > 2
    for run in runs:
        middle = run[len(run) // 2 : len(run) // 2 + frames]
        planted[middle] *= factor
    assert (planted != truth).sum() == frames * len(runs)
    np.testing.assert_allclose(repair_octaves(planted), truth, rtol=1e-6)


@pytest.mark.parametrize("where", ["start", "end"])
def test_jumps_at_the_edge_of_a_note_are_repaired(where):
    truth = np.concatenate([np.zeros(20), np.full(60, 300.0), np.zeros(20)]).astype(np.float32)
    planted = truth.copy()
    planted[slice(20, 27) if where == "start" else slice(73, 80)] /= 2
    np.testing.assert_allclose(repair_octaves(planted), truth)


def test_a_jump_beside_a_short_gap_is_repaired():
    truth = np.full(100, 300.0, dtype=np.float32)
    truth[50:54] = 0
    planted = truth.copy()
    planted[45:50] *= 2
    planted[54:58] *= 2
    np.testing.assert_allclose(repair_octaves(planted), truth)


@pytest.mark.parametrize("semitones", [12, -12, 7, 19, 24])
@pytest.mark.parametrize("frames", [25, 60])
def test_leaps_that_last_are_kept(semitones, frames):
    curve = np.full(200, 220.0, dtype=np.float32)
    curve[80 : 80 + frames] *= np.float32(2 ** (semitones / 12))
    np.testing.assert_array_equal(repair_octaves(curve), curve)


def test_a_note_of_its_own_is_never_moved():
    """A short note an octave up, apart from its neighbours."""
    curve = np.zeros(100, dtype=np.float32)
    curve[10:40], curve[50:58], curve[70:90] = 220, 440, 220
    np.testing.assert_array_equal(repair_octaves(curve), curve)


@pytest.mark.parametrize("seed", range(5))
def test_a_clean_melody_comes_back_bit_for_bit(seed):
    curve = melody(seed)
    np.testing.assert_array_equal(repair_octaves(curve), curve)


def test_voicing_is_untouched_and_nothing_is_made_of_nothing():
    curve = melody(3)
    curve[::17] = 0
    np.testing.assert_array_equal(repair_octaves(curve) > 0, curve > 0)
    np.testing.assert_array_equal(smooth_pitch(curve, 5) > 0, curve > 0)
    for frames in (0, 1, 2):
        assert len(repair_octaves(np.zeros(frames, np.float32))) == frames
        assert len(smooth_pitch(np.zeros(frames, np.float32), 3)) == frames


@pytest.mark.parametrize(("frames", "most_cents"), [(3, 5), (5, 7)])
def test_smoothing_leaves_vibrato_within_a_few_cents(frames, most_cents):
    time = np.arange(300) / 100
    curve = (440 * 2 ** (0.5 * np.sin(2 * np.pi * 6 * time) / 12)).astype(np.float32)
    error = 1200 * np.log2(smooth_pitch(curve, frames) / curve)
    assert np.abs(error).max() < most_cents
    assert np.sqrt(np.mean(error**2)) < most_cents / 2


def test_smoothing_takes_single_frames_out_and_keeps_a_glide():
    glide = (220 * 2 ** (np.arange(100) / 100)).astype(np.float32)
    np.testing.assert_array_equal(
        smooth_pitch(glide, 7), glide
    )  # the median of a line is its middle, at the ends too
    spiked = glide.copy()
    spiked[[30, 61]] *= 1.3
    assert np.abs(1200 * np.log2(smooth_pitch(spiked, 5) / glide)).max() < 15


def test_smoothing_never_mixes_two_notes_across_a_gap():
    curve = np.concatenate([np.full(20, 220.0), np.zeros(1), np.full(20, 440.0)]).astype(np.float32)
    np.testing.assert_array_equal(smooth_pitch(curve, 9), curve)


@pytest.mark.parametrize("frames", [2, 4, -1, 23])
def test_windows_without_a_middle_are_refused(write_wav, frames):
    with pytest.raises(UsageError, match="cannot be smoothed over"):
        estimate_pitch(write_wav(np.zeros(100)), smooth_frames=frames)


def test_jumps_are_mended_and_nothing_smoothed_by_default(write_wav, monkeypatch):
    from covermaker.features.pitch.dio import Dio

    reading = np.full(101, 300.0, dtype=np.float32)
    reading[50:53] = 600
    reading[20] = 310
    monkeypatch.setattr(Dio, "track", lambda self, vocal, **limits: iter([reading.copy()]))
    path = write_wav(np.random.default_rng(0).normal(0, 0.1, 16000), 16000)
    np.testing.assert_array_equal(estimate_pitch(path, method="dio", repair_octaves=False), reading)
    np.testing.assert_array_equal(np.unique(estimate_pitch(path, method="dio")), [300, 310])
    mended = estimate_pitch(path, method="dio", smooth_frames=3)
    np.testing.assert_array_equal(mended, np.full(101, 300))
