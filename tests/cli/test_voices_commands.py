"""``covermaker voices add``, ``keep``, ``skip``, ``status``, ``stop``: the studio's actions as a person types them."""

import json
import re
import shlex

import numpy as np
import pytest
import soundfile

from covermaker.cli.main import run
from covermaker.errors import ExitCode
from covermaker.graph.events import StepStarted, TrainingProgress
from covermaker.takes.document import read_takes
from covermaker.training.course import write_run
from covermaker.training.lock import alone_in
from covermaker.training.pulse import Pulse
from covermaker.training.stopping import is_asked
from covermaker.voices.card import read_card, write_card
from covermaker.voices.library import SHIPPED


def tone(path, seconds, hz):
    t = np.arange(16000 * seconds) / 16000
    soundfile.write(path, 0.2 * np.sin(2 * np.pi * hz * t), 16000)


@pytest.fixture
def anna(tmp_path, monkeypatch, jobs_here):
    monkeypatch.setenv("COVERMAKER_VOICES", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)
    tone(tmp_path / "one.wav", 31, 220)
    tone(tmp_path / "two.wav", 1, 330)
    assert run(["voices", "new", "anna", "one.wav", "--rights", "synthetic", "--json"]) == 0
    return tmp_path / "library" / "anna"


def test_takes_are_added_left_out_and_kept(anna, capsys):
    capsys.readouterr()
    assert run(["voices", "add", "anna", "two.wav"]) == 0
    assert "two.wav <- two.wav" in capsys.readouterr().out
    assert run(["voices", "add", "anna", "two.wav"]) == ExitCode.USAGE
    assert "has these recordings already" in capsys.readouterr().err
    assert run(["voices", "skip", "anna", "two"]) == 0
    assert capsys.readouterr().out == "two.wav left out; 1 takes go into training\n"
    assert [row.use for row in read_takes(anna).takes] == [True, False]
    assert run(["voices", "skip", "anna", "one"]) == ExitCode.PROJECT
    assert "would be left to train on" in capsys.readouterr().err
    assert run(["voices", "keep", "anna", "two", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["changed"] == ["two.wav"]
    assert run(["voices", "keep", "anna", "tow"]) == ExitCode.USAGE
    assert "has no take 'tow'" in capsys.readouterr().err


def test_the_command_that_trains_takes_can_be_pasted(anna, tmp_path, capsys):
    assert run(["voices", "new", "Björk möbel", "one.wav", "--rights", "synthetic"]) == 0
    folder = tmp_path / "cover" / "voices" / "Zoe's"
    folder.parent.mkdir(parents=True)
    anna.rename(folder)
    capsys.readouterr()
    assert run(["voices", "list", "--project", "cover"]) == 0
    said = capsys.readouterr().out
    assert "covermaker train 'Björk möbel'" in said
    assert f"covermaker train {shlex.quote(str(folder))}" in said
    assert run(["voices", "remove", "Björk möbel"]) == 0
    assert "covermaker voices restore 'Björk möbel' brings it back" in capsys.readouterr().out


def test_status_says_what_runs_and_what_was_saved(anna, capsys):
    capsys.readouterr()
    assert run(["voices", "status", "anna"]) == 0
    assert capsys.readouterr().out == "training  none yet, begin with: covermaker train anna\n"
    work = anna / "training"
    (work / "checkpoints").mkdir(parents=True)
    (work / "checkpoints" / "step-000000100.safetensors").write_bytes(b"x")
    (work / "scores.json").write_text(
        json.dumps([{"step": step, "score": 0.9 + step / 1e4, "sung": {"mcd_db": 2.5}} for step in (50, 100)])
    )
    with alone_in(anna):
        pulse = Pulse(work, lambda _: None)
        pulse.begin()
        pulse(TrainingProgress(120, 4000, 0.03, {"loss": 0.5}, 1e-3, 0.2, 776.0, 1 << 30))
        pulse(StepStarted("train", ""))
        assert run(["voices", "status", "anna"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert re.match(r"training  train 0%, 12:56 left, 0:\d\d so far, process ", lines[0])
        assert lines[1] == "step      120, 0.2 s a step, loss 0.5"
        assert lines[-2].split() == ["100", "0.9100", "-", "-", "-", "-", "2.50", "best"]
        assert lines[-1].split()[-2:] == ["not", "kept"]
        pulse.on("cpu", seconds_left=lambda: 700.0)
        pulse(StepStarted("features", ""))
        assert run(["voices", "status", "anna"]) == 0
        first = capsys.readouterr().out.splitlines()[0]
        assert re.match(
            r"training  hearing the takes 0%, 11:40 left in all, 0:\d\d so far, on cpu, process ", first
        )
        pulse(StepStarted("train", ""))
        assert run(["voices", "status", "anna", "--json"]) == 0
        values = json.loads(capsys.readouterr().out)
        assert (values["status"], values["now"]["step"]) == ("running", 120)
        assert run(["voices", "stop", "anna", "--wait", "0"]) == ExitCode.RESOURCE
        assert "still runs" in capsys.readouterr().err
        assert is_asked(work)


def test_stop_says_what_is_kept(anna, capsys, monkeypatch):
    assert run(["voices", "stop", "anna"]) == ExitCode.USAGE
    assert "no training of 'anna' runs" in capsys.readouterr().err
    ended = []
    monkeypatch.setattr("covermaker.training.stopping.kill_training", ended.append)
    assert run(["voices", "stop", "anna", "--kill"]) == 0
    assert ended == [anna]
    assert capsys.readouterr().out == (
        "'anna' stopped: no step is kept\nbegin again with: covermaker train anna\n"
    )
    (anna / "training" / "examples").mkdir(parents=True)
    (anna / "training" / "examples" / "a.npz").write_bytes(b"x")
    kept = "what was prepared is kept: covermaker train anna goes on from there"
    assert run(["voices", "stop", "anna", "--kill"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == kept
    assert run(["voices", "status", "anna"]) == 0
    assert capsys.readouterr().out == f"training  stopped before its first step, {kept}\n"
    write_run(anna / "training", {"status": "running", "profile": {"name": "quick"}})
    assert run(["voices", "stop", "anna", "--kill"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "go on with: covermaker train anna --resume"
    assert run(["voices", "status", "anna"]) == 0
    assert "stopped, go on with: covermaker train anna --resume" in capsys.readouterr().out
    write_run(anna / "training", {"status": "finished", "profile": {"name": "quick"}})
    assert run(["voices", "stop", "anna", "--kill"]) == 0  # it came to its end before it heard
    assert capsys.readouterr().out == "'anna': no step is kept\ntraining finished\n"


def test_an_audition_tells_what_cannot_be_read_and_goes_on(anna, capsys, monkeypatch):
    work = anna / "training"
    (work / "checkpoints").mkdir(parents=True)
    (work / "checkpoints" / "step-000000100.safetensors").write_bytes(b"x")
    write_card(read_card(SHIPPED / "demo").model_copy(update={"training": {"step": 100}}), anna)
    monkeypatch.setattr("covermaker.training.audition.audition", lambda *_, **__: [work / "a.wav"])
    (work / "scores.json").write_text('[{"step": 50, "score": 0.5}, {"step": 100, "score": NaN}]')
    capsys.readouterr()
    assert run(["voices", "audition", "anna", "--json"]) == 0
    said = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert [(one["step"], one["score"], one["is_voice"]) for one in said["checkpoints"]] == [
        (100, None, True)
    ]
    (work / "scores.json").write_text("[{")
    assert run(["voices", "audition", "anna"]) == 0
    said = capsys.readouterr()
    assert [line.split() for line in said.out.splitlines()][-2] == ["100", "-", "the", "voice"]
    assert "note: scores.json cannot be read" in said.err
