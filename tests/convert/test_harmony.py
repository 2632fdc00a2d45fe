"""Second voices: the interval is the one of the key, and what a singer does within a note stays."""

import numpy as np
import pytest

from covermaker.convert.convert import convert_vocal
from covermaker.convert.guide import GuideNote
from covermaker.convert.harmony import INTERVALS, check_harmony, in_interval, is_guide, needs_key, on_guide

C_MAJOR = (0, 2, 4, 5, 7, 9, 11)


def curve(numbers, frames=50, gap=0, vibrato=0.4, tuning=0.0):
    """Return f0, loudness and the note of each frame (-1: none)."""
    time = np.arange(frames) / 100
    pitch = [
        np.concatenate([np.full(gap, np.nan), n + tuning + vibrato * np.sin(34 * time)]) for n in numbers
    ]
    note = [np.concatenate([np.full(gap, -1), np.full(frames, n)]) for n in numbers]
    pitch, note = np.concatenate(pitch), np.concatenate(note)
    f0_hz = np.where(np.isnan(pitch), 0.0, 440.0 * 2.0 ** ((np.nan_to_num(pitch) - 69) / 12))
    return f0_hz, np.where(f0_hz > 0, -20.0, -80.0), note


def midi(f0_hz):
    return 69.0 + 12.0 * np.log2(np.where(f0_hz > 0, f0_hz, 440.0) / 440.0)


def diatonic(number, steps, scale=C_MAJOR):
    place = scale.index(number % 12)
    octaves, wanted = divmod(place + steps, 7)
    return number - scale[place] + scale[wanted] + 12 * octaves


SCALE = [60, 62, 64, 65, 67, 69, 71, 72, 67, 64, 60]


@pytest.mark.parametrize("harmony", INTERVALS)
@pytest.mark.parametrize("tuning", [0.0, 0.3])
def test_each_note_moves_by_the_interval_that_the_key_has_there(harmony, tuning):
    f0_hz, level_db, note = curve(SCALE, gap=10, tuning=tuning)
    done = in_interval(f0_hz, level_db, harmony, "C major")
    sung = note >= 0
    wanted = np.array([diatonic(int(n), INTERVALS[harmony]) for n in note[sung]])
    error = 100.0 * np.abs(midi(done.f0_hz)[sung] - midi(f0_hz)[sung] - (wanted - note[sung]))
    assert np.median(error) < 1.0
    assert np.percentile(error, 90) < 15.0
    assert not done.f0_hz[~sung].any()
    assert (done.heard == 1.0).all()
    assert done.notes == len(SCALE)


def test_vibrato_stays_and_borders_are_smooth():
    f0_hz, level_db, note = curve([60, 62, 64, 65], vibrato=0.5)
    move = midi(in_interval(f0_hz, level_db, "third_above", "C major").f0_hz) - midi(f0_hz)
    inside = np.ones(len(note), bool)
    for border in (50, 100, 150):
        inside[border - 8 : border + 8] = False
    wanted = np.select([note == 60, note == 62, note == 64], [4.0, 3.0, 3.0], 4.0)
    np.testing.assert_allclose(move[inside], wanted[inside], atol=1e-4)
    assert np.abs(np.diff(move)).max() < 0.35  # a semitone over 80 ms


def test_a_key_of_flats_in_a_minor_mode():
    f0_hz, level_db, _ = curve([63, 65, 67, 68])  # Eb F G Ab in C minor
    move = midi(in_interval(f0_hz, level_db, "third_below", "C minor").f0_hz) - midi(f0_hz)
    assert [round(float(np.median(move[start + 10 : start + 40])), 3) for start in (0, 50, 100, 150)] == [
        -3.0, -3.0, -4.0, -3.0,
    ]  # fmt: skip


def test_a_note_beside_the_key_goes_along_with_the_nearest():
    f0_hz, level_db, _ = curve([61], tuning=0.2, vibrato=0.0)
    f0_hz = np.concatenate(
        [f0_hz, curve(3 * SCALE, vibrato=0.0)[0]]
    )  # the tuning of the song is that of the others
    level_db = np.full(len(f0_hz), -20.0)
    move = midi(in_interval(f0_hz, level_db, "third_above", "C major").f0_hz) - midi(f0_hz)
    assert float(np.median(move[5:40])) == pytest.approx(3.0, abs=1e-4)  # as a D


def test_octaves_need_no_key():
    f0_hz, level_db, _ = curve([61, 66])
    up = in_interval(f0_hz, level_db, "octave_above", None)
    assert np.allclose(up.f0_hz, 2.0 * f0_hz)
    assert (up.semitones, needs_key("octave_above"), needs_key("third_above")) == (12.0, False, True)


@pytest.mark.parametrize("frames", [0, 1, 50])
def test_where_nothing_is_sung_nothing_moves(frames):
    silence = np.zeros(frames)
    for done in (
        in_interval(silence, np.full(frames, -90.0), "third_above", "C major"),
        on_guide(silence, np.full(frames, -90.0), [GuideNote(0.0, 1.0, 60)]),
    ):
        assert (done.f0_hz.shape, done.heard.shape, done.notes) == ((frames,), (frames,), 0)
        assert not done.f0_hz.any()


def guide(*rows):
    return [GuideNote(start, stop, number) for start, stop, number in rows]


def test_a_guide_is_sung_as_it_is_written():
    f0_hz, level_db, _ = curve([60, 62, 64], frames=100, vibrato=0.0)
    done = on_guide(f0_hz, level_db, guide((0, 1, 64), (1, 2, 65), (2, 3, 72)))
    heard = midi(done.f0_hz)
    for start, number in ((0, 64), (100, 65), (200, 72)):
        assert float(np.median(heard[start + 10 : start + 90])) == pytest.approx(number, abs=0.05)
    assert done.notes == 3


def test_a_guide_two_octaves_away_comes_nearer():
    f0_hz, level_db, _ = curve([60, 62], frames=100)
    done = on_guide(f0_hz, level_db, guide((0, 1, 64 + 24), (1, 2, 65 + 24)))
    assert done.semitones == pytest.approx(3.5, abs=0.6)


def test_a_singer_who_is_late_takes_the_guide_along():
    f0_hz, level_db, _ = curve([60, 62], frames=100)
    done = on_guide(f0_hz, level_db, guide((0, 0.9, 64), (0.9, 2, 65)))
    assert midi(done.f0_hz)[93] == pytest.approx(midi(f0_hz)[93] + 4.0, abs=0.3)


def test_a_guide_with_more_notes_than_are_sung_moves_within_a_note():
    f0_hz, level_db, _ = curve([60], frames=200, vibrato=0.0)
    heard = midi(on_guide(f0_hz, level_db, guide((0, 1, 64), (1, 2, 67))).f0_hz)
    assert (round(float(heard[50]), 3), round(float(heard[150]), 3)) == (64.0, 67.0)


def test_where_the_guide_rests_nobody_is_heard():
    f0_hz, level_db, _ = curve([60, 62, 64], frames=100, gap=20)
    done = on_guide(f0_hz, level_db, guide((0.2, 1.2, 64), (2.6, 3.6, 67)))
    assert not done.heard[145:235].any()
    assert (done.heard[25:115] == 1.0).all()
    assert (done.heard[270:350] == 1.0).all()


def test_names():
    assert is_guide("audio/Alto.MID")
    assert not is_guide("third_above")
    assert check_harmony("third_above") is check_harmony("alto.midi") is None
    assert check_harmony("third_abov") == "did you mean 'third_above'?"


def test_a_second_voice_is_transposed_with_the_first_and_rests_where_it_shall(
    make_vocal, fake_voice, tmp_path
):
    """Alone, a sixth above would be brought down by an octave: it lies where the voice does not."""
    rate = 16_000
    time = np.arange(4 * rate) / rate
    lead = make_vocal(0.2 * np.sin(2 * np.pi * 200.0 * time), rate, f0_hz=200.0)
    high = {**lead.features, "f0_hz": lead.features["f0_hz"] * 2.0 ** (9 / 12)}
    voice = fake_voice(rate, hiss_db=-120.0)

    def sung(features, **more):
        out = tmp_path / "out.wav"
        report = convert_vocal(lead.path, out, voice=voice, seed=1, transpose="auto", **features, **more)
        import soundfile

        return report, soundfile.read(out)[0]

    low = {**lead.features, "f0_hz": np.full_like(lead.features["f0_hz"], 100.0)}
    assert sung(low)[0].semitones == 12
    above = {**lead.features, "f0_hz": np.full_like(lead.features["f0_hz"], 100.0 * 2 ** (9 / 12))}
    assert sung(above)[0].semitones == 0
    report, sound = sung(above, lead_f0_hz=low["f0_hz"])
    assert report.semitones == 12
    spectrum = np.abs(np.fft.rfft(sound[rate : 2 * rate] * np.hanning(rate)))
    assert int(spectrum.argmax()) == pytest.approx(200.0 * 2 ** (9 / 12), abs=2)
    heard = np.ones(len(high["f0_hz"]), np.float32)
    heard[100:200] = 0.0
    _, rests = sung(above, lead_f0_hz=low["f0_hz"], heard=heard)
    assert not rests[rate + 200 : 2 * rate - 200].any()
    assert np.abs(rests[: rate - 400]).max() > 0.05
