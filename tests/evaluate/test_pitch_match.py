from __future__ import annotations

import numpy as np
import pytest

from covermaker.evaluate.pitch_match import match_pitch

MELODY = 220 * 2 ** (np.sin(np.arange(300) / 20) / 2)


def test_a_curve_matches_itself():
    match = match_pitch(MELODY, MELODY)
    assert match.correlation == pytest.approx(1)
    assert (match.median_cents, match.mean_cents, match.octave_errors) == (0, 0, 0)
    assert (match.in_tune, match.voicing_f1, match.shared_frames) == (1, 1, 300)


@pytest.mark.parametrize("semitones", [-12, -5, 7, 12])
def test_a_wanted_transposition_is_no_error(semitones):
    other = MELODY * 2 ** (semitones / 12)
    match = match_pitch(MELODY, other, transpose_semitones=semitones)
    assert match.mean_cents == pytest.approx(0, abs=1e-6)
    unwanted = match_pitch(MELODY, other)
    assert unwanted.median_cents == pytest.approx(100 * abs(semitones))
    assert unwanted.correlation == pytest.approx(1)


def test_a_known_detuning_is_measured_in_cents():
    match = match_pitch(MELODY, MELODY * 2 ** (23 / 1200))
    assert match.median_cents == pytest.approx(23)
    assert match.mean_cents == pytest.approx(23)
    assert match.in_tune == 1


def test_octave_errors_are_counted_and_spare_the_median():
    other = MELODY.copy()
    other[:30] *= 2
    match = match_pitch(MELODY, other)
    assert match.octave_errors == pytest.approx(0.1)
    assert match.median_cents == 0
    assert match.mean_cents == pytest.approx(120)
    assert match.in_tune == pytest.approx(0.9)


def test_voicing_is_an_f1_score():
    reference, other = MELODY.copy(), MELODY.copy()
    reference[:100] = 0  # voiced: 200
    other[200:] = 0  # voiced: 200, 100 of them shared
    match = match_pitch(reference, other)
    assert match.voicing_f1 == pytest.approx(0.5)
    assert match.shared_frames == 100


def test_nothing_shared_leaves_nothing_to_say():
    silence = np.zeros(10)
    assert match_pitch(silence, silence).voicing_f1 == 1
    match = match_pitch(silence, np.full(10, 100.0))
    assert (match.correlation, match.median_cents, match.mean_cents, match.in_tune) == (None,) * 4
    assert match.voicing_f1 == 0


def test_a_curve_that_stands_still_has_no_correlation():
    assert match_pitch(np.full(50, 220.0), MELODY[:50]).correlation is None


def test_the_longer_curve_is_cut():
    assert match_pitch(MELODY, MELODY[:-1]).shared_frames == 299
