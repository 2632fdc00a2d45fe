from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

from covermaker.evaluate.metrics import hear
from covermaker.evaluate.report import judge_of, score_cover
from covermaker.evaluate.speaker_encoder import embed


@pytest.fixture(scope="module")
def rms_voice(speak):
    return embed(speak("rms", "The harbour was blue and the morning wind had gone to sleep"))


@pytest.mark.slow
def test_a_vocal_scores_full_marks_against_itself(speak, rms_voice):
    told = []
    score = score_cover(speak("slt"), speak("slt"), voice_embedding=rms_voice, progress=told.append)
    assert score.lag_ms == pytest.approx(0, abs=1e-6)
    assert score.lag_correlation == pytest.approx(1)
    assert score.scores.f0_correlation == pytest.approx(1)
    assert score.scores.f0_rmse_cents == 0
    assert score.octave_errors == 0
    assert score.scores.words_read == 1
    assert score.scores.cer == 0
    assert score.language == "en"
    assert len(score.scores.source_words) >= 10
    assert score.scores.similarity == score.scores.source_similarity
    assert score.new_clicks_seconds == ()
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_an_octave_that_the_conversions_own_method_misread_is_told(write_wav):
    """The song sings A2; the conversion took its second half for A3, and so does its method in what came out."""
    time = np.arange(2 * 44_100) / 44_100
    one_octave = np.where(time < 1.0, 1.0, 2.0)

    def sung(f0_hz):
        phase = 2 * np.pi * np.cumsum(f0_hz) / 44_100
        return 0.2 * sum(np.sin(k * phase) / k for k in range(1, 13))

    song, cover = sung(np.full(len(time), 110.0)), sung(110.0 * one_octave)
    misread = (110.0 * np.repeat([1, 2], [100, 101])).astype(np.float32)
    score = score_cover(
        write_wav(song, 44_100, "song.wav"),
        hear(write_wav(cover, 44_100, "cover.wav"), words=False, f0_hz=misread),
        source_f0_hz=misread,
        language="en",
    )
    assert score.scores.f0_correlation == pytest.approx(1)
    assert score.octave_judge == "pm"
    assert score.octave_errors == pytest.approx(0.5, abs=0.03)
    assert judge_of("pm") == "fcpe"


def test_another_voice_late_with_a_click_is_told_apart(speak, rms_voice, write_wav):
    """The wanted voice speaks the sentence an octave lower than it should, 5 ms late, with a click planted."""
    sound, rate = soundfile.read(speak("rms"))
    late = np.concatenate([np.zeros(80), sound])[: len(sound)]
    late[16000] += 0.9
    f0 = np.where(np.arange(200) % 50 < 40, 200.0, 0.0)
    score = score_cover(
        speak("rms"),
        hear(write_wav(late, rate), f0_hz=f0, language="en"),
        voice_embedding=rms_voice,
        transpose_semitones=12.0,
        source_f0_hz=f0,
        language="en",
    )
    assert score.lag_ms == pytest.approx(5, abs=0.1)
    assert score.scores.similarity > 0.8
    assert score.scores.f0_median_cents == pytest.approx(1200)
    assert score.octave_errors > 0.9
    assert score.scores.words_read > 0.8
    assert score.new_clicks_seconds == (pytest.approx(1.0, abs=0.002),)


@pytest.mark.parametrize("frames", [1, 32_000])
def test_silence_is_scored_without_a_word(write_wav, rms_voice, frames):
    path = write_wav(np.zeros(frames))
    score = score_cover(path, path, voice_embedding=rms_voice)
    scores = score.scores
    assert (scores.similarity, scores.words_read, score.language) == (None,) * 3
    assert scores.vuv_f1 == 1
    assert scores.source_words == ()


def test_a_score_is_json(write_wav):
    path = write_wav(np.zeros(8000))
    values = json.loads(json.dumps(score_cover(path, path).as_dict(), allow_nan=False))
    assert values["seconds"] == 0.5
    assert values["similarity"] is None
    assert values["f0_correlation"] is None
    assert values["octave_errors"] is None
    assert values["source_words"] == []
    assert values["new_clicks_seconds"] == []
