"""Beats and bars of songs that are made to have them, scored as beat trackers are (MIREX: within 70 ms)."""

import mir_eval
import numpy as np
import pytest
from made_songs import RATE, clicks, made_song, made_waltz

from covermaker.features.song.beats import find_beats
from covermaker.features.song.chroma import ChromaFrames
from covermaker.features.song.tempo import TempoFinder


def beats_of(sound, bpm=None, block=None):
    tempo, chroma = TempoFinder(), ChromaFrames()
    size = block or len(sound)
    for start in range(0, len(sound), size):
        tempo.push(sound[start : start + size])
        chroma.push(sound[start : start + size])
    found = tempo.finish()
    return found, find_beats(tempo.heard, chroma.finish(), bpm or found.bpm)


def score(times, truth):
    return mir_eval.beat.f_measure(mir_eval.beat.trim_beats(truth), mir_eval.beat.trim_beats(times))


@pytest.mark.parametrize("bpm", [60, 75, 90, 110, 127, 140, 160, 180])
def test_clicks(bpm):
    sound, truth = clicks(bpm, 30.0)
    tempo, beats = beats_of(sound)
    assert tempo.bpm == pytest.approx(bpm, rel=0.01)
    assert score(beats.times, truth) > 0.98
    assert abs(np.median(beats.times - truth[: len(beats.times)])) < 0.01
    assert beats.per_bar is None  # nothing says where a bar begins


@pytest.mark.parametrize("bpm", [60, 75, 90, 110, 127, 140, 160, 180])
def test_drums_and_chords(bpm):
    sound = made_song(3, "minor", float(bpm), 40.0, eighths=bpm > 100, seed=bpm)
    truth = np.arange(int(40 * bpm / 60)) * 60.0 / bpm
    tempo, beats = beats_of(sound)
    assert tempo.bpm == pytest.approx(bpm, rel=0.01)
    assert score(beats.times, truth) > 0.98
    assert beats.per_bar == 4
    first = beats.times[beats.first]
    assert (first / (240.0 / bpm) + 0.5) % 1.0 == pytest.approx(0.5, abs=0.05)
    assert beats.bar_confidence > 0.3


def test_three_in_a_bar():
    _, beats = beats_of(made_waltz(120.0, 40.0))
    assert (beats.per_bar, beats.first) == (3, 0)


def test_beats_follow_players_who_slow_down():
    """From 124 down to 112 within half a minute: no straight line would do."""
    places = np.cumsum(60.0 / np.linspace(124.0, 112.0, 60))
    sound = np.zeros(int((places[-1] + 1.0) * RATE), np.float32)
    stroke = 0.5 * np.random.default_rng(1).standard_normal(2000) * np.exp(-np.arange(2000) / 400)
    for place in places:
        sound[round(place * RATE) :][: len(stroke)] += stroke.astype(np.float32)
    _, beats = beats_of(sound)
    assert score(beats.times, places) > 0.95


def test_a_person_knows_the_tempo_better():
    """Eighths on the hat: found twice as fast, told as it is."""
    sound = made_song(bpm=66.0, seconds=30.0)
    assert beats_of(sound)[0].bpm == pytest.approx(132.0, rel=0.01)
    _, beats = beats_of(sound, bpm=66.0)
    assert np.median(np.diff(beats.times)) == pytest.approx(60.0 / 66.0, rel=0.01)
    assert score(beats.times, np.arange(33) * 60.0 / 66.0) > 0.98


def test_a_file_that_begins_on_the_beat_has_it():
    _, beats = beats_of(made_song(bpm=120.0, seconds=20.0))
    assert beats.times[0] == 0.0
    assert beats.times[1] == pytest.approx(0.5, abs=0.02)


def test_beats_end_where_nothing_is_played():
    sound, _ = clicks(120, 20.0)
    quiet = np.random.default_rng(0).standard_normal(10 * RATE).astype(np.float32) * 1e-4
    _, beats = beats_of(np.concatenate([quiet, sound, quiet]), bpm=120.0)
    assert 9.5 < beats.times[0] < 10.6
    assert 28.0 < beats.times[-1] < 30.5


@pytest.mark.parametrize("block", [255, 4096])
def test_cut_into_blocks_is_the_same(block):
    sound = made_song(2, "minor", 96.0, 15.0)
    (_, whole), (_, cut) = beats_of(sound), beats_of(sound, block=block)
    assert np.array_equal(whole.times, cut.times)


@pytest.mark.parametrize("seconds", [0.0, 0.1, 1.0])
def test_too_short_for_a_beat(seconds):
    silence = np.zeros(round(seconds * RATE), np.float32)
    tempo, chroma = TempoFinder(), ChromaFrames()
    tempo.push(silence)
    chroma.push(silence)
    assert not len(find_beats(tempo.heard, chroma.finish(), 120.0).times)
