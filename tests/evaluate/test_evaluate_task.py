from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

from covermaker.evaluate.speaker_encoder import embed
from covermaker.evaluate.table import figure_rows, training_rows
from covermaker.evaluate.task import evaluate
from covermaker.graph.events import StepFinished, StepProgress, StepStarted


@pytest.mark.slow
def test_pairs_are_scored_and_shown(speak, write_wav, tmp_path):
    sound, rate = soundfile.read(speak("rms"))
    broken = sound.copy()
    broken[rate] += 0.9
    wanted = tmp_path / "wanted.npy"
    np.save(wanted, embed(speak("rms")))
    pair = {
        "name": "a song",
        "voice": "somebody",
        "source": str(speak("rms")),
        "converted": str(write_wav(broken, rate)),
        "semitones": 0,
        "embedding": str(wanted),
    }
    request = {
        "title": "A title",
        "pairs": [pair, {**pair, "voice": "another", "converted": pair["source"], "embedding": None}],
        "tables": [{"title": "Training of x", "header": ["step"], "rows": [["5"]]}],
        "html": str(tmp_path / "report.html"),
        "device": "cpu",
        "language": "en",
    }
    events = []
    result = evaluate(request, events.append)
    first, second = result["pairs"]
    json.dumps(result)
    assert [seam["kind"] for seam in first["seams"]] == ["click"]
    assert first["similarity"] > 0.95
    assert second["similarity"] is None
    assert second["seams"] == []
    assert second["words_read"] == 1
    assert abs(first["lag_ms"]) < 0.1
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    for words in (
        "A title",
        "a song sung by somebody",
        "sung by another",
        "Training of x",
        "Read in the source: ",
    ):
        assert words in text
    names = [event.name for event in events if isinstance(event, StepStarted)]
    assert names == ["score a song"] * 2
    assert sum(isinstance(event, StepFinished) for event in events) == 2
    assert any(isinstance(event, StepProgress) for event in events)


@pytest.mark.slow
def test_a_target_says_who_should_be_heard_and_what_is_sung(speak):
    pair = {
        "name": "a", "voice": "slt", "source": str(speak("rms")), "converted": str(speak("slt")), "semitones": 0,
        "embedding": None, "target": str(speak("slt")),
    }  # fmt: skip
    request = {"title": "t", "pairs": [pair], "html": None, "device": "cpu", "language": "en"}
    (figures,) = evaluate(request, lambda event: None)["pairs"]
    assert figures["similarity"] > 0.999
    assert figures["source_similarity"] < 0.8
    assert figures["mcd_db"] == 0.0
    assert figures["cer"] == 0.0
    assert figures["source_cer"] is not None


def test_no_pairs_make_a_page_of_tables(tmp_path):
    table = {"title": "T", "header": ["h"], "rows": [["c"]]}
    request = {
        "title": "t",
        "pairs": [],
        "tables": [table],
        "html": str(tmp_path / "r.html"),
        "device": "cpu",
    }
    assert evaluate(request, lambda event: None)["pairs"] == []
    assert "<td>c</td>" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_a_table_writes_what_is_there():
    header, rows = figure_rows(
        [{"name": "n", "voice": "v", "f0_correlation": 0.98765, "seams": [1, 2], "cer": None}]
    )
    assert header == ["vocal", "voice", "F0CORR", "seams"]  # figures that no row has get no column
    assert rows == [["n", "v", "0.9877", "2"]]


def test_scores_of_a_training_are_a_row_a_save_and_kind():
    scores = [{"step": 100, "score": 0.5, "spoken": {"similarity": 0.8}, "sung": {"similarity": None}}]
    header, rows = training_rows(scores)
    assert header == ["step", "phrases", "similarity", "score"]
    assert rows == [["100", "spoken", "0.800", "0.500"], ["100", "sung", "-", "0.500"]]
    assert training_rows([]) == (["step", "phrases", "score"], [])


def test_the_save_that_became_the_voice_is_marked():
    scores = [{"step": step, "score": 0.5, "sung": {"similarity": 0.8}} for step in (100, 200)]
    assert [row[-1] for row in training_rows(scores, 200)[1]] == ["0.500", "0.500, the voice"]
    assert [row[-1] for row in training_rows(scores)[1]] == ["0.500", "0.500"]
