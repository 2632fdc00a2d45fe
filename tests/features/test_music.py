"""Everything about a song at once: agreement, parts, what people say, the file that keeps it."""

import itertools

import mir_eval
import numpy as np
import pytest
import soundfile
from made_songs import RATE, made_form, made_song

from covermaker.errors import AudioInputError
from covermaker.features.song.facts import measure
from covermaker.features.song.key import moved_key, relative_of
from covermaker.features.song.music import Music, listen, read_music, write_music
from covermaker.features.song.sections import Section, find_sections


def write(path, sound, rate=RATE):
    soundfile.write(path, 0.5 * sound / max(np.abs(sound).max(), 1e-9), rate, subtype="FLOAT")
    return path


@pytest.fixture
def song(tmp_path):
    return write(tmp_path / "song.wav", made_song(9, "minor", 110.0, 30.0))


def test_lists_and_the_step_say_the_same(song):
    facts, music = measure(song), listen(song)
    assert (music.key, music.tempo_bpm) == (facts.key, facts.tempo_bpm)
    assert (music.key_confidence, music.tempo_confidence) == (facts.key_confidence, facts.tempo_confidence)


def test_a_key_comes_with_its_relative(song):
    music = listen(song)
    assert (music.key, music.relative_key) == ("A minor", "C major")
    assert 0.0 <= music.relative_confidence < music.key_confidence <= 1.0
    assert music.key_words == (
        f"A minor {music.key_confidence:.2f} / C major {music.relative_confidence:.2f}"
    )


@pytest.mark.parametrize(
    ("key", "relative"), [("C major", "A minor"), ("F# minor", "A major"), ("Eb major", "C minor")]
)
def test_relatives(key, relative):
    assert relative_of(key) == relative
    assert relative_of(relative) == key


def test_keys_move():
    assert moved_key("A minor", 3) == "C minor"
    assert moved_key("a minor", -12) == "a minor"
    assert moved_key("Bb major", 2) == "C major"
    assert moved_key("D dorian", 2) is None
    assert moved_key(None, 2) is None


@pytest.mark.parametrize(("form", "bars"), [("ABAB", 8), ("AABA", 8), ("ABCAB", 8), ("ABAC", 16)])
def test_parts_of_a_song(form, bars, tmp_path):
    """Borders within three seconds, and the same letters for the same parts."""
    sound, length = made_form(form, bars=bars)
    found = listen(write(tmp_path / "song.wav", sound)).sections
    runs = [(name, len(list(group))) for name, group in itertools.groupby(form)]
    ends = np.cumsum([count for _, count in runs]) * length
    truth = np.stack([np.concatenate([[0.0], ends[:-1]]), ends], axis=1)
    borders = np.array([[part.from_seconds, part.to_seconds] for part in found])
    borders[-1, 1] = truth[-1, 1]
    assert mir_eval.segment.detection(truth, borders, window=3.0)[2] == 1.0
    names = [name for name, _ in runs]
    alike = mir_eval.segment.pairwise(truth, names, borders, [part.name for part in found])[2]
    assert alike > 0.8
    assert found[0].name == "A"


def test_a_loop_is_one_part(tmp_path):
    sound, _ = made_form("AAAA", bpm=100.0)
    (part,) = listen(write(tmp_path / "song.wav", sound)).sections
    assert (part.name, part.from_seconds) == ("A", 0.0)


def test_what_has_none_of_it(tmp_path):
    silence = listen(write(tmp_path / "silence.wav", np.zeros(5 * RATE)))
    assert silence == Music(5.0)
    assert silence.key_words == ""
    noise = np.random.default_rng(0).standard_normal(20 * RATE).astype(np.float32)
    found = listen(write(tmp_path / "noise.wav", noise))
    assert (found.tempo_bpm, found.beats, found.key, found.downbeats) == (None, (), None, ())
    assert [part.name for part in found.sections] == ["A"]
    short = listen(write(tmp_path / "short.wav", np.zeros(10)))
    assert (short.beats, short.sections) == ((), ())
    with pytest.raises(AudioInputError):
        listen(tmp_path / "none.wav")
    assert find_sections(np.zeros((0, 36)), np.zeros((0, 12)), 0.0) == ()


def test_what_a_person_says_wins(song):
    told = listen(song, tempo_bpm=55.0)
    assert (told.tempo_bpm, told.tempo_confidence) == (55.0, 1.0)
    assert np.median(np.diff(told.beats)) == pytest.approx(60.0 / 55.0, rel=0.01)
    said = told.told(key="D dorian", sections=[("chorus", 12.0), ("verse", 0.0)])
    assert (said.key, said.key_words, said.relative_key) == ("D dorian", "D dorian", None)
    assert said.sections == (Section("verse", 0.0, 12.0), Section("chorus", 12.0, 30.0))
    assert told.told() == told


def test_it_is_kept_as_it_is(song, tmp_path):
    progress = []
    music = listen(song, progress=progress.append)
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    write_music(music, tmp_path / "music.json")
    assert read_music(tmp_path / "music.json") == music
    assert music.downbeats == music.beats[music.first_downbeat :: 4]
