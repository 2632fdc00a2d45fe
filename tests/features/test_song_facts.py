"""Key and tempo of songs that are made to have them; facts are measured once for the same content."""

import dataclasses
import json

import numpy as np
import pytest
import soundfile
from made_songs import RATE, made_song

from covermaker.convert.scales import scale_classes
from covermaker.errors import AudioInputError
from covermaker.features.song import facts as facts_module
from covermaker.features.song.facts import SongFacts, facts_of, known_facts, measure, song_facts
from covermaker.features.song.key import KeyFinder
from covermaker.features.song.tempo import TempoFinder

NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


def key_of(sound, block=None):
    finder = KeyFinder()
    for start in range(0, len(sound), block or len(sound)):
        finder.push(sound[start : start + (block or len(sound))])
    return finder.finish()


def tempo_of(sound, block=None):
    finder = TempoFinder()
    for start in range(0, len(sound), block or len(sound)):
        finder.push(sound[start : start + (block or len(sound))])
    return finder.finish()


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", range(12))
def test_every_key_under_drums_and_out_of_tune(tonic, mode):
    cents = 7.0 * (tonic - 6)
    found = key_of(made_song(tonic, mode, 120.0, 8.0, tuning_cents=cents, seed=tonic))
    wanted = scale_classes(f"{NAMES[tonic]} {mode}")
    assert found.name.endswith(mode)
    assert scale_classes(found.name) == wanted
    assert found.confidence > 0.6
    assert found.tuning_cents == pytest.approx(
        cents, abs=8.0
    )  # fifths and thirds of the overtones are not tempered


@pytest.mark.parametrize(
    ("bpm", "drums"),
    [(66.0, False), (80.0, True), (92.5, False), (100.0, True), (133.3, True), (150.0, False), (165.0, True)],
)
def test_tempo_within_half_a_percent(bpm, drums):
    found = tempo_of(made_song(3, "minor", bpm, 20.0, drums=drums, seed=int(bpm)))
    assert found.bpm == pytest.approx(bpm, rel=0.005)
    assert found.confidence > 0.5


def test_a_slow_beat_is_told_from_its_double_unless_all_the_eighths_are_struck():
    slow = {"bpm": 66.0, "seconds": 20.0}
    assert tempo_of(made_song(**slow, eighths=False)).bpm == pytest.approx(66.0, rel=0.005)
    assert tempo_of(made_song(**slow)).bpm == pytest.approx(132.0, rel=0.005)


def test_what_has_neither():
    noise = np.random.default_rng(0).standard_normal(20 * RATE).astype(np.float32) * 0.1
    assert key_of(noise) is None
    assert tempo_of(noise) is None
    silence = np.zeros(10 * RATE, np.float32)
    assert (key_of(silence), tempo_of(silence)) == (None, None)
    tone = (0.3 * np.sin(2 * np.pi * 220.0 / RATE * np.arange(20 * RATE))).astype(np.float32)
    assert tempo_of(tone) is None
    assert (KeyFinder().finish(), TempoFinder().finish()) == (None, None)
    assert tempo_of(made_song(seconds=7.0)) is None


def test_less_certain_where_the_notes_say_less():
    note = (0.1 * np.sin(2 * np.pi * 440.0 / RATE * np.arange(10 * RATE))).astype(np.float32)
    assert key_of(note).confidence < 0.6 < key_of(made_song(0, "major")).confidence  # A major, or A minor?


@pytest.mark.parametrize("block", [1, 255, 4096, 16_385])
def test_cut_into_blocks_is_the_same(block):
    sound = made_song(2, "minor", 96.0, 9.0)[: (20_000 if block == 1 else None)]
    assert key_of(sound, block) == key_of(sound)
    assert tempo_of(sound, block) == tempo_of(sound)


@pytest.fixture
def song(tmp_path, monkeypatch):
    monkeypatch.setenv("COVERMAKER_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "song.wav"
    sound = made_song(9, "minor", 110.0, 20.0, rate=44_100)
    soundfile.write(path, 0.3 * np.stack([sound, sound]).T, 44_100)
    return path


def test_a_song_of_another_rate_and_two_channels(song):
    found = measure(song)
    assert (found.seconds, found.sample_rate, found.channels) == (20.0, 44_100, 2)
    assert (found.key, found.short_key) == ("A minor", "Am")
    assert found.tempo_bpm == pytest.approx(110.0, rel=0.005)
    assert -40.0 < found.integrated_lufs < found.true_peak_dbtp < 0.0


def test_facts_are_measured_once_for_the_same_content(song, tmp_path, monkeypatch):
    assert known_facts(song) is None
    progress = []
    found = song_facts(song, progress=progress.append)
    assert progress[-1] == 1.0
    assert sorted(progress) == progress
    monkeypatch.setattr(facts_module, "measure", lambda *_, **__: pytest.fail("measured again"))
    assert song_facts(song) == found == known_facts(song)
    copy = tmp_path / "copy.wav"
    copy.write_bytes(song.read_bytes())
    assert known_facts(copy) is None  # nobody has looked into it
    assert song_facts(copy) == found == known_facts(copy)
    with copy.open("ab") as file:
        file.write(b"more")
    assert known_facts(copy) is None


def test_a_damaged_or_missing_memory_is_measured_again(song, monkeypatch, tmp_path):
    found = song_facts(song)
    for file in (tmp_path / "cache").rglob("*.json"):
        for rubbish in ("[]", "{", json.dumps({"version": 1}), json.dumps({"version": 0, "x": 1})):
            file.write_text(rubbish)
            assert known_facts(song) is None
        assert song_facts(song) == found
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("COVERMAKER_CACHE", str(blocked))
    assert song_facts(song) == found
    assert known_facts(song) is None
    assert facts_of("0" * 64) is None


def test_songs_that_cannot_be_heard(tmp_path, monkeypatch):
    monkeypatch.setenv("COVERMAKER_CACHE", str(tmp_path / "cache"))
    with pytest.raises(AudioInputError, match="there is no file"):
        song_facts(tmp_path / "none.wav")
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(AudioInputError):
        song_facts(tmp_path / "text.wav")
    bad = tmp_path / "nan.wav"
    soundfile.write(bad, np.full(9000, np.nan, np.float32), 22_050, subtype="FLOAT")
    with pytest.raises(AudioInputError, match="NaN"):
        song_facts(bad)
    short = tmp_path / "short.wav"
    soundfile.write(short, np.zeros(10), 8000)
    found = song_facts(short)
    assert dataclasses.replace(found, seconds=0.0) == SongFacts(
        0.0, 8000, 1, None, None, None, 0.0, None, 0.0
    )
