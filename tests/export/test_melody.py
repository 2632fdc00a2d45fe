"""Melodies as MIDI: what is written is what is read, by our reader and by any other."""

from itertools import pairwise

import mido
import numpy as np
import pytest

from covermaker.convert.guide import read_guide
from covermaker.export.melody import write_melody
from covermaker.export.tempo_map import TICKS_PER_BEAT, TempoMap, tempo_map
from covermaker.features.notes import Note, read_notes
from covermaker.features.song.music import Music
from covermaker.features.song.sections import Section


def steady(bpm=100.0, first=0.3, count=80, **more):
    beats = tuple(first + 60.0 / bpm * index for index in range(count))
    return Music(beats[-1] + 2.0, tempo_bpm=bpm, beats=beats, **more)


def sung(numbers=(60, 62, 64, 67, 60), frames=60, gap=15, vibrato=0.3):
    time = np.arange(frames) / 100
    one = [440.0 * 2.0 ** ((n + vibrato * np.sin(2 * np.pi * 5 * time) - 69) / 12) for n in numbers]
    f0_hz = np.concatenate([np.concatenate([np.zeros(gap), note]) for note in one])
    level_db = np.where(f0_hz > 0, -20.0, -80.0)
    level_db[: frames + gap] += 6.0  # the first note is the loudest
    return read_notes(f0_hz, level_db), f0_hz


def played(file):
    """Return (seconds, message) of all that a player would play."""
    at, found = 0.0, []
    for message in mido.MidiFile(file):
        at += message.time
        found.append((at, message))
    return found


def test_notes_come_back_to_the_tick(tmp_path):
    notes, f0_hz = sung()
    music = steady(127.0)
    report = write_melody(tmp_path / "melody.mid", notes, f0_hz, music, title="Café")
    assert report == {"bend_range": 2, "tempo_changes": 2}  # one for what lies before the first beat
    back = read_guide(tmp_path / "melody.mid")
    assert [note.number for note in back] == [note.number for note in notes]
    tick = 60.0 / 127.0 / TICKS_PER_BEAT
    for written, read in zip(notes, back, strict=True):
        assert read.start == pytest.approx(written.start_seconds, abs=tick)
        assert read.stop == pytest.approx(written.stop_seconds, abs=tick)
    file = mido.MidiFile(tmp_path / "melody.mid", charset="utf-8")
    assert (file.type, file.ticks_per_beat) == (1, TICKS_PER_BEAT)
    assert [track.name for track in file.tracks] == ["Café", "melody"]
    # Written again, the file is the same.
    file.save(tmp_path / "again.mid")
    assert [list(track) for track in mido.MidiFile(tmp_path / "again.mid", charset="utf-8").tracks] == [
        list(track) for track in file.tracks
    ]
    write_melody(tmp_path / "twice.mid", notes, f0_hz, music, title="Café")
    assert (tmp_path / "twice.mid").read_bytes() == (tmp_path / "melody.mid").read_bytes()


@pytest.mark.parametrize(("width", "bend_range"), [(0.3, 2), (3.0, 12)])
def test_the_bend_sings_what_was_sung(tmp_path, width, bend_range):
    """Number plus bend is the curve, to a cent of the range's grid and a half of what is left out."""
    notes, f0_hz = sung(numbers=(60,), frames=100, vibrato=width)
    note = Note(15, 115, 60, 60.0, -20.0)
    write_melody(tmp_path / "m.mid", [note], f0_hz, steady())
    events = played(tmp_path / "m.mid")
    controls = [(m.control, m.value) for _, m in events if m.type == "control_change"]
    assert controls[:3] == [(101, 0), (100, 0), (6, bend_range)]
    bends = [(at, m.pitch) for at, m in events if m.type == "pitchwheel"]
    first_note = next(index for index, (_, m) in enumerate(events) if m.type == "note_on")
    assert events[first_note - 1][1].type == "pitchwheel"  # before the note, on its tick
    assert events[first_note - 1][0] == events[first_note][0]
    times = np.arange(16, 114) / 100
    held = np.array([[pitch for at, pitch in bends if at <= time + 1e-3][-1] for time in times])
    heard = 60.0 + held / 8192 * bend_range
    curve = 69.0 + 12.0 * np.log2(f0_hz[16:114] / 440.0)
    assert np.abs(heard - curve).max() < 0.011
    assert len(notes) >= 1


def test_louder_notes_are_struck_harder_and_none_overlap(tmp_path):
    notes = [Note(0, 50, 60, 60.0, -10.0), Note(50, 50 + 1, 62, 62.0, -20.0), Note(51, 90, 64, 64.0, -20.0)]
    f0_hz = np.full(100, 261.6)
    write_melody(tmp_path / "m.mid", notes, f0_hz, steady())
    keys = [m for _, m in played(tmp_path / "m.mid") if m.type in ("note_on", "note_off")]
    assert [m.type for m in keys] == ["note_on", "note_off"] * 3
    on = [m.velocity for m in keys if m.type == "note_on"]
    assert on[0] > on[1] == on[2] == 90


def test_no_notes_is_a_file_without_notes(tmp_path):
    write_melody(tmp_path / "m.mid", [], np.zeros(0), Music(0.0))
    assert not [m for _, m in played(tmp_path / "m.mid") if m.type == "note_on"]


def test_metre_key_and_parts(tmp_path):
    music = steady(
        100.0, first=1.2, beats_per_bar=3, first_downbeat=2, key="A minor",
        sections=(Section("verse", 0.0, 9.0), Section("chorus", 9.0, 40.0)),
    )  # fmt: skip
    write_melody(tmp_path / "m.mid", [], np.zeros(0), music)
    events = played(tmp_path / "m.mid")
    assert [m.key for _, m in events if m.type == "key_signature"] == ["Am"]
    markers = [(at, m.text) for at, m in events if m.type == "marker"]
    assert [text for _, text in markers] == ["verse", "chorus"]
    assert markers[1][0] == pytest.approx(9.0, abs=0.002)
    metres = [(at, m.numerator) for at, m in events if m.type == "time_signature"]
    # Two beats before the first that was found, two more to the downbeat: a beat and a bar.
    assert metres[0] == (0.0, 1)
    assert metres[1][1] == 3
    bar = 60.0 / 100.0 * 3
    downbeat = 1.2 + 2 * 0.6
    assert (downbeat - metres[1][0]) / bar == pytest.approx(round((downbeat - metres[1][0]) / bar), abs=0.1)


@pytest.mark.parametrize(
    ("key", "signature"),
    [("Bb major", "Bb"), ("g# minor", "G#m"), ("D# major", ""), ("D dorian", ""), (None, "")],
)
def test_keys_that_midi_has(tmp_path, key, signature):
    write_melody(tmp_path / "m.mid", [], np.zeros(0), steady(key=key))
    found = [m.key for _, m in played(tmp_path / "m.mid") if m.type == "key_signature"]
    assert found == ([signature] if signature else [])


@pytest.mark.parametrize("first", [0.0, 0.02, 0.2, 0.31, 0.6, 2.35])
def test_every_beat_lies_on_the_grid(first):
    grid = tempo_map(steady(100.0, first=first))
    assert grid.tempi[0][0] == 0
    for beat in steady(100.0, first=first).beats[1:]:
        tick = grid.ticks(beat)
        off = (tick + TICKS_PER_BEAT / 2) % TICKS_PER_BEAT - TICKS_PER_BEAT / 2
        assert abs(off) <= 1
    assert len(grid.tempi) <= 2
    assert 60e6 / grid.tempi[-1][1] == pytest.approx(100.0, abs=0.001)
    assert all(40.0 < 60e6 / length < 210.0 for _, length in grid.tempi)


def test_a_song_that_breathes_gets_a_tempo_a_beat():
    gaps = 0.5 + 0.06 * np.sin(np.arange(60) / 4)
    beats = tuple((0.7 + np.cumsum(gaps)).tolist())
    grid = tempo_map(Music(40.0, tempo_bpm=120.0, beats=beats))
    assert len(grid.tempi) > 30
    ticks = [grid.ticks(beat) for beat in beats]
    assert {after - before for before, after in pairwise(ticks)} == {TICKS_PER_BEAT}
    drift = [grid.seconds(tick) - beat for tick, beat in zip(ticks, beats, strict=True)]
    assert max(map(abs, drift)) < 1e-3


def test_beats_that_jitter_as_they_are_found_are_one_tempo():
    rng = np.random.default_rng(0)
    beats = tuple((0.4 + 0.5 * np.arange(100) + rng.uniform(-0.01, 0.01, 100)).tolist())
    assert len(tempo_map(Music(60.0, tempo_bpm=120.0, beats=beats)).tempi) <= 2


def test_a_few_beats_found_beside_their_places_change_no_tempo():
    beats = 0.6 + 0.6 * np.arange(47)
    beats[[0, 16, 23, 28]] += [0.038, -0.039, -0.045, -0.3]
    grid = tempo_map(Music(40.0, tempo_bpm=100.02, beats=tuple(beats.tolist())))
    assert len(grid.tempi) <= 2
    assert 60e6 / grid.tempi[-1][1] == pytest.approx(100.0, abs=0.001)
    assert grid.seconds(10 * TICKS_PER_BEAT) == pytest.approx(6.0, abs=1e-3)


@pytest.mark.parametrize(
    "gaps",
    [np.linspace(0.6, 0.57, 100), np.concatenate([np.full(150, 0.5), np.linspace(0.5, 0.8, 8)])],
    ids=["ever faster", "slower at the end"],
)
def test_a_tempo_that_drifts_is_followed(gaps):
    beats = tuple(np.cumsum(gaps).tolist())
    grid = tempo_map(Music(100.0, tempo_bpm=100.0, beats=beats))
    assert len(grid.tempi) > 5
    assert [grid.ticks(beat) % TICKS_PER_BEAT for beat in beats] == [0] * len(beats)


def test_without_a_beat_it_is_120():
    grid = tempo_map(Music(10.0))
    assert grid == TempoMap(((0, 500_000),))
    assert grid.ticks(1.0) == 2 * TICKS_PER_BEAT
    assert grid.seconds(grid.ticks(1.234)) == pytest.approx(1.234, abs=3e-4)


def test_a_tempo_that_is_told_without_beats():
    assert tempo_map(Music(10.0, tempo_bpm=60.0)).tempi == ((0, 1_000_000),)
