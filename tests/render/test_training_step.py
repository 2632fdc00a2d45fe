"""What a render tells of a training inside it: everything, as it comes."""

from pathlib import Path

import pytest

from covermaker.graph.events import (
    Event,
    Note,
    StepFinished,
    StepProgress,
    StepStarted,
    TrainingProgress,
    TrainingScored,
)
from covermaker.graph.run import run
from covermaker.graph.step import Step, Work
from covermaker.graph.store import Store
from covermaker.render.singwork import _phases
from covermaker.render.tasks import _once

PHASES = ("clips", "features", "phrases", "index", "train")


def test_phases_are_stages_of_one_bar_and_notes_come_at_once() -> None:
    fractions: list[float] = []
    heard: list[Event] = []
    notes: list[str] = []
    listener = _phases(Work(Path(), {}, fractions.append, 0, tell=heard.append), notes)
    for name in PHASES:
        listener(StepStarted(name, ""))
        for fraction in (0.0, 0.5, 1.0):
            listener(StepProgress(name, fraction))
        if name == "clips":
            listener(Note("a.wav: clipped"))
            assert heard[-1] == Note("a.wav: clipped")
        listener(StepFinished(name, "", 1.0))
    assert fractions == sorted(fractions)
    assert fractions[0] == 0.0
    assert fractions[-1] == pytest.approx(1.0)
    assert notes == ["a.wav: clipped"]
    stages = [event.name for event in heard if isinstance(event, StepFinished)]
    assert stages == ["train: clips", "train: features", "train: phrases", "train: index", "train: steps"]
    halfway = TrainingProgress(50, 100, 0.5, {"loss": 1.0}, 1e-3, 0.1, 5.0, 0)
    listener(halfway)
    assert heard[-1] == TrainingProgress(50, 100, 0.7, {"loss": 1.0}, 1e-3, 0.1, 5.0, 0)
    scored = TrainingScored(50, 0.5, True)
    listener(scored)
    assert heard[-1] == scored


def test_a_step_speaks_to_whoever_listens_to_the_run(tmp_path: Path) -> None:
    heard: list[Event] = []

    def work(work: Work) -> dict[str, object]:
        work.tell(Note("now"))
        assert heard[-1] == Note("now")
        (work.folder / "a").touch()
        return {"notes": ["now"]}

    step = Step("train", "train", 1, {}, {}, work)
    run(Store(tmp_path / "store"), [step], listener=heard.append)
    assert [type(event).__name__ for event in heard] == ["StepStarted", "Note", "StepFinished"]


def test_what_was_told_on_the_way_is_not_told_again_in_the_end() -> None:
    heard: list[Event] = []
    listener = _once(heard.append)
    for event in (Note("a"), StepStarted("x", ""), Note("b"), Note("a"), StepStarted("x", "")):
        listener(event)
    assert heard == [Note("a"), StepStarted("x", ""), Note("b"), StepStarted("x", "")]
