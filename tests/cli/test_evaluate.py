from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest
import soundfile

from covermaker.cli import alone
from covermaker.cli.evaluate import command
from covermaker.cli.main import run
from covermaker.errors import ProjectError, UsageError
from covermaker.training.heldout import read_phrases
from covermaker.voices.card import read_card
from covermaker.voices.library import LIBRARY_VARIABLE, SHIPPED

SCORES = [{"step": 100, "score": 0.5, "spoken": {"similarity": 0.8, "f0_median_cents": 4.0}}]


@pytest.fixture
def voice(tmp_path, monkeypatch):
    """Return a library voice that a training left with scores."""
    monkeypatch.setenv(LIBRARY_VARIABLE, str(tmp_path / "library"))
    folder = tmp_path / "library" / "mine"
    shutil.copytree(SHIPPED / "demo", folder)
    (folder / "training").mkdir()
    (folder / "training" / "scores.json").write_text(json.dumps(SCORES), encoding="utf-8")
    return folder


def evaluate(*arguments):
    command.main(args=[str(one) for one in arguments], standalone_mode=False)


def test_a_trained_voice_shows_its_scores(voice, capsys):
    evaluate("mine")
    out = capsys.readouterr().out
    assert "Training of mine" in out
    assert "0.800" in out
    evaluate("mine", "--json")
    value = json.loads(capsys.readouterr().out)
    assert value == {
        "scores": [],
        "training": [
            {"voice": "mine", "step": read_card(SHIPPED / "demo").training["step"], "scores": SCORES}
        ],
        "html": None,
    }


def test_two_voices_stand_side_by_side(voice, capsys):
    shutil.copytree(voice, voice.with_name("other"))
    evaluate("mine", "--against", "other")
    out = capsys.readouterr().out
    assert "Training of mine" in out
    assert "Training of other" in out


def test_damaged_scores_are_one_line(voice):
    (voice / "training" / "scores.json").write_text("{", encoding="utf-8")
    with pytest.raises(ProjectError, match=r"scores.json cannot be read"):
        evaluate("mine")


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"spoken": {}}', '{"spoken": {"semitones": "up"}}', '{"spoken": 3}']
)
def test_damaged_phrases_are_one_line(voice, tmp_path, text):
    (voice / "training" / "heldout").mkdir()
    (voice / "training" / "heldout" / "phrases.json").write_text(text, encoding="utf-8")
    with pytest.raises(ProjectError, match=r"phrases.json cannot be read"):
        evaluate("mine", "--html", tmp_path / "page.html")
    with pytest.raises(ProjectError, match=r"phrases.json cannot be read"):
        read_phrases(voice / "training" / "heldout", encoder="whisper-base")


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (["nobody"], ProjectError, "unknown voice 'nobody'"),
        (["bare"], UsageError, "carries no scores"),
        (["mine", "--pitch", "fcpy"], UsageError, "fcpe"),
    ],
)
def test_what_cannot_be_scored(voice, arguments, error, words):
    shutil.copytree(voice, voice.with_name("bare"))
    shutil.rmtree(voice.with_name("bare") / "training")
    card = voice.with_name("bare") / "card.toml"
    text = card.read_text(encoding="utf-8")
    card.write_text(text.split("[training]")[0] + "[training]\n", encoding="utf-8")
    with pytest.raises(error) as caught:
        evaluate(*arguments)
    assert words in str(caught.value)


def test_a_cover_that_is_not_rendered_says_what_to_run(new, tmp_path):
    assert new() == 0
    with pytest.raises(ProjectError, match="covermaker render cover"):
        evaluate("cover", "--store", tmp_path / "store")
    with pytest.raises(UsageError, match="--source is for a voice"):
        evaluate("cover", "--source", tmp_path / "songs" / "song.wav")
    with pytest.raises(UsageError, match="same kind"):
        evaluate("cover", "--against", "demo")


def test_a_source_is_converted_and_scored(voice, tmp_path, monkeypatch, capsys):
    """What the two jobs are asked for, and what becomes of their answers."""
    asked = []

    def launch(request, *, listener, log):
        asked.append(request)
        if request["job"] == "convert":
            return {"report": {"semitones": 12}}
        pair = {**request["pairs"][0], "similarity": 0.9, "seams": []}
        return {"pairs": [pair], "html": request["html"]}

    monkeypatch.setattr(alone, "launch", launch)
    source = tmp_path / "vocal.wav"
    soundfile.write(source, 0.1 * np.sin(np.arange(8000)), 8000)
    evaluate("mine", "--source", source, "--html", tmp_path / "r.html", "--device", "cpu")
    convert, score = asked
    assert convert["vocal"] == str(source)
    assert convert["voice"] == str(voice)
    assert score["pairs"][0]["converted"] == convert["out"]
    assert score["pairs"][0]["semitones"] == 12
    assert score["pairs"][0]["embedding"] == str(voice / "embedding.npy")
    assert score["html"] == str(tmp_path / "r.html")
    out = capsys.readouterr().out
    assert "0.900" in out
    assert "report: " in out


def test_a_report_without_sources_sings_the_phrases_as_the_training_did(voice, tmp_path, monkeypatch):
    asked = []

    def launch(request, *, listener, log):
        asked.append(request)
        if request["job"] == "convert":
            return {"report": {"semitones": request["convert"]["transpose"]}}
        return {"pairs": [{**pair, "seams": []} for pair in request["pairs"]], "html": request["html"]}

    monkeypatch.setattr(alone, "launch", launch)
    held = voice / "training" / "heldout"
    held.mkdir()
    listing = {"sung": {"semitones": 7, "singer": None}, "spoken-ben": {"semitones": -2, "singer": "ben"}}
    (held / "phrases.json").write_text(json.dumps(listing))
    evaluate("mine", "--html", tmp_path / "r.html")
    first, second, score = asked
    assert first["vocal"] == str(held / "sung-source.wav")
    assert first["convert"] == {"transpose": 7, "singers": {}}
    assert second["convert"] == {"transpose": -2, "singers": {"ben": 1.0}}
    assert score["pairs"][1]["target"] == str(held / "spoken-ben-target.wav")
    assert score["pairs"][1]["semitones"] == -2
    (held / "phrases.json").write_text("{")
    with pytest.raises(ProjectError, match=r"phrases\.json cannot be read"):
        evaluate("mine", "--html", tmp_path / "r.html")


@pytest.mark.slow
def test_a_voice_sings_and_is_judged(voice, tmp_path, monkeypatch, capsys):
    """The whole command, two processes and all."""
    if shutil.which("flite") is None:
        pytest.skip("flite is not installed")
    monkeypatch.setenv("COVERMAKER_STORE", str(tmp_path / "store"))
    source = tmp_path / "spoken.wav"
    text = "Somewhere behind the hill a river ran down to the sea"
    subprocess.run(["flite", "-voice", "rms", "-t", text, "-o", str(source)], check=True)
    page = tmp_path / "report.html"
    assert run(["evaluate", "mine", "--source", str(source), "--html", str(page), "--json"]) == 0
    (scores,) = json.loads(capsys.readouterr().out)["scores"]
    assert scores["f0_correlation"] > 0.9
    assert scores["similarity"] > scores["source_similarity"] + 0.1
    assert scores["seams"] == []
    assert page.stat().st_size > 50_000
    assert "spoken.wav sung by mine" in page.read_text(encoding="utf-8")
