"""Which save is the voice: its card says what that save hears, whatever voice was there before, or none."""

from pathlib import Path
from typing import Any

import pytest
from tiny_vits import WIDTH, profile, run_tiny_vits

from covermaker.errors import ProjectError, UsageError
from covermaker.graph.events import TrainingProgress
from covermaker.training import steps as training_steps
from covermaker.training.audition import promote
from covermaker.training.stopping import StoppedError, forget
from covermaker.voices.card import read_card, write_card
from covermaker.voices.voice import Voice


@pytest.fixture
def stopped_run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Train a voice and stop it at a step, before anything is scored."""
    monkeypatch.setattr(training_steps, "_TELL_SECONDS", -1.0)

    def run(home: Path, step: int, **options: Any) -> None:
        def stop(event: object) -> None:
            if isinstance(event, TrainingProgress) and event.step == step - 1:
                (home / "training" / "stop").write_text("")

        with pytest.raises(StoppedError, match=f"stopped at step {step}"):
            run_tiny_vits(home, profile(steps=8, saves=1), listener=stop, **options)
        forget(home / "training")

    return run


def test_what_a_first_training_had_when_it_was_stopped_can_be_sung_with(
    tmp_path: Path, stopped_run: Any
) -> None:
    stopped_run(tmp_path, 3)
    assert not (tmp_path / "card.toml").exists()
    card = promote(tmp_path, 3)
    assert (card.training["step"], card.name, card.rights) == (3, "tiny", "synthetic")
    voice = Voice.open(tmp_path)
    voice.verify()
    assert voice.card.content.encoder == profile().encoder
    with pytest.raises(UsageError, match="has no checkpoint of step 2"):
        promote(tmp_path, 2)


def test_a_save_is_promoted_with_the_encoder_that_it_hears(tmp_path: Path, stopped_run: Any) -> None:
    """The voice of before was trained on another one; the save of the new run is none of its network."""
    run_tiny_vits(tmp_path, profile(steps=2, saves=1), encoder="whisper-tiny.en")
    before = read_card(tmp_path)
    write_card(before.model_copy(update={"description": "my own words"}), tmp_path)
    for left in (tmp_path / "training").rglob("*.safetensors"):
        left.unlink()
    stopped_run(tmp_path, 3)
    assert read_card(tmp_path).content.encoder == "whisper-tiny.en"
    card = promote(tmp_path, 3)
    assert card.content.encoder == profile().encoder != before.content.encoder
    assert card.description == "my own words"
    assert Voice.open(tmp_path).synthesizer("cpu").content_dim == WIDTH


def test_what_was_never_trained_here_has_nothing_to_promote(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="no voice"):
        promote(tmp_path / "nobody", 3)
