"""Notes of curves whose notes are known."""

import shutil
from pathlib import Path

import mir_eval
import numpy as np
import pytest

from covermaker.features.notes import read_notes


def curve(notes, *, vibrato=0.0, glide=0, gap=10, tuning=0.0):
    """Return f0 and loudness of notes (MIDI number, frames); `gap` frames of silence between them."""
    pitch, level = [], []
    for number, frames in notes:
        time = np.arange(frames) / 100
        pitch += list(number + tuning + vibrato * np.sin(2 * np.pi * 5.5 * time))
        level += [-20.0] * frames
        pitch += [np.nan] * gap
        level += [-70.0] * gap
    pitch = np.array(pitch)
    if glide:
        kernel = np.hanning(glide + 2)[1:-1]
        pitch = np.convolve(np.pad(pitch, glide // 2, mode="edge"), kernel / kernel.sum(), "valid")[
            : len(level)
        ]
    f0_hz = np.where(np.isnan(pitch), 0.0, 440.0 * 2.0 ** ((np.nan_to_num(pitch) - 69) / 12))
    return f0_hz, np.array(level)


MELODY = [(60, 40), (62, 30), (64, 50), (64, 50), (67, 25), (65, 80), (72, 20), (60, 100)]


def truth(notes, gap):
    starts = np.cumsum([0, *[frames + gap for _, frames in notes]])[:-1]
    return [(start, start + frames, number) for start, (number, frames) in zip(starts, notes, strict=True)]


@pytest.mark.parametrize("vibrato", [0.0, 0.5, 0.9])
def test_notes_with_pauses_are_exact(vibrato):
    f0_hz, level_db = curve(MELODY, vibrato=vibrato)
    found = [(note.start, note.stop, note.number) for note in read_notes(f0_hz, level_db)]
    assert found == truth(MELODY, 10)


@pytest.mark.parametrize("glide", [0, 7, 13])
def test_a_legato_melody_changes_notes_within_50_ms(glide):
    melody = [(60, 40), (62, 30), (64, 50), (67, 25), (65, 80), (72, 40), (60, 100)]
    f0_hz, level_db = curve(melody, glide=glide, gap=0, vibrato=0.4)
    found = read_notes(f0_hz, level_db)
    wanted = truth(melody, 0)
    score = mir_eval.transcription.precision_recall_f1_overlap(
        np.array([(a, b) for a, b, _ in wanted]) / 100,
        440.0 * 2.0 ** ((np.array([n for *_, n in wanted]) - 69) / 12),
        np.array([(note.start_seconds, note.stop_seconds) for note in found]),
        440.0 * 2.0 ** ((np.array([note.number for note in found]) - 69) / 12),
    )
    assert score[2] == 1.0


def test_a_closed_mouth_parts_syllables_on_one_note():
    f0_hz, level_db = curve([(64, 120)], gap=0)
    level_db[58:63] = -45.0
    assert [(note.start, note.stop) for note in read_notes(f0_hz, level_db)] == [(0, 62), (62, 120)]
    level_db[58:63] = -28.0  # an "l"
    assert len(read_notes(f0_hz, level_db)) == 1


def test_slips_of_the_reading_are_no_notes():
    f0_hz, level_db = curve([(64, 100)], gap=0)
    f0_hz[40:43] = 0.0
    f0_hz[70:73] *= 2.0
    (note,) = read_notes(f0_hz, level_db)
    assert (note.start, note.stop, note.number) == (0, 100, 64)
    f0_hz[90:92] = 0.0
    f0_hz[92:] *= 2.0 ** (5 / 12)
    assert [note.number for note in read_notes(f0_hz, level_db)] == [64, 69]


def test_a_singer_off_tune_sings_the_notes_of_her_own_tuning():
    f0_hz, level_db = curve(MELODY, tuning=0.45)
    sharp = read_notes(f0_hz, level_db, a4_hz=440.0 * 2 ** (0.45 / 12))
    assert [note.number for note in sharp] == [number for number, _ in MELODY]
    assert sharp[0].pitch == pytest.approx(60.45, abs=1e-6)


def test_only_notes_of_a_key():
    f0_hz, level_db = curve([(61, 50), (66, 50)], tuning=0.2)
    c_major = (0, 2, 4, 5, 7, 9, 11)
    assert [note.number for note in read_notes(f0_hz, level_db, classes=c_major)] == [62, 67]


def test_levels_and_times():
    f0_hz, level_db = curve([(60, 30)])
    level_db[10] = -9.0
    (note,) = read_notes(f0_hz, level_db)
    assert (note.start_seconds, note.stop_seconds, note.level_db) == (0.0, 0.3, -9.0)


@pytest.mark.parametrize("frames", [0, 1, 100])
def test_nothing_sung(frames):
    assert read_notes(np.zeros(frames), np.full(frames, -100.0)) == []
    assert read_notes(np.full(min(frames, 5), 220.0), np.full(min(frames, 5), -20.0)) == []


@pytest.mark.slow
def test_notes_of_sentences_that_were_sung_on_a_known_melody(tmp_path, monkeypatch):
    """Two sentences by two voices; the benchmark scores all of them."""
    if shutil.which("flite") is None:
        pytest.skip("flite is not installed")
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "benchmarks"))
    import bench_music

    assert bench_music.notes(tmp_path, "dev", sentences=2)["sung notes"]["F"] >= 0.75
