"""MIDI melodies: their times, their track, and singing drawn to them."""

from __future__ import annotations

import mido
import numpy as np
import pytest

from covermaker.convert.guide import guide_classes, read_guide
from covermaker.convert.tuning import PitchCorrection, correct_pitch
from covermaker.errors import ProjectError


@pytest.fixture
def midi_file(tmp_path):
    """Write a file: midi_file({name: [(start_beat, stop_beat, note), …]}, tempi={beat: bpm})."""

    def write(tracks, *, tempi=None, name="guide.mid", channel=0):
        file = mido.MidiFile(ticks_per_beat=480)
        clock = mido.MidiTrack()
        at = 0
        for beat, bpm in (tempi or {0: 120}).items():
            clock.append(
                mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm), time=round(beat * 480) - at)
            )
            at = round(beat * 480)
        file.tracks.append(clock)
        for title, notes in tracks.items():
            track = mido.MidiTrack([mido.MetaMessage("track_name", name=title, time=0)])
            events = [(stop, "note_off", note) for _, stop, note in notes]
            events += [(start, "note_on", note) for start, _, note in notes]
            at = 0
            for beat, kind, note in sorted(events):
                tick = round(beat * 480)
                track.append(mido.Message(kind, note=note, velocity=64, time=tick - at, channel=channel))
                at = tick
            file.tracks.append(track)
        file.save(tmp_path / name)
        return tmp_path / name

    return write


MELODY = [(0, 1, 60), (1, 2, 64), (3, 4, 67)]


def test_times_follow_the_tempo(midi_file):
    """120 bpm for two beats, then 60: beat 3 is at 2 s."""
    notes = read_guide(midi_file({"Lead": MELODY}, tempi={0: 120, 2: 60}))
    found = [(note.start, note.stop, note.number) for note in notes]
    assert found == [(0.0, 0.5, 60), (0.5, 1.0, 64), (2.0, 3.0, 67)]


def test_the_melody_is_the_track_without_chords(midi_file):
    chords = [(beat, beat + 1, note) for beat in range(8) for note in (48, 52, 55)]
    path = midi_file({"Pad": chords, "Vocals": MELODY})
    assert [note.number for note in read_guide(path)] == [60, 64, 67]
    assert len(read_guide(path, track="Pad")) == 24
    assert len(read_guide(path, track=1)) == 24


def test_percussion_is_no_melody(midi_file):
    with pytest.raises(ProjectError, match="holds no notes"):
        read_guide(midi_file({"Drums": MELODY}, channel=9))


def test_singing_is_drawn_to_the_guide_in_the_singers_octave(midi_file):
    """The singer is an octave below, two notes are a semitone wrong, the rest between notes is free."""
    path = midi_file({"Lead": [(0, 2, 60), (2, 4, 64), (6, 8, 67)]})  # 0-1 s, 1-2 s, 3-4 s
    sung = np.repeat([48.3, 51.2, 50.0, 56.1], 100)
    sung[200:300] = 50.4
    f0_hz = 440 * 2 ** ((sung - 69) / 12)
    found = correct_pitch(f0_hz, PitchCorrection(strength=1.0, guide=path)).f0_hz
    heard = 69 + 12 * np.log2(found / 440)
    np.testing.assert_allclose(heard[10:80], 48.0, atol=0.02)
    np.testing.assert_allclose(heard[120:180], 52.0, atol=0.02)
    np.testing.assert_allclose(heard[225:275], 50.4, atol=1e-6)
    np.testing.assert_allclose(heard[320:380], 55.0, atol=0.02)


def test_a_singer_who_is_late_is_not_torn(midi_file):
    """The change of note is sung 100 ms after it is written: it stays where it is sung."""
    path = midi_file({"Lead": [(0, 2, 60), (2, 4, 64)]})
    sung = np.where(np.arange(200) < 110, 60.2, 64.2)
    found = correct_pitch(440 * 2 ** ((sung - 69) / 12), PitchCorrection(strength=1.0, guide=path)).f0_hz
    np.testing.assert_allclose(
        69 + 12 * np.log2(found / 440), np.where(np.arange(200) < 110, 60, 64), atol=1e-6
    )


def test_frames_without_a_note_are_free(midi_file):
    allowed = guide_classes(read_guide(midi_file({"Lead": MELODY})), 300)
    assert allowed.shape == (300, 12)
    assert allowed[20].nonzero()[0].tolist() == [0]
    assert allowed[50].nonzero()[0].tolist() == [0, 4]
    assert not allowed[125].any()
    assert not allowed[250:].any()


def test_guides_that_are_none(midi_file, tmp_path):
    with pytest.raises(ProjectError, match=r"^the guide 'missing.mid' is not there") as caught:
        read_guide(tmp_path / "missing.mid")
    assert caught.value.hint
    for content in (b"", b"MThd", b"no midi at all", (b"MThd" + bytes(20))):
        (tmp_path / "bad.mid").write_bytes(content)
        with pytest.raises(ProjectError, match=r"MIDI: \w|no notes|beats") as caught:
            read_guide(tmp_path / "bad.mid")
        assert caught.value.hint
        assert str(tmp_path) not in caught.value.message
    whole = midi_file({"Lead": MELODY}).read_bytes()
    (tmp_path / "bad.mid").write_bytes(whole[:-9])
    with pytest.raises(ProjectError, match="cannot be read as MIDI"):
        read_guide(tmp_path / "bad.mid")
    with pytest.raises(ProjectError, match="has no notes on a track 'Leed'") as caught:
        read_guide(midi_file({"Lead": MELODY}), track="Leed")
    assert "Lead" in str(caught.value)
    with pytest.raises(ProjectError, match="has no notes on a track 7"):
        read_guide(midi_file({"Lead": MELODY}), track=7)
