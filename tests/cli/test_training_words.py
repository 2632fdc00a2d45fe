"""What the commands say of a training: while it runs, when it was stopped, at a save."""

import json
import shutil

import pytest

from covermaker.cli.main import run
from covermaker.cli.progress import listening
from covermaker.errors import ExitCode
from covermaker.graph.events import TrainingScored
from covermaker.training.course import write_run
from covermaker.training.lock import alone_in
from covermaker.training.pulse import Pulse
from covermaker.voices.card import read_card, write_card
from covermaker.voices.library import SHIPPED

ROW = {
    "f0_correlation": 0.9873, "f0_rmse_cents": 9.92, "f0_median_cents": 104.25, "vuv_f1": 0.97, "similarity": 0.9123,
    "source_similarity": 0.55, "cer": 0.1204, "source_cer": None, "mcd_db": 5.31, "lag_ms": 0.1,
}  # fmt: skip


@pytest.fixture
def anna(tmp_path, monkeypatch):
    """Return a voice of the library that holds takes only."""
    monkeypatch.setenv("COVERMAKER_VOICES", str(tmp_path))
    (tmp_path / "anna" / "training" / "checkpoints").mkdir(parents=True)
    (tmp_path / "anna" / "takes.toml").write_text("")
    return tmp_path / "anna"


def record(folder, status, **budget):
    profile = {
        "name": "quick",
        "minutes": budget.get("minutes"),
        "recipe": {"steps": budget.get("steps", 4000)},
    }
    write_run(folder / "training", {"status": status, "profile": profile})


def test_a_voice_in_training_is_not_told_to_be_trained(anna, capsys):
    assert run(["voices", "show", "anna"]) == ExitCode.PROJECT
    assert "is not trained yet" in capsys.readouterr().err
    with alone_in(anna):
        Pulse(anna / "training", lambda _: None).begin()
        for name in ("anna", str(anna)):
            assert run(["voices", "show", name]) == ExitCode.PROJECT
            said = capsys.readouterr().err
            assert "voice 'anna' is being trained right now" in said
            assert "covermaker voices status anna" in said
        assert run(["voices", "show", "anne"]) == ExitCode.PROJECT
        assert "unknown voice 'anne'" in capsys.readouterr().err


def test_a_stopped_training_says_of_how_many_steps_it_is(anna, capsys, monkeypatch):
    (anna / "training" / "checkpoints" / "step-000000578.safetensors").touch()
    record(anna, "running", steps=3000)
    assert run(["voices", "status", "anna"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "training  stopped at step 578 of 3000, go on with: covermaker train anna --resume"
    assert lines[1] == "profile   quick, 3000 steps"
    monkeypatch.setattr("covermaker.training.stopping.kill_training", lambda _: None)
    assert run(["voices", "stop", "anna", "--kill"]) == 0
    said = capsys.readouterr().out
    assert said == "'anna' stopped: step 578 of 3000 is kept\ngo on with: covermaker train anna --resume\n"
    record(anna, "running", minutes=20.0)
    assert run(["voices", "status", "anna"]) == 0
    assert "stopped at step 578, go on with" in capsys.readouterr().out


@pytest.mark.parametrize("figures", [{"spoken": {}, "sung": ROW}, {"sung-anna": ROW, "sung-ben": ROW}])
def test_a_save_is_one_line_of_80_cells(capsys, figures):
    with listening(as_json=False) as listener:
        listener(TrainingScored(40_000, 0.8123, True, figures))
        listener(TrainingScored(12, None, False, {}))
    first, second = capsys.readouterr().err.splitlines()
    assert first == "step 40000: score 0.812 (best)  cents 104.2  like 0.912  CER 0.120"
    assert len(first) <= 80
    assert second == "step 12: no score"


@pytest.mark.parametrize(
    ("training", "words"),
    [
        ({"info": "0epoch"}, "less than an epoch"),
        ({"info": "300epoch"}, "300 epochs"),
        ({"epochs": 2, "step": 40, "info": "2epoch"}, "2 epochs, step 40"),
        ({"info": "by hand"}, "by hand"),
    ],
)
def test_epochs_are_told_in_words(tmp_path, monkeypatch, capsys, training, words):
    monkeypatch.setenv("COVERMAKER_VOICES", str(tmp_path))
    shutil.copytree(SHIPPED / "demo", tmp_path / "ben")
    write_card(read_card(SHIPPED / "demo").model_copy(update={"training": training}), tmp_path / "ben")
    assert run(["voices", "show", "ben"]) == 0
    rows = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if " " in line)
    assert rows["training"] == words
    assert run(["voices", "show", "ben", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["training"] == training
