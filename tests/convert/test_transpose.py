"""Which way the melody moves, and the sentence that says why."""

from __future__ import annotations

import numpy as np
import pytest

from covermaker.convert.transpose import choose_transposition, fitting_key, shift_pitch
from covermaker.errors import ProjectError
from covermaker.units import cents
from covermaker.voices.card import F0Part

ALTO = F0Part(low_hz=180.0, median_hz=293.66, high_hz=440.0)


def melody(middle_hz: float, spread_semitones: float = 6.0, frames: int = 401) -> np.ndarray:
    """A melody whose median is `middle_hz`, with unvoiced frames between."""
    steps = np.linspace(-spread_semitones, spread_semitones, frames)
    sung = middle_hz * 2 ** (steps / 12)
    return np.concatenate([sung, np.zeros(200)])


@pytest.mark.parametrize(
    ("middle_hz", "semitones"),
    [
        (293.66, 0),
        (250.0, 0),
        (210.0, 0),  # 5.8 semitones below: less than half an octave
        (200.0, 0),  # 6.6 below: an octave up would be closer by too little
        (190.0, 12),  # 7.5 below
        (146.83, 12),
        (110.0, 12),
        (73.42, 24),
        (45.0, 36),
        (30.0, 36),  # never more than three octaves
        (415.0, 0),  # 6 above
        (460.0, -12),
        (587.33, -12),
        (1174.66, -24),
    ],
)
def test_auto_moves_whole_octaves_towards_the_voice(middle_hz, semitones):
    assert choose_transposition("auto", melody(middle_hz), ALTO).semitones == semitones


def test_the_sentence_names_both_middles_and_the_move():
    up = choose_transposition("auto", melody(110.0), ALTO)
    assert up.why == "the vocal's middle is A2 (110 Hz), the voice's is D4 (294 Hz): one octave up"
    down = choose_transposition("auto", melody(1174.66), ALTO)
    assert down.why.endswith("two octaves down")
    assert choose_transposition("auto", melody(293.66), ALTO).why.endswith("its own octave, nothing moves")
    assert "no clearly closer" in choose_transposition("auto", melody(200.0), ALTO).why


def test_a_small_win_moves_when_much_more_of_the_singing_fits():
    """Just past half an octave the range decides: here the melody lies wholly below a narrow voice."""
    narrow = F0Part(low_hz=262.0, median_hz=293.66, high_hz=392.0)
    vocal = melody(200.0, spread_semitones=1.0)
    moved = choose_transposition("auto", vocal, narrow)
    assert moved.semitones == 12
    assert moved.range_share == 1.0
    assert choose_transposition("off", vocal, narrow).range_share == 0.0


def test_a_move_out_of_the_range_is_not_made():
    """A lopsided voice: its middle is close to its top, an octave up would leave the range."""
    lopsided = F0Part(low_hz=100.0, median_hz=290.0, high_hz=300.0)
    chosen = choose_transposition("auto", melody(180.0, spread_semitones=2.0), lopsided)
    assert chosen.semitones == 0
    assert chosen.why.endswith("an octave would leave the voice's range, nothing moves")


def test_a_silent_vocal_stays():
    for f0_hz in (np.zeros(100), np.zeros(0)):
        chosen = choose_transposition("auto", f0_hz, ALTO)
        assert (chosen.semitones, chosen.why, chosen.range_share) == (
            0,
            "the vocal has no pitch to move",
            0.0,
        )


def test_octave_errors_of_the_tracker_do_not_decide():
    vocal = melody(280.0)
    vocal[:80] *= 2
    vocal[-280:-200] /= 4
    assert choose_transposition("auto", vocal, ALTO).semitones == 0


def test_off_and_a_number():
    assert choose_transposition("off", melody(110.0), ALTO).semitones == 0
    chosen = choose_transposition(-5, melody(110.0), ALTO)
    assert (chosen.semitones, chosen.why) == (-5, "set to -5 semitones")
    assert choose_transposition(36, melody(110.0), ALTO).semitones == 36


@pytest.mark.parametrize(
    ("below", "key", "semitones"),
    [
        (0.0, 0, 0),
        (1.9, 0, 0),  # near enough: the song keeps its key
        (-1.9, 0, 0),
        (2.6, 3, 3),
        (-4.4, -4, -4),
        (5.6, -6, 6),  # half an octave: as far down as up
        (9.1, -3, 9),
        (13.5, 0, 12),
        (-15.2, -3, -15),
        (30.9, -5, 31),
    ],
)
def test_fit_brings_the_middles_together_and_says_what_becomes_of_the_key(below, key, semitones):
    f0_hz = melody(ALTO.median_hz * 2 ** (-below / 12))
    assert fitting_key(f0_hz, ALTO) == key
    chosen = choose_transposition("fit", f0_hz, ALTO)
    assert chosen.semitones == semitones
    assert (f"the song's key moves by {key:+d} semitones" in chosen.why) == (key != 0)
    assert fitting_key(np.zeros(9), ALTO) == 0


def test_fit_aims_at_the_takes_where_the_card_knows_them():
    trained = F0Part(low_hz=140.0, median_hz=240.0, high_hz=500.0, takes_median_hz=180.0)
    f0_hz = melody(100.0)
    # 10.2 semitones below the takes, 15.2 below the middle of what was trained.
    assert fitting_key(f0_hz, trained) == 0
    assert fitting_key(melody(106.0), trained) == -3
    assert choose_transposition("fit", melody(106.0), trained).semitones == 9


def test_a_second_singer_follows_into_the_key_of_the_first():
    """The bass sings along in the key that suits the alto, in octaves of his own."""
    bass = F0Part(low_hz=65.0, median_hz=87.0, high_hz=130.0)
    f0_hz = melody(200.0, 4.0)
    assert choose_transposition("fit", f0_hz, ALTO).semitones == 7
    assert choose_transposition("fit", f0_hz, bass, key_semitones=-5).semitones == -17


@pytest.mark.parametrize("wanted", [37, -37, 1.5, "up", True, None])
def test_refused(wanted):
    with pytest.raises(
        ProjectError, match=r"convert\.transpose must be 'auto', 'fit', 'off' or whole semitones"
    ):
        choose_transposition(wanted, melody(110.0), ALTO)


def test_shift_keeps_unvoiced_frames():
    moved = shift_pitch(np.array([0.0, 220.0, 331.0], dtype=np.float32), 7)
    assert moved[0] == 0.0
    assert cents(moved[1], 220.0) == pytest.approx(700.0)
    assert cents(moved[2], 331.0) == pytest.approx(700.0)
