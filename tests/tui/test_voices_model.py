"""What the Voices screen knows of a folder, whatever lies in it, and the words for it."""

import json
import os
import subprocess
import sys
import time

import pytest
from voices_stage import now_json, voice

from covermaker.graph.events import StepProgress
from covermaker.takes.choose import choose_takes
from covermaker.training.lock import alone_in
from covermaker.training.watch import Course
from covermaker.tui import voices_model
from covermaker.tui.job_board import JobBoard
from covermaker.tui.voices_model import Voices, read_recorded, read_row, read_whole
from covermaker.tui.voices_text import (
    card_lines,
    lost_by_killing,
    promotion_words,
    scan_words,
    state_words,
    take_words,
    training_lines,
)
from covermaker.tui.voices_training import _nearest, losses, scores
from covermaker.units import human_bytes


@pytest.fixture(autouse=True)
def own_voices(tmp_path, monkeypatch):
    root = tmp_path / "voices"
    root.mkdir()
    monkeypatch.setenv("COVERMAKER_VOICES", str(root))
    return root


def whole_of(folder):
    return read_whole(read_row(folder, "library"), Course(folder / "training"), read_recorded(folder))


@pytest.mark.parametrize(
    ("options", "state", "words"),
    [
        ({}, "ready", "✓ ready"), ({"card": False, "training": False}, "takes", "· only takes"),
        ({"status": "running"}, "stopped", "- stopped"), ({"status": "astray"}, "astray", "! went astray"),
        ({"takes": False, "training": False}, "ready", "✓ ready"),
    ],
)  # fmt: skip
def test_states(own_voices, options, state, words):
    row = read_row(voice(own_voices, **options), "library")
    assert (row.state, row.problem) == (state, "")
    assert state_words(row, None, "unicode")[0] == words


def test_what_is_broken_is_a_sentence(own_voices):
    folder = voice(own_voices)
    weights = next(folder.glob("voice-*.safetensors"))
    weights.unlink()
    assert read_row(folder, "library").problem.startswith(f"{weights.name} is missing; copy the whole")
    (folder / "card.toml").write_text("half = ")
    row = read_row(folder, "library")
    assert (row.state, row.card) == ("damaged", None)
    assert "card.toml" in row.problem
    (folder / "takes.toml").write_bytes(b"\xff\xfe")
    (folder / "training" / "scores.json").write_text('[{"step": 806, "sc')
    (folder / "training" / "run.json").write_text("")
    (folder / "training" / "heldout" / "phrases.json").write_text("3")
    with (folder / "training" / "history.jsonl").open("a") as file:
        file.write('{"step": 2160, "lo')
    whole = whole_of(folder)
    assert "not UTF-8" in whole.takes_problem
    assert "run.json" in whole.watched.problem
    assert whole.lines.steps[-1] == 2150
    said = " ".join(words for words, _ in training_lines(whole, None, 0.0, "unicode"))
    assert "run.json" in said
    for file in ("card.toml", "takes.toml"):
        (folder / file).unlink()
        (folder / file).mkdir()
    assert read_row(folder, "library").state == "damaged"


def test_takes_carry_what_the_scan_said(own_voices):
    folder = voice(own_voices)
    (folder / "takes" / "take-3.wav").unlink()
    whole = whole_of(folder)
    assert [take.verdict for take in whole.takes] == [
        ("done", "ok"),
        ("warn", "noisy"),
        ("failed", "missing"),
    ]
    assert whole.summary() == "3 takes, noisy 1"
    noisy = take_words(whole.takes[1], (), "unicode")
    assert noisy[0][0].startswith("! the voice is only 14 dB above the noise: record in a quieter room")
    assert "missing from the folder" in take_words(whole.takes[2], (), "unicode")[0][0]
    assert take_words(None, ("short",), "unicode") == []
    known = {take.file: take.report for take in whole.takes}
    assert scan_words(known, whole.takes) == "scanned again: nothing new"
    assert scan_words({}, whole.takes).startswith("3 takes scanned, 1 with a warning")


def test_a_running_training_in_words(own_voices):
    folder = voice(own_voices, status="running")
    now = time.time()
    with alone_in(folder):
        (folder / "training" / "now.json").write_text(now_json(told=now, began=now - 100))
        whole = whole_of(folder)
    assert whole.row.state == "training"
    said = [words for words, _ in training_lines(whole, None, now, "ascii")]
    assert said[0] == "> training 46 %, 5:12 left"
    assert said[1] == "step 900  0.16 s a step  on cpu  11 min in all"
    assert said[2] == f"loss 0.512  rate 1.2e-03  {human_bytes(2_400_000_000)}"
    assert "no news for 2:05" in training_lines(whole, None, now + 125.0, "unicode")[1][0]
    assert lost_by_killing(whole.watched, now) == "Nothing is lost: it was saved a moment ago."


def test_a_training_that_prepares_tells_how_long_it_has_run_and_how_long_all_of_it_takes(own_voices):
    folder = voice(own_voices, status="running")
    now = time.time()
    with alone_in(folder):
        told = {"phase": "features", "fraction": 0.4, "step": None, "seconds_left": 620.0}
        (folder / "training" / "now.json").write_text(now_json(told=now, began=now - 39, **told))
        whole = whole_of(folder)
    said = [words for words, _ in training_lines(whole, None, now, "ascii")]
    assert said[0] == "> hearing the takes 40 %, 10:20 left in all"
    assert said[1].endswith("on cpu  0:39 so far")


@pytest.mark.parametrize(
    ("kept", "lost"),
    [((806,), "94 steps, about 0:20 are lost, since the save of step 806."), ((), "900 steps")],
)
def test_what_killing_costs(own_voices, kept, lost):
    folder = voice(own_voices, status="running", kept=kept)
    with alone_in(folder):
        (folder / "training" / "now.json").write_text(now_json(told=time.time()))
        words = lost_by_killing(whole_of(folder).watched, time.time())
    assert words.startswith(lost)


def test_curves_of_a_recording(own_voices):
    whole = whole_of(voice(own_voices))
    saves = whole.watched.checkpoints
    drawn = {series.name: series for series in losses(whole.lines, saves)}
    assert list(drawn) == ["trend", "saved", "loss"]
    assert [round(step) for step in drawn["saved"].x] == [800, 1490, 2150]
    assert 0.4 < drawn["trend"].y[-1] < drawn["trend"].y[0]
    told = {series.name: list(series.y) for series in scores(saves, "sung")}
    assert told["score"] == [0.9213, 0.94218, 0.95864]
    assert told["CER"] == [0.25698, 0.23464, 0.16201]
    assert losses(type(whole.lines)(), ()) == []
    assert scores((), "sung") == []


def test_the_card(own_voices):
    told = {label: words for label, words, _ in card_lines(whole_of(voice(own_voices)), "unicode") if label}
    assert told["rights"] == "synthetic"
    assert told["range"] == "D3 to G4, median G3"
    assert told["score"] == "0.959"
    takes_only = whole_of(voice(own_voices, "ben", card=False, training=False))
    told = {label: words for label, words, _ in card_lines(takes_only, "unicode") if label}
    assert told["card"] == "there is none before it is trained"


def test_promotion_words():
    assert (
        promotion_words("anna", 1502, [], "ascii") == "anna is step 1 502 now; no song of the library uses it"
    )
    for charset, more in (("unicode", "…"), ("ascii", "~")):
        many = promotion_words("anna", 9, ["A", "B", "C", "D"], charset)
        assert many == f"anna is step 9 now: 4 songs are stale (A, B, C {more})"


def test_200_voices_are_read_fast_and_then_only_what_changed(own_voices, monkeypatch):
    for number in range(200):
        voice(own_voices, f"voice-{number:03d}", scan=False, kept=())
    voices = Voices()
    began = time.process_time()
    rows = voices.look(None)
    took = time.process_time() - began
    assert len(rows) == 201
    assert took < 2.0
    read = []
    monkeypatch.setattr("covermaker.tui.voices_model.read_row", lambda folder, place: read.append(folder))
    began = time.process_time()
    assert voices.look(None) == rows
    assert time.process_time() - began < 0.5
    assert read == []


def test_takes_are_read_again_only_when_their_files_are_others(own_voices, monkeypatch):
    folder = voice(own_voices)
    voices, row, read = Voices(), read_row(folder, "library"), []
    for name in ("read_takes", "read_report"):
        original = getattr(voices_model, name)
        monkeypatch.setattr(
            voices_model,
            name,
            lambda *given, name=name, original=original: read.append(name) or original(*given),
        )
    first = voices.read(row)
    assert voices.read(row) == first
    assert read == ["read_takes", "read_report"]
    assert first.takes[1].verdict == ("warn", "noisy")
    choose_takes(folder, ["take-2.wav"], use=False)
    assert voices.read(row).takes[1].verdict == ("stopped", "left out")
    (folder / ".takes" / "scan.json").unlink()
    assert voices.read(row).takes[0].verdict == ("wait", "not scanned")
    (folder / "takes" / "take-1.wav").unlink()  # a recording that goes is noticed without a new document
    assert voices.read(row).takes[0].missing
    (folder / "takes.toml").write_text("nonsense = ")
    assert "takes.toml" in voices.read(row).takes_problem
    assert len(read) == 7


def test_a_save_lies_on_the_last_line_of_the_history_before_it(own_voices):
    steps = tuple(range(0, 1_000_000, 10))
    began = time.process_time()
    assert [_nearest(step, steps) for step in (-1, 0, 9, 10, 999_999)] == [-1, 0, 0, 10, 999_990]
    assert [_nearest(step, ()) for step in (0, 5)] == [-1, -1]
    for step in steps[:2000]:
        _nearest(step, steps)
    assert time.process_time() - began < 0.5


def test_nothing_heavy_is_loaded():
    code = (
        "import sys, covermaker.tui.screens.voices, covermaker.takes.scan\n"
        "print(json.dumps(sorted(set(sys.modules) & {'torch', 'scipy', 'pedalboard', 'soundfile', 'av'})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import json\n{code}"], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []


def test_a_stopped_training_says_of_how_many_steps_it_is(own_voices):
    folder = voice(own_voices, status="running")
    file = folder / "training" / "run.json"
    run = json.loads(file.read_text())
    run["profile"] |= {"minutes": None, "recipe": {**run["profile"]["recipe"], "steps": 3000}}
    file.write_text(json.dumps(run))
    words = [line for line, _ in training_lines(whole_of(folder), None, 0.0, "unicode")]
    assert words[0] == "- stopped: its last save is step 2 150 of 3 000"
    assert words[-1] == "{voices.train} goes on with it, or begins again"


def test_what_was_prepared_of_a_stopped_training_is_kept(own_voices):
    folder = voice(own_voices, card=False, training=False)
    (folder / "training" / "clips").mkdir(parents=True)
    assert "not trained yet" in training_lines(whole_of(folder), None, 0.0, "unicode")[0][0]
    (folder / "training" / "clips" / "take-1-0.flac").write_bytes(b"")
    whole = whole_of(folder)
    assert whole.watched.prepared
    assert [words for words, _ in training_lines(whole, None, 0.0, "unicode")] == [
        "- stopped before its first step: what was prepared is kept",
        "{voices.train} goes on from there",
    ]


def test_a_training_of_ours_is_told_as_the_head_of_the_screen_tells_it(own_voices):
    folder = voice(own_voices, status="running")
    board = JobBoard()
    job = board.add("train", "anna", str(folder), {}, None)
    board.began(job, 0.0)
    board.feed(job, StepProgress("features", 0.55, 574.0), 1.0)
    now = time.time()
    with alone_in(folder):
        told = {"phase": "features", "fraction": 0.52, "step": None, "seconds_left": 571.0}
        (folder / "training" / "now.json").write_text(now_json(told=now - 3.0, **told))
        whole = whole_of(folder)
    said = training_lines(whole, job, now, "unicode")[0][0]
    assert said == "► hearing the takes 55 %, 9:34 left in all"
    assert board.headline(now) == "anna: hearing the takes 55 %, 9:34 left"


def test_files_that_are_not_whole_are_seen_when_the_list_is_read_again(own_voices):
    folder = voice(own_voices)
    voices = Voices()
    assert [row.state for row in voices.look(None) if row.name == "anna"] == ["ready"]
    for file in (next(folder.glob("voice-*.safetensors")), next(folder.glob("index-*.npz"))):
        whole = file.read_bytes()
        file.write_bytes(whole + b"\0")
        os.utime(file, (1, 1))
        (row,) = (row for row in voices.look(None) if row.name == "anna")
        assert (row.state, row.problem.split()[0]) == ("damaged", file.name)
        file.write_bytes(whole)
        assert [row.state for row in voices.look(None) if row.name == "anna"] == ["ready"]
