from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

from covermaker.errors import AudioInputError, UsageError
from covermaker.evaluate.metrics import Heard, hear, mean_embedding, score_conversion
from covermaker.evaluate.speaker_encoder import embed

TEXT = "It always seems like time stands still when I am with you"


def heard(f0_hz, words=None):
    return Heard(None, np.asarray(f0_hz, np.float32), None, words, "en")


MELODY = 220 * 2 ** (np.sin(np.arange(300) / 20) / 2)


@pytest.mark.slow
def test_a_file_against_itself_is_perfect(speak):
    path = speak("slt")
    told = []
    scores = score_conversion(
        path, path, reference_embedding=embed(path), target=path, transcript=TEXT, progress=told.append
    )
    assert scores.f0_correlation == pytest.approx(1)
    assert (scores.f0_rmse_cents, scores.f0_median_cents, scores.vuv_f1) == (0, 0, 1)
    assert scores.similarity == pytest.approx(1)
    assert scores.similarity == scores.source_similarity
    assert scores.cer == scores.source_cer
    assert scores.cer < 0.1
    assert (scores.cer_to_source, scores.words_read) == (0, 1)
    assert (scores.mcd_db, scores.mcd_c0_db) == (0, 0)
    assert scores.source_words == scores.converted_words
    assert told == sorted(told)
    assert told[-1] == 1
    json.dumps(scores.as_dict())


@pytest.mark.parametrize("cents", [-700, 35, 1200])
def test_a_vocal_that_is_off_by_so_many_cents_measures_so(write_wav, cents):
    """A glide on harmonics, rendered again at another pitch: known to the cent, heard from the file."""
    rate, count = 16000, 48000

    def sung(ratio):
        f0 = ratio * 200 * 2 ** (np.sin(np.arange(count) / 9000) / 3)
        phase = 2 * np.pi * np.cumsum(f0) / rate
        return 0.1 * sum(np.sin(k * phase) / k for k in range(1, 9))

    paths = write_wav(sung(1), rate, "a.wav"), write_wav(sung(2 ** (cents / 1200)), rate, "b.wav")
    off = score_conversion(*paths, words=False)
    assert off.f0_median_cents == pytest.approx(abs(cents), abs=3)
    assert off.f0_rmse_cents == pytest.approx(abs(cents), abs=5)
    assert off.f0_correlation > 0.999
    wanted = score_conversion(*paths, words=False, semitones=cents / 100)
    assert wanted.f0_median_cents < 3
    assert wanted.vuv_f1 == pytest.approx(1, abs=0.02)


def test_the_root_mean_square_counts_what_the_median_spares():
    other = MELODY.copy()
    other[:75] *= 2 ** (400 / 1200)
    scores = score_conversion(heard(MELODY), heard(other))
    assert scores.f0_median_cents == 0
    assert scores.f0_rmse_cents == pytest.approx(200, rel=1e-4)  # √(¼ · 400²)


def test_planted_voicing_errors_count():
    other = MELODY.copy()
    other[:60] = 0  # 240 of 300 are found, none is invented
    assert score_conversion(heard(MELODY), heard(other)).vuv_f1 == pytest.approx(2 * 240 / 540)


def test_words_are_held_against_the_transcript_and_against_the_source():
    source, converted = heard(MELODY, ("abcd", "efgh")), heard(MELODY, ("abcd", "xfgh"))
    scores = score_conversion(source, converted, transcript="Abcd, efgz!")
    assert scores.source_cer == pytest.approx(1 / 8)
    assert scores.cer == pytest.approx(2 / 8)
    assert scores.cer_to_source == pytest.approx(1 / 8)
    assert scores.words_read == 0.5
    without = score_conversion(source, converted)
    assert (without.cer, without.source_cer) == (without.cer_to_source, None)


@pytest.mark.parametrize("words", [None, ()])
def test_what_is_not_there_is_none(words):
    silence = heard(np.zeros(10), words)
    scores = score_conversion(silence, silence, reference_embedding=np.ones(256), words=False)
    assert scores.vuv_f1 == 1
    left = {name: value for name, value in scores.as_dict().items() if name not in ("vuv_f1",)}
    assert {value for name, value in left.items() if not name.endswith("_words")} == {None}


def test_silence_is_scored(write_wav):
    quiet = write_wav(np.zeros(16000))  # no word reader is asked: nothing is loud enough
    scores = score_conversion(quiet, quiet, reference_embedding=np.ones(256), target=quiet, transcript=TEXT)
    assert (scores.similarity, scores.mcd_db, scores.f0_correlation) == (None, None, None)
    assert scores.cer == 1  # nothing of it was read


def test_what_was_heard_before_gives_the_same_scores(speak):
    source, other = speak("rms"), speak("slt")
    options = {"reference_embedding": embed(other), "semitones": 12, "words": False}
    fresh = score_conversion(source, other, **options)
    assert fresh == score_conversion(hear(source, words=False), hear(other, words=False), **options)
    assert fresh.similarity == pytest.approx(1)
    assert fresh.source_similarity < 0.75


def test_the_mean_of_embeddings_has_length_one(speak):
    one, other = embed(speak("slt")), embed(speak("rms"))
    mean = mean_embedding([one, other, other])
    assert np.linalg.norm(mean) == pytest.approx(1)
    assert mean @ other > mean @ one
    with pytest.raises(ValueError, match="no embeddings"):
        mean_embedding([])


def test_a_file_that_is_not_there_and_an_unknown_method(tmp_path, speak):
    with pytest.raises(AudioInputError, match="none"):
        score_conversion(speak("slt"), tmp_path / "none.wav", words=False)
    with pytest.raises(UsageError, match="pitch method"):
        score_conversion(speak("slt"), speak("slt"), words=False, pitch_method="ear")


@pytest.mark.slow
def test_noise_costs_pitch_and_shape(speak, write_wav):
    sound, rate = soundfile.read(speak("slt"))
    noise = np.random.default_rng(2).normal(0, 0.5 * np.std(sound), len(sound))
    bad = score_conversion(speak("slt"), write_wav(sound + noise, rate), target=speak("slt"), words=False)
    assert bad.mcd_db > 3
    assert bad.f0_rmse_cents > 1
