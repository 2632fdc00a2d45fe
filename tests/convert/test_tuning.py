"""Pitch correction: where notes land, what stays of vibrato and slides, and what never moves."""

from __future__ import annotations

import numpy as np
import pytest

from covermaker.convert.scales import MODES, scale_classes
from covermaker.convert.tuning import PitchCorrection, correct_pitch, detect_a4_hz
from covermaker.errors import ProjectError

CHROMATIC = scale_classes("chromatic")


def hz(midi):
    return 440.0 * 2.0 ** ((np.asarray(midi, dtype=float) - 69) / 12)


def midi(f0_hz, a4_hz=440.0):
    return 69 + 12 * np.log2(np.asarray(f0_hz) / a4_hz)


def tuned(f0_hz, **wanted):
    return correct_pitch(f0_hz, PitchCorrection(**{"strength": 1.0, **wanted})).f0_hz


def vibrato(seconds=2.0, rate_hz=5.5, depth=0.5, centre=69.3):
    return centre + depth * np.sin(2 * np.pi * rate_hz * np.arange(round(seconds * 100)) / 100)


@pytest.mark.parametrize("cents", [-45, -30, 1, 30, 45])
@pytest.mark.parametrize("retune_ms", [0, 200, 1000])
def test_a_mistuned_tone_lands_on_its_note(cents, retune_ms):
    found = tuned(np.full(200, hz(60 + cents / 100)), retune_ms=retune_ms)
    np.testing.assert_allclose(midi(found), 60.0, atol=1e-6)


@pytest.mark.parametrize("strength", [0.0, 0.25, 0.7])
def test_strength_is_the_share_that_goes(strength):
    found = correct_pitch(np.full(100, hz(60.3)), PitchCorrection(strength=strength))
    np.testing.assert_allclose(midi(found.f0_hz), 60.3 - 0.3 * strength, atol=1e-6)
    assert found.median_cents == pytest.approx(30 * strength, abs=1e-6)


@pytest.mark.parametrize("rate_hz", [5.0, 6.0, 7.0])
def test_vibrato_stays_and_its_centre_moves(rate_hz):
    sung = vibrato(rate_hz=rate_hz)
    found = midi(tuned(hz(sung)))[30:-30]
    assert np.std(found) == pytest.approx(np.std(sung[30:-30]), rel=0.05)
    assert np.mean(found) == pytest.approx(69.0, abs=0.03)


def test_a_wide_vibrato_is_one_note():
    sung = vibrato(depth=1.0, centre=69.0)
    np.testing.assert_allclose(midi(tuned(hz(sung)))[30:-30], sung[30:-30], atol=0.12)


def test_no_retune_time_leaves_no_vibrato():
    found = midi(tuned(hz(vibrato(depth=0.4, centre=69.0)), retune_ms=0))
    np.testing.assert_allclose(found, 69.0, atol=1e-6)


def test_quick_notes_are_notes():
    """A run of 100 ms notes, all 25 cents flat, with a step of a semitone in it."""
    notes = np.repeat([60, 62, 64, 65, 67, 69], 10)
    found = midi(tuned(hz(notes - 0.25)))
    middles = found.reshape(-1, 10)[:, 3:7]
    np.testing.assert_allclose(middles, notes.reshape(-1, 10)[:, 3:7], atol=0.02)


def test_a_step_between_notes_stays_a_step():
    """No dip before and no overshoot after: the correction of one note knows nothing of the next."""
    notes = np.repeat([60.2, 64.2], 60)
    found = midi(tuned(hz(notes)))
    np.testing.assert_allclose(found, np.repeat([60.0, 64.0], 60), atol=1e-6)


@pytest.mark.parametrize("scale", ["chromatic", "C major", ["C"], ["F#", "G"]])
def test_the_octave_never_changes(scale):
    sung = np.random.default_rng(3).uniform(36, 84, 40).repeat(30)
    found = midi(tuned(hz(sung), scale=scale))
    assert np.abs(found - sung).max() <= 6.0 + 1e-6


def test_unvoiced_stays_unvoiced_and_separates():
    f0_hz = np.where(np.arange(300) % 100 < 60, hz(60.4), 0.0)
    found = tuned(f0_hz)
    np.testing.assert_array_equal(found == 0, f0_hz == 0)
    np.testing.assert_allclose(midi(found[found > 0]), 60.0, atol=1e-6)
    np.testing.assert_array_equal(tuned(np.zeros(50)), 0.0)
    assert len(tuned(np.zeros(0))) == 0


def test_a_note_outside_the_key_goes_to_its_neighbour():
    assert midi(tuned(np.full(100, hz(61.2)), scale="C major"))[50] == pytest.approx(62.0)
    assert midi(tuned(np.full(100, hz(60.8)), scale="C major"))[50] == pytest.approx(60.0)
    assert midi(tuned(np.full(100, hz(61.2)), scale=["C", "Db"]))[50] == pytest.approx(61.0)


def test_nothing_asked_nothing_changed():
    f0_hz = np.random.default_rng(0).uniform(100, 500, 100)
    np.testing.assert_array_equal(correct_pitch(f0_hz, PitchCorrection()).f0_hz, f0_hz)


@pytest.mark.parametrize("a4_hz", [432.0, 440.0, 446.0])
def test_the_tuning_is_heard_and_kept(a4_hz):
    generator = np.random.default_rng(1)
    notes = generator.choice([60, 62, 64, 65, 67, 69, 71], 40).repeat(40)
    sung = notes + 0.15 * np.sin(np.arange(len(notes)) / 3) + generator.normal(0, 0.1, 40).repeat(40)
    f0_hz = a4_hz * 2 ** ((sung - 69) / 12)
    assert detect_a4_hz(f0_hz) == pytest.approx(a4_hz, abs=1.0)
    found = correct_pitch(f0_hz, PitchCorrection(strength=1.0, a4_hz="auto"))
    assert found.a4_hz == pytest.approx(a4_hz, abs=1.0)
    np.testing.assert_allclose(midi(f0_hz[:1], a4_hz), sung[:1], atol=1e-9)
    assert tuned(np.full(90, a4_hz * 1.01), a4_hz=a4_hz)[40] == pytest.approx(a4_hz)


def test_no_tuning_to_be_heard():
    assert detect_a4_hz(np.zeros(10)) == 440.0
    assert detect_a4_hz(hz(np.linspace(50, 70, 2001)[:-1])) == 440.0


@pytest.mark.parametrize(
    ("scale", "classes"),
    [
        ("C major", {0, 2, 4, 5, 7, 9, 11}),
        ("A minor", {0, 2, 4, 5, 7, 9, 11}),
        ("a  Harmonic   Minor", {9, 11, 0, 2, 4, 5, 8}),
        ("Bb major", {10, 0, 2, 3, 5, 7, 9}),
        ("F# minor pentatonic", {6, 9, 11, 1, 4}),
        ("Chromatic", set(range(12))),
        ("C Eb G", {0, 3, 7}),
        ("c, e♭, g♯", {0, 3, 8}),
        (["Cb", "B#"], {11, 0}),
    ],
)
def test_scales(scale, classes):
    assert scale_classes(scale) == classes


def test_every_mode_has_its_tonic():
    assert all(steps[0] == 0 and max(steps) < 12 for steps in MODES.values())


@pytest.mark.parametrize("scale", ["C majr", "H major", "", "loud", ["C", "X"], [], "C"])
def test_scales_that_are_none(scale):
    if scale == "C":
        assert scale_classes(["C"]) == {0}
    with pytest.raises(ProjectError, match=r"scale|note"):
        scale_classes(scale)


def test_a_misspelt_mode_has_a_hint():
    with pytest.raises(ProjectError, match="unknown scale 'C majr'") as caught:
        scale_classes("C majr")
    assert "major" in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"strength": 1.2}, r"convert\.pitch_correction\.strength must lie in 0\.\.1, not 1\.2"),
        ({"strength": float("nan")}, "strength"),
        ({"retune_ms": -1.0}, r"retune_ms must lie in 0\.\.1000"),
        ({"a4_hz": 220.0}, r"a4_hz must be 'auto' or lie in 400\.\.480"),
        ({"scale": "K major"}, "'K' is no note"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(ProjectError, match=message):
        PitchCorrection(**settings)
